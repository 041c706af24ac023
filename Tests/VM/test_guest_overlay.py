"""Overlays and idmapped mounts on ext4, with the kernel that is there: Debian 12's takes layers by name only, and from mounts of the
caller's own namespace (S01, S02, S04, S05, S29). `VM_RUN_UML_SUITE=bookworm Tests/VM/run guest` runs it on that one."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

KERNEL = tuple(int(part) for part in os.uname().release.split(".")[:2])
DISK = Path("/srv/overlay-disk")


@pytest.fixture(scope="module", autouse=True)
def disk():
    DISK.mkdir()
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-F", os.environ["VM_RUN_DISK"]], check=True)
    subprocess.run(["mount", os.environ["VM_RUN_DISK"], DISK], check=True)
    DISK.chmod(0o1777)
    before = said()
    yield
    subprocess.run(["umount", DISK], check=True)
    # S11
    assert said() == before


def said():
    log = subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout
    return [line for line in log.splitlines() if "overlayfs" in line]


class Caller:
    def __init__(self, binary, uid):
        self.binary, self.uid = binary, uid

    def directory(self, name):
        place = DISK / f"{name}-{self.uid}"
        place.mkdir()
        self.own(place)
        return place

    def own(self, path):
        os.lchown(path, self.uid, self.uid)

    def tree(self, name, mark="low"):
        place = self.directory(name)
        for path in ("a", "d/x", "d/y"):
            (place / path).parent.mkdir(exist_ok=True)
            (place / path).write_text(f"{mark} {path}\n")
        for path in (place / "a", place / "d", place / "d/x", place / "d/y"):
            self.own(path)
        return place

    def spec(self, text, place):
        spec = place.parent / (place.name + ".toml")
        zero = "[identity]\nuser = 0\ngroup = 0\nuid_map = [{ inside = 0, outside = 0, count = 1 }]\ngid_map = [{ inside = 0, outside = 0, count = 1 }]\n"
        spec.write_text((zero if self.uid == 0 and "[identity]" not in text and "idmap" not in text else "") + text)
        self.own(spec)
        return spec

    def run(self, text, script, place):
        return self.start([self.binary, "run", self.spec(text, place), "--", "sh", "-c", script])

    def start(self, words, cwd="/"):
        return subprocess.run(words, capture_output=True, text=True, timeout=60, user=self.uid, group=self.uid, extra_groups=[], cwd=cwd)


@pytest.fixture(params=[0, 1000], ids=["root", "user"])
def caller(binary, request):
    return Caller(binary, request.param)


@pytest.fixture
def root(binary):
    return Caller(binary, 0)


def overlay(lower, more="", target="/src"):
    return f'[[mount]]\ntarget = "{target}"\ntype = "overlay"\nlower = {json.dumps([str(each) for each in lower])}\n{more}\n'


def kept(place):
    return f"upper = {json.dumps(str(place) + '.up')}\nwork = {json.dumps(str(place) + '.work')}"


def mounts():
    return Path("/proc/self/mountinfo").read_text()


EDIT = "cd /src && echo more >> a && rm -r d && mkdir d && ls d && echo new > new && cat a new"


def test_changes_that_are_thrown_away(caller):
    """A user's go to a tmpfs, which keeps no attributes of users before Linux 6.6: then that is said before anything runs."""
    place, before = caller.tree("thrown"), mounts()
    done = caller.run(overlay([place]), EDIT, place)
    if caller.uid and KERNEL < (6, 6):
        assert done.returncode == 125 and "this kernel's tmpfs keeps no user attributes" in done.stderr, done
        assert "upper and work on a disk" in done.stderr
    else:
        assert (done.returncode, done.stdout, done.stderr) == (0, "low a\nmore\nnew\n", ""), done
    assert sorted(os.listdir(place)) == ["a", "d"] and sorted(os.listdir(place / "d")) == ["x", "y"]
    assert mounts() == before


