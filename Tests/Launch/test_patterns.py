"""Patterns in ro, rw, hide and devices: what they match as the jail is launched."""

import os
import time

import pytest

from harness.patience import patient


@pytest.fixture
def place(caller):
    place = caller.open_directory()
    for name in ("a.txt", "b.txt", "c.key", ".hidden.txt"):
        caller.file(place / name, name)
    for name in ("sub", "sub/deep", ".dot"):
        (place / name).mkdir()
        caller.own(place / name)
    for name in ("sub/d.key", "sub/deep/e.key", ".dot/f.key"):
        caller.file(place / name, "secret")
    return place


def found(caller, place, spec):
    return caller.shell(spec, f"cd {place} 2>/dev/null && find . -type f | sort").ok.stdout.split()


def test_a_directory_that_only_opens_known_names_is_no_empty_one(user, root):
    """Mode 0711: the names cannot be listed, but the command opens the one that it guesses."""
    place = root.open_directory()
    for name, mode in (("listed", 0o755), ("searched", 0o711), ("closed", 0o700)):
        (place / name).mkdir()
        (place / name / "a.key").write_text("secret")
        (place / name / "a.key").chmod(0o644)
        (place / name).chmod(mode)
    place.chmod(0o755)
    spec = 'filesystem = {{ ro = ["{0}:/src"], hide = ["/src/[l{1}]*/*.key"] }}'
    assert user.shell(spec.format(place, "l"), "cat /src/listed/a.key").stdout == ""
    refused = user.shell(spec.format(place, "s"), "cat /src/searched/a.key")
    assert (refused.status, refused.stdout) == (125, "") and "openat /src/searched: EACCES" in refused.stderr
    # Closed to the command as to the caller.
    assert "secret" not in user.shell(spec.format(place, "c"), "cat /src/closed/a.key").stdout


@pytest.mark.parametrize("pattern, names", [
    ("*.txt", ["./a.txt", "./b.txt"]), ("[ab].txt", ["./a.txt", "./b.txt"]), ("?.key", ["./c.key"]),
    ("**/*.key", ["./.dot/f.key", "./c.key", "./sub/d.key", "./sub/deep/e.key"]), ("s*/*.key", ["./sub/d.key"]),
    (".*.txt", ["./.hidden.txt"]), ("sub/**", ["./sub/d.key", "./sub/deep/e.key"]), ("s*", ["./sub/d.key", "./sub/deep/e.key"]),
])
@pytest.mark.parametrize("key", ["ro", "rw"])
def test_each_match_is_shown_and_nothing_else(caller, place, key, pattern, names):
    assert found(caller, place, f'filesystem.{key} = ["{place}/{pattern}"]') == names


def test_the_flags_of_the_line_hold(caller, place):
    mounts = caller.facts(f'filesystem = {{ ro = ["{place}/*.txt"], rw = ["{place}/*.key"] }}').mounts
    assert "ro" in mounts[f"{place}/a.txt"] and "rw" in mounts[f"{place}/c.key"]


def test_hidden_by_pattern(caller, place):
    spec = f'filesystem = {{ rw = ["{place}:/src"], hide = ["/src/**/*.key"] }}'
    run = caller.shell(spec, "cat /src/a.txt; cat /src/c.key /src/sub/d.key /src/sub/deep/e.key /src/.dot/f.key")
    assert run.stdout == "a.txt" and "secret" not in run.stdout


def test_hidden_below_several_mounts(caller, place):
    other = caller.directory()
    caller.file(other / "g.key", "secret")
    spec = f'filesystem = {{ ro = ["{place}:/src", "{other}:/src/sub/deep"], hide = ["/src/sub/**/*.key"] }}'
    run = caller.shell(spec, "cat /src/sub/d.key /src/sub/deep/g.key; find /src/sub | sort")
    assert "secret" not in run.stdout and "/src/sub/deep/g.key" in run.stdout


def test_hidden_in_what_a_pattern_shows(caller, place):
    spec = (f'filesystem = {{ ro = ["{place}/*.txt", "{place}/s*"], '
            f'hide = ["{place}/b.*", "{place}/**/*.key"] }}')
    run = caller.shell(spec, f"cd {place}; cat a.txt; cat b.txt c.key sub/d.key sub/deep/e.key; find . | sort")
    assert run.stdout.startswith("a.txt") and "b.txt" not in run.stdout.splitlines()[0]
    assert "secret" not in run.stdout and "./sub/deep/e.key" in run.stdout, "covered where its directory is shown"


