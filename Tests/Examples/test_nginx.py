"""nginx.toml: asked from outside over the host's loopback, and from inside in a network of its own."""

import re
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

from harness.patience import patient
from inside import closed, look


@pytest.fixture
def site(caller, work, tool):
    tool("nginx")
    caller.file(work / "index.html", "<p>from a jail</p>\n")
    return work


@pytest.fixture
def free_port(caller, site):
    """The example with a port that is free on this machine in the place of 8080."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    text = caller.spec("nginx.toml").read_text()
    # Not the command's own: root refuses a spec that belongs to somebody else.
    spec = caller.base / f"nginx-{caller.name}.toml"
    spec.write_text(re.sub(r"127\.0\.0\.1:8080", f"127.0.0.1:{port}", text))
    return port, spec


def ask(url, process, seconds=10):
    end = time.monotonic() + patient(seconds)
    while True:
        try:
            return urllib.request.urlopen(url, timeout=30).read().decode()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                out, err = process.communicate()
                raise AssertionError(f"no answer; status {process.returncode}\n{out}\n{err}")
            time.sleep(0.05)


def test_serves(caller, site, free_port):
    port, spec = free_port
    server = caller.start("immure", "run", spec, cwd=site)
    try:
        assert ask(f"http://127.0.0.1:{port}/index.html", server) == "<p>from a jail</p>\n"
        # SIGTERM goes through to nginx, which ends in order.
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=patient(10)) == 0
    finally:
        server.kill()
        server.communicate()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_in_a_network_of_its_own(caller, site, tool):
    """Loopback is up there, and the port is nobody else's: the example's own 8080 is free."""
    command = "/usr/sbin/nginx -e stderr -c /etc/nginx/nginx.conf & curl -s --retry 50 --retry-connrefused --retry-delay 0 --retry-max-time 10 http://127.0.0.1:8080/"
    tool("curl")
    done = caller.run(
        "immure", "run", caller.spec("nginx.toml"), "--set", 'network.mode="none"', "--", "sh", "-c", command, cwd=site
    )
    assert done.stdout == "<p>from a jail</p>\n"


def test_host_configuration_is_untouched(caller, site):
    done = caller.jail("nginx.toml", "cat", "/etc/nginx/nginx.conf", cwd=site)
    assert "root /site" in done.stdout
    assert "root /site" not in subprocess.run(["cat", "/etc/nginx/nginx.conf"], capture_output=True, text=True).stdout


def test_closed(caller, site):
    closed(look(caller, "nginx.toml", site), caller, shared={"net"})
