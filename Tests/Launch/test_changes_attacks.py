"""Changes that somebody else has put in the place of the caller's: no verb believes, applies or throws away what they name."""

import json
import os

import pytest

from harness.tree import files
from test_changes import spec_of
from test_overlay import overlay, picture, tree, writable
from test_overlay_kept import kept, record

WAY = "hint: keep the changes below a directory that only root can write to"
VERBS = ("run", "diff", "apply", "discard")


def each(caller, spec):
    """What `run` and the three verbs say."""
    for verb in VERBS:
        yield verb, caller.shell(spec, "true") if verb == "run" else caller.verb(verb, spec)


def victim(caller):
    """A directory that an attack is after, and what is in it."""
    place = caller.directory()
    caller.file(place / "precious", "mine\n")
    return place


def swap(place, one, two):
    """Links in the place of upper and work."""
    for name, target in (("changes", one), ("changes.work", two)):
        if (place / name).exists():
            (place / name).rename(place / f"{name}.old")
        (place / name).symlink_to(target)


def test_links_in_the_place_of_the_layers(caller):
    """The links are the caller's own: a jail that may write beside the layers can have made them."""
    lower, place, precious = tree(caller), caller.directory(), victim(caller)
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "echo x > /src/a").ok
    swap(place, precious, precious)
    for name in ("changes", "changes.work"):
        caller.own(place / name)
    for verb, run in each(caller, spec):
        assert run.status == 125 and "is a symbolic link, and changes are kept only in the directory itself" in run.stderr, (verb, run)
    assert (precious / "precious").read_text() == "mine\n"
    for name in ("changes", "changes.work"):
        (place / name).unlink()
        (place / f"{name}.old").rename(place / name)
    assert caller.verb("diff", spec).stdout == "M a\n"
    (place / "changes").rename(place / "real")
    (place / "changes").symlink_to("real")
    for verb, run in each(caller, spec):
        assert run.status == 125 and f"upper: {place}/changes is a symbolic link" in run.stderr, (verb, run)
    assert (place / "real/a").read_text() == "x\n"


def test_a_directory_of_another_user_with_links_in_it(root, user):
    """`filesystem.changes`: the user exchanges the whole directory."""
    place, precious, small = user.directory(), victim(root), root.directory()
    for name in ("usr", "etc", "proc", "dev", "tmp"):
        (small / name).mkdir()
    (place / "chg").mkdir()
    (place / "chg/upper").symlink_to(precious)
    (place / "chg/work").symlink_to(precious)
    for path in (place / "chg", place / "chg/upper", place / "chg/work"):
        user.own(path)
    spec = root.spec(f'[filesystem]\nroot = "{small}"\nchanges = "{place}/chg"\n')
    for verb, run in each(root, spec):
        assert run.status == 125 and f" belongs to uid {user.uid}, neither root nor the caller" in run.stderr, (verb, run)
    assert (precious / "precious").read_text() == "mine\n"


def test_root_keeps_no_changes_below_a_directory_of_another_user(root, user):
    lower, place, precious = tree(root), user.directory(), victim(root)
    spec = spec_of(root, place, lower)
    run = root.shell(spec, "true")
    assert run.status == 125 and f" belongs to uid {user.uid}, neither root nor the caller" in run.stderr and WAY in run.stderr, run
    assert os.listdir(place) == []
    swap(place, precious, precious)
    for verb, run in each(root, spec):
        assert run.status == 125 and WAY in run.stderr, (verb, run)
    assert (precious / "precious").read_text() == "mine\n"
    # As the hint says, with the tree of the user as the lower.
    lower, place = tree(user), root.directory()
    lower.chmod(0o777)
    spec = spec_of(root, place, lower)
    root.shell(spec, "echo x > /src/new").ok
    assert root.verb("apply", spec).status == 0 and (lower / "new").stat().st_uid == user.uid


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_root_keeps_no_changes_where_others_may_write(root, mode):
    lower, place = tree(root), root.directory()
    spec = spec_of(root, place, lower)
    root.shell(spec, "echo x > /src/a").ok
    place.chmod(mode)
    for verb, run in each(root, spec):
        assert run.status == 125 and f"{place} may be written by" in run.stderr and WAY in run.stderr, (verb, run)
    place.chmod(0o1777)  # nobody renames there what is another's
    assert root.verb("diff", spec).stdout == "M a\n"


