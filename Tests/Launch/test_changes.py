"""`immure diff`, `apply`, `discard` and `run --changes`: what an overlay has changed, and how it comes into the original."""

import json
import os
import random
import re
import shutil
import stat
import subprocess
import time

import pytest

from harness.patience import reached, until
from harness.tree import files
from test_overlay import overlay, picture, tree, writable
from test_overlay_kept import kept


def spec_of(caller, place, lower, more=""):
    return caller.spec(writable(caller) + kept(place, lower) + more)


def changing(caller):
    """A lower with a, d/x, d/y and e/f/g, and what makes a spec of it that a script has changed."""
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)

    def changed(script):
        caller.shell(spec, f"cd /src && {script}").ok
        return spec

    return lower, changed


def diff(caller, spec, *options, status=None):
    run = caller.verb("diff", spec, *options)
    assert run.status == (status if status is not None else run.status) and run.status in (0, 1) and run.stderr == "", run
    return run.stdout


def lines(caller, spec):
    return [line.split("\t")[0] for line in diff(caller, spec).splitlines()]


def test_diff_before_the_first_launch_says_that_there_was_none(caller):
    place = caller.directory()
    (place / "tree").mkdir()
    run = caller.verb("diff", caller.spec(kept(place, place / "tree")))
    assert run.status == 125 and f"there is no {place}/changes" in run.stderr, run
    assert "no launch of this spec has kept changes there yet" in run.stderr and "ENOENT" not in run.stderr, run


# The scenario

MADE = """
import os
open("a","w").write("one\\n"); open("b","w").write("two\\n"); os.mkdir("d"); open("d/keep","w").write("k"); os.link("a","hard")
open("gone","w").write("x"); os.setxattr("b","user.note",b"hi"); os.makedirs("op/x"); open("op/x/1","w").write("1")
open("same","w").write("s"); os.mkdir("f2d"); open("f2d/z","w").write("z"); open("d2f","w").write("q")
os.makedirs("deep/p"); open("deep/p/file","w").write("v")
"""
SCRIPT = """
import os, shutil, stat
os.chdir("/src")
open("a","a").write("jail\\n"); os.unlink("gone")
os.mkdir("d2"); open("d2/keep","w").write("k"); shutil.rmtree("d")
open("new\\nline","w").write("n"); os.mkfifo("p"); os.setxattr("b","user.note",b"changed"); os.chmod("b",0o600)
os.symlink("/etc/passwd","sl"); os.mkdir("e"); open("e/f","w").write("q"); os.link("e/f","e/f2")
shutil.rmtree("op"); os.mkdir("op"); open("op/2","w").write("2"); os.utime("same")
shutil.rmtree("f2d"); open("f2d","w").write("file"); os.unlink("d2f"); os.mkdir("d2f"); open("d2f/in","w").write("z")
os.chmod("e/f",0o4755); open("deep/p/file","a").write("w")
"""
EXPECTED = [
    "m b", "M a", "D d", "A d2", "A d2/keep", "T d2f", "A d2f/in", "M deep/p/file", "A e", "A e/f", "A e/f2", "T f2d", "D gone",
    'A "new\\nline"', "A op/2", "D op/x", "A p", "A sl",
]


@pytest.fixture
def scenario(caller):
    lower, place = caller.directory(), caller.directory()
    code = f"import os; os.chdir({str(lower)!r})\n{MADE}"
    subprocess.run(["/usr/bin/python3", "-c", code], check=True, **caller.account())
    spec = spec_of(caller, place, lower)
    run = caller.run(spec, "/usr/bin/python3", "-I", "-S", "-c", SCRIPT)
    assert run.ok and run.stderr == ""
    return caller, lower, place, spec


