"""`idmap = true`: files of the host appear with the jail's ids, what the jail makes belongs to whom it appears to belong, and what
cannot be mapped is refused by its name."""

import contextlib
import ctypes
import json
import os
import subprocess

import pytest

from harness import linux, must


def mount(source, more="", target="/data", kind="bind"):
    lines = f'source = "{source}"\noptions = ["rw"]' if kind == "bind" else f'lower = ["{source}"]'
    return f'[[mount]]\ntarget = "{target}"\ntype = "{kind}"\n{lines}\nidmap = true\n{more}\n'


def owned(root, user, group, mode=0o750):
    """A directory that nobody but its owner may enter, with a file and one of another owner in it."""
    place = root.directory(0o755) / "data"
    place.mkdir()
    (place / "own").write_text("own\n")
    (place / "foreign").write_text("foreign\n")
    for path, uid, gid in [(place / "own", user, group), (place / "foreign", 4321, 4322), (place, user, group)]:
        os.chown(path, uid, gid)
    place.chmod(mode)
    return place


def owners(*paths):
    return [(os.lstat(path).st_uid, os.lstat(path).st_gid) for path in paths]


LOOK = "cd /data && stat -c %u:%g . own foreign && echo more >> own && echo new > new && mkdir d && stat -c %u:%g new d"


def test_s29_the_owner_appears_as_the_commands_user_and_gets_what_it_makes(root):
    place = owned(root, 1234, 1235)
    run = root.shell(mount(place), LOOK)
    assert run.ok.stdout.split() == ["65534:65534", "65534:65534", "65534:65534", "65534:65534", "65534:65534"]
    assert owners(place / "own", place / "new", place / "d", place / "foreign") == [(1234, 1235)] * 3 + [(4321, 4322)]
    assert (place / "own").read_text() == "own\nmore\n"


def test_s29_what_belongs_to_others_stays_closed(root):
    place = owned(root, 1234, 1235)
    (place / "foreign").chmod(0o600)
    run = root.shell(mount(place), "cat /data/own; cat /data/foreign; rm -f /data/foreign")
    assert run.stdout == "own\n" and "Permission denied" in run.stderr
    # Whom the mount has no id for, the kernel lets nobody act for, the directory's owner neither.
    assert (place / "foreign").exists()


def test_without_it_the_same_directory_is_closed(root):
    place = owned(root, 1234, 1235)
    run = root.shell(mount(place).replace("idmap = true", ""), "ls /data")
    assert run.status == 2 and "Permission denied" in run.stderr


RANGES = """[identity]
user = 0
group = 0
uid_map = [{ inside = 0, outside = 200000, count = 2000 }]
gid_map = [{ inside = 0, outside = 300000, count = 2000 }]
"""


def test_s29_ids_that_the_jail_has_are_themselves(root):
    place = owned(root, 0, 0)
    os.chown(place / "foreign", 1999, 2000)
    run = root.shell(mount(place) + RANGES + '[capabilities]\nkeep = ["chown"]\n', LOOK + " && chown 7:8 new && stat -c %u:%g new")
    assert run.ok.stdout.split() == ["0:0", "0:0", "1999:65534", "0:0", "0:0", "7:8"]
    assert owners(place / "own", place / "new", place / "d") == [(0, 0), (7, 8), (0, 0)]


def test_an_owner_whom_the_jail_does_not_have_is_the_commands_user(root):
    place = owned(root, 5000, 6000)
    os.chown(place / "foreign", 7, 0)
    run = root.shell(mount(place) + RANGES.replace("user = 0", "user = 7").replace("group = 0", "group = 8"), LOOK)
    # 7 stands for 5000, and so not for itself.
    assert run.ok.stdout.split() == ["7:8", "7:8", "65534:0", "7:8", "7:8"]
    assert owners(place / "new", place / "d") == [(5000, 6000)] * 2


def test_it_is_read_only_where_that_is_asked(root):
    place = owned(root, 1234, 1235)
    run = root.shell(mount(place).replace('"rw"', '"ro"'), "cat /data/own && echo x > /data/new")
    assert run.stdout == "own\n" and "Read-only file system" in run.stderr
    assert not (place / "new").exists()


def test_the_kernel_shows_it_on_the_mount_and_on_each_below(root):
    place = owned(root, 1234, 1235)
    (place / "below").mkdir()
    linux.mount("tmpfs", place / "below", "tmpfs")
    try:
        run = root.shell(mount(place), "grep ' /data' /proc/self/mountinfo")
    finally:
        linux.umount(place / "below")
    must.needs("tmpfs at" not in run.stderr, "a kernel that maps ids on tmpfs")
    lines = run.ok.stdout.splitlines()
    assert len(lines) == 2 and all("idmapped" in line.split()[5].split(",") for line in lines)


