"""bubblewrap's own checks of its program, in words of ours, for `bwrap` as immure has it: as root and as an ordinary user.

IMMURE_BWRAP=/usr/bin/bwrap runs them against bubblewrap itself, which tells whether a check says what bubblewrap does.
"""

import fcntl
import json
import os
import re
import signal
import stat
import struct
import subprocess
import time

import pytest

from harness.must import cannot
from harness.patience import patient

HOST = ["--bind", "/", "/", "--tmpfs", "/tmp"]
VARIANTS = {"plain": [], "user": ["--unshare-user-try"], "pid": ["--unshare-pid"], "both": ["--unshare-user-try", "--unshare-pid"]}
PEER = os.environ.get("IMMURE_BWRAP")


class Front:
    def __init__(self, caller):
        self.caller = caller
        self.place = caller.open_directory()
        self.shown = ["--bind", str(self.place), str(self.place)]
        self.program = PEER or str(self.place / "bwrap")
        if not PEER:
            # One file for all: what a run writes stays in memory until its end.
            os.link(caller.binary, self.program)

    def directory(self, path):
        path.mkdir()
        return self.caller.own(path)

    def start(self, *words, **more):
        return self.caller.popen([self.program, *words], cwd=more.pop("cwd", self.place), **more)

    def __call__(self, *words, **more):
        return self.caller.finish(self.start(*words, **more))

    def host(self, *words, **more):
        return self(*HOST, *words, **more)

    def refuses(self, *words, says="", **more):
        run = self.host(*words, **more)
        assert run.status == 1 and run.stderr.startswith("bwrap: ") and says in run.stderr, run
        return run


@pytest.fixture
def front(caller):
    return Front(caller)


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS.keys())
def variant(request):
    return request.param


def given(data):
    """A descriptor with these bytes, to be read once."""
    number = os.memfd_create("given", 0)
    os.write(number, data)
    os.lseek(number, 0, os.SEEK_SET)
    return number


def test_help_names_the_program(front):
    assert f"usage: {front.program}" in front("--help").ok.stdout
    assert re.match(r"bubblewrap \d+\.\d+", front("--version").ok.stdout)


# Mounts, in each set of namespaces


def test_proc(front, variant):
    front.host(*variant, "--proc", "/proc", "true").ok


def test_network_and_dev(front, variant):
    front.host(*variant, "--unshare-net", "--proc", "/proc", "--dev", "/dev", "true").ok


def test_what_the_caller_may_not_read_stays_so(front, variant):
    for path in ("/tmp/foo", "/etc/shadow"):
        run = front.host(*variant, "--unshare-net", "--proc", "/proc", "--bind", "/etc/shadow", "/tmp/foo", "cat", path)
        assert (run.status == 0) == front.caller.is_root, run
    if not front.caller.is_root:
        assert front.host(*variant, "--bind", "/root/.bashrc", "/tmp/foo", "cat", "/tmp/foo").status != 0


def test_a_bind_over_a_link(front, variant):
    words = ["--dir", "/tmp/dir", "--symlink", "dir", "/tmp/link", "--bind", "/etc", "/tmp/link"]
    assert "passwd" in front.host(*variant, *words, "ls", "/tmp/dir").ok.stdout.split()


# Links and devices


def test_links_are_made_once(front):
    place = str(front.place)
    words = ["--ro-bind", "/", "/", "--bind", place, place, "--symlink"]
    for _ in range(2):
        front(*words, "/dev/null", f"{place}/link", "true").ok
        assert os.readlink(front.place / "link") == "/dev/null"
    run = front(*words, "/dev/full", f"{place}/link", "true")
    assert run.status == 1
    assert re.search(r"^bwrap: Can't make symlink .*: existing destination is /dev/null$", run.stderr, re.M), run


