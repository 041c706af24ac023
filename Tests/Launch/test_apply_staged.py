"""`immure apply` has many files on the disk by one wait: what that leaves where it is killed, or fails, in the midst."""

import os
import re
import shutil

import pytest

from harness.tree import files
from test_changes import diff, spec_of

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")

NAMES = [f"f{n}" for n in range(9)]
SCRIPT = "cd /src && for f in f*; do echo new >$f; done && rm -r d && mkdir d && echo new >d/n && mkdir -p a/b && echo new >a/b/c && ln a/b/c a/second && rm gone"


@pytest.fixture
def changed(caller):
    """A lower of which much was changed, a spec, and what the lower has to become."""
    lower, place = caller.directory(), caller.directory()
    for name in [*NAMES, "gone", "kept"]:
        caller.file(lower / name, "old\n")
    (lower / "d").mkdir()
    caller.file(lower / "d/x", "old\n")
    caller.file(lower / "d/y", "old\n")
    for path in [lower, *lower.rglob("*")]:
        caller.own(path)
    spec = spec_of(caller, place, lower)
    caller.shell(spec, SCRIPT).ok
    wanted = {*NAMES, "kept", "d", "d/n", "a", "a/b", "a/b/c", "a/second"}
    return lower, place, spec, wanted


def traced(caller, spec, *words):
    caller.wrapper = ("strace", "-f", "-o", "/dev/null", *words)
    try:
        return caller.verb("apply", str(spec))
    finally:
        caller.wrapper = ()


def finished(caller, lower, place, spec, wanted):
    run = caller.verb("apply", str(spec))
    assert run.status == 0, run
    found = files(lower)
    assert set(found) == wanted
    assert {content for name, (_, content) in found.items() if content is not None and name != "kept"} == {b"new\n"}
    assert found["kept"][1] == b"old\n" and (lower / "a/second").stat().st_ino == (lower / "a/b/c").stat().st_ino
    assert os.listdir(place / "changes") == [] and diff(caller, spec, status=0) == ""


# After the record, while files are staged, before they are on the disk, between two names, before the last wait.
POINTS = [("copy_file_range", 6), ("syncfs", 1), ("renameat", 3), ("renameat", 8), ("syncfs", 2), ("syncfs", 3), ("unlinkat", 1)]


@pytest.mark.parametrize("call, number", POINTS)
def test_what_a_killed_apply_has_staged_is_finished_by_the_next(caller, changed, call, number):
    lower, place, spec, wanted = changed
    run = traced(caller, spec, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
    assert run.status in (0, -9, 137), run
    for name in NAMES:
        assert (lower / name).read_text() in ("old\n", "new\n")
    if (call, number) == ("syncfs", 1):
        # Nothing has its name before it is on the disk.
        assert {(lower / name).read_text() for name in NAMES} == {"old\n"} and run.status != 0, run
    finished(caller, lower, place, spec, wanted)


@pytest.mark.parametrize("call, error, number", [("copy_file_range", "ENOSPC", 5), ("syncfs", "EIO", 1), ("renameat", "ENOSPC", 4)])
def test_what_was_whole_before_a_failure_has_its_name(caller, changed, call, error, number):
    lower, place, spec, wanted = changed
    run = traced(caller, spec, "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}")
    assert run.status == 125 and call in run.stderr and error in run.stderr, run
    if call == "copy_file_range":
        assert "new\n" in {(lower / name).read_text() for name in NAMES} or (lower / "a/b/c").read_text() == "new\n"
    if call == "syncfs":
        assert {(lower / name).read_text() for name in NAMES} == {"old\n"}
    finished(caller, lower, place, spec, wanted)


def test_a_name_that_cannot_be_had_keeps_no_other_from_its_own(caller):
    lower, place = caller.directory(), caller.directory()
    for name in NAMES:
        caller.file(lower / name, "old\n")
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "cd /src && for f in f*; do echo new >$f; done").ok
    # The first is the record's.
    run = traced(caller, spec, "-e", "trace=renameat", "-e", "inject=renameat:error=EBUSY:when=3")
    assert run.status == 125 and "renameat: EBUSY" in run.stderr, run
    assert sorted((lower / name).read_text() for name in NAMES) == ["new\n"] * (len(NAMES) - 1) + ["old\n"]
    assert caller.verb("apply", str(spec)).status == 0 and {(lower / name).read_text() for name in NAMES} == {"new\n"}


def test_a_thousand_files_wait_for_the_disk_a_few_times(caller):
    lower, place = caller.directory(), caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "cd /src && for n in $(seq 1000); do echo $n >$n; done").ok
    caller.wrapper = ("strace", "-f", "-o", str(place / "calls"), "-e", "trace=fsync,fdatasync,syncfs,sync")
    try:
        assert caller.verb("apply", str(spec)).status == 0
    finally:
        caller.wrapper = ()
    waits = re.findall(r"^\d+ +(?:fsync|fdatasync|syncfs|sync)\(", (place / "calls").read_text(), re.M)
    assert 2 <= len(waits) <= 20, waits
    assert len(os.listdir(lower)) == 1000
