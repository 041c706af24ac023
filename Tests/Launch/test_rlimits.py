"""[rlimits]: all sixteen, never above the inherited hard limit (C51, T38)."""

import fcntl
import os
import resource

import pytest

from harness.facts import Facts, SOURCE
from harness.caller import PYTHON
from harness.hints import gone, hints, settings
from harness.must import needs

ROWS = {
    "cpu": "Max cpu time",
    "fsize": "Max file size",
    "data": "Max data size",
    "stack": "Max stack size",
    "core": "Max core file size",
    "rss": "Max resident set",
    "nproc": "Max processes",
    "nofile": "Max open files",
    "memlock": "Max locked memory",
    "as": "Max address space",
    "locks": "Max file locks",
    "sigpending": "Max pending signals",
    "msgqueue": "Max msgqueue size",
    "nice": "Max nice priority",
    "rtprio": "Max realtime priority",
    "rttime": "Max realtime timeout",
}
VALUES = {
    "data": "4G:8G",
    "as": "4G:8G",
    "stack": "1M:2M",
    "fsize": "1M:2M",
    "rss": "1M:2M",
    "memlock": "1M:2M",
    "msgqueue": "1000:2000",
}
SIZES = {"1M": 1 << 20, "2M": 2 << 20, "4G": 4 << 30, "8G": 8 << 30}


@pytest.mark.parametrize("name", ROWS)
def test_each_of_the_sixteen_by_its_name(caller, name):
    hard = resource.getrlimit(
        getattr(resource, "RLIMIT_" + name.upper())
        if hasattr(resource, "RLIMIT_" + name.upper())
        else {"locks": 10}[name]
    )[1]
    text = VALUES.get(name, "100:200")
    soft_text, hard_text = text.split(":")
    number = lambda word: SIZES.get(word) or int(word)
    if hard != -1 and number(hard_text) > hard:
        soft_text = hard_text = str(hard)
        text = f"{hard}:{hard}"
    facts = caller.facts(f'[rlimits]\n{name} = "{text}"')
    assert facts.limit(ROWS[name]) == (
        str(number(soft_text) if soft_text != "0" else 0),
        str(number(hard_text) if hard_text != "0" else 0),
    )


def test_a_bare_number_sets_both(caller):
    assert caller.facts("[rlimits]\nnofile = 99").limit("Max open files") == ("99", "99")
    assert caller.facts("[rlimits]\ncore = 0").limit("Max core file size") == ("0", "0")


def test_unlimited_where_the_caller_has_it(caller):
    needs(resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY, "inherit an unlimited file size")
    assert caller.facts('[rlimits]\nfsize = "unlimited"').limit("Max file size") == ("unlimited", "unlimited")
    assert caller.facts('[rlimits]\nfsize = "1G:unlimited"').limit("Max file size") == (str(1 << 30), "unlimited")


def test_what_is_not_named_is_inherited(caller):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert caller.facts().limit("Max open files") == (str(soft), str(hard))


@pytest.mark.parametrize("spec", ["400", '"100:400"', '"unlimited"', '"100:unlimited"'])
def test_t38_c51_a_limit_above_the_inherited_hard_one_is_refused(user, spec):
    argv, path = user.line(f"\n[rlimits]\nnofile = {spec}", ["/bin/echo", "ran"])
    run = user.finish(user.popen(["/bin/sh", "-c", 'ulimit -n 300; exec "$@"', "sh", *argv]))
    assert (
        run.status == 125
        and run.stdout == ""
        and "spec.toml:3" in run.stderr
        and "EPERM" in run.stderr
        and "nofile" in run.stderr
    )


def test_t38_c51_a_lower_inherited_soft_limit_is_kept_unless_asked(caller):
    argv, _ = caller.line("[rlimits]\ncore = 0", [*PYTHON, SOURCE])
    run = caller.finish(caller.popen(["/bin/sh", "-c", 'ulimit -Sn 123; exec "$@"', "sh", *argv]))
    assert Facts(run.ok.stdout).limit("Max open files")[0] == "123"