NODES = ["/dev/null", "/dev/zero", "{}/dev/node", "{}/node"]
KINDS = {"--ro-bind": False, "--bind": False, "--ro-bind-try": False, "--bind-try": False, "--dev-bind": True, "--dev-bind-try": True}
PROBE = "import errno, os, sys\ntry: os.close(os.open(sys.argv[1], os.O_RDWR)); print('opened')\nexcept OSError as e: print(errno.errorcode[e.errno])"


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("kind, opens", KINDS.items())
def test_a2_a_node_is_opened_by_dev_bind_alone(front, kind, opens, node):
    place = front.directory(front.place / "nodes")
    (place / "dev").mkdir()
    for path in (place / "node", place / "dev/node"):
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        path.chmod(0o666)
    source = node.format(place)
    words = ["--dir", "/tmp/d", kind, source, "/tmp/n", kind, os.path.dirname(source), "/tmp/d"]
    for path in ("/tmp/n", f"/tmp/d/{os.path.basename(source)}"):
        run = front.host(*words, "/usr/bin/python3", "-c", PROBE, path)
        assert run.status == 0 and run.stdout == ("opened\n" if opens else "EACCES\n"), run
        assert front.host(*words, "stat", "-c", "%F", path).ok.stdout == "character special file\n"


@pytest.mark.parametrize("kind", ["--ro-bind-fd", "--bind-fd"])
def test_a2_a_node_that_a_descriptor_leads_to_stays_closed(front, kind):
    node = os.open("/dev/null", os.O_PATH)
    run = front.host(kind, str(node), "/tmp/n", "/usr/bin/python3", "-c", PROBE, "/tmp/n", pass_fds=[node])
    os.close(node)
    assert run.status == 0 and run.stdout == "EACCES\n", run


def test_devices(front):
    names = [f"/dev/{name}" for name in ("stdin", "stdout", "stderr", "null", "random", "urandom", "fd", "core")]
    front.host("--unshare-pid", "--dev", "/dev", "ls", "-al", *names).ok
    assert front.host("--dev", "/dev", "sh", "-c", "echo x >/dev/null; head -c 3 /dev/zero | wc -c").ok.stdout == "3\n"


def test_as_pid_1(front):
    assert front.host("--unshare-pid", "--as-pid-1", "--bind", "/", "/", "sh", "-c", "echo $$").ok.stdout == "1\n"


# What is told of the start and the end


def status_files(front):
    return [open(front.place / name, "w+") for name in ("info.json", "status.json")]


@pytest.mark.parametrize("words", (["--unshare-all", "--proc", "/proc"], ["--unshare-ipc"], ["--unshare-all", "--as-pid-1", "--proc", "/proc"]))
def test_the_start_and_the_end_are_told(front, words):
    info, status = status_files(front)
    script = 'for n in ipc mnt net pid uts cgroup; do stat -L -c "$n %i" /proc/self/ns/$n; done; exit 42'
    fds = (info.fileno(), status.fileno())
    run = front.host(
        *words, "--info-fd", str(fds[0]), "--json-status-fd", str(fds[1]), "sh", "-c", script, pass_fds=fds)
    assert run.status == 42, run
    told = json.loads((front.place / "info.json").read_text())
    first, last = map(json.loads, (front.place / "status.json").read_text().splitlines())
    assert told == first and told["child-pid"] > 1 and last == {"exit-code": 42}
    inside = dict(line.split() for line in run.stdout.splitlines())
    assert all(str(value) == inside[key.split("-")[0]] for key, value in told.items() if key != "child-pid")
    assert {key for key in told if key != "child-pid"} >= {"mnt-namespace", "ipc-namespace"}


def test_the_process_that_is_told_is_the_jails(front):
    info = open(front.place / "info.json", "w+")
    process = front.start(
        *HOST, "--unshare-pid", "--proc", "/proc", "--info-fd", str(info.fileno()), "sh", "-c", "echo up; readlink /proc/self/ns/pid; read x",
        pass_fds=(info.fileno(),), stdin=subprocess.PIPE)
    assert process.stdout.readline() == b"up\n"
    inside = process.stdout.readline().decode().strip()
    child = json.loads((front.place / "info.json").read_text())["child-pid"]
    assert os.readlink(f"/proc/{child}/ns/pid") == inside or not front.caller.is_root
    process.stdin.close()
    assert process.wait(patient(10)) in (0, 1)


@pytest.mark.parametrize("program", ("/", "/no/such", "/etc/passwd"))
def test_no_end_is_told_where_nothing_ran(front, program):
    status = status_files(front)[1]
    run = front.host("--json-status-fd", str(status.fileno()), program, pass_fds=(status.fileno(),))
    assert run.status == 1 and "exit-code" not in (front.place / "status.json").read_text()


