"""try.toml: a command on the current directory, its changes looked at, applied or thrown away."""

import os

import pytest


@pytest.fixture
def work(caller):
    """Here the changes are kept in it."""
    return caller.own_workplace()


def test_look_apply_and_discard(caller, work):
    caller.file(work / "a", "a\n")
    spec = caller.spec("try.toml")
    done = caller.jail("try.toml", "bash", "-c", "echo more >> a; echo new > new; ls", cwd=work)
    assert done.stdout.split() == ["a", "new"]
    assert done.stderr.count("\n") == 1 and ".git: skipped, it does not exist" in done.stderr
    assert (work / "a").read_text() == "a\n" and not (work / "new").exists()
    done = caller.run("immure", "diff", spec, cwd=work, status=1)
    assert done.stdout == "M a\nA new\n"
    done = caller.jail("try.toml", "cat", "new", cwd=work)
    assert done.stdout == "new\n"
    caller.run("immure", "apply", spec, cwd=work)
    assert (work / "a").read_text() == "a\nmore\n" and (work / "new").read_text() == "new\n"
    caller.jail("try.toml", "rm", "a", cwd=work)
    caller.run("immure", "discard", spec, cwd=work)
    caller.run("immure", "diff", spec, cwd=work)
    assert (work / "a").exists()


def test_no_hook_is_brought(caller, work):
    for place in (".git", ".git/hooks"):
        caller.directory(work / place)
    done = caller.jail("try.toml", "sh", "-c", "touch .git/hooks/x; mv .git aside; touch made", cwd=work)
    assert "Read-only" in done.stderr and "busy" in done.stderr
    done = caller.run("immure", "diff", caller.spec("try.toml"), cwd=work, status=1)
    assert done.stdout == "A made\n"


def test_the_kept_changes_are_closed_to_others(caller, work):
    caller.jail("try.toml", "true", cwd=work)
    assert oct(os.stat(work / ".immure").st_mode) == "0o40700"


def test_root_keeps_no_changes_in_a_directory_of_another_user(caller):
    work = caller.workplace()
    if caller.inside == caller.account.pw_uid:
        caller.jail("try.toml", "true", cwd=work)
        return
    done = caller.run("immure", "run", caller.spec("try.toml"), "--", "true", cwd=work, status=125)
    assert "neither root nor the caller" in done.stderr
    assert "hint: keep the changes below a directory that only root can write to" in done.stderr and not os.listdir(work)