def test_s14_diff_lists_what_was_changed(scenario):
    caller, lower, place, spec = scenario
    assert sorted(lines(caller, spec)) == sorted(EXPECTED)
    found = diff(caller, spec, status=1)
    assert "\t(mode 0644 to 0600, extended attributes)" in found and "M a\t(links 2)" in found, found
    assert "T f2d\t(directory to regular, 2 entries)" in found and "D op/x\t(2 entries)" in found
    as_json = json.loads(diff(caller, spec, "--json"))
    assert {"change": "A", "path": "new\nline", "notes": []} in as_json and len(as_json) == len(EXPECTED)
    assert b"A new\nline\0" in diff(caller, spec, "-z").encode()
    assert diff(caller, spec, "--stat") == "9 added, 3 changed, 2 replaced, 3 deleted\n".replace("9 added", f"{sum(x[0] == 'A' for x in EXPECTED)} added")


def test_s14_apply_puts_it_into_the_original(scenario):
    caller, lower, place, spec = scenario
    before = lower.stat()
    run = caller.verb("apply", spec)
    assert run.status == 0, run
    assert "left out: e/f: its set-user-ID and set-group-ID bits do not travel" in run.stderr, run
    found = files(lower)
    assert (lower / "a").read_text() == "one\njail\n" and (lower / "hard").read_text() == "one\n"
    assert not (lower / "gone").exists() and not (lower / "d").exists() and (lower / "d2/keep").read_text() == "k"
    assert os.getxattr(lower / "b", "user.note") == b"changed" and found["b"][0] == "0o100600"
    assert (lower / "e/f").stat().st_ino == (lower / "e/f2").stat().st_ino and found["e/f"][0] == "0o100755"
    assert os.listdir(lower / "op") == ["2"] and (lower / "f2d").read_text() == "file" and (lower / "d2f/in").read_text() == "z"
    assert (lower / "deep/p/file").read_text() == "vw" and os.readlink(lower / "sl") == "/etc/passwd"
    assert stat.S_ISFIFO((lower / "p").stat().st_mode) and (lower / "new\nline").read_text() == "n"
    assert not any(name.startswith(".immure") for name in found)
    for name in ("a", "d2", "d2/keep", "e/f", "d2f"):
        state = (lower / name).lstat()
        assert (state.st_uid, state.st_gid) == (before.st_uid, before.st_gid), name
    assert os.listdir(place / "changes") == [] and "immure.json" not in os.listdir(place / "changes.work")
    assert diff(caller, spec, status=0) == ""
    assert caller.shell(spec, "cat /src/a").ok.stdout == "one\njail\n"


def test_nothing_that_steers_an_overlay_travels(root):
    lower, place = tree(root), root.directory()
    spec = spec_of(root, place, lower)
    root.shell(spec, "echo x > /src/new; mkdir /src/dir").ok
    for name in ("trusted.overlay.opaque", "trusted.overlay.overlay.opaque", "user.overlay.whiteout", "user.fuseoverlayfs.opaque", "security.immure"):
        os.setxattr(place / "changes/dir", name, b"n")
    os.setxattr(place / "changes/dir", "user.plain", b"yes")
    assert root.verb("apply", spec).status == 0
    assert os.listxattr(lower / "dir") == ["user.plain"]


