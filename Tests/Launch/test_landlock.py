"""[landlock]: what the kernel refuses inside, on files, ports, abstract sockets and signals (C22, C42, T28, T29)."""

import ctypes
import json
import os
import socket
import subprocess

import pytest

from harness import linux
from harness.must import needs

ABI = linux.libc.syscall(444, None, ctypes.c_size_t(0), 1)

#: Enough for Python to start.
PROGRAMS = 'rx = ["/usr"]\nro = ["/etc", "/proc"]\n'

#: All namespaces the host's: nothing but Landlock, no_new_privs and a filter against new namespaces is in force.
ALONE = "[namespaces]\n" + "".join(
    f'{kind} = "host"\n' for kind in ("user", "mount", "pid", "net", "ipc", "uts", "cgroup")
)

TRY = """
import errno, json, os, sys
answers = {}
def attempt(name, action):
    try:
        action()
        answers[name] = "ok"
    except OSError as error:
        answers[name] = errno.errorcode[error.errno]
"""
TELL = "\nprint(json.dumps(answers))"


@pytest.fixture(autouse=True)
def landlock():
    needs(ABI >= 6, f"enforce all of Landlock (ABI 6; here {ABI})")


def ask(caller, spec, code, *arguments, jailed=True, **more):
    """The answers of attempts inside; without a mount namespace of its own the probe cannot tell that it is jailed."""
    if jailed:
        return caller.python(spec, TRY + code + TELL, *arguments, **more)
    run = caller.run(spec, "/usr/bin/python3", "-I", "-S", "-c", TRY + code + TELL, *arguments, **more)
    return json.loads(run.ok.stdout)


@pytest.fixture
def tree(caller):
    """One directory for each of the lists, and one that none names; each with a file and a program."""
    base = caller.directory()
    for name in ("ro", "rx", "rw", "rwx", "none"):
        place = base / name
        place.mkdir()
        place.chmod(0o777)
        caller.own(place)
        caller.file(place / "file", "text", 0o666)
        caller.file(place / "program", "#!/bin/sh\nexit 0\n", 0o777)
    return base


def spec_for(tree, alone):
    lists = "".join(f'{name} = ["{prefix}/{name}"{extra}]\n' for name, prefix, extra in (
        ("ro", tree if alone else "/t", ', "/etc", "/proc"'), ("rx", tree if alone else "/t", ', "/usr"'),
        ("rw", tree if alone else "/t", ""), ("rwx", tree if alone else "/t", "")))
    return (ALONE if alone else f'[filesystem]\nrw = ["{tree}:/t"]\n') + "[landlock]\n" + lists


FILES = """
base = sys.argv[1]
for name in ("ro", "rx", "rw", "rwx", "none"):
    place = f"{base}/{name}/"
    attempt(name + " read", lambda: open(place + "file").read())
    attempt(name + " list", lambda: os.listdir(place))
    def run():
        if os.spawnv(os.P_WAIT, place + "program", ["program"]) == 127: raise OSError(errno.EACCES, "")
    attempt(name + " execute", run)
    attempt(name + " write", lambda: open(place + "file", "r+").write("a"))
    attempt(name + " truncate", lambda: os.truncate(place + "file", 0))
    attempt(name + " make", lambda: open(place + "new", "x"))
    attempt(name + " link", lambda: os.link(place + "file", place + "linked"))
    attempt(name + " rename", lambda: os.rename(place + "file", place + "renamed"))
    attempt(name + " mkdir", lambda: os.mkdir(place + "directory"))
    attempt(name + " symlink", lambda: os.symlink("x", place + "symlink"))
    attempt(name + " fifo", lambda: os.mkfifo(place + "fifo"))
    attempt(name + " remove", lambda: os.unlink(place + "program"))
    attempt(name + " rmdir", lambda: os.rmdir(place + "directory"))
    attempt(name + " chmod", lambda: os.stat(place))
"""
CHANGES = ("write", "truncate", "make", "link", "rename", "mkdir", "symlink", "fifo", "remove")