def test_the_command_waits_for_the_block(front):
    info = open(front.place / "info.json", "w+")
    reading, writing = os.pipe()
    process = front.start(
        *HOST, "--info-fd", str(info.fileno()), "--block-fd", str(reading), "sh", "-c", "echo ran",
        pass_fds=(info.fileno(), reading))
    os.close(reading)
    deadline = time.monotonic() + patient(10)
    while not (front.place / "info.json").read_text().endswith("}\n"):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    child = json.loads((front.place / "info.json").read_text())["child-pid"]
    assert os.path.exists(f"/proc/{child}") and process.poll() is None
    os.set_blocking(process.stdout.fileno(), False)
    assert process.stdout.read() is None
    os.write(writing, b"x")
    os.close(writing)
    os.set_blocking(process.stdout.fileno(), True)
    assert process.stdout.read() == b"ran\n" and process.wait(patient(10)) == 0


def test_a_blocked_launch_can_be_ended(front):
    reading, writing = os.pipe()
    process = front.start(*HOST, "--block-fd", str(reading), "sh", "-c", "echo ran", pass_fds=(reading,))
    os.close(reading)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(patient(10)) != 0 and process.stdout.read() == b""
    os.close(writing)


def test_a_sync_descriptor_is_open_as_long_as_the_jail_and_not_inside(front):
    reading, writing = os.pipe()
    process = front.start(
        *HOST, "--unshare-pid", "--proc", "/proc", "--sync-fd", str(writing), "sh", "-c", "ls /proc/self/fd; read x", pass_fds=(writing,), stdin=subprocess.PIPE)
    os.close(writing)
    os.set_blocking(reading, False)
    assert process.stdout.readline() == b"0\n"
    with pytest.raises(BlockingIOError):
        os.read(reading, 1)
    process.stdin.close()
    listed = process.stdout.read().decode().split()
    assert str(writing) not in listed
    process.wait(patient(10))
    assert os.read(reading, 1) == b""
    os.close(reading)


# Jails in jails

NESTING = ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL", "--bind", "/", "/", "--bind", "/proc", "/proc"]


def test_it_nests_by_its_own_file(front):
    inner = ["/proc/self/exe", "--unshare-all", "--bind", "/", "/", "--bind", "/proc", "/proc", "echo", "hello"]
    assert front(*NESTING, "--", *inner).ok.stdout == "hello\n"


def test_user_namespaces_can_be_disabled(front):
    device = ["--dev-bind", "/", "/"]
    again = [front.program, "--unshare-user", *device]
    front(*device, "--", "true").ok
    assert front("--assert-userns-disabled", *device, "--", "true").status == 1
    closed = ["--unshare-user", "--disable-userns", *device, "--"]
    front(*closed, "true").ok
    assert front(*closed, *again, "--", "true").status != 0
    for number in ("2", "100"):
        script = f"echo {number} >/proc/sys/user/max_user_namespaces; {' '.join(again)} -- true"
        assert front(*closed, "sh", "-c", script).status != 0
    front("--unshare-user", "--disable-userns", "--assert-userns-disabled", *device, "true").ok
    front(*NESTING, *device, "--", "true").ok
    assert front(*NESTING, "--disable-userns", *device, "--", *again, "--", "true").status != 0


# Capabilities


def sets(run):
    return {line.split()[0][3:-1]: int(line.split()[1], 16) for line in run.stdout.splitlines()}


@pytest.mark.parametrize("words", ([], ["--as-pid-1"]))
def test_capabilities(front, words):
    status = ["grep", "^Cap", "/proc/self/status"]
    base = ["--unshare-pid", "--proc", "/proc", *words]
    found = sets(front.host(*base, *status).ok)
    if not front.caller.is_root:
        assert set(found.values()) == {0}
        return
    own = int(re.search(r"^CapPrm:\s*(\w+)", open("/proc/self/status").read(), re.M)[1], 16)
    assert found["Prm"] == found["Eff"] == own
    assert set(sets(front.host(*base, "--cap-drop", "ALL", *status).ok).values()) == {0}
    kept = sets(front.host(*base, "--cap-drop", "CAP_KILL", "--cap-drop", "cap_fowner", *status).ok)
    assert kept["Prm"] == kept["Eff"] == kept["Inh"] == kept["Bnd"] == own & ~(1 << 5 | 1 << 3)


# Locks


def is_free(path):
    with open(path, "a") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("hhqqhh", fcntl.F_WRLCK, 0, 0, 0, 0, 0))
            return True
        except OSError:
            return False