def test_what_is_hidden_by_name_is_not_shown_by_a_pattern(caller, place):
    spec = (f'filesystem.ro = ["{place}/*/*.key", "{place}/*.txt"]\n'
            f'[[mount]]\ntarget = "{place}/sub"\ntype = "hide"\noptional = true\n')
    run = caller.shell(spec, f"cat {place}/a.txt; cat {place}/sub/d.key")
    assert run.stdout == "a.txt"


def test_hidden_in_the_jails_own_proc(caller):
    """The names that tell of the host are the same in each /proc; those of processes are not looked for."""
    names = "cat /proc/sys/kernel/ostype /proc/sys/kernel/osrelease"
    assert "Linux" in caller.shell("", names).ok.stdout
    run = caller.shell('filesystem.hide = ["/proc/sys/kernel/os*"]', names + "; cat /proc/sys/kernel/pid_max; cat /proc/uptime")
    assert "Linux" not in run.stdout and len(run.stdout.splitlines()) == 2
    refused = caller.shell('filesystem.hide = ["/proc/*/status"]', "echo ran")
    assert refused.status == 125 and "nothing matches the pattern" in refused.stderr


def test_hidden_in_the_system(caller):
    names = [name for name in os.listdir("/etc") if name.startswith("pass")]
    assert "passwd" in names
    run = caller.shell('filesystem.hide = ["/etc/pass*"]', "cat /etc/passwd; cat /etc/group | head -1")
    assert run.stdout.startswith("root:x:0") and run.stdout.count("\n") == 1


@pytest.mark.parametrize("key", ["ro", "rw", "hide", "devices"])
def test_at_least_one_match(caller, place, key):
    run = caller.shell(f'filesystem.{key} = ["{place}/nothing*"]', "echo ran")
    assert run.status == 125 and "nothing matches the pattern" in run.stderr and "ran" not in run.stdout


def test_no_link_is_followed(caller, place):
    outside = caller.directory()
    caller.file(outside / "x.key", "secret")
    os.symlink(outside, place / "link")
    assert found(caller, place, f'filesystem.ro = ["{place}/**/*.key"]') == [
        "./.dot/f.key", "./c.key", "./sub/d.key", "./sub/deep/e.key"]
    run = caller.shell(f'filesystem.ro = ["{place}/li*/x.key"]', "true")
    assert run.status == 125 and "nothing matches" in run.stderr


def test_a_name_with_odd_characters_by_a_variable_is_itself(caller):
    place = caller.base / "odd[1]*"
    place.mkdir()
    caller.own(place)
    caller.file(place / "f", "x")
    run = caller.shell('filesystem.ro = ["${PWD}"]\ncwd = "${PWD}"', "cat f", cwd=place)
    assert run.ok.stdout == "x"
    run = caller.run('filesystem.ro = ["${PWD}/?"]', "/bin/cat", f"{place}/f", cwd=place)
    assert run.ok.stdout == "x"


def test_devices(root):
    run = root.shell('filesystem.devices = ["/dev/nul[l]", "/dev/urando?"]', "head -c 4 /dev/urandom | wc -c")
    assert run.ok.stdout.strip() == "4"


def test_plan_and_score_know_them(caller, place):
    spec = caller.spec(f'command = ["true"]\nfilesystem.ro = ["{place}/*.txt"]')
    plan = caller.verb("plan", spec).ok.stdout
    assert f"{place}/a.txt" in plan and f"{place}/b.txt" in plan
    assert caller.verb("check", spec).ok


def test_more_than_can_be_mounted_is_refused_in_time(caller):
    """A jail that may write makes as many names as it likes."""
    place = caller.open_directory()
    for number in range(4200):
        (place / f"d{number}").mkdir()
    begin = time.monotonic()
    run = caller.shell(f'[filesystem]\nrw = ["{place}:/w"]\nhide = ["/w/*"]\n', "echo ran")
    assert run.status == 125 and run.stdout == "" and "E2BIG" in run.stderr and time.monotonic() - begin < patient(5), run