@pytest.mark.parametrize("alone", [False, True], ids=["jail", "alone"])
def test_t29_what_each_list_allows(caller, tree, alone):
    for path in tree.rglob("*"):
        path.chmod(0o777)
    if caller.is_root:
        subprocess.run(["chown", "-R", "65534:65534", tree], check=True)
    answers = ask(caller, spec_for(tree, alone), FILES, str(tree) if alone else "/t", jailed=not alone)
    allowed = {
        "ro": {"read", "list"},
        "rx": {"read", "list", "execute"},
        "rw": {"read", "list", *CHANGES, "rmdir"},
        "rwx": {"read", "list", "execute", *CHANGES, "rmdir"},
        "none": set(),
    }
    for name, rights in allowed.items():
        assert answers.pop(name + " chmod") == "ok"  # stat(2) is nothing that Landlock restricts
        for action in ("read", "list", "execute", *CHANGES):
            expected = "ok" if action in rights else "EACCES"
            assert answers[f"{name} {action}"] == expected, (name, action, answers)
    if not alone:
        assert (tree / "none" / "file").read_text() == "text"


def test_t29_nothing_is_moved_out_of_reach_or_into_it(caller):
    place = caller.open_directory()
    for name in ("a", "b", "outside"):
        (place / name).mkdir()
        (place / name).chmod(0o777)
    caller.file(place / "outside" / "file", "secret", 0o666)
    code = """
    open("/t/a/mine", "x").close()
    attempt("within", lambda: os.rename("/t/a/mine", "/t/b/mine"))
    attempt("link within", lambda: os.link("/t/b/mine", "/t/a/again"))
    attempt("out", lambda: os.rename("/t/b/mine", "/t/outside/mine"))
    attempt("link out", lambda: os.link("/t/b/mine", "/t/outside/mine"))
    attempt("in", lambda: os.rename("/t/outside/file", "/t/a/file"))
    attempt("link in", lambda: os.link("/t/outside/file", "/t/a/file"))
    """
    code = "\n".join(line.strip() for line in code.splitlines())
    spec = f'[filesystem]\nrw = ["{place}:/t"]\n[landlock]\n{PROGRAMS}rw = ["/t/a", "/t/b"]\n'
    answers = ask(caller, spec, code)
    assert answers.pop("within") == "ok" and answers.pop("link within") == "ok"
    assert set(answers.values()) <= {"EACCES", "EXDEV"}, answers
    assert (place / "outside" / "file").read_text() == "secret"


def test_moving_into_what_allows_more_is_exdev(caller):
    """A file may not gain a right by moving, landlock(7): to a place where it could be executed is EXDEV."""
    place = caller.open_directory()
    for name in ("a", "b"):
        (place / name).mkdir()
        (place / name).chmod(0o777)
    code = 'open("/t/a/f", "x").close()\nattempt("up", lambda: os.rename("/t/a/f", "/t/b/f"))'
    spec = f'[filesystem]\nrw = ["{place}:/t"]\n[landlock]\n{PROGRAMS}rw = ["/t/a"]\nrwx = ["/t/b"]\n'
    assert ask(caller, spec, code) == {"up": "EXDEV"}


BESIDE = ['[network]\nmode = "host"\n', '[landlock]\nscope = ["signal"]\n', '[landlock]\nbind_tcp = [8080]\n']


@pytest.mark.parametrize("line", BESIDE, ids=["host network", "scope", "ports"])
def test_rules_that_close_no_files_leave_moving_them(caller, line):
    """A package manager, git and make move files between directories, and link them."""
    given = caller.open_directory()
    for name in ("a", "b"):
        (given / name).mkdir()
        (given / name).chmod(0o777)
    opened = os.open(given, os.O_RDONLY | os.O_DIRECTORY)
    places = ("/tmp", "/t", f"/proc/self/fd/{opened}")
    code = ["for name in ('a', 'b'): os.mkdir('/tmp/' + name)"]
    for place in places:
        code += [
            f'open("{place}/a/f", "x").close()',
            f'attempt("{place} move", lambda: os.rename("{place}/a/f", "{place}/b/f"))',
            f'attempt("{place} link", lambda: os.link("{place}/b/f", "{place}/a/g"))',
            f'[os.unlink("{place}/" + name) for name in ("b/f", "a/g") if os.path.exists("{place}/" + name)]',
        ]
    spec = f'[filesystem]\nrw = ["{given}:/t"]\n[process]\nfds = [{opened}]\n{line}'
    try:
        answers = ask(caller, spec, "\n".join(code), pass_fds=(opened,))
    finally:
        os.close(opened)
    assert answers == {f"{place} {how}": "ok" for place in places for how in ("move", "link")}, answers


