"""`type = "overlay"` with changes thrown away: what the jail sees, what the host keeps, and what is refused with its cause."""

import json
import os
import re
import shutil
import subprocess

import pytest

from harness import linux
from harness.must import cannot


def overlay(lower, more="", target="/src"):
    lower = [lower] if isinstance(lower, (str, os.PathLike)) else lower
    layers = json.dumps([str(each) for each in lower])
    return f'[[mount]]\ntarget = "{target}"\ntype = "overlay"\nlower = {layers}\n{more}\n'


def writable(caller):
    """Lines that make the command somebody who may write to what the caller owns."""
    return '[identity]\nuser = 0\ngroup = 0\nuid_map = [{ inside = 0, outside = 0, count = 1 }]\ngid_map = [{ inside = 0, outside = 0, count = 1 }]\n' if caller.is_root else ""


def tree(caller):
    """A directory of the caller's with a little of everything."""
    place = caller.directory()
    for name in ("a", "d/x", "d/y", "e/f/g"):
        path = place / name
        for parent in reversed(path.relative_to(place).parents[:-1]):
            if not (place / parent).exists():
                (place / parent).mkdir()
                caller.own(place / parent)
        caller.file(path, f"{name}\n")
    return place


def picture(place):
    """All that a later look could find changed: names, kinds, modes, owners, times, content."""
    found = {}
    for root, directories, files in os.walk(place):
        for name in directories + files + ["."]:
            path = os.path.join(root, name)
            state = os.lstat(path)
            data = open(path, "rb").read() if os.path.isfile(path) and not os.path.islink(path) else b""
            found[path] = (state.st_mode, state.st_uid, state.st_gid, state.st_ino, state.st_mtime_ns, state.st_ctime_ns, data)
    return found


# S01, S02


def test_s01_changes_are_seen_inside_and_leave_nothing(caller):
    place = tree(caller)
    before = picture(place)
    script = "cd /src && echo more >> a && rm d/x && echo new > new && mkdir n && mv e/f/g n/g && chmod 600 d/y && cat a new n/g && ls d"
    run = caller.shell(writable(caller) + overlay(place), script)
    assert run.ok.stdout == "a\nmore\nnew\ne/f/g\ny\n"
    assert picture(place) == before


def test_s02_a_directory_removed_and_made_again_is_empty(caller):
    place = tree(caller)
    run = caller.shell(writable(caller) + overlay(place), "cd /src && rm -r d && mkdir d && ls -A d && rm -r e && ls -A")
    assert run.ok.stdout == "a\nd\n"


def test_the_view_has_owner_mode_and_access_list_of_the_lower(caller):
    place = tree(caller)
    place.chmod(0o2750)
    run = caller.shell(writable(caller) + overlay(place), "stat -c '%a %u %g' /src")
    mode, uid, gid = run.ok.stdout.split()
    assert (mode, int(uid), int(gid)) == ("2750", caller.uid, caller.gid)


def test_what_the_kernel_shows_of_the_mount(caller):
    place = tree(caller)
    mounts = caller.facts(overlay(place)).mounts
    assert mounts.types["/src"] == "overlay"
    assert "nosuid" in mounts["/src"] and "nodev" in mounts["/src"] and "ro" not in mounts["/src"]


def test_ro_makes_it_read_only_and_takes_mount_points(caller):
    place = tree(caller)
    spec = overlay(place, 'options = ["ro"]') + '[[mount]]\ntarget = "/src/new/place"\ntype = "tmpfs"\n'
    run = caller.shell(writable(caller) + spec, "touch /src/z; echo x > /src/new/place/x && echo ok")
    assert "Read-only" in run.stderr and run.stdout == "ok\n"
    assert not (place / "new").exists()


def test_several_lowers_the_first_on_top(caller):
    top, bottom = tree(caller), tree(caller)
    caller.file(top / "a", "top\n")
    caller.file(bottom / "only", "bottom\n")
    run = caller.shell(writable(caller) + overlay([top, bottom]), "cat /src/a /src/only && rm /src/only && ls /src")
    assert run.ok.stdout == "top\nbottom\na\nd\ne\n"


def test_an_optional_lower_that_is_missing_is_reported(caller):
    run = caller.shell(overlay("/no/such/place", "optional = true"), "ls -d /src; echo ok")
    assert run.stdout == "ok\n" and "/no/such/place" in run.stderr or "skipped" in run.stderr


# S04, S05


@pytest.mark.parametrize("name", ["a:b", "a,b", "back\\slash", 'quo"te', "new\nline", "tab\t", " ", "ü", "-o"])
def test_s04_names_are_taken_literally(caller, name):
    place = caller.directory()
    lower = place / name
    lower.mkdir()
    caller.own(lower)
    caller.file(lower / name, "seen\n")
    run = caller.run(writable(caller) + overlay(lower), "/bin/cat", f"/src/{name}")
    assert run.ok.stdout == "seen\n"


