"""Who works for a jail's network is killed, or stands still, at any moment of it (N06).

Whatever ends first: nothing of the command runs with less than its rules, a jail that has lost a helper is killed and told of, and no
process, interface, table of rules, port or file is left. A sample by default, 200 for each caller with IMMURE_SWEEP=full.
"""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import lab, linux, names
from harness.caller import PYTHON
from harness.patience import patient

CASES = 200 if os.environ.get("IMMURE_SWEEP") == "full" else 16
#: Each network with how many processes it has outside the jail once it stands.
NETWORKS = {
    "publish": (1, '[network]\npublish = ["8080:8000"]\n'),
    "user": (1, f'[network]\nmode = "user"\nallow = ["{lab.GOOD}:80"]\n'),
    "names": (3, '[network]\nmode = "user"\nallow = ["good.test:443"]\npublish = ["8080:8000", "8081:8000/udp"]\n'),
    "veth": (3, '[network]\nmode = "veth"\nallow = ["good.test:443"]\npublish = ["8080:8000"]\n'),
}
#: Says when it runs, and whatever of the closed addresses it reaches.
WATCH = f"""
import socket, sys, time
print("up", flush=True)
while True:
    s = socket.socket()
    s.settimeout(0.1)
    if s.connect_ex(("{lab.EVIL}", 80)) == 0: print("open", flush=True)
    s.close()
    time.sleep(0.005)
"""
#: What is done to the one that is chosen, and then to the launcher.
ENDS = [(signal.SIGKILL, None), *((signal.SIGSTOP, then) for then in (signal.SIGCONT, signal.SIGTERM, signal.SIGKILL))]


@pytest.fixture(scope="module")
def network():
    with names.standing():
        forward = Path("/proc/sys/net/ipv4/ip_forward")
        forward.write_text("1")
        yield
        forward.write_text("0")


@pytest.fixture
def served(network):
    with lab.serving(f"tcp,{lab.EVIL},80"), names.serving():
        yield


@dataclass
class Case:
    caller: object
    network: str
    #: Seconds from the start, or None for once the command runs.
    moment: float
    what: int
    then: int
    dice: object

    def __str__(self):
        return f"{self.network}, {signal.Signals(self.what).name} at {self.moment}, then {self.then}"

    def run(self):
        """None where all is right, else what is wrong."""
        before = set(linux.descendants())
        launch = self.caller.start(NETWORKS[self.network][1], *PYTHON, WATCH)
        out = b""
        if self.moment is None:
            out = os.read(launch.stdout.fileno(), 100)
        else:
            time.sleep(self.moment)
        victim = self.strike(launch)
        wrong = self.conclude(launch, out, victim)
        deadline = time.monotonic() + patient(2)
        while (alive := {pid: about for pid, about in linux.survivors(0).items() if pid not in before}) or left():
            if time.monotonic() > deadline:
                for pid in alive:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                return f"{wrong}; left: {alive}, {left()}, {victim}"
            time.sleep(0.02)
        return wrong

    def strike(self, launch):
        """What was done to one of the processes that work for the jail from outside, in words."""
        deadline = time.monotonic() + patient(2)
        while launch.poll() is None and time.monotonic() < deadline:
            if chosen := sorted(pid for pid in outside(launch.pid) if self.ends(pid, launch.pid)):
                pid = self.dice.choice(chosen)
                try:
                    os.kill(pid, self.what)
                except ProcessLookupError:
                    continue
                return f"{chosen.index(pid)} of {len(chosen)}"
        return "nobody"

    def ends(self, pid, launcher):
        """Not all of pasta where it stands still. It enters the jail's user namespace by itself, which takes the request to end with
        the launcher back, and has processes of its own for a moment that none of it asks for."""
        if self.what != signal.SIGSTOP or not linux.descendants().get(pid, ("", "pasta"))[1].startswith("pasta"):
            return True
        return self.then != signal.SIGKILL and pid in children(launcher)

    def conclude(self, launch, out, victim):
        lives = None
        if self.what == signal.SIGKILL:
            # Who was killed may have been done: then all the others stand.
            deadline = time.monotonic() + patient(3)
            while launch.poll() is None and not (lives := stands(launch.pid, self.network)) and time.monotonic() < deadline:
                time.sleep(0.02)
            lives = lives and settles(launch, self.network)
        else:
            time.sleep(self.dice.random() / 20)
            if self.then == signal.SIGCONT:
                for pid in outside(launch.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
        last = signal.SIGKILL if self.then == signal.SIGKILL else signal.SIGTERM
        if launch.poll() is None:
            launch.send_signal(last)
        try:
            rest, err = launch.communicate(timeout=patient(5))
        except subprocess.TimeoutExpired:
            told = {pid: about for pid, about in linux.descendants(launch.pid).items()}
            launch.kill()
            launch.communicate()
            return f"no end, {victim}: {told}"
        out, err, status = (out + rest).decode(), err.decode(), launch.returncode
        about = f"{victim}, status {status}, said {out!r}, {err!r}"
        if "open" in out:
            return f"the network was open: {about}"
        if out not in ("", "up\n"):
            return f"odd words: {about}"
        if status == 125:
            return None if out == "" and err.startswith("immure: ") else f"125, and the command ran: {about}"
        if status == 137 or (status == -signal.SIGKILL and self.then != signal.SIGKILL):
            return None if "jail killed" in err and " ended: " in err else f"killed without a reason: {about}"
        ended_by_us = self.what != signal.SIGKILL or lives or victim == "nobody"
        return None if status in (-last, 128 + last) and ended_by_us else about


def outside(launcher):
    """The launcher's descendants that are not in the jail, which has process ids of its own."""
    own = os.readlink("/proc/self/ns/pid")
    return [pid for pid, (state, _) in linux.descendants(launcher).items() if state != "Z" and linux.seen(pid, "ns/pid") == own]


def children(launcher):
    try:
        return list(map(int, Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()))
    except OSError:
        return []


def stands(launcher, network):
    return len(outside(launcher)) >= NETWORKS[network][0] and any(
        linux.seen(pid, "ns/pid") not in (None, os.readlink("/proc/self/ns/pid")) for pid in linux.descendants(launcher))


def settles(launch, network):
    """Whether all of it stays there."""
    deadline = time.monotonic() + 5
    while launch.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return launch.poll() is None and stands(launch.pid, network)


def left():
    """What of a jail is on the host."""
    links = [name for name in os.listdir("/sys/class/net") if name.startswith("immure")] if os.path.isdir("/sys/class/net/h0") else []
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    listening = subprocess.run(["ss", "-Hlntu", "sport = :8080 or sport = :8081"], capture_output=True, text=True, check=True).stdout
    return links + tables.split("\n")[:-1] + listening.split("\n")[:-1]


def test_n06_a_helper_ends_or_stands_still_at_any_moment(caller, served, dice, tally):
    networks = [name for name in NETWORKS if caller.is_root or name != "veth"]
    wrong = []
    for _ in range(CASES):
        moment = None if dice.random() < 0.25 else dice.random() * 0.12
        case = Case(caller, dice.choice(networks), moment, *dice.choice(ENDS), dice)
        if word := case.run():
            wrong.append(f"{case}: {word}")
    tally("network: helpers that ended or stood still", CASES, len(wrong))
    assert not wrong, f"{len(wrong)} of {CASES}:\n" + "\n".join(wrong)
