"""Launches by the thousand, and where there is nothing left to launch with (L1, L2, L4, L5, L7, T35, T37).

IMMURE_SWEEP=full: a thousand launches, 64 at once; else a tenth of it.
"""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import linux
from harness.must import needs
from harness.patience import patient
from harness.snapshot import Snapshot

FULL = os.environ.get("IMMURE_SWEEP") == "full"
LAUNCHES = 1000 if FULL else 128
CONFINED = "CapEff:\t0000000000000000"


def start(caller, spec, command, prefix=(), **more):
    argv, _ = caller.line(spec, command)
    return caller.popen([*prefix, *argv], **more)


def settle(caller, process, timeout=60):
    run = caller.finish(process, timeout=timeout)
    linux.started.discard(process.pid)
    return run


def judged(run):
    """What is wrong with the end of a launch that asked for its own /proc/self/status; None where nothing is."""
    if run.status == 0:
        return None if CONFINED in run.stdout and "NoNewPrivs:\t1" in run.stdout else f"ran with less: {run}"
    # Where the loader of the command lacks what it needs, 127 or a signal is the loader's own.
    if "CapEff" in run.stdout or run.status not in (125, 126, 127, 137, 139, 134):
        return f"wrong end: {run}"
    return None if run.stderr or run.status > 127 else f"no word: {run}"


def many(caller, spec, count, at_once, prefix=(), **more):
    with ThreadPoolExecutor(at_once) as pool:
        command = ["/bin/cat", "/proc/self/status"]
        return list(pool.map(lambda _: settle(caller, start(caller, spec, command, prefix, **more)), range(count)))


class Pressure:
    """Memory that is filled and emptied all the time, as long as the block runs: an eighth of what is free."""

    CODE = "import sys\nsize = int(sys.argv[1])\nwhile True:\n    b = bytearray(size)\n    b[::4096] = b'x' * len(b[::4096])\n"

    def __enter__(self):
        free = int(next(line for line in open("/proc/meminfo") if line.startswith("MemAvailable")).split()[1]) << 10
        size = min(free // 8, 1 << 30)
        self.process = subprocess.Popen(["nice", "/usr/bin/python3", "-c", self.CODE, str(size)])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def test_l1_a_thousand_launches_64_at_once_under_memory_pressure(caller, tally):
    spec = caller.spec('[filesystem]\nhide = ["/etc/ssl"]\n[[mount]]\ntarget = "/scratch"\ntype = "tmpfs"\n')
    before = Snapshot()
    with Pressure():
        runs = many(caller, spec, LAUNCHES, 64)
    wrong = [run for run in runs if run.status != 0 or judged(run)]
    tally("launches, 64 at once", len(runs), len(wrong))
    assert not wrong, wrong[:3]
    assert not Snapshot().difference(before)


@pytest.mark.parametrize("limit", range(3, 21) if FULL else (3, 5, 8, 12, 16, 20))
def test_t37_l5_many_with_few_descriptors(caller, tally, limit):
    runs = many(caller, None, 16, 8, ["/usr/bin/prlimit", f"--nofile={limit}"])
    wrong = [word for word in map(judged, runs) if word]
    tally("launches with few descriptors", len(runs), len(wrong))
    assert not wrong, wrong[:3]


@pytest.mark.parametrize("limit", [1, 2, 4, 8, 16])
def test_l5_many_with_few_processes(user, tally, limit):
    """RLIMIT_NPROC counts what the user has in all: 16 launches at once come in each other's way at every fork."""
    needs(os.getuid() == 0, "count processes of a user nobody else is")
    runs = many(user, None, 32, 16, ["/usr/bin/prlimit", f"--nproc={limit}"], user=54323, group=54323, extra_groups=[])
    wrong = [word for word in map(judged, runs) if word]
    tally("launches with few processes", len(runs), len(wrong))
    assert not wrong, wrong[:3]
    assert linux.survivors(1) == {}


@pytest.mark.parametrize("where", ["the overlaid source", "the working directory", "TMPDIR"])
def test_l4_a_full_disk(caller, tally, where):
    needs(os.getuid() == 0, "mount a small file system")
    full = caller.directory()
    linux.mount("tmpfs", full, "tmpfs", data="size=4k,nr_inodes=3,mode=1777")
    try:
        (full / "filler").write_bytes(b"x" * 4096)
        (full / "last").touch()
        spec = {
            "the overlaid source": f'[filesystem]\nrw = ["{full}:/full"]\n[[mount]]\ntarget = "/full/made"\ntype = "tmpfs"\n',
        }.get(where)
        more = {"cwd": full} if where == "the working directory" else {"env": {"TMPDIR": str(full)}}
        runs = many(caller, spec, 8, 4, **more)
        wrong = [word for word in map(judged, runs) if word]
        tally("launches on a full disk", len(runs), len(wrong))
        assert not wrong, wrong[:3]
        if where == "the overlaid source":
            assert all(run.status == 125 and "ENOSPC" in run.stderr for run in runs), runs[0]
        assert sorted(path.name for path in full.iterdir()) == ["filler", "last"]
    finally:
        linux.umount(full)


SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGWINCH]
SIGNALS += [signal.SIGCONT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCHLD, signal.SIGPIPE, signal.SIGALRM]


