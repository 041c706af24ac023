"""A forking server and a runtime under [limits] in a unit; and the figures of --result beside what the kernel's files of the cgroup say."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from limits import CGROUPS, Jail
from test_systemd_limits import unit

from systemd import until

MEMORY, PIDS = 256 << 20, 20
LIMITS = f'[limits]\nmemory = "256M"\npids = {PIDS}\n'
#: No user's limit: with it the kernel counts what goes to disks, of the one that is written to as well.
DISK = f'[[limits.io]]\ndevice = "{os.environ.get("VM_RUN_DISK")}"\nwbps = "900M"\n'

#: A process for each connection, which takes memory and time, writes to the disk, and stays until its peer goes. "end" ends it, with what
#: it has counted, once the same peer has said so again.
SERVER = """
import json, os, signal, socket, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.socket(socket.AF_UNIX)
listener.bind("/work/socket")
os.chmod("/work/socket", 0o777)
listener.listen(64)
served = refused = 0
while True:
    peer = listener.accept()[0]
    if peer.recv(9) == b"end":
        break
    try:
        child = os.fork()
    except BlockingIOError:
        refused += 1
        peer.send(b"busy")
        peer.close()
        continue
    if child:
        served += 1
        peer.close()
        continue
    block = bytearray(b"x") * (4 << 20)
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    with open(f"/work/file{os.getpid()}", "wb") as file:
        file.write(os.urandom(256 << 10))
        file.flush()
        os.fsync(file.fileno())
    peer.send(b"served")
    peer.recv(1)
    os._exit(0)
try:
    os.wait()
except ChildProcessError:
    peer.send(json.dumps([served, refused]).encode())
peer.recv(9)
"""


@pytest.fixture
def jail(binary):
    return Jail(binary)


def ask(place, word):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(60)
    peer.connect(str(place / "socket"))
    peer.send(word)
    return peer


def round_of(place, count):
    """So many at the same time: how many were served, and how many sent away."""
    peers = [ask(place, b"come") for _ in range(count)]
    answers = [peer.recv(9) for peer in peers]
    for peer in peers:
        peer.close()
    assert set(answers) <= {b"served", b"busy"}
    return answers.count(b"served"), answers.count(b"busy")


def flat(path):
    return {name: int(value) for name, value in (line.split() for line in path.read_text().splitlines())}


def figures(group):
    """What the kernel has counted, under the names of the result."""
    stat = group / "io.stat"
    devices = [dict(word.split("=") for word in line.split()[1:]) for line in stat.read_text().splitlines()] if stat.exists() else []
    cpu = flat(group / "cpu.stat")
    return {
        "peak_memory": int((group / "memory.peak").read_text()), "peak_processes": int((group / "pids.peak").read_text()),
        "user_seconds": cpu["user_usec"] / 1e6, "system_seconds": cpu["system_usec"] / 1e6,
        "read_bytes": sum(int(device.get("rbytes", 0)) for device in devices),
        "written_bytes": sum(int(device.get("wbytes", 0)) for device in devices),
        "forks_refused": max(flat(path)["max"] for path in [group / "pids.events", *group.glob("*/pids.events")]),
    }  # fmt: skip


@pytest.mark.parametrize("user", [None, "tester"])
def test_a_forking_server_and_its_figures(jail, user):
    place, result = jail.folder / "work", jail.folder / "result.json"
    place.mkdir()
    result.touch()
    for path, mode in ((place, 0o777), (result, 0o666)):
        path.chmod(mode)
    words = jail.arguments(f'{LIMITS}{"" if user else DISK}[filesystem]\nrw = ["{place}:/work"]\n', "python3", "-I", "-c", SERVER)
    words[2:2] = ["--result", str(result)]
    options = ["-p", "Delegate=yes", *(["-p", f"User={user}"] if user else [])]
    process = subprocess.Popen(["systemd-run", "--quiet", "--wait", "--pipe", "--collect", *options, *words],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until((place / "socket").exists)
        # Process 1 of the jail and the server count as well.
        served, busy = round_of(place, PIDS + 10)
        assert (served, busy) == (PIDS - 2, 12)
        [group] = [path for path in CGROUPS.rglob("immure-*") if (path / "memory.max").exists() and (path / "memory.max").read_text() == f"{MEMORY}\n"]
        until(lambda: int((group / "pids.current").read_text()) <= 3)
        assert round_of(place, 8) == (8, 0)
        last = ask(place, b"end")
        assert json.loads(last.recv(99)) == [served + 8, busy]
        time.sleep(0.2)
        kernel = figures(group)
        last.send(b"go")
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        for each in subprocess.run(["systemctl", "list-units", "--plain", "--no-legend", "run-*.service"], capture_output=True, text=True).stdout.splitlines():
            subprocess.run(["systemctl", "stop", each.split()[0]], timeout=60)
    assert (process.returncode, out, err) == (0, "", ""), (out, err)
    told = json.loads(result.read_text())
    assert told["peak_memory_of"] == "jail" and told["killed_for_memory"] == 0
    assert kernel["peak_processes"] == told["peak_processes"] == PIDS and kernel["forks_refused"] == told["forks_refused"] == busy
    assert [hit["limit"] for hit in told["limits_hit"]] == ["pids"] and told["limits_hit"][0]["count"] == busy
    # All children at once, and no more than the limit; nothing is allocated by the end.
    assert (PIDS - 2) * (4 << 20) < kernel["peak_memory"] <= told["peak_memory"] <= min(MEMORY, kernel["peak_memory"] + (1 << 20)), (kernel, told)
    # Each child's twentieth of a second; the end of the last processes may take long where the guest's processor is shared.
    spent = [each["user_seconds"] + each["system_seconds"] for each in (kernel, told)]
    assert (served + 8) * 0.05 <= spent[0] <= spent[1] <= spent[0] + 3, (kernel, told)
    if user:
        return
    assert (served + 8) * (256 << 10) <= kernel["written_bytes"] <= told["written_bytes"] <= kernel["written_bytes"] + (1 << 20), (kernel, told)
    assert kernel["read_bytes"] <= told["read_bytes"] <= kernel["read_bytes"] + (1 << 20), (kernel, told)


def test_c119_node_is_sized_by_the_limit(jail):
    """libuv reads the group's file from 1.45 on; before that node takes no heed of control groups of version 2."""
    assert shutil.which("node")
    look = "console.log(JSON.stringify([process.versions.uv, process.constrainedMemory?.() ?? 0, require('v8').getHeapStatistics().heap_size_limit]))"

    def found(spec):
        done = unit(jail.arguments(spec, "node", "-e", look), "Delegate=yes")
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    version, limit, heap = found('limits.memory = "256M"\n')
    if tuple(map(int, version.split(".")[:2])) >= (1, 45):
        assert limit == MEMORY and heap < found("")[2], heap
    # Half of the limit is there to use.
    work = "const kept = []; for (let i = 0; i < 12; i++) kept.push(new Array(1 << 20).fill(i)); console.log(kept.length)"
    done = unit(jail.arguments('limits.memory = "256M"\n', "node", "-e", work), "Delegate=yes")
    assert (done.returncode, done.stdout) == (0, "12\n"), done
