"""Flags hold on every submount, what the source forbids stays forbidden, and nothing reaches the host's table."""

import errno
import os
import subprocess

import pytest

from harness import linux
from harness.must import needs
from harness.snapshot import Snapshot


@pytest.fixture
def mounted(request, caller):
    """Mounts file systems in the session's own mount namespace, and takes them away again."""
    needs(os.getuid() == 0, "mount as an ordinary user")
    done = []

    def put(target, flags=0, data="mode=1777", kind="tmpfs", source="tmpfs"):
        linux.mount(source, target, kind, flags, data)
        done.append(target)
        return target

    yield put
    for target in reversed(done):
        linux.umount(target)


@pytest.mark.parametrize("form", ["ro", "rw"])
@pytest.mark.parametrize(
    "flags, words",
    [
        (linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC, {"nosuid", "nodev", "noexec"}),
        (linux.MS_NOATIME, {"noatime"}),
        (
            linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC | linux.MS_NOATIME,
            {"nosuid", "nodev", "noexec", "noatime"},
        ),
    ],
)
def test_c25_t22_flags_of_the_source_are_kept(caller, mounted, form, flags, words):
    place = mounted(caller.directory(), flags)
    mounts = caller.facts(f'[filesystem]\n{form} = ["{place}:/opt/x"]').mounts
    assert words | {"nosuid", "nodev"} | ({"ro"} if form == "ro" else set()) <= mounts["/opt/x"]


def test_c25_t22_a_read_only_source_is_not_written_to(caller, mounted):
    place = mounted(caller.directory(), 1)
    run = caller.shell(f'[filesystem]\nrw = ["{place}:/opt/x"]', "true")
    assert run.status == 125 and "is on a mount that is ro" in run.stderr


