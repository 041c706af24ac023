"""An ext4 image that an ordinary user's jail changes: fuse2fs writes to it, outside of the jail, and the file is all that it can take."""

import json
import os
import random
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from harness import linux
from harness.fuse import open_to_all
from harness.hints import gone, told
from harness.must import needs
from harness.patience import patient, reached, until

SYSTEM = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
SIZE = 8 << 20


@pytest.fixture(autouse=True)
def fuse(base):
    needs(shutil.which("fuse2fs"), "fuse2fs")
    # It gets its channel from immure's own file in its room, where nothing is but the system's libraries.
    needs(b"ld-linux" not in (base / "immure").read_bytes()[:4096], "a static binary in IMMURE")
    with open_to_all(base):
        yield


@pytest.fixture
def image(user):
    return make(user)


def make(user, before=b"", size="8M", features="metadata_csum"):
    """An image whose root directory is the user's, with a file in it."""
    place = user.directory()
    (place / "tree").mkdir()
    (place / "tree/f").write_text("within\n")
    user.own(place / "tree/f")
    owner = (place / "tree/f").stat()
    options = ["-E", f"root_owner={owner.st_uid}:{owner.st_gid}", "-d", place / "tree"]
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-O", features, *options, place / "image", size], check=True, env=SYSTEM)
    if before:
        (place / "image").write_bytes(before + (place / "image").read_bytes())
    return user.own(place / "image")


def spec(image, more="", options='["rw"]', offset=0):
    offset = f"offset = {offset}\n" if offset else ""
    return f'{more}\n[[mount]]\ntarget = "/opt/i"\ntype = "image"\nsource = "{image}"\n{offset}options = {options}\n'


def is_sound(image):
    return subprocess.run(["e2fsck", "-fn", image], capture_output=True, env=SYSTEM).returncode == 0


def begin(user, image, script="sleep 1000", more='grace = "2s"', offset=0, first=":"):
    """A launch that has written, and its server; none where the launch has ended before, by a limit of its own."""
    place = user.open_directory()
    text = spec(image, more, offset=offset) + f'[filesystem]\nrw = ["{place}:/w"]'
    launch = user.start(text, "/bin/sh", "-c", f"{first}; echo kept >/opt/i/new; echo >/w/began; {script}")
    until(lambda: (place / "began").exists() or launch.poll() is not None)
    return launch, linux.server(launch.pid, "fuse2fs") if launch.poll() is None else None


def test_what_is_written_stays_in_it(user, image):
    run = user.shell(spec(image), "echo kept >/opt/i/new; mkdir /opt/i/d; ln /opt/i/new /opt/i/d/hard; rm /opt/i/f; stat -c %u:%g /opt/i/new; id -u; id -g; grep ' /opt/i ' /proc/self/mountinfo")
    owner, uid, gid, mount = run.ok.stdout.splitlines()
    assert owner == f"{uid}:{gid}" and " rw,nosuid,nodev" in mount and " - fuse.fuse2fs " in mount, run
    assert run.stderr == "" and linux.survivors(0.5) == {} and is_sound(image)
    assert user.shell(spec(image, options='["ro"]'), "cat /opt/i/d/hard; ls /opt/i").ok.stdout.split() == ["kept", "d", "lost+found", "new"]
    for turn in range(10):
        user.shell(spec(image), f"echo {turn} >>/opt/i/turns").ok
    assert len(user.shell(spec(image), "cat /opt/i/turns").ok.stdout.splitlines()) == 10 and is_sound(image)


def test_an_offset(user):
    image = make(user, before=b"\0" * 40960)
    text = spec(image, offset=40960)
    user.shell(text, "echo kept >/opt/i/new").ok
    assert user.shell(text, "cat /opt/i/new").ok.stdout == "kept\n"