def test_changes_that_are_kept(caller):
    place, before = caller.tree("kept"), mounts()
    done = caller.run(overlay([place], kept(place)), EDIT, place)
    assert (done.returncode, done.stdout, done.stderr) == (0, "low a\nmore\nnew\n", ""), done
    assert (place / "a").read_text() == "low a\n" and sorted(os.listdir(place / "d")) == ["x", "y"]
    again = caller.run(overlay([place], kept(place)), "cd /src && cat a new && ls -A d", place)
    assert (again.returncode, again.stdout) == (0, "low a\nmore\nnew\n"), again
    assert mounts() == before
    spec = place.parent / (place.name + ".toml")
    diff = subprocess.run([caller.binary, "diff", spec], capture_output=True, text=True, timeout=60, user=caller.uid, group=caller.uid)
    assert (diff.returncode, diff.stdout.split()[1::2]) == (1, ["a", "d/x", "d/y", "new"]), diff


ROUNDS = """
for round in 1 2 3 4 5 6 7 8; do
    [ ! -e low.work ] || chmod 700 low.work/work
    rm -rf low low.up low.work; mkdir low; echo a >low/a; echo b >low/b
    "$1" run "$2" -- sh -c 'cd /src; rm a; echo more >>b' && "$1" apply "$2" && [ ! -e low/a ] || echo "failed $round"
done
"""


def test_what_was_written_right_before_the_launch_is_no_conflict(caller):
    """Files are stamped by ticks, and before Linux 6.13 by nothing finer: the launch waits for the next one."""
    place = caller.directory("before")
    spec = caller.spec(overlay([place / "low"], kept(place / "low")), place)
    done = caller.start(["sh", "-c", ROUNDS, "sh", caller.binary, spec], cwd=place)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done


@pytest.mark.parametrize("name", ["com,ma", "co:lon", "back\\slash", "x" * 200 + "/" + "y" * 200])
def test_names_that_an_option_could_not_hold(caller, name):
    place = caller.directory(f"names-{len(name)}-{ord(name[2])}")
    lower = place / name
    lower.mkdir(parents=True)
    (lower / "a").write_text("here\n")
    for path in (*reversed(lower.relative_to(place).parents), Path(name)):
        caller.own(place / path)
    caller.own(lower / "a")
    done = caller.run(overlay([lower], kept(place)), "cat /src/a && echo more >> /src/a", place)
    assert (done.returncode, done.stdout, done.stderr) == (0, "here\n", ""), done
    assert Path(f"{place}.up/a").read_text() == "here\nmore\n"


def test_many_lowers(caller):
    place = caller.directory("many")
    lowers = []
    for number in range(30):
        lowers.append(place / f"{number:0100}")
        lowers[-1].mkdir()
        (lowers[-1] / f"file{number}").write_text("")
    for path in (*lowers, *place.glob("*/*")):
        caller.own(path)
    done = caller.run(overlay(lowers, kept(place)), "ls /src | wc -l", place)
    assert (done.returncode, done.stdout.strip()) == (0, "30"), done


@pytest.mark.parametrize("count", [61, 120, 400])
def test_more_lowers_than_one_value_has_room_for(caller, count):
    """Before Linux 6.8 only mount(2) takes them, by a text of up to a page."""
    place, before = caller.directory(f"layers-{count}"), mounts()
    lowers = [place / f"{number}" for number in range(count)]
    for number, path in enumerate(lowers):
        path.mkdir()
        (path / f"file{number}").write_text(f"{number}\n")
        (path / "same").write_text(f"{number}\n")
    for path in (*lowers, *place.glob("*/*")):
        caller.own(path)
    script = f"ls /src | wc -l; cat /src/same /src/file{count - 1}; rm /src/file0; echo new >/src/same; echo -n /src/file0*; grep ' /src ' /proc/self/mountinfo"
    done = caller.run(overlay(lowers, kept(place)), script, place)
    number, *content, mount = done.stdout.splitlines()
    assert (done.returncode, number, content[:2], done.stderr) == (0, str(count + 1), ["0", str(count - 1)], ""), done
    assert " rw,nosuid,nodev" in mount and Path(f"{place}.up/same").read_text() == "new\n" and (lowers[0] / "file0").exists()
    assert mounts() == before


