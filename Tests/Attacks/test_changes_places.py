"""`apply` where somebody has put another directory in the place of one that the jail has seen, or of one that apply makes things in."""

import json
import os
import re
import shutil
import struct

import pytest

from harness.tree import files
from test_changes_beside import applied_beside_a_racer
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
    ends = applied_beside_a_racer(root, user, built, spec, lower / "a", "meant", 4)
    tally("applications beside whoever exchanges what is made", len(ends))
    found = [path.lstat() for path in (lower / "a").iterdir() if path.lstat().st_ino == before.st_ino]
    # It may have been removed as the empty directory that whoever has put it there could remove.
    assert all((was.st_uid, was.st_mode) == (before.st_uid, before.st_mode) for was in found), found
    assert found or kind == "empty directory"


@pytest.mark.parametrize("how", ["group", "list"])
def test_a_file_that_a_group_or_a_list_closes_becomes_nobodys(root, user, how):
    """A jail's user whom only a supplementary group, or an access control list, keeps from reading."""
    lower, place = root.directory(), root.directory()
    (lower / "a").mkdir()
    user.own(lower / "a")
    user.file(lower / "a/mine", "mine\n")
    secret = lower / "a/secret"
    secret.write_text("secret\n")
    os.chown(secret, 49999, 49998)
    secret.chmod(0o604 if how == "group" else 0o644)
    text = spec_of(place, lower, user)
    if how == "group":
        text = text.replace(f"group = {user.gid}\n", f"group = {user.gid}\ngroups = [49998]\n")
    else:
        # acl(5): user::rw-, user:UID:---, group::r--, mask::r--, other::r--
        entries = [(1, 6, 0xFFFFFFFF), (2, 0, user.uid), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF)]
        os.setxattr(secret, "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries))
    spec = root.spec(text)
    assert root.run(spec, "/bin/sh", "-c", "cd /src/a; cat secret || mv -f secret mine").stdout == ""
    run = root.verb("apply", spec)
    assert run.status != 0 and "a/mine: it is uid 49999's, and not for others to read" in run.stderr, run
    assert (lower / "a/mine").read_text() == "mine\n"


def test_what_cannot_be_moved_back_is_not_removed(root, user):
    """An apply was killed, or could not go on, between an exchange and the look at what it has brought."""
    lower, place = root.directory(), root.directory()
    (lower / "a").mkdir()
    user.own(lower / "a")
    text = spec_of(place, lower, user)
    spec = root.spec(text)
    root.run(spec, "/bin/sh", "-c", "echo new >/src/a/new").ok
    record, draft = place / "work/immure.json", ".immure.apply.0123456789abcdef"
    record.write_text(json.dumps({**json.loads(record.read_text()), "applying": True, "draft": draft}))
    left = lower / "a" / draft / "taken.1"
    left.mkdir(parents=True)
    left.parent.chmod(0o700)
    (left / "key").write_text("secret\n")
    assert root.verb("apply", spec).status == 0
    assert (left / "key").read_text() == "secret\n" and (lower / "a/new").read_text() == "new\n"


@pytest.mark.parametrize("mode, refused", [(0o755, False), (0o775, False), (0o777, True), (0o1777, True)])
def test_an_ordinary_users_directory_that_others_may_have_exchanged_is_a_conflict(user, mode, refused):
    """What the upper has is no word of which directory it was; whoever is not of the owner's own group may write above it."""
    lower, place = user.directory(), user.directory()
    for name, bits in (("a", mode), ("a/pub", 0o755), ("a/priv", 0o700)):
        (lower / name).mkdir()
        (lower / name).chmod(bits)
    for name in ("a/pub/log", "a/priv/log"):
        user.file(lower / name, "log\n")
    for name in ("a/pub", "a/priv", "."):
        user.own(lower / name)
    user.own(lower / "a")
    (lower / "a").chmod(mode)
    mount = f'[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{lower}"]\nupper = "{place}/changes"\nwork = "{place}/work"\n'
    spec = user.spec(mount)
    user.run(spec, "/bin/sh", "-c", "echo EVIL >/src/a/pub/log").ok
    exchange(lower / "a/pub", lower / "a/priv")
    run = user.verb("apply", spec)
    assert (run.status == 1 and "another directory there" in run.stderr) == refused, run


def test_a_new_directory_keeps_the_group_that_its_directory_gives(user):
    lower, place = user.directory(), user.directory()
    (lower / "s").mkdir()
    user.own(lower / "s")
    (lower / "s").chmod(0o2775)
    mount = f'[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{lower}"]\nupper = "{place}/changes"\nwork = "{place}/work"\n'
    user.shell(mount, "mkdir -p /src/s/d/e; chmod 555 /src/s/d/e").ok
    assert user.verb("apply", user.spec(mount)).status == 0
    assert [(lower / name).stat().st_mode & 0o2777 for name in ("s/d", "s/d/e")] == [0o2755, 0o2555]


def test_what_only_a_group_of_roots_opens_stays_closed_to_the_owner_of_the_tree(root, user):
    """Root acts as that owner; a group that root is in, and he is not, is no right of his."""
    lower, place = root.directory(), root.directory()
    (lower / "closed").mkdir()
    log = lower / "closed/log"
    log.write_text("log\n")
    for path, mode in ((log, 0o664), (log.parent, 0o770)):
        os.chown(path, 0, 49998)
        path.chmod(mode)
    user.own(lower)
    spec = root.spec(spec_of(place, lower, user).replace(f"group = {user.gid}\n", f"group = {user.gid}\ngroups = [49998]\n"))
    root.run(spec, "/bin/sh", "-c", "echo EVIL >/src/closed/log").ok
    run = root.verb("apply", spec, extra_groups=[0, 49998])
    assert run.status == 125 and "closed/log: openat: EACCES" in run.stderr, run
    assert (log.read_text(), log.stat().st_uid, os.listdir(log.parent)) == ("log\n", 0, ["log"])


def test_an_inode_number_that_is_used_again_is_another_directory(root, user):
    """An apply of some changes has made a directory, which is gone; a closed one of somebody else's has its number and its name."""
    lower, place = root.directory(), root.directory()
    (lower / "a").mkdir()
    user.own(lower / "a")
    (lower / "a").chmod(0o1777)
    spec = root.spec(spec_of(place, lower, user))
    root.run(spec, "/bin/sh", "-c", "umask 077; mkdir /src/a/x; cd /src/a/x; echo one >one; echo KEYS >authorized").ok
    assert root.verb("apply", spec, "--", "a/x/one").status == 0
    made, placed = lower / "a/x", place / "work/immure.placed"
    was = made.stat().st_ino
    shutil.rmtree(made)
    made.mkdir(0o700)
    os.chown(made, 49999, 49999)
    # Which number is used again is the file system's to say: as though it were that one.
    text, count = re.subn(rf"(?m)^(\d+ \d+) {was}\b", rf"\g<1> {made.stat().st_ino}", placed.read_text())
    assert count
    placed.write_text(text)
    run = root.verb("apply", spec, "--", "a/x/authorized")
    assert run.status == 1 and "conflict: a/x/authorized: the original has a" in run.stderr, run
    assert os.listdir(made) == []


def test_an_apply_of_some_changes_knows_the_directory_that_another_has_made(root, user):
    lower, place = root.directory(), root.directory()
    (lower / "a").mkdir()
    user.own(lower / "a")
    spec = root.spec(spec_of(place, lower, user))
    root.run(spec, "/bin/sh", "-c", "mkdir /src/a/x; cd /src/a/x; echo one >one; echo two >two; echo three >three").ok
    for name in ("one", "two", "three"):
        assert root.verb("apply", spec, "--", f"a/x/{name}").status == 0
        assert (lower / "a/x" / name).read_text() == f"{name}\n"


def test_what_the_jail_puts_in_the_place_of_anothers_file_does_not_become_that_ones(root, user):
    """In a directory of the jail's user, as it would be without an overlay."""
    lower, place = root.directory(), root.directory()
    (lower / "a").mkdir()
    for name, owner in (("cfg", 0), ("theirs", 49999), ("moved", 49999), ("over", 0), ("open", 0)):
        (lower / "a" / name).write_text(f"{name}\n")
        (lower / "a" / name).chmod(0o666 if name == "open" else 0o644)
        os.chown(lower / "a" / name, owner, owner)
    user.own(lower / "a")
    spec = root.spec(spec_of(place, lower, user))
    script = "cd /src/a; for n in cfg theirs; do rm -f $n; echo EVIL >$n; chmod 666 $n; done; mv -f moved over; echo more >>open"
    root.run(spec, "/bin/sh", "-c", script).ok
    assert root.verb("apply", spec).status == 0
    found = {path.name: (path.stat().st_uid, path.read_text()) for path in (lower / "a").iterdir()}
    assert found == {
        "cfg": (user.uid, "EVIL\n"), "theirs": (user.uid, "EVIL\n"), "over": (49999, "moved\n"), "open": (0, "open\nmore\n")}


def test_names_of_drafts_that_somebody_has_taken_end_no_apply(root, user):
    """Since an apply was killed everybody knows them; what stands under them is left alone."""
    lower, place = root.directory(), root.directory()
    (lower / "a").mkdir()
    user.own(lower / "a")
    spec = root.spec(spec_of(place, lower, user))
    root.run(spec, "/bin/sh", "-c", "echo new >/src/a/new").ok
    record, draft = place / "work/immure.json", ".immure.apply.0123456789abcdef"
    record.write_text(json.dumps({**json.loads(record.read_text()), "applying": True, "draft": draft}))
    taken = [draft, *(f"{draft}.{number}" for number in range(1, 12))]
    for name in taken:
        (lower / "a" / name).mkdir()
        user.own(lower / "a" / name)
    run = root.verb("apply", spec)
    assert run.status == 0 and sorted(os.listdir(lower / "a")) == sorted([*taken, "new"]), run
