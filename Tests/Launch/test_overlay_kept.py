"""Overlays that keep their changes: where they land, what must not see them, and what is refused with its cause."""

import json
import os
import shutil
import subprocess
import time

import pytest

from harness import linux
from harness.hints import gone, told
from harness.patience import patient
from test_overlay import overlay, picture, submount, tree, writable  # noqa: F401


def kept(place, lower=None, more=""):
    """An overlay of a directory whose changes go to `changes` beside it, or inside it."""
    lower = lower or place
    return overlay(lower, f'upper = "{place}/changes"\nwork = "{place}/changes.work"\n{more}')


def record(place):
    return json.loads((place / "changes.work/immure.json").read_text())


def test_changes_stay_and_the_next_launch_goes_on_with_them(caller):
    lower, place = tree(caller), caller.directory()
    before = picture(lower)
    spec = writable(caller) + kept(place, lower)
    caller.shell(spec, "cd /src && echo more >> a && rm -r d && mkdir d && echo new > new").ok
    assert (place / "changes/a").read_text() == "a\nmore\n"
    assert caller.shell(spec, "cat /src/a /src/new; ls -A /src/d").ok.stdout == "a\nmore\nnew\n"
    assert picture(lower) == before


def test_immure_makes_upper_and_work_and_says_what_they_are(caller):
    lower, place = tree(caller), caller.directory()
    lower.chmod(0o2750)
    started = time.time_ns()
    caller.shell(writable(caller) + kept(place, lower), "true").ok
    upper = (place / "changes").stat()
    assert (oct(upper.st_mode), upper.st_uid, upper.st_gid) == ("0o42750", caller.uid, caller.gid)
    found, state = record(place), lower.stat()
    assert found["lowers"] == [[state.st_dev, state.st_ino]]
    assert found["attributes"] == ("trusted" if caller.is_root else "user")
    assert abs(found["start"] - started) < 20 * 10**9 and not found["applying"]


def test_the_start_stays_as_long_as_there_are_changes(caller):
    lower, place = tree(caller), caller.directory()
    spec = writable(caller) + kept(place, lower)
    caller.shell(spec, "echo x > /src/a").ok
    first = record(place)
    caller.shell(spec, "echo y > /src/a").ok
    second = record(place)
    assert second["start"] == first["start"] and second["launched"] > first["launched"]


# S03


@pytest.mark.parametrize("below", ["", "deep/down/"])
def test_s03_upper_and_work_inside_the_lower_are_out_of_sight(caller, below):
    lower = tree(caller)
    place = lower
    for name in filter(None, below.split("/")):
        place = place / name
        place.mkdir(mode=0o750)
        caller.own(place)
    subprocess.run(["git", "init", "-q", str(lower)], check=True)
    subprocess.run(["chown", "-R", f"{caller.uid}:{caller.gid}", str(lower / ".git")], check=True)
    spec = writable(caller) + kept(place, lower)
    script = "cd /src && git -c safe.directory=/src status --porcelain >/dev/null && find . >/tmp/l && tar cf /tmp/t . && ! grep changes /tmp/l"
    script += " && echo x > new && stat -c %a . deep/down 2>/dev/null; true"
    for _ in range(2):
        run = caller.shell(spec, script)
        assert run.ok and run.stderr == "", run
        assert run.stdout.split()[1:] == (["750"] if below else []), run
    assert (place / "changes/new").read_text() == "x\n"


# S04


@pytest.mark.parametrize("name", ["a:b", "a,b", "back\\slash", 'quo"te', "new\nline", "ü"])
def test_s04_upper_and_work_with_such_names(caller, name):
    lower, place = tree(caller), caller.directory()
    upper, work = json.dumps(str(place / name)), json.dumps(str(place / (name + ".work")))
    spec = writable(caller) + overlay(lower, f"upper = {upper}\nwork = {work}")
    caller.shell(spec, "echo x > /src/a").ok
    assert (place / name / "a").read_text() == "x\n"


# S06 to S10


def test_s08_an_upper_on_an_overlay_is_refused(caller):
    if os.getuid() != 0:
        pytest.skip("mounts")
    lower, place = tree(caller), caller.directory()
    names = [place / each for each in ("l", "u", "w", "view")]
    for each in names:
        each.mkdir()
        caller.own(each)
    linux.mount("overlay", names[3], "overlay", 0, f"lowerdir={names[0]},upperdir={names[1]},workdir={names[2]}")
    try:
        run = caller.shell(writable(caller) + kept(names[3], lower), "true")
        assert run.status == 125 and "upper: it is on overlay, which cannot hold the changes" in run.stderr, run
        caller.shell(writable(caller) + overlay(lower), "echo x > /src/a").ok
    finally:
        linux.umount(names[3])


