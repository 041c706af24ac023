"""`apply` where somebody has put another directory in the place of one that the jail has seen, or of one that apply makes things in."""

import json
import os
import subprocess

import pytest

from harness.tree import files
from test_escapes import Swapper, exchange


def spec_of(place, lower, user):
    return (
        f"[identity]\nuser = {user.uid}\ngroup = {user.gid}\n[[mount]]\ntarget = \"/src\"\ntype = \"overlay\"\n"
        f'lower = ["{lower}"]\nupper = "{place}/changes"\nwork = "{place}/work"\n')


@pytest.fixture
def two(root, user):
    """A tree of root's with a directory of the user's, in which root has a directory that is open and one that is closed."""
    lower, place = root.directory(), root.directory()
    for name, mode in (("a", 0o755), ("a/pub", 0o777), ("a/priv", 0o700)):
        (lower / name).mkdir()
        (lower / name).chmod(mode)
    user.own(lower / "a")
    user.file(lower / "a/pub/log", "log\n")
    for name in ("log", "key"):
        (lower / "a/priv" / name).write_text("secret\n")
        (lower / "a/priv" / name).chmod(0o600)
    return lower, root.spec(spec_of(place, lower, user))


SCRIPTS = {
    "written": "echo EVIL >/src/a/pub/log",
    "deleted": "rm /src/a/pub/log",
    "made anew": "rm -r /src/a/pub && mkdir /src/a/pub && echo EVIL >/src/a/pub/other",
    "gone": "rm -r /src/a/pub",
    "new": "mkdir /src/a/new && echo EVIL >/src/a/new/log",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_another_directory_in_the_place_of_one_is_a_conflict(root, two, script):
    lower, spec = two
    root.run(spec, "/bin/sh", "-c", SCRIPTS[script]).ok
    if script == "new":
        (lower / "a/priv").rename(lower / "a/new")
    else:
        exchange(lower / "a/pub", lower / "a/priv")
    before = files(lower)
    for options in (["--check"], [], ["--skip-conflicts"], []):
        run = root.verb("apply", spec, *options)
        assert run.status == (0 if options == ["--skip-conflicts"] else 1) and "conflict: a/" in run.stderr, run
        assert files(lower) == before
    if script == "new":
        (lower / "a/new").rename(lower / "a/priv")
    else:
        exchange(lower / "a/pub", lower / "a/priv")
    if script in ("written", "deleted", "new"):
        assert root.verb("apply", spec).status == 0
        assert (lower / "a/priv/key").read_text() == "secret\n"


def test_a_conflict_of_a_directory_outlives_an_apply_that_failed(root, two):
    """What an apply has begun is no leave to take another directory for its own."""
    lower, spec = two
    root.run(spec, "/bin/sh", "-c", "echo EVIL >/src/a/pub/log; mkdir /src/a/new; echo EVIL >/src/a/new/log").ok
    record = next(path for path in spec_places(spec) if path.name == "immure.json")
    record.write_text(json.dumps({**json.loads(record.read_text()), "applying": True, "draft": ".immure.apply.0123456789abcdef"}))
    exchange(lower / "a/pub", lower / "a/priv")
    before = files(lower)
    run = root.verb("apply", spec)
    assert run.status == 1 and "conflict: a/pub" in run.stderr and files(lower) == before, run


def spec_places(spec):
    line = next(line for line in open(spec) if line.startswith("work"))
    place = line.split('"')[1]
    return [type(spec)(place) / name for name in os.listdir(place)]


@pytest.mark.parametrize("mode", [0o775, 0o777])
def test_a_directory_under_the_drafts_name_keeps_what_is_in_it(caller, mode):
    """Whoever may write to a directory may give what is in it the name that a killed apply has left."""
    lower, place = caller.directory(), caller.directory()
    (lower / "spool/rd").mkdir(parents=True)
    caller.file(lower / "spool/rd/key", "secret\n", 0o600)
    for name, bits in (("spool/rd", 0o700), ("spool", mode)):
        (lower / name).chmod(bits)
    for path in (lower, lower / "spool", lower / "spool/rd"):
        caller.own(path)
    mount = f'[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{lower}"]\nupper = "{place}/changes"\nwork = "{place}/work"\n'
    spec = caller.spec(mount)
    if caller.is_root:
        os.chown(lower / "spool", 0, caller.inside_gid)
    caller.shell(mount, "mkfifo /src/spool/f").ok
    record, draft = place / "work/immure.json", ".immure.apply.0123456789abcdef"
    record.write_text(json.dumps({**json.loads(record.read_text()), "applying": True, "draft": draft}))
    (lower / "spool/rd").rename(lower / "spool" / draft)
    run = caller.verb("apply", spec)
    assert (lower / "spool" / draft / "key").read_text() == "secret\n", run
    assert run.status == 0 and (lower / "spool/f").is_fifo(), run


def test_nothing_is_put_into_a_directory_that_is_exchanged_meanwhile(root, user, tally):
    """The accomplice's directory and another user's closed one change places as long as root applies."""
    lower, place = root.directory(), root.directory()
    (lower / "a/x").mkdir(parents=True)
    (lower / "a/theirs").mkdir()
    (lower / "a/theirs").chmod(0o700)
    for name in ("a", "a/x"):
        user.own(lower / name)
    os.chown(lower / "a/theirs", 49999, 49999)
    spec = root.spec(spec_of(place, lower, user))
    for turn in range(12):
        root.run(spec, "/bin/sh", "-c", f"head -c 3000000 /dev/zero >/src/a/a{turn}; echo key{turn} >/src/a/x/keys").ok
        with Swapper(lower / "a/x", lower / "a/theirs"):
            ends = {root.verb("apply", spec).status for _ in range(3)}
        assert ends <= {0, 1, 125}
        theirs = next(path for path in (lower / "a").iterdir() if path.lstat().st_uid == 49999)
        assert list(theirs.iterdir()) == []
        if theirs.name == "x":
            exchange(lower / "a/x", lower / "a/theirs")
        assert root.verb("discard", spec).status == 0
    tally("applications beside an exchange of two users' directories", 36)


def test_a_file_that_the_jail_could_not_read_becomes_nobodys(root):
    """Its ids are the jail's, and the names that they have there are somebody else's on the host."""
    lower, place = root.directory(), root.directory()
    (lower / "d").mkdir()
    (lower / "d/secret").write_text("secret\n")
    (lower / "d/secret").chmod(0o600)
    os.chown(lower / "d", 301000, 301000)
    os.chown(lower / "d/secret", 301004, 301004)
    maps = "".join(f"{kind}_map = [{{ inside = 0, outside = 300000, count = 65536 }}]\n" for kind in ("uid", "gid"))
    spec = root.spec(spec_of(place, lower, root).replace(f"user = {root.uid}\ngroup = {root.gid}\n", f"user = 1000\ngroup = 1000\n{maps}"))
    assert root.run(spec, "/bin/sh", "-c", "cd /src/d; mv -f secret new; cat new").status == 1
    for options in ([], ["--force"]):
        run = root.verb("apply", spec, *options)
        assert run.status != 0 and "d/new: it is uid 301004's, and not for others to read, and would become uid 1004's" in run.stderr, run
        assert not (lower / "d/new").exists() and (lower / "d/secret").stat().st_uid == 301004


@pytest.mark.parametrize("make, kind", [("mkdir -m 777", "empty directory"), ("mkfifo -m 666", "fifo")])
def test_nobody_is_given_what_is_exchanged_for_a_draft(root, user, built, make, kind, tally):
    lower, place = root.directory(), root.directory()
    (lower / "a").mkdir()
    meant = lower / "a/meant"
    os.mkfifo(meant, 0o600) if kind == "fifo" else meant.mkdir(0o700)
    user.own(lower / "a")
    spec = root.spec(spec_of(place, lower, user))
    root.run(spec, "/bin/sh", "-c", f"umask 0; cd /src/a; for n in $(seq 150); do {make} n$n; done").ok
    before = meant.lstat()
    racer = user.popen([built("racer"), lower / "a", "meant"], stdout=subprocess.PIPE)
    assert racer.stdout.readline() == b"up\n"
    try:
        ends = [root.verb("apply", spec).status for _ in range(4)]
    finally:
        racer.kill()
        user.finish(racer)
    tally("applications beside whoever exchanges what is made", len(ends))
    found = [path.lstat() for path in (lower / "a").iterdir() if path.lstat().st_ino == before.st_ino]
    # It may have been removed as the empty directory that whoever has put it there could remove.
    assert all((was.st_uid, was.st_mode) == (before.st_uid, before.st_mode) for was in found), found
    assert found or kind == "empty directory"
