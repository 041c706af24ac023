"""Services of Debian's under systemd and, as import makes a spec of them, under immure: the same probe looks around in both.

Nothing may be more open than it was, and what is closer is what import has announced.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from systemd import UNITS, journal, systemctl

IMMURE = "/usr/local/bin/immure"
PROBE = Path("/usr/local/lib/immure-probe.py")
#: Where no service here may write: immure reads no spec that the command could change.
SPECS = Path("/usr/local/share/immure")

#: What confines them, and who they are where that account is not in the guest.
SERVICES = {
    "redis": """User=tester Group=tester RuntimeDirectory=immure-redis RuntimeDirectoryMode=0755 UMask=007 PrivateTmp=true LimitNOFILE=65535
        PrivateDevices=true ProtectHome=true ProtectSystem=strict ReadWritePaths=-/var/lib/redis ReadWritePaths=-/var/log CapabilityBoundingSet=
        LockPersonality=true MemoryDenyWriteExecute=true NoNewPrivileges=true PrivateUsers=true ProtectClock=true ProtectControlGroups=true
        ProtectHostname=true ProtectKernelLogs=true ProtectKernelModules=true ProtectKernelTunables=true ProtectProc=invisible RemoveIPC=true
        RestrictAddressFamilies=AF_INET_AF_INET6_AF_UNIX RestrictNamespaces=true RestrictRealtime=true RestrictSUIDSGID=true
        SystemCallArchitectures=native SystemCallFilter=@system-service SystemCallFilter=~_@privileged_@resources""",
    "resolved": """User=tester AmbientCapabilities=CAP_SETPCAP_CAP_NET_RAW_CAP_NET_BIND_SERVICE CapabilityBoundingSet=CAP_SETPCAP_CAP_NET_RAW_CAP_NET_BIND_SERVICE
        LockPersonality=yes MemoryDenyWriteExecute=yes NoNewPrivileges=yes PrivateDevices=yes PrivateTmp=yes ProtectProc=invisible ProtectClock=yes
        ProtectControlGroups=yes ProtectHome=yes ProtectKernelLogs=yes ProtectKernelModules=yes ProtectKernelTunables=yes ProtectSystem=strict
        RestrictAddressFamilies=AF_UNIX_AF_NETLINK_AF_INET_AF_INET6 RestrictNamespaces=yes RestrictRealtime=yes RestrictSUIDSGID=yes
        SystemCallArchitectures=native SystemCallErrorNumber=EPERM SystemCallFilter=@system-service""",
    "localed": """CapabilityBoundingSet= IPAddressDeny=any LockPersonality=yes MemoryDenyWriteExecute=yes NoNewPrivileges=yes PrivateDevices=yes
        PrivateNetwork=yes PrivateTmp=yes ProtectProc=invisible ProtectControlGroups=yes ProtectHome=yes ProtectHostname=yes ProtectKernelLogs=yes
        ProtectKernelModules=yes ProtectKernelTunables=yes ProtectSystem=strict ReadWritePaths=/etc RestrictAddressFamilies=AF_UNIX
        RestrictNamespaces=yes RestrictRealtime=yes RestrictSUIDSGID=yes SystemCallArchitectures=native SystemCallErrorNumber=EPERM
        SystemCallFilter=@system-service""",
    "prometheus": """User=tester AmbientCapabilities= CapabilityBoundingSet= DeviceAllow=/dev/null_rw DevicePolicy=strict LimitMEMLOCK=0 LimitNOFILE=32768
        LockPersonality=true MemoryDenyWriteExecute=true NoNewPrivileges=true PrivateDevices=true PrivateTmp=true PrivateUsers=true
        ProtectControlGroups=true ProtectHome=true ProtectKernelModules=true ProtectKernelTunables=true ProtectSystem=full RemoveIPC=true
        RestrictNamespaces=true RestrictRealtime=true SystemCallArchitectures=native""",
    "man-db": """User=man Nice=19 ProtectSystem=full ProtectHome=true PrivateTmp=true PrivateDevices=true ProtectHostname=true ProtectClock=true
        ProtectKernelTunables=true ProtectKernelModules=true ProtectKernelLogs=true ProtectControlGroups=true LockPersonality=true
        RestrictRealtime=true""",
    "memcached": """PrivateTmp=true ProtectSystem=full NoNewPrivileges=true PrivateDevices=true
        CapabilityBoundingSet=CAP_SETGID_CAP_SETUID_CAP_SYS_RESOURCE RestrictAddressFamilies=AF_INET_AF_INET6_AF_UNIX MemoryDenyWriteExecute=true
        ProtectKernelModules=true ProtectKernelTunables=true ProtectControlGroups=true RestrictRealtime=true RestrictNamespaces=true""",
    "mpd": """User=tester LimitRTPRIO=40 LimitRTTIME=infinity LimitMEMLOCK=64M ProtectSystem=yes NoNewPrivileges=yes ProtectKernelTunables=yes
        ProtectControlGroups=yes ProtectKernelModules=yes RestrictAddressFamilies=AF_INET_AF_INET6_AF_UNIX_AF_NETLINK RestrictNamespaces=yes""",
    "nm-priv-helper": """AmbientCapabilities= CapabilityBoundingSet= CapabilityBoundingSet=CAP_DAC_OVERRIDE PrivateDevices=true PrivateMounts=true
        PrivateNetwork=true PrivateTmp=true ProtectClock=true ProtectControlGroups=true ProtectHome=true ProtectHostname=true
        ProtectKernelLogs=true ProtectKernelModules=true ProtectKernelTunables=true ProtectSystem=strict RestrictAddressFamilies=AF_UNIX
        RestrictNamespaces=true SystemCallFilter=~@clock SystemCallFilter=~@cpu-emulation SystemCallFilter=~@debug SystemCallFilter=~@module
        SystemCallFilter=~@mount SystemCallFilter=~@obsolete SystemCallFilter=~@raw-io SystemCallFilter=~@reboot SystemCallFilter=~@swap
        NoNewPrivileges=true""",
    "e2scrub_reap": """PrivateNetwork=true ProtectSystem=true ProtectHome=read-only PrivateTmp=yes AmbientCapabilities=CAP_SYS_ADMIN_CAP_SYS_RAWIO
        NoNewPrivileges=yes User=root""",
    "low-memory-monitor": """ProtectSystem=strict PrivateDevices=true ProtectControlGroups=true ProtectHome=true PrivateTmp=true PrivateNetwork=true
        RestrictAddressFamilies=AF_UNIX_AF_NETLINK MemoryDenyWriteExecute=true ProtectKernelModules=true RestrictRealtime=true
        NoNewPrivileges=true""",
    "iwd": """LimitNPROC=100 CapabilityBoundingSet=CAP_NET_ADMIN_CAP_NET_RAW_CAP_NET_BIND_SERVICE PrivateTmp=true NoNewPrivileges=true DevicePolicy=closed
        DeviceAllow=/dev/rfkill_rw ProtectHome=yes ProtectSystem=strict ProtectControlGroups=yes ProtectKernelModules=yes StateDirectory=immure-iwd
        StateDirectoryMode=0700""",
    "logrotate": """Nice=19 LockPersonality=true MemoryDenyWriteExecute=true PrivateDevices=true PrivateTmp=true ProtectClock=true
        ProtectControlGroups=true ProtectHostname=true ProtectKernelLogs=true ProtectKernelModules=true ProtectKernelTunables=true
        ProtectSystem=full RestrictNamespaces=true RestrictRealtime=true""",
}  # fmt: skip

SOURCE = r'''
import ctypes, errno, json, os, resource, socket, sys
if len(sys.argv) < 2:
    sys.exit("this probe is not jailed")
libc = ctypes.CDLL(None, use_errno=True)
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines() if ":" in line)
PLACES = ["/", "/usr", "/usr/local", "/etc", "/boot", "/home", "/home/tester", "/root", "/srv", "/var", "/var/lib", "/var/log", "/var/tmp", "/tmp",
          "/run", "/run/immure-redis", "/var/lib/immure-iwd", "/dev", "/dev/shm", "/sys", "/sys/fs/cgroup", "/sys/kernel", "/proc/sys/kernel"]

def place(path):
    if not os.path.lexists(path):
        return "-"
    try:
        os.listdir(path)
    except OSError:
        return "shown"
    name = path + "/written-by-the-probe"
    try:
        os.mkdir(name)
        os.rmdir(name)
        return "writable"
    except OSError:
        return "read"

def device(name):
    try:
        os.close(os.open("/dev/" + name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))
        return "opened"
    except OSError as error:
        return "-" if error.errno == errno.ENOENT else "shown"

def forked(work):
    """The errno of what a child does, 0 for success, "killed" where the filter ended it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            number = work()
        except OSError as error:
            number = error.errno
        os.write(writing, str(number).encode())
        os._exit(0)
    os.close(writing)
    said = os.read(reading, 16)
    os.close(reading)
    os.waitpid(child, 0)
    return int(said) if said else "killed"

