"""The calls by which a launcher closes an address that the host gets after its launch has looked: each fails with each errno, and each with
an effect lies. The address is there when the rules are loaded, and the command asks for it until it is refused; else it ends with another
status than its own.

A sample by default, every call with IMMURE_SWEEP=full.
"""

import os
import socket
import subprocess
import threading

import pytest

from harness import names
from harness.covered import covered, fifo
from kit.calls import NAME
from kit.samples import SAMPLES
from test_fault_network import EFFECTS, FULL, NetworkBench, chosen

ADDRESS = "10.77.0.1"
#: Waits until the address cannot be reached, and becomes the probe.
CLOSED = f"""
while {{ exec 3<>/dev/tcp/{ADDRESS}/7777; }} 2>/dev/null; do
    exec 3>&-
    [ $SECONDS -lt 45 ] || exit 99
done
exec "$@"
"""
#: nft(8), which before it loads the rules has the host get its address.
LOADS = '[ "$1" = -f ] || exec {0}/real "$@"\necho now >{0}/asked\nread word <{0}/given\nexec {0}/real "$@"\n'


class LaterBench(NetworkBench):
    def __init__(self, caller, built, place):
        self.place = place
        super().__init__(caller, "later", built)

    def launch(self, mode, *words):
        if not isinstance(self.command, Late):
            self.command = Late(["/bin/bash", "-c", CLOSED, "bash", *self.command])
        subprocess.run(["ip", "addr", "del", f"{ADDRESS}/24", "dev", "br0"], stderr=subprocess.DEVNULL)
        return super().launch(mode, *words)

    def of_the_launcher(self):
        """Its calls from the one on that is told of addresses: the last socket of netlink that it binds before its command runs."""
        first = max(step.call for step in self.steps if step.process == 0 and not step.late and NAME.get(step.number) == "bind")
        return [step for step in self.steps if step.process == 0 and step.call >= first - 1]


class Late(list):
    """A command that was put behind the wait."""


def serve(server):
    while True:
        try:
            server.accept()[0].close()
        except OSError:
            return


@pytest.fixture(scope="module")
def network():
    with names.standing():
        # A thread: a process would be one that a launch has left.
        with socket.create_server(("0.0.0.0", 7777)) as server:
            threading.Thread(target=serve, args=(server,), daemon=True).start()
            yield


@pytest.fixture
def bench(caller, built, network, monkeypatch):
    monkeypatch.setitem(SAMPLES, "later", lambda caller, opt: f'[network]\nmode = "user"\n[filesystem]\nro = ["{opt}:/opt"]\n')
    with covered("nft", LOADS, caller) as place:
        asked, given = fifo(place, "asked"), fifo(place, "given")
        over = threading.Event()
        # Open at both ends: nobody waits for one that was killed.
        ends = [os.open(path, os.O_RDWR) for path in (asked, given)]

        def serve():
            while os.read(ends[0], 100) and not over.is_set():
                subprocess.run(["ip", "addr", "add", f"{ADDRESS}/24", "dev", "br0"], stderr=subprocess.DEVNULL)
                os.write(ends[1], b"x\n")

        host = threading.Thread(target=serve)
        host.start()
        try:
            yield LaterBench(caller, built, place)
        finally:
            over.set()
            os.write(ends[0], b"now\n")
            host.join()
            for end in ends:
                os.close(end)
            subprocess.run(["ip", "addr", "del", f"{ADDRESS}/24", "dev", "br0"], stderr=subprocess.DEVNULL)


def test_each_call_fails_once(bench, dice, tally):
    steps = set(bench.of_the_launcher())
    cases = chosen(dice, [(step, errno) for step, errno in bench.faults() if step in steps], 24)
    wrong = [word for word in (bench.fail(step, errno) for step, errno in cases) if word]
    tally("later addresses: system calls that failed", len(cases), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


def lie(number):
    """What a call answers that has done nothing. A socket's number is one that nothing has: a kernel that gives one in use, the standard
    input's 0 say, makes every program close that."""
    return {"write": "count", "pwrite64": "count", "sendto": "count", "socket": 1000}.get(NAME[number], 0)


def test_success_that_is_a_lie(bench, dice, tally):
    steps = chosen(dice, [step for step in bench.of_the_launcher() if NAME.get(step.number) in EFFECTS | {"clone3", "recvfrom", "socket"}], 12)
    wrong = [word for _, word in (bench.fake(step, lie(step.number)) for step in steps) if word]
    tally("later addresses: calls that were faked", len(steps), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(steps)}:\n" + "\n".join(wrong)