def forged(lower, place, **more):
    """Layers as an attacker makes them: an upper that hides what is there, and the record for it."""
    (place / "changes/etcdir").mkdir(parents=True)
    (place / "changes.work").mkdir()
    (place / "changes/etcdir/sudoers").write_text("attacker ALL=(ALL) NOPASSWD: ALL\n")
    (place / "changes/etcdir/sudoers").chmod(0o440)
    os.setxattr(place / "changes/etcdir", "user.overlay.opaque", b"y")
    state = lower.stat()
    found = {
        "version": 1, "start": 4 * 10**18, "launched": 4 * 10**18, "process": 1, "lowers": [[state.st_dev, state.st_ino]],
        "attributes": "user", "users": [[0, 1000, 1]], "groups": [[0, 1000, 1]], "owner": [[7, 7]], "applying": False, **more,
    }
    (place / "changes.work/immure.json").write_text(json.dumps(found))


@pytest.fixture
def original(root):
    place = root.directory()
    (place / "etcdir").mkdir()
    root.file(place / "etcdir/passwd", "root\n")
    return place


def test_a_forged_upper_and_record(root, user, original):
    place, before = user.directory(), files(original)
    forged(original, place)
    for path in [place / "changes", place / "changes.work", *place.rglob("*")]:
        user.own(path)
    spec = spec_of(root, place, original)
    for verb, run in each(root, spec):
        assert run.status == 125 and WAY in run.stderr, (verb, run)
    assert files(original) == before and (place / "changes/etcdir/sudoers").exists()


@pytest.mark.parametrize("whose", ["changes.work", "changes.work/immure.json"])
def test_a_record_of_another_user(root, user, original, whose):
    """The way is root's, and what lies there is not."""
    place, before = root.directory(), files(original)
    forged(original, place)
    user.own(place / whose)
    spec = spec_of(root, place, original)
    for verb, run in each(root, spec):
        assert run.status == 125 and "is not the caller's, and the changes may be another user's" in run.stderr, (verb, run)
    assert files(original) == before and (place / "changes/etcdir/sudoers").exists()
    assert "hint: name another upper and work, which immure makes" in run.stderr
    root.shell(spec_of(root, root.directory(), original), "true").ok


def test_a_work_directory_of_another_user(root, user):
    """An ordinary user believes no other's either."""
    lower, place = tree(user), user.directory()
    spec = spec_of(user, place, lower)
    user.shell(spec, "echo x > /src/a").ok
    os.chown(place / "changes.work/immure.json", 0, 0)
    for verb, run in each(user, spec):
        assert run.status == 125 and "immure.json in work is not the caller's" in run.stderr, (verb, run)
    assert (place / "changes/a").read_text() == "x\n"
    user.own(place / "changes.work/immure.json")
    assert user.verb("discard", spec).status == 0 and os.listdir(place / "changes") == []


def test_a_record_and_a_work_directory_that_others_may_write(caller):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "echo x > /src/a").ok
    work = place / "changes.work"
    for path, told in ((work, f"hint: chmod go-w {work}"), (work / "immure.json", "immure.json in work may be written by everyone")):
        mode = path.stat().st_mode & 0o777
        path.chmod(mode | 0o022)
        for verb, run in each(caller, spec):
            assert run.status == 125 and "may be written by everyone" in run.stderr and told in run.stderr, (verb, run)
        path.chmod(mode)
    assert caller.verb("diff", spec).stdout == "M a\n"


@pytest.mark.parametrize("what", ["link", "fifo", "directory"])
def test_a_record_that_is_no_file(caller, what):
    lower, place, precious = tree(caller), caller.directory(), victim(caller)
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "echo x > /src/a").ok
    path = place / "changes.work/immure.json"
    if what == "link":
        path.rename(precious / "immure.json")
        path.symlink_to(precious / "immure.json")
    else:
        path.unlink()
        os.mkfifo(path) if what == "fifo" else path.mkdir()
    for verb, run in each(caller, spec):
        assert run.status == 125, (verb, run)
    assert (place / "changes/a").read_text() == "x\n"


