"""`type = "image"`: file systems in files, read by the kernel for root and by squashfuse or fuse2fs for an ordinary user; what an
ordinary user's jail changes is in test_written_image.py."""

import json
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

from harness import linux
from harness.fuse import open_to_all
from harness.hints import as_root, gone, told
from harness.must import needs
from harness.patience import patient, until

MAKERS = {"squashfs": "mksquashfs", "erofs": "mkfs.erofs", "ext4": "mkfs.ext4"}
SERVERS = {"squashfs": "squashfuse", "ext4": "fuse2fs"}


@pytest.fixture(params=SERVERS)
def served(request, base):
    """A kind of image that an ordinary user has by a program."""
    needs(shutil.which(SERVERS[request.param]), SERVERS[request.param])
    if request.param == "ext4":
        needs_static(base)
    return request.param


def needs_static(base):
    """fuse2fs gets its channel from immure's own file in its room, where nothing is but the system's libraries."""
    needs(shutil.which("fuse2fs"), "fuse2fs")
    needs(b"ld-linux" not in (base / "immure").read_bytes()[:4096], "a static binary in IMMURE")


@pytest.fixture(autouse=True)
def fuse(base):
    with open_to_all(base):
        yield


def build(caller, kind="squashfs", before=b"", mode=0o644):
    """An image of the caller's, `before` in front of it; all that is in it is root's."""
    for maker in ("mksquashfs", "squashfuse", MAKERS[kind]):
        needs(shutil.which(maker, path="/usr/bin:/usr/sbin"), maker)
    place = caller.directory()
    (place / "tree/d").mkdir(parents=True)
    (place / "tree/d/f").write_text("within\n")
    (place / "tree/d/f").chmod(mode)
    suid = place / "tree/d/suid"
    shutil.copy("/usr/bin/id", suid)
    suid.chmod(0o4755)
    image = place / "image"
    if kind == "squashfs":
        command = ["mksquashfs", place / "tree", image, "-noappend", "-quiet", "-all-root"]
    elif kind == "erofs":
        command = ["mkfs.erofs", image, place / "tree"]
    else:
        with open(image, "wb") as file:
            file.truncate(8 << 20)
        command = ["mkfs.ext4", "-q", "-d", place / "tree", image]
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    subprocess.run(command, check=True, capture_output=True, env=path)
    if before:
        image.write_bytes(before + image.read_bytes())
    image.chmod(0o644)
    caller.own(image)
    return image


def spec(image, more="", target="/opt/i"):
    return f'[[mount]]\ntarget = "{target}"\ntype = "image"\nsource = "{image}"\n{more}\n'


def loops():
    """The loop devices that show a file of the tests."""
    found = set()
    for place in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            found.add((place.parts[3], place.read_text().strip()))
        except OSError:
            continue  # it has gone meanwhile
    return {name for name, file in found if file.endswith("/image")}


@pytest.fixture
def running(user, served):
    """A launch of an ordinary user whose command has begun, and its server."""
    place = user.open_directory()
    image = build(user, served)
    launch = user.start(spec(image) + f'[filesystem]\nrw = ["{place}:/w"]', "/bin/sh", "-c", "cat /opt/i/d/f >/w/began; sleep 1000")
    until(lambda: (place / "began").exists() and (place / "began").read_text() == "within\n")
    return launch, linux.server(launch.pid, SERVERS[served])


@pytest.mark.parametrize("kind", MAKERS)
def test_root_sees_what_is_in_it(root, kind):
    run = root.shell(spec(build(root, kind)), "cat /opt/i/d/f; grep ' /opt/i ' /proc/self/mountinfo; echo x >/opt/i/d/f")
    assert run.status == 2 and "Read-only file system" in run.stderr, run
    content, mount = run.stdout.splitlines()
    assert content == "within" and f" - {kind} " in mount and " ro,nosuid,nodev," in mount
    until(lambda: not loops())


def test_a_user_sees_what_is_in_it(user, served):
    run = user.shell(spec(build(user, served)), "cat /opt/i/d/f; grep ' /opt/i ' /proc/self/mountinfo; echo x >/opt/i/d/f")
    assert run.status == 2 and "Read-only file system" in run.stderr, run
    content, mount = run.stdout.splitlines()
    assert content == "within" and f" - fuse.{SERVERS[served]} " in mount and " ro,nosuid,nodev," in mount
    assert linux.survivors(0.5) == {}