def test_devices_and_sockets_are_left_out_and_said(root):
    lower, place = tree(root), root.directory()
    spec = spec_of(root, place, lower)
    root.shell(spec, "echo x > /src/new").ok
    os.mknod(place / "changes/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    import socket

    end = socket.socket(socket.AF_UNIX)
    end.bind(str(place / "changes/s"))
    run = root.verb("apply", spec)
    assert run.status == 0 and "left out: null: a device node does not travel" in run.stderr and "left out: s: a socket" in run.stderr
    assert not (lower / "null").exists() and not (lower / "s").exists() and (lower / "new").exists()


@pytest.mark.parametrize("script, path", [("mv null other", "null"), ("mv null other && echo 1 >null", "null"), ("mkdir n && mv sub/null n && rm -r sub", "sub")])
def test_a_device_node_that_the_jail_has_moved_is_not_lost(root, script, path):
    lower, place = tree(root), root.directory()
    (lower / "sub").mkdir()
    for name in ("null", "sub/null"):
        os.mknod(lower / name, 0o666 | stat.S_IFCHR, os.makedev(1, 3 if name == "null" else 5))
    spec = root.spec("[identity]\nuser = 0\ngroup = 0\n" + kept(place, lower))
    assert root.shell(spec, f"cd /src && {script} && echo 1 >new").status == 0
    run = root.verb("apply", spec)
    assert run.status == 1 and f"conflict: {path}: " in run.stderr and "where none is put: it would be lost" in run.stderr, run
    assert root.verb("apply", spec, "--skip-conflicts").status == 0
    assert all(stat.S_ISCHR((lower / name).lstat().st_mode) for name in ("null", "sub/null")) and (lower / "new").exists()
    assert root.verb("apply", spec, "--force").status == 0 and not (lower / path).is_char_device() and diff(root, spec, status=0) == ""


# S15, S16


def test_s15_each_kind_becomes_each_other(caller):
    lower, place = caller.directory(), caller.directory()
    kinds = {"file": "echo {0} > {0}", "dir": "mkdir {0}; echo x > {0}/x", "link": "ln -s there {0}", "fifo": "mkfifo {0}"}
    made = "".join(f"{kinds[one].format(f'{one}2{other}')}\n" for one in kinds for other in kinds if one != other)
    subprocess.run(["/bin/sh", "-c", f"cd {lower}\n{made}"], check=True, **caller.account())
    changed = "".join(
        f"rm -r {one}2{other}; {kinds[other].format(f'{one}2{other}')}\n" for one in kinds for other in kinds if one != other)
    spec = spec_of(caller, place, lower)
    caller.shell(spec, f"cd /src\n{changed}").ok
    wanted = json.loads(caller.python(spec, "import os,json,stat; print(json.dumps(json.dumps({n: stat.S_IFMT(os.lstat('/src/'+n).st_mode) for n in os.listdir('/src')})))"))
    assert sorted({line[0] for line in lines(caller, spec)}) == ["A", "T"]
    run = caller.verb("apply", spec)
    assert run.status == 0 and run.stderr == "", run
    assert {name: stat.S_IFMT((lower / name).lstat().st_mode) for name in os.listdir(lower)} == wanted


def test_s16_a_new_directory_is_a_and_one_made_again_is_what_is_missing(caller):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "cd /src && mkdir n && rm -r d && mkdir d && echo d/x > d/x && rm -r e && mkdir -p e/f").ok
    assert lines(caller, spec) == ["D d/y", "D e/f/g", "A n"]


def test_a_touched_file_makes_no_line(caller):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "cd /src && touch a d/x && chmod 755 d && cat a > b && cat b > a && rm b").ok
    assert diff(caller, spec, status=0) == ""


def test_a_lower_that_is_below_another_is_left_as_it_is(caller):
    top, bottom, place = tree(caller), tree(caller), caller.directory()
    caller.file(bottom / "only", "bottom\n")
    text = overlay([top, bottom], f'upper = "{place}/changes"\nwork = "{place}/changes.work"')
    spec = caller.spec(writable(caller) + text)
    caller.shell(spec, "cd /src && rm only && echo x >> a").ok
    assert lines(caller, spec) == ["M a", "D only"]
    run = caller.verb("apply", spec)
    assert run.status == 1 and "only: only a lower below the first has it" in run.stderr, run


# S17


def test_s17_conflicts_are_found_before_anything_is_done(scenario):
    caller, lower, place, spec = scenario
    caller.file(lower / "sl", "the host's\n")
    caller.file(lower / "d/host-new", "h")
    (lower / "a").write_text("one\nhost\n")
    before = picture(lower)
    for option in ((), ("--check",)):
        run = caller.verb("apply", spec, *option)
        assert run.status == 1 and picture(lower) == before
        assert re.findall(r"^conflict: (\S+): changed in the original since the launch$", run.stderr, re.M) == ["a", "d", "sl"], run
    run = caller.verb("apply", spec, "--skip-conflicts")
    assert run.status == 0 and (lower / "a").read_text() == "one\nhost\n" and (lower / "d/host-new").exists(), run
    assert not (lower / "gone").exists() and (lower / "sl").read_text() == "the host's\n"
    assert [line for line in lines(caller, spec) if not line.startswith("m e/f")] == ["M a", "D d", "T sl"]
    run = caller.verb("apply", spec, "--force")
    assert run.status == 0 and (lower / "a").read_text() == "one\njail\n" and not (lower / "d").exists()