DEVICE = """
import fcntl
fd = os.open("/dev/null", os.O_RDWR)
attempt("TCGETS", lambda: fcntl.ioctl(fd, 0x5401, bytes(64)))
attempt("FIOCLEX", lambda: fcntl.ioctl(fd, 0x5451))
"""


def test_ioctl_on_devices_is_a_right_of_its_own(caller):
    """/dev/null answers ENOTTY where the call reaches it; what Landlock refuses is EACCES."""
    spec = f"[landlock]\n{PROGRAMS}"
    readable = DEVICE.replace("O_RDWR", "O_RDONLY")
    reading = 'rx = ["/usr"]\nro = ["/etc", "/proc", "/dev/null"]\n'
    assert ask(caller, "[landlock]\n" + reading, readable) == {"TCGETS": "EACCES", "FIOCLEX": "ok"}
    assert ask(caller, spec + 'rw = ["/dev"]', DEVICE) == {"TCGETS": "ENOTTY", "FIOCLEX": "ok"}


def test_a_line_may_name_a_file(caller):
    """Rights of directories are EINVAL on it and left out; what is beside it stays closed."""
    place = caller.open_directory()
    for name in ("one", "two"):
        caller.file(place / name, "text", 0o666)
    code = 'for name in ("one", "two"): attempt(name, lambda: open("/t/" + name, "r+").write("x"))'
    spec = f'[filesystem]\nrw = ["{place}:/t"]\n[landlock]\n{PROGRAMS}rwx = ["/t/one"]\n'
    assert ask(caller, spec, code) == {"one": "ok", "two": "EACCES"}


