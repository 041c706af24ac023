"""[service]: what a service manager offers, in the jail. The tests play the manager: the real one is in Tests/VM."""

import array
import contextlib
import json
import os
import select
import socket
import stat
import subprocess
import time

import pytest

from harness.patience import patient

SEND = """
import os, socket
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
address = os.environ["NOTIFY_SOCKET"]
manager.connect("\\0" + address[1:] if address[0] == "@" else address)
"""


class Manager:
    """A notify socket, as systemd has one."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.settimeout(patient(5))

    def receive(self):
        """The next message, the sender's process id and the descriptors that came along."""
        room = socket.CMSG_SPACE(12) + socket.CMSG_SPACE(16 * 4)
        text, parts, flags, _ = self.socket.recvmsg(8192, room)
        assert not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC)
        numbers, sender = array.array("i"), None
        for _, kind, data in parts:
            if kind == socket.SCM_RIGHTS:
                numbers.frombytes(data)
            else:
                sender = int.from_bytes(data[:4], "little")
        return text.decode(), sender, list(numbers)

    def nothing(self):
        return not select.select([self.socket], [], [], 0.3)[0]


@pytest.fixture
def manager(caller):
    manager = Manager(caller.directory() / "notify")
    yield manager
    manager.socket.close()


def spec(access="main", more=""):
    return f'[service]\nnotify = "{access}"\n{more}'


def launch(caller, manager, code, text, **env):
    process = caller.start(
        text, "/usr/bin/python3", "-I", "-c", SEND + code, env={"NOTIFY_SOCKET": manager.path, **env})
    return process


def test_a_message_is_the_launchers(caller, manager):
    """The manager has started the launcher: what comes from another process would be refused (NotifyAccess=main)."""
    process = launch(caller, manager, "manager.send(b'READY=1\\nSTATUS=up')", spec())
    assert manager.receive() == ("READY=1\nSTATUS=up", process.pid, [])
    assert caller.finish(process).ok.stderr == ""


def test_every_field(caller, manager):
    fields = (
        "READY=1\nRELOADING=1\nMONOTONIC_USEC=5\nSTOPPING=1\nSTATUS=a=b c\nERRNO=2\nBUSERROR=a.b\nEXIT_STATUS=3\n"
        "WATCHDOG=1\nWATCHDOG=trigger\nWATCHDOG_USEC=9\nEXTEND_TIMEOUT_USEC=7\nFDSTOREREMOVE=1\nFDNAME=x\nFDPOLL=0"
    )
    process = launch(caller, manager, f"manager.send({fields.encode()!r})", spec(), WATCHDOG_USEC="1000000")
    assert manager.receive()[0] == fields
    caller.finish(process).ok


@pytest.mark.parametrize("message", [
    b"READY=1\nSTATUS=x\rMAINPID=%d\nWATCHDOG=trigger", b"READY=1\nSTATUS=x\rMAINPID=%d", b"STATUS=\xff\rMAINPID=%d",
    b"STATUS=x\0\nMAINPID=%d", b"READY=1\rNOTIFYACCESS=all\r%d", b"FDNAME=a\rMAINPID=%d"])
def test_a01_no_line_within_a_line(caller, manager, message):
    """systemd ends a line at a carriage return as well: what is behind it would be the launcher's word."""
    code = f"manager.send({message!r} % {os.getpid()}); manager.send(b'STATUS=last')"
    process = launch(caller, manager, code, spec())
    assert manager.receive()[0] == "STATUS=last"
    assert "warning: notify: a message with a control character" in caller.finish(process).stderr


def test_a01_what_is_not_watched_is_not_aborted(caller, manager):
    """A trigger aborts the whole unit; where signs of life are asked for, the jail could as well keep them back."""
    code = "manager.send(b'WATCHDOG=trigger\\nWATCHDOG_USEC=1\\nWATCHDOG=1')"
    process = launch(caller, manager, code, spec())
    assert manager.receive()[0] == "WATCHDOG=1"
    assert "warning: notify: WATCHDOG=trigger is not passed on" in caller.finish(process).stderr
    process = launch(caller, manager, code, spec(), WATCHDOG_USEC="1000000")
    assert manager.receive()[0] == "WATCHDOG=trigger\nWATCHDOG_USEC=1\nWATCHDOG=1"
    caller.finish(process).ok


