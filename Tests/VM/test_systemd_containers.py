"""Jails within containers of systemd-nspawn's default confinement, with one option more."""

import os
import shutil
import subprocess

import pytest

from harness.facts import SOURCE, Facts
from harness.tree import LINKS
from systemd import version

USERS = "--private-users=100000:65536"
NESTED = ("--set", "namespaces.nested=true", "--set", 'process.keyring="inherit"')
PYTHON = ["/usr/bin/python3", "-I", "-S", "-c", SOURCE]
#: From 257 on nspawn covers files of /proc, and leaves no whole one to make another by.
WITHOUT = ("--set", "filesystem.proc=false") if version() >= 257 else ()
#: What a program finds out about itself without /proc: ids, capget(2), PR_GET_NO_NEW_PRIVS and PR_GET_SECCOMP of prctl(2).
LOOK = """
import ctypes, os
libc = ctypes.CDLL(None)
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert libc.capget(header, data) == 0
print(os.getresuid(), list(data), libc.prctl(39, 0, 0, 0, 0), libc.prctl(21, 0, 0, 0, 0), os.listdir("/proc") if os.path.exists("/proc") else [])
"""


@pytest.fixture
def nspawn(binary, tmp_path):
    """Starts the binary in a container whose tree has the guest's /usr."""
    assert shutil.which("systemd-nspawn")
    for name in ("usr", "etc", "dev", "proc", "sys", "tmp", "var", "run", "opt"):
        (tmp_path / name).mkdir()
    for name in LINKS:
        (tmp_path / name).symlink_to("usr/" + name)
    line = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--link-journal=no", f"--directory={tmp_path}"]
    line += ["--as-pid2", "--pipe", "--bind-ro=/usr", f"--bind-ro={binary}:/opt/immure"]

    def start(options, *words):
        run = subprocess.run([*line, *options, "/opt/immure", "run", *words], capture_output=True, text=True, timeout=60)
        assert "Failed to" not in run.stderr, run
        return run

    for place in (tmp_path, *tmp_path.parents):
        if place.owner() == "root" and place != place.parent:
            os.chmod(place, place.stat().st_mode | 0o055)
    return start


def test_inside_nspawn_a_jail_is_whole_where_the_spec_fits(nspawn):
    """nspawn keeps /proc/sys read-only and refuses keyctl(2): a spec that goes without both runs, confined."""
    if WITHOUT:
        run = nspawn([USERS], *NESTED, *WITHOUT, "--", "/usr/bin/python3", "-I", "-S", "-c", LOOK)
        assert run.stdout.split("\n")[0].strip() == "(65534, 65534, 65534) [0, 0, 0, 0, 0, 0] 1 2 []", run
        return
    run = nspawn([USERS], *NESTED, "--", *PYTHON)
    assert run.returncode == 0, run
    facts = Facts(run.stdout.replace("\r", ""))
    assert set(facts.capabilities.values()) == {0} and facts["status"]["NoNewPrivs"] == "1"
    assert facts["uid"] == [65534] * 3 and set(facts.fds) <= {0, 1, 2, 3}


@pytest.mark.parametrize(
    "options, words, hint",
    [
        ([USERS], [], "namespaces.nested = true"),
        ([USERS], (*NESTED[:2], *WITHOUT), "process.keyring"),
        *([([USERS], NESTED, "filesystem.proc = false")] if WITHOUT else []),
        ([USERS, "--drop-capability=all"], [], "CAP_SETFCAP"),
        (["--private-users=no"], [], "namespaces.nested = true"),
    ],
)
def test_what_nspawn_forbids_is_told_with_what_to_change(nspawn, options, words, hint):
    run = nspawn(options, *words, "--", "/bin/echo", "ran")
    assert run.returncode == 125 and "ran" not in run.stdout, run
    assert "hint: " in run.stderr and hint in run.stderr, run
