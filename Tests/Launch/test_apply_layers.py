"""`immure apply` with several lowers: the first gets what was changed, with the directories of those below it that this stands in."""

import os

import pytest

from test_changes import diff, lines
from test_overlay import overlay, writable


@pytest.fixture
def layers(caller):
    """Two lowers, of which the second alone has `d/e` and `d/other`, and a spec over both that a script has changed."""
    first, second, place = caller.directory(), caller.directory(), caller.directory()
    caller.file(first / "a", "a\n")
    for name in ("d", "d/e", "d/other"):
        (second / name).mkdir()
        caller.own(second / name)
    caller.file(second / "d/e/f", "1\n")
    caller.file(second / "d/other/g", "1\n")
    (second / "d").chmod(0o750)
    spec = caller.spec(writable(caller) + overlay([first, second], f'upper = "{place}/changes"\nwork = "{place}/changes.work"'))

    def changed(script):
        caller.shell(spec, f"cd /src && {script}").ok
        return spec

    return first, second, changed


def test_a_change_in_a_directory_of_a_lower_below_is_put_into_the_first(caller, layers):
    first, second, changed = layers
    spec = changed("echo 2 >d/e/f; echo 2 >d/e/n; touch d/other")
    assert lines(caller, spec) == ["M d/e/f", "A d/e/n"]
    run = caller.verb("apply", spec)
    assert run.status == 0 and run.stderr == "", run
    assert sorted(str(path.relative_to(first)) for path in first.rglob("*")) == ["a", "d", "d/e", "d/e/f", "d/e/n"]
    assert (first / "d/e/f").read_text() == (first / "d/e/n").read_text() == "2\n" and (second / "d/e/f").read_text() == "1\n"
    made, there = (first / "d").stat(), (second / "d").stat()
    assert (made.st_mode, made.st_uid, made.st_gid) == (there.st_mode, there.st_uid, there.st_gid)
    assert diff(caller, spec, status=0) == ""


def test_a_part_of_it_and_then_the_rest(caller, layers):
    first, _, changed = layers
    spec = changed("echo 2 >d/e/f; echo 2 >d/other/g; chmod 700 d/other; rm a")
    run = caller.verb("apply", spec, "--", "d/e")
    assert run.status == 0 and (first / "d/e/f").read_text() == "2\n" and not (first / "d/other").exists() and (first / "a").exists(), run
    spec = changed("echo 3 >d/e/n; echo 3 >d/n")
    run = caller.verb("apply", spec)
    assert run.status == 0 and (first / "d/e/n").read_text() == (first / "d/n").read_text() == "3\n", run
    assert (first / "d/other").stat().st_mode & 0o777 == 0o700 and not (first / "a").exists() and diff(caller, spec, status=0) == ""


def test_what_only_a_lower_below_has_lost_makes_no_directory(caller, layers):
    first, _, changed = layers
    spec = changed("rm d/e/f; echo 2 >>a")
    run = caller.verb("apply", spec, "--skip-conflicts")
    assert run.status == 0 and "d/e/f: only a lower below the first has it" in run.stderr and os.listdir(first) == ["a"], run


@pytest.mark.parametrize("caller", ["root"], indirect=True)
def test_a_directory_that_the_first_has_got_meanwhile_is_a_conflict(caller, layers):
    first, _, changed = layers
    spec = changed("echo 2 >d/e/f")
    (first / "d").mkdir()
    caller.own(first / "d")
    run = caller.verb("apply", spec)
    assert run.status == 1 and "conflict: d/e" in run.stderr and os.listdir(first / "d") == [], run
    assert caller.verb("apply", spec, "--force").status == 0 and (first / "d/e/f").read_text() == "2\n"