def test_fuse_overlayfs_throws_a_users_changes_away(binary):
    """Also where this kernel's tmpfs keeps no attributes of users: a directory that is made again is empty, and one can be moved."""
    os.chmod("/dev/fuse", 0o666)
    user = Caller(binary, 1000)
    place, before = user.tree("fuse"), mounts()
    os.chown(place / "a", 0, 0)
    text = overlay([place], "idmap = true\nquota = \"8M\"")
    done = user.run(text, EDIT + " && mv d moved && rmdir moved && stat -c %U a", place)
    assert (done.returncode, done.stdout.splitlines()[:3], done.stderr) == (0, ["low a", "more", "new"], ""), done
    assert sorted(os.listdir(place)) == ["a", "d"] and sorted(os.listdir(place / "d")) == ["x", "y"] and mounts() == before
    done = user.run(text, "head -c 9437184 /dev/zero >/src/big", place)
    assert done.returncode == 1 and "No space left" in done.stderr and "mount /src: full (8M of 8M)" in done.stderr, done


def test_an_upper_inside_the_lower(caller):
    place = caller.tree("inside")
    text = overlay([place], f'upper = "{place}/changes"\nwork = "{place}/changes.work"')
    done = caller.run(text, "cd /src && ls -A && echo more >> a", place)
    assert (done.returncode, done.stdout) == (0, "a\nd\n"), done
    assert (place / "changes/a").read_text() == "low a\nmore\n"


def idmap(place, kind="bind"):
    source = f'source = "{place}"\noptions = ["rw"]' if kind == "bind" else f'lower = ["{place}"]'
    return f'[[mount]]\ntarget = "/src"\ntype = "{kind}"\n{source}\nidmap = true\n'


@pytest.mark.parametrize("kind", ["bind", "overlay"])
def test_files_appear_with_the_jails_ids(root, kind):
    place = root.tree(f"idmap-{kind}")
    for path in (place, *place.rglob("*")):
        os.chown(path, 1234, 1235)
    place.chmod(0o700)
    done = root.run(idmap(place, kind), "cd /src && stat -c %u:%g . a && echo more >> a && echo new > new && stat -c %u:%g a new", place)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["65534:65534"] * 4, ""), done
    if kind == "bind":
        assert [(os.stat(place / name).st_uid, os.stat(place / name).st_gid) for name in ("a", "new")] == [(1234, 1235)] * 2
    else:
        assert (place / "a").read_text() == "low a\n" and not (place / "new").exists()


def test_what_cannot_be_mapped_is_named(root):
    place = Path("/dev/shm/idmap")
    place.mkdir()
    done = root.run(idmap(place), "echo ran", DISK / "shm")
    if KERNEL < (6, 3):
        assert done.returncode == 125 and "idmap: tmpfs at /dev/shm/idmap cannot be idmapped by Linux" in done.stderr, done
    else:
        assert (done.returncode, done.stdout) == (0, "ran\n"), done


def test_doctor_says_whether_a_users_changes_can_be_thrown_away(binary):
    done = subprocess.run([binary, "doctor", "--json"], capture_output=True, text=True, timeout=60, user=1000, group=1000, extra_groups=[])
    row = next(each for each in json.loads(done.stdout) if (each["section"], each["name"]) == ("mount", "throw-away"))
    old = KERNEL < (6, 6)
    assert (row["state"], row["remedy"]) == (("absent", "Linux 6.6, or upper and work on a disk") if old else ("ok", None))
