"""What the launcher touches may stall or lie: the deadline, the signals and the jail's end are kept all the same (B01, B09, B12)."""

import contextlib
import os
import signal
import socket
import time
from types import SimpleNamespace

import pytest

from harness import linux
from harness.patience import patient, reached, until
from harness.terminal import Terminal
from kit.calls import NUMBER
from kit.faults import Bench

ENDING = ["INT", "QUIT", "HUP", "TERM"]


# A file server that does not answer


@contextlib.contextmanager
def hung(place):
    """A file system whose server took the request for the first answer and is silent since: fuse(4)."""
    server = os.open("/dev/fuse", os.O_RDWR)
    linux.mount("hung", place, "fuse", 0, f"fd={server},rootmode=40000,user_id=0,group_id=0,allow_other")
    try:
        yield place
    finally:
        # Whoever waits gets ENOTCONN.
        os.close(server)
        linux.umount(place)


@pytest.fixture
def hanging(caller):
    if os.getuid() != 0 or not os.path.exists("/dev/fuse"):
        pytest.skip("only root can mount a file server that hangs")
    place = caller.directory()
    with hung(place):
        yield place


def stands_in_the_kernel(process):
    """Whether a process of that launch waits for the server: its wait channel says so."""

    def waits(pid):
        channel = linux.seen(pid, "wchan") or ""
        return "fuse" in channel or channel == "request_wait_answer"

    return any(waits(pid) for pid in [process.pid, *linux.descendants(process.pid)])


def ended(caller, spec, number):
    """The launch that stands still in the kernel, and that a signal ends at once, before the command."""
    process = caller.start(spec, "/bin/echo", "ran")
    until(lambda: stands_in_the_kernel(process))
    begin = time.monotonic()
    process.send_signal(getattr(signal, "SIG" + number))
    run = caller.finish(process)
    assert time.monotonic() - begin < patient(0.5), run
    assert run.status == -getattr(signal, "SIG" + number) and run.stdout == "", run
    assert linux.survivors(0.5) == {}
    return run


STALLS = {
    "rw": 'filesystem.rw = ["{}/below:/data"]', "ro": 'filesystem.ro = ["{}/below:/data"]', "pattern": 'filesystem.ro = ["{}/*/x"]',
    "root": 'filesystem.root = "{}/below"', "overlay": '[[mount]]\ntype = "overlay"\nlower = ["{}/below"]\ntarget = "/data"\n',
    "image": '[[mount]]\ntype = "image"\nsource = "{}/below"\ntarget = "/data"\n', "namespace": 'namespaces.uts = "{}/below"',
}


@pytest.mark.parametrize("where, number", [("rw", number) for number in ENDING] + [(where, "TERM") for where in ("namespace", "user", "net", "mount")])
def test_b09_a_signal_ends_a_launch_that_waits_for_a_source(caller, hanging, where, number):
    text = STALLS.get(where, f'namespaces.{where} = "{{}}/below"').format(hanging)
    run = ended(caller, text, number)
    assert str(hanging) in run.stderr and "SIG" + number in run.stderr, run


@pytest.mark.parametrize("where", STALLS)
def test_b09_a_deadline_ends_a_launch_that_waits_for_a_source(caller, hanging, where):
    def came_to_it(seconds):
        run = caller.run(f'timeout = "{seconds}s"\n' + STALLS[where].format(hanging), "/bin/echo", "ran")
        assert run.status == 124 and run.stdout == "", run
        return str(hanging) in run.stderr or where == "pattern"

    assert reached(came_to_it)
    assert linux.survivors(0.5) == {}


SPECS = {
    "spec": None, "extends": 'extends = ["{}/below.toml"]\ntimeout = "300s"', "profile": 'timeout = "300s"\nseccomp.profile = "{}/below.json"',
    "profile without a deadline": 'seccomp.profile = "{}/below.json"',
}


@pytest.mark.parametrize("where, number", [(where, number) for where in SPECS for number in ENDING if number != "QUIT" or where == "profile"])
def test_b09_a_signal_ends_a_launch_that_waits_for_its_spec(caller, hanging, where, number):
    """SIGQUIT is to leave a core, for which the kernel breaks off no such wait of cat's either: signal(7), wait_event_killable."""
    text = SPECS[where]
    ended(caller, caller.spec(text.format(hanging)) if text else hanging / "below.toml", number)


