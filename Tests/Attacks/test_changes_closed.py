"""What a launch keeps is out of reach of every other user of the host, from the moment that it is there: `apply` believes it."""

import os
import stat
import subprocess

import pytest

from harness.hints import gone, told
from harness.tree import files

#: An id that is nobody's account, and no jail's.
OTHER = 48999
ENTER = "other users of this host can enter"


def as_other(script, uid=OTHER):
    """What another user of the host does, outside of every jail."""
    return subprocess.run(
        ["/bin/sh", "-c", script], user=uid, group=uid, extra_groups=[], cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True)


@pytest.fixture(autouse=True)
def others():
    if os.getuid() != 0:
        pytest.skip("acts as another user")


@pytest.fixture
def shared(caller):
    """A tree with a directory for all that has the sticky bit, and one that has not."""
    lower = caller.directory()
    for name, mode in (("tmp", 0o1777), ("all", 0o777)):
        (lower / name).mkdir()
        (lower / name).chmod(mode)
        caller.own(lower / name)
    caller.file(lower / "tmp/conf", "mine\n")
    caller.file(lower / "all/conf", "mine\n", mode=0o666)
    return lower


def own_spec(caller, place, lower):
    """A jail whose user is the caller, or for root nobody that anything outside belongs to."""
    owner = f"[identity]\nuser = {OTHER + 1}\ngroup = {OTHER + 1}\n" if caller.is_root else ""
    mount = f'[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{lower}"]\nupper = "{place}/changes"\nwork = "{place}/work"\n'
    return caller.spec(owner + mount)


CHANGE = "cd /src; echo new >tmp/new; echo new >all/new; echo changed >all/conf"
PLANT = "cd {0} || exit 1; for d in tmp all; do echo EVIL >$d/evil; echo EVIL >$d/conf; mknod $d/new c 0 0; rm -f $d/new; mv $d other; done"


def reached(place):
    """Whether another user gets anywhere below upper or work."""
    return [
        path for path in (place / "changes", place / "work", place / "work/upper", place / "changes/tmp", place / "changes/all/conf")
        if as_other(f"ls -A {path}/ || cat {path}").returncode == 0
    ]


def test_nobody_else_comes_to_what_is_kept(caller, shared):
    """Neither while the jail runs nor afterwards, though its directories are open to all."""
    place = caller.directory()
    spec = own_spec(caller, place, shared)
    jail = caller.start(spec, "/bin/sh", "-c", f"{CHANGE}; echo up; read x", stdin=subprocess.PIPE)
    assert jail.stdout.readline() == b"up\n"
    try:
        during = reached(place), as_other(PLANT.format(place / "changes")).returncode
    finally:
        end = caller.finish(jail, stdin=b"\n")
    assert end.ok and during[0] == [] and during[1] != 0, during
    kept = files(place / "work/upper")
    assert (place / "changes/all/conf").read_text() == "changed\n" and reached(place) == []
    as_other(PLANT.format(place / "changes"))
    assert files(place / "work/upper") == kept
    caller.verb("apply", spec).ok
    found = {name: content for name, (_, content) in files(shared).items()}
    assert found["tmp/conf"] == b"mine\n" and found["all/conf"] == b"changed\n" and not [name for name in found if "evil" in name], found


def test_the_jails_user_comes_to_it_by_the_jail_alone(root, shared):
    """Outside, a process of the same user could delete what others have in a sticky directory: a whiteout is anybody's to make."""
    place = root.directory()
    spec = own_spec(root, place, shared)
    root.run(spec, "/bin/sh", "-c", "echo new >/src/tmp/new").ok
    assert as_other(f"mknod {place}/changes/tmp/conf c 0 0", OTHER + 1).returncode != 0
    root.verb("apply", spec).ok
    assert (shared / "tmp/conf").read_text() == "mine\n" and (shared / "tmp/new").read_text() == "new\n"


@pytest.mark.parametrize("mode", [0o755, 0o1777, 0o750])
def test_the_jail_sees_the_mode_of_its_directory(caller, mode):
    lower, place = caller.directory(), caller.directory()
    lower.chmod(mode)
    for _ in range(2):
        run = caller.shell(own_spec(caller, place, lower).read_text(), "stat -c '%a %F' /src /src/..; cd / && stat -c %a src")
        assert run.ok.stdout.split("\n")[0] == f"{mode:o} directory", run
    assert stat.S_IMODE((place / "changes").stat().st_mode) == mode


