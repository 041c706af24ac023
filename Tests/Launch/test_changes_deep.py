"""Trees deeper than there are descriptors, and paths longer than a call takes: listed, applied and thrown away like any other."""

import json
import os
import resource
import subprocess

import pytest

from test_changes import diff, spec_of
from test_overlay import tree

#: PATH_MAX without the byte that ends a path.
LONGEST = 4095
#: `grow` makes directories one in another with a file in the last, `change` writes to that file. What is made stands high up until it is whole: Landlock
#: and others go all the way up at each name that is made.
DIG = """
import os
def grow(top, depth, name, text):
    os.mkdir("/src/low")
    with open("/src/low/bottom", "w") as file: file.write(text)
    for _ in range(depth):
        os.mkdir("/src/high")
        os.rename("/src/low", f"/src/high/{name}")
        os.rename("/src/high", "/src/low")
    os.rename("/src/low", top)
def change(top, depth, name, text):
    os.chdir(top)
    for _ in range(depth): os.chdir(name)
    with open("bottom", "w") as file: file.write(text)
"""


def deepest(top):
    """How many directories stand one in another, and what is in the file in the last."""
    here, depth = os.open(top, os.O_RDONLY), 0
    while True:
        below = [name for name in os.listdir(here) if name != "bottom"]
        if not below:
            with open(os.open("bottom", os.O_RDONLY, dir_fd=here)) as file:
                text = file.read()
            os.close(here)
            return depth, text
        assert len(below) == 1, below
        here, above, depth = os.open(below[0], os.O_RDONLY | os.O_DIRECTORY, dir_fd=here), here, depth + 1
        os.close(above)


@pytest.fixture
def place(caller):
    """A lower and a spec; what is made there may be too deep for whoever cleans up, but for rm(1)."""
    lower, place = tree(caller), caller.directory()
    yield lower, place, spec_of(caller, place, lower)
    subprocess.run(["rm", "-rf", *(str(path) for top in (lower, place) for path in top.iterdir())], check=True)


def in_lower(caller, lower, depth, name, text):
    subprocess.run(["/usr/bin/python3", "-c", f"{DIG.replace('/src', str(lower))}\ngrow('{lower}/deep', {depth}, '{name}', '{text}')"], check=True)
    subprocess.run(["chown", "-R", f"{caller.uid}:{caller.gid}", lower / "deep"], check=True)


def jail(caller, spec, code):
    caller.run(spec, "/usr/bin/python3", "-I", "-S", "-c", DIG + code, timeout=120).ok


def apply(caller, spec):
    run = caller.verb("apply", spec, timeout=120)
    assert run.status == 0 and run.stderr == "", run


