"""What the environment refuses: full confinement or 125 with the cause, never a hang, never something weaker (T37, L5)."""

import os

import pytest

from harness import linux
from harness.facts import status
from harness.must import needs
from harness.patience import patient


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
def test_l5_few_processes(user, stranger, limit):
    needs(os.getuid() == 0, "count processes of a user nobody else is")
    argv, path = user.line(None, ["/bin/cat", "/proc/self/status"])
    process = user.popen(["/usr/bin/prlimit", f"--nproc={limit}", *argv], user=stranger, group=stranger, extra_groups=[])
    run = user.finish(process, timeout=5)
    confined(run)


def test_l5_no_file_may_grow(caller):
    confined(limited(caller, ["--fsize=0"]))


# System calls that are not there, one at a time


@pytest.mark.parametrize("errno", [1, 38])
@pytest.mark.parametrize(
    "call",
    [
        "openat2",
        "close_range",
        "clone3",
        "mount_setattr",
        "open_tree",
        "move_mount",
        "fsopen",
        "fsmount",
        "pivot_root",
        "mount",
        "prctl",
        "capset",
        "setgroups",
        "setresuid",
        "setresgid",
        "unshare",
        "pidfd_open",
        "keyctl",
        "prlimit64",
        "umount2",
        "socket",
    ],
)
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
    assert process.wait(patient(5)) in (125, -13, 141)
    process.stdout.close()