def test_what_was_mapped_into_memory_is_in_it(user, image):
    """The kernel has it as the command ends, and gives it to the server as the file system is unmounted."""
    code = "import mmap, os\nf = os.open('/opt/i/big', os.O_RDWR | os.O_CREAT)\nos.ftruncate(f, 3000000)\nm = mmap.mmap(f, 3000000)\nos.close(f)\nm[:] = b'x' * 3000000\nos._exit(0)"
    user.run(spec(image), "/usr/bin/python3", "-c", code).ok
    assert user.shell(spec(image), "tr -d x </opt/i/big | wc -c; stat -c %s /opt/i/big").ok.stdout.split() == ["0", "3000000"]


def test_the_file_is_all_that_can_be_stored(user, image):
    run = user.shell(spec(image), "df -k --output=size /opt/i | tail -1; cat /dev/zero >/opt/i/big")
    assert run.status != 0 and "No space left" in run.stderr and 0 < int(run.stdout) < SIZE >> 10, run
    assert "mount /opt/i: full (8M of 8M)" in run.stderr and image.stat().st_size == SIZE, run
    result = user.directory() / "result"
    user.shell(spec(image), "cat /dev/zero >>/opt/i/big 2>/dev/null; true", options=["--result", str(result)]).ok
    hit, = json.loads(result.read_text())["limits_hit"]
    assert (hit["limit"], hit["value"], hit["count"]) == ("mount /opt/i", "8M", 1)
    assert is_sound(image)
    # And there is room again.
    assert user.shell(spec(image), "rm /opt/i/big && echo x >/opt/i/small").ok.stderr == "" and is_sound(image)


def test_s23_an_image_is_what_has_a_limit(user):
    """What a user is told who asks for a quota: the command line as it is printed, by the user."""
    place = user.directory()
    bind = f'[[mount]]\ntarget = "/src"\nsource = "{place}"\nquota = "8M"\n'
    hint = told(user.run(bind, "/bin/true"), 'an overlay without upper, a tmpfs (size) and an ext4 image with "rw" ({}) have a limit; or have root set a project quota')
    user.file(place / "f", "within\n")
    target = user.directory() / "made"
    words = re.search(r"\((mke2fs [^)]*)\)", hint)[1].replace("DIRECTORY", str(place)).replace("FILE", str(target)).replace("SIZE", "8M")
    subprocess.run(shlex.split(words), check=True, capture_output=True, env=SYSTEM, **user.account())
    run = user.shell(spec(target), "cat /opt/i/f && cat /dev/zero >/opt/i/big")
    assert run.stdout == "within\n" and "No space left" in run.stderr, run


def test_the_blocks_of_a_written_image_are_on_the_disk(user, image):
    assert image.stat().st_blocks * 512 < SIZE
    user.shell(spec(image), "true").ok
    assert image.stat().st_blocks * 512 >= SIZE


@pytest.mark.skipif(os.getuid() != 0, reason="mounts")
def test_a_disk_that_has_no_room_for_it(user, image):
    small = user.directory()
    linux.mount("tmpfs", small, "tmpfs", data="size=1M")
    try:
        subprocess.run(["cp", "--sparse=always", image, small / "image"], check=True)
        user.own(small / "image")
        run = user.run(spec(small / "image"), "/bin/echo", "ran")
        assert run.status == 125 and "fallocate: ENOSPC" in run.stderr and run.stdout == "", run
    finally:
        linux.umount(small)