def test_main_pid(caller, manager):
    """The command stands under the launcher's process id; nobody else in the jail can be the main process."""
    code = "manager.send(b'MAINPID=%d\\nREADY=1' % os.getpid()); manager.send(b'MAINPID=1\\nSTATUS=x')"
    process = launch(caller, manager, code, spec())
    assert manager.receive()[0] == f"MAINPID={process.pid}\nREADY=1"
    assert manager.receive()[0] == "STATUS=x"
    assert "warning: notify: MAINPID=1 is not passed on" in caller.finish(process).stderr


@pytest.mark.parametrize("field", ["NOTIFYACCESS=all", "MAINPIDFDID=1", "X_MINE=1", "nonsense", "MAINPID=", "=", "READY", "ERRNO=x"])
def test_what_is_not_passed_on(caller, manager, field):
    process = launch(caller, manager, f"manager.send({field.encode()!r}); manager.send(b'STATUS=last')", spec())
    assert manager.receive()[0] == "STATUS=last"
    caller.finish(process)


def test_descriptors_are_the_same_files(caller, manager):
    code = (
        "a, b = os.pipe(); os.write(b, b'kept'); import sys\n"
        "socket.send_fds(manager, [b'FDSTORE=1\\nFDNAME=pipe'], [a, b])\n"
    )
    process = launch(caller, manager, code, spec())
    text, _, numbers = manager.receive()
    assert (text, len(numbers)) == ("FDSTORE=1\nFDNAME=pipe", 2)
    caller.finish(process).ok
    assert os.read(numbers[0], 9) == b"kept"
    for number in numbers:
        os.close(number)


def test_barrier_waits_for_the_manager(caller, manager):
    """sd_notify_barrier(3): the command goes on when the manager has closed the descriptor, not before."""
    code = (
        "import select; a, b = os.pipe(); socket.send_fds(manager, [b'BARRIER=1'], [b]); os.close(b)\n"
        "waiting = not select.select([a], [], [], 0.3)[0]; print('waits', waiting, flush=True)\n"
        "select.select([a], [], [], 5); print('ends', os.read(a, 1), flush=True)\n"
    )
    process = launch(caller, manager, code, spec())
    text, _, numbers = manager.receive()
    assert text == "BARRIER=1" and process.stdout.readline() == b"waits True\n"
    os.close(numbers[0])
    assert process.stdout.readline() == b"ends b''\n"
    caller.finish(process).ok


def test_only_the_command_or_all(caller, manager):
    code = "p = os.fork()\nif p == 0: manager.send(b'STATUS=child'); os._exit(0)\nos.wait(); manager.send(b'STATUS=command')"
    process = launch(caller, manager, code, spec("main"))
    assert manager.receive()[0] == "STATUS=command"
    assert "warning: notify: a message of another process than the command" in caller.finish(process).stderr
    process = launch(caller, manager, code, spec("all"))
    assert [manager.receive()[0] for _ in range(2)] == ["STATUS=child", "STATUS=command"]
    caller.finish(process).ok


def test_nobody_outside_is_heard(caller, manager):
    """A process that is not of the jail's pid namespace reaches the socket through /proc, and is passed over."""
    process = launch(caller, manager, "manager.send(b'READY=1'); import time; time.sleep(60)", spec("all"))
    try:
        manager.receive()
        reaper = int(open(f"/proc/{process.pid}/task/{process.pid}/children").read())
        command = int(open(f"/proc/{reaper}/task/{reaper}/children").read())
        outside = f"/proc/{command}/root/run/immure/notify"
        send = (
            "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            "s.connect(sys.argv[1]); s.send(b'STATUS=outside')"
        )
        subprocess.run(["/usr/bin/python3", "-c", send, outside], check=True)
        assert manager.nothing()
    finally:
        process.kill()
        caller.finish(process)


def test_messages_sent_last_arrive(caller, manager):
    """Many messages and an end at once: what was sent before the end is passed on before it."""
    process = launch(caller, manager, "for i in range(100): manager.send(b'STATUS=%d' % i)", spec())
    assert [manager.receive()[0] for _ in range(100)] == [f"STATUS={i}" for i in range(100)]
    caller.finish(process).ok


