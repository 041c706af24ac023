"""What a launcher could leave behind, as a value that can be compared.

Only what the run itself makes counts: it has namespaces of its own (see session.py), looks at its own descendants, and where
it shares a place with the rest of the machine it goes by the names that immure gives.
"""

import fcntl
import os
import socket
import stat
from pathlib import Path

from .linux import descendants, reap, unescape


def names(directory, ours_only):
    """The names in a directory with what they are; own temporary names of the tests are left out."""
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return set()
    return {
        (directory.rstrip("/") + "/" + entry.name, stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode))
        for entry in entries
        if not entry.name.startswith(("immure-tests-", "pytest-of-")) and ("immure" in entry.name or not ours_only)
    }


def lines(path):
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def cgroups():
    """Groups of launchers that are gone: a launcher that lives, here or in another's shell, has a lock on its own."""
    found = set()
    for place, directories, _ in os.walk("/sys/fs/cgroup"):
        for name in directories:
            if name.startswith("immure-") and not is_locked(f"{place}/{name}"):
                found.add(f"{place}/{name}")
    return found


def is_locked(directory):
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return True
    except PermissionError:
        return os.getuid() != 0
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(descriptor)


class Mount:
    """One line of mountinfo: equal to another of the same mount with the same attributes, whatever its file system does."""

    def __init__(self, line):
        fields = line.partition(" - ")[0].split()
        self.id, self.target = int(fields[0]), unescape(fields[4])
        self.attributes = (self.target, *fields[5:])
        # What the directory says that the mount point is, and not the root of what is mounted on it.
        self.point = inode(self.target)

    def is_lost(self):
        """The mount point is still there: where somebody removes that, the kernel takes the mount from everybody."""
        return self.point is not None and inode(self.target) == self.point

    def __str__(self):
        return f"{self.id} {' '.join(self.attributes)}"


def inode(path):
    """The number of a name in its directory."""
    above, name = os.path.split(path)
    try:
        return next((entry.inode() for entry in os.scandir(above) if entry.name == name), None) if name else 0
    except OSError:
        return None


def ipc():
    """System V objects: all of them where the namespace is the run's own, else this user's."""
    found = set()
    for name in ("msg", "sem", "shm"):
        head, *rows = [line.split() for line in lines(f"/proc/sysvipc/{name}")] or [[]]
        for row in (dict(zip(head, row)) for row in rows):
            if os.getuid() == 0 or row["uid"] == str(os.getuid()):
                found.add(f"{name} {row['key']} {row.get('shmid') or row.get('semid') or row.get('msqid')}")
    return found


class Snapshot(dict):
    """The state of the host, category by category."""

    def __init__(self):
        reap()
        self.mounts = {mount.id: mount for mount in map(Mount, lines("/proc/self/mountinfo"))}
        private = os.getuid() == 0
        super().__init__(
            processes={f"{pid} {about}" for pid, about in descendants().items() if about[0] != "Z"},
            cgroups=cgroups(),
            ipc=ipc(),
            # An ordinary user could not make any here.
            links={name for _, name in socket.if_nameindex()} if private else set(),
            netns=names("/run/netns", ours_only=True),
            run=names("/run", ours_only=True),
            root=names("/", ours_only=False) if private else set(),
        )
        for place in ("/tmp", "/var/tmp", "/dev/shm", "/etc", "/home"):
            self[place] = names(place, ours_only=not private)

    def difference(self, before):
        """One line for each thing that came or went."""
        lost = self.mounts_lost(before)
        for kind in self:
            lost += [f"{kind}: new: {thing}" for thing in sorted(self[kind] - before[kind], key=str)]
            lost += [f"{kind}: gone: {thing}" for thing in sorted(before[kind] - self[kind], key=str)]
        return lost

    def mounts_lost(self, before):
        """The same, of mounts only."""
        lost = []
        for number, mount in self.mounts.items():
            if number not in before.mounts:
                lost.append(f"mounts: new: {mount}")
            elif mount.attributes != before.mounts[number].attributes:
                lost.append(f"mounts: changed: {before.mounts[number]} to {mount}")
        for number, mount in before.mounts.items():
            if number not in self.mounts and mount.is_lost():
                lost.append(f"mounts: gone: {mount}")
        return lost