def test_a_lock_lasts_as_long_as_the_jail(front):
    for words in (["--die-with-parent"], ["--die-with-parent", "--unshare-pid"]):
        lock = front.caller.file(front.place / "lock")
        script = '"$@"; true'
        line = [front.program, *HOST, *front.shown, *words, "--lock-file", str(lock), "sh", "-c", "echo held; sleep 1000"]
        shell = front.caller.popen(["sh", "-c", script, "sh", *line], cwd=front.place)
        assert shell.stdout.readline() == b"held\n"
        assert not is_free(lock)
        shell.kill()
        shell.wait()
        deadline = time.monotonic() + patient(10)
        while not is_free(lock):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_lock_that_cannot_be_had_stops_the_launch(front):
    lock = front.caller.file(front.place / "lock")
    with open(lock, "a") as file:
        fcntl.fcntl(file, fcntl.F_SETLK, struct.pack("hhqqhh", fcntl.F_WRLCK, 0, 0, 0, 0, 0))
        run = front.refuses(*front.shown, "--lock-file", str(lock), "sh", "-c", "echo ran")
        assert run.stdout == ""
    front.refuses(*front.shown, "--lock-file", str(front.place / "none"), "true")


# Words


def test_words_from_descriptors(front):
    fds = [given(b"--dir\0/tmp/hello/%d\0" % number) for number in range(3)]
    words = [word for fd in fds for word in ("--args", str(fd))]
    assert front.host(*words, "ls", "/tmp/hello", pass_fds=fds).ok.stdout.split() == ["0", "1", "2"]
    nested = given(b"--args\0%d\0" % fds[0])
    front.refuses("--args", str(nested), "true", pass_fds=[nested, fds[0]], says="--args not supported in arguments file")


def test_the_end_of_options(front):
    odd = front.place / "bin" / "--inadvisable-name--"
    odd.parent.mkdir()
    front.caller.file(odd, "#!/bin/sh\necho hello\n", 0o755)
    path = {"PATH": f"{odd.parent}:/usr/bin:/bin"}
    assert front.host("--", "sh", "-c", "echo hello").ok.stdout == "hello\n"
    assert front.host(*front.shown, "--", odd.name, env=path).ok.stdout == "hello\n"
    run = front.host("--", "--dev-bind", "/dev", "/dev", "sh", "-c", "echo ran")
    assert run.status == 1 and run.stdout == ""


def test_the_last_of_an_option_counts(front):
    run = front.host("--chdir", "/", "--chdir", "/etc", "pwd")
    assert (run.status, run.stdout) == (0, "/etc\n")
    assert run.stderr == "bwrap: Only the last --chdir option will take effect\n"
    run = front.host("--level-prefix", "--chdir", "/", "--chdir", "/", "true")
    assert run.stderr == "<4>bwrap: Only the last --chdir option will take effect\n"
    assert front.host("--level-prefix", "--bind", "/no/such", "/x", "true").stderr.startswith("<3>bwrap: ")


def test_a_missing_source_is_named(front):
    front.refuses("--unshare-pid", "--bind", "/source-enoent", "/dest", "true", says="Can't find source path /source-enoent")
    front.host("--bind-try", "/source-enoent", "/dest", "true").ok


@pytest.mark.parametrize(
    "words, says",
    (
        (["--perms", "0640", "--perms", "0640", "--tmpfs", "/tmp/a"], "--perms given twice"),
        (["--perms", "9", "--tmpfs", "/tmp/a"], "--perms takes an octal argument"),
        (["--perms", "0640", "--bind", "/", "/tmp/a"], "--perms must be followed"),
        (["--size", "1048576", "--size", "1048576", "--tmpfs", "/tmp/a"], "--size given twice"),
        *((["--size", size, "--tmpfs", "/tmp/a"], "--size ") for size in (
            "0", "123bogus", "", "-12345678", " -12345678", "18446744073709551616", "9223372036854775809")),
        (["--size", "4096", "--dir", "/tmp/a"], "--size must be followed by --tmpfs"),
        (["--hostname", "x"], "Specifying --hostname requires --unshare-uts"),
        (["--as-pid-1"], "Specifying --as-pid-1 requires --unshare-pid"),
        (["--unshare-pid", "--as-pid-1", "--lock-file", "/etc/passwd"], "--lock-file is not permitted"),
        (["--userns", "0", "--unshare-user"], "--userns not compatible --unshare-user"),
        (["--disable-userns"], "--disable-userns requires --unshare-user"),
        (["--add-seccomp-fd", "-1"], "Invalid fd: -1"),
        (["--seccomp", "0a"], "Invalid fd: 0a"),
        (["--seccomp", "0", "--add-seccomp-fd", "0"], "--add-seccomp-fd cannot be combined with --seccomp"),
        (["--overlay", "u", "w", "/tmp"], "--overlay requires at least one --overlay-src"),
        (["--tmp-overlay", "/tmp"], "--tmp-overlay requires at least one --overlay-src"),
        (["--overlay-src", "/etc", "--ro-overlay", "/tmp"], "--ro-overlay requires at least two --overlay-src"),
        (["--overlay-src", "/etc"], "--overlay-src must be followed by another --overlay-src"),
        (["--overlay-src", "/etc", "--chdir", "/"], "--overlay-src must be followed by another --overlay-src"),
    ),
)
def test_what_is_refused(front, words, says):
    assert front.refuses(*words, "sh", "-c", "echo ran", says=says).stdout == ""


