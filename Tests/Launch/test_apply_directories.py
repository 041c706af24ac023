"""What the owner of a tree has set on a directory since the launch stays: `immure apply` of names in it does not undo that."""

import os
import shutil

import pytest

from test_changes import changing, diff
from test_changes_rights import ACL

CHANGED = "changed in the original since the launch, and its mode, owner or attributes are not those that the jail has"


@pytest.fixture
def place(caller):
    lower, changed = changing(caller)
    for name in ("d", "e", "e/f"):
        (lower / name).chmod(0o755)
    return lower, changed


def listed(path):
    found = {}
    exec(ACL.format(user=1), found)
    os.setxattr(path, "system.posix_acl_access", found["value"])


SETTINGS = {
    "mode": lambda path: path.chmod(0o700),
    "list": listed,
    "attribute": lambda path: os.setxattr(path, "user.mine", b"1"),
}


def look(path):
    return path.stat().st_mode, {name: os.getxattr(path, name) for name in os.listxattr(path)}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("directory", ["d", "e/f"])
def test_what_the_owner_sets_on_a_directory_is_a_conflict(caller, place, directory, setting):
    lower, changed = place
    spec = changed(f"echo 1 >{directory}/n")
    SETTINGS[setting](lower / directory)
    before = look(lower / directory)
    for options in ((), ("--check",)):
        run = caller.verb("apply", spec, *options)
        assert run.status == 1 and [line.split("conflict: ")[1] for line in run.stderr.splitlines() if "conflict: " in line] == [f"{directory}: {CHANGED}"], run
        assert look(lower / directory) == before and not (lower / directory / "n").exists()
    run = caller.verb("apply", spec, "--skip-conflicts")
    assert run.status == 0 and look(lower / directory) == before and (lower / directory / "n").read_text() == "1\n", run
    # It is one as long as it is not gone over.
    assert diff(caller, spec, status=1).startswith(f"m {directory}\t") and caller.verb("apply", spec).status == 1
    assert look(lower / directory) == before
    assert caller.verb("apply", spec, "--force").status == 0 and look(lower / directory) != before
    assert diff(caller, spec, status=0) == ""


def test_a_name_in_it_alone_is_put_there_and_the_conflict_stays(caller, place):
    lower, changed = place
    spec = changed("echo 1 >d/n; echo 2 >d/x; rm d/y")
    (lower / "d").chmod(0o700)
    for name in ("d/n", "d/y"):
        run = caller.verb("apply", spec, "--", name)
        assert run.status == 0 and "conflict" not in run.stderr, run
    assert (lower / "d/n").exists() and not (lower / "d/y").exists()
    run = caller.verb("apply", spec)
    assert run.status == 1 and f"conflict: d: {CHANGED}" in run.stderr and (lower / "d").stat().st_mode & 0o777 == 0o700, run
    assert caller.verb("apply", spec, "--skip-conflicts").status == 0
    assert (lower / "d/x").read_text() == "2\n" and (lower / "d").stat().st_mode & 0o777 == 0o700


def test_what_both_have_set_alike_is_none(caller, place):
    lower, changed = place
    spec = changed("chmod 700 d; echo 1 >d/n; echo 1 >e/n")
    (lower / "d").chmod(0o700)
    run = caller.verb("apply", spec)
    assert run.status == 0 and "conflict" not in run.stderr and (lower / "d/n").exists(), run


def test_names_that_come_into_a_directory_that_the_jail_has_left_as_it_was_are_none(caller, place):
    lower, changed = place
    spec = changed("echo 1 >d/n; chmod 700 e")
    caller.file(lower / "d/other", "1")
    run = caller.verb("apply", spec)
    assert run.status == 0 and "conflict" not in run.stderr, run
    assert (lower / "d/n").exists() and (lower / "d/other").exists() and (lower / "e").stat().st_mode & 0o777 == 0o700


def test_a_directory_that_both_have_changed_is_one_whatever_it_was(caller, place):
    """A name that somebody has made may have come after a mode: the time tells nothing of that."""
    lower, changed = place
    spec = changed("chmod 711 d; echo 1 >d/n")
    (lower / "d").chmod(0o700)
    caller.file(lower / "d/other", "1")
    run = caller.verb("apply", spec)
    assert run.status == 1 and f"conflict: d: {CHANGED}" in run.stderr, run
    assert (lower / "d").stat().st_mode & 0o777 == 0o700 and not (lower / "d/n").exists()


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("when", range(1, 7))
def test_a_killed_apply_of_modes_is_finished_by_the_next(caller, place, when):
    lower, changed = place
    spec = changed("chmod 500 e/f; chmod 500 d; echo 1 >n; chmod 711 e")
    caller.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", "trace=fchmod", "-e", f"inject=fchmod:signal=KILL:when={when}")
    try:
        caller.verb("apply", spec)
    finally:
        caller.wrapper = ()
    run = caller.verb("apply", spec)
    assert run.status == 0 and "conflict" not in run.stderr and diff(caller, spec, status=0) == "", run
    assert [(lower / name).stat().st_mode & 0o777 for name in ("d", "e", "e/f")] == [0o500, 0o711, 0o500]