def test_too_long_is_dropped_and_harmless(caller, manager):
    code = "manager.send(b'STATUS=' + b'x' * 5000); manager.send(b'READY=1')"
    process = launch(caller, manager, code, spec())
    assert manager.receive()[0] == "READY=1"
    caller.finish(process).ok


def test_a_lost_manager_ends_nothing(caller, manager):
    os.unlink(manager.path)
    replaced = Manager(manager.path)
    code = "import sys; print('ready', flush=True); sys.stdin.read(); manager.send(b'READY=1'); print('goes on')"
    process = caller.start(
        spec(), "/usr/bin/python3", "-I", "-c", SEND + code, env={"NOTIFY_SOCKET": manager.path},
        stdin=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    replaced.socket.close()
    run = caller.finish(process, stdin=b"")
    assert run.status == 0 and run.stdout == "goes on\n"
    assert "warning: notify: sendmsg: ECONNREFUSED" in run.stderr


def test_the_jail_sees_the_socket_alone(caller, manager):
    code = (
        "import json, os; d = os.path.dirname(os.environ['NOTIFY_SOCKET'])\n"
        "try: open(d + '/x', 'w'); made = True\n"
        "except OSError as e: made = e.errno\n"
        "print(json.dumps([os.listdir(d), made, oct(os.stat(d).st_mode)]))"
    )
    found = caller.python(spec(), code, env={"NOTIFY_SOCKET": manager.path})
    assert found[0] == ["notify"] and found[1] in (13, 30) and found[2] == "0o40755"


def test_watchdog_names_the_command(caller, manager):
    text = caller.shell(
        spec(), "echo $$ $WATCHDOG_PID $WATCHDOG_USEC", env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "3000000"}).ok
    pid, watched, interval = text.stdout.split()
    assert pid == watched and interval == "3000000"
    # It is somebody else's: a shell in between has inherited it.
    text = caller.shell(
        spec(), "echo x$WATCHDOG_PID$WATCHDOG_USEC",
        env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}).ok
    assert text.stdout == "x\n"


def test_nothing_without_a_key(caller, manager):
    """Closed by default: neither variable nor socket nor descriptor."""
    with listening() as (one, _):
        run = caller.run(
            None, "/bin/sh", "-c", "env | grep -E 'NOTIFY|LISTEN|WATCHDOG|CREDENTIALS'; ls /run /proc/self/fd",
            env={"NOTIFY_SOCKET": manager.path, "LISTEN_FDS": "1", "CREDENTIALS_DIRECTORY": "/"},
            pass_fds=[one.fileno()])
    assert "NOTIFY" not in run.stdout and "LISTEN" not in run.stdout and "notify" not in run.stdout


def test_directly_the_socket_itself(caller, manager):
    """In the host's pid namespace the command is the process that was started: the manager's own socket, no relay."""
    text = caller.shared_pids() + spec() + "[process]\ntty = \"none\"\n"
    process = launch(caller, manager, "manager.send(b'MAINPID=%d' % os.getpid())", text)
    assert manager.receive() == (f"MAINPID={process.pid}", process.pid, [])
    caller.finish(process).ok


def test_clock_of_a_reload(caller, manager):
    """MONOTONIC_USEC is compared with the manager's clock, not with the jail's."""
    text = spec(more='[namespaces.time]\nmonotonic = "1h"\n')
    code = "import time; manager.send(b'RELOADING=1\\nMONOTONIC_USEC=%d' % (time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6))"
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    process = launch(caller, manager, code, text)
    sent = int(manager.receive()[0].rpartition("=")[2]) / 1e6
    assert before <= sent <= time.clock_gettime(time.CLOCK_MONOTONIC)
    caller.finish(process).ok


@contextlib.contextmanager
def listening():
    one, two = socket.socket(), socket.socket(socket.AF_UNIX)
    one.bind(("127.0.0.1", 0))
    one.listen()
    try:
        yield one, two
    finally:
        one.close()
        two.close()