# The tree


def test_the_real_tmp(front):
    file = front.place / "file"
    front.caller.file(file, "hello\n")
    assert front("--bind", "/", "/", "cat", str(file)).ok.stdout == "hello\n"
    for words, name in ((["--bind", "/", "/", "--bind", str(front.place), "/tmp"], "/tmp/file"), ([*HOST, "--bind", str(front.place), "/tmp/here"], "/tmp/here/file")):
        assert front(*words, "cat", name).ok.stdout == "hello\n"
        assert front(*words, "test", "-e", "/tmp/oldroot").status == front(*words, "test", "-e", "/tmp/newroot").status == 1


def mode(path):
    return f"{stat.S_IMODE(os.stat(path).st_mode):o}"


def test_modes_of_mount_points(front):
    place = front.place
    front.directory(place / "dir")
    front.caller.file(place / "file")
    front.host(*front.shown, "--bind", f"{place}/dir", f"{place}/new-dir", "--bind", f"{place}/file", f"{place}/new-file", "true").ok
    assert (mode(place / "new-dir"), mode(place / "new-file")) == ("755", "444")


def test_modes_of_directories(front):
    place = front.place
    for name, bits in (("there", 0o710), ("there2", 0o754)):
        front.directory(place / name)
        (place / name).chmod(bits)
    front.host(
        *front.shown, "--perms", "1741", "--dir", f"{place}/set", "--dir", f"{place}/there", "--perms", "0741", "--dir", f"{place}/there2",
        "--dir", f"{place}/changed", "--chmod", "1755", f"{place}/changed", "--dir", f"{place}/new", "true").ok
    found = {name: mode(place / name) for name in ("set", "there", "there2", "changed", "new")}
    assert found == {"set": "1741", "there": "710", "there2": "754", "changed": "1755", "new": "755"}


def test_modes_of_directories_on_the_way(front):
    place = front.place
    wanted = {
        "": "755", "1777": "755", "0755": "755", "0644": "755", "0750": "750", "0710": "750", "0720": "750", "0640": "750",
        "0700": "700", "0600": "700", "0705": "705", "0604": "705", "0000": "700"}
    words = []
    for perms in wanted:
        words += [*(["--perms", perms] if perms else []), "--dir", f"{place}/of-{perms}/dir"]
    front.host(*front.shown, *words, "true").ok
    assert {perms: mode(place / f"of-{perms}") for perms in wanted} == wanted


def test_tmpfs(front):
    place = front.place
    command = ["sh", "-c", f"stat -c %a {place}; df --output=size --block-size=1K {place} | tail -1"]
    for words, expected in (
        (["--perms", "01777"], "1777"), ([], "755"), (["--size", "1048576"], "755"), (["--size", "0x100000", "--perms", "01777"], "1777"),
        (["--perms", "01777", "--size", "1048576"], "1777")):
        bits, size = front.host(*words, "--tmpfs", str(place), *command).ok.stdout.split()
        assert bits == expected and ("--size" not in words or size == "1024")


@pytest.mark.parametrize(
    "option, perms, expected",
    [(option, perms, perms or default) for option, default in (("--file", "666"), ("--bind-data", "600"), ("--ro-bind-data", "600")) for perms in ("", "640")])
