"""`tty`: a pty of the jail's own, the terminal as it was after any end, and job control (C20, T14)."""

import json
import os
import re
import shlex
import signal
import subprocess
import termios
import time

import pytest

from harness import linux
from harness.patience import patient, reached, until
from harness.terminal import Terminal


@pytest.fixture
def terminal():
    opened = []

    def start(*arguments, **more):
        opened.append(Terminal(*arguments, **more))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def launch(caller, spec, *command):
    return caller.line(spec, command)[0]


def test_the_command_sees_a_terminal_of_the_jails_own(caller, terminal):
    t = terminal(
        caller,
        launch(
            caller, None, "/bin/sh", "-c", "tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; stat -Lc %d /dev/fd/0"
        ),
    )
    t.expect(r"/dev/pts/\d+\r\n")
    t.expect("all\r\n")
    inside = int(t.expect(r"(\d+)\r\n")[1])
    assert t.wait() == 0
    assert inside != os.fstat(t.slave).st_dev


def test_it_is_the_controlling_terminal(caller, terminal):
    t = terminal(caller, launch(caller, None, "/bin/sh", "-c", "echo out > /dev/tty"))
    t.expect("out\r\n")
    assert t.wait() == 0


def test_no_terminal_where_standard_input_is_none(caller):
    run = caller.shell(None, "tty; echo x > /dev/tty")
    assert "not a tty" in run.stdout and run.status != 0


def test_the_size_is_passed_on_at_the_start_and_when_it_changes(caller, terminal):
    t = terminal(
        caller,
        launch(
            caller, None, "/bin/bash", "-c", "trap 'stty size; exit 6' WINCH; stty size; while :; do sleep 0.05; done"
        ),
        rows=33,
        columns=111,
    )
    t.expect("33 111\r\n")
    t.resize(44, 122)
    t.expect("44 122\r\n")
    assert t.wait() == 6


def test_the_size_is_there_before_the_command_and_changes_nothing(caller, terminal):
    script = "trap 'echo changed' WINCH; stty size; sleep 0.3; echo end"
    t = terminal(caller, launch(caller, None, "/bin/bash", "-c", script), rows=33, columns=111)
    t.expect("\\A33 111\r\nend\r\n")
    assert t.wait() == 0


def test_what_is_typed_arrives_once_and_is_echoed_once(caller, terminal):
    t = terminal(caller, launch(caller, None, "/bin/sh", "-c", "echo ready; read line; echo got:$line"))
    t.expect("ready\r\n")
    t.send("typed\r")
    t.expect("typed\r\n")
    t.expect("got:typed\r\n")
    assert t.wait() == 0
    assert "typed" not in t.text


def test_the_end_of_input_arrives(caller, terminal):
    t = terminal(caller, launch(caller, None, "/bin/sh", "-c", "echo ready; cat; echo over"))
    t.expect("ready\r\n")
    t.send("\x04")
    t.expect("over\r\n")
    assert t.wait() == 0


def test_ctrl_c_reaches_the_command_and_not_the_launcher(caller, terminal):
    t = terminal(
        caller,
        launch(
            caller, None, "/bin/sh", "-c", "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done"
        ),
    )
    t.expect("ready\r\n")
    t.send("\x03")
    t.expect("caught\r\n")
    assert t.wait() == 5


def test_ctrl_c_ends_a_command_without_a_handler(caller, terminal):
    t = terminal(caller, launch(caller, None, "/bin/sh", "-c", "echo ready; exec sleep 20"))
    t.expect("ready\r\n")
    t.send("\x03")
    # As timeout(1) does; a shell makes 130 of it.
    assert t.wait() == -signal.SIGINT


def test_all_output_arrives(caller, terminal):
    t = terminal(caller, launch(caller, None, "/bin/sh", "-c", "seq 1 20000; exit 3"))
    assert t.wait(20) == 3
    for _ in range(20):
        t.read(0.02)
    assert "\r\n20000\r\n" in t.text and t.text.count("\n") == 20000


