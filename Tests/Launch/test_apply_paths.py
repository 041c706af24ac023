"""`immure apply … -- PATH`: what is at or below it by whatever name it has been told, with the directories that it needs."""

import os
import subprocess

import pytest

from test_changes import changing, diff, lines


@pytest.fixture
def place(caller):
    return changing(caller)


NEW = "mkdir -p n/m; chmod 750 n; chmod 2711 n/m; echo k >n/m/keep; echo bad >n/m/evil; echo bad >n/evil; mkdir n/other; rm d/x"


@pytest.mark.parametrize("path", ["n/m/keep", "n/m/keep/", "./n//m/./keep", "/src/n/m/keep"])
def test_a_part_of_a_new_directory_is_made_with_what_is_above_it_alone(caller, place, path):
    lower, changed = place
    spec = changed(NEW)
    run = caller.verb("apply", spec, "--", path)
    assert run.status == 0 and (lower / "n/m/keep").read_text() == "k\n", run
    assert os.listdir(lower / "n") == ["m"] and os.listdir(lower / "n/m") == ["keep"] and (lower / "d/x").exists()
    assert oct((lower / "n").stat().st_mode) == "0o40750" and oct((lower / "n/m").stat().st_mode & 0o777) == "0o711"
    assert not [line for line in lines(caller, spec) if line in ("A n", "A n/m", "A n/m/keep")]
    assert caller.verb("apply", spec, "--force").status == 0 and (lower / "n/evil").exists() and diff(caller, spec, status=0) == ""


def test_a_part_of_a_directory_that_was_a_file(caller, place):
    lower, changed = place
    spec = changed("rm a; mkdir -p a/b/c; echo k >a/b/keep")
    assert caller.verb("apply", spec, "--", "a/b/keep").status == 0
    assert os.listdir(lower / "a") == ["b"] and os.listdir(lower / "a/b") == ["keep"]


@pytest.mark.parametrize("words", [
    ["./top"], ["top/"], ["/src/top"], ["/src/./top//"], ["./new/"], ["/src/new"], [r'"q\"u\nx"'], ["q\"u\nx"], [r'"\377"'], [b"\xff"], [r'"caf\303\251\t"'],
    ["top", "./new"],
])
def test_each_spelling_that_a_path_is_told_in_is_taken(caller, place, words):
    lower, changed = place
    names = [b"top", b"new/in", b'q"u\nx', b"\xff", "caf\u00e9\t".encode()]
    spec = changed("mkdir new")
    caller.python(spec, f"import os; os.chdir('/src'); [open(name, 'w').close() for name in {names!r}]")
    plain = os.fsencode(words[0]) if isinstance(words[0], str) else words[0]
    process = subprocess.run([os.fsencode(caller.binary), b"apply", os.fsencode(spec), b"--", plain, *map(os.fsencode, words[1:])], capture_output=True, **caller.account())
    assert process.returncode == 0, process
    left = set(os.listdir(os.fsencode(lower))) - {b"a", b"d", b"e"}
    assert len(left) == len(words) and left < {b"top", b"new", b'q"u\nx', b"\xff", "café\t".encode()}, left


@pytest.mark.parametrize("path, words", [
    ("d/x", "d/x is gone with d, which is one change"), ("/src/d/x", "/src/d/x is gone with d, which is one change"),
    ("e/f", "e/f is gone with e, which is one change"), ("nothing", "nothing is changed at nothing"), ("", "is not below /src"),
    ("/other/a", "/other/a is not below /src"), ("d/../a", 'has ".." in it'), (".", "nothing is changed at ."), ("a/below", "nothing is changed at a/below"),
])
def test_a_path_that_is_no_change_says_why(caller, place, path, words):
    lower, changed = place
    spec = changed("rm -r d e; echo 1 >e; echo 1 >>a")
    run = caller.verb("apply", spec, "--", path)
    assert run.status == 125 and words in run.stderr and (lower / "d/x").exists(), run
    assert "hint" not in run.stderr or "what was done" not in run.stderr