def test_discard_throws_away_only_what_a_launch_has_kept(caller):
    """A misspelt upper is somebody's directory."""
    lower, place, precious = tree(caller), caller.directory(), victim(caller)
    work = caller.directory()
    spec = caller.spec(writable(caller) + overlay(lower, f'upper = "{precious}"\nwork = "{work}"\n'))
    for verb, run in each(caller, spec):
        assert run.status == 125 and "upper is not empty, and work has no immure.json that says what it changes" in run.stderr, (verb, run)
    assert (precious / "precious").read_text() == "mine\n"
    # With nothing in upper there is nothing to throw away, whatever is in work.
    spec = caller.spec(writable(caller) + overlay(lower, f'upper = "{work}"\nwork = "{precious}"\n'))
    assert caller.verb("discard", spec).status == 0 and (precious / "precious").read_text() == "mine\n"


def test_discard_goes_on_after_it_was_stopped(root, user):
    """The record is what goes last."""
    lower, place = tree(user), user.directory()
    spec = spec_of(user, place, lower)
    user.shell(spec, "rm /src/a").ok
    stuck = place / "changes.work/zzz"
    stuck.mkdir()
    root.file(stuck / "file")
    assert user.verb("discard", spec).status == 125
    assert json.loads((place / "changes.work/immure.emptying.json").read_text())["version"] == 1
    user.own(stuck)
    assert user.verb("discard", spec).status == 0
    assert os.listdir(place / "changes") == [] and os.listdir(place / "changes.work") == []
    assert user.verb("discard", spec).status == 0


def test_a_link_on_the_way(root, user):
    """Root follows its own links to the layers, and nobody else's."""
    lower, place, other = tree(root), root.directory(), root.directory()
    (other / "way").symlink_to(place)
    spec = root.spec(writable(root) + kept(other / "way", lower))
    root.shell(spec, "echo x > /src/a").ok
    assert root.verb("diff", spec).stdout == "M a\n"
    user.own(other / "way")
    for verb, run in each(root, spec):
        assert run.status == 125 and f"{other}/way is a symbolic link of uid {user.uid}" in run.stderr, (verb, run)
    assert (place / "changes/a").read_text() == "x\n"


def test_a_change_of_any_name_is_put_into_the_original(caller):
    """What apply makes a name under until it is whole is no name that the jail can take, nor one of the original's."""
    lower, place = tree(caller), caller.directory()
    caller.file(lower / ".immure.apply", "original\n")
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "echo x > /src/a; echo y > /src/d/.immure.apply; ls -A /src").ok
    assert caller.verb("apply", spec).status == 0
    assert (lower / ".immure.apply").read_text() == "original\n" and (lower / "d/.immure.apply").read_text() == "y\n"
    assert (lower / "a").read_text() == "x\n"
    assert not [name for name in os.listdir(lower) if name.startswith(".immure.apply.")]


def test_the_draft_of_a_killed_apply_is_removed(caller):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "echo x > /src/a; echo y > /src/new").ok
    path, draft = place / "changes.work/immure.json", ".immure.apply.0123456789abcdef"
    path.write_text(json.dumps({**record(place), "applying": True, "draft": draft}))
    (lower / draft).mkdir()
    caller.file(lower / draft / (draft + ".1"), "half")
    (lower / draft).chmod(0o700)
    caller.own(lower / draft)
    assert caller.verb("apply", spec, "/src", "--", "new").status == 0
    assert not (lower / draft).exists() and (lower / "new").read_text() == "y\n"
    assert "draft" not in record(place) and not record(place)["applying"]
    path.write_text(json.dumps({**record(place), "applying": True, "draft": ".immure.apply./../../a"}))
    run = caller.verb("apply", spec)
    assert run.status == 125 and "immure.json in the work directory cannot be read" in run.stderr, run


def test_a_link_of_the_jails_does_not_become_roots(root):
    lower, place = tree(root), root.directory()
    lower.chmod(0o777)
    spec = root.spec(kept(place, lower))
    root.shell(spec, "ln -s /etc/shadow /src/l; echo x > /src/new").ok
    assert root.verb("apply", spec).status == 0
    assert (lower / "l").lstat().st_uid == root.inside_uid and os.readlink(lower / "l") == "/etc/shadow"
    assert (lower / "new").stat().st_uid == root.inside_uid


def test_a_hole_of_the_jails_takes_no_room_in_the_original(caller):
    """A file of 1 GiB costs the jail, and its quota, nothing: it must not fill the disk that it is put into."""
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "cd /src && truncate -s 512M a && echo middle >>a && truncate -s 1G a && truncate -s 64M new").ok
    assert caller.verb("apply", spec, timeout=60).status == 0
    for name, size in (("a", 1 << 30), ("new", 64 << 20)):
        state = (lower / name).stat()
        assert state.st_size == size and state.st_blocks * 512 < 1 << 20, state
    with open(lower / "a", "rb") as file:
        file.seek(512 << 20)
        assert file.read(8) == b"middle\n\0"