@pytest.mark.parametrize("where", [where for where in SPECS if "without" not in where])
def test_b09_a_deadline_of_the_command_line_ends_a_launch_that_waits_for_its_spec(caller, hanging, where):
    """A limit that stands in the spec is not known before it is read; one that stands beside it is, and counts in place of it."""
    text = SPECS[where]
    spec = caller.spec(text.format(hanging)) if text else hanging / "below.toml"

    def came_to_it(seconds):
        run = caller.run(spec, "/bin/echo", "ran", options=["--set", f'timeout="{seconds}s"'])
        assert run.status == 124 and run.stdout == "" and "the timeout was over before this was done" in run.stderr, run
        return f'read "{hanging}/below.' in run.stderr

    assert reached(came_to_it)
    assert linux.survivors(0.5) == {}


def test_b09_a_spec_is_read_alike_with_a_deadline_of_the_command_line(caller):
    spec = caller.spec('extends = ["other.toml"]\n')
    caller.file(spec.with_name("other.toml"), 'environment.set = { A = "b" }\n')
    limit = ["--set", 'timeout="60s"']
    run = caller.run(spec, "/bin/sh", "-c", "echo $A", options=limit)
    assert run.status == 0 and run.stdout == "b\n" and run.stderr == "", run
    spec.with_name("other.toml").unlink()
    run = caller.run(spec, "/bin/echo", "ran", options=limit)
    assert run.status == 125 and run.stdout == "" and "other.toml" in run.stderr and "ENOENT" in run.stderr, run
    run = caller.run(spec, "/bin/echo", "ran", options=["--set", "timeout=no"])
    assert run.status == 125 and run.stdout == "" and "timeout=no" in run.stderr, run


def test_b09_a_deadline_ends_a_launch_that_waits_for_a_profile(caller, hanging):
    def came_to_it(seconds):
        run = caller.run(f'timeout = "{seconds}s"\nseccomp.profile = "{hanging}/below.json"', "/bin/echo", "ran")
        assert run.status == 124 and run.stdout == "" and "the timeout was over before this was done" in run.stderr, run
        return f'read "{hanging}/below.json": ' in run.stderr

    assert reached(came_to_it)
    assert linux.survivors(0.5) == {}