def test_files_with_given_content(front, option, perms, expected):
    data = bytes(range(256)) * 9000
    number = given(data)
    words = [*(["--perms", perms] if perms else []), option, str(number), "/tmp/file"]
    script = "stat -c %a /tmp/file >&2; cat /tmp/file; echo more >>/tmp/file && echo written >&2"
    process = front.start(*HOST, *words, "sh", "-c", script, pass_fds=(number,))
    output, told = process.communicate(timeout=patient(20))
    assert output == data
    may = option != "--ro-bind-data"
    assert told.decode().split()[0] == expected and ("written" in told.decode()) == may, told


def test_a_bind_of_a_descriptor(front):
    front.caller.file(front.place / "data", "foobar\n")
    number = os.open(front.place, os.O_RDONLY)
    words = ["--proc", "/proc", "--dev", "/dev", "--bind", "/", "/"]
    assert front.host(*words, "--bind-fd", str(number), "/tmp", "cat", "/tmp/data", pass_fds=(number,)).ok.stdout == "foobar\n"
    run = front.host(*words, "--ro-bind-fd", str(number), "/tmp", "touch", "/tmp/x", pass_fds=(number,))
    assert run.status != 0 and "Read-only" in run.stderr
    gone = front.place / "gone"
    gone.mkdir()
    other = os.open(gone, os.O_RDONLY)
    gone.rename(front.place / "kept")
    gone.mkdir()
    os.rename(front.place / "kept", front.place / "kept2")
    assert front.host("--bind-fd", str(other), "/tmp", "true", pass_fds=(other,)).status == 0
    os.rmdir(front.place / "kept2")
    assert front.host("--bind-fd", str(other), "/tmp", "true", pass_fds=(other,)).status == 1


# Variables


def test_variables(front):
    show = ["sh", "-c", 'printf "%s%s" "$FOO" "$BAR"']
    assert front.host("--setenv", "FOO", "bar", *show, env={"BAR": "baz"}).ok.stdout == "barbaz"
    assert front.host("--setenv", "FOO", "bar", *show, env={"FOO": "wrong", "BAR": "baz"}).ok.stdout == "barbaz"
    assert front.host("--unsetenv", "FOO", *show, env={"FOO": "wrong", "BAR": "baz"}).ok.stdout == "baz"
    run = front("--bind", "/", "/", "--clearenv", "/usr/bin/env", env={"FOO": "wrong"})
    assert run.ok.stdout == f"PWD={front.place}\n"


def test_argv0(front):
    assert front.host("sh", "-c", "echo $0").ok.stdout == "sh\n"
    assert front.host("--argv0", "right", "sh", "-c", "echo $0").ok.stdout == "right\n"


# Overlays


@pytest.fixture
def layers(front):
    front.place.chmod(0o755)  # root keeps no changes where others can put theirs
    for name, files in (("lower1", {"a": "1", "b": "2"}), ("lower2", {"b": "3"}), ("upper", {"a": "4"}), ("work", {}), ('lower ":,\\', {"a": "1"}), ('upper ":,\\', {}), ('work ":,\\', {})):
        front.directory(front.place / name)
        for file, text in files.items():
            front.caller.file(front.place / name / file, text)
    return front


ONE, TWO = ["--overlay-src", "lower1"], ["--overlay-src", "lower1", "--overlay-src", "lower2"]


def test_overlay(layers):
    kept = ["--overlay", "upper", "work", "/tmp/x/y/z"]
    for sources, file, expected in ((ONE, "a", "4"), (ONE, "b", "2"), (TWO, "a", "4"), (TWO, "b", "3")):
        assert layers.host(*sources, *kept, "cat", f"/tmp/x/y/z/{file}").ok.stdout == expected
    assert layers.host(*TWO, *kept, "sh", "-c", "printf 5 >/tmp/x/y/z/b; cat /tmp/x/y/z/b").ok.stdout == "5"
    assert (layers.place / "upper/b").read_text() == "5" and (layers.place / "lower2/b").read_text() == "3"


def test_overlay_of_odd_names(layers):
    script = "cat /tmp/x/a; printf 2 >/tmp/x/a; cat /tmp/x/a"
    words = ["--overlay-src", 'lower ":,\\', "--overlay", 'upper ":,\\', 'work ":,\\', "/tmp/x"]
    assert layers.host(*words, "sh", "-c", script).ok.stdout == "12"
    assert (layers.place / 'lower ":,\\/a').read_text() == "1" and (layers.place / 'upper ":,\\/a').read_text() == "2"


