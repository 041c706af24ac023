"""The known ways out of a jail, and the knobs of the host (C27, C31, T19, T25). Every probe checks first that it is jailed."""

import pytest

from harness.maps import zero

ESCAPES = """
import ctypes, errno, json, os
libc = ctypes.CDLL(None, use_errno=True)
answers = {}
def host():
    # /work, /root and the like are not in any jail; the harness' own marker neither.
    return os.path.exists(MARKER)
def attempt(name, function):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            word = function()
        except OSError as error:
            word = errno.errorcode[error.errno]
        os.write(write, ("OUT" if host() else str(word)).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    answers[name] = os.read(read, 99).decode()
def double_chroot():
    os.mkdir("/tmp/inner")
    os.chroot("/tmp/inner")
    for _ in range(64): os.chdir("..")
    os.chroot(".")
    return "ok"
def saved():
    handle = os.open("/", os.O_RDONLY)
    os.mkdir("/tmp/inner2")
    os.chroot("/tmp/inner2")
    os.fchdir(handle)
    os.chroot(".")
    return "ok"
def through(path):
    def go():
        os.chdir(path)
        for _ in range(64): os.chdir("..")
        return "nowhere new"
    return go
def new_proc():
    os.makedirs("/tmp/p", exist_ok=True)
    if libc.mount(b"proc", b"/tmp/p", b"proc", 0, None) == 0: return "ok"
    raise OSError(ctypes.get_errno(), "")
def device():
    os.mknod("/tmp/disk", 0o060666, os.makedev(254, 0))
    return "ok"
def trace():
    if libc.ptrace(16, os.getppid() if os.getppid() == 1 else 1, 0, 0) == 0: return "ok"
    raise OSError(ctypes.get_errno(), "")
def handle():
    # open_by_handle_at(2) of inode 2, as shocker did.
    buffer = ctypes.create_string_buffer(b"\\x08\\0\\0\\0\\x01\\0\\0\\0\\x02\\0\\0\\0\\0\\0\\0\\0")
    where = os.open("/etc/hostname", os.O_RDONLY)
    if libc.syscall(304, where, buffer, 0) >= 0: return "ok"
    raise OSError(ctypes.get_errno(), "")
attempt("double chroot", double_chroot)
attempt("saved descriptor", saved)
for path in ("/proc/1/root", "/proc/1/cwd", "/proc/self/root", "/proc/self/cwd/..", "/..", "/proc/self/task/1/root"):
    attempt(path, through(path))
attempt("a fresh proc", new_proc)
attempt("a device", device)
attempt("a trace of pid 1", trace)
attempt("a file handle", handle)
print(json.dumps(answers))
"""


@pytest.mark.parametrize("who", ["nobody", "uid 0"])
def test_t25_c27_no_known_way_leads_out(caller, base, who):
    spec = zero(caller) if who == "uid 0" else None
    answers = caller.python(spec, f"MARKER = {str(base)!r}\n" + ESCAPES)
    assert "OUT" not in answers.values() and "ok" not in answers.values(), answers


KNOBS = """
import json, os
open_ones = []
def knock(path):
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        open_ones.append(path)
    except OSError:
        pass
for place in ("/proc/sys", "/proc/irq", "/proc/bus", "/proc/acpi", "/proc/fs", "/proc/driver", "/sys"):
    for directory, _, files in os.walk(place):
        for name in files: knock(os.path.join(directory, name))
for name in ("sysrq-trigger", "kcore", "kmsg", "timer_list", "mtrr", "latency_stats", "keys", "kallsyms", "kpageflags"): knock("/proc/" + name)
print(json.dumps(open_ones))
"""
# Of the jail's own namespaces: what is written there ends with the jail.
OWN = (
    "/proc/sys/net/",
    "/proc/sys/kernel/domainname",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/msg",
    "/proc/sys/kernel/sem",
    "/proc/sys/kernel/shm",
    "/proc/sys/fs/mqueue/",
    "/proc/sys/user/",
    "/proc/sys/kernel/auto_msgmni",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/sys/kernel/pid_max",
)


@pytest.mark.parametrize("who", ["nobody", "uid 0", "without a user namespace", "root itself"])
def test_t19_c31_no_knob_of_the_host_can_be_written(caller, who):
    spec = {
        "nobody": "",
        "uid 0": zero(caller),
        "without a user namespace": '[namespaces]\nuser = "host"\n',
        "root itself": '[namespaces]\nuser = "host"\n[identity]\nuser = 0\n',
    }[who]
    if "host" in spec and not caller.is_root:
        pytest.skip("an ordinary user has no jail without a user namespace")
    spec += '[[mount]]\ntarget = "/sys"\ntype = "sysfs"\n'
    open_ones = [path for path in caller.python(spec, KNOBS, timeout=30) if not path.startswith(OWN)]
    assert open_ones == []


def test_c31_root_itself_without_a_user_namespace_cannot_reach_the_kernel(root):
    spec = '[namespaces]\nuser = "host"\n[identity]\nuser = 0\n[filesystem]\nroot = "host"'
    run = root.shell(
        spec,
        "for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/kernel/uevent_helper /proc/sys/vm/drop_caches; do [ -e $f ] && (: >> $f) 2>/dev/null && echo $f; done",
    )
    assert run.stdout == ""


def test_c44_the_binary_cannot_be_written_through_proc(caller):
    before = open(caller.binary, "rb").read()
    spec = f'[filesystem]\nrw = ["{caller.binary}:/opt/immure"]'
    caller.shell(spec, "for p in /proc/[0-9]*; do (echo x > $p/exe) 2>/dev/null; done; true")
    assert open(caller.binary, "rb").read() == before


def test_c41_the_spec_is_not_to_be_found_inside(caller):
    spec = caller.spec('# find-me-if-you-can\nhostname = "jail"\n')
    run = caller.shell(
        spec,
        "grep -rl find-me-if-you-can /tmp /run /dev/shm /etc /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | grep -v /proc/self",
    )
    assert [line for line in run.stdout.splitlines() if not line.startswith("/proc/")] == []
