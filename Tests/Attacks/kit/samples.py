"""The specs whose launches are broken, and what a launch of each must show of its confinement."""

import os
import re
import shutil
import subprocess

from harness.tree import rooted, tree

KINDS = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time")


def rich(caller, opt):
    """Something of each noun."""
    data, writable = caller.directory(), caller.open_directory()
    caller.file(data / "file", "text\n")
    return f"""
hostname = "jail"
cwd = "/data"
[filesystem]
ro = ["{opt}:/opt", "{data}:/data"]
rw = ["{writable}:/writable"]
hide = ["/etc/ssl", "/etc/hostname"]
[[mount]]
target = "/cache/deep"
type = "tmpfs"
size = "1M"
options = ["noexec"]
[[mount]]
target = "/run/file"
type = "file"
content = "text"
[[mount]]
target = "/run/link"
type = "symlink"
to = "file"
[[mount]]
target = "/sys"
type = "sysfs"
[[mount]]
target = "/no/such"
type = "bind"
source = "/no/such/source"
optional = true
[identity]
umask = "077"
[capabilities]
keep = ["net_bind_service"]
[process]
oom_score_adj = 500
nice = 5
[environment]
set = {{ A = "b" }}
[rlimits]
nofile = 100
core = 0
"""


def in_a_tree(caller, opt):
    """A directory as the root, with mount points that are not there."""
    return rooted(tree(caller), f'hide = ["/etc/hostname"]\n', f'[[mount]]\ntarget = "/a/b"\nsource = "{opt}"\n[[mount]]\ntarget = "/opt"\nsource = "{opt}"')


def direct(caller, opt):
    """No process but the command's own. An ordinary user cannot mount a proc for the host's pids, but may bind the host's."""
    proc = "" if caller.is_root else 'proc = false\n'
    ro = "" if caller.is_root else ', "/proc"'
    return f"""
[namespaces]
pid = "host"
[process]
init = false
die_with_parent = false
[filesystem]
{proc}ro = ["{opt}:/opt"{ro}]
"""


def stored(caller, opt):
    """Copies on write, thrown away and kept, and an image: for root, who has the kernel read it from a loop device."""
    place = caller.directory()  # root keeps no changes where others can put theirs
    for name in ("lower", "upper", "work"):
        (place / name).mkdir()
        caller.own(place / name)
    caller.file(place / "lower/file", "text\n")
    image = ""
    if caller.is_root and shutil.which("mksquashfs"):
        subprocess.run(["mksquashfs", place / "lower", place / "image", "-noappend", "-quiet"], check=True, capture_output=True)
        image = f'[[mount]]\ntarget = "/image"\ntype = "image"\nsource = "{place}/image"'
    return f"""
[filesystem]
ro = ["{opt}:/opt"]
[[mount]]
target = "/thrown"
type = "overlay"
lower = ["{place}/lower", "{opt}"]
quota = "8M"
[[mount]]
target = "/kept"
type = "overlay"
lower = ["{place}/lower"]
upper = "{place}/upper"
work = "{place}/work"
{image}
"""


SAMPLES = {
    "default": lambda caller, opt: f'[filesystem]\nro = ["{opt}:/opt"]\n',
    "rich": rich,
    "direct": direct,
    "without init": lambda caller, opt: f'[process]\ninit = false\n[filesystem]\nro = ["{opt}:/opt"]\n',
    "tree": in_a_tree,
    "stored": stored,
    # What Landlock forbids, no file of /proc tells: the fingerprint tries to make a file.
    "landlock": lambda caller, opt: f'[filesystem]\nro = ["{opt}:/opt"]\n[landlock]\nrx = ["/"]\n',
}


def normal(text, host):
    """A fingerprint without what differs from launch to launch: ids of mounts, devices and namespaces, numbers of descriptors."""
    lines = []
    for line in text.splitlines():
        if line.startswith("/proc/self/ns/"):
            path, _, link = line.partition(" ")
            line = path + (" the host's" if link == host[path] else " its own")
        elif line.startswith("/proc/self/mountinfo: "):
            fields = line.split(" ")
            line = re.sub(r"/dev/loop\d+", "/dev/loop", " ".join([fields[0], *fields[4:]]))
            line = re.sub(r"/proc/self/fd/\d+", "/proc/self/fd/N", line)  # a file that the kernel reads without a device
            # An overlay gives its upper an id as it is mounted for the first time, and then does not say so any more; where layers
            # are refused by descriptor, they go by the descriptor's number.
            line = re.sub(r",uuid=on|,lowerdir\+?=[^,]*|,(upper|work)dir=[^,]*", "", line)
        elif line.startswith("/proc/self/status: NStgid"):
            # A process id of the host is another one each time.
            line = " ".join(["/proc/self/status: NStgid", *(word if int(word) < 9 else "N" for word in line.split()[2:])])
        lines.append(line)
    return "\n".join(lines)


def host_namespaces():
    return {f"/proc/self/ns/{kind}": os.readlink(f"/proc/self/ns/{kind}") for kind in KINDS}