NAMES = """
import os
for _ in range(120):
    os.mkdir("n" * 250)
    os.chdir("n" * 250)
for number in range(20000):
    open(str(number), "w").close()
"""


def test_names_without_end_cost_the_launcher_neither_its_memory_nor_the_result(caller):
    """20,000 empty files with paths of 30 KB each."""
    lower, result = tree(caller), caller.open_directory() / "result.json"
    code = "import os, resource, sys\nos.wait4(os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]), 0)\nprint(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    caller.wrapper = ("/usr/bin/python3", "-c", code)
    run = caller.run(
        'cwd = "/src"\n' + writable(caller) + overlay(lower), "/usr/bin/python3", "-c", NAMES + "os._exit(7)",
        options=["--result", result], timeout=60)
    answer = json.loads(result.read_text())
    assert answer["status"] == 7 and answer["changes"] is None and "cannot be listed" in run.stderr, (answer, run)
    assert int(run.stdout) < 150_000, run


TIMES = r"""
import ctypes, os, sys
class Time(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]
open("/src/new", "w").write("new\\n")
time = (Time * 2)(Time(int(sys.argv[1]), 900000000), Time(int(sys.argv[1]), 900000000))
assert ctypes.CDLL(None).utimensat(-100, b"/src/new", time, 0) == 0
sys.exit(7)
"""


@pytest.mark.parametrize("seconds", [9223372036, -9223372037, 15032385535, 2**63 - 1, -(2**63)])
def test_no_time_of_a_file_hides_what_was_changed(caller, seconds):
    """The times of a file are whatever the jail says: in nanoseconds they need not be a number of 64 bits."""
    lower, place, result = tree(caller), caller.directory(), caller.open_directory() / "result.json"
    words = ("/usr/bin/python3", "-c", TIMES, str(seconds))
    run = caller.run(writable(caller) + overlay(lower), *words, options=["--changes", "-", "--result", result])
    assert run.status == 7 and run.stdout == "A /src/new\n" and run.stderr == "", run
    assert json.loads(result.read_text())["changes"] == [{"change": "A", "path": "/src/new", "notes": []}]
    spec = spec_of(caller, place, lower)
    assert caller.run(spec, *words).status == 7
    kept = (place / "changes/new").stat().st_mtime_ns
    assert caller.verb("diff", spec).stdout == "A new\n"
    assert caller.verb("apply", spec).status == 0 and (lower / "new").stat().st_mtime_ns == kept
    assert caller.run(spec, *words).status == 7 and caller.verb("discard", spec).status == 0


def test_no_length_of_a_file_ends_an_apply(caller):
    """A file of holes is as long as its file system allows."""
    lower, place = tree(caller), caller.directory()
    code = """
import os
for name in ("/src/a", "/src/z", "/src/zz"):
    open(name, "w").write("new\\n")
size = 2**63 - 1
while size > 1 << 40:
    try:
        os.truncate("/src/z", size)
        break
    except OSError:
        size >>= 1
"""
    spec = spec_of(caller, place, lower)
    caller.run(spec, "/usr/bin/python3", "-c", code).ok
    assert caller.verb("diff", spec).stdout.splitlines() == ["M a", "A z", "A zz"]
    run = caller.verb("apply", spec)
    assert run.status == 0 and run.stderr == "", run
    assert (lower / "a").read_text() == (lower / "zz").read_text() == "new\n" and (lower / "z").stat().st_size > 1 << 40
    (lower / "z").unlink()


# A4: what the jail has closed to the caller


CLOSES = {
    "a directory": ("echo y >> d/x && chmod 0 d", ["m d", "M d/x"]),
    "a file": ("echo y >> a && echo s > s && chmod 0 a s", ["M a", "A s"]),
    "a file with the same bytes": ("chmod 0 a", ["m a"]),
    "directories in each other": ("mkdir -p q/r && echo q > q/r/q && chmod 0 q/r/q q/r q", ["A q", "A q/r", "A q/r/q"]),
    "a directory to read": ("mkdir n && echo n > n/n && chmod 555 n", ["A n", "A n/n"]),
    "one made anew": ("rm -r d && mkdir d && echo z > d/z && chmod 0 d", ["m d", "D d/x", "D d/y", "A d/z"]),
    "a link among them": ("mkdir q && ln -s /etc/passwd q/l && chmod 0 q", ["A q", "A q/l"]),
    "the root of all": ("echo y >> a && chmod 0 .", ["m .", "M a"]),
}