def test_upper_and_work_that_are_there_and_empty_are_closed(caller, shared):
    """Who stands in such a directory already is left with one that is gone."""
    place = caller.directory()
    for name in ("changes", "work"):
        (place / name).mkdir()
        (place / name).chmod(0o755)
        caller.own(place / name)
    (place / "changes").chmod(0o777)
    stands = os.open(place / "changes", os.O_RDONLY | os.O_DIRECTORY)
    spec = own_spec(caller, place, shared)
    try:
        caller.shell(spec, CHANGE).ok
        subprocess.run(
            ["/bin/sh", "-c", f"cd /proc/self/fd/{stands} && echo EVIL >evil"], pass_fds=[stands], user=OTHER, group=OTHER, extra_groups=[],
            capture_output=True)
    finally:
        os.close(stands)
    assert reached(place) == [] and stat.S_IMODE((place / "work").stat().st_mode) == 0o700
    assert stat.S_IMODE((place / "changes").stat().st_mode) == 0o777
    caller.verb("apply", spec).ok
    assert (shared / "all/conf").read_text() == "changed\n" and not (shared / "evil").exists()
    assert os.listdir(place / "changes") == [] and os.listdir(place / "work") == ["work"]


@pytest.mark.parametrize("shut", ["parent", "above"])
def test_where_the_way_is_closed_upper_is_the_directory_itself(caller, shared, shut):
    place = caller.directory(mode=0o700)
    if shut == "above":
        place = place / "deep"
        place.mkdir()
        caller.own(place)
    spec = own_spec(caller, place, shared)
    caller.shell(spec, CHANGE).ok
    assert not (place / "changes").is_symlink() and "upper" not in os.listdir(place / "work") and reached(place) == []
    caller.verb("apply", spec).ok
    assert os.listdir(place / "changes") == []


@pytest.mark.parametrize("inside", [False, True])
def test_what_others_may_have_changed_is_not_applied(caller, shared, inside):
    """The way to what is kept was opened, or an older version has left it open."""
    place = caller.directory(mode=0o755 if inside else 0o700)
    spec = own_spec(caller, place, shared)
    caller.shell(spec, CHANGE).ok
    opened = place / "work" if inside else place
    opened.chmod(0o755)
    before = files(shared)
    for act in (lambda: caller.verb("apply", spec), lambda: caller.shell(spec, "true")):
        run = act()
        assert ENTER in run.stderr and files(shared) == before, run
        assert f"chmod 700 {opened}" in told(run, "look at it (immure diff SPEC), then close the way to it: chmod 700 {}")
    assert caller.verb("diff", spec).status == 1
    opened.chmod(0o700)
    assert ENTER not in caller.shell(spec, "true").ok.stderr
    gone(caller.verb("apply", spec))
    assert (shared / "all/conf").read_text() == "changed\n"


def test_what_lies_in_a_directory_of_all_is_not_applied_before_it_is_moved(root, user, shared):
    lower, place = user.directory(), user.directory(mode=0o700)
    lower.chmod(0o777)
    spec = own_spec(user, place, lower)
    user.shell(spec, "echo new >/src/new").ok
    os.chown(place, 0, 0)
    place.chmod(0o1777)
    told(user.verb("apply", spec), "look at it (immure diff SPEC), then move upper and work into a directory of mode 700, and name them there")
    assert not (lower / "new").exists()
    own = user.directory(mode=0o700)
    for name in ("changes", "work"):
        (place / name).rename(own / name)
    gone(user.verb("apply", own_spec(user, own, lower)))
    assert (lower / "new").read_text() == "new\n"


def test_a_directory_that_cannot_make_way(root, user):
    """What it is in is not the caller's to change."""
    lower, place = user.directory(), root.directory()
    for name in ("changes", "work"):
        (place / name).mkdir()
        user.own(place / name)
    spec = own_spec(user, place, lower)
    run = user.shell(spec, "true")
    told(run, "name an upper that does not exist yet, in a directory of your own")
    assert ENTER in run.stderr and not (place / "changes").is_symlink(), run
    gone(user.shell(own_spec(user, user.directory(), lower), "true"))


def test_what_others_may_have_changed_can_be_thrown_away(caller, shared):
    place = caller.directory(mode=0o700)
    spec = own_spec(caller, place, shared)
    caller.shell(spec, CHANGE).ok
    place.chmod(0o755)
    caller.verb("discard", spec).ok
    assert os.listdir(place / "changes") == []
    caller.shell(spec, CHANGE).ok
    assert reached(place) == [] and caller.verb("diff", spec).status == 1


def test_discard_leaves_both_names_and_the_next_launch_closes_them(caller, shared):
    place = caller.directory()
    spec = own_spec(caller, place, shared)
    for _ in range(2):
        caller.shell(spec, CHANGE).ok
        assert os.readlink(place / "changes") == "work/upper" and reached(place) == []
        caller.verb("discard", spec).ok
        assert not (place / "changes").is_symlink() and os.listdir(place / "changes") == os.listdir(place / "work") == []


def test_a_directory_for_the_changes_of_the_root_that_is_there_and_open(caller):
    small, place = caller.directory(), caller.directory()
    for name in ("usr", "etc", "proc", "dev", "tmp", "all"):
        (small / name).mkdir()
        caller.own(small / name)
    (small / "all").chmod(0o1777)
    for name in ("bin", "lib", "lib64", "sbin"):
        (small / name).symlink_to(f"usr/{name}")
    spec = caller.spec(f'[filesystem]\nroot = "{small}"\nchanges = "{place}"\nro = ["/usr"]\n')
    caller.shell(spec, "echo new >/all/new").ok
    assert as_other(f"ls {place}/upper/").returncode and (place / "upper/all/new").read_text() == "new\n"
    caller.verb("apply", spec).ok
    assert (small / "all/new").read_text() == "new\n"