@pytest.mark.parametrize("options", ['["ro"]', '["rw"]'], ids=["read", "written"])
def test_one_jail_at_a_time_changes_an_image(user, image, options):
    launch, _ = begin(user, image)
    run = user.run(spec(image, options=options), "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and f"{image} is mounted by another jail" in run.stderr, run
    told(run, "wait for that, or give each jail an image of its own: cp --reflink=auto")
    launch.terminate()
    user.finish(launch)
    gone(user.run(spec(image, options=options), "/bin/true"))


@pytest.mark.skipif(os.getuid() != 0, reason="looks into a process of another user namespace")
def test_what_the_server_has(user, image):
    launch, pid = begin(user, image)
    limit = next(line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max file size"))
    assert limit.split()[3:5] == [str(SIZE)] * 2
    for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
        _, _, _, _, target, options, *_ = line.split()
        options = options.split(",")
        assert target == "/proc" or ("ro" in options) != (target == "/image") and "nosuid" in options, line
    launch.terminate()
    user.finish(launch)


# What ends it


@pytest.mark.parametrize("offset", [0, 40960])
def test_a_server_that_is_killed_leaves_an_image_to_be_checked(user, offset):
    image = make(user, before=b"\0" * offset)
    launch, pid = begin(user, image, offset=offset)
    os.kill(pid, signal.SIGKILL)
    run = user.finish(launch)
    assert run.status == 137 and "fuse2fs ended: SIGKILL; jail killed" in run.stderr, run
    run = user.run(spec(image, offset=offset), "/bin/echo", "ran")
    assert run.stdout == "" and f"{image} was not unmounted in order, or has errors" in run.stderr, run
    hint = told(run, "e2fsck -fy {}")
    assert subprocess.run(shlex.split(hint), capture_output=True, env=SYSTEM).returncode in (0, 1)
    gone(user.run(spec(image, offset=offset), "/bin/true"))


@pytest.mark.parametrize("how", ["TERM", "timeout", "ignored"])
def test_whatever_ends_the_jail_the_image_is_whole(user, image, how):
    def is_whole(seconds):
        more = 'grace = "1s"\n' + (f'timeout = "{seconds}s"' if how == "timeout" else "")
        busy = ("while true; do echo more >>/opt/i/new; done", more, 0, "trap '' TERM")
        launch, pid = begin(user, image, *(busy if how == "ignored" else ("sleep 1000", more)))
        handle = os.pidfd_open(pid) if pid else None
        if how != "timeout":
            launch.terminate()
        run = user.finish(launch)
        assert run.status == {"TERM": 143, "timeout": 124, "ignored": 137}[how], run
        return handle and select.select([handle], [], [], patient(0.5))[0] and is_sound(image)

    assert reached(is_whole, (1, 8, 60) if how == "timeout" else (1,))
    assert user.shell(spec(image), "head -1 /opt/i/new").ok.stdout == "kept\n"


def test_no_server_outlives_a_launcher_that_is_killed(user, image):
    launch, pid = begin(user, image)
    handle = os.pidfd_open(pid)
    launch.kill()
    user.finish(launch)
    assert select.select([handle], [], [], patient(0.5))[0], "fuse2fs is still there"
    # It is killed with the launcher, or is quicker: the jail, which ends with it, unmounts the image in order.
    state = subprocess.run(["dumpe2fs", "-h", image], capture_output=True, text=True, env=SYSTEM).stdout
    run = user.run(spec(image), "/bin/true")
    if re.search(r"^Filesystem state: +clean$", state, re.MULTILINE):
        gone(run)
        assert is_sound(image)
    else:
        told(run, "e2fsck -fy {}")


def test_a_server_that_stands_still_holds_nobody(user, image):
    """The command has ended well, and what it wrote last is not in the image: it is said, and is no success."""
    launch, pid = begin(user, image, "until test -e /w/go; do sleep 0.05; done; exit 0")
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    place = next(line for line in Path(f"/proc/{launch.pid}/cmdline").read_bytes().split(b"\0") if line.endswith(b".toml"))
    shown = re.search(r'rw = \["(.*):/w"\]', Path(os.fsdecode(place)).read_text())[1]
    user.file(Path(shown) / "go", "")
    run = user.finish(launch)
    assert time.monotonic() - started < patient(6) and run.status == 137, run
    assert re.search(r"mount .* on /opt/i: fuse2fs ended before all of it was in .*image\n", run.stderr), run
    assert f"hint: e2fsck -fy {image}\n" in run.stderr
    assert select.select([handle], [], [], patient(0.5))[0] and linux.survivors(0.5) == {}


def test_a_launch_that_fails_leaves_the_image_as_it_was(user, image):
    before = is_sound(image)
    run = user.run(spec(image) + '[filesystem]\nro = ["/nowhere"]\n', "/bin/true")
    assert run.status == 125 and before and is_sound(image), run
    assert user.run(spec(image), "/nowhere/command").status == 127
    gone(user.run(spec(image), "/bin/true"))


def test_a_file_system_that_is_open_elsewhere_holds_nobody(user, image):
    """Somebody outside has a file of it: the server is asked to end, and the image is whole."""
    place = user.open_directory()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(place / "socket"))
        os.chmod(place / "socket", 0o777)
        listening.listen()
        code = "import array, os, socket, time\ns = socket.socket(socket.AF_UNIX)\ns.connect('/w/socket')\nf = os.open('/opt/i/held', os.O_RDWR | os.O_CREAT)\nos.write(f, b'kept')\ns.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [f]))])\ns.recv(1)\n"
        launch = user.start(spec(image) + f'[filesystem]\nrw = ["{place}:/w"]', "/usr/bin/python3", "-c", code)
        end, _ = listening.accept()
        _, (held,), _, _ = socket.recv_fds(end, 1, 1)
        end.send(b"x")
        run = user.finish(launch)
        assert (run.status, run.stderr) == (0, ""), run
        assert is_sound(image) and linux.survivors(0.5) == {}
        os.close(held)
    assert user.shell(spec(image), "cat /opt/i/held").ok.stdout == "kept"


# Somebody else's


def mutants(whole, dice, count):
    """Copies with some bytes changed: of the superblock, the group descriptors, or what is after them, where little is not zero."""
    used = [at for at in range(4096, len(whole), 16) if any(whole[at : at + 16])]
    for number in range(count):
        mutant = bytearray(whole)
        for _ in range(dice.choice([1, 1, 2, 4, 8, 64])):
            at = [dice.randrange(1024, 1024 + 0x178), dice.randrange(2048, 2048 + 64), dice.choice(used) + dice.randrange(16)][number % 3]
            # The magic stays: without it the image is refused before anybody reads it.
            if at not in (1024 + 0x38, 1024 + 0x39):
                mutant[at] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])
        yield mutant


