"""`immure apply` of a part, and the jail goes on: what the apply itself has done to the original is no conflict, and what is one is said."""

import os
import shutil

import pytest

from test_changes import changing, diff

CHANGED = "changed in the original since the launch"


@pytest.fixture
def place(caller):
    return changing(caller)


@pytest.mark.parametrize("first, path, then, there", [
    ("echo 2 >a; echo 2 >d/x", "a", "echo 3 >a", ["a", "d", "d/x", "d/y", "e", "e/f", "e/f/g"]),
    ("echo 2 >a; echo 2 >d/x", "a", "rm a", ["d", "d/x", "d/y", "e", "e/f", "e/f/g"]),
    ("mkdir out; echo 1 >out/a; echo 1 >out/b", "out/a", "echo 2 >out/b; rm out/a", ["a", "d", "d/x", "d/y", "e", "e/f", "e/f/g", "out", "out/b"]),
    ("mkdir -p o/b/c; echo 1 >o/b/c/f; echo 1 >o/g", "o/b/c/f", "rm -r o/b; mkdir o/b; echo 2 >o/b/z", ["a", "d", "d/x", "d/y", "e", "e/f", "e/f/g", "o", "o/b", "o/b/z", "o/g"]),
    ("rm -r d; mkdir d; echo 3 >d/x; echo 4 >d/z", "d/z", "rm -r d; mkdir d; echo 5 >d/x; echo 6 >d/z", ["a", "d", "d/x", "d/z", "e", "e/f", "e/f/g"]),
    ("ln -s x l; echo 2 >a", "l", "ln -sf y l", ["a", "d", "d/x", "d/y", "e", "e/f", "e/f/g", "l"]),
    ("echo 1 >n; ln n d/n", "n", "echo 2 >n", ["a", "d", "d/n", "d/x", "d/y", "e", "e/f", "e/f/g", "n"]),
])
def test_what_a_part_has_put_in_may_be_changed_again(caller, place, first, path, then, there):
    lower, changed = place
    spec = changed(first)
    assert caller.verb("apply", spec, "--", path).status == 0
    changed(then)
    run = caller.verb("apply", spec)
    assert run.status == 0 and "conflict" not in run.stderr and diff(caller, spec, status=0) == "", run
    assert sorted(str(found.relative_to(lower)) for found in lower.rglob("*")) == sorted(there)


def test_what_the_host_changes_after_the_part_is_a_conflict(caller, place):
    lower, changed = place
    spec = changed("echo 2 >a; mkdir out; echo 1 >out/a; echo 1 >out/b")
    assert caller.verb("apply", spec, "--", "a", "out/a").status == 0
    changed("echo 3 >a; rm -r out")
    (lower / "a").write_text("host\n")
    (lower / "out/a").write_text("host\n")
    run = caller.verb("apply", spec)
    assert run.status == 1 and all(f"conflict: {name}: {CHANGED}" in run.stderr for name in ("a", "out")), run
    assert (lower / "a").read_text() == "host\n" and (lower / "out/a").exists()


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_a_file_with_several_names_that_the_host_changes_after_a_killed_apply_is_a_conflict(caller, place):
    lower, changed = place
    for name in ("h2", "h3"):
        os.link(lower / "a", lower / name)
    spec = changed("echo jail >a; echo jail >h2; rm h3; echo jail >z")
    caller.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", "trace=unlinkat", "-e", "inject=unlinkat:signal=KILL:when=1")
    try:
        assert caller.verb("apply", spec).status in (-9, 137)
    finally:
        caller.wrapper = ()
    run = caller.verb("apply", spec, "--check")
    assert run.status == 0 and "conflict" not in run.stderr, run
    names = [name for name in ("a", "h2", "h3") if (lower / name).read_text() != "jail\n"]
    assert names
    (lower / names[0]).write_text("host\n")
    run = caller.verb("apply", spec)
    assert run.status == 1 and all(f"conflict: {name}: {CHANGED}" in run.stderr for name in names), run
    assert all((lower / name).read_text() == "host\n" for name in names)


