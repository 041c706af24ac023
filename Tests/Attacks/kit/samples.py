"""The specs whose launches are broken, and what a launch of each must show of its confinement."""

import ctypes
import fcntl
import os
import re
import shutil
import subprocess

import pytest

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


def limited(caller, opt):
    """Directories with a limit of their own, a project's: for root, where the kernel has those of ext4."""
    if not caller.is_root:
        pytest.skip("only root limits what directories hold")
    disk = caller.directory()
    image, point = disk / "image", disk / "disk"
    point.mkdir()
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    subprocess.run(["mkfs.ext4", "-q", "-O", "quota,project", "-E", "quotatype=prjquota", image], check=True, env=path)
    if subprocess.run(["mount", "-o", "loop,prjquota", image, point], capture_output=True, env=path).returncode:
        pytest.skip("this kernel has no project quotas of ext4 (CONFIG_QFMT_V2)")
    for name in ("bind", "bind/d", "lower", "upper", "work"):
        (point / name).mkdir()
        os.chown(point / name, 65534 if name.startswith("bind") else 0, 65534 if name.startswith("bind") else 0)
    (point / "bind/d/f").touch()
    return f"""
[filesystem]
ro = ["{opt}:/opt"]
[[mount]]
target = "/limited"
source = "{point}/bind"
options = ["rw"]
quota = "4M"
inodes = 50
[[mount]]
target = "/kept"
type = "overlay"
lower = ["{point}/lower"]
upper = "{point}/upper"
work = "{point}/work"
quota = "4M"
"""


def limited_disk(spec):
    """Where the file system of `limited` is mounted."""
    return re.search(r'source = "(.*)/bind"', spec)[1]


def unlimit(spec):
    """Takes all that `limited` has limited out of its projects, and their limits: the next launch finds what the first found."""
    point = limited_disk(spec)
    numbers = set()
    for place, _, names in os.walk(point):
        for path in (place, *(os.path.join(place, name) for name in names)):
            file = os.open(path, os.O_RDONLY)
            try:
                found = bytearray(fcntl.ioctl(file, 0x801C581F, bytes(28)))  # FS_IOC_FSGETXATTR: flags, then at 12 the project
                flags, project = int.from_bytes(found[:4], "little"), int.from_bytes(found[12:16], "little")
                if project or flags & 0x200:
                    numbers.add(project)
                    found[:4], found[12:16] = (flags & ~0x200).to_bytes(4, "little"), bytes(4)
                    fcntl.ioctl(file, 0x401C5820, bytes(found))
                if "trusted.immure.project" in os.listxattr(file):
                    os.removexattr(file, "trusted.immure.project")
            finally:
                os.close(file)
    disk = os.open(point, os.O_RDONLY)
    block = ctypes.create_string_buffer(72)  # struct if_dqblk: no limit; its last field says which of them are meant
    block[64:68] = (0x3F).to_bytes(4, "little")
    for number in numbers - {0}:
        # Q_SETQUOTA of a project, quotactl_fd(2)
        assert ctypes.CDLL(None, use_errno=True).syscall(443, disk, 0x80000802, number, block) == 0
    os.close(disk)


SAMPLES = {
    "default": lambda caller, opt: f'[filesystem]\nro = ["{opt}:/opt"]\n',
    "rich": rich,
    "direct": direct,
    "without init": lambda caller, opt: f'[process]\ninit = false\n[filesystem]\nro = ["{opt}:/opt"]\n',
    "tree": in_a_tree,
    "stored": stored,
    "limited": limited,
    # What Landlock forbids, no file of /proc tells: the fingerprint tries to make a file.
    "landlock": lambda caller, opt: f'[filesystem]\nro = ["{opt}:/opt"]\n[landlock]\nrx = ["/"]\n',
}


def normal(text, host):
    """A fingerprint without what differs from launch to launch: ids of mounts, devices and namespaces, numbers of descriptors."""
    lines = []
    for line in text.splitlines():
        if line.startswith("/proc/self/ns/"):
            path, _, link = line.partition(" ")
            line = path + (" the host's" if link == host.get(path) else " its own")
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
    return {f"/proc/self/ns/{kind}": os.readlink(f"/proc/self/ns/{kind}") for kind in KINDS if os.path.exists(f"/proc/self/ns/{kind}")}
