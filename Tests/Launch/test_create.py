"""create: a missing source is made as the command's user, and stays."""

import os
import stat

import pytest


def spec(place, more="create = true", identity=""):
    return f'{identity}[[mount]]\ntarget = "/data"\nsource = "{place}"\n{more}\n'


def test_a_directory_is_made_with_those_above_it(caller):
    place = caller.open_directory() / "new/er/est"
    script = "echo x >/data/f && cat /data/f && stat -c '%a %u' /data"
    assert caller.shell(spec(place), script).ok.stdout == f"x\n755 {caller.inside_uid}\n"
    assert (place / "f").read_text() == "x\n"
    for made in (place, place.parent, place.parent.parent):
        found = made.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (caller.inside_uid, caller.inside_gid, 0o755)
    # The next launch finds it there.
    assert caller.shell(spec(place), "cat /data/f").ok.stdout == "x\n"


@pytest.mark.parametrize("more, kind, mode", [
    ('create = true\nmode = "0700"', stat.S_ISDIR, 0o700), ('create = true\nmode = "3777"', stat.S_ISDIR, 0o3777),
    ('create = "file"', stat.S_ISREG, 0o644), ('create = "file"\nmode = "0600"', stat.S_ISREG, 0o600),
])
def test_its_kind_and_mode(caller, more, kind, mode):
    place = caller.directory() / "made"
    caller.shell(spec(place, more), "true").ok
    found = place.lstat()
    assert kind(found.st_mode) and stat.S_IMODE(found.st_mode) == mode and found.st_uid == caller.inside_uid


def test_what_is_there_stays(caller):
    place = caller.directory(0o711)
    caller.shell(spec(place, 'create = true\nmode = "0700"'), "true").ok
    assert stat.S_IMODE(place.stat().st_mode) == 0o711


def test_root_makes_it_for_the_user(root, user):
    place = root.directory() / "cache"
    root.shell(spec(place, identity=f'identity.user = "{user.login}"\n'), "echo x >/data/f").ok
    assert (place / "f").stat().st_uid == user.uid


def test_not_through_a_link_that_leads_nowhere(caller):
    place = caller.directory()
    os.symlink(place / "elsewhere", place / "link")
    run = caller.shell(spec(place / "link"), "true")
    assert run.status == 125 and "EEXIST" in run.stderr and not (place / "elsewhere").exists()


def test_check_and_plan_make_nothing(caller):
    place = caller.directory() / "made"
    path = caller.spec(spec(place, identity='command = ["true"]\n'))
    caller.verb("check", path).ok
    assert "make_source" in caller.verb("plan", path).ok.stdout
    assert not place.exists()


def test_with_ids_of_subuid(user):
    """The caller's own id has no name in that namespace: nothing could be made from inside."""
    place = user.open_directory() / "made"
    identity = 'identity = { user = 1, group = 1, uid_map = "auto", gid_map = "auto" }\n'
    user.shell(spec(place, identity=identity), "true").ok
    assert place.stat().st_uid == user.uid


def test_where_the_caller_may_not(user):
    run = user.shell(spec("/usr/immure-test/x"), "true")
    assert run.status == 125 and "make /usr/immure-test/x" in run.stderr and "EACCES" in run.stderr


def test_a02_nothing_is_made_by_a_link_of_the_jails_making(caller):
    """Run 1 puts a link where run 2 is to make a directory below: it would be made for the jail's user wherever that leads."""
    work, elsewhere = caller.open_directory(), caller.open_directory()
    shown = f'[filesystem]\nrw = ["{work}:/work"]\n'
    caller.shell(shown, f"ln -s {elsewhere} /work/cache").ok
    run = caller.shell(shown + spec(work / "cache/new"), "true")
    assert run.status == 125 and f"{work}/cache is a symbolic link" in run.stderr and "where the jail may write" in run.stderr, run
    assert not (elsewhere / "new").exists()