def test_a_directory_that_both_have_made_is_said_to_be_that(caller, place):
    lower, changed = place
    spec = changed("mkdir out; echo 1 >out/a; rm -r d; mkdir d; echo 2 >d/g")
    for name in ("out", "d/h"):
        (lower / name).mkdir()
        caller.own(lower / name)
    run = caller.verb("apply", spec)
    assert run.status == 1 and "cannot be known" not in run.stderr, run
    assert "conflict: out/a: the original has a directory there, and the jail has made one of its own" in run.stderr, run
    if caller.is_root:
        assert "conflict: d/g: the jail has made the directory anew, and the original has changed it since the launch" in run.stderr, run


UNKNOWN = "it cannot be known whether the original had, and has deleted since the launch"


@pytest.mark.parametrize("script, parts", [
    ("rm a; echo 1 >n1; echo 1 >n2; echo 1 >n3", ["n1", "n2"]),
    ("rm a; echo 1 >n1; echo 1 >n2", ["a", "n1"]),
    ("mkdir out; echo 1 >out/a; echo 1 >out/b; echo 1 >out/c", ["out/a", "out/b"]),
    ("mkdir -p e/f/o/p; echo 1 >e/f/o/p/a; echo 1 >e/f/o/b; echo 1 >e/f/c; rm -r d", ["e/f/o/p", "d", "e/f/o/b"]),
    ("echo 2 >a; mv d/x d/z; chmod 700 d; echo 1 >d/n; echo 1 >n", ["d/x", "d/n", "a"]),
    ("rm -r d; echo 1 >d; rm a; mkdir a; echo 1 >a/n; echo 1 >a/m", ["d", "a/n"]),
])
def test_names_that_an_apply_has_put_in_or_taken_away_make_no_later_one_doubt(caller, place, script, parts):
    lower, changed = place
    spec = changed(script)
    for part in parts:
        run = caller.verb("apply", spec, "--", part)
        assert run.status == 0 and run.stderr == "", (part, run)
    run = caller.verb("apply", spec)
    assert run.status == 0 and run.stderr == "" and diff(caller, spec, status=0) == "", run


@pytest.mark.parametrize("when", ["before", "between"])
def test_a_name_that_somebody_else_takes_away_makes_all_later_ones_doubt(caller, place, when):
    lower, changed = place
    caller.file(lower / "other", "1")
    spec = changed("echo 1 >n1; echo 1 >n2; echo 1 >n3; echo 1 >d/n")
    if when == "before":
        (lower / "other").unlink()
    run = caller.verb("apply", spec, "--", "n1")
    assert run.status == 0 and (f"{UNKNOWN}: n1" in run.stderr) == (when == "before"), run
    if when == "between":
        (lower / "other").unlink()
    for name in ("n2", "n3"):
        run = caller.verb("apply", spec, "--", name)
        assert run.status == 0 and f"{UNKNOWN}: {name}" in run.stderr, run
    run = caller.verb("apply", spec)
    assert run.status == 0 and run.stderr == "", run


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("when", [1, 2, 3, 4])
def test_a_killed_apply_of_files_with_bits_that_do_not_travel_is_finished_by_the_next(caller, place, when):
    lower, changed = place
    spec = changed("echo 1 >n1; chmod 4755 n1; echo 2 >n2; chmod 2755 n2; echo 3 >a; chmod 6755 a; echo 4 >d/n; chmod 4755 d/n")
    caller.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", "trace=renameat2,renameat,rename", "-e", f"inject=renameat2:signal=KILL:when={when}")
    try:
        caller.verb("apply", spec)
    finally:
        caller.wrapper = ()
    run = caller.verb("apply", spec)
    assert run.status == 0 and "conflict" not in run.stderr and diff(caller, spec, status=0) == "", run
    for name in ("n1", "n2", "a", "d/n"):
        assert (lower / name).stat().st_mode & 0o7777 == 0o755, name