def test_the_plan_says_so(root):
    place = owned(root, 1234, 1235)
    plan = root.verb("plan", "--json", root.spec(mount(place)), "--", "true").ok.stdout
    step = next(each for each in json.loads(plan) if each["arguments"].get("target") == "/data")["arguments"]
    assert "idmapped" in step["attributes"] and step["idmap"]["owner"] == {"user": 65534, "group": 65534}


def test_s29_what_cannot_be_mapped_is_refused_by_its_name(root):
    run = root.shell(mount("/proc"), "true")
    assert run.status == 125 and "idmap: proc at /proc cannot be idmapped by Linux" in run.stderr
    place = owned(root, 1234, 1235)
    (place / "below").mkdir()
    linux.mount("proc", place / "below", "proc")
    try:
        run = root.shell(mount(place), "true")
        assert run.status == 125 and f"idmap: proc at {place}/below cannot be idmapped" in run.stderr
        assert "options = [\"bind\"]" in run.stderr
        run = root.shell(mount(place).replace('["rw"]', '["bind"]'), LOOK)
        assert run.ok.stdout.split()[0] == "65534:65534"
    finally:
        linux.umount(place / "below")


@contextlib.contextmanager
def mapped(source, target):
    """`source` on `target`, idmapped: who is 1234 there is 1 here."""
    libc = ctypes.CDLL(None, use_errno=True)
    sleeper = subprocess.Popen(["unshare", "--user", "sh", "-c", "echo; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    sleeper.stdout.read(1)
    for kind in ("uid", "gid"):
        with open(f"/proc/{sleeper.pid}/{kind}_map", "w") as file:
            file.write("1234 1 100")
    namespace = os.open(f"/proc/{sleeper.pid}/ns/user", os.O_RDONLY)
    tree = linux.check(libc.syscall(428, -100, str(source).encode(), 1 | os.O_CLOEXEC))  # open_tree, OPEN_TREE_CLONE
    request = (ctypes.c_uint64 * 4)(0x100000, 0, 0, namespace)  # MOUNT_ATTR_IDMAP
    linux.check(libc.syscall(442, tree, b"", 0x1000, ctypes.byref(request), 32))  # mount_setattr, AT_EMPTY_PATH
    linux.check(libc.syscall(429, tree, b"", -100, str(target).encode(), 4))  # move_mount, MOVE_MOUNT_F_EMPTY_PATH
    sleeper.communicate(b"\n")
    try:
        yield
    finally:
        os.close(tree)
        os.close(namespace)
        linux.umount(target)


def test_what_is_mapped_already_is_refused_and_what_it_was_made_from_is_taken(root):
    place = owned(root, 1234, 1235)
    view = place.parent / "view"
    view.mkdir()
    with mapped(place, view):
        assert owners(view) == [(1, 2)]
        run = root.shell(mount(view), "true")
        assert run.status == 125 and f"{view} or a mount below it is idmapped already" in run.stderr
        assert "leave idmap out, or name the directory that it was made from" in run.stderr
        root.shell(mount(view).replace("idmap = true", ""), "true").ok
        root.shell(mount(place), "cat /data/own").ok


def test_s29_an_overlay_copies_with_the_ids_that_it_shows(root):
    place = owned(root, 1234, 1235)
    run = root.shell(mount(place, kind="overlay"), LOOK)
    assert run.ok.stdout.split() == ["65534:65534"] * 5
    assert (place / "own").read_text() == "own\n" and not (place / "new").exists()


def test_refused_where_the_jail_has_the_ids_of_the_host(root):
    place = owned(root, 1234, 1235)
    run = root.shell(mount(place) + '[namespaces]\nuser = "host"\n', "true")
    assert run.status == 125 and ":6:" in run.stderr and "the jail has the host's ids" in run.stderr
    assert 'leave it out, or set namespaces.user = "new"' in run.stderr
    root.shell(mount(place), "true").ok


def test_refused_where_the_changes_are_kept(root):
    place = owned(root, 1234, 1235)
    text = mount(place, 'upper = "changes"\nwork = "changes.work"', kind="overlay")
    run = root.shell(text, "true")
    assert run.status == 125 and ":5:" in run.stderr and "what is kept in upper would belong to other ids" in run.stderr
    assert "leave it out, or upper and work: then changes are thrown away" in run.stderr
    root.shell(text.replace("idmap = true", ""), "true").ok
    root.shell(mount(place, kind="overlay"), "true").ok


def test_a_user_is_refused_with_the_way_out(user):
    place = user.directory()
    user.file(place / "own", "own\n")
    run = user.shell(mount(place), "true")
    assert run.status == 125 and "only root may have files appear with other ids" in run.stderr
    run = user.shell(mount(place).replace("idmap = true", ""), "stat -c %u /data/own")
    assert run.ok.stdout.strip() == str(user.inside_uid)


def test_false_is_as_if_it_were_not_there(caller):
    place = caller.directory()
    caller.file(place / "own", "own\n")
    assert caller.shell(mount(place).replace("idmap = true", "idmap = false"), "cat /data/own").ok.stdout == "own\n"


def test_doctor_says_where_it_can_be_had(root, user):
    def row(caller, **more):
        found = json.loads(caller.verb("doctor", "--json", timeout=20, **more).stdout)
        return next(each for each in found if (each["section"], each["name"]) == ("mount", "idmap"))

    place = root.directory()
    works = root.shell(mount(place), "true").status == 0
    assert row(root, cwd=place)["state"] == ("ok" if works else "absent")
    refused = row(root, cwd="/proc")
    assert refused["state"] == "absent" and "name a directory on ext4" in refused["remedy"]
    assert row(user)["state"] == "absent" and "only root" in row(user)["detail"]


def test_doctor_says_whether_a_users_changes_can_be_thrown_away(user):
    found = json.loads(user.verb("doctor", "--json", timeout=20).stdout)
    row = next(each for each in found if (each["section"], each["name"]) == ("mount", "throw-away"))
    place = user.directory()
    run = user.shell(f'[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{place}"]\n', "true")
    assert (row["state"] == "ok") == (run.status == 0), (row, run)


def test_what_is_made_there_gets_no_right_of_its_owners(root):
    """tar(1), chmod(1) and install(1) say so; everything else of them goes on."""
    place = owned(root, 0, 0)
    archive = "cd /tmp && echo x >p && tar -cf a p && cd /data && tar -xf /tmp/a"
    make = f"{archive} && chmod 1755 p; chmod u+s p; chmod g+s p; install -m 4755 p q; stat -c %a p"
    run = root.shell(mount(place), make)
    assert run.stderr.count("Operation not permitted") >= 3 and run.stdout == "1755\n", run
    assert not [path for path in place.iterdir() if path.lstat().st_mode & 0o6000]
    # By a command that comes later, too.
    jail = root.start(mount(place), "sh", "-c", "echo; sleep 1000")
    try:
        assert jail.stdout.readline() == b"\n"
        entered = root.verb("enter", str(jail.pid), "--", "chmod", "6755", "/data/own")
        assert entered.status == 1 and "Operation not permitted" in entered.stderr, entered
    finally:
        jail.kill()
        jail.communicate()
    assert (place / "own").lstat().st_mode & 0o6000 == 0


def test_suid_among_the_options_lets_it_and_plan_score_and_why_name_it(root):
    place = owned(root, 0, 0)
    closed, opened = root.spec(mount(place)), root.spec(mount(place).replace('"rw"', '"rw", "suid"'))
    assert "the filter refuses set-user-ID and set-group-ID bits" in root.verb("plan", closed, "--", "true").ok.stdout
    assert "the filter refuses set-user-ID" not in root.verb("plan", opened, "--", "true").ok.stdout
    row = "can make programs that run on the host with its owner's rights"
    assert row in root.verb("score", opened).stdout and row not in root.verb("score", closed).stdout
    run = root.run(closed, "chmod", "4755", "/data/own", options=["--why"])
    assert run.status == 1 and f'add "suid" to the options of the mount of {closed}:6:' in run.stderr, run
    assert root.run(opened, "chmod", "4755", "/data/own").ok and (place / "own").lstat().st_mode & 0o4000
    # What refuses is called by its line.
    calls = json.loads(root.verb("plan", "--json", closed, "--", "true").ok.stdout)
    assert "mount.idmap: files with the rights of another" in json.dumps(calls)


def test_a_program_that_has_the_bit_is_told_of_in_the_manual(root):
    """The one thing that no filter closes: pages of a file that are mapped, which the kernel writes without asking for modes."""
    place = owned(root, 0, 0)
    program = root.file(place / "old", "x" * 4096)
    program.chmod(0o4755)
    change = "import mmap, os; f = os.open('/data/old', os.O_RDWR); m = mmap.mmap(f, 4096); m[0:3] = b'new'; m.close()"
    root.run(mount(place), "/usr/bin/python3", "-I", "-c", change).ok
    assert program.read_text().startswith("newx") and program.lstat().st_mode & 0o4000
    assert "-perm /6000" in root.verb("manual", "5").ok.stdout.replace("\\-", "-")


def test_changes_over_a_mapped_lower_are_what_the_command_has_changed(root):
    """Copies have the ids that their originals appear with, which is nobody's doing."""
    lower = root.directory()
    (lower / "d").mkdir()
    for name in ("d/f", "g"):
        (lower / name).write_text("old\n")
    spec = root.spec(f'[[mount]]\ntarget = "/w"\ntype = "overlay"\nlower = ["{lower}"]\nidmap = true\n')
    listed = lambda script: root.run(spec, "/bin/sh", "-c", script, options=["--changes", "-"]).ok.stdout  # noqa: E731
    assert listed("true") == ""
    assert listed("echo new >>/w/d/f; mkdir /w/e") == "M /w/d/f\nA /w/e\n"
    assert listed("chmod 700 /w /w/d") == "m /w\t(mode 0755 to 0700)\nm /w/d\t(mode 0755 to 0700)\n"