def test_tmp_overlay(layers):
    there = ["--tmp-overlay", "/tmp/x/y/z"]
    for sources, file, expected in ((ONE, "a", "1"), (ONE, "b", "2"), (TWO, "a", "1"), (TWO, "b", "3")):
        assert layers.host(*sources, *there, "cat", f"/tmp/x/y/z/{file}").ok.stdout == expected
    script = "cat /tmp/x/b; printf 4 >/tmp/x/b; cat /tmp/x/b; cat /tmp/y/b"
    words = [*ONE, "--tmp-overlay", "/tmp/x", "--overlay-src", "lower2", "--tmp-overlay", "/tmp/y"]
    assert layers.host(*words, "sh", "-c", script).ok.stdout == "243"
    assert (layers.place / "lower1/b").read_text() == "2" and (layers.place / "lower2/b").read_text() == "3"


def test_ro_overlay(layers):
    there = ["--ro-overlay", "/tmp/x/y/z"]
    assert layers.host(*TWO, *there, "cat", "/tmp/x/y/z/a").ok.stdout == "1"
    run = layers.host(*TWO, *there, "sh", "-c", "printf 4 >/tmp/x/y/z/b || cat /tmp/x/y/z/b")
    assert run.stdout == "3"


# Namespaces of another jail


def test_namespaces_of_another_jail(front):
    info = open(front.place / "info.json", "w+")
    process = front.start(
        *HOST, "--info-fd", str(info.fileno()), "--unshare-user", "--unshare-pid", "--proc", "/proc", "sh", "-c",
        "readlink /proc/self/ns/user /proc/self/ns/pid; read x", pass_fds=(info.fileno(),), stdin=subprocess.PIPE)
    wanted = [process.stdout.readline().decode().strip() for _ in range(2)]
    child = json.loads((front.place / "info.json").read_text())["child-pid"]
    script = f'exec "$@" 11</proc/{child}/ns/user 12</proc/{child}/ns/pid'
    show = ["readlink", "/proc/self/ns/user", "/proc/self/ns/pid"]
    line = [front.program, *HOST, "--userns", "11", "--pidns", "12", *show]
    run = front.caller.finish(front.caller.popen(["bash", "-c", script, "bash", *line], cwd=front.place))
    process.stdin.close()
    process.wait(patient(10))
    assert run.ok.stdout.split() == wanted


# Filters


def filters(*rules, default):
    """A filter of x86-64 by numbers of calls: (number, action), then the default."""
    load = struct.pack("<HBBI", 0x20, 0, 0, 0)
    body = b"".join(struct.pack("<HBBI", 0x15, 0, 1, number) + struct.pack("<HBBI", 0x06, 0, 0, action) for number, action in rules)
    return load + body + struct.pack("<HBBI", 0x06, 0, 0, default)


ALLOW, REFUSED, ABSENT = 0x7FFF0000, 0x00050000 | 111, 0x00050000 | 38
CHMOD, CHROOT, PRCTL, SECCOMP = 90, 161, 157, 317
CALL = "import ctypes; c = ctypes.CDLL(None, use_errno=True); c.syscall({}, 0, 0, 0, 0, 0); print(ctypes.get_errno())"


def errno_of(front, call, *words, fds=()):
    run = front.host(*words, "/usr/bin/python3", "-ISc", CALL.format(call), pass_fds=fds)
    return int(run.ok.stdout)


def test_compiled_filters(front):
    if os.uname().machine != "x86_64":
        cannot("write a filter for this machine")
    assert errno_of(front, CHMOD) == 14
    deny = given(filters((CHMOD, REFUSED), default=ALLOW))
    assert errno_of(front, CHMOD, "--seccomp", str(deny), fds=(deny,)) == 111
    # The second is installed although the first refuses seccomp(2).
    first = given(filters((SECCOMP, ABSENT), default=ALLOW))
    second = given(filters((CHROOT, REFUSED), (PRCTL, REFUSED), default=ALLOW))
    os.lseek(deny, 0, os.SEEK_SET)
    words = [word for number in (deny, first, second) for word in ("--add-seccomp-fd", str(number))]
    for call, expected in ((CHMOD, 111), (CHROOT, 111), (PRCTL, 111)):
        for number in (deny, first, second):
            os.lseek(number, 0, os.SEEK_SET)
        assert errno_of(front, call, *words, fds=(deny, first, second)) == expected
    twice = given(b"")
    front.refuses("--add-seccomp-fd", str(twice), "--add-seccomp-fd", str(twice), "true", pass_fds=(twice,), says="Can't read seccomp data: ")
    torn = given(b"\1")
    front.refuses("--add-seccomp-fd", str(torn), "true", pass_fds=(torn,))