def call(number, *arguments):
    def work():
        return ctypes.get_errno() if libc.syscall(number, *map(ctypes.c_long, arguments)) == -1 else 0
    return forked(work)

def mapped():
    libc.mmap.restype = ctypes.c_long
    return ctypes.get_errno() if libc.mmap(None, ctypes.c_size_t(4096), 7, 0x22, -1, 0) == -1 else 0

def marked():
    number = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.fchmod(number, 0o4700)
    return 0

BAD = -1
# Each with arguments that do nothing where the call is let through.
CALLS = {"unshare user": (272, 0x10000000), "unshare mount": (272, 0x20000), "mount": (165, 0, 0, 0, 0, 0), "umount2": (166, 0, 0),
         "ptrace": (101, 0x4206, 1, 0, 0), "personality": (135, 0x0040000), "swapon": (167, 0, 0), "reboot": (169, 0, 0, 0, 0),
         "init_module": (175, 0, 0, 0), "clock_settime": (227, BAD, 0), "bpf": (321, BAD, 0, 0), "keyctl": (250, BAD, 0), "syslog": (103, BAD, 0, 0),
         "perf_event_open": (298, 0, 0, 0, 0, 0), "chroot": (161, 0), "sched_setscheduler": (144, 0, 1, 0), "io_uring_setup": (425, 0, 0),
         "setns": (308, BAD, 0x10000000), "sethostname": (170, 0, 0), "acct": (163, BAD), "iopl": (172, BAD), "kexec_load": (246, 0, 1, 0, BAD)}