@pytest.mark.parametrize("length", [300, 1000])
def test_s05_long_paths(caller, length):
    place = caller.directory()
    lower = place
    while len(str(lower)) < length:
        lower = lower / ("x" * 100)
    lower.mkdir(parents=True)
    caller.own(lower)
    caller.file(lower / "a", "seen\n")
    assert caller.shell(writable(caller) + overlay(lower), "cat /src/a; echo b > /src/b").ok.stdout == "seen\n"


def test_s05_a_hundred_lowers(caller):
    place = caller.directory()
    lowers = []
    for number in range(100):
        lower = place / f"{number:03d}{'x' * 97}"
        lower.mkdir()
        caller.own(lower)
        caller.file(lower / f"f{number}", f"{number}\n")
        caller.file(lower / "same", f"{number}\n")
        lowers.append(lower)
    run = caller.shell(writable(caller) + overlay(lowers), "ls /src | wc -l; cat /src/same /src/f99")
    assert run.ok.stdout == "101\n0\n99\n"


# S06, S07, S08


@pytest.fixture
def submount(request):
    """Mounts a tmpfs below a directory for one test: in the mount namespace that the tests have for themselves."""
    made = []

    def mount(path):
        path.mkdir()
        linux.mount("tmpfs", path, "tmpfs", 0, "size=1M")
        made.append(path)

    yield mount
    for path in reversed(made):
        linux.umount(path)


@pytest.mark.skipif(os.getuid() != 0, reason="mounts")
def test_s06_what_is_mounted_below_is_named(caller, submount):
    place = tree(caller)
    submount(place / "m")
    # From elsewhere, and from the directory itself, of which the jail's first process has a copy.
    spec = caller.spec(overlay(place))
    for start in (caller.base, place, place / "d"):
        run = caller.shell(spec, "true", cwd=start)
        assert run.status == 125 and run.stderr.startswith(f"immure: {spec}:2:1: overlay on /src: {place}/m is mounted below the lower {place}"), run
    if caller.is_root:
        (place / "m" / "hidden").write_text("x")
        assert caller.shell(overlay(place, 'options = ["bind"]'), "ls -A /src/m; ls /src").ok.stdout == "a\nd\ne\nm\n"
    else:
        assert "only root may look past it" in run.stderr
        assert "name directories that hold no mounts" in run.stderr
        assert caller.shell(overlay(place / "d"), "ls /src").ok.stdout == "x\ny\n"


def test_s07_the_whole_root_is_refused_with_the_cause(user):
    run = user.shell(overlay("/"), "true")
    assert run.status == 125 and "mount.lower: / belongs to uid 0, which is not in the jail" in run.stderr, run


@pytest.mark.skipif(os.getuid() != 0, reason="mounts")
def test_s08_a_third_overlay_is_refused_with_the_cause(caller, submount):
    place, points = caller.directory(), []
    below = tree(caller)
    for number in range(2):
        names = [place / f"{kind}{number}" for kind in ("upper", "work", "view")]
        for each in names:
            each.mkdir()
            caller.own(each)
        linux.mount("overlay", names[2], "overlay", 0, f"lowerdir={below},upperdir={names[0]},workdir={names[1]}")
        points.append(names[2])
        below = names[2]
    try:
        run = caller.shell(overlay(below), "true")
        assert run.status == 125 and "the kernel takes no third" in run.stderr, run
        assert caller.shell(overlay(points[0]), "ls /src").ok.stdout == "a\nd\ne\n"
    finally:
        for point in reversed(points):
            linux.umount(point)


def test_s11_nothing_is_said_in_the_kernels_log(caller):
    if os.getuid() != 0:
        pytest.skip("only root may read the kernel's log")
    place = tree(caller)

    def lines():
        return [line for line in subprocess.run(["dmesg"], capture_output=True, text=True).stdout.splitlines() if "overlayfs" in line]

    before = lines()
    caller.shell(writable(caller) + overlay(place), "cd /src && rm -r d && mkdir d && echo x > a").ok
    assert lines() == before


def test_s12_a_group_that_the_jail_has_not_is_named(user):
    if os.getuid() != 0:
        pytest.skip("needs a file of a foreign group")
    place = tree(user)
    os.chown(place, user.uid, 12345)
    run = user.shell(overlay(place), "true")
    assert run.status == 125 and f"{place} belongs to gid 12345, which is not in the jail" in run.stderr, run
    hint = run.stderr.split("hint: ")[1].strip()
    assert hint == f"chgrp {user.gid} {place}"
    subprocess.run(hint.split(), check=True)
    assert user.shell(overlay(place), "ls /src").ok.stdout == "a\nd\ne\n"


