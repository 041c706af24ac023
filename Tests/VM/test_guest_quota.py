"""What may be stored in directories of the host: quotas of projects on ext4 and xfs, where they are enforced (S21, S22, S24)."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

HOME = Path("/srv/quota")
MIB = 1 << 20


def sh(*words, check=True):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=check, timeout=60)


class Disk:
    """A file system in a file, mounted."""

    def __init__(self, name, make, options):
        self.image, self.point, self.make, self.options = HOME / f"{name}.img", HOME / name, make, options

    def __enter__(self):
        HOME.mkdir(exist_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(320 * MIB)
        sh(*self.make.split(), self.image)
        self.point.mkdir(exist_ok=True)
        self.mount(self.options)
        return self

    def mount(self, options):
        sh("mount", "-o", "loop" + options, self.image, self.point)
        self.point.chmod(0o755)

    def __exit__(self, *_):
        sh("umount", self.point)
        self.image.unlink()

    def directory(self, name, owner=65534):
        place = self.point / name
        place.mkdir(mode=0o755)
        os.chown(place, owner, owner)
        return place


EXT4 = "mkfs.ext4 -q -F -O quota,project -E quotatype=prjquota"
XFS = "mkfs.xfs -q -f"


@pytest.fixture(scope="module", params=[(EXT4, ",prjquota"), (XFS, ",prjquota")], ids=["ext4", "xfs"])
def disk(request):
    make, options = request.param
    with Disk("enforced-" + make[5:8].strip(), make, options) as made:
        yield made


def bind(place, more='quota = "4M"', target="/data", options='["rw"]'):
    return f'[[mount]]\ntarget = "{target}"\ntype = "bind"\nsource = {json.dumps(str(place))}\noptions = {options}\n{more}\n'


def launch(binary, spec, script, *options, uid=0):
    path = Path(f"/srv/quota-{uid}.toml")
    path.write_text(spec)
    return subprocess.run([binary, "run", *options, path, "--", "sh", "-c", script], capture_output=True, text=True, timeout=60, user=uid, group=uid, cwd="/")


def project(place):
    return int(sh("lsattr", "-p", "-d", place).stdout.split()[0])


FILL = "df -k --output=size /data | tail -1; head -c 9437184 /dev/zero > /data/big; stat -c %s /data/big"
SUBUIDS = '[identity]\nuser = "root"\ngroup = "root"\nuid_map = [{ inside = 0, outside = 100000, count = 65536 }]\ngid_map = [{ inside = 0, outside = 100000, count = 65536 }]\n'


@pytest.mark.parametrize("owner, identity", [(65534, ""), (100000, SUBUIDS)], ids=["nobody", "root of subordinate ids"])
def test_a_bind_ends_at_its_quota(binary, disk, owner, identity):
    place = disk.directory(f"bind-{owner}", owner)
    done = launch(binary, identity + bind(place), FILL, "--result", "/srv/result")
    size, written = done.stdout.split()
    assert size == "4096" and 3 * MIB < int(written) <= 4 * MIB, done
    assert re.search("quota exceeded|No space left", done.stderr), done
    # It is said where the command fails of it.
    done = launch(binary, identity + bind(place), "echo more > /data/more && cat /dev/zero > /data/more; false", "--result", "/srv/result")
    assert done.returncode == 1 and "mount /data: full (4M of 4M)" in done.stderr, done
    hit, = json.loads(Path("/srv/result").read_text())["limits_hit"]
    assert (hit["limit"], hit["value"]) == ("mount /data", "4M")


def test_so_many_files(binary, disk):
    place = disk.directory("files")
    done = launch(binary, bind(place, "inodes = 20"), "for i in $(seq 30); do : > /data/$i || exit 3; done")
    assert done.returncode != 0 and len(os.listdir(place)) in (18, 19, 20), done
    assert "mount /data: no file is left of 20" in done.stderr, done


def test_what_is_there_already_counts(binary, disk):
    place = disk.directory("there")
    below = place / "a" / "b"
    below.mkdir(parents=True)
    (below / "old").write_bytes(b"x" * 3 * MIB)
    os.mkfifo(place / "pipe")
    (place / "link").symlink_to("/etc/passwd")
    for path in (place / "a", below, below / "old"):
        os.chown(path, 65534, 65534)
    done = launch(binary, bind(place), "head -c 2097152 /dev/zero > /data/a/b/new; stat -c %s /data/a/b/new")
    assert int(done.stdout) <= MIB + 4096, done
    assert project(below / "old") == project(below) == project(place) != 0
    # Nothing else than its files has been touched.
    assert project("/srv") == 0


def test_what_is_there_already_counts_at_any_depth(binary, disk):
    place = disk.directory("deep")
    low, high = disk.point / "low", disk.point / "high"
    low.mkdir()
    (low / "bottom").write_bytes(bytes(3 * MIB))
    for _ in range(2_000):
        high.mkdir()
        low.rename(high / "a")
        high.rename(low)
    low.rename(place / "a")
    done = launch(binary, bind(place, 'quota = "8M"'), "head -c 6M /dev/zero >/data/f; stat -c %s /data/f")
    assert 0 < int(done.stdout) <= 5 * MIB + 4096, done
    sh("rm", "-rf", place)


def test_changes_that_are_kept(binary, disk):
    place, changes = disk.directory("lower"), disk.point / "changes"
    (place / "old").write_text("old")
    spec = f'[[mount]]\ntarget = "/data"\ntype = "overlay"\nlower = ["{place}"]\nupper = "{changes}"\nwork = "{changes}.work"\nquota = "4M"\n'
    done = launch(binary, spec, FILL)
    size, written = done.stdout.split()
    assert size == "4096" and 3 * MIB < int(written) <= 4 * MIB, done
    assert project(changes.resolve()) == project(f"{changes}.work") != 0 and project(place) == 0
    # It is found again, and can be raised.
    done = launch(binary, spec.replace("4M", "6M"), "rm /data/big; " + FILL)
    assert done.stdout.split()[0] == "6144" and 5 * MIB < int(done.stdout.split()[1]) <= 6 * MIB, done


def test_two_directories_have_two_projects_and_one_keeps_its_own(binary, disk):
    one, two = disk.directory("one"), disk.directory("two")
    for _ in range(2):
        for place in (one, two):
            assert launch(binary, bind(place), "true").returncode == 0
        numbers = [project(one), project(two)]
    assert numbers[0] != numbers[1] and all(2**30 <= number < 2**31 for number in numbers)


def test_two_jails_share_a_directory_only_with_one_limit(binary, disk):
    place = disk.directory("shared")
    Path("/srv/first.toml").write_text(bind(place))
    first = subprocess.Popen([binary, "run", "/srv/first.toml", "--", "sh", "-c", "echo; read -r line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
    try:
        first.stdout.readline()
        assert launch(binary, bind(place), "df -k --output=size /data | tail -1").stdout.split() == ["4096"]
        done = launch(binary, bind(place, 'quota = "100M"'), "true")
        assert done.returncode == 125 and "in use by another jail, with another limit" in done.stderr, done
        assert "write the same limit in both" in done.stderr
        assert launch(binary, bind(place), "df -k --output=size /data | tail -1").stdout.split() == ["4096"]
    finally:
        first.communicate("\n", timeout=30)
    assert launch(binary, bind(place, 'quota = "100M"'), "df -k --output=size /data | tail -1").stdout.split() == ["102400"]


def test_many_launches_at_once(binary, disk):
    place = disk.directory("at-once")
    for number in range(200):
        (place / f"f{number}").touch()
    Path("/srv/once.toml").write_text(bind(place))
    jails = [subprocess.Popen([binary, "run", "/srv/once.toml", "--", "df", "-k", "--output=size", "/data"], stdout=subprocess.PIPE, text=True, cwd="/") for _ in range(8)]
    assert [jail.communicate(timeout=60)[0].split()[-1] for jail in jails] == ["4096"] * 8


WAYS_OUT = """
import ctypes, fcntl, os, struct
def attributes(path):
    file = os.open(path, os.O_RDONLY)
    found = bytearray(fcntl.ioctl(file, 0x801c581f, bytes(28)))
    return file, found
