"""`immure apply` into directories that their owner has closed to writing (0555): it opens them, and they are closed again whatever becomes of it."""

import os
import shutil

import pytest

from test_changes import diff
from test_overlay_kept import kept

CLOSED = ("ro", "ro/sub")


@pytest.fixture(params=["user", "root for the user"])
def closed(request, root, user):
    """A tree of the user's with directories of mode 0555, whoever applies, and a spec that a script has changed."""
    who = user if request.param == "user" else root
    lower, place = user.directory(), who.directory()
    for name in ("ro", "ro/sub", "ro/gone"):
        (lower / name).mkdir()
    for name in ("ro/f", "ro/g", "ro/sub/f", "ro/gone/f"):
        user.file(lower / name, "1\n")
    for name in ("ro/gone", "ro/sub", "ro"):
        user.own(lower / name)
        (lower / name).chmod(0o555)
    # Root's jail is the user, who may open what is the user's.
    identity = "" if who is user else f"[identity]\nuser = {user.uid}\ngroup = {user.gid}\n"
    spec = who.spec(identity + kept(place, lower))

    def changed(script):
        who.shell(spec, f"cd /src && {script}").ok
        return spec

    return who, lower, changed


def modes(lower):
    return [(lower / name).stat().st_mode & 0o7777 for name in CLOSED]


SCRIPT = "echo 2 >ro/f; chmod u+w ro ro/sub; echo 2 >ro/n; rm ro/g; echo 2 >ro/sub/n; chmod -R u+w ro/gone; rm -r ro/gone; chmod 555 ro ro/sub"


def finished(who, lower, spec):
    run = who.verb("apply", spec)
    assert run.status == 0 and "conflict" not in run.stderr, run
    assert sorted(os.listdir(lower / "ro")) == ["f", "n", "sub"] and sorted(os.listdir(lower / "ro/sub")) == ["f", "n"]
    assert (lower / "ro/f").read_text() == "2\n" and modes(lower) == [0o555, 0o555] and diff(who, spec, status=0) == ""


def test_it_is_as_the_jail_has_left_it_and_closed(closed):
    who, lower, changed = closed
    finished(who, lower, changed(SCRIPT))


def test_a_file_that_was_written_in_place(closed):
    who, lower, changed = closed
    spec = changed("echo 2 >ro/sub/f")
    run = who.verb("apply", spec)
    assert run.status == 0 and run.stderr == "" and (lower / "ro/sub/f").read_text() == "2\n" and modes(lower) == [0o555, 0o555], run


def test_a_mode_that_the_jail_has_given_is_the_one_it_gets(closed):
    who, lower, changed = closed
    spec = changed("chmod 755 ro; echo 2 >ro/n; chmod 500 ro/sub; echo 2 >ro/sub/f")
    assert who.verb("apply", spec).status == 0 and modes(lower) == [0o755, 0o500]


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("what", ["signal=KILL", "error=ENOSPC"])
@pytest.mark.parametrize("call, number", [("renameat", 2), ("renameat", 3), ("syncfs", 1), ("unlinkat", 2), ("mkdirat", 2), ("fchmod", 2)])
def test_one_that_was_killed_or_failed_is_finished_and_leaves_them_closed(closed, call, number, what):
    who, lower, changed = closed
    spec = changed(SCRIPT)
    who.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{what}:when={number}")
    try:
        run = who.verb("apply", spec)
    finally:
        who.wrapper = ()
    assert run.status in (0, 125, -9, 137), run
    assert run.status in (-9, 137) or modes(lower) == [0o555, 0o555], run
    finished(who, lower, spec)


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_discard_closes_what_a_killed_one_has_opened(closed):
    who, lower, changed = closed
    spec = changed(SCRIPT)
    who.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", "trace=syncfs", "-e", "inject=syncfs:signal=KILL:when=1")
    try:
        assert who.verb("apply", spec).status in (-9, 137)
    finally:
        who.wrapper = ()
    assert modes(lower) == [0o755, 0o755]
    run = who.verb("discard", spec)
    assert run.status == 0 and run.stderr == "" and modes(lower) == [0o555, 0o555], run
    assert not [path for path in lower.rglob("*") if path.name.startswith(".immure")]