def test_only_some_paths_are_applied(scenario):
    caller, lower, place, spec = scenario
    run = caller.verb("apply", spec, "--", "e", "a")
    assert run.status == 0 and (lower / "e/f").exists() and (lower / "a").read_text() == "one\njail\n" and (lower / "gone").exists(), run
    left = [line for line in lines(caller, spec) if not line.startswith("m e/f")]
    assert sorted(left) == sorted(set(EXPECTED) - {"A e", "A e/f", "A e/f2", "M a"})
    run = caller.verb("apply", spec, "--", "nothing/here")
    assert run.status == 125 and "nothing is changed at" in run.stderr


def test_a_directory_that_has_become_a_link_leads_nowhere(scenario):
    caller, lower, place, spec = scenario
    victim = caller.directory()
    caller.file(victim / "file", "safe")
    (lower / "deep/p").rename(lower / "deep/q")
    (lower / "deep/p").symlink_to(victim)
    run = caller.verb("apply", spec, "--force")
    assert (victim / "file").read_text() == "safe" and os.listdir(victim) == ["file"], run


def test_a_running_jail_keeps_its_changes(caller):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    first = caller.start(spec, "/bin/sh", "-c", "echo x > /src/n; echo up; read x", stdin=subprocess.PIPE)
    try:
        assert first.stdout.readline() == b"up\n"
        for verb in ("apply", "discard", "diff"):
            run = caller.verb(verb, spec)
            assert run.status == 125 and "in use by a jail" in run.stderr, run
    finally:
        caller.finish(first, stdin=b"\n")
    assert lines(caller, spec) == ["A n"]


def test_as_root_the_trees_owner_does_it(root, user):
    """What root puts into somebody's tree is done with that user's rights: a link cannot lead it into root's files."""
    lower, place = tree(user), root.directory()
    lower.chmod(0o777)
    spec = spec_of(root, place, lower)
    root.shell(spec, "echo x > /src/new && mkdir /src/dir && echo y > /src/dir/z").ok
    assert root.verb("apply", spec).status == 0
    for name in ("new", "dir", "dir/z"):
        assert (lower / name).stat().st_uid == user.uid, name
    (lower / "shut").mkdir()
    os.chown(lower / "shut", 0, 0)
    root.shell(spec, "true").ok
    (place / "changes/shut").mkdir()
    (place / "changes/shut/file").write_text("x")
    # No jail has seen that directory.
    run = root.verb("apply", spec)
    assert run.status == 1 and "conflict: shut/file: the original has a directory there, and the jail has made one of its own" in run.stderr, run
    run = root.verb("apply", spec, "--force")
    assert run.status == 125 and "EACCES" in run.stderr and not (lower / "shut/file").exists(), run
    os.chown(lower / "shut", user.uid, user.gid)
    assert root.verb("apply", spec, "--force").status == 0 and (lower / "shut/file").exists()


# S18


