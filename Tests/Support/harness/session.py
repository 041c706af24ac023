"""What a run of tests has of its own, so that nobody else on the machine disturbs it, nor it them.

As root: a namespace of mounts with private propagation; private /tmp, /var/tmp and /dev/shm, so that a file left behind is
seen for what it is; a copy of /etc with an account of the run's own, and a /home for that; and where it is wanted a System V
IPC and a network namespace. An ordinary user has none of these, and tests as that user, on the machine as it is.

/etc as a whole: a mount on /etc/passwd would be gone with the next useradd(8) of anybody, because the kernel takes away what
is mounted on a file that is replaced in another mount namespace.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from . import accounts, linux

CHECKOUT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("IMMURE", CHECKOUT / ".build/release/immure"))


def begin(isolated=True):
    """To be called once, before any test; `isolated` is with namespaces of IPC and network. Elsewhere programs of the
    examples ask the network for packages."""
    os.umask(0o022)
    # A shell without job control starts what runs in its background with these ignored, and every child inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    # As does what nohup(1) starts.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    for name in ("TMPDIR", "IMMURE_RESULT", "NO_COLOR"):
        os.environ.pop(name, None)
    if os.getuid() != 0:
        return
    number = accounts.begin()
    linux.unshare(linux.CLONE_NEWNS | (linux.CLONE_NEWIPC | linux.CLONE_NEWNET if isolated else 0))
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    leave_other_systems()
    if isolated:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open_path(CHECKOUT) as checkout:
        for place in ("/tmp", "/var/tmp", "/dev/shm"):
            linux.mount("tmpfs", place, "tmpfs", data="mode=1777")
            if CHECKOUT.is_relative_to(place):
                CHECKOUT.mkdir(parents=True)
                linux.mount(checkout.path, CHECKOUT, flags=linux.MS_BIND | linux.MS_REC)
                os.chdir(CHECKOUT)
    copy_etc()
    cover_home()
    accounts.add(accounts.NAME, number)


def leave_other_systems():
    """Takes away what a program that makes a system beside the tests has mounted, such as mmdebstrap: with a /proc or a /sys of
    its own in sight, the kernel gives a fresh one whatever covers the host's (mount_too_revealing)."""
    with open("/proc/self/mountinfo") as lines:
        rows = [line.split() for line in lines]
    for row in reversed(rows):
        place, kind = linux.unescape(row[4]), row[row.index("-") + 1]
        if kind in ("proc", "sysfs") and place.split("/")[1] not in ("proc", "sys"):
            with contextlib.suppress(OSError):  # below another mount since, its name leads elsewhere
                linux.umount(place)


def forget(base):
    """Removes what the run made below `base`, unless anything is mounted there: what is bound there is not the run's.

    A private /tmp goes by itself with its namespace. rm's --one-file-system is no help: a bind mount is of one file system.
    """
    if os.getuid() != 0 and not any(point.startswith(f"{base}/") for point in mount_points()):
        shutil.rmtree(base, ignore_errors=True)


def mount_points():
    with open("/proc/self/mountinfo") as lines:
        return [linux.unescape(line.split()[4]) for line in lines]


def copy_etc():
    """What stands in the files of /etc is from now on what stood in them as the run began."""
    staging = Path("/tmp/etc")
    staging.mkdir()
    linux.mount("tmpfs", staging, "tmpfs", data="mode=0755")
    # A file that somebody replaces meanwhile may be missed: cp says so with its status. Those that count are looked for.
    subprocess.run(["cp", "-a", "/etc/.", staging], stderr=subprocess.DEVNULL)
    for name in ("passwd", "group", "hostname"):
        if not (staging / name).exists():
            shutil.copy2(f"/etc/{name}", staging / name)
    linux.mount(staging, "/etc", flags=linux.MS_MOVE)
    staging.rmdir()


def cover_home():
    """A /home to which the run may add its own, with what is there in it but for one of that name, which is another run's."""
    homes = [
        entry for entry in os.scandir("/home") if entry.is_dir(follow_symlinks=False) and entry.name != accounts.NAME
    ]
    held = [open_path(entry.path) for entry in homes]
    linux.mount("tmpfs", "/home", "tmpfs", data="mode=0755")
    for entry, home in zip(homes, held):
        with home:
            os.mkdir(entry.path)
            linux.mount(home.path, entry.path, flags=linux.MS_BIND | linux.MS_REC)


class open_path:
    """A directory held by a descriptor, and the name by which mount(2) finds it whatever covers it."""

    def __init__(self, path):
        self.number = os.open(path, os.O_PATH)
        self.path = f"/proc/self/fd/{self.number}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.number)