def test_the_command_s_own_end_is_the_end(user, served):
    """The server ends with the last mount, and is not taken for one that was lost."""
    image = build(user, served)
    for status in [0, 3] * 10:
        run = user.shell(spec(image), f"cat /opt/i/d/f; exit {status}")
        assert run.status == status and run.stderr == "" and run.stdout == "within\n", run


def test_two_images_of_one_jail(caller):
    image = build(caller)
    run = caller.shell(spec(image) + spec(image, target="/opt/j"), "cat /opt/i/d/f /opt/j/d/f").ok
    assert run.stdout == "within\n" * 2


def test_other_ids_than_the_caller_s(user, served):
    text = '[identity]\nuser = 0\ngroup = 0\nuid_map = "auto"\ngid_map = "auto"\n' + spec(build(user, served))
    assert user.shell(text, "id -u; cat /opt/i/d/f").ok.stdout == "0\nwithin\n"


@pytest.mark.parametrize("kind", ["squashfs", "erofs"])
def test_an_offset(caller, kind):
    if kind == "erofs" and not caller.is_root:
        pytest.skip("only root mounts erofs")
    image = build(caller, kind, before=b"\0" * 40960)
    run = caller.run(spec(image), "/bin/true")
    assert run.status == 125 and "holds no squashfs, erofs or ext4" in run.stderr, run
    assert caller.run(spec(image, "offset = 40960"), "/bin/cat", "/opt/i/d/f").ok.stdout == "within\n"


def sif(image, at):
    """The header of a SIF file and its descriptors, as its specification has them; the second partition is the system."""
    header = bytearray(at)
    header[:128] = struct.pack(
        "<32s10s3s3s16s8q", b"#!/usr/bin/env run-singularity\n", b"SIF_MAGIC", b"01", b"02", b"", 0, 0, 46, 48, 4096, 48 * 585, at, len(image)
    )
    for number, kind in enumerate((3, 2)):
        entry = struct.pack("<i?IIIqqq2q2q128s", 0x4004, True, number + 1, 1, 0, 99 if kind == 3 else at, len(image), len(image), 0, 0, 0, 0, b"")
        entry += struct.pack("<ii", 1, kind)
        header[4096 + number * 585 : 4096 + number * 585 + len(entry)] = entry
    return bytes(header)


def test_a_sif_file(caller):
    image = build(caller)
    content = image.read_bytes()
    image.write_bytes(sif(content, 36864) + content)
    assert caller.run(spec(image), "/bin/cat", "/opt/i/d/f").ok.stdout == "within\n"
    image.write_bytes(sif(content, 36864)[:5000])
    run = caller.run(spec(image), "/bin/true")
    assert run.status == 125 and "holds no squashfs, erofs or ext4" in run.stderr, run


def test_an_offset_of_an_ext4(user, base):
    needs_static(base)
    image = build(user, "ext4", before=b"\0" * 40960)
    assert user.run(spec(image, "offset = 40960"), "/bin/cat", "/opt/i/d/f").ok.stdout == "within\n"


def test_modes_of_an_ext4_are_the_kernels_to_judge(user, base):
    """What root has shut in it stays shut for the jail, whatever the program that serves it may read."""
    needs_static(base)
    run = user.shell(spec(build(user, "ext4", mode=0o600)), "stat -c %a /opt/i/d/f; cat /opt/i/d/f")
    assert run.status == 1 and run.stdout == "600\n" and "Permission denied" in run.stderr, run


def test_set_user_id_and_devices_are_closed_unless_opened(root):
    image = build(root)
    assert "nosuid,nodev" in root.run(spec(image), "/bin/grep", " /opt/i ", "/proc/self/mountinfo").ok.stdout
    found = root.run(spec(image, 'options = ["suid", "dev", "noexec"]'), "/bin/grep", " /opt/i ", "/proc/self/mountinfo").ok.stdout
    assert "nosuid" not in found and "nodev" not in found and "noexec" in found