FAMILIES = {"unix": 1, "inet": 2, "inet6": 10, "netlink": 16, "packet": 17, "vsock": 40}

def made(family):
    socket.socket(family, socket.SOCK_RAW if family == 16 else socket.SOCK_DGRAM).close()
    return 0

calls = {name: call(*words) for name, words in CALLS.items()}
calls["write and execute"] = forked(mapped)
calls["set-user-ID"] = forked(marked)
print(json.dumps({
    "ids": [os.getuid(), os.getgid(), sorted(os.getgroups())],
    "sets": {name: status["Cap" + name].strip() for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")},
    "no_new_privs": int(status["NoNewPrivs"]), "umask": status["Umask"].strip(), "nice": os.getpriority(os.PRIO_PROCESS, 0),
    "places": {path: place(path) for path in PLACES},
    "devices": {name: device(name) for name in ("null", "zero", "kmsg", "mem", "port", "console", "random", "ubda", "loop-control", "rfkill", "fuse", "log")},
    "calls": calls, "families": {name: forked(lambda family=family: made(family)) for name, family in FAMILIES.items()},
    "limits": {name[7:]: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")},
    "interfaces": sorted(line.split(":")[0].strip() for line in open("/proc/self/net/dev") if ":" in line),
}))
'''
DEGREES = ["-", "shown", "read", "opened", "writable"]
#: What import says that it opens: devices of every jail.
OPENED = {"can be opened all the same": {"zero", "full", "random", "null"}}
#: Errors by which a call is refused; any other comes from its arguments.
REFUSED = {1, 13, 38, 97, 93}


def lines(text):
    """One a line; a blank within a value is written `_`, as no name has one where it stands for one here."""
    result = []
    for word in text.split():
        key, value = word.split("=", 1)
        blanks = key not in ("User", "Group", "RuntimeDirectory", "StateDirectory")
        value = re.sub(r"_(?=AF_|CAP_|@|rw)", " ", value) if blanks else value
        result.append(f"{key}={value}")
    return result


def look(name):
    unit = UNITS / f"imported-{name}.service"
    answer = Path(f"/run/imported-{name}.json")
    PROBE.write_text(SOURCE)
    text = "\n".join(lines(SERVICES[name]))
    unit.write_text(f"[Service]\nType=oneshot\nStandardOutput=truncate:{answer}\nExecStart=/usr/bin/python3 -I -S {PROBE} jailed\n{text}\n")
    systemctl("daemon-reload")
    systemctl("start", unit.name, status=None)
    said = answer.read_text()
    assert said, journal(unit.name)
    made = subprocess.run([IMMURE, "import", "systemd", unit], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    SPECS.mkdir(parents=True, exist_ok=True)
    spec = SPECS / f"imported-{name}.toml"
    spec.write_text(made.stdout)
    run = subprocess.run([IMMURE, "run", spec], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert run.returncode == 0 and run.stdout, (run.stderr, made.stdout)
    return json.loads(said), json.loads(run.stdout), made.stderr + made.stdout


def is_refused(answer):
    return answer == "killed" or answer in REFUSED


@pytest.mark.parametrize("name", SERVICES)
def test_the_import_of_a_unit_opens_nothing(name):
    theirs, ours, told = look(name)
    differing = {key: (theirs[key], ours[key]) for key in theirs if theirs[key] != ours[key]}
    opened = []
    for kind in ("places", "devices"):
        for path, found in ours[kind].items():
            if DEGREES.index(found) > DEGREES.index(theirs[kind][path]):
                opened.append((path, theirs[kind][path], found))
    for kind in ("calls", "families"):
        for call, answer in ours[kind].items():
            if is_refused(theirs[kind][call]) and not is_refused(answer):
                opened.append((call, theirs[kind][call], answer))
    for which, bits in ours["sets"].items():
        if int(bits, 16) & ~int(theirs["sets"][which], 16):
            opened.append((which, theirs["sets"][which], bits))
    announced = set().union(*(names for words, names in OPENED.items() if words in told))
    opened = [entry for entry in opened if entry[0] not in announced]
    assert not opened, f"{opened}\n{differing}\n{told}"
    assert ours["no_new_privs"] >= theirs["no_new_privs"]
    assert (ours["ids"][:2], ours["umask"], ours["nice"]) == (theirs["ids"][:2], theirs["umask"], theirs["nice"]), differing
    groups = set(theirs["ids"][2]) - {theirs["ids"][1]}
    assert set(ours["ids"][2]) <= set(theirs["ids"][2]) and (not groups or "its other groups" in told)
    closed = [call for call, answer in ours["calls"].items() if is_refused(answer) and not is_refused(theirs["calls"][call])]
    assert not closed or "immure's own filter of system calls stays" in told or "SystemCallFilter" in SERVICES[name], (closed, told)
    assert set(ours["interfaces"]) <= set(theirs["interfaces"])
    for line in lines(SERVICES[name]):
        if line.startswith("Limit"):
            limit = line[5:].split("=")[0]
            assert ours["limits"][limit] == theirs["limits"][limit], (limit, differing)