def refused(*act):
    try: act[0](*act[1:])
    except OSError as error: print(error.errno)
    else: print("done")
for path in ("/data", "/data/d", "/data/d/f"):
    file, found = attributes(path)
    struct.pack_into("I", found, 12, 0)
    refused(fcntl.ioctl, file, 0x401c5820, bytes(found))
    if path != "/data/d/f":
        file, found = attributes(path)
        struct.pack_into("I", found, 0, struct.unpack_from("I", found)[0] & ~0x200)
        refused(fcntl.ioctl, file, 0x401c5820, bytes(found))
        flags = bytearray(fcntl.ioctl(file, 0x80086601, bytes(8)))
        struct.pack_into("I", flags, 0, struct.unpack_from("I", flags)[0] & ~0x20000000)
        refused(fcntl.ioctl, file, 0x40086602, bytes(flags))
libc = ctypes.CDLL(None, use_errno=True)
block = ctypes.create_string_buffer(72)
result = libc.syscall(443, os.open("/data", os.O_RDONLY), 0x80000802, %d, block)
print("done" if result == 0 else "no")
refused(os.link, "/out/f", "/data/hard")
refused(os.rename, "/out/f", "/data/moved")
"""


@pytest.mark.parametrize("owner, identity", [(65534, ""), (100000, SUBUIDS + '[capabilities]\nkeep = ["sys_admin", "sys_resource", "fowner", "dac_override"]\n')], ids=["nobody", "root with capabilities"])
def test_there_is_no_way_out(binary, disk, owner, identity):
    """S24: neither by another project, nor by what is brought in, nor by the limit itself, nor by a capability in the jail."""
    place, beside = disk.directory(f"ways-{owner}", owner), disk.directory(f"ways-out-{owner}", owner)
    (place / "d").mkdir()
    (place / "d" / "f").touch()
    (beside / "f").write_bytes(b"x" * 5 * MIB)
    for path in (place / "d", place / "d" / "f", beside / "f"):
        os.chown(path, owner, owner)
    spec = identity + bind(place) + bind(beside, "", "/out")
    assert launch(binary, spec, "true").returncode == 0
    Path("/srv/ways.py").write_text(WAYS_OUT % project(place))
    os.chmod("/srv/ways.py", 0o644)
    done = launch(binary, spec + '[[mount]]\ntarget = "/ways.py"\nsource = "/srv/ways.py"\noptions = ["ro"]\n', "/usr/bin/python3 /ways.py")
    answers = done.stdout.split()
    assert len(answers) == 10 and "done" not in answers and done.returncode == 0, done
    assert answers[-2:] == ["18", "18"]
    assert int(launch(binary, spec, FILL).stdout.split()[1]) <= 4 * MIB


@pytest.mark.parametrize("make, options, way", [
    ("mkfs.ext4 -q -F", "", "feature"), (EXT4, "", "count"), (XFS, "", "mount"), (XFS, ",pqnoenforce", "mount")])
def test_s21_a_limit_that_would_not_be_enforced_is_refused_with_what_helps(binary, make, options, way):
    with Disk("lax", make, options) as disk:
        place = disk.directory("data")
        done = launch(binary, bind(place), "true")
        hint = done.stderr.split("hint: ")[1].strip()
        assert done.returncode == 125 and "quota: " in done.stderr and project_or_none(place) in (0, None), done
        if way == "count":
            assert "counts what projects hold and enforces no limit" in done.stderr and hint == f"as root: quotaon -P {disk.point}", done
            sh(*hint.removeprefix("as root: ").split())
        elif way == "mount":
            assert "xfs that does not enforce" in done.stderr and hint.startswith(f"as root: umount {disk.point}, then mount it with -o prjquota"), done
            sh("umount", disk.point)
            disk.mount(",prjquota")
        else:
            assert "ext4 without project quotas" in done.stderr, done
            words = re.match(rf"as root: umount {disk.point} && (tune2fs -O project,quota -Q prjquota) /dev/\S+, then mount it with -o prjquota; or ", hint)
            assert words, done
            sh("umount", disk.point)
            sh(*words[1].split(), disk.image)
            disk.mount(",prjquota")
        done = launch(binary, bind(place), FILL)
        assert done.stdout.split()[0] == "4096" and int(done.stdout.split()[1]) <= 4 * MIB, done


def test_the_root_file_system(binary):
    """It is not unmounted while its system runs: what the hint writes into it is in force from the next start on, without an option."""
    place = Path("/srv/on-root")
    place.mkdir()
    done = launch(binary, bind(place), "true")
    hint = done.stderr.split("hint: ")[1].strip()
    words = re.match(r"from a rescue system, as root: (tune2fs -O project,quota -Q prjquota -E mount_opts=prjquota) /dev/\S+; or ", hint)
    assert done.returncode == 125 and words, done
    with Disk("root-to-be", "mkfs.ext4 -q -F", "") as disk:
        place = disk.directory("data")
        assert launch(binary, bind(place), "true").returncode == 125
        sh("umount", disk.point)
        sh(*words[1].split(), disk.image)
        disk.mount("")
        done = launch(binary, bind(place), FILL)
        assert done.stdout.split()[0] == "4096" and int(done.stdout.split()[1]) <= 4 * MIB, done


def project_or_none(place):
    found = sh("lsattr", "-p", "-d", place, check=False)
    return int(found.stdout.split()[0]) if found.returncode == 0 else None


def test_what_is_refused_with_its_reason(binary, disk):
    place = disk.directory("refused")
    (place / "f").touch()
    other = Path(f"/srv/quota-tmpfs-{disk.point.name}")
    other.mkdir()
    sh("mount", "-t", "tmpfs", "tmpfs", other)
    elsewhere = "an overlay without upper or a tmpfs (size) has a limit anywhere"
    host = '[namespaces]\nuser = "host"\n'
    overlay = f'[[mount]]\ntarget = "/data"\ntype = "overlay"\nlower = ["{place}"]\nquota = "4M"\n'
    tmpfs = '[[mount]]\ntarget = "/data"\ntype = "tmpfs"\nsize = "4M"\n'
    for spec, message, hint, *follow in [
        (bind(other), f"{other} is on another file system", elsewhere, overlay, tmpfs),
        (bind(place) + host, "could take it out of the limit", 'set namespaces.user = "new"', bind(place) + host.replace("host", "new")),
        (bind(place, options='["ro"]'), "nothing can be stored there", 'leave out the limit, or "ro"', bind(place), bind(place, "", options='["ro"]')),
        (bind(place / "f"), "is not a directory", "name the directory that it is in", bind(place)),
    ]:
        done = launch(binary, spec, "true")
        assert done.returncode == 125 and message in done.stderr and f"hint: {hint}\n" in done.stderr, done
        for other in follow:
            done = launch(binary, other, "true")
            assert (done.returncode, done.stderr) == (0, ""), done


def test_a_project_of_somebody_else_is_left_alone(binary, disk):
    place = disk.directory("theirs")
    sh("chattr", "-p", "77", place)
    done = launch(binary, bind(place), "true")
    assert done.returncode == 125 and "belongs to project 77, which is not immure's" in done.stderr, done
    assert project(place) == 77
    hint = done.stderr.split("take it out of it: ")[1].strip()
    sh(*hint.split())
    assert launch(binary, bind(place), "true").returncode == 0
    below = place / "below"
    below.mkdir()
    sh("chattr", "-p", "78", below)
    done = launch(binary, bind(place), "true")
    assert done.returncode == 125 and f"{below} belongs to project 78" in done.stderr, done


def test_what_is_mounted_below_would_have_no_limit(binary, disk):
    place = disk.directory("submount")
    (place / "m").mkdir()
    sh("mount", "-t", "tmpfs", "tmpfs", place / "m")
    try:
        done = launch(binary, bind(place), "true")
        assert done.returncode == 125 and f"{place}/m is mounted below {place}, and would have no limit" in done.stderr, done
        assert 'options = ["bind"]' in done.stderr
        done = launch(binary, bind(place, options='["rw", "bind"]'), "df -k --output=size /data/m | tail -1")
        assert done.stdout.split() == ["4096"], done
    finally:
        sh("umount", place / "m")