def test_s18_diff_costs_what_was_changed(caller):
    spent = {}
    for count in (1_000, 20_000):
        lower, place = caller.directory(), caller.directory()
        for number in range(count):
            path = lower / f"{number % 100}"
            path.mkdir(exist_ok=True)
            (path / f"{number}").write_text("x")
        subprocess.run(["chown", "-R", f"{caller.uid}:{caller.gid}", lower], check=True)
        spec = spec_of(caller, place, lower)
        caller.shell(spec, "cd /src && for i in $(seq 50); do echo y > $i/new; done").ok
        times = []
        for _ in range(15):
            before = os.times()
            assert len(diff(caller, spec).splitlines()) == 50
            after = os.times()
            times.append(after.children_user + after.children_system - before.children_user - before.children_system)
        calls = subprocess.run(
            ["strace", "-f", "-c", "-o", str(place / "calls"), caller.binary, "diff", spec], capture_output=True, **caller.account()) if shutil.which("strace") else None
        spent[count] = int(re.search(r"(\d+)\s+\d*\s*total", (place / "calls").read_text())[1]) if calls else sorted(times)[7]
        shutil.rmtree(lower)
    assert spent[20_000] <= 1.5 * spent[1_000], spent


# S19


def test_s19_a_killed_apply_is_finished_by_the_next(caller):
    chance = random.Random(19)
    for attempt in range(6):
        lower, place = caller.directory(), caller.directory()
        made = "".join(f"echo old{n} > f{n}; mkdir t{n}; echo x > t{n}/x\n" for n in range(20))
        subprocess.run(["/bin/sh", "-c", f"cd {lower}\n{made}"], check=True, **caller.account())
        spec = spec_of(caller, place, lower)
        changed = "".join(f"echo new{n} > f{n}; rm -r t{n}; echo file > t{n}; echo z > a{n}\n" for n in range(15))
        caller.shell(spec, f"cd /src\n{changed}\nrm -r t15 t16").ok
        for _ in range(4):
            process = caller.popen([caller.binary, "apply", spec])
            time.sleep(chance.uniform(0.001, 0.02))
            process.kill()
            caller.finish(process)
            for number in range(20):
                assert (lower / f"f{number}").read_text() in (f"old{number}\n", f"new{number}\n")
        record = place / "changes.work/immure.json"
        if record.exists() and json.loads(record.read_text())["applying"]:
            refused = caller.shell(spec, "true")
            assert refused.status == 125 and f"hint: finish it: immure apply SPEC" in refused.stderr, refused
        run = caller.verb("apply", spec)
        assert run.status == 0, run
        assert {name for name in os.listdir(lower)} == {f"f{n}" for n in range(20)} | {f"a{n}" for n in range(15)} | {f"t{n}" for n in range(20)} - {"t15", "t16"}
        assert all((lower / f"f{n}").read_text() == f"new{n}\n" for n in range(15)) and all((lower / f"t{n}").is_file() for n in range(15))
        assert diff(caller, spec, status=0) == ""
        caller.shell(spec, "true").ok


# S20


def test_s20_discard_removes_whatever_is_there(caller):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "cd /src && mkdir -p shut/in && chmod 0 shut/in shut && rm -r d && mkdir d && echo x > a").ok
    assert caller.verb("discard", spec).status == 0
    assert os.listdir(place / "changes") == [] and os.listdir(place / "changes.work") == []
    assert diff(caller, spec, status=0) == ""
    assert caller.shell(spec, "cat /src/a; ls /src/d").ok.stdout == "a\nx\ny\n"


@pytest.mark.skipif(not shutil.which("newuidmap"), reason="needs newuidmap")
def test_s20_discard_removes_files_of_subordinate_ids(user):
    lower, place = tree(user), user.directory()
    with open("/etc/subuid") as file:
        start = next(int(line.split(":")[1]) for line in file if line.startswith(user.login + ":"))
    rows = "[{{ inside = 0, outside = {0}, count = 1 }}, {{ inside = 1, outside = {1}, count = 1000 }}]"
    maps = f'[identity]\nuser = "root"\ngroup = "root"\nuid_map = {rows.format(user.uid, start)}\ngid_map = {rows.format(user.gid, start)}\n'
    maps += '[capabilities]\nkeep = ["chown", "dac_override", "fowner"]\n'
    spec = user.spec(maps + kept(place, lower))
    run = user.shell(spec, "cd /src && mkdir n && echo x > n/x && chown -R 33:33 n && chmod 700 n && chmod 600 n/x")
    assert run.ok
    assert (place / "changes/n").stat().st_uid not in (0, user.uid)
    assert lines(user, spec) == ["A n", "A n/x"]
    assert user.verb("discard", spec).status == 0
    assert os.listdir(place / "changes") == []