@pytest.mark.parametrize("options", ['["ro"]', '["rw"]'], ids=["read", "written"])
@pytest.mark.parametrize("features", ["^metadata_csum", "metadata_csum"])
def test_crafted_images(user, features, options):
    """It may break the program that reads it, and nothing else: each mutant is read, refused, ends its server, or keeps it busy,
    with one line, at the deadline at the latest, and with nobody left."""
    whole = make(user, features=features, size="2M").read_bytes()
    dice = random.Random(int(os.environ.get("IMMURE_SEED", "16")))
    mutant = user.directory() / "mutant"
    work = "find /opt/i -type f -exec cat {} + >/dev/null 2>&1; " + "(mkdir /opt/i/d; echo x >/opt/i/d/new; rm /opt/i/f) 2>/dev/null; " * ("rw" in options)
    ends = set()
    for number, content in enumerate(mutants(whole, dice, 24)):
        mutant.write_bytes(content)
        user.own(mutant)
        started = time.monotonic()
        run = user.shell(spec(mutant, 'timeout = "4s"\ngrace = "500ms"', options), work + "echo ran", timeout=60)
        lines = [line for line in run.stderr.splitlines() if not re.match("(immure: | *)hint: ", line)]
        wanted = {0: ("ran\n", 0), 124: (run.stdout, 1), 125: ("", 1), 137: (run.stdout, 1)}.get(run.status)
        assert wanted == (run.stdout, len(lines)) and time.monotonic() - started < patient(8), (number, run.status, run.stdout, run.stderr)
        ends.add(run.status)
    assert linux.survivors(1) == {} and {0, 125} <= ends, ends