@pytest.mark.parametrize("text", ["work/upper", "/nowhere/work/upper"])
def test_the_link_leads_immure_nowhere(caller, shared, text):
    """Whatever stands in its place is not followed."""
    place, victim = caller.directory(), caller.directory()
    caller.file(victim / "precious", "mine\n")
    spec = own_spec(caller, place, shared)
    caller.shell(spec, CHANGE).ok
    (place / "changes").unlink()
    (place / "changes").symlink_to(text)
    assert caller.verb("diff", spec).status == 1
    (place / "changes").unlink()
    (place / "changes").symlink_to(victim)
    for run in (caller.verb("apply", spec), caller.verb("discard", spec), caller.shell(spec, "true")):
        assert run.status == 125 and f"upper: {place}/changes is a symbolic link" in run.stderr, run
    (place / "changes").unlink()
    caller.verb("apply", spec).ok
    assert (victim / "precious").read_text() == "mine\n" and (shared / "all/conf").read_text() == "changed\n"


KILLED = {
    "before upper was whole": lambda place: (place / "work/upper").rename(place / "work/.upper"),
    "before the link was there": lambda place: (place / "changes").unlink(),
    "before a directory made way for the link": lambda place: ((place / "changes").unlink(), (place / "changes").mkdir()),
}


@pytest.mark.parametrize("when", KILLED)
def test_a_launch_that_was_killed_before_all_was_there_is_gone_on_with(caller, shared, when):
    place = caller.directory()
    spec = own_spec(caller, place, shared)
    caller.shell(spec, "true").ok
    (place / "work/immure.json").unlink()
    KILLED[when](place)
    for name in ("changes", "work/upper", "work/.upper"):
        if (place / name).exists() and not (place / name).is_symlink():
            caller.own(place / name)
    caller.shell(spec, CHANGE).ok
    assert os.listdir(place / "work").count(".upper") == 0 and os.readlink(place / "changes") == "work/upper"
    caller.verb("apply", spec).ok
    assert (shared / "all/conf").read_text() == "changed\n"


def test_nothing_is_moved_where_nothing_is_recorded(caller, shared):
    """`record = false`: upper is what somebody else has put there, as bwrap's --overlay has it."""
    place = caller.directory()
    for name in ("changes", "work"):
        (place / name).mkdir()
        caller.own(place / name)
    spec = caller.spec(own_spec(caller, place, shared).read_text() + "record = false\n")
    caller.shell(spec, "echo new >/src/all/new").ok
    assert not (place / "changes").is_symlink() and (place / "changes/all/new").read_text() == "new\n"


def test_the_layers_apart_are_refused_as_ever(caller, shared):
    """In work upper would be on another file system than where its name is."""
    one, two = caller.directory(), caller.directory()
    subprocess.run(["mount", "-t", "tmpfs", "none", two], check=True)
    try:
        caller.own(two)
        text = own_spec(caller, one, shared).read_text().replace(f"{one}/work", f"{two}/work")
        run = caller.shell(text, "true")
        assert run.status == 125 and "nothing can be moved to it from work" in run.stderr, run
    finally:
        subprocess.run(["umount", two], check=True)


def test_what_somebody_puts_into_an_emptied_upper_is_said_and_can_be_moved_away(caller):
    """It is as open as what it is laid over: nobody is kept from it, and it keeps the owner from nothing."""
    lower, place = caller.directory(), caller.directory()
    lower.chmod(0o777)
    spec, upper = own_spec(caller, place, lower), place / "changes"
    caller.shell(spec, "echo new >/src/new").ok
    caller.verb("apply", spec).ok
    assert as_other(f"mkdir -p {upper}/evil/deep && echo EVIL >{upper}/evil/deep/x && chmod 700 {upper}/evil").returncode == 0
    for run in (caller.shell(spec, "true"), *(caller.verb(verb, spec) for verb in ("diff", "apply", "discard"))):
        assert "upper is not empty, and work has no immure.json that says what it changes" in run.stderr and f"{upper}/evil is " in run.stderr, run
        hint = told(run, "move it away, and the next launch makes another: mv -T {} {}")
    command = hint.partition("another: ")[2]
    user = None if caller.is_root else caller.uid
    assert subprocess.run(["/bin/sh", "-c", command], user=user, group=user and caller.gid, extra_groups=[] if user else None).returncode == 0
    gone(caller.shell(spec, "test ! -e /src/evil && echo again >/src/again"))
    gone(caller.verb("apply", spec))
    assert (lower / "again").read_text() == "again\n" and not (lower / "evil").exists()
