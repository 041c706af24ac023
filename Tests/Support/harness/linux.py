"""The few calls that Python 3.11's os module lacks, and readers of /proc that answer in values."""

import ctypes
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager

from .patience import FACTOR, patient, until

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWNET = 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME = 2, 4, 8, 1024
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE, MS_SHARED = 4096, 8192, 16384, 1 << 18, 1 << 20
PR_SET_CHILD_SUBREAPER = 36


def check(result):
    """Raises OSError where a C call answered -1."""
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def unshare(flags):
    check(libc.unshare(flags))


@contextmanager
def network_of_its_own():
    """A network namespace for this process while the block runs, with loopback up."""
    with open("/proc/self/ns/net") as before:
        unshare(CLONE_NEWNET)
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            check(libc.setns(before.fileno(), CLONE_NEWNET))


def mount(source, target, kind="none", flags=0, data=""):
    check(libc.mount(str(source).encode(), str(target).encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()))


def umount(target):
    """MNT_DETACH: a test that failed half way leaves no busy mount behind."""
    check(libc.umount2(str(target).encode(), 2))


def become_subreaper():
    """Orphans of a launcher come to this process instead of pid 1, so that none goes unseen."""
    check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def descendants(root=None):
    """The processes below `root`, by the ppid in /proc: pid -> (state, command line)."""
    root = root or os.getpid()
    parent, about = {}, {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            with open(f"/proc/{name}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        parent[int(name)] = int(fields[1])
        about[int(name)] = (fields[0].decode(), line)
    found, level = {}, {root}
    while level:
        level = {pid for pid, above in parent.items() if above in level and pid not in found}
        found.update((pid, about[pid]) for pid in level)
    return found


def seen(pid, name):
    """The text of a file, or the target of a link, of /proc/PID; None of a process that has ended, as any in a list of them may have."""
    path = f"/proc/{pid}/{name}"
    try:
        if name.startswith("ns/"):
            return os.readlink(path)
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return None


def server(launcher, program):
    """The process below a launcher that runs `program`, as soon as it is there: by its file, or by argv[0], which pasta keeps of two names."""
    def runs(pid):
        return (seen(pid, "cmdline") or "").startswith(program + "\0") or (seen(pid, "comm") or "").startswith(program[:15])

    return until(lambda: next(filter(runs, descendants(launcher)), None))


#: What subprocess started: its own objects collect these, and must find the status still there.
started = set()


def reap():
    """Collects orphans that ended."""
    for pid, about in descendants().items():
        if about[0] == "Z" and pid not in started:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


#: The bit of a process that the kernel takes apart, include/linux/sched.h.
PF_EXITING = 0x4


def is_exiting(pid):
    """Whether nothing of the program runs any more: it is killed, and waits for a processor to end with, or the kernel takes it apart, which
    holds who had a tun device as long as other networks end before it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            exits = int(file.read().rpartition(b")")[2].split()[6]) & PF_EXITING
        with open(f"/proc/{pid}/status", "rb") as file:
            pending = [int(line.split()[1], 16) for line in file if line.startswith((b"SigPnd:", b"ShdPnd:"))]
        return exits != 0 or any(mask & 1 << signal.SIGKILL - 1 for mask in pending)
    except OSError:
        return True


def survivors(within=0.5, marker=None):
    """The descendants that still live `within` seconds from now, more on a busy machine; with `marker`, those that bear it. What the kernel
    still takes apart by then is waited for, too, for half a minute."""
    deadline = time.monotonic() + within * FACTOR
    patience = patient(30) if within else 0
    while True:
        reap()
        left = {
            pid: about for pid, about in descendants().items() if about[0] != "Z" and (not marker or marker in about[1])
        }
        late = time.monotonic() - deadline
        if not left or late > patience or (late > 0 and not all(map(is_exiting, left))):
            return left
        time.sleep(0.01)


def unescape(path):
    """mountinfo writes space, tab, newline and backslash in octal, proc_pid_mountinfo(5)."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)


class Mounts:
    """The lines of a mountinfo, by mount point; of stacked mounts the last one counts."""

    def __init__(self, text):
        self.lines = text.splitlines()
        self.at, self.tags, self.types, self.super = {}, {}, {}, {}
        for line in self.lines:
            before, _, after = line.partition(" - ")
            fields = before.split()
            target = unescape(fields[4])
            self.at[target] = set(fields[5].split(","))
            self.tags[target] = fields[6:]
            self.types[target] = after.split()[0]
            self.super[target] = set(after.split()[-1].split(","))

    def __contains__(self, target):
        return target in self.at

    def __getitem__(self, target):
        return self.at[target]

    def below(self, target):
        return {point: flags for point, flags in self.at.items() if (point + "/").startswith(target.rstrip("/") + "/")}