ENDS = {
    "exit": ("exit 0", 0),
    "killed": ("kill -KILL $$", 137),
    "raw": ("stty raw -echo; exit 4", 4),
    "timeout": ("exec sleep 1000", 124),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_terminal_is_as_it_was_after_the_end(caller, terminal, name):
    script, status = ENDS[name]

    def shown(seconds):
        spec = f'timeout = "{seconds}s"' if name == "timeout" else None
        t = terminal(caller, launch(caller, spec, "/bin/sh", "-c", "echo ready; " + script))
        assert t.wait(10) == status
        assert t.settings == t.before
        return "ready" in t.text

    assert reached(shown, (1, 8, 60) if name == "timeout" else (1,))


@pytest.mark.parametrize("signal_", ["TERM", "HUP", "INT"])
def test_the_terminal_is_as_it_was_after_the_launcher_is_told_to_end(caller, terminal, signal_):
    t = terminal(caller, launch(caller, None, "/bin/sh", "-c", "echo ready; exec sleep 20"))
    t.expect("ready\r\n")
    t.process.send_signal(getattr(signal, "SIG" + signal_))
    t.wait()
    assert t.settings == t.before


def test_a_failed_launch_leaves_the_terminal_alone(caller, terminal):
    t = terminal(caller, launch(caller, '[filesystem]\nro = ["/no/such:/opt/x"]', "/bin/true"))
    assert t.wait() == 125
    assert t.settings == t.before


def test_while_it_is_read_the_callers_terminal_is_raw_and_not_before(caller, terminal):
    place = caller.open_directory()
    script = "echo ready; until [ -e /w/go ]; do sleep 0.05; done; echo reads; read x"
    t = terminal(caller, launch(caller, f'[filesystem]\nrw = ["{place}:/w"]', "/bin/sh", "-c", script))
    t.expect("ready\r\n")
    assert t.settings == t.before
    (place / "go").touch()
    t.expect("reads\r\n")
    until(lambda: not t.settings[3] & (termios.ICANON | termios.ECHO | termios.ISIG))
    t.send("\r")
    t.wait()


# Job control from an interactive shell


def shell(caller, terminal, extra=""):
    t = terminal(caller, ["/bin/bash", "--norc", "--noprofile", "-i"], env={"PS1": "PROMPT> ", "I": caller.binary})
    t.expect("PROMPT> ")
    t.send("bind 'set enable-bracketed-paste off'; PS1='READY> '\r")
    t.expect("READY> $")
    return t


def test_ctrl_z_and_fg_work_from_an_interactive_shell(caller, terminal):
    t = shell(caller, terminal)
    t.send("$I run -- /bin/sh -c 'echo be''gun; read x; echo got:$x; exit 9'\r")
    t.expect("begun\r\n")
    time.sleep(0.2)
    t.send("\x1a")
    t.expect("Stopped")
    t.expect("READY> ")
    t.send("echo still-$((40+2))\r")
    t.expect("still-42\r\n")
    t.expect("READY> ")
    t.send("fg\r")
    until(t.is_read_as_lines)
    t.send("line\r")
    t.expect("got:line\r\n")
    t.expect("READY> ")
    t.send("echo status=$?\r")
    t.expect("status=9\r\n")
    t.send("exit\r")
    t.wait()


def test_a_jail_in_the_background_does_not_disturb_the_shell(caller, terminal):
    t = shell(caller, terminal)
    t.send("$I run -- /bin/sleep 0.3 </dev/null & wait; echo waited=$?\r")
    t.expect(r"waited=\d")
    t.send("exit\r")
    t.wait()


def test_a_pipe_of_two_jails(caller, terminal):
    t = shell(caller, terminal)
    t.send("$I run -- /bin/echo through </dev/null | $I run -- /bin/cat; echo status=$?\r")
    t.expect("through\r\n")
    t.expect("status=0\r\n")
    t.send("exit\r")
    t.wait()


# Attacks (C20)

TIOCSTI = """
import ctypes, errno, json, os
kernel = ctypes.CDLL(None, use_errno=True)
answers = {}
def push(name, file, request):
    for letter in b"echo pwned\\n":
        # By number: libc would cut off the high bits, which the kernel itself does not look at, and a filter must not.
        if kernel.syscall(16, file, ctypes.c_ulong(request), bytes([letter])) != 0:
            answers[name] = errno.errorcode.get(ctypes.get_errno())
            return
    answers[name] = "ok"
files = {str(number): number for number in (0, 1, 2)}
for path in ("/dev/tty", "/dev/console", "/proc/self/fd/0", "/proc/self/fd/1"):
    try: files[path] = os.open(path, os.O_RDWR | os.O_NOCTTY)
    except OSError as error: answers[path] = errno.errorcode[error.errno]
for name, file in files.items():
    for request in (0x5412, 0x5412 | 1 << 32, 0x541C):
        push(f"{name} {request:x}", file, request)
print("ANSWER" + json.dumps(answers))
"""


@pytest.mark.parametrize("tty", ["auto", "none", "inherit"])
def test_t14_c20_nothing_can_be_typed_into_the_callers_terminal(caller, terminal, tty):
    t = shell(caller, terminal)
    probe = caller.file(caller.directory() / "probe.py", TIOCSTI)
    spec = caller.spec(f'[process]\ntty = "{tty}"\n[filesystem]\nro = ["{probe}:/opt/probe.py"]')
    t.send(f"$I run {spec} -- /usr/bin/python3 /opt/probe.py\r")
    told = t.expect(r"ANSWER(\{.*\})")
    if tty == "inherit":
        # The caller's terminal itself, of which there is no other: the filter closes the request.
        answers = json.loads(told[1])
        assert "ok" not in answers.values() and answers["0 5412"] == answers["0 100005412"] == "EPERM", answers
    time.sleep(0.3)
    t.send("echo end-$((1+1))\r")
    t.expect("end-2\r\n")
    assert "pwned\r\npwned" not in t.text, t.text
    t.expect("READY> ") if "READY> " in t.text else None
    t.send("exit\r")
    t.wait()


def test_t14_without_a_pty_the_callers_terminal_is_not_the_commands(caller, terminal):
    spec = '[process]\ntty = "none"'
    t = terminal(caller, launch(caller, spec, "/bin/sh", "-c", "(: < /dev/tty) 2>/dev/null && echo HAS || echo NONE"))
    t.expect("NONE\r\n")
    assert t.wait() == 0


def test_the_callers_terminal_where_the_spec_says_so(caller, terminal):
    t = terminal(caller, launch(caller, '[process]\ntty = "inherit"', "/usr/bin/stat", "-Lc", "%i:%d", "/dev/fd/0"))
    about = os.fstat(t.slave)
    t.expect(rf"{about.st_ino}:{about.st_dev}\r\n")
    assert t.wait() == 0


def test_an_inherited_terminal_is_the_controlling_one(caller, terminal):
    t = terminal(
        caller, launch(caller, '[process]\ntty = "inherit"', "/bin/sh", "-c", "echo ready; read x; echo got:$x")
    )
    t.expect("ready\r\n")
    t.send("line\r")
    t.expect("got:line\r\n")
    assert t.wait() == 0


def test_output_to_a_file_stays_a_file_with_a_terminal_on_input(caller, terminal):
    place = caller.open_directory()
    argv = launch(caller, None, "/bin/sh", "-c", "[ -t 0 ] && echo in; [ -t 1 ] || echo file")
    t = terminal(caller, ["/bin/sh", "-c", f'"$@" > {place}/out', "sh", *argv])
    assert t.wait() == 0
    assert (place / "out").read_text() == "in\nfile\n"


def test_the_launcher_killed_leaves_nobody_behind(caller, terminal):
    t = terminal(caller, launch(caller, None, "/bin/sh", "-c", "echo ready; exec sleep 1000"))
    t.expect("ready\r\n")
    t.process.kill()
    t.wait()
    assert linux.survivors(0.5) == {}


def test_a_terminal_that_hangs_up_ends_the_jail(caller):
    t = Terminal(caller, launch(caller, None, "/bin/sh", "-c", "echo ready; exec sleep 1000"))
    t.expect("ready\r\n")
    os.close(t.slave)
    os.close(t.master)
    try:
        t.process.wait(patient(5))
    except subprocess.TimeoutExpired:
        t.process.kill()
        t.process.wait()
        pytest.fail("the launcher outlived its terminal")
    assert linux.survivors(0.5) == {}


READERS = {
    "lines": (["cat"], "line\n", r"line\r\n.*line\r\n"),
    "keys": (["/bin/sh", "-c", "stty -icanon -echo; echo raw; cat"], "", r"raw\r\n"),
    "shell": (["/bin/sh"], "echo $((40 + 2))\n", r"42\r\n"),
}


@pytest.mark.parametrize("kind", READERS)
def test_who_reads_does_not_outlive_a_terminal_that_tells_nobody(caller, kind):
    """The kernel tells the leader of the session alone that a terminal has hung up: behind a shell with a trap nobody else is told."""
    command, typed, seen = READERS[kind]
    line = shlex.join(map(str, launch(caller, None, *command)))
    t = Terminal(caller, ["/bin/sh", "-c", f"trap : HUP; {line}; :"])
    t.send(typed)
    t.expect(re.compile(seen, re.DOTALL))
    os.close(t.slave)
    os.close(t.master)
    try:
        t.process.wait(patient(5))
    except subprocess.TimeoutExpired:
        os.killpg(t.process.pid, signal.SIGKILL)
        t.process.wait()
        pytest.fail("the jail outlived its terminal")
    finally:
        linux.started.discard(t.process.pid)
    assert linux.survivors(0.5) == {}
