"""What a launcher could leave behind on a host, as a value that can be compared."""

import os
import stat
from pathlib import Path

from .linux import descendants, reap


def listing(directory):
    """The names of a directory with what they are; own temporary names of the tests are left out."""
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return set()
    return {
        (directory + "/" + entry.name, stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode))
        for entry in entries
        if not entry.name.startswith(("immure-tests-", "pytest-of-"))
    }


def lines(path):
    try:
        return set(Path(path).read_text().splitlines())
    except OSError:
        return set()


def cgroups():
    """Other programs of the machine make cgroups as well: only those with our name are ours."""
    found = set()
    for place, directories, _ in os.walk("/sys/fs/cgroup"):
        found |= {f"{place}/{name}" for name in directories if "immure" in name}
    return found


class Snapshot(dict):
    """The state of the host, category by category."""

    def __init__(self):
        reap()
        mounts = {line.split(" ", 2)[2] for line in lines("/proc/self/mountinfo")}
        super().__init__(
            mounts=mounts,
            processes={f"{pid} {about}" for pid, about in descendants().items() if about[0] != "Z"},
            cgroups=cgroups(),
            ipc={
                " ".join(line.split()[:4]) for name in ("msg", "sem", "shm") for line in lines(f"/proc/sysvipc/{name}")
            },
            links=set(os.listdir("/sys/class/net")),
            netns=listing("/run/netns"),
        )
        # Private to the session only where root could make them so.
        private = os.getuid() == 0
        for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/"):
            names = listing(place)
            self[place] = names if private and place != "/run" else {name for name in names if "immure" in name[0]}

    def difference(self, before):
        """One line for each thing that came or went."""
        lost = []
        for kind in self:
            lost += [f"{kind}: new: {thing}" for thing in sorted(self[kind] - before[kind], key=str)]
            lost += [f"{kind}: gone: {thing}" for thing in sorted(before[kind] - self[kind], key=str)]
        return lost