@pytest.mark.parametrize("closed", CLOSES)
def test_a4_what_is_closed_to_its_owner_is_listed_and_applied_with_its_mode(caller, closed):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    script, expected = CLOSES[closed]
    before = files(lower)
    caller.shell(spec, f"cd /src && {script}").ok
    left = files(place / "changes")
    run = caller.verb("diff", spec)
    assert run.status == 1 and run.stderr == "" and [line.split("\t")[0] for line in run.stdout.splitlines()] == expected, run
    assert files(place / "changes") == left and files(lower) == before
    run = caller.verb("apply", spec)
    assert run.status == 0 and run.stderr == "", run
    found = files(lower)
    for name, (mode, content) in left.items():
        assert name not in found or found[name] == (mode, content) or content == b"" and not os.path.lexists(lower / name), (name, found)
    assert {line.split()[1] for line in expected if not line.startswith("D")} <= {*found.keys(), "."}
    assert permissions(lower) == (permissions(place / "changes") if "m ." in expected else 0o755)
    assert os.listdir(place / "changes") == [] and caller.verb("diff", spec).stdout == ""


@pytest.mark.parametrize("closed", CLOSES)
def test_a4_what_is_closed_to_its_owner_is_listed_when_the_jail_ends(caller, closed):
    """The launcher is as closed to its own user as the jail's first process."""
    lower, result = tree(caller), caller.open_directory() / "result.json"
    script, expected = CLOSES[closed]
    run = caller.shell(writable(caller) + overlay(lower), f"cd /src && {script}", options=["--changes", "-", "--result", result])
    assert run.status == 0 and run.stderr == "", run
    wanted = [line.replace(" .", " /src") if line == "m ." else line.replace(" ", " /src/", 1) for line in expected]
    assert [line.split("\t")[0] for line in run.stdout.splitlines()] == wanted, run
    assert [f'{change["change"]} {change["path"]}' for change in json.loads(result.read_text())["changes"]] == wanted


def permissions(path):
    return path.stat().st_mode & 0o7777


def test_the_mode_of_the_root_is_a_change(caller):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "chmod 750 /src").ok
    caller.shell(spec, "stat -c %a /src").ok
    assert caller.verb("diff", spec).stdout == "m .\t(mode 0755 to 0750)\n" and permissions(lower) == 0o755
    (change,) = json.loads(caller.verb("diff", spec, "--json").stdout)
    assert change["path"] == "."
    assert caller.verb("discard", spec).status == 0
    assert permissions(place / "changes") == 0o755 and caller.verb("diff", spec).stdout == ""
    caller.shell(spec, "chmod 750 /src").ok
    assert caller.verb("apply", spec, "/src", "--", ".").status == 0
    assert permissions(lower) == 0o750 and caller.verb("diff", spec).stdout == ""


def test_the_hosts_mode_of_the_root_is_not_undone(caller):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "echo y >> /src/a").ok
    lower.chmod(0o750)
    assert caller.verb("diff", spec).stdout == "M a\n"
    caller.shell(spec, "chmod 711 /src").ok
    run = caller.verb("apply", spec)
    assert run.status == 1 and ".: changed in the original since the launch" in run.stdout + run.stderr and permissions(lower) == 0o750, run
    run = caller.verb("apply", spec, "--skip-conflicts")
    assert run.status == 0, run
    assert permissions(lower) == 0o750
    assert (lower / "a").read_text().endswith("y\n")


def noting(caller, spec, *notes, clear=()):
    """Has a jail set and remove extended attributes of the root of the overlay."""
    code = f"""
import os
for name in {notes!r}: os.setxattr("/src", "user." + name, name.encode() * 3)
for name in {clear!r}: os.removexattr("/src", "user." + name)
"""
    caller.python(spec, code)


def attributes(path):
    return sorted(name for name in os.listxattr(path) if not name.startswith(("user.overlay.", "trusted.", "security.")))