def test_s09_a_second_launch_is_refused_and_names_the_first(caller):
    lower, place = tree(caller), caller.directory()
    spec = caller.spec(writable(caller) + kept(place, lower))
    first = caller.start(spec, "/bin/sh", "-c", "echo up; read x", stdin=subprocess.PIPE)
    try:
        assert first.stdout.readline() == b"up\n"
        run = caller.shell(spec, "true")
        assert run.status == 125 and f"in use by process {record(place)['process']}" in run.stderr, run
        assert "give this jail upper and work of its own" in run.stderr
        other = caller.directory()
        caller.shell(writable(caller) + kept(other, lower), "true").ok
    finally:
        caller.finish(first, stdin=b"\n")
    caller.shell(spec, "true").ok


@pytest.mark.skipif(os.getuid() != 0, reason="mounts")
def test_s10_upper_and_work_that_nothing_can_be_moved_between(caller, submount):  # noqa: F811
    lower, place = tree(caller), caller.directory()
    for name in ("one", "two"):
        submount(place / name)
        os.chown(place / name, caller.uid, caller.gid)
    text = f'upper = "{place}/one/changes"\nwork = "{place}/two/changes.work"'
    run = caller.shell(writable(caller) + overlay(lower, text), "true")
    assert run.status == 125 and "nothing can be moved to it from work" in run.stderr, run
    text = f'upper = "{place}/one/changes"\nwork = "{place}/one/changes.work"'
    caller.shell(writable(caller) + overlay(lower, text), "echo x > /src/a").ok


@pytest.mark.skipif(os.getuid() != 0, reason="mounts")
def test_a_file_system_without_such_attributes(caller):
    lower, place = tree(caller), caller.directory()
    (place / "ram").mkdir()
    linux.mount("ramfs", place / "ram", "ramfs", 0, "")
    try:
        os.chown(place / "ram", caller.uid, caller.gid)
        run = caller.shell(writable(caller) + kept(place / "ram", lower), "true")
        assert run.status == 125 and "keeps no attributes of that kind" in run.stderr, run
    finally:
        linux.umount(place / "ram")
    caller.shell(writable(caller) + kept(place, lower), "true").ok


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("chattr"), reason="needs chattr")
def test_a_view_that_the_kernel_made_read_only_is_refused(root):
    lower, place = tree(root), root.directory()
    root.shell(writable(root) + kept(place, lower), "true").ok
    stuck = place / "changes.work/work/work/stuck"
    stuck.mkdir()
    if subprocess.run(["chattr", "+i", str(stuck)], capture_output=True).returncode:
        pytest.skip("no such attribute here")
    try:
        run = root.shell(writable(root) + kept(place, lower), "true")
        assert run.status == 125 and "the kernel has made the overlay read-only" in run.stderr, run
        log = subprocess.run("dmesg | grep overlayfs", shell=True, capture_output=True, text=True).stdout
        assert "read-only" in log
    finally:
        subprocess.run(["chattr", "-i", str(stuck)], check=True)
    root.shell(writable(root) + kept(place, lower), "true").ok


# What would give another tree than the one that is meant


def test_changes_of_another_lower_are_refused(caller):
    lower, other, place = tree(caller), tree(caller), caller.directory()
    caller.shell(writable(caller) + kept(place, lower), "rm /src/a").ok
    run = caller.shell(writable(caller) + kept(place, other), "true")
    assert run.status == 125 and "made over other directories than these" in run.stderr, run


def test_changes_of_root_are_not_a_users(root, user):
    lower, place = tree(user), root.directory()
    lower.chmod(0o777)
    root.shell(writable(root) + kept(place, lower), "rm /src/a").ok
    subprocess.run(["chown", "-R", f"{user.uid}:{user.gid}", str(place)], check=True)
    run = user.shell(kept(place, lower), "true")
    assert run.status == 125 and "were made by root, and what they delete would come back" in run.stderr, run


def test_an_upper_that_is_nobodys_list_of_changes_is_refused(caller):
    lower, place = tree(caller), caller.directory()
    for name in ("changes", "changes.work"):
        (place / name).mkdir()
        caller.own(place / name)
    caller.file(place / "changes/file", "x")
    run = caller.shell(writable(caller) + kept(place, lower), "true")
    assert run.status == 125 and "upper is not empty, and work has no immure.json" in run.stderr, run
    (place / "changes/file").unlink()
    caller.shell(writable(caller) + kept(place, lower), "true").ok


