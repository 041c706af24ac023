"""`immure apply` brings nothing back that the original has deleted since the launch, and takes no work of its own for that."""

import os
import shutil

import pytest

from test_changes import changing, diff

DELETED = "deleted in the original since the launch"
UNKNOWN = "it cannot be known whether the original had, and has deleted since the launch"


@pytest.fixture
def place(caller):
    return changing(caller)


def told(run):
    return [line for line in run.stderr.splitlines() if line]


@pytest.mark.parametrize("script", ["echo two >>a", "chmod 600 a", "echo two >>a; echo more >n; echo 1 >>d/x", "ln a b; echo 1 >>d/x; rm b", "mv a t; mv t a; echo >>a"])
def test_a_file_that_was_deleted_is_a_conflict(caller, place, script):
    lower, changed = place
    spec = changed(script)
    (lower / "a").unlink()
    for options in (["--check"], []):
        run = caller.verb("apply", spec, *options)
        assert run.status == 1 and f"conflict: a: {DELETED}" in run.stderr and not (lower / "a").exists(), run
    assert caller.verb("apply", spec, "--skip-conflicts").status == 0 and not (lower / "a").exists()
    assert caller.verb("apply", spec, "--force").status == 0 and (lower / "a").exists()
    assert diff(caller, spec, status=0) == ""


def test_a_deletion_beside_one_of_the_jails(caller, place):
    """What an ordinary user's copy is a copy of overlayfs does not note: it may be what the jail has renamed."""
    lower, changed = place
    spec = changed("echo two >>a; rm d/x")
    (lower / "a").unlink()
    run = caller.verb("apply", spec, "--check")
    wanted = (1, f"conflict: a: {DELETED}") if caller.is_root else (0, f"{UNKNOWN}: a")
    assert run.status == wanted[0] and wanted[1] in run.stderr, run


def test_a_file_that_was_renamed_in_the_original_is_a_conflict(caller, place):
    lower, changed = place
    spec = changed("echo two >>d/x")
    (lower / "d/x").rename(lower / "e/x")
    run = caller.verb("apply", spec)
    assert run.status == 1 and told(run) == [f"conflict: d/x: {DELETED}"] and not (lower / "d/x").exists(), run


def test_a_tree_that_was_deleted_is_one_conflict(caller, place):
    lower, changed = place
    spec = changed("echo new >e/f/new; echo top >top")
    shutil.rmtree(lower / "e")
    run = caller.verb("apply", spec)
    assert run.status == 1 and [line for line in told(run) if "conflict" in line][0] == f"conflict: e: {DELETED}", run
    assert not (lower / "e").exists() and not (lower / "top").exists()
    run = caller.verb("apply", spec, "--skip-conflicts")
    assert run.status == 0 and not (lower / "e").exists() and (lower / "top").exists(), run
    assert caller.verb("apply", spec, "--force").status == 0 and (lower / "e/f/new").exists()


@pytest.mark.parametrize("script, there", [
    ("mv a b", ["b"]), ("mv a b; echo new >a", ["a", "b"]), ("mv a d/z", ["d/z"]), ("ln a b", ["b"]), ("mv d/x b; rm -r d", ["b"]),
    ("mv d/x b; rm -r d; mkdir d; echo 1 >d/n", ["b", "d/n"]), ("mkdir n; mv a n/a; mv n/a n/b", ["n/b"]),
])
def test_what_the_jail_has_renamed_was_not_deleted(caller, place, script, there):
    """Though names have come and gone in the directory that it is in."""
    lower, changed = place
    caller.file(lower / "other", "1")
    spec = changed(script)
    (lower / "other").unlink()
    run = caller.verb("apply", spec)
    assert run.status == 0 and DELETED not in run.stderr and all((lower / name).exists() for name in there), run
    assert diff(caller, spec, status=0) == ""


def test_what_both_have_taken_away_is_said_not_to_be_known(caller, place):
    lower, changed = place
    spec = changed("mv a b")
    (lower / "a").unlink()
    run = caller.verb("apply", spec, "--check")
    assert run.status == 0 and f"{UNKNOWN}: b" in run.stderr, run


def test_what_was_made_anew_over_an_original_is_said_not_to_be_known(caller, place):
    lower, changed = place
    spec = changed("echo new >t; mv t a; mkdir n; echo 1 >n/1")
    (lower / "a").unlink()
    run = caller.verb("apply", spec, "--check")
    assert run.status == 0 and f"{UNKNOWN}: a, n" in run.stderr and "n/1" not in run.stderr, run


@pytest.mark.parametrize("first", ["a", "d"])
def test_a_part_that_was_applied_was_not_deleted_by_anybody(caller, place, first):
    lower, changed = place
    spec = changed("mv a b; mv d/x c; rm -r d; mkdir d; echo 1 >d/n")
    assert caller.verb("apply", spec, "--", first).status == 0
    run = caller.verb("apply", spec)
    assert run.status == 0 and DELETED not in run.stderr and diff(caller, spec, status=0) == "", run
    assert sorted(os.listdir(lower)) == ["b", "c", "d", "e"] and os.listdir(lower / "d") == ["n"]


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("call, number", [("renameat", 1), ("renameat", 2), ("renameat", 4), ("unlinkat", 1), ("unlinkat", 2), ("unlinkat", 4)])
def test_a_killed_apply_takes_none_of_its_work_for_a_deletion(caller, place, call, number):
    lower, changed = place
    spec = changed("mv a b; echo new >a; mv d/x a2; mv d/y d/z; rm e/f/g; echo 1 >>a2")
    caller.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
    try:
        run = caller.verb("apply", spec)
    finally:
        caller.wrapper = ()
    assert run.status in (0, -9, 137), run
    run = caller.verb("apply", spec)
    assert run.status == 0 and "conflict" not in run.stderr and diff(caller, spec, status=0) == "", run
    assert sorted(os.listdir(lower)) == ["a", "a2", "b", "d", "e"] and os.listdir(lower / "d") == ["z"]


def test_a_name_that_is_deleted_while_an_apply_waits_to_be_finished_is_a_conflict(caller, place):
    lower, changed = place
    spec = changed("echo two >>a; echo two >>d/x")
    caller.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", "trace=renameat,syncfs", "-e", "inject=syncfs:signal=KILL:when=1")
    try:
        assert caller.verb("apply", spec).status in (-9, 137)
    finally:
        caller.wrapper = ()
    (lower / "d/x").unlink()
    run = caller.verb("apply", spec)
    assert run.status == 1 and f"conflict: d/x: {DELETED}" in run.stderr, run