def test_paths_are_those_inside_the_jail(caller):
    place = caller.open_directory()
    caller.file(place / "file", "text", 0o644)
    inside = f'[filesystem]\nro = ["{place}:/opt/data"]\n[landlock]\n{PROGRAMS}'
    code = 'attempt("read", lambda: open("/opt/data/file").read())'
    assert ask(caller, inside.replace('"/etc"', '"/etc", "/opt/data"'), code) == {"read": "ok"}
    assert ask(caller, inside, code) == {"read": "EACCES"}
    run = caller.run(inside + f'rw = ["{place}"]', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == ""
    assert "spec.toml:6:" in run.stderr and "ENOENT" in run.stderr and "inside the jail" in run.stderr


def test_a_link_leads_where_it_leads_inside(caller):
    """/bin is a link to usr/bin: the rule is for what it leads to."""
    run = caller.run('[landlock]\nrx = ["/bin", "/lib", "/lib64"]\nro = ["/etc"]', "/usr/bin/true")
    assert run.status == 0, run


def test_descriptors_that_were_open_before_stay_what_they_were(caller):
    spec = f"[landlock]\n{PROGRAMS}"
    assert caller.run(spec, "/bin/cat", stdin="given").ok.stdout == "given"


# What cannot be executed is explained, with 126.


@pytest.mark.parametrize(
    "lists, culprit",
    [
        ('ro = ["/"]', "/usr/bin/true"),
        ('rx = ["/usr/bin"]\nro = ["/usr"]', None),
        ('rx = ["/usr/bin/true"]', "/lib64/ld-linux-x86-64.so.2"),
        ("rw = []", "/usr/bin/true"),
    ],
)
def test_a_program_outside_rx_is_named(caller, lists, culprit):
    run = caller.run("[landlock]\n" + lists, "/usr/bin/true")
    if culprit is None:
        culprit = "/lib64/ld-linux-x86-64.so.2"
    assert run.status == 126
    assert f"landlock: {culprit} is not in rx" in run.stderr and "hint: " in run.stderr


def test_the_interpreter_of_a_script_is_named(caller):
    place = caller.open_directory()
    caller.file(place / "script", "#!/usr/bin/env sh\n", 0o755)
    spec = f'[filesystem]\nro = ["{place}:/opt"]\n[landlock]\nrx = ["/opt"]'
    run = caller.run(spec, "/opt/script")
    assert run.status == 126 and "landlock: /usr/bin/env is not in rx" in run.stderr


def test_a_program_without_x_is_not_blamed_on_landlock(caller):
    place = caller.open_directory()
    caller.file(place / "script", "#!/bin/sh\n", 0o644)
    run = caller.run(f'[filesystem]\nro = ["{place}:/opt"]\n[landlock]\nrx = ["/"]', "/opt/script")
    assert run.status == 126 and "no x bit" in run.stderr


# Ports, sockets, signals.

PORTS = """
import socket
def bind(port):
    with socket.socket() as s: s.bind(("127.0.0.1", port))
def connect(port):
    with socket.socket() as s: s.connect(("127.0.0.1", port))
for port in (0, 4001, 4002):
    attempt(f"bind {port}", lambda: bind(port))
    attempt(f"connect {port}", lambda: connect(port))
"""


@pytest.mark.parametrize(
    "lines, expected",
    [
        ("bind_tcp = [4001]", {"bind 0": "EACCES", "bind 4001": "ok", "bind 4002": "EACCES", "connect 4001": "ECONNREFUSED", "connect 4002": "ECONNREFUSED"}),
        ("connect_tcp = [4002]", {"bind 0": "ok", "bind 4001": "ok", "bind 4002": "ok", "connect 4001": "EACCES", "connect 4002": "ECONNREFUSED"}),
        ("bind_tcp = [0]\nconnect_tcp = []", {"bind 0": "ok", "bind 4001": "EACCES", "connect 4001": "EACCES", "connect 4002": "EACCES"}),
        ('scope = ["signal"]', {"bind 4001": "ok", "connect 4001": "ECONNREFUSED"}),
    ],
)
def test_ports_are_closed_where_their_key_is_written(caller, lines, expected):
    answers = ask(caller, "[landlock]\n" + lines, PORTS)
    assert {name: answers[name] for name in expected} == expected


ABSTRACT = """
import socket
def connect(kind, name):
    with socket.socket(socket.AF_UNIX, kind) as s: s.connect("\\0" + name)
attempt("stream", lambda: connect(socket.SOCK_STREAM, sys.argv[1]))
attempt("datagram", lambda: connect(socket.SOCK_DGRAM, sys.argv[1] + "d"))
own = socket.socket(socket.AF_UNIX)
own.bind("\\0own" + sys.argv[1]); own.listen()
attempt("own", lambda: connect(socket.SOCK_STREAM, "own" + sys.argv[1]))
"""


@pytest.fixture
def host_socket():
    name = f"immure-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as stream, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
        stream.bind("\0" + name)
        stream.listen()
        datagram.bind("\0" + name + "d")
        yield name


CLOSED, OPEN = ({"stream": word, "datagram": word, "own": "ok"} for word in ("EPERM", "ok"))


@pytest.mark.parametrize(
    "spec, expected",
    [
        ('[network]\nmode = "host"', CLOSED),
        ('[namespaces]\nnet = "host"', CLOSED),
        ('[network]\nmode = "host"\n[landlock]\nscope = ["abstract_unix_socket"]', CLOSED),
        ('[network]\nmode = "host"\n[landlock]\nbind_tcp = []', CLOSED),
        ('[network]\nmode = "host"\n[landlock]\nscope = []', OPEN),
        ('[network]\nmode = "host"\n[landlock]\nscope = ["signal"]', OPEN),
    ],
)
def test_c22_abstract_sockets_of_a_shared_network(caller, host_socket, spec, expected):
    assert ask(caller, spec, ABSTRACT, host_socket) == expected


def test_c22_a_socket_with_a_path_stays_reachable(caller):
    """The scope is about abstract names: a path is for the mounts to show or not."""
    place = caller.open_directory()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place / "s"))
        (place / "s").chmod(0o777)
        server.listen()
        spec = f'[network]\nmode = "host"\n[filesystem]\nrw = ["{place}:/s"]'
        code = 'import socket\nattempt("path", lambda: socket.socket(socket.AF_UNIX).connect("/s/s"))'
        assert ask(caller, spec, code) == {"path": "ok"}


