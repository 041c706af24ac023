"""A group of processes that may send and receive nothing, as a unit's IPAddressDeny=any has it (systemd.resource-control(5): programs of
cgroup_skb, bpf(2)): what leads out for a jail in it is held to that, too (N12). Tests/VM/test_systemd_network.py has it with systemd."""

import contextlib
import ctypes
import os
import socket
import struct
import subprocess
from pathlib import Path

import pytest

from harness import lab, names
from harness.caller import PYTHON
from harness.must import needs
from harness.patience import patient, until

network = names.network
zone = names.zone_beside(f"tcp,{lab.GOOD},80", f"tcp,{names.GOOD},443")

ASK = """
import socket, sys
print("up", flush=True)
for name, port in (word.split(",") for word in sys.argv[1:]):
    try:
        s = socket.create_connection((name, int(port)), 3)
        s.send(b"x")
        print(s.recv(9).decode())
    except OSError as error:
        print(type(error).__name__)
sys.stdin.readline()
"""
WAYS = {
    "pasta": ('mode = "user"\n', [f"{lab.GOOD},80"]),
    "list": (f'mode = "user"\nallow = ["{lab.GOOD}:80"]\n', [f"{lab.GOOD},80"]),
    "names": ('mode = "user"\nallow = ["good.test:443"]\n', ["good.test,443"]),
}
NUMBER = {"x86_64": 321, "aarch64": 280}
LOAD, ATTACH, CGROUP_SKB, INGRESS, EGRESS = 5, 8, 8, 0, 1


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"))
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(NUMBER[os.uname().machine], command, buffer, 128)
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found


def deny_all(group):
    """Whatever a socket of the group sends or receives is dropped: `r0 = 0; exit`."""
    code = ctypes.create_string_buffer(struct.pack("<BBhi", 0xB7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0))
    license = ctypes.create_string_buffer(b"GPL")
    program = bpf(LOAD, struct.pack("=IIQQ", CGROUP_SKB, 2, ctypes.addressof(code), ctypes.addressof(license)))
    directory = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for way in (INGRESS, EGRESS):
            bpf(ATTACH, struct.pack("=IIII", directory, program, way, 0))
    finally:
        os.close(directory)
        os.close(program)


def hierarchy():
    """Where the second version of control groups is mounted, cgroups(7)."""
    with open("/proc/self/mountinfo") as lines:
        return next((Path(line.split()[4]) for line in lines if " - cgroup2 " in line), None)


@pytest.fixture
def group():
    needs(os.getuid() == 0, "make a control group: only root may")
    top = hierarchy()
    needs(top is not None, "control groups of the second version")
    place = top / f"tests-unit-{os.getpid()}"
    try:
        place.mkdir()
    except OSError as error:
        needs(False, f"make a control group: {error}")
    try:
        yield place
    finally:
        until(lambda: not (place / "cgroup.procs").read_text())
        place.rmdir()


@contextlib.contextmanager
def within(group):
    """What is started in the block is in the group; whatever was before is not."""
    own = next(line.split(":", 2)[2].strip() for line in open("/proc/self/cgroup") if line.startswith("0::"))
    (group / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield
    finally:
        (Path(str(group.parent) + own) / "cgroup.procs").write_text(str(os.getpid()))


def members(group):
    """The programs in the group, by their names."""
    found = set()
    for pid in (group / "cgroup.procs").read_text().split():
        with contextlib.suppress(OSError):
            found.add(Path(f"/proc/{pid}/comm").read_text().strip())
    return found


def asking(caller, group, way):
    spec, words = WAYS[way]
    with within(group):
        return caller.start("[network]\n" + spec, *PYTHON, ASK, *words, stdin=subprocess.PIPE)


@pytest.mark.parametrize("way", WAYS)
def test_n12_whoever_leads_out_is_of_the_group(caller, zone, group, way):
    """Without a rule of the group's: what is asked for is there."""
    launch = asking(caller, group, way)
    assert launch.stdout.readline() == b"up\n"
    assert any(name.startswith(("passt", "pasta")) for name in members(group)), members(group)
    out, err = launch.communicate(b"go\n", timeout=patient(20))
    assert launch.returncode == 0 and out == b"here\n", err


@pytest.mark.parametrize("way", WAYS)
def test_n12_it_is_held_to_the_groups_rule(caller, zone, group, way):
    deny_all(group)
    asked = len(zone.asked)
    launch = asking(caller, group, way)
    out, err = launch.communicate(b"go\n", timeout=patient(30))
    # What the launcher asks for, to see that its own rules hold, is not answered where the group may not hear itself.
    assert launch.returncode in (0, 125) and b"here" not in out, (out, err)
    assert launch.returncode == 0 or err.startswith(b"immure: "), err
    assert len(zone.asked) == asked


def test_n12_a_published_port_is_held_to_it(caller, group):
    """Who comes from outside of the group gets no answer."""
    deny_all(group)
    serve = "import socket; s = socket.create_server(('127.0.0.1', 8000)); print('up', flush=True)\nwhile True: s.accept()[0].sendall(b'here')"
    with within(group):
        launch = caller.start('[network]\npublish = ["8080:8000"]\n', *PYTHON, serve)
    try:
        assert launch.stdout.readline() == b"up\n", launch.communicate()
        with socket.socket() as s:
            s.settimeout(1)
            with pytest.raises(TimeoutError):
                s.connect(("127.0.0.1", 8080))
    finally:
        launch.kill()
        launch.communicate(timeout=patient(5))