# One that takes changes

WRITABLE = 'options = ["rw"]\nidmap = true'


def test_what_is_written_to_an_image_stays_in_it(root):
    image = build(root, "ext4")
    run = root.shell(spec(image, WRITABLE), "echo kept >/opt/i/new; rm /opt/i/d/f; stat -c %U /opt/i/new; grep ' /opt/i ' /proc/self/mountinfo")
    owner, mount = run.ok.stdout.splitlines()
    assert owner == "nobody" and " rw,nosuid,nodev" in mount and " - ext4 " in mount and "errors=remount-ro" in mount, run
    until(lambda: not loops())
    assert root.shell(spec(image), "cat /opt/i/new; ls /opt/i/d").ok.stdout == "kept\nsuid\n"
    for turn in range(10):
        root.shell(spec(image, WRITABLE), f"echo {turn} >>/opt/i/turns").ok
    assert len(root.shell(spec(image), "cat /opt/i/turns").ok.stdout.splitlines()) == 10
    until(lambda: not loops())
    assert subprocess.run(["e2fsck", "-fn", image], capture_output=True, env={"PATH": "/usr/sbin:/sbin"}).returncode == 0


def test_an_image_is_all_that_can_be_stored(root):
    image = build(root, "ext4")
    run = root.shell(spec(image, WRITABLE), "df -k --output=size /opt/i | tail -1; cat /dev/zero >/opt/i/big")
    assert run.status != 0 and "No space left" in run.stderr and int(run.stdout) < 8192 and "mount /opt/i: full (8M of 8M)" in run.stderr, run
    result = root.directory() / "result"
    root.shell(spec(image, WRITABLE), "cat /dev/zero >>/opt/i/big 2>/dev/null; true", options=["--result", str(result)]).ok
    hit, = json.loads(result.read_text())["limits_hit"]
    assert (hit["limit"], hit["value"], hit["count"]) == ("mount /opt/i", "8M", 1)


def test_the_blocks_of_a_written_image_are_on_the_disk(root):
    image = build(root, "ext4")
    assert image.stat().st_blocks * 512 < 8 << 20
    root.shell(spec(image, WRITABLE), "true").ok
    assert image.stat().st_blocks * 512 >= 8 << 20
    small = root.directory()
    linux.mount("tmpfs", small, "tmpfs", data="size=1M")
    try:
        with open(small / "image", "wb") as file:
            file.truncate(8 << 20)
        subprocess.run(["mkfs.ext4", "-q", small / "image"], check=True, env={"PATH": "/usr/sbin:/sbin"})
        run = root.run(spec(small / "image", WRITABLE), "/bin/echo", "ran")
        assert run.status == 125 and "fallocate: ENOSPC" in run.stderr and run.stdout == "", run
        until(lambda: not loops())
    finally:
        linux.umount(small)


