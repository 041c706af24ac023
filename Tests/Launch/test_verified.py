"""The launch is verified on kernels that answer less (C35, T43); what is found is in Tests/Attacks/test_fault_faked.py."""

import shutil

import pytest

from harness.must import needs
from harness.toml import toml

# How a kernel before 6.8 has it, and one whose filter hides the one call or the other.
OLD = {"neither": ("statmount=38", "listmount=38"), "no statmount": ("statmount=38",), "refused": ("listmount=1",)}
SPECS = {
    "default": "",
    "mirrored": '[filesystem]\nroot = "host"\nro = ["/etc:/immure-made/deep"]',
    "hidden": '[filesystem]\nhide = ["/etc/ssl", "/etc/passwd"]',
}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("old", OLD)
def test_a_kernel_without_statmount_is_asked_by_mountinfo(caller, compiled, old, name):
    caller.wrapper = (compiled("shim"), *OLD[old], "--")
    assert caller.run(SPECS[name], "/bin/echo", "ran").ok.stdout == "ran\n"


def test_a_mount_that_is_not_closed_is_found_by_mountinfo(caller, compiled):
    needs(shutil.which("strace"), "strace")
    shim = (compiled("shim"), "statmount=38", "listmount=38", "--")
    caught = 0
    for number in range(1, 9):
        strace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=mount_setattr")
        caller.wrapper = (*strace, "-e", f"inject=mount_setattr:retval=0:when={number}", *shim)
        run = caller.run("", "/bin/echo", "ran", timeout=30)
        caught += run.status == 125 and run.stdout == "" and "not in force" in run.stderr
    assert caught >= 6


def test_a_filter_that_lets_nothing_be_read_behind_it_shows_itself(caller):
    # pread64 answers with the errno of the spec; what it kills is not asked, the mode is.
    allowed = """execve read write close exit_group mmap munmap mprotect brk openat newfstatat arch_prctl set_tid_address
        set_robust_list rseq prlimit64 getrandom access futex prctl""".split()
    for action in ("EPERM", "kill"):
        spec = f'[seccomp]\nprofile = "none"\ndefault = "EPERM"\nallow = {toml(allowed)}\n'
        spec += '[[seccomp.rule]]\ncall = "pread64"\naction = "kill"\n' if action == "kill" else ""
        run = caller.run(spec, "/bin/true")
        # The C library's loader reads by pread64 itself: the launch is over by then.
        assert run.status in ((0, 127) if action == "EPERM" else (159, 0)), run
        assert "not in force" not in run.stderr, run