def test_attributes_of_the_root_are_a_change(caller):
    lower, place = tree(caller), caller.directory()
    os.setxattr(lower, "user.old", b"1\0\xff")
    spec = spec_of(caller, place, lower)
    noting(caller, spec, "new=", clear=["old"])
    caller.shell(spec, "true").ok
    assert caller.verb("diff", spec).stdout == "m .\t(extended attributes)\n" and attributes(lower) == ["user.old"]
    assert caller.verb("discard", spec).status == 0
    assert attributes(place / "changes") == ["user.old"] and os.getxattr(place / "changes", "user.old") == b"1\0\xff"
    assert caller.verb("diff", spec).stdout == ""
    noting(caller, spec, "new=", clear=["old"])
    assert caller.verb("apply", spec).status == 0
    assert attributes(lower) == ["user.new="] and os.getxattr(lower, "user.new=") == b"new=" * 3
    assert caller.verb("diff", spec).stdout == "" and permissions(lower) == 0o755
    run = caller.run(writable(caller) + overlay(lower), "/usr/bin/python3", "-c", "import os; os.removexattr('/src', 'user.new=')", options=["--changes", "-"])
    assert run.ok.stdout == "m /src\t(extended attributes)\n"


def test_what_the_host_has_made_of_the_root_is_not_undone_with_its_attributes(caller):
    """Neither a mode where the jail has set an attribute, nor an attribute where it has set a mode."""
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    noting(caller, spec, "jail")
    lower.chmod(0o711)
    assert caller.verb("apply", spec).status == 0 and permissions(lower) == 0o711 and attributes(lower) == ["user.jail"]
    place = caller.directory()
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "chmod 750 /src").ok
    os.setxattr(lower, "user.host", b"1")
    assert caller.verb("diff", spec).stdout == "m .\t(mode 0711 to 0750)\n"
    assert caller.verb("apply", spec).status == 0 and permissions(lower) == 0o750 and attributes(lower) == ["user.host", "user.jail"]
    place = caller.directory()
    spec = spec_of(caller, place, lower)
    noting(caller, spec, "jail2")
    os.setxattr(lower, "user.host", b"2")
    run = caller.verb("apply", spec)
    assert run.status == 1 and ".: changed in the original since the launch" in run.stderr and attributes(lower) == ["user.host", "user.jail"], run
    assert caller.verb("apply", spec, "--force").status == 0
    assert attributes(lower) == ["user.host", "user.jail", "user.jail2"] and os.getxattr(lower, "user.host") == b"1"


def test_the_owner_of_the_root_is_told_and_stays(root):
    """As that of any directory."""
    lower, place = tree(root), root.directory()
    ids = "[{ inside = 0, outside = 0, count = 65536 }]"
    spec = root.spec(f'[identity]\nuser = 0\ngroup = 0\nuid_map = {ids}\ngid_map = {ids}\n[capabilities]\nkeep = ["chown"]\n' + kept(place, lower))
    root.shell(spec, "chown 12:13 /src /src/d").ok
    assert root.verb("diff", spec).stdout == "m .\t(uid 0 to 12, gid 0 to 13)\nm d\t(uid 0 to 12, gid 0 to 13)\n"
    assert root.verb("discard", spec).status == 0 and (place / "changes").stat().st_uid == 0 and root.verb("diff", spec).stdout == ""
    root.shell(spec, "chown 12:13 /src /src/d").ok
    assert root.verb("apply", spec).status == 0 and root.verb("diff", spec).stdout == ""
    assert [(path.stat().st_uid, path.stat().st_gid) for path in (lower, lower / "d")] == [(0, 0)] * 2


def test_a_directory_keeps_giving_its_group(caller):
    lower, place = tree(caller), caller.directory()
    (lower / "d").chmod(0o2775)
    spec = spec_of(caller, place, lower)
    caller.shell(spec, "cd /src && chmod g-w d && mkdir n && chmod 2755 n").ok
    assert permissions(place / "changes/d") == 0o2755
    assert caller.verb("apply", spec).status == 0
    assert (permissions(lower / "d"), permissions(lower / "n")) == (0o2755, 0o755)


@pytest.mark.parametrize("closed", CLOSES)
def test_a4_what_is_closed_to_its_owner_is_thrown_away(caller, closed):
    lower, place = tree(caller), caller.directory()
    spec = spec_of(caller, place, lower)
    before = files(lower)
    caller.shell(spec, f"cd /src && {CLOSES[closed][0]}").ok
    run = caller.verb("discard", spec)
    assert run.status == 0 and run.stderr == "", run
    assert os.listdir(place / "changes") == [] and files(lower) == before