ACTIVATE = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.environ['LISTEN_PID'] = str(os.getpid()); os.execv(sys.argv[3], sys.argv[3:])"
INSIDE = """
import json, os, socket
print(json.dumps({
    "mine": int(os.environ["LISTEN_PID"]) == os.getpid(), "count": os.environ["LISTEN_FDS"],
    "names": os.environ.get("LISTEN_FDNAMES"), "open": sorted(map(int, os.listdir("/proc/self/fd")))[:5],
    "files": [os.fstat(n).st_ino for n in (3, 4)], "port": socket.socket(fileno=3).getsockname()[1]}))
"""


@pytest.mark.parametrize("text", ["[service]\nsockets = true\n", "[process]\ninit = false\n[service]\nsockets = true\n"])
def test_socket_activation(caller, text):
    with listening() as (one, two):
        high = [os.dup2(s.fileno(), n) for s, n in ((one, 300), (two, 301))]
        argv, _ = caller.line(text, ["/usr/bin/python3", "-I", "-c", INSIDE])
        process = caller.popen(
            ["/usr/bin/python3", "-c", ACTIVATE, *map(str, high), *argv], pass_fds=high,
            env={"LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:control"})
        found = json.loads(caller.finish(process).ok.stdout)
        assert found["mine"] and found["count"] == "2" and found["names"] == "web:control"
        assert found["files"] == [os.fstat(s.fileno()).st_ino for s in (one, two)]
        assert found["port"] == one.getsockname()[1]
        assert found["open"][:5] in ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5])
        for number in high:
            os.close(number)


def test_sockets_meant_for_another_process(caller):
    run = caller.run("[service]\nsockets = true\n", "/bin/true", env={"LISTEN_FDS": "1", "LISTEN_PID": "1"})
    assert run.status == 125 and "service.sockets: no socket is passed" in run.stderr and "spec.toml:2:" in run.stderr


def test_credentials(caller):
    """They belong to the command's user, whoever it is, and are read-only; the directory is where it was."""
    place = caller.directory(0o700)
    caller.file(place / "token", "s3cret", 0o400)
    script = (
        "cd $CREDENTIALS_DIRECTORY; cat token; echo; stat -f -c %T .; pwd; stat -c '%a %u' token; id -u; "
        "touch x || echo refused"
    )
    run = caller.shell("[service]\ncredentials = true\n", script, env={"CREDENTIALS_DIRECTORY": str(place)})
    assert run.status == 0, run
    lines = run.stdout.split("\n")
    assert lines[:3] == ["s3cret", "ramfs", str(place)], run
    assert lines[3] == f"400 {lines[4]}" and lines[5] == "refused"
    plan = caller.verb("plan", str(run.spec), "--", "true", env={"CREDENTIALS_DIRECTORY": str(place)})
    assert "read the credentials" in plan.stdout and "s3cret" not in plan.stdout


@pytest.mark.parametrize("key, what", [
    ('notify = "main"', "NOTIFY_SOCKET is not set"), ("sockets = true", "no socket is passed"),
    ("credentials = true", "CREDENTIALS_DIRECTORY is not set")])
def test_what_is_not_offered(caller, key, what):
    """Asked for and not there: no launch, unless the spec can do without."""
    run = caller.run(f"[service]\n{key}\n", "/bin/echo", "ran")
    assert run.status == 125 and what in run.stderr and "spec.toml:2:" in run.stderr and run.stdout == ""
    run = caller.run(f"[service]\n{key}\noptional = true\n", "/bin/echo", "ran")
    assert (run.status, run.stdout) == (0, "ran\n")


def test_a_socket_that_is_not_there(caller):
    run = caller.run(spec(), "/bin/echo", "ran", env={"NOTIFY_SOCKET": "/nowhere/notify"})
    assert run.status == 125 and "connect" in run.stderr and "ENOENT" in run.stderr and run.stdout == ""


def test_streams_stay_the_journals(caller):
    """$JOURNAL_STREAM names device and inode of standard error: a logger compares them, sd_journal_print(3)."""
    ours, theirs = socket.socketpair()
    found = os.fstat(theirs.fileno())
    assert stat.S_ISSOCK(found.st_mode)
    name = f"{found.st_dev}:{found.st_ino}"
    code = "import os; s = os.fstat(2); print(os.environ['JOURNAL_STREAM'] == '%d:%d' % (s.st_dev, s.st_ino))"
    process = caller.start(
        '[environment]\nkeep = ["JOURNAL_STREAM"]\n', "/usr/bin/python3", "-I", "-c", code, stderr=theirs,
        env={"JOURNAL_STREAM": name})
    theirs.close()
    assert caller.finish(process).stdout == "True\n"
    ours.close()