def test_discard_goes_to_any_depth(caller):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    code = "import os\nos.chdir('/src')\nfor _ in range(900):\n  os.mkdir('d' * 100); os.chdir('d' * 100)\nopen('end', 'w')"
    caller.python(spec, code)
    assert caller.verb("discard", spec).status == 0
    assert os.listdir(place / "changes") == []


def test_changes_of_another_kind_of_launch_are_thrown_away_and_all_is_well(root, user):
    lower, place = tree(user), root.directory()
    lower.chmod(0o777)
    spec = root.spec(writable(root) + kept(place, lower))
    root.shell(spec, "rm /src/a").ok
    other = tree(root)
    moved = root.spec(writable(root) + kept(place, other))
    run = root.shell(moved, "true")
    assert run.status == 125 and "hint: launch as before, or throw them away: immure discard SPEC" in run.stderr
    assert root.verb("discard", moved).status == 0
    root.shell(moved, "true").ok


def test_a_record_that_cannot_be_read(caller):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "echo x > /src/a").ok
    (place / "changes.work/immure.json").write_text("{")
    run = caller.shell(spec, "true")
    assert run.status == 125 and "hint: throw the changes away: immure discard SPEC" in run.stderr, run
    run = caller.verb("discard", spec)
    assert run.status == 0, run
    caller.shell(spec, "true").ok


# S30