@pytest.mark.parametrize("second", ["", WRITABLE], ids=["read", "written"])
def test_one_jail_at_a_time_changes_an_image(root, second):
    image = build(root, "ext4")
    place = root.open_directory()
    launch = root.start(spec(image, WRITABLE) + f'[filesystem]\nrw = ["{place}:/w"]', "/bin/sh", "-c", "echo >/w/began; sleep 1000")
    until(lambda: (place / "began").exists())
    run = root.run(spec(image, second), "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and f"{image} is mounted by another jail" in run.stderr, run
    told(run, "wait for that, or give each jail an image of its own: cp --reflink=auto")
    launch.terminate()
    root.finish(launch)
    gone(root.run(spec(image, second), "/bin/true"))
    until(lambda: not loops())


def test_two_jails_read_one_image(root):
    image = build(root, "ext4")
    launches = [root.start(spec(image), "/bin/cat", "/opt/i/d/f") for _ in range(5)]
    assert {root.finish(launch).stdout for launch in launches} == {"within\n"}


def test_which_images_take_no_changes(root):
    image = build(root)
    told(root.run(spec(image, 'options = ["rw"]'), "/bin/true"), 'leave out "rw"; or make an ext4: {}')
    file = image.parent / "made"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", image.parent / "tree", file, "8M"], check=True, env={"PATH": "/usr/sbin:/sbin"})
    gone(root.run(spec(file, 'options = ["rw"]'), "/bin/true"))
    told(root.run(spec(file, 'options = ["rw"]', target="/"), "/bin/true"), 'leave out "rw"; a [[mount]] below can take changes')


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("target", ["/opt/i", "/opt/i/deeper"])
def test_s29_files_appear_as_the_commands_user(root, kind, target):
    image = build(root, kind, mode=0o600)
    run = root.run(spec(image, target=target), "/bin/cat", f"{target}/d/f")
    assert run.status == 1 and "Permission denied" in run.stderr, run
    run = root.shell(spec(image, "idmap = true", target=target), f"cat {target}/d/f; stat -c %u:%g {target}/d/f; grep ' {target} ' /proc/self/mountinfo")
    content, owner, mount = run.ok.stdout.splitlines()
    assert (content, owner) == ("within", "65534:65534") and " ro,nosuid,nodev," in mount and "idmapped" in mount, run
    until(lambda: not loops())


def test_s29_an_idmapped_image_is_told(root, user):
    image = build(root)
    plan = root.verb("plan", str(root.spec(spec(image, "idmap = true"))), "--", "true").ok.stdout
    assert "idmapped" in next(line for line in plan.splitlines() if "mount_image" in line)
    told(user.run(spec(build(user), "idmap = true"), "/bin/true"), "leave it out: what belongs to the caller appears as the jail's user without it; or {}")
    gone(user.run(spec(build(user)), "/bin/true"))


# What ends it


def test_a_server_that_ends_takes_the_jail_with_it(user, running):
    launch, squashfuse = running
    os.kill(squashfuse, signal.SIGKILL)
    run = user.finish(launch)
    assert run.status == 137 and re.search("(squashfuse|fuse2fs) ended: SIGKILL; jail killed", run.stderr), run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_server_outlives_the_launch(user, running, number):
    launch, squashfuse = running
    handle = os.pidfd_open(squashfuse)
    os.kill(launch.pid, number)
    user.finish(launch)
    assert select.select([handle], [], [], patient(0.5))[0], "the server is still there"


def test_a_server_that_stands_still_holds_nobody(user):
    """A process that waits for it cannot be killed: the server is, and is not taken for one that was lost."""
    place = user.open_directory()
    text = f'grace = "100ms"\n{spec(build(user))}[filesystem]\nrw = ["{place}:/w"]'
    launch = user.start(text, "/bin/sh", "-c", "trap '' TERM; while true; do stat /opt/i/nothing 2>/w/began; done")
    until(lambda: (place / "began").exists())
    squashfuse = linux.server(launch.pid, "squashfuse")
    handle = os.pidfd_open(squashfuse)
    os.kill(squashfuse, signal.SIGSTOP)

    def waits():
        return any(linux.seen(pid, "wchan") == "request_wait_answer" for pid in linux.descendants(launch.pid) if pid != squashfuse)

    if os.getuid() == 0:
        until(waits)
    os.kill(launch.pid, signal.SIGTERM)
    run = user.finish(launch, timeout=patient(20))
    assert run.status == 137 and run.stderr.count("\n") == 1 and "grace: the jail was killed" in run.stderr, run
    assert select.select([handle], [], [], patient(0.5))[0], "squashfuse is still there"


# How it is shut in


@pytest.mark.skipif(os.getuid() != 0, reason="looks into a process of another user namespace")
def test_what_the_server_has(user, running, served):
    launch, squashfuse = running
    place = Path(f"/proc/{squashfuse}")
    status = dict(line.split(":\t", 1) for line in (place / "status").read_text().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    assert {int(status[f"Cap{name}"], 16) for name in ("Eff", "Prm", "Inh", "Bnd", "Amb")} == {0}, status
    path, *more, last = (place / "environ").read_bytes().split(b"\0")
    assert path == b"PATH=/usr/sbin:/usr/bin:/sbin:/bin" + (b":/" if served == "ext4" else b"") and last == b""
    assert [each.split(b"=")[0] for each in more] == ([b"IMMURE_FUSE_CHANNEL"] if served == "ext4" else [])
    for kind in ("user", "mnt", "pid", "net", "ipc"):
        assert os.readlink(place / "ns" / kind) != os.readlink(f"/proc/self/ns/{kind}")
    own = {"served", "fusermount", "fusermount3"} if served == "ext4" else set()
    assert set(os.listdir(place / "root")) <= {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "proc", "dev", "image"} | own
    for line in (place / "mountinfo").read_text().splitlines():
        _, _, _, _, target, options, *_ = line.split()
        assert target == "/proc" or "ro" in options.split(","), line
    fuse = os.makedev(10, 229)
    files = {"fuse" if os.stat(each).st_rdev == fuse else os.readlink(each).split(":")[0] for each in (place / "fd").iterdir()}
    assert files - {"socket"} == {"pipe", "fuse", "/image", f"/usr/bin/{SERVERS[served]}"}, files
    launch.terminate()
    user.finish(launch)


HOSTILE = """#!/usr/bin/python3 -E
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
found = []
def closed(name, act):
    try:
        if act() == -1: return
        found.append(name)
    except OSError:
        pass
closed("secret", lambda: open({secret!r}).read())
closed("list", lambda: os.listdir({home!r}))
closed("write", lambda: open("/image", "r+b"))
closed("root", lambda: open("/planted", "w"))
closed("network", lambda: socket.create_connection(("127.0.0.1", {port}), 1))
closed("abstract", lambda: socket.socket(socket.AF_UNIX).connect({abstract!r}))
closed("signal", lambda: os.kill({caller}, 0))
closed("trace", lambda: libc.ptrace(16, {caller}, 0, 0))
closed("namespace", lambda: libc.unshare(0x10000000))
closed("mount", lambda: libc.mount(b"none", b"/dev", b"tmpfs", 0, None))
closed("above", lambda: os.listdir("/../home"))
print("open:", *found, "end")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="puts a program of its own into /usr/bin")
def test_a_server_that_has_been_taken_over_reaches_nothing_of_the_callers(user, base):
    image = build(user)
    secret = user.file(image.parent / "secret", "x")
    tcp, abstract = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)
    abstract.bind("\0immure-test")
    abstract.listen()
    caller = subprocess.Popen(["setpriv", f"--reuid={user.uid}", "--clear-groups", "sleep", "1000"])
    program = HOSTILE.format(secret=str(secret), home=str(image.parent), port=tcp.getsockname()[1], abstract="\0immure-test", caller=caller.pid)
    place = Path(base) / "hostile"
    for each in ("upper", "work"):
        (place / each).mkdir(parents=True)
    (place / "upper/squashfuse").write_text(program)
    (place / "upper/squashfuse").chmod(0o755)
    linux.mount("overlay", "/usr/bin", "overlay", data=f"lowerdir=/usr/bin,upperdir={place}/upper,workdir={place}/work")
    try:
        run = user.run(spec(image), "/bin/true")
        assert run.status == 125 and "squashfuse ended: open: end" in run.stderr, run
        # And each of it is there for whoever is not shut in.
        bare = subprocess.run(["setpriv", f"--reuid={user.uid}", "--clear-groups", place / "upper/squashfuse"], capture_output=True, text=True)
        assert {"secret", "list", "network", "abstract", "signal", "namespace"} <= set(bare.stdout.split()), bare
    finally:
        linux.umount("/usr/bin")
        caller.kill()
        caller.wait()
        tcp.close()
        abstract.close()


def test_the_jail_does_not_see_the_server(user):
    run = user.shell(spec(build(user)), "ls /opt/i; for p in /proc/[0-9]*; do cat $p/comm 2>/dev/null; done").ok
    assert "squashfuse" not in run.stdout


def test_no_loop_device_is_left_whatever_ends_the_launch(root):
    image = build(root)
    root.run(spec(image), "/bin/false")
    root.run(spec(image) + '[filesystem]\nro = ["/nowhere"]\n', "/bin/true")
    launch = root.start(spec(image), "/bin/sleep", "1000")
    until(loops)
    launch.kill()
    root.finish(launch)
    until(lambda: not loops())


def test_s27_many_launches_at_once(root):
    image = build(root)
    launches = [root.start(spec(image), "/bin/cat", "/opt/i/d/f") for _ in range(50)]
    runs = [root.finish(launch, timeout=60) for launch in launches]
    assert {(run.status, run.stdout) for run in runs} == {(0, "within\n")}, runs
    until(lambda: not loops())


# What is refused


def corrupt(caller):
    image = build(caller)
    content = image.read_bytes()
    image.write_bytes(content[:96] + os.urandom(len(content) - 96))
    return image


def test_a_corrupt_image(caller):
    run = caller.run(spec(corrupt(caller)), "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "/opt/i" in run.stderr, run
    assert ("EINVAL: " if caller.is_root else "squashfuse ended: ") in run.stderr, run
    assert linux.survivors(0.5) == {} and not loops()


def test_crafted_images(user):
    """Somebody else's image may break the program that reads it, and nothing else: each mutant is read, refused, or ends its
    server, with one line, before the deadline and with nobody left. Root's are read by the kernel, which is not tried here."""
    whole = build(user).read_bytes()
    dice = random.Random(int(os.environ.get("IMMURE_SEED", "15")))
    image = user.directory() / "mutant"
    for number in range(40):
        mutant = bytearray(whole)
        # Superblock after the magic bytes, or the blocks and tables.
        first, end = (4, 96) if number % 4 else (96, len(mutant))
        for _ in range(dice.choice([1, 1, 2, 4, 8])):
            mutant[dice.randrange(first, end)] = dice.choice([0, 0x7F, 0x80, 0xFF, dice.randrange(256)])
        image.write_bytes(mutant)
        user.own(image)
        started = time.monotonic()
        run = user.shell('timeout = "100s"\n' + spec(image), "find /opt/i -type f -exec cat {} + >/dev/null 2>&1; echo ran", timeout=30)
        lines = [line for line in run.stderr.splitlines() if not line.startswith("immure: hint: ")]
        wanted = {0: ("ran\n", 0), 125: ("", 1), 137: (run.stdout, 1)}.get(run.status)
        assert wanted == (run.stdout, len(lines)) and time.monotonic() - started < patient(8), (number, run)
    assert linux.survivors(1) == {}


@pytest.mark.parametrize("make", [lambda place: (place / "image").write_text("no image\n" * 1000), lambda place: (place / "image").mkdir(), lambda place: os.mkfifo(place / "image"), lambda place: (place / "image").write_text("")])
def test_what_is_no_image(caller, make):
    place = caller.directory()
    make(place)
    run = caller.run(spec(place / "image"), "/bin/echo", "ran")
    told(run, "`file {}` says what it is; mksquashfs makes an image of a directory")
    image = build(caller)
    gone(caller.run(spec(image), "/bin/true"))


def test_a_missing_file(caller):
    run = caller.run(spec("/nowhere/image"), "/bin/echo", "ran")
    assert run.status == 125 and "ENOENT" in run.stderr, run
    run = caller.run(spec("/nowhere/image", "optional = true"), "/bin/echo", "ran")
    assert run.status == 0 and run.stdout == "ran\n" and "/nowhere/image" in run.stderr, run


def test_what_only_root_can_mount(user):
    run = user.run(spec(build(user, "erofs")), "/bin/true")
    assert "is erofs, which only root can mount: Debian 12 has no erofsfuse" in run.stderr, run
    told(run, "convert it: mount it as root, and mksquashfs that directory")
    gone(user.run(spec(build(user)), "/bin/true"))


@pytest.mark.parametrize("change", [lambda image: image.chmod(0o664), lambda image: image.chmod(0o646), lambda image: os.chown(image, 12345, 0)])
def test_root_has_the_kernel_read_only_what_nobody_else_can_write(root, change):
    image = build(root)
    change(image)
    hint = told(root.run(spec(image), "/bin/true"), "as root: chown 0 {} && chmod go-w {}")
    subprocess.run(["sh", "-c", as_root(hint)], check=True)
    gone(root.run(spec(image), "/bin/true"))


def test_an_image_that_the_jail_could_write(caller):
    image = build(caller)
    run = caller.run(spec(image) + f'[filesystem]\nrw = ["{image.parent}"]', "/bin/echo", "ran")
    told(run, "mount {} read-only, or keep the two apart")
    gone(caller.run(spec(image) + f'[filesystem]\nro = ["{image.parent}"]', "/bin/true"))


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_that_is_not_installed(user, base, kind):
    image = build(user, kind)
    program = SERVERS[kind]
    place = Path(base) / f"no-{program}"
    for name in ("upper", "work"):
        (place / name).mkdir(parents=True, exist_ok=True)
    os.mknod(place / "upper" / program, 0o020000, 0)
    linux.mount("overlay", "/usr/bin", "overlay", data=f"lowerdir=/usr/bin,upperdir={place}/upper,workdir={place}/work")
    try:
        hint = told(user.run(spec(image), "/bin/true"), "as root: apt install {}")
        assert as_root(hint) == f"apt install {program}" and hint in user.verb("doctor", timeout=30).stdout
    finally:
        linux.umount("/usr/bin")
    assert program not in user.run(spec(image), "/bin/true").stderr


def test_fuse_that_cannot_be_opened(user):
    image = build(user)
    os.chmod("/dev/fuse", 0o600)
    try:
        hint = told(user.run(spec(image), "/bin/true"), "open it to every user, who may then mount by FUSE, as under udev's own rules; as root: chmod 666 /dev/fuse")
        assert hint in user.verb("doctor", timeout=30).stdout
        subprocess.run(["sh", "-c", as_root(hint)], check=True)
        gone(user.run(spec(image), "/bin/true"))
    finally:
        os.chmod("/dev/fuse", 0o666)


def test_root_of_a_container(root, user):
    """The kernel lets nobody else than the machine's root mount what it has to parse."""
    image = build(user)
    root.wrapper = ("unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc")
    told(root.run(spec(image), "/bin/true"), "launch as the machine's root, or as an ordinary user")
    root.wrapper = ()
    gone(user.run(spec(image), "/bin/true"))


# The root itself


def system(caller, *directories):
    """An image with a shell, and with these directories."""
    needs(os.path.exists("/bin/bash-static") and shutil.which("mksquashfs"), "bash-static and mksquashfs")
    place = caller.directory()
    (place / "tree/bin").mkdir(parents=True)
    shutil.copy("/bin/bash-static", place / "tree/bin/bash")
    for name in directories:
        (place / "tree" / name).mkdir()
    subprocess.run(["mksquashfs", place / "tree", place / "image", "-noappend", "-quiet", "-all-root"], check=True, capture_output=True)
    return caller.own(place / "image")


@pytest.mark.parametrize("directories", [(), ("proc", "dev", "tmp", "etc")], ids=["nothing more", "mount points"])
def test_s25_the_root_is_an_image(caller, directories):
    image = system(caller, *directories)
    run = caller.run(spec(image, target="/"), "/bin/bash", "-c", "echo /*; echo x 2>/dev/null >/x || echo shut; echo x >/tmp/x; while read l; do echo \"$l\"; done </proc/self/mountinfo")
    assert run.status == 0, run
    names, shut, *mounts = run.stdout.splitlines()
    assert {"/bin", "/dev", "/proc", "/tmp"} <= set(names.split()) and "/usr" not in names and shut == "shut"
    assert any("squash" in mount for mount in mounts), mounts
    assert not linux.survivors(0.5)
    until(lambda: not loops())


def test_what_a_root_image_contradicts(caller):
    image = system(caller)
    for more, word in (('root = "empty"', "filesystem.root"), ("writable = true", "filesystem.writable"), ('changes = "discard"', "filesystem.changes")):
        run = caller.run(f"[filesystem]\n{more}\n" + spec(image, target="/"), "/bin/bash", "-c", "echo ran")
        assert run.status == 125 and word in run.stderr and run.stdout == "", run
    run = caller.run(spec(image, "optional = true", target="/"), "/bin/bash", "-c", "echo ran")
    assert run.status == 125 and "mount.optional" in run.stderr, run
    run = caller.run('[[mount]]\ntarget = "/"\ntype = "tmpfs"', "/bin/true")
    assert run.status == 125 and "nothing can be mounted on" in run.stderr, run
