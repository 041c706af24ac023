"""What the environment refuses: full confinement or 125 with the cause, never a hang, never something weaker (T37, L5)."""

import os
import re
import shutil
import time

import pytest

from harness import linux
from harness.facts import status
from harness.must import needs

HINT = re.compile(r"^(immure: )?hint: \S", re.M)


def confined(run):
    """The whole fingerprint of the default jail, or an honest refusal."""
    if run.status == 0:
        fields = status(run.stdout)
        assert all(int(fields[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")), run
        assert fields["NoNewPrivs"] == "1" and int(fields["SigBlk"], 16) == int(fields["SigIgn"], 16) == 0, run
        assert fields["NSpid"].split()[-1] in ("1", "2") and fields["Uid"].split()[0] != "0", run
    else:
        # Where the loader of the command itself lacks memory or descriptors, 127 is the loader's own.
        assert run.status in (125, 126, 127) and "CapInh" not in run.stdout, run
        assert run.stderr != "", run


def limited(caller, words, spec=None, command=("/bin/cat", "/proc/self/status")):
    argv, _ = caller.line(spec, command)
    return caller.finish(caller.popen(["/usr/bin/prlimit", *words, *argv]), timeout=5)


@pytest.mark.parametrize("limit", range(3, 21))
def test_t37_l5_few_descriptors(caller, limit):
    run = limited(caller, [f"--nofile={limit}"])
    confined(run)
    if run.status == 125:
        assert "EMFILE" in run.stderr, run


@pytest.mark.parametrize("size", [1, 2, 4, 6, 8, 12, 16, 24, 32, 64, 128])
def test_t37_l5_little_memory(caller, size):
    argv, _ = caller.line(None, ["/bin/cat", "/proc/self/status"])
    run = caller.finish(caller.popen(["/usr/bin/prlimit", f"--as={size << 20}", *argv]), timeout=5)
    # The kernel itself may be unable to start the program: a signal then, before main.
    if run.status in (0, 125):
        confined(run)
    else:
        assert "CapInh" not in run.stdout, run


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_l5_few_processes(user, limit):
    needs(os.getuid() == 0, "count processes of a user nobody else is")
    argv, path = user.line(None, ["/bin/cat", "/proc/self/status"])
    process = user.popen(["/usr/bin/prlimit", f"--nproc={limit}", *argv], user=54322, group=54322, extra_groups=[])
    run = user.finish(process, timeout=5)
    confined(run)


def test_l5_no_file_may_grow(caller):
    confined(limited(caller, ["--fsize=0"]))


# System calls that are not there, one at a time

@pytest.mark.parametrize("errno", [1, 38])
@pytest.mark.parametrize("call", [
    "openat2", "close_range", "clone3", "mount_setattr", "open_tree", "move_mount", "fsopen", "fsmount", "pivot_root", "mount",
    "prctl", "capset", "setgroups", "setresuid", "setresgid", "unshare", "pidfd_open", "keyctl", "prlimit64", "umount2", "socket",
])
def test_t43_c11_c55_a_call_that_is_refused_does_not_weaken_the_jail(caller, compiled, call, errno):
    caller.wrapper = (compiled("shim"), f"{call}={errno}", "--")
    confined(caller.run(None, "/bin/cat", "/proc/self/status"))


@pytest.mark.parametrize("calls", [["openat2=38"], ["close_range=38"], ["openat2=38", "close_range=38"]])
def test_c11_without_openat2_and_close_range_the_jail_is_the_same(caller, compiled, calls):
    def strip(facts):
        lines = [line.split(" ", 3)[3].partition(" - ")[0] for line in facts.mounts.lines]
        return lines, facts["uid"], facts["fds"].keys(), facts.environ, facts["root"]

    spec = '[filesystem]\nro = ["/var/lib"]\nhide = ["/etc/ssl"]\n[[mount]]\ntarget = "/opt/a/b"\ntype = "tmpfs"'
    plain = caller.facts(spec)
    caller.wrapper = (compiled("shim"), *calls, "--")
    assert strip(caller.facts(spec)) == strip(plain)


# User namespaces

def test_user_namespaces_refused_by_a_filter_are_hinted_at(user, compiled):
    user.wrapper = (compiled("shim"), "userns=1", "--")
    run = user.run(None, "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "EPERM" in run.stderr and HINT.search(run.stderr), run
    assert "user namespace" in run.stderr


def test_no_user_namespaces_left_is_told_apart(user):
    # The limit belongs to a user namespace of our own: the host's is not touched.
    argv, _ = user.line(None, ["/bin/echo", "ran"])
    words = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    run = user.finish(user.popen(["unshare", "-Ur", "/bin/sh", "-c", words, "sh", *argv]))
    assert run.status == 125 and run.stdout == "" and "ENOSPC" in run.stderr and HINT.search(run.stderr), run
    assert "max_user_namespaces" in run.stderr


@pytest.mark.parametrize("kind", ["mnt", "pid", "net", "uts", "ipc", "cgroup"])
def test_no_other_namespaces_left_is_told_apart(user, kind):
    argv, _ = user.line(None, ["/bin/echo", "ran"])
    words = f'echo 0 > /proc/sys/user/max_{kind}_namespaces && exec "$@"'
    run = user.finish(user.popen(["unshare", "-Ur", "/bin/sh", "-c", words, "sh", *argv]))
    assert run.status == 125 and run.stdout == "" and "ENOSPC" in run.stderr and HINT.search(run.stderr), run
    assert f"max_{kind}_namespaces" in run.stderr


def test_a_chroot_is_told_apart(root):
    # unshare(CLONE_NEWUSER) in a chroot is EPERM, user_namespaces(7).
    needs(shutil.which("chroot"), "chroot")
    place = root.directory()
    linux.mount("/", place, flags=linux.MS_BIND | linux.MS_REC)
    linux.mount("none", place, flags=linux.MS_REC | linux.MS_PRIVATE)
    try:
        argv, _ = root.line(None, ["/bin/echo", "ran"])
        run = root.finish(root.popen(["chroot", place, *argv]))
        assert run.status == 125 and "EPERM" in run.stderr and HINT.search(run.stderr) and "chroot" in run.stderr, run
    finally:
        linux.umount(place)


def test_a_covered_proc_is_told_apart(user):
    needs(os.getuid() == 0, "cover a part of /proc")
    # A container's masks make every new proc mount EPERM ("mount too revealing"), for whoever is not the first root.
    argv, _ = user.line(None, ["/bin/echo", "ran"])
    words = f'mount -t tmpfs tmpfs /proc/scsi 2>/dev/null || mount -t tmpfs tmpfs /proc/fs || exit 77; exec setpriv --reuid {user.uid} --regid {user.gid} --clear-groups "$@"'
    process = user.popen(["unshare", "-m", "--propagation", "private", "/bin/sh", "-c", words, "sh", *argv], user=0, group=0)
    run = user.finish(process)
    needs(run.status != 77, "cover a part of /proc")
    assert run.status == 125 and run.stdout == "" and "proc" in run.stderr and "EPERM" in run.stderr and HINT.search(run.stderr), run


# newuidmap

AUTO = '\n[identity]\nuser = 0\ngroup = 0\nuid_map = "auto"\ngid_map = "auto"\n'


def test_no_newuidmap_is_told_apart(user):
    run = user.run(AUTO, "/bin/echo", "ran", env={"PATH": "/nowhere"})
    # Looked for where it belongs whatever PATH says, or named as missing.
    assert run.status == 0 or run.status == 125 and "newuidmap" in run.stderr and "uidmap" in run.stderr and HINT.search(run.stderr), run


def test_a_newuidmap_of_the_callers_path_is_no_danger_to_root(root):
    place = root.directory()
    root.file(place / "newuidmap", "#!/bin/sh\ntouch " + str(place / "ran"), mode=0o755)
    root.run(AUTO, "/bin/true", env={"PATH": f"{place}:/usr/bin:/bin"})
    assert not (place / "ran").exists()


# The command

def test_a_missing_interpreter_is_told_apart(caller):
    spec = '[[mount]]\ntarget = "/opt/script"\ntype = "file"\nmode = "755"\ncontent = "#!/no/such/interpreter\\n"'
    run = caller.run(spec, "/opt/script")
    assert run.status == 126 and "ENOENT" in run.stderr and "/no/such/interpreter" in run.stderr, run


def test_a_missing_loader_is_told_apart(caller):
    spec = '[filesystem]\nroot = "empty"\nro = ["/bin/true:/bin/true"]'
    run = caller.run(spec, "/bin/true")
    assert run.status == 126 and "ENOENT" in run.stderr and HINT.search(run.stderr) and "ld-linux" in run.stderr, run


def test_a_noexec_mount_is_told_apart(caller):
    spec = '[[mount]]\ntarget = "/opt/x"\ntype = "bind"\nsource = "/usr/bin"\noptions = ["ro", "noexec"]'
    run = caller.run(spec, "/opt/x/true")
    assert run.status == 126 and "EACCES" in run.stderr and "noexec" in run.stderr and HINT.search(run.stderr), run


# Every cause by its words

WORDS = {
    "a missing source": ('[filesystem]\nro = ["/no/such/place:/opt/x"]', 3, ["/no/such/place", "ENOENT"], True),
    "a missing root": ('[filesystem]\nroot = "/no/such/tree"', 3, ["/no/such/tree", "ENOENT"], False),
    "a missing cwd": ('cwd = "/no/such/cwd"', 2, ["/no/such/cwd", "ENOENT"], False),
    "a namespace that is gone": ('[namespaces]\nnet = "/proc/999999999/ns/net"', 3, ["/proc/999999999/ns/net", "ENOENT"], False),
    "a file that is no namespace": ('[namespaces]\nnet = "/etc/passwd"', 3, ["/etc/passwd"], False),
    "a descriptor that is not open": ("[process]\nfds = [55]", 3, ["55", "EBADF"], False),
    "no such user": ('[identity]\nuser = "no-such-user"', 3, ["no-such-user"], False),
}


@pytest.mark.parametrize("name", WORDS)
def test_an_error_names_line_call_errno_and_cause(caller, name):
    text, line, words, hinted = WORDS[name]
    run = caller.run("\n" + text, "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "", run
    assert re.search(rf"spec\.toml:{line}:\d+: \S", run.stderr), run
    for word in words:
        assert word in run.stderr, run
    assert HINT.search(run.stderr) or not hinted, run
    first = run.stderr.splitlines()[0]
    assert first.startswith("immure: ") and not first.endswith("."), run


@pytest.mark.parametrize("text, line", [('[namespaces]\nuser = "host"', 3), ('[identity]\nuser = 0\nuid_map = [{ inside = 0, outside = 0, count = 1 }]', 4)])
def test_a_lack_of_privilege_names_its_line_and_a_remedy(user, text, line):
    run = user.run("\n" + text, "/bin/echo", "ran")
    assert run.status == 125 and "EPERM" in run.stderr and re.search(rf"spec\.toml:{line}:\d+: ", run.stderr) and HINT.search(run.stderr), run


def test_a_file_target_on_a_directory_names_its_line(caller):
    run = caller.run('\n[filesystem]\nro = ["/etc/hostname:/usr/share"]', "/bin/echo", "ran")
    assert run.status == 125 and re.search(r"spec\.toml:3:\d+: ", run.stderr) and "ENOTDIR" in run.stderr or "EISDIR" in run.stderr, run


@pytest.mark.parametrize("place", ["cwd", "tmp"])
def test_l4_a_full_disk_does_no_harm(caller, place):
    needs(os.getuid() == 0, "mount a small file system")
    full = caller.directory()
    linux.mount("tmpfs", full, "tmpfs", data="size=4k,nr_inodes=2,mode=1777")
    try:
        (full / "filler").write_bytes(b"x" * 4096)
        confined(caller.run(None, "/bin/cat", "/proc/self/status", cwd=full, env={"TMPDIR": str(full)}))
        result = caller.run(None, "/bin/echo", "ran", options=["--result", str(full / "result")])
        assert result.status == 125 and "ENOSPC" in result.stderr
    finally:
        linux.umount(full)


def test_l6_no_proc_on_the_host(root):
    words = 'umount -l /proc && exec "$@"'
    argv, _ = root.line(None, ["/bin/cat", "/proc/self/status"])
    run = root.finish(root.popen(["unshare", "-m", "--propagation", "private", "/bin/sh", "-c", words, "sh", *argv]))
    confined(run)
    assert os.path.exists("/proc/self/status")


def test_l6_no_dev_on_the_host(root):
    words = 'mount -t tmpfs tmpfs /dev && exec "$@"'
    argv, _ = root.line(None, ["/bin/cat", "/proc/self/status"])
    run = root.finish(root.popen(["unshare", "-m", "--propagation", "private", "/bin/sh", "-c", words, "sh", *argv]))
    confined(run)


def test_l6_a_read_only_host(root):
    words = 'mount -o remount,bind,ro / && exec "$@"'
    argv, _ = root.line(None, ["/bin/cat", "/proc/self/status"])
    run = root.finish(root.popen(["unshare", "-m", "--propagation", "private", "/bin/sh", "-c", words, "sh", *argv]))
    assert run.status == 0, run
    confined(run)


def test_no_hang_when_the_reader_of_errors_is_gone(caller):
    process = caller.start('[filesystem]\nro = ["/no/such/place:/opt/x"]', "/bin/true")
    process.stderr.close()
    process.stderr = None
    assert process.wait(5) in (125, -13, 141)
    process.stdout.close()