@pytest.mark.parametrize("more", ["", "[process]\ninit = false\n", "shared"])
def test_e07_the_launcher_says_that_the_command_runs(caller, manager, more):
    more = caller.shared_pids() if more == "shared" else more
    process = caller.start(spec("exec", more), "sh", "-c", "echo ${NOTIFY_SOCKET-none}; read x", env={"NOTIFY_SOCKET": manager.path}, stdin=subprocess.PIPE)
    assert manager.receive() == ("READY=1", process.pid, [])
    run = caller.finish(process, stdin=b"\n")
    assert (run.status, run.stdout) == (0, "none\n") and manager.nothing(), run


@pytest.mark.parametrize("more, command", [('[filesystem]\nro = ["/nonexistent"]\n', "true"), ("", "/nonexistent")])
def test_e07_and_says_nothing_of_a_jail_that_could_not_be_made(caller, manager, more, command):
    run = caller.run(spec("exec", more), command, env={"NOTIFY_SOCKET": manager.path})
    assert run.status in (125, 127) and manager.nothing(), run


def test_e09_an_end_by_a_signal_is_the_launchers(caller):
    for number in (11, 15, 9):
        command = ("sh", "-c", f"kill -{number} $$")
        assert caller.run("[service]\ndie_by_signal = true", *command).status == -number
        assert caller.run("", *command).status == 128 + number
    assert caller.run("[service]\ndie_by_signal = true", "sh", "-c", "exit 139").status == 139
    run = caller.run('timeout = "100ms"\n[service]\ndie_by_signal = true', "sleep", "20")
    assert run.status == 124, run


def test_e11_the_journal_is_reached(root):
    """As root, whose /run of this test is the machine's: another mount namespace has sockets of the test's own."""
    script = """
        import os, socket, subprocess, sys
        os.makedirs("/run/systemd/journal", exist_ok=True)
        held = {}
        for name, kind in (("dev-log", socket.SOCK_DGRAM), ("socket", socket.SOCK_DGRAM), ("stdout", socket.SOCK_STREAM)):
            held[name] = socket.socket(socket.AF_UNIX, kind)
            held[name].bind("/run/systemd/journal/" + name)
            os.chmod("/run/systemd/journal/" + name, 0o666)
        held["stdout"].listen()
        inside = "import socket, syslog; syslog.syslog('by syslog')\\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\\n" \\
            "s.sendto(b'MESSAGE=by journal', '/run/systemd/journal/socket')\\n" \\
            "t = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); t.connect('/run/systemd/journal/stdout'); t.send(b'id')"
        done = subprocess.run([sys.argv[1], "run", "--set", "service.journal=true", "--", "/usr/bin/python3", "-I", "-c", inside])
        assert done.returncode == 0, done
        assert b"by syslog" in held["dev-log"].recv(999) and held["socket"].recv(999) == b"MESSAGE=by journal"
        assert held["stdout"].accept()[0].recv(9) == b"id"
        for name in held: os.unlink("/run/systemd/journal/" + name)
        done = subprocess.run([sys.argv[1], "run", "--set", "service.journal=true", "--", "true"], capture_output=True, text=True)
        assert done.returncode == 125 and "/run/systemd/journal" in done.stderr, done
        done = subprocess.run([sys.argv[1], "run", "--set", "service={ journal = true, optional = true }", "--", "true"])
        assert done.returncode == 0, done
        print("reached")
    """
    import textwrap
    wrapped = ["unshare", "-m", "--propagation", "private", "sh", "-c", "mount -t tmpfs none /run && exec \"$@\"", "sh"]
    run = root.finish(root.popen([*wrapped, "/usr/bin/python3", "-I", "-c", textwrap.dedent(script), root.binary]), 30)
    assert run.ok.stdout.endswith("reached\n"), run