@pytest.mark.parametrize("deadline", ["", 'timeout = "60s"\n'])
def test_b09_a_profile_is_read_alike_with_a_deadline(caller, deadline):
    place = caller.directory()
    profile = caller.file(place / "profile.json", '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}')
    run = caller.shell(f'{deadline}seccomp.profile = "{profile}"', "mkdir /tmp/x || echo refused")
    assert run.status == 0 and run.stdout == "refused\n", run
    run = caller.run(f'{deadline}seccomp.profile = "{place}/none.json"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and f"{place}/none.json" in run.stderr and "ENOENT" in run.stderr, run
    profile.write_text("{")
    run = caller.run(f'{deadline}seccomp.profile = "{profile}"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and f"{profile}:1:" in run.stderr, run


def test_b09_a_signal_ends_a_launch_that_waits_for_its_command(user, hanging):
    """The command's file is on the server: exec(2) itself stands still."""
    process = user.start('grace = "60s"\n[filesystem]\nroot = "host"\ntmp = false', hanging / "program")
    until(lambda: stands_in_the_kernel(process))
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    run = user.finish(process)
    assert run.status == -signal.SIGINT and time.monotonic() - begin < patient(1), run
    assert linux.survivors(0.5) == {}


def test_b09_a_launch_in_its_own_time_is_none_the_slower(root):
    """Sources that a spec names are opened by a process that can be killed: their order and their faults are the same."""
    place = root.directory()
    root.file(place / "file", "text")
    run = root.run(f'[filesystem]\nro = ["{place}:/data", "/no/such:/opt/x"]', "/bin/cat", "/data/file")
    assert run.status == 125 and "/no/such" in run.stderr and ":2:" in run.stderr, run
    run = root.run(f'[filesystem]\nro = ["{place}:/data"]\n[[mount]]\ntarget = "/x"\nsource = "/no/such"\noptional = true', "/bin/cat", "/data/file")
    assert run.status == 0 and run.stdout == "text" and "/no/such" in run.stderr, run


# A terminal that nobody reads, or that somebody else reads as well


class Unread(Terminal):
    """Nobody reads at its master but `read`, which a test calls when all is over."""

    def end_within(self, seconds):
        begin = time.monotonic()
        while self.process.poll() is None:
            assert time.monotonic() - begin < patient(seconds), f"no end within {patient(seconds):.0f} s"
            time.sleep(0.01)
        return self.process.returncode, time.monotonic() - begin


@pytest.fixture
def unread(caller):
    opened = []

    def start(spec, *command, shell="{}"):
        argv = caller.line(spec, command)[0]
        opened.append(Unread(caller, ["/bin/sh", "-c", "exec " + shell.format('"$@"'), "sh", *argv]))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.mark.parametrize("shell", ["{}", "{} </dev/null", "{} 2>/dev/null"])
def test_b01_a_deadline_holds_at_a_terminal_that_nobody_reads(unread, shell):
    t = unread('timeout = "1s"\ngrace = "200ms"', "/usr/bin/yes", shell=shell)
    status, seconds = t.end_within(3)
    assert status == 124 and seconds >= 1 and t.settings == t.before
    assert linux.survivors(0.5) == {}


@pytest.mark.parametrize("tty", ["auto", "none"])
@pytest.mark.parametrize("number", ["TERM", "HUP"])
def test_b01_a_signal_reaches_the_command_past_a_terminal_that_nobody_reads(unread, number, tty):
    t = unread(f'grace = "200ms"\n[process]\ntty = "{tty}"', "/usr/bin/yes")
    until(lambda: len(linux.descendants(t.process.pid)) >= 2)
    time.sleep(0.3)
    t.process.send_signal(getattr(signal, "SIG" + number))
    status, _ = t.end_within(1.5)
    assert status in (128 + getattr(signal, "SIG" + number), -getattr(signal, "SIG" + number)) and t.settings == t.before


def test_b01_the_end_of_a_jail_is_seen_at_a_terminal_that_nobody_reads(unread):
    t = unread(None, "/bin/sh", "-c", "yes & sleep 0.5; exit 7")
    status, _ = t.end_within(8)
    assert status == 7 and t.settings == t.before


def test_b01_who_reads_late_gets_all_of_it(unread):
    t = unread(None, "/usr/bin/seq", "1", "20000")
    time.sleep(1)
    assert t.wait(20) == 0
    for _ in range(20):
        t.read(0.02)
    assert t.text.endswith("20000\r\n") and t.text.count("\n") == 20000


def test_b01_a_rival_may_read_the_same_terminal(unread):
    """What poll(2) has promised is gone when it is read."""
    t = unread('timeout = "2s"\ngrace = "200ms"', "/bin/cat", shell="sh -c 'cat </dev/tty >/dev/null & \"$0\" \"$@\"; s=$?; kill $!; exit $s' {}")
    for _ in range(20):
        t.send("x\r")
        time.sleep(0.05)
    status, _ = t.end_within(4)
    assert status == 124 and t.settings == t.before


# Pipes, results and messages that nobody takes


def test_b01_a_deadline_holds_where_standard_output_is_full(caller):
    process = caller.start('timeout = "1s"\ngrace = "200ms"', "/usr/bin/yes")
    begin = time.monotonic()
    assert process.wait(patient(3)) == 124 and time.monotonic() - begin < patient(2)
    process.communicate()
    assert linux.survivors(0.5) == {}


def test_b01_a_result_that_nobody_reads_holds_nobody_up_for_long(caller):
    """Seven bytes have room in it, and a result has more."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writing, b"x" * 65536):
            pass
    with contextlib.suppress(BlockingIOError):
        while os.write(writing, b"x"):
            pass
    os.set_blocking(writing, True)
    for send in (None, signal.SIGTERM):
        process = caller.start('timeout = "500ms"', "/bin/sleep", "100", options=("--result", f"FD:{writing}"), pass_fds=(writing,))
        if send:
            # Its command has been ended for being late, and the result is to be written.
            sleeps = lambda: "/bin/sleep 100" in [line for _, line in linux.descendants(process.pid).values()]
            until(lambda: process.poll() is not None or sleeps())
            until(lambda: process.poll() is not None or not sleeps())
            process.send_signal(send)
        run = caller.finish(process, timeout=8)
        assert run.status == 124, run
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("number", [None, "TERM", "INT"])
def test_b01_a_result_on_a_server_that_hangs_holds_nobody_up(caller, hanging, number):
    """Nothing of the command runs before the place of its result is held."""
    def came_to_it(seconds):
        process = caller.start(f'timeout = "{seconds}s"', "/bin/echo", "ran", options=("--result", f"{hanging}/below/result.json"))
        if number:
            until(lambda: stands_in_the_kernel(process))
            process.send_signal(getattr(signal, "SIG" + number))
        run = caller.finish(process)
        assert run.stdout == "" and run.status == (-getattr(signal, "SIG" + number) if number else 124), run
        return str(hanging) in run.stderr

    assert reached(came_to_it, (300,) if number else (1, 8, 60))
    assert linux.survivors(0.5) == {}


def test_b01_a_result_that_is_a_fifo_is_refused(caller):
    fifo = caller.directory() / "fifo"
    os.mkfifo(fifo)
    caller.own(fifo)
    run = caller.run(None, "/bin/echo", "ran", options=("--result", str(fifo)), timeout=8)
    assert run.status == 125 and run.stdout == "" and f'"{fifo}": not a regular file' in run.stderr, run


def test_b01_messages_that_nobody_reads_hold_nobody_up(caller):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writing, b"x" * 4096):
            pass
    os.set_blocking(writing, True)
    spec = 'timeout = "1s"\ngrace = "200ms"\n[seccomp]\nlog = ["getpid", "getppid", "getuid", "gettid"]'
    code = "import os, time\nfor f in (os.getpid, os.getppid, os.getuid): f()\ntime.sleep(60)"
    begin = time.monotonic()
    process = caller.start(spec, "/usr/bin/python3", "-c", code, stderr=writing)
    assert process.wait(patient(3)) == 124 and time.monotonic() - begin < patient(2)
    process.communicate()
    os.close(reading)
    os.close(writing)
    assert linux.survivors(0.5) == {}


# A service manager that does not read


@pytest.fixture
def manager(caller):
    """The socket of a manager that reads nothing unless it is asked to."""
    place = caller.open_directory() / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(place))
        os.chmod(place, 0o777)
        listening.settimeout(patient(1))
        yield SimpleNamespace(place=str(place), recv=listening.recv)


SENDS = """
import array, os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"])
def send(text, *fds):
    s.sendmsg([text.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
"""


def test_b01_a_manager_that_does_not_read_holds_nobody_up(caller, manager):
    code = SENDS + "for i in range(2000): send(f'STATUS={i}')\nprint('sent', flush=True)\ntime.sleep(60)"

    def first(seconds):
        spec = f'timeout = "{seconds}s"\ngrace = "200ms"\n[service]\nnotify = "all"'
        run = caller.run(spec, "/usr/bin/python3", "-c", code, env={"NOTIFY_SOCKET": manager.place})
        assert run.status == 124, run
        with contextlib.suppress(TimeoutError):
            return manager.recv(4096)

    assert reached(first) == b"STATUS=0"


def test_b08_daemons_that_flood_do_not_outlive_the_command(caller, manager):
    code = SENDS + """
for _ in range(4):
    if os.fork() == 0:
        while True: send("STATUS=flood")
time.sleep(0.5)
os._exit(5)
"""
    begin = time.monotonic()
    run = caller.run('[service]\nnotify = "all"', "/usr/bin/python3", "-c", code, env={"NOTIFY_SOCKET": manager.place})
    assert run.status == 5 and time.monotonic() - begin < patient(3), run
    assert linux.survivors(0.5) == {}


LINGERS = SENDS + """
import struct
listening = socket.socket(); listening.bind(("127.0.0.1", 0)); listening.listen()
end = socket.create_connection(listening.getsockname())
peer, _ = listening.accept()
end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
end.setblocking(False)
try:
    while True: end.send(b"x" * 65536)
except BlockingIOError: pass
send(sys.argv[1], end.fileno())
number = os.dup(end.fileno())
os.close(end.detach())
"""


@pytest.mark.parametrize("message", ["READY=1", "FDSTORE=1", "nothing"])
def test_b05_a_socket_that_lingers_holds_nobody_up(caller, manager, message):
    """close(2) of it waits for an hour; so the last copy must not be the launcher's, nor the reaper's."""
    code = LINGERS + "time.sleep(0.5)\nos._exit(5)"
    begin = time.monotonic()
    spec = 'timeout = "300s"\n[service]\nnotify = "main"\n[seccomp]\nprofile = "none"'
    run = caller.run(spec, "/usr/bin/python3", "-c", code, message, env={"NOTIFY_SOCKET": manager.place})
    assert run.status == 5 and time.monotonic() - begin < patient(3), run
    assert linux.survivors(0.5) == {}


# Failures before the command


def test_b12_whatever_fails_before_the_command_ends_with_125(caller, built, tally):
    """The launcher cannot begin to watch: nothing of the command may run, and the status says so."""
    runs = []
    for _ in range(4):  # the calls stand elsewhere than in the launch that was listed, where a process was late in that
        bench = Bench(caller, "default", built)
        steps = [step for step in bench.steps if step.process == 0]
        born = next(step.call for step in steps if step.number == NUMBER["clone3"])
        watching = [step for step in steps if step.call > born and step.number in (NUMBER["prctl"], NUMBER["close_range"])]
        assert any(step.number == NUMBER["prctl"] for step in watching)
        runs += [run for step in watching for errno in (1, 4, 12, 22) if not (run := bench.broken("fail", step, errno)).moved]
        if runs:
            break
    assert runs
    for run in runs:
        tally("failures of the watch", 1, run.status not in (125, 7))
        # close_range that is refused is made up for.
        assert run.status == 125 and run.stdout == "" or run.status == 7, run
    assert any(run.status == 125 for run in runs)
