"""What a list of changes says beyond names: bytes that are no text, where links lead, and hard links that an apply parts."""

import json
import os

import pytest

from test_changes import diff, spec_of
from test_overlay import overlay, tree, writable


@pytest.fixture
def place(caller):
    lower, place = tree(caller), caller.directory()
    return lower, spec_of(caller, place, lower)


NAMES = [b"x\xff", b"x\xfe", b"caf\xc3\xa9"]


def test_names_that_are_not_utf_8_are_told_apart_in_json(caller, place):
    lower, spec = place
    code = f"import os; [open(b'/src/' + name, 'w').close() for name in {NAMES!r}]"
    caller.python(spec, code)
    found = json.loads(diff(caller, spec, "--json", status=1))
    assert {bytes.fromhex(row["path_hex"]) if "path_hex" in row else row["path"].encode() for row in found} == set(NAMES)
    assert ["path_hex" in row for row in found] == [False, True, True]
    result = caller.directory() / "result"
    thrown = caller.spec(writable(caller) + overlay(lower))
    run = caller.run(thrown, "/usr/bin/python3", "-I", "-S", "-c", code, options=["--result", str(result)])
    assert run.ok
    rows = json.loads(result.read_text())["changes"]
    assert {bytes.fromhex(row["path_hex"]) for row in rows if "path_hex" in row} == {b"/src/x\xff", b"/src/x\xfe"}


def test_where_a_link_leads_is_said(caller):
    lower, place = tree(caller), caller.directory()
    (lower / "link").symlink_to("a")
    (lower / "file").write_text("1")
    for name in ("link", "file"):
        os.lchown(lower / name, caller.uid, caller.gid)
    spec = spec_of(caller, place, lower)
    caller.shell(spec, r"cd /src; ln -sfn /etc/shadow link; ln -s b new; ln -sf '/x	y' file; rm d/x").ok
    assert diff(caller, spec, status=1) == (
        'D d/x\nT file\t(-> "/x\\ty", regular to symlink)\nM link\t(-> /etc/shadow)\nA new\t(-> b)\n')
    assert {"change": "M", "path": "link", "notes": ["-> /etc/shadow"]} in json.loads(diff(caller, spec, "--json", status=1))


@pytest.mark.parametrize("script, parted, same", [
    ("ln a ha", ["ha"], []), ("ln a 0ha; echo 1 >>a", ["0ha"], []), ("ln a ha; echo 1 >>a", [], [("a", "ha")]),
    ("echo 1 >n1; ln n1 n2", [], [("n1", "n2")]), ("echo 1 >n1; ln n1 d/n2; ln a ha", ["ha"], [("n1", "d/n2")]),
])
def test_a_hard_link_that_becomes_a_copy_is_listed(caller, place, script, parted, same):
    lower, spec = place
    caller.shell(spec, f"cd /src; {script}").ok
    run = caller.verb("apply", spec)
    words = "a hard link to a name that is not put in does not travel"
    assert run.status == 0 and [line.split("copied: ")[1] for line in run.stderr.splitlines() if words in line] == [f"{name}: {words}" for name in parted], run
    for one, other in same:
        assert (lower / one).stat().st_ino == (lower / other).stat().st_ino


def test_the_target_may_end_in_a_slash(caller, place):
    lower, spec = place
    caller.shell(spec, "echo 1 >/src/n").ok
    for target in ("/src/", "//src/."):
        run = caller.verb("diff", spec, target)
        assert run.status == 1 and run.stdout == "A n\n", run
    run = caller.verb("diff", spec, "/srcs/")
    assert run.status == 125 and 'keeps no changes of "/srcs/"' in run.stderr, run
    assert caller.verb("apply", spec, "/src/", "--", "n").status == 0 and (lower / "n").exists()