@pytest.mark.parametrize("what", ["changes", "changes.work", "", "lower"])
def test_what_can_be_written_to_past_the_overlay_is_refused(caller, what):
    place = caller.directory()
    lower = place / "lower"
    lower.mkdir()
    caller.own(lower)
    spec = writable(caller) + kept(place, lower)
    path = place / what
    run = caller.shell(spec + f'[filesystem]\nrw = ["{path}:/out"]\n', "true")
    assert run.status == 125 and "can be written to past the overlay, through /out" in run.stderr, run
    assert f"mount {path} read-only" in run.stderr
    path.mkdir(exist_ok=True)
    caller.own(path)
    caller.shell(spec + f'[filesystem]\nro = ["{path}:/out"]\n', "true").ok


def test_a_link_to_the_upper_is_seen_through(caller):
    lower, place, other = tree(caller), caller.directory(), caller.directory()
    (other / "link").symlink_to(place)
    spec = writable(caller) + kept(place, lower) + f'[filesystem]\nrw = ["{other}/link:/out"]\n'
    run = caller.shell(spec, "true")
    assert run.status == 125 and "can be written to past the overlay, through /out" in run.stderr, run


def test_a_writable_root_over_the_upper_is_refused(root):
    lower, place = tree(root), root.directory()
    text = f'[filesystem]\nroot = "{place}"\nwritable = true\n'
    run = root.shell(writable(root) + kept(place, lower) + text, "true")
    assert run.status == 125 and "as a part of the root" in run.stderr, run
    elsewhere = root.directory()
    (place / "src").mkdir()
    text += 'proc = false\ndev = "none"\ntmp = false\n[process]\ninit = false\n'
    run = root.run(writable(root) + kept(elsewhere, lower) + text, "/nothing")
    assert run.status == 127, run


def test_layers_that_are_one_directory_are_refused(caller):
    place, other = caller.directory(), tree(caller)
    for name in ("up", "work"):
        (place / name).mkdir()
        caller.own(place / name)
    (place / "link").symlink_to("up")
    text = f'upper = "{place}/up"\nwork = "{place}/work"'
    run = caller.shell(writable(caller) + overlay(place / "link", text), "true")
    assert run.status == 125 and "hint: keep lower, upper and work apart" in run.stderr, run
    caller.shell(writable(caller) + overlay(other, text), "true").ok


def test_a_parent_that_is_missing(caller):
    lower, place = tree(caller), caller.directory()
    spec = writable(caller) + kept(place / "not/there", lower)
    run = caller.shell(spec, "true")
    assert run.status == 125 and f"hint: make it: mkdir -p {place}/not/there/changes" in run.stderr, run
    (place / "not/there").mkdir(parents=True)
    for each in (place / "not", place / "not/there"):
        caller.own(each)
    caller.shell(spec, "true").ok


def test_the_lock_is_gone_with_a_killed_launcher(caller):
    lower, place = tree(caller), caller.directory()
    spec = caller.spec(writable(caller) + kept(place, lower))
    first = caller.start(spec, "/bin/sh", "-c", "echo up; sleep 100")
    assert first.stdout.readline() == b"up\n"
    first.kill()
    caller.finish(first)
    deadline = time.monotonic() + patient(10)
    while (run := caller.shell(spec, "true")).status and time.monotonic() < deadline:
        time.sleep(0.02)
    assert run.ok


@pytest.mark.parametrize("verb", ["run", "diff", "apply", "discard"])
def test_another_upper_at_its_path_is_refused(caller, verb):
    """What the record says is said of the directory that the changes went to."""
    lower, place = tree(caller), caller.directory()
    spec = caller.spec(writable(caller) + kept(place, lower))
    caller.shell(spec, "rm /src/a").ok
    (place / "changes").rename(place / "aside")
    (place / "changes").mkdir(mode=0o700)
    caller.own(place / "changes")
    caller.file(place / "changes/precious", "x")
    act = {"run": lambda: caller.shell(spec, "true")}.get(verb, lambda: caller.verb(verb, spec))
    told(act(), "put that one back, or name an upper and a work of their own, which immure makes")
    assert (place / "changes/precious").read_text() == "x" and (lower / "a").exists()
    (place / "changes/precious").unlink()
    (place / "changes").rmdir()
    (place / "aside").rename(place / "changes")
    gone(act(), status=1 if verb == "diff" else 0)
