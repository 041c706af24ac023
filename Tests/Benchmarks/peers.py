"""Who is measured, and the nearest thing to immure's default jail that each of them can make."""

import json
import os
import shutil
from dataclasses import dataclass

# What `make bench` installs on a fresh Debian 12; nsjail is not in Debian and is measured where it is found.
PACKAGES = "gcc libc6-dev util-linux bubblewrap crun runc firejail systemd-container"

COMMAND = "/usr/bin/true"
# In place of the command: tells which namespaces the jail really has of its own.
NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
PROBE = ("/usr/bin/readlink", *("/proc/self/ns/" + name for name in NAMESPACES))
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class Candidate:
    """One program to start: `absent` says why it cannot be."""

    name: str
    argv: list
    absent: str = ""


def is_root(user):
    """Whether the launch is made by uid 0; without a user it is made by whoever runs the benchmark."""
    return user is None and os.geteuid() == 0


def who(user):
    """The word for it in tables."""
    return "root" if is_root(user) else "user"


def found(name):
    """The program's path; sbin is not in everybody's PATH."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def candidate(name, program, arguments, command):
    path = program if os.path.isabs(program) else found(program)
    if not path or not os.path.exists(path):
        return Candidate(name, [], f"skipped: no {os.path.basename(program)} here")
    return Candidate(name, [path, *arguments, *command])


def links():
    """The host's merged /bin, /lib and so on, as (link, target)."""
    return [("/" + name, os.readlink("/" + name)) for name in MERGED if os.path.islink("/" + name)]


def bubblewrap(root, extra=()):
    """`--cap-drop ALL` and the ids are what bubblewrap does by itself for an ordinary user."""
    arguments = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--hostname", "jail"]
    if root:
        arguments += ["--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    arguments += ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc"]
    for link, target in links():
        arguments += ["--symlink", target, link]
    arguments += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/"]
    arguments += ["--setenv", "PATH", PATH, "--setenv", "HOME", "/", "--setenv", "USER", "nobody"]
    return arguments + ["--setenv", "TERM", "dumb", *extra, "--"]


def bundle(directory, uid, gid, command):
    """An OCI bundle of the default jail. Container id 0 is the caller's own id: runc insists on a mapped 0."""
    rootfs = os.path.join(directory, "rootfs")
    for name in ("usr", "etc", "proc", "dev", "tmp", "run"):
        os.makedirs(os.path.join(rootfs, name))
    for link, target in links():
        os.symlink(target, rootfs + link)
    tmpfs = {"type": "tmpfs", "source": "tmpfs"}
    read_only = [
        {"destination": path, "type": "none", "source": path, "options": ["rbind", "ro", "nosuid", "nodev"]}
        for path in ("/usr", "/etc")
    ]
    config = {
        "ociVersion": "1.0.2",
        "hostname": "jail",
        "root": {"path": "rootfs", "readonly": True},
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": list(command),
            "env": ["PATH=" + PATH, "HOME=/", "USER=nobody", "TERM=dumb"],
            "cwd": "/",
            "capabilities": {s: [] for s in ("bounding", "effective", "permitted", "inheritable", "ambient")},
            "noNewPrivileges": True,
        },
        "mounts": read_only
        + [
            {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "nodev", "noexec"]},
            {"destination": "/dev", **tmpfs, "options": ["nosuid", "noexec", "mode=755"]},
            {
                "destination": "/dev/pts",
                "type": "devpts",
                "source": "devpts",
                "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
            },
            {"destination": "/dev/shm", **tmpfs, "options": ["nosuid", "nodev", "mode=1777"]},
            {"destination": "/tmp", **tmpfs, "options": ["nosuid", "nodev", "mode=1777", "size=64m"]},
        ],
        "linux": {
            "namespaces": [{"type": t} for t in ("user", "mount", "pid", "network", "ipc", "uts", "cgroup")],
            "uidMappings": [{"containerID": 0, "hostID": uid, "size": 1}],
            "gidMappings": [{"containerID": 0, "hostID": gid, "size": 1}],
        },
    }
    with open(os.path.join(directory, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    return directory


UNSHARE = ["--user", "--map-current-user", "--mount", "--net", "--ipc", "--uts", "--cgroup"]
UNSHARE += ["--pid", "--fork", "--kill-child", "--mount-proc"]


def light(host, user, command=(COMMAND,)):
    """The default jail by the three that are compared everywhere."""
    return [
        candidate("floor", host.floor, [], command),
        candidate("immure", host.immure, ["run", host.plain_spec, "--"], command),
        candidate("bubblewrap", "bwrap", bubblewrap(is_root(user)), command),
    ]


def everyone(host, user, command=(COMMAND,)):
    """The default jail, or the nearest to it, by all."""
    root = is_root(user)
    uid, gid = (user.uid, user.gid) if user else (65534, 65534) if root else (os.geteuid(), os.getegid())
    oci = bundle(host.scratch("bundle", user), uid, gid, command)
    state = host.scratch("state", user)
    nested = bubblewrap(root, ["--unshare-user", "--disable-userns"])
    nsjail = ["-Mo", "-Q", "--disable_clone_newtime", "-R", "/usr", "-R", "/etc", "-T", "/tmp", "--user", str(uid)]
    nsjail += ["--group", str(gid)] + [word for link, to in links() for word in ("-s", f"{to}:{link}")] + ["--"]
    return light(host, user, command) + [
        candidate("bubblewrap, nested off", "bwrap", nested, command),
        candidate("unshare (host tree)", "unshare", UNSHARE, command),
        candidate("crun", "crun", ["--cgroup-manager=disabled", "--root", state, "run", "-b", oci, "bench-@N"], []),
        candidate("runc", "runc", ["--root", state + "/runc", "run", "-b", oci, "bench-@N"], []),
        candidate("nsjail", "nsjail", nsjail, command),
        firejail(command),
        nspawn(oci + "/rootfs", user, command),
    ]


def firejail(command):
    """Set-uid root and without a user namespace; its root is the host's tree, remounted."""
    if os.geteuid() != 0:
        return Candidate("firejail", [], "skipped: it leaves mounts behind, so only where root unshares them")
    arguments = ["--quiet", "--noprofile", "--net=none", "--private-tmp", "--private-dev", "--caps.drop=all"]
    arguments += ["--nonewprivs", "--ipc-namespace", "--hostname=jail", "--read-only=/"]
    return candidate("firejail", "firejail", arguments, command)


def nspawn(rootfs, user, command):
    if not is_root(user):
        return Candidate("systemd-nspawn", [], "skipped: needs root")
    arguments = ["--quiet", "--register=no", "--keep-unit", "--link-journal=no", f"--directory={rootfs}"]
    arguments += ["--private-users=65536:65536", "--private-network", "--read-only"]
    arguments += ["--bind-ro=/usr", "--bind-ro=/etc", "--as-pid2", "--pipe"]
    arguments += ["--no-new-privileges=yes", "--drop-capability=all"]
    return candidate("systemd-nspawn", "systemd-nspawn", arguments, command)


def host_root(host, user):
    """The host's whole tree, read-only where the program can (unshare cannot)."""
    arguments = ["--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/", "/", "--proc", "/proc"]
    arguments += ["--dev", "/dev", "--tmpfs", "/tmp"]
    if is_root(user):
        arguments += ["--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    return [
        candidate("immure", host.immure, ["run", host.host_spec, "--"], [COMMAND]),
        candidate("bubblewrap", "bwrap", arguments + ["--"], [COMMAND]),
        candidate("unshare", "unshare", UNSHARE, [COMMAND]),
    ]