@pytest.mark.skipif(not shutil.which("newuidmap"), reason="needs newuidmap")
def test_a_map_without_the_caller_is_refused(user):
    place = tree(user)
    with open("/etc/subuid") as file:
        start = next(int(line.split(":")[1]) for line in file if line.startswith(user.login + ":"))
    rows = f"[{{ inside = 0, outside = {start}, count = 100 }}"
    identity = '[identity]\nuser = "root"\ngroup = "root"\nuid_map = {}]\ngid_map = {}]\n'
    run = user.shell(identity.format(rows, rows) + overlay(place), "true")
    assert run.status == 125 and f"hint: give uid_map a line with outside = {user.uid}" in run.stderr, run

    def more(number):
        return rows + f", {{ inside = {number}, outside = {number}, count = 1 }}"

    run = user.shell(identity.format(more(user.uid), more(user.gid)) + overlay(place), "ls /src")
    assert run.ok.stdout == "a\nd\ne\n"


def test_what_belongs_to_another_is_named(user):
    run = user.shell(overlay("/usr/share"), "true")
    assert run.status == 125 and "/usr/share belongs to uid 0, which is not in the jail" in run.stderr, run
    place = tree(user)
    assert user.shell(overlay(place), "ls /src").ok.stdout == "a\nd\ne\n"


def test_a_missing_lower_and_a_file(caller):
    place = caller.directory()
    missing = place / "missing"
    run = caller.shell(overlay(missing), "true")
    assert run.status == 125 and f"the lower {missing} does not exist" in run.stderr
    assert "optional = true" in run.stderr
    missing.mkdir()
    caller.own(missing)
    caller.shell(overlay(missing), "true").ok
    run = caller.shell(overlay(caller.file(place / "file")), "true")
    assert run.status == 125 and "is not a directory" in run.stderr


# S13


def test_s13_a_quota_ends_in_enospc_and_df_shows_it(caller):
    place = tree(caller)
    script = "cd /src && df -k --output=size . | tail -1 && head -c 9437184 /dev/zero > big; stat -c %s big"
    run = caller.shell(writable(caller) + overlay(place, 'quota = "8M"'), script)
    assert run.stdout.split()[0] == "8192" and "No space left" in run.stderr, run
    assert 7 << 20 < int(run.stdout.split()[1]) <= 8 << 20


def test_s13_inodes_count_whiteouts(caller):
    place = caller.directory()
    for number in range(40):
        caller.file(place / f"f{number}")
    run = caller.shell(writable(caller) + overlay(place, 'quota = "8M"\ninodes = 20'), "rm -f /src/f*; ls /src | wc -l")
    assert "No space left" in run.stderr and int(run.stdout) > 20, run


def test_a_quota_above_the_memory_is_refused(root):
    place = tree(root)
    run = root.shell(overlay(place, 'quota = "2G"') + '[limits]\nmemory = "1G"\n', "true")
    assert run.status == 125 and "mount.quota: more than limits.memory" in run.stderr
    assert "hint: lower it to 1073741824, raise" in run.stderr
    assert "mount.quota" not in root.shell(overlay(place, 'quota = 1073741824') + '[limits]\nmemory = "1G"\n', "true").stderr


def test_nothing_stays_mounted_on_the_host(caller):
    before = open("/proc/self/mountinfo").read()
    caller.shell(overlay(tree(caller)), "true").ok
    assert open("/proc/self/mountinfo").read() == before


def test_s23_a_users_quota_on_a_bind_is_refused_with_what_has_one(user):
    place = tree(user)
    bind = f'[[mount]]\ntarget = "/src"\ntype = "bind"\nsource = "{place}"\nquota = "1M"\n'
    run = user.shell(bind, "true")
    assert run.status == 125 and "only root may set a limit" in run.stderr and "a tmpfs (size)" in run.stderr, run
    for spec in (overlay(place, 'quota = "1M"'), '[[mount]]\ntarget = "/src"\ntype = "tmpfs"\nsize = "1M"\n'):
        run = user.shell(spec, "head -c 2097152 /dev/zero >/src/big")
        assert "No space left" in run.stderr, run


def births(caller, text):
    """How many processes a launch of `true` has in all, the command's among them."""
    calls = caller.open_directory() / "calls"
    caller.wrapper = ("strace", "-f", "-o", str(calls), "-e", "trace=clone,clone3,fork,vfork")
    try:
        caller.shell(text, "true").ok
    finally:
        caller.wrapper = ()
    return len(re.findall(r"(?:clone3?|v?fork)(?: resumed>.*|\(.*)\)\s+= [1-9]", calls.read_text()))


def test_what_is_at_hand_takes_no_process_more(root):
    """A source on a disk of this machine cannot keep the launcher waiting; what a link leads to is looked for by another process."""
    if not shutil.which("strace"):
        cannot("count processes: no strace")
    lower = tree(root)
    list(lower.rglob("*"))
    bare = births(root, "")
    bind = f'[[mount]]\ntarget = "/src"\nsource = "{lower}"\noptions = ["ro"]\n'
    assert bare > 1 and births(root, bind) == bare and births(root, writable(root) + overlay(lower)) == bare
    (lower.parent / "link").symlink_to(lower)
    assert births(root, writable(root) + overlay(lower.parent / "link")) == bare + 1