SIGNALS = """
import signal, time
child = os.fork()
if child == 0:
    time.sleep(60)
attempt("own child", lambda: os.kill(child, signal.SIGKILL))
attempt("pid 1", lambda: os.kill(1, 0))
"""


def test_signals_stay_within(caller):
    assert ask(caller, None, SIGNALS) == {"own child": "ok", "pid 1": "ok"}
    assert ask(caller, '[landlock]\nscope = ["signal"]', SIGNALS) == {"own child": "ok", "pid 1": "EPERM"}


def test_signals_of_a_shared_pid_namespace(caller):
    """A process of the same user on the host."""
    target = 65534 if caller.is_root else caller.uid
    more = {"user": target, "group": target} if os.getuid() == 0 else {}
    victim = subprocess.Popen(["/bin/sleep", "60"], **more)
    try:
        code = "attempt('host', lambda: os.kill(int(sys.argv[1]), 0))"
        for scope, expected in (("", "ok"), ('scope = ["signal"]', "EPERM")):
            spec = ALONE + '[process]\ntty = "none"\n[landlock]\nbind_tcp = []\n' + scope
            assert ask(caller, spec, code, str(victim.pid), jailed=False) == {"host": expected}
    finally:
        victim.kill()
        victim.wait()


def test_the_launcher_forwards_signals_into_the_scope(caller):
    script = "trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.05; done"
    process = caller.start('[landlock]\nscope = ["signal"]', "/bin/sh", "-c", script)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(10)
    run = caller.finish(process)
    assert run.status == 5 and run.stdout == "got\n"


@pytest.mark.parametrize("timeout, status", [("300ms", 124)])
def test_a_deadline_ends_a_command_in_the_scope(caller, timeout, status):
    run = caller.run(f'timeout = "{timeout}"\n[landlock]\nscope = ["signal"]', "/bin/sleep", "60")
    assert run.status == status


# Who is restricted, and what for.


def test_the_reaper_cannot_be_traced_or_read(caller):
    code = """
for name in ("environ", "mem", "fd"):
    path = f"/proc/1/{name}"
    attempt(name, lambda: os.listdir(path) if name == "fd" else open(path, "rb").read(1))
"""
    answers = ask(caller, f"[landlock]\n{PROGRAMS}", code)
    assert set(answers.values()) == {"EACCES"} or set(answers.values()) <= {"EACCES", "EPERM"}, answers


def test_restricted_processes_cannot_mount_whatever_they_are(root):
    """Not even with CAP_SYS_ADMIN in the namespace that owns the mounts."""
    code = 'import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\ndef mount():\n    if libc.mount(b"x", b"/tmp", b"tmpfs", 0, None): raise OSError(ctypes.get_errno(), "")\nattempt("mount", mount)'
    keep = '[capabilities]\nkeep = ["sys_admin"]\n[identity]\nuser = 0\n[seccomp]\nprofile = "none"\n'
    assert ask(root, keep, code) == {"mount": "ok"}
    assert ask(root, keep + f"[landlock]\n{PROGRAMS}", code) == {"mount": "EPERM"}


@pytest.mark.parametrize("init", ["true", "false"])
def test_without_no_new_privs_too(caller, init):
    spec = f"[process]\nno_new_privs = false\ninit = {init}\n[landlock]\n{PROGRAMS}"
    code = 'attempt("list", lambda: os.listdir("/"))'
    assert ask(caller, spec, code) == {"list": "EACCES"}


