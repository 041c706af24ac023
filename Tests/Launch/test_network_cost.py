"""What a jail's network costs, in the closed lab: -s prints the figures. What is asserted holds on a busy machine."""

import json
import statistics
import subprocess
import sys
import textwrap

import pytest

from harness import lab, names
from harness.caller import PYTHON
from harness.patience import patient

USER = '[network]\nmode = "user"\n'
ROUNDS = 5

#: Sends to whoever connects.
SOURCE = textwrap.dedent(
    """
    import socket, sys, threading

    def send(c):
        try:
            while True: c.sendall(bytes(1 << 20))
        except OSError: pass

    s = socket.create_server((sys.argv[1], int(sys.argv[2])))
    print("up", flush=True)
    while True: threading.Thread(target=send, args=(s.accept()[0],), daemon=True).start()
    """
)
#: Gbit/s of one stream from there, within a second.
SINK = textwrap.dedent(
    """
    import socket, sys, time

    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 30)
    count, begin, room = 0, time.monotonic(), bytearray(1 << 20)
    while (spent := time.monotonic() - begin) < 1: count += s.recv_into(room)
    print(count * 8 / spent / 1e9)
    """
)
#: Milliseconds of connections by name, the first of each name, and directly.
FIRST = """
import json, socket, time
found = []
for number in range(20):
    for name in (f"n{number}.good.test", "203.0.113.10"):
        begin = time.monotonic()
        address = socket.gethostbyname(name)
        socket.create_connection((address, 443), 30).close()
        found.append((time.monotonic() - begin) * 1000)
print(json.dumps([found[0::2], found[1::2]]))
"""


@pytest.fixture(scope="module")
def network():
    with names.standing():
        yield


def rate(caller, spec, *words):
    return float(caller.run(spec, *PYTHON, SINK, *words, timeout=60).ok.stdout)


def test_a_list_of_a_thousand_entries_slows_nothing(caller, network):
    entries = [f"10.{number // 250}.{number % 250}.7:443" for number in range(999)] + [f"{lab.GOOD}:80"]
    listed = USER + "allow = [" + ", ".join(f'"{entry}"' for entry in entries) + "]\n"
    with lab.running(SOURCE, lab.GOOD, "80"):
        pairs = [(rate(caller, USER, lab.GOOD, "80"), rate(caller, listed, lab.GOOD, "80")) for _ in range(ROUNDS)]
    without, with_list = (max(column) for column in zip(*pairs))
    print(f"{caller}: one stream {without:.2f} Gbit/s without a list, {with_list:.2f} with 1,000 entries: {with_list / without:.2f}")
    assert with_list > without / patient(0.3)


def test_a_first_connection_by_name(caller, network):
    spec = USER + 'allow = ["*.good.test", "203.0.113.10:443"]\n'
    with lab.serving("tcp,0.0.0.0,443"), names.serving() as zone:
        zone["*.good.test"] = {"A": [[names.GOOD, 5]]}
        run = caller.run(spec, *PYTHON, FIRST, timeout=60).ok
    by_name, direct = (statistics.median(column) for column in json.loads(run.stdout))
    print(f"{caller}: first connection {by_name:.2f} ms by name, {direct:.2f} direct: +{by_name - direct:.2f}")
    assert by_name - direct < patient(2)


def test_a_stream_through_a_published_port(caller):
    launch = caller.start('[network]\npublish = ["8080:8000"]\n', *PYTHON, SOURCE, "127.0.0.1", "8000")
    assert launch.stdout.readline() == b"up\n"
    try:
        rates = [float(subprocess.run([sys.executable, "-c", SINK, "127.0.0.1", "8080"], capture_output=True, check=True).stdout) for _ in range(ROUNDS)]
    finally:
        launch.kill()
        launch.communicate(timeout=patient(5))
    print(f"{caller}: published, one stream {max(rates):.2f} Gbit/s")
    assert max(rates) > 5 / patient(1)