@pytest.mark.parametrize("where", ["-", "file", "FD:155"])
def test_s30_changes_are_listed_however_the_jail_ends(caller, where, tmp_path_factory):
    lower = tree(caller)
    place = caller.directory()
    target = str(place / "list") if where == "file" else where

    def listed(seconds):
        spec = caller.spec(f'timeout = "{seconds}s"\ngrace = "100ms"\n' + writable(caller) + overlay(lower))
        more = {}
        if where == "FD:155":
            handle = os.open(place / "list", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(handle, 155)
            more["pass_fds"] = (155,)
        try:
            run = caller.shell(spec, "cd /src; echo x > new; rm -r d; echo y >> a; echo made >&2; exec sleep 1000", options=["--changes", target], **more)
        finally:
            if where == "FD:155":
                os.close(155)
                os.close(handle)
        assert run.status == 124, run
        if "made\n" in run.stderr:
            return run.stdout if where == "-" else (place / "list").read_text()

    assert reached(listed) == "M /src/a\nD /src/d\t(3 entries)\nA /src/new\n"


def test_a_lower_that_has_become_a_link_is_not_followed(root):
    """They are opened for the list as they were for the launch, when somebody else may have had the time to exchange them."""
    lower, place, secret = tree(root), root.open_directory(), root.directory()
    root.file(secret / "a", "another's\n")
    root.file(place / "list", "A what an earlier run made\n")
    launch = root.start(writable(root) + overlay(lower) + f'[filesystem]\nrw = ["{place}:/w"]\n', "/bin/sh", "-c", "rm /src/a; echo >/w/began; while [ ! -e /w/end ]; do sleep 0.01; done", options=["--changes", str(place / "list")])
    until(lambda: (place / "began").exists())
    lower.rename(f"{lower}.aside")
    lower.symlink_to(secret)
    os.lchown(lower, 12345, 12345)
    (place / "end").write_text("")
    run = root.finish(launch)
    assert f"cannot be listed: {lower} is a symbolic link of uid 12345" in run.stderr, run
    assert not (place / "list").exists()


def test_the_result_has_the_changes(caller):
    lower, place = tree(caller), caller.directory()
    caller.shell(writable(caller) + overlay(lower), "rm /src/a", options=["--result", str(place / "result")]).ok
    assert json.loads((place / "result").read_text())["changes"] == [{"change": "D", "path": "/src/a", "notes": []}]


ONE_FILE = {
    "one name": ("z", "z"),
    "two names": ("z", "./z"),
    "by a directory's link": ("z", "link/z"),
    "the whole path": ("z", "{place}/z"),
}


@pytest.mark.parametrize("name", ONE_FILE)
@pytest.mark.parametrize("exists", [False, True])
def test_result_and_changes_are_two_files(caller, name, exists):
    lower, place = tree(caller), caller.directory()
    (place / "link").symlink_to(".")
    caller.own(place / "link")
    if exists:
        caller.file(place / "z")
    first, second = (word.format(place=place) for word in ONE_FILE[name])
    for result, changes in ((first, second), (second, first)):
        run = caller.shell(writable(caller) + overlay(lower), "rm /src/a", options=["--result", result, "--changes", changes], cwd=place)
        assert run.status == 125 and "is the file of --result" in run.stderr and "give each of the two a file of its own" in run.stderr, run
    assert (lower / "a").exists()


def test_a_file_and_standard_output_are_two(caller):
    lower, place = tree(caller), caller.directory()
    caller.file(place / "z")
    options = ["--result", "z", "--changes", "-"]
    with open(place / "z", "w") as out:
        run = caller.shell(writable(caller) + overlay(lower), "true", options=options, cwd=place, stdout=out)
    assert run.status == 125 and "--changes FD:1: is the file of --result" in run.stderr, run
    caller.file(place / "other")
    os.link(place / "z", place / "linked")
    for changes in ("other", "linked"):
        options = ["--result", "z", "--changes", changes]
        caller.shell(writable(caller) + overlay(lower), "rm /src/a", options=options, cwd=place).ok
        assert (place / changes).read_text() == "D /src/a\n" and json.loads((place / "z").read_text())["exit"] == 0


def test_a_descriptor_for_changes_is_not_the_commands(caller):
    lower = tree(caller)
    os.dup2(os.open("/dev/null", os.O_WRONLY), 157)
    try:
        run = caller.shell(overlay(lower) + "[process]\nfds = [157]\n", "true", options=["--changes", "FD:157"], pass_fds=(157,))
    finally:
        os.close(157)
    assert run.status == 125 and "descriptor 157 is for --changes" in run.stderr


# The verbs' words


def test_which_overlay_is_meant(caller):
    lower, one, two = tree(caller), caller.directory(), caller.directory()
    second = kept(two, lower).replace('"/src"', '"/other"')
    spec = caller.spec(writable(caller) + kept(one, lower) + second)
    caller.shell(spec, "echo x > /src/a; echo y > /other/b").ok
    run = caller.verb("diff", spec)
    assert run.status == 125 and 'hint: name one of "/src", "/other"' in run.stderr, run
    assert caller.verb("diff", spec, "/src").stdout == "M a\n" and caller.verb("diff", spec, "/other").stdout == "A b\n"
    assert caller.verb("diff", spec, "/no").status == 125
    run = caller.verb("diff", caller.spec(overlay(lower)))
    assert run.status == 125 and "keeps no changes" in run.stderr and "immure run --changes -" in run.stderr
    run = caller.shell(writable(caller) + overlay(lower), "echo x >> /src/a", options=["--changes", "-"])
    assert run.stdout == "M /src/a\n"


def test_a_failed_change_says_which_and_the_next_apply_goes_on(user):
    if os.getuid() != 0:
        pytest.skip("needs another's directory")
    lower, place = tree(user), user.directory()
    spec = spec_of(user, place, lower)
    user.shell(spec, "cd /src && echo x > a && echo x > d/x && echo x > e/new").ok
    os.chown(lower / "d", 0, 0)
    run = user.verb("apply", spec, "--force")
    assert run.status == 125 and "d/x: " in run.stderr and "hint: what was done stays done: immure apply again" in run.stderr, run
    os.chown(lower / "d", user.uid, user.gid)
    assert user.verb("apply", spec).status == 0 and (lower / "d/x").read_text() == "x\n" and (lower / "e/new").exists()
