"""published.toml: the server answers at the host's port, and nothing leads out of its network."""

import signal
import time
import urllib.error
import urllib.request

from harness.patience import patient
from inside import closed, look


def fetched(process, seconds=20):
    end = time.monotonic() + patient(seconds)
    while True:
        try:
            return urllib.request.urlopen("http://127.0.0.1:8080/page", timeout=30).read()
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None and time.monotonic() < end, "no answer"
            time.sleep(0.05)


def test_answers_at_the_hosts_port(caller, work, alone):
    caller.file(work / "page", "served\n")
    server = caller.start("immure", "run", caller.spec("published.toml"), cwd=work)
    try:
        assert fetched(server) == b"served\n"
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=patient(20))
    finally:
        server.kill()
        server.communicate()


def test_closed(caller, work):
    closed(look(caller, "published.toml", work), caller, writable=set())