def test_as_the_only_layer_it_needs_neither_privilege_nor_user_namespaces(caller, compiled):
    """On a host that refuses every namespace."""
    caller.wrapper = (compiled("shim"), "userns=1", "--")
    assert caller.run(None, "/bin/true").status == 125
    spec = ALONE + f"[landlock]\n{PROGRAMS}scope = ['signal', 'abstract_unix_socket']\n"
    run = caller.shell(spec, "cat /proc/self/status; ls /tmp; test -r /usr")
    assert "NoNewPrivs:\t1" in run.stdout and "Permission denied" in run.stderr and run.status == 0
    assert f"Uid:\t{caller.inside_uid}\t" in run.stdout


def test_as_the_only_layer_other_processes_cannot_be_read(user):
    """Landlock refuses ptrace(2) access to what is outside the domain, and with it most of /proc/PID."""
    code = 'attempt("environ", lambda: open(f"/proc/{sys.argv[1]}/environ").read())'
    victim = user.popen(["/bin/sleep", "60"])
    try:
        for lines, expected in (("scope = []", "ok"), (PROGRAMS, "EACCES")):
            answers = ask(user, ALONE + "[landlock]\n" + lines, code, str(victim.pid), jailed=False)
            assert answers == {"environ": expected}
    finally:
        victim.kill()
        victim.wait()
        victim.stdout.close()
        victim.stderr.close()


def test_jails_nest_within_the_scope_of_a_shared_network(caller, binary):
    """Such a domain closes no file, and so no mount."""
    spec = f'[network]\nmode = "host"\n[namespaces]\nnested = true\n[filesystem]\nro = ["{binary}"]'
    run = caller.run(spec, binary, "run", "--", "/bin/echo", "inner")
    assert run.status == 0 and run.stdout == "inner\n", run


# What the kernel lacks.


def test_c42_a_kernel_older_than_the_minimum_stops_the_launch(caller):
    run = caller.run('[landlock]\nscope = ["signal"]\nminimum_abi = 99', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == ""
    assert "spec.toml:3:15" in run.stderr and f"version {ABI}" in run.stderr and "99" in run.stderr


@pytest.mark.parametrize("call", ["create", "add", "restrict"])
def test_c42_a_refused_call_stops_the_launch(caller, call):
    """Not as an error that is passed over: strace answers EPERM in the kernel's place."""
    needs(os.path.exists("/usr/bin/strace"), "inject faults: no strace")
    name = {"create": "landlock_create_ruleset", "add": "landlock_add_rule", "restrict": "landlock_restrict_self"}[call]
    # In direct mode it is one process that asks for the version first: strace counts by process.
    when = "when=2" if call == "create" else "when=1"
    caller.wrapper = ("/usr/bin/strace", "-f", "-o", "/dev/null", "-e", f"inject={name}:error=EPERM:{when}")
    run = caller.run(ALONE + f"[landlock]\n{PROGRAMS}", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and f"{name}: EPERM" in run.stderr, run


def test_c42_a_kernel_without_landlock_stops_the_launch(caller):
    """T28: as such a kernel answers."""
    needs(os.path.exists("/usr/bin/strace"), "inject faults: no strace")
    caller.wrapper = ("/usr/bin/strace", "-f", "-o", "/dev/null", "-e", "inject=landlock_create_ruleset:error=ENOSYS")
    run = caller.run("[landlock]\nscope = ['signal']", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == ""
    assert "spec.toml:1:2: the running kernel has no Landlock" in run.stderr
    run = caller.run('[network]\nmode = "host"', "/bin/echo", "ran")
    assert run.status == 0 and run.stdout == "ran\n"
    plan = caller.verb("plan", str(caller.spec('[network]\nmode = "host"')), "--", "true")
    assert "abstract sockets of others are within reach" in plan.ok.stdout


def test_t42_the_plan_names_every_right(caller):
    plan = caller.verb("plan", str(caller.spec(f"[landlock]\n{PROGRAMS}bind_tcp = [80]\n")), "--", "true").ok.stdout
    for word in ("create_ruleset", "allow_path", "allow_port", "enforce_ruleset", "ioctl_dev", "truncate", "refer"):
        assert word in plan
    assert "landlock /etc (read_file,read_dir)" in plan


def test_doctor_knows_the_version(caller):
    assert f"{ABI}: every key can be enforced" in caller.verb("doctor", timeout=20).stdout