def test_nofile_beyond_what_the_kernel_allows_is_refused(caller):
    run = caller.run('\n[rlimits]\nnofile = "4000000000"', "/bin/echo", "ran")
    assert run.status == 125 and "EPERM" in run.stderr and "spec.toml:3" in run.stderr


def test_a_tight_limit_of_the_command_does_not_break_the_launch(caller):
    spec = "[rlimits]\nnofile = 8\nfsize = 0\nnproc = 1\ncore = 0\nmemlock = 0\ncpu = 100"
    run = caller.run(spec, "/bin/echo", "ran")
    assert run.status in (0, 125) and run.stdout in ("ran\n", ""), run
    if run.status == 125:
        assert "spec.toml:" in run.stderr


@pytest.mark.parametrize("passed", [False, True])
def test_too_few_descriptors_for_the_launch_are_told_of_their_line(caller, passed):
    """Not of the caller's own limit, which has nothing to do with it; the number that the hint has is enough."""
    high = fcntl.fcntl(0, fcntl.F_DUPFD, 100)
    given = {"pass_fds": (high,)} if passed else {}
    refused = 0
    for number in range(12):
        spec = caller.spec(f"\n[process]\nfds = {[high] if passed else []}\n[rlimits]\nnofile = {number}\n")
        run = caller.run(spec, "/bin/true", **given)
        if run.status == 0:
            continue
        refused += 1
        assert run.status == 125 and f"{spec}:5:10: " in run.stderr and "EMFILE" in run.stderr, (number, run)
        [hint] = hints(run.stderr)
        assert "ulimit" not in hint, hint
        [line] = settings(hint)
        gone(caller.run(spec, "/bin/true", options=line, **given))
    os.close(high)
    assert refused > 0


def test_limits_are_the_commands_and_not_the_launchers(caller):
    place = caller.open_directory()
    run = caller.shell("[rlimits]\nfsize = 0", "exit 4", options=["--result", str(place / "result")])
    assert run.status == 4 and (place / "result").stat().st_size > 0


def test_a_file_size_limit_is_enforced(caller):
    run = caller.shell('[rlimits]\nfsize = "4K"\ncore = 0', "head -c 10000 /dev/zero > /tmp/x; stat -c %s /tmp/x")
    assert run.stdout.strip() == "4096"


def test_a_cpu_limit_ends_the_command(caller):
    run = caller.shell('[rlimits]\ncpu = "1:2"\ncore = 0', "while :; do :; done", timeout=15)
    assert run.status == 128 + 24


@pytest.mark.parametrize("name, sizes", [
    ("as", range(1 << 20, 256 << 20, 1 << 20)), ("data", range(1 << 20, 64 << 20, 1 << 20)), ("stack", range(128 << 10, 4 << 20, 128 << 10))])
def test_less_than_the_launcher_needs_is_told(caller, name, sizes):
    """Below the size of the program the kernel itself ends it, in execve(2). From the first limit under which it begins: a sentence, and from one
    on a launch; never a crash."""
    began, launched = [], []
    for size in sizes:
        caller.wrapper = ("prlimit", f"--{name}={size}")
        run = caller.run(None, "/bin/echo", "ran")
        if run.status in (-11, 139) and not began and not launched or "shared libraries" in run.stderr:
            assert name != "stack" and run.stdout == "" and not launched, run
        elif run.status == 0:
            launched.append(size)
            if len(launched) == 5:
                break
        else:
            assert run.status == 125 and not launched and run.stdout == "", (size, run)
            assert f"RLIMIT_{name.upper()} (`ulimit -" in run.stderr and f"Limit{name.upper()}= of a unit" in run.stderr, (size, run)
            began.append(size)
    assert len(began) >= 3 and len(launched) == 5, (began, launched)


@pytest.mark.parametrize("name, size", [("as", "16M"), ("data", "1M"), ("stack", "64K")])
def test_less_than_that_is_there_for_the_command(caller, name, size):
    number = int(size[:-1]) << (20 if size[-1] == "M" else 10)
    run = caller.run(f'[rlimits]\n{name} = "{size}"', "/bin/sh", "-c", "grep -E 'Max (address space|data size|stack size)' /proc/self/limits")
    assert run.status == 0 and str(number) in run.stdout.split(), run