def test_c25_t22_a_read_only_bind_answers_erofs(caller, mounted):
    place = mounted(caller.directory(), linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    run = caller.shell(f'[filesystem]\nro = ["{place}:/opt/x"]', "echo x > /opt/x/x")
    assert "Read-only file system" in run.stderr


def test_c26_t23_ro_holds_on_nested_mounts(caller, mounted):
    place = mounted(caller.directory())
    for name in ("a", "a/b"):
        (place / name).mkdir()
        mounted(place / name)
    spec = f'[filesystem]\nro = ["{place}:/opt/x"]'
    run = caller.shell(spec, "for d in /opt/x /opt/x/a /opt/x/a/b; do echo x > $d/x; done")
    assert run.stderr.count("Read-only file system") == 3
    flags = caller.facts(spec).mounts.below("/opt/x")
    assert len(flags) == 3 and all({"ro", "nosuid", "nodev"} <= words for words in flags.values())


def test_c32_t26_rw_binds_are_nosuid_and_nodev_all_the_way_down(caller, mounted):
    place = mounted(caller.open_directory())
    (place / "a").mkdir()
    mounted(place / "a")
    flags = caller.facts(f'[filesystem]\nrw = ["{place}:/opt/x"]').mounts.below("/opt/x")
    assert len(flags) == 2 and all({"nosuid", "nodev"} <= words and "ro" not in words for words in flags.values())


def test_c32_t26_no_device_can_be_made(caller):
    place = caller.open_directory()
    run = caller.shell(
        f'[filesystem]\nrw = ["{place}:/opt/x"]', "mknod /opt/x/disk b 8 0; mknod /opt/x/null c 1 3; ls -A /opt/x"
    )
    assert run.stdout == ""


def test_c32_a_device_that_is_there_cannot_be_opened(root):
    place = root.open_directory()
    os.mknod(place / "zero", 0o666 | 0o020000, os.makedev(1, 5))
    run = root.shell(f'[filesystem]\nrw = ["{place}:/opt/x"]', "head -c 1 /opt/x/zero | wc -c")
    assert run.stdout.strip() == "0" and "Permission denied" in run.stderr


def test_c32_a_setuid_program_gives_nothing(root):
    place = root.directory()
    subprocess.run(["cp", "/usr/bin/id", place / "id"], check=True)
    (place / "id").chmod(0o4755)
    run = root.shell(f'[filesystem]\nro = ["{place}:/opt/x"]', "/opt/x/id -u")
    assert run.ok.stdout.strip() == "65534"


SPECS = {
    "tmpfs": '[[mount]]\ntarget = "/opt/x"\ntype = "tmpfs"',
    "rw bind": '[filesystem]\nrw = ["{place}:/opt/x"]',
    "ro bind": '[filesystem]\nro = ["{place}"]\n[[mount]]\ntarget = "{place}/made"\ntype = "tmpfs"',
    "host": '[filesystem]\nroot = "host"\ntmp = false\n[[mount]]\ntarget = "{place}/sub"\ntype = "tmpfs"',
    "directory": '[filesystem]\nroot = "{place}"\nro = ["/usr", "/lib", "/lib64", "/bin"]',
}


@pytest.mark.parametrize("name", SPECS)
def test_c23_t24_no_mount_of_a_jail_reaches_a_shared_tree(caller, mounted, name):
    place = mounted(caller.directory())
    linux.mount("none", place, flags=linux.MS_SHARED)
    (place / "sub").mkdir()
    mounted(place / "sub")
    before = Snapshot()
    process = caller.start(
        SPECS[name].format(place=place),
        "/bin/sh",
        "-c",
        "cat /proc/self/mountinfo; echo ready; read x",
        stdin=subprocess.PIPE,
    )
    text = ""
    for line in process.stdout:
        if line == b"ready\n":
            break
        text += line.decode()
    during = Snapshot()
    run = caller.finish(process, stdin=b"\n")
    assert run.status == 0, run
    assert during.mounts_lost(before) == Snapshot().mounts_lost(before) == []
    assert "shared:" not in text


def test_c23_mounts_made_on_the_host_later_are_not_seen(caller, mounted):
    place = mounted(caller.directory())
    linux.mount("none", place, flags=linux.MS_SHARED)
    (place / "late").mkdir()
    spec = f'[filesystem]\nro = ["{place}:/opt/x"]'
    process = caller.start(
        spec, "/bin/sh", "-c", "echo ready; read x; ls /opt/x/late; cat /proc/self/mountinfo", stdin=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    mounted(place / "late")
    (place / "late/file").write_text("")
    run = caller.finish(process, stdin=b"\n")
    assert "file\n" not in run.stdout.splitlines(True) and "/opt/x/late" not in run.stdout


@pytest.mark.parametrize("root", ["system", "host", "empty"])
def test_c27_the_old_root_is_gone(caller, root):
    more = 'ro = ["/usr", "/lib", "/lib64", "/bin"]' if root == "empty" else ""
    facts = caller.facts(f'[filesystem]\nroot = "{root}"\n{more}')
    points = list(facts.mounts.at)
    assert facts.mounts.lines[0].split()[4] == "/" or "/" in points
    assert not [point for point in points if "old" in point.rsplit("/", 1)[-1] and root != "host"]
    # Each mount's parent is in the list but the root's own: nothing hangs above it.
    ids = {line.split()[0] for line in facts.mounts.lines}
    outside = [line for line in facts.mounts.lines if line.split()[1] not in ids]
    assert len(outside) == 1 and outside[0].split()[4] == "/", outside


def refused_by_nodev(caller, spec, path):
    """Opens a node for reading and for writing, as if something were to come of it."""
    code = "import json, os\nout = []\nfor flag in (os.O_RDONLY, os.O_RDWR):\n try: os.close(os.open('%s', flag)); out.append(0)\n except OSError as error: out.append(error.errno)\nprint(json.dumps(out))"
    return caller.python(spec, code % path)


@pytest.mark.parametrize("key", ["ro", "rw", "devices"])
def test_a_node_that_is_named_can_be_opened(caller, key):
    assert refused_by_nodev(caller, f'filesystem.{key} = ["/dev/zero:/dev/mine"]', "/dev/mine") == [0, 0]
    line = f'filesystem.{key} = ["/dev/zero:/opt/dev/mine"]'
    assert refused_by_nodev(caller, line, "/opt/dev/mine") == [0, 0]


def test_a_node_that_is_named_cannot_be_changed(root):
    mode = os.stat("/dev/zero").st_mode
    spec = 'identity.user = 0\nfilesystem.rw = ["/dev/zero:/dev/mine"]'
    run = root.shell(spec, "chmod 0 /dev/mine; touch -d 2001-01-01 /dev/mine; chown 1 /dev/mine; echo x >/dev/mine && echo written")
    assert run.stdout == "written\n" and run.stderr.count("Read-only file system") >= 2, run
    assert os.stat("/dev/zero").st_mode == mode


def test_a_directory_of_nodes(caller):
    """Bare, it is refused: none of its nodes could be opened. /dev itself is one on every machine."""
    for key in ("ro", "rw"):
        run = caller.run(f'filesystem.{key} = ["/dev:/opt/dev"]', "/bin/true")
        assert run.status == 125 and "spec.toml:1:" in run.stderr and "filesystem.devices" in run.stderr, run
    assert refused_by_nodev(caller, 'filesystem.devices = ["/dev:/opt/dev"]', "/opt/dev/zero") == [0, 0]
    run = caller.shell('filesystem.devices = ["/dev:/opt/dev"]', "rm /opt/dev/zero; touch /opt/dev/new")
    assert run.status != 0 and run.stderr.count("Read-only file system") == 2, run


@pytest.mark.parametrize("source, node", [("/dev/zero", "/opt/x"), ("/dev", "/opt/x/zero")])
def test_what_nodev_is_written_for_is_seen_and_stays_closed(caller, source, node):
    spec = f'[[mount]]\ntarget = "/opt/x"\nsource = "{source}"\noptions = ["nodev"]'
    assert refused_by_nodev(caller, spec, node) == [errno.EACCES] * 2
    assert caller.shell(spec, f"stat -c %F:%t:%T {node}").ok.stdout == "character special file:1:5\n"


def test_the_private_file_systems_hold_a_quarter_of_the_memory(caller):
    code = "import json, os; print(json.dumps([os.statvfs(p).f_frsize * os.statvfs(p).f_blocks for p in ('/tmp', '/dev/shm')]))"
    quarter = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 4
    for room in caller.python(None, code):
        assert quarter - (2 << 20) < room <= quarter
    assert caller.python('filesystem = { tmp = "3M", shm = "5M" }', code) == [3 << 20, 5 << 20]
    assert caller.shell("filesystem.shm = false", "test ! -e /dev/shm").status == 0


def test_a_hundred_megabytes_of_shared_memory(caller):
    """A page beyond the size of a tmpfs is SIGBUS: 64M was the default."""
    code = "import json, mmap, os\nf = os.open('/dev/shm/a', os.O_RDWR | os.O_CREAT)\nos.ftruncate(f, 100 << 20)\nm = mmap.mmap(f, 100 << 20)\nfor i in range(0, 100 << 20, 4096): m[i] = 1\nprint(json.dumps(len(m)))"
    assert caller.python(None, code) == 100 << 20


@pytest.mark.parametrize("name", ["null", "zero", "full", "random", "urandom", "tty"])
def test_a11_the_nodes_of_the_host_cannot_be_changed(root, name):
    """As uid 0 of the host, too: the node is the host's own."""
    before = os.stat(f"/dev/{name}")
    script = f"chmod 0 /dev/{name}; chown 1 /dev/{name}; touch -d 2001-01-01 /dev/{name}; [ {name} = tty ] || echo x >/dev/null"
    run = root.shell("identity.user = 0", script)
    assert run.status == 0 and run.stderr.count("Read-only file system") >= 1, run
    after = os.stat(f"/dev/{name}")
    assert (before.st_mode, before.st_uid) == (after.st_mode, after.st_uid)


@pytest.mark.parametrize("spec", [
    "identity.user = 0\nfilesystem.dev = 'host'", "identity.user = 0\nfilesystem.dev = 'host'\nnamespaces.user = 'host'"])
def test_a11_the_hosts_dev_cannot_be_changed(root, spec):
    """All of the host's nodes, pseudo-terminals too; writing through them works, and so do its places for files."""
    number, slave = os.openpty()
    terminal = os.ttyname(slave)
    nodes = ["/dev/null", "/dev/zero", "/dev/ptmx", terminal]
    before = [os.stat(node) for node in nodes]
    script = f"for n in {' '.join(nodes)}; do chmod 0 $n; chown 1 $n; done; rm -f /dev/null; mknod /dev/mine c 1 3; echo x >/dev/null && echo written"
    try:
        run = root.shell(spec, script)
        after = [os.stat(node) for node in nodes]
        written = root.shell(spec, f"echo x >{terminal} && : >/dev/shm/immure-test-a11 && rm /dev/shm/immure-test-a11 && echo kept")
    finally:
        os.close(number)
        os.close(slave)
    assert run.stdout == "written\n" and run.stderr.count("Read-only file system") >= 5, run
    assert [(s.st_mode, s.st_uid, s.st_ino) for s in before] == [(s.st_mode, s.st_uid, s.st_ino) for s in after]
    assert not os.path.exists("/dev/mine") and written.stdout == "kept\n", written


def test_a11_a_terminal_of_the_hosts_dev(caller):
    code = "import json, os\nm, s = os.openpty(); os.write(s, b'x'); print(json.dumps([os.read(m, 1).decode(), os.path.exists(os.ttyname(s))]))"
    assert caller.python("filesystem.dev = 'host'", code) == ["x", True]