def few(process=None):
    """No more descriptors than a shell of old gave."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))


@pytest.mark.parametrize("depth", [300, 2_000, 20_000])
def test_a_tree_of_any_depth_is_listed_and_applied(caller, place, depth):
    lower, where, spec = place
    jail(caller, spec, f"grow('/src/deep', {depth}, 'a', 'new')")
    rows = caller.verb("diff", spec, timeout=60, preexec_fn=few)
    assert rows.status == 1 and rows.stderr == "", rows
    listed = rows.stdout.splitlines()
    paths = ["deep" + "/a" * count for count in range(depth + 1)]
    if depth <= 2_000:
        assert listed == [f"A {path}" for path in paths] + [f"A {paths[-1]}/bottom"]
    else:
        shown = [path for path in paths if len(path) <= LONGEST]
        more = len(paths) + 1 - len(shown)
        assert listed[:-1] == [f"A {path}" for path in shown[:-1]]
        assert listed[-1] == f"A {shown[-1]}\t({more} added, 0 changed, 0 replaced, 0 deleted below it, at paths of more than {LONGEST} bytes)"
    assert caller.verb("diff", spec, "--stat", timeout=60).stdout == f"{depth + 2} added, 0 changed, 0 replaced, 0 deleted\n"
    run = caller.verb("apply", spec, timeout=120, preexec_fn=few)
    assert run.status == 0 and run.stderr == "", run
    assert deepest(lower / "deep") == (depth, "new") and os.listdir(where / "changes") == []
    assert diff(caller, spec) == ""


@pytest.mark.parametrize("depth", [300, 20_000])
def test_a_tree_of_any_depth_is_thrown_away(caller, place, depth):
    lower, where, spec = place
    jail(caller, spec, f"grow('/src/deep', {depth}, 'a', 'new'); os.chmod('/src/deep', 0)")
    run = caller.verb("discard", spec, timeout=60, preexec_fn=few)
    assert run.status == 0 and run.stderr == "" and os.listdir(where / "changes") == [], run
    assert not (lower / "deep").exists()


@pytest.mark.parametrize("depth", [300, 3_000])
def test_what_is_changed_deep_in_the_original(caller, place, depth):
    lower, _, spec = place
    in_lower(caller, lower, depth, "a", "old")
    jail(caller, spec, f"change('/src/deep', {depth}, 'a', 'newer')")
    listed = diff(caller, spec, status=1)
    if depth == 300:
        assert listed == f"M deep{'/a' * depth}/bottom\n"
    else:
        path = ("deep" + "/a" * depth)[: LONGEST - 1]
        assert listed == f"M {path}\t(0 added, 1 changed, 0 replaced, 0 deleted below it, at paths of more than {LONGEST} bytes)\n"
        assert json.loads(diff(caller, spec, "--json", status=1))[0]["path"] == path
    apply(caller, spec)
    assert deepest(lower / "deep") == (depth, "newer")


@pytest.mark.parametrize("depth", [300, 3_000])
def test_a_deep_tree_of_the_original_that_is_gone_or_made_anew(caller, place, depth):
    lower, _, spec = place
    in_lower(caller, lower, depth, "a", "old")
    caller.shell(spec, "rm -rf /src/deep", timeout=60).ok
    assert diff(caller, spec, status=1) == f"D deep\t({depth + 2} entries)\n"
    jail(caller, spec, f"grow('/src/deep', 2, 'a', 'new')")
    assert diff(caller, spec, status=1).splitlines() == [f"D deep/a/a/a\t({depth - 1} entries)", "A deep/a/a/bottom"]
    apply(caller, spec)
    assert deepest(lower / "deep") == (2, "new")


def test_a_deep_tree_that_the_original_has_changed_is_a_conflict(caller, place):
    lower, _, spec = place
    in_lower(caller, lower, 300, "a", "old")
    caller.shell(spec, "rm -rf /src/deep").ok
    (lower / ("deep" + "/a" * 300) / "bottom").write_text("mine")
    run = caller.verb("apply", spec)
    assert run.status == 1 and "conflict: deep: changed in the original since the launch" in run.stderr, run
    assert deepest(lower / "deep") == (300, "mine")


def test_names_of_255_bytes_make_no_list_without_an_end(caller, place):
    """3,000 such directories one in another have paths of 1.1 GB together."""
    lower, _, spec = place
    jail(caller, spec, "grow('/src/deep', 3000, 'n' * 255, 'new'); change('/src/deep', 3000, 'n' * 255, 'new'); os.link('bottom', 'second')\nimport socket\nsocket.socket(socket.AF_UNIX).bind('plug')")
    listed = diff(caller, spec, status=1)
    assert len(listed) < 50_000 and "at paths of more than" in listed.splitlines()[-1]
    run = caller.verb("apply", spec, timeout=60)
    assert run.status == 0 and len(run.stderr) < 10_000 and " directories deeper): a socket does not travel" in run.stderr, run


def test_a_wide_tree_that_is_deep(caller, place):
    lower, _, spec = place
    code = """
os.chdir("/src")
for level in range(200):
    for number in range(20):
        os.mkdir(f"d{number}")
        open(f"f{number}", "w").write(f"{level} {number}")
        open(f"d{number}/in", "w").close()
    os.chdir("d7")
"""
    jail(caller, spec, code)
    assert len(diff(caller, spec, status=1).splitlines()) == 200 * 60
    run = caller.verb("apply", spec, timeout=120, preexec_fn=few)
    assert run.status == 0 and run.stderr == "", run
    for level in (0, 63, 64, 65, 199):
        assert (lower / ("d7/" * level) / "f19").read_text() == f"{level} 19"


def test_run_lists_the_changes_of_a_deep_tree(caller, place):
    lower, where, spec = place
    report = caller.open_directory() / "changes"
    run = caller.run(spec, "/usr/bin/python3", "-I", "-S", "-c", f"{DIG}grow('/src/deep', 2000, 'nnnn', 'new'); os.chmod('/src/deep', 0)", options=["--changes", str(report)], timeout=60)
    assert run.ok and run.stderr == "", run
    assert report.read_text().splitlines()[-1].endswith(f"below it, at paths of more than {LONGEST} bytes)")
