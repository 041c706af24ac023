"""`immure discard` of what an apply was killed at takes out of the original what is not whole there."""

import os
import shutil

import pytest

from harness.tree import files
from test_changes import changing, diff

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")


def drafts(lower):
    return [path for path in lower.rglob("*") if path.name.startswith(".immure.apply.")]


@pytest.fixture
def killed(caller):
    """A lower in which an apply was killed before the first name was put in, and its spec."""
    lower, changed = changing(caller)
    spec = changed("echo 2 >a; echo 2 >d/x; mkdir n; echo 2 >n/f; mkdir shut; chmod 0 shut")
    caller.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", "trace=syncfs,fsync", "-e", "inject=syncfs:signal=KILL:when=1")
    try:
        assert caller.verb("apply", spec).status in (-9, 137)
    finally:
        caller.wrapper = ()
    assert drafts(lower)
    return lower, spec


def test_no_draft_is_left(caller, killed):
    lower, spec = killed
    run = caller.verb("discard", spec)
    assert run.status == 0 and run.stderr == "" and drafts(lower) == [] and (lower / "a").read_text() == "a\n", run
    assert caller.shell(spec, "ls -A /src").ok.stdout.split() == sorted(os.listdir(lower)) and diff(caller, spec, status=0) == ""


def test_an_original_that_is_gone_is_no_reason_to_keep_the_changes(caller, killed):
    lower, spec = killed
    away = lower.with_name(lower.name + ".away")
    lower.rename(away)
    lower.mkdir()
    caller.own(lower)
    before = files(away)
    run = caller.verb("discard", spec)
    assert run.status == 0 and "the original may still have what an apply was making, in directories .immure.apply." in run.stderr, run
    assert files(away) == before
    lower.rmdir()
    away.rename(lower)
    assert diff(caller, spec, status=0) == ""