# What has no line is refused by its name


@pytest.mark.parametrize("words", (["--exec-label", "x"], ["--file-label", "x"], ["--userns2", "0"], ["--unshare-user", "--info-fd", "1", "--userns-block-fd", "0"], ["--unknown"]))
@pytest.mark.skipif(PEER is not None, reason="bubblewrap has them")
def test_what_is_not_available_is_refused(front, words):
    run = front.refuses(*words, "sh", "-c", "echo ran")
    assert run.stdout == "" and words[-2 if len(words) == 2 else -1].lstrip("-")[:3] in run.stderr


def full_pipe():
    """Both ends of a pipe that takes nothing more."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writing, True)
    return reading, writing


@pytest.mark.parametrize("option", ("--info-fd", "--json-status-fd"))
def test_a_reader_that_does_not_read_holds_nothing_up(front, option):
    reading, writing = full_pipe()
    process = front.start(*HOST, "--unshare-pid", option, str(writing), "sh", "-c", "echo ran", pass_fds=(writing,))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(patient(10))
    assert time.monotonic() - began < patient(2)
    assert process.communicate()[0] == b""
    os.close(reading)
    os.close(writing)


def test_the_command_waits_until_its_start_has_been_told(front):
    reading, writing = full_pipe()
    process = front.start(*HOST, "--unshare-pid", "--json-status-fd", str(writing), "sh", "-c", "echo ran", pass_fds=(writing,))
    os.close(writing)
    text = b""
    while part := os.read(reading, 65536):
        text += part
    os.close(reading)
    assert front.caller.finish(process).ok.stdout == "ran\n"
    start, end = text.decode().strip("x").strip().splitlines()
    assert json.loads(start)["child-pid"] > 0 and json.loads(end) == {"exit-code": 0}


def test_a_command_that_cannot_start_where_its_caller_is_starts_at_home(front):
    home = front.directory(front.place / "home")
    words = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]
    shown = [*words, "--bind", str(home), str(home)]
    elsewhere = {"cwd": "/var", "env": {"HOME": str(home)}}
    assert front(*shown, "/usr/bin/pwd", **elsewhere).ok.stdout == f"{home}\n"
    assert front(*words, "/usr/bin/pwd", **elsewhere).ok.stdout == "/\n"
    assert front(*shown, "--setenv", "HOME", "/usr/lib", "/usr/bin/pwd", **elsewhere).ok.stdout == "/usr/lib\n"
    assert front(*shown, "--unsetenv", "HOME", "/usr/bin/pwd", **elsewhere).ok.stdout == "/\n"
    tree = front.directory(front.place / "tree")
    (tree / "var").mkdir()
    front.caller.own(tree / "var")
    assert front("--bind", str(tree), "/", *words, "/usr/bin/pwd", **elsewhere).ok.stdout == "/var\n"


def test_a_home_that_is_closed_to_its_caller_is_not_where_the_command_starts(front):
    if front.caller.is_root:
        pytest.skip("root may enter each directory")
    home = front.directory(front.place / "home")
    shown = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]
    elsewhere = {"cwd": "/var", "env": {"HOME": str(home)}}
    inside = home / "inside"
    front.directory(inside)
    home.chmod(0o600)
    assert front(*shown, "--ro-bind", str(front.place), str(front.place), "/usr/bin/pwd", **elsewhere).ok.stdout == "/\n"
    # One that is the jail's own, in its place.
    assert front(*shown, "--tmpfs", str(home), "/usr/bin/pwd", **elsewhere).ok.stdout == f"{home}\n"
    home.chmod(0o700)
    assert front(*shown, "--ro-bind", str(inside), str(inside), "/usr/bin/pwd", **elsewhere).ok.stdout == f"{home}\n"


@pytest.mark.parametrize("root, over", [
    (["--ro-bind", "/", "/"], "--tmpfs"),
    (["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"], "--dir"),
])
def test_the_command_begins_where_the_caller_is_if_that_is_there(front, root, over):
    """Another directory in its place is one."""
    assert front(*root, over, str(front.place), "/usr/bin/pwd").ok.stdout == f"{front.place}\n"