def test_a4_root_applies_closed_directories_as_the_trees_owner(root, user):
    lower, place = tree(user), root.directory()
    lower.chmod(0o777)
    spec = spec_of(root, place, lower)
    root.shell(spec, "cd /src && mkdir -p q/r && echo q > q/r/q && chmod 555 q/r && chmod 0 q").ok
    run = root.verb("apply", spec)
    assert run.status == 0 and run.stderr == "", run
    found = files(lower)
    assert (found["q"][0], found["q/r"][0], found["q/r/q"][1]) == ("0o40000", "0o40555", b"q\n")
    assert (lower / "q/r/q").stat().st_uid == user.uid


def test_a4_the_files_of_others_stay_closed(user):
    """Nothing but the caller's own ids is in the namespace that goes over modes."""
    lower, place = tree(user), user.directory()
    spec = spec_of(user, place, lower)
    user.shell(spec, "cd /src && echo n > n && mkdir q && chmod 0 q").ok
    (place / "changes/q/theirs").mkdir(mode=0o700)
    run = user.verb("diff", spec)
    assert run.status == 125 and "EACCES" in run.stderr and "theirs" in run.stderr and run.stdout == "", run


class TestWhoseItIs:
    """Root's `apply` on what a jail of somebody else's has moved: the overlay copies up as root."""

    def made(self, root, user, script):
        """A tree of the user's with a secret of root's in it, and what a jail of that user makes of it."""
        lower, place = root.directory(), root.directory()
        for path in (lower, lower / "d"):
            path.mkdir(exist_ok=True)
            user.own(path)
        user.file(lower / "there", "there\n")
        (lower / "secret").write_text("TOPSECRET\n")
        (lower / "secret").chmod(0o600)
        (lower / "shown").write_text("shown\n")
        (lower / "shown").chmod(0o644)
        identity = f"[identity]\nuser = {user.uid}\ngroup = {user.gid}\n"
        root.shell(identity + kept(place, lower), f"cd /src; cat secret && echo READ; {script}").ok
        return lower, root.spec(identity + kept(place, lower))

    @pytest.mark.parametrize("script, name", [("mv secret mine", "mine"), ("mv -f secret there", "there"), ("mv secret d/x", "d/x")])
    def test_a_secret_does_not_become_the_tree_owner_s(self, root, user, script, name):
        lower, spec = self.made(root, user, script)
        before = picture(lower)
        for options in (["--check"], [], ["--force"]):
            run = root.verb("apply", spec, *options)
            assert run.status != 0 and f"{name}: it is uid 0's, and not for others to read, and would become uid {user.uid}'s" in run.stderr, run
            assert picture(lower) == before
        run = root.verb("apply", spec, "--skip-conflicts")
        assert not (lower / name).exists() or (lower / name).read_text() != "TOPSECRET\n", run

    def test_what_all_may_read_and_what_is_the_jails_travel(self, root, user):
        lower, spec = self.made(root, user, "mv shown other; echo new >d/new; echo more >>there; chmod 600 there")
        root.verb("apply", spec).ok
        assert (lower / "other").read_text() == "shown\n" and (lower / "there").read_text() == "there\nmore\n"
        assert {(lower / name).stat().st_uid for name in ("other", "d/new", "there")} == {user.uid}

    @pytest.mark.parametrize("keep", [False, True], ids=["no capability", "one that reads them"])
    def test_the_ids_of_a_jail_are_no_right_over_their_files(self, root, keep):
        """A jail with a map has ids whose files its command can only move, unless it keeps the capability to read them."""
        lower, place = root.directory(), root.directory()
        lower.chmod(0o777)
        (lower / "secret").write_text("TOPSECRET\n")
        (lower / "secret").chmod(0o600)
        (lower / "mine").write_text("mine\n")
        os.chown(lower / "secret", 300005, 300005)
        os.chown(lower / "mine", 301000, 301000)
        maps = "".join(f"{kind}_map = [{{ inside = 0, outside = 300000, count = 65536 }}]\n" for kind in ("uid", "gid"))
        user = 0 if keep else 1000
        spec = f"[identity]\nuser = {user}\ngroup = {user}\n{maps}" + ('[capabilities]\nkeep = ["dac_override"]\n' if keep else "") + kept(place, lower)
        root.shell(spec, "cd /src; mv -f secret mine").ok
        run = root.verb("apply", root.spec(spec))
        if keep:
            assert run.status == 0 and (lower / "mine").read_text() == "TOPSECRET\n", run
        else:
            assert run.status != 0 and "mine: it is uid 300005's, and not for others to read, and would become uid 301000's" in run.stderr, run
            assert (lower / "mine").read_text() == "mine\n"

    @pytest.mark.parametrize("first", ["theirs", "ours"])
    def test_two_names_in_directories_of_two_owners_become_two_files(self, root, user, first):
        """A name in a directory of root's is not another name of what has become somebody else's."""
        lower, place = root.directory(), root.directory()
        second = {"theirs": "ours", "ours": "theirs"}[first]
        names = {first: "a", second: "b"}
        for name in names.values():
            (lower / name).mkdir()
        user.own(lower / names["theirs"])
        owner = "[identity]\nuser = 0\ngroup = 0\n" + "".join(f"{kind}_map = [{{ inside = 0, outside = 0, count = 100000 }}]\n" for kind in ("uid", "gid"))
        spec = owner + '[capabilities]\nkeep = ["dac_override"]\n' + kept(place, lower)
        root.shell(spec, "echo new >/src/a/x; ln /src/a/x /src/b/x; ln /src/a/x /src/a/y").ok
        run = root.verb("apply", root.spec(spec))
        found = {name: (lower / directory / "x").stat() for name, directory in names.items()}
        assert (found["theirs"].st_uid, found["ours"].st_uid) == (user.uid, 0), run
        assert (lower / "a/x").read_text() == (lower / "b/x").read_text() == "new\n"
        assert (lower / "a/x").samefile(lower / "a/y") and "copied: a/x: a hard link to a name that is not put in does not travel" in run.stderr, run

    def test_a_secret_from_the_group_does_not_become_a_members(self, root, user):
        lower, spec = self.made(root, user, "true")
        (lower / "secret").chmod(0o604)
        os.chown(lower / "secret", 0, user.gid)
        root.shell(spec, "mv /src/secret /src/mine").ok
        run = root.verb("apply", spec)
        assert run.status != 0 and "mine: it is uid 0's, and not for others to read" in run.stderr, run

    def test_what_a_group_may_write_to_does_not_become_root_s(self, root, user):
        lower, place = root.directory(), root.directory()
        (lower / "spool").mkdir()
        os.chown(lower / "spool", 0, user.gid)
        (lower / "spool").chmod(0o1730)
        identity = f"[identity]\nuser = {user.uid}\ngroup = {user.gid}\n"
        root.shell(identity + kept(place, lower), "echo job >/src/spool/job").ok
        root.verb("apply", root.spec(identity + kept(place, lower))).ok
        assert (lower / "spool/job").stat().st_uid == user.uid

    def test_what_a_directory_of_somebody_holds_does_not_become_root_s(self, root, user):
        lower, place = root.directory(), root.directory()
        (lower / "spool").mkdir()
        user.own(lower / "spool")
        (lower / "open").mkdir()
        (lower / "open").chmod(0o1777)
        identity = f"[identity]\nuser = {user.uid}\ngroup = {user.gid}\n"
        root.shell(identity + kept(place, lower), "cd /src; echo job >spool/job; echo job >open/job; mkdir spool/d; echo x >spool/d/x").ok
        root.verb("apply", root.spec(identity + kept(place, lower))).ok
        assert {(lower / name).stat().st_uid for name in ("spool/job", "open/job", "spool/d", "spool/d/x")} == {user.uid}

    def test_a_file_that_may_not_be_written_to_has_its_attributes(self, caller):
        lower, place = tree(caller), caller.directory()
        spec = spec_of(caller, place, lower)
        code = "import os\nos.chdir('/src')\nopen('shut', 'w').close()\nos.mkdir('dd')\nfor name in ('shut', 'dd', 'a'): os.setxattr(name, 'user.note', b'1'); os.chmod(name, 0o555)"
        caller.run(spec, "/usr/bin/python3", "-c", code).ok
        caller.verb("apply", spec).ok
        for name in ("shut", "dd", "a"):
            assert os.getxattr(lower / name, "user.note") == b"1" and (lower / name).stat().st_mode & 0o777 == 0o555

    def test_a_fifo_has_its_mode(self, caller):
        lower, place = tree(caller), caller.directory()
        spec = spec_of(caller, place, lower)
        caller.shell(spec, "cd /src && mkfifo -m 777 wide && mkfifo -m 0 closed").ok
        caller.verb("apply", spec).ok
        assert [(lower / name).stat().st_mode & 0o7777 for name in ("wide", "closed")] == [0o777, 0]