def test_l7_ten_thousand_mixed_signals_while_jails_start_and_run(caller, dice, tally):
    """Whatever arrives, whenever: each launch ends, none leaves anybody, and none runs the command with less."""
    sent, ends, deadline = 0, [], time.monotonic() + (20 if FULL else 6)
    wanted = 10_000 if FULL else 4_000
    while sent < wanted and time.monotonic() < deadline:
        process = start(caller, None, ["/bin/sh", "-c", "trap '' HUP INT QUIT USR1 USR2 ALRM PIPE; cat /proc/self/status; sleep 0.05"])
        for _ in range(dice.randrange(20, 200)):
            try:
                process.send_signal(dice.choice(SIGNALS))
            except ProcessLookupError:
                break
            sent += 1
            if sent % 7 == 0:
                time.sleep(dice.uniform(0, 0.002))
        process.send_signal(signal.SIGCONT)
        try:
            out, err = process.communicate(timeout=patient(8))
        except subprocess.TimeoutExpired:
            ends.append(("hang", "", ""))
            process.kill()
            process.communicate()
            continue
        linux.started.discard(process.pid)
        ends.append((process.returncode, out.decode(), err.decode()))
    wrong = [end for end in ends if end[0] == "hang" or end[1] and CONFINED not in end[1] and len(end[1]) > 1000]
    tally("signals", sent)
    tally("launches in a storm of signals", len(ends), len(wrong))
    assert not wrong, wrong[:3]
    assert sent > 100 and linux.survivors(1) == {}


def test_l2_one_after_another_frees_what_it_took(caller, tally):
    """Namespaces, descriptors and memory of this process are what they were, however many jails there were."""

    def state():
        return len(os.listdir("/proc/self/fd"))

    spec = caller.spec("")
    caller.run(spec, "/bin/true").ok
    before, count = state(), 5000 if FULL else 100
    argv, _ = caller.line(spec, ["/bin/true"])
    bad = 0
    for _ in range(count):
        process = caller.popen(argv)
        process.communicate()
        linux.started.discard(process.pid)
        bad += process.returncode != 0
    tally("launches one after another", count, bad)
    assert bad == 0 and state() == before


def test_t35_l3_launchers_killed_at_random_leave_nobody(caller, dice, tally):
    count = 300 if FULL else 40
    for _ in range(count):
        process = start(caller, None, ["/bin/sh", "-c", "sleep 1000 & sleep 1000"])
        time.sleep(dice.uniform(0, 0.02))
        os.kill(process.pid, dice.choice([signal.SIGKILL, signal.SIGSTOP]))
        process.kill()
        process.communicate()
        linux.started.discard(process.pid)
    left = linux.survivors(0.5)
    tally("launchers killed at random moments", count, len(left))
    assert left == {}
