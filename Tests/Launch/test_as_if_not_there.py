"""At a terminal a line with a jail in it does what the same line does without, and with timeout(1) (A09, B02, B03, B04, B10)."""

import os
import re
import shutil
import signal
import time

import pytest

from harness import linux
from harness.patience import patient, until
from harness.terminal import Terminal


@pytest.fixture
def terminal(caller):
    opened = []

    def start(argv, **more):
        opened.append(Terminal(caller, argv, env={"I": caller.binary, "PS1": "PROMPT> "}, **more))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
    assert linux.survivors(0.5) == {}


JAILS = {"without": "", "timeout": "timeout 100 ", "jail": "$I run -- "}


def shell(terminal):
    t = terminal(["/bin/bash", "--norc", "--noprofile", "-i"])
    t.expect("PROMPT> ")
    t.send("bind 'set enable-bracketed-paste off'; PS1='READY> '\r")
    t.expect("READY> $")
    return t


def leave(t):
    t.send("exit\r")
    t.wait()


def shown(terminal, line, typed=()):
    """All that a terminal shows of a line of sh, and how it ends: the bytes, the status, the settings."""
    t = terminal(["/bin/sh", "-c", line])
    for text in typed:
        t.expect("ready")
        time.sleep(0.2)
        t.send(text)
    status = t.wait(10)
    assert t.settings == t.before
    return t.text, status


LINES = {
    "into cat": "{}sh -c 'echo a; sleep 0.1; echo b; sleep 1; echo c >&2' | cat",
    "into tee": "{}sh -c 'echo a; sleep 0.1; echo b' 2>&1 | tee /dev/null; echo c",
    "from echo": "echo x | {}cat; echo y",
    "without input": "{}sh -c 'echo out; sleep 0.1; echo err >&2' </dev/null",
    "to a file": "{}sh -c 'echo out; echo err >&2' >/dev/null",
    "errors to a pipe": "{{ {}sh -c 'echo err >&2; sleep 0.1; echo more >&2' </dev/null; }} 2>&1 | cat",
    "line ends": "{}printf 'a\\r\\nb\\tc\\n\\rd\\r'",
    "many lines": "{}seq 1 3000",
    "what is a terminal, in front of a pipe": "{}sh -c 'for i in 0 1 2; do [ -t $i ] && echo $i; done' | cat",
    "what is a terminal, behind a pipe": "echo | {}sh -c 'for i in 0 1 2; do [ -t $i ] && echo $i; done'",
    "what is a terminal": "{}sh -c 'for i in 0 1 2; do [ -t $i ] && echo $i; done'",
    "settings": "{}stty -a | grep -v speed",
    "two in a pipeline": "{}echo a | {}cat",
    "status": "{}sh -c 'exit 7'; echo $?",
}


@pytest.mark.parametrize("name", LINES)
def test_b04_a_terminal_shows_the_same(terminal, name):
    # Where two write to the terminal at their own pace, either may be late.
    for _ in range(5 if name == "into cat" else 1):
        wanted = shown(terminal, LINES[name].replace("{}", "").replace("{{", "{").replace("}}", "}"))
        found = shown(terminal, LINES[name].replace("{}", JAILS["jail"]).replace("{{", "{").replace("}}", "}"))
        if found == wanted:
            break
    assert found == wanted


def test_no_line_end_is_doubled(terminal):
    """What the jail's terminal passes on in pieces may end between the two bytes of a line end."""
    found, status = shown(terminal, JAILS["jail"] + "seq 1 40000")
    assert status == 0 and found == "".join(f"{number}\r\n" for number in range(1, 40001))


@pytest.mark.parametrize("rest", ["", " | cat", " 2>/dev/null", " >/dev/null"])
def test_b04_what_is_typed_is_read_by_who_asks(terminal, rest):
    line = "{}sh -c 'echo ready >&2; read x; echo got:$x >&2'" if "2>" not in rest else "{}sh -c 'echo ready; read x; echo got:$x'"
    wanted = shown(terminal, line.format("") + rest, ["line\r"])
    assert "got:line" in wanted[0]
    assert shown(terminal, line.format(JAILS["jail"]) + rest, ["line\r"]) == wanted


def test_b04_a_poll_wakes_by_what_is_typed(terminal):
    """Who waits for input otherwise than by reading it."""
    code = "import select,sys,os; print('ready',flush=True); select.select([0],[],[]); print('got:'+sys.stdin.readline())"
    text, status = shown(terminal, f'$I run -- /usr/bin/python3 -c "{code}"', ["line\r"])
    assert status == 0 and "got:line" in text and text.count("line\r\n") == 2, text


@pytest.mark.parametrize("jail", JAILS)
@pytest.mark.parametrize("rest", ["", " | cat", " </dev/null"])
def test_b04_what_is_typed_ahead_is_the_shells(terminal, jail, rest):
    t = shell(terminal)
    t.send(f"{JAILS[jail]}sh -c 'echo be''gun; exec sleep 1'{rest}\r")
    if rest != " | cat":
        t.expect("begun\r\n")
    else:
        time.sleep(0.5)
    t.send("echo ahead-$((1+1))\r")
    t.expect("ahead-2\r\n")
    leave(t)


LOOPS = {
    "interactive for": "for i in 1 2 3; do echo turn-$((i)); {}sleep 1000; done; echo en''d",
    "for": "bash -c 'for i in 1 2 3; do echo turn-$((i)); {}sleep 1000; done; echo end'",
    "find": "find /etc/passwd /etc/group /etc/hosts -exec echo turn-1 \\; -exec {}sleep 1000 \\; ; echo back",
    "make": "make -k -f $M 2>/dev/null; echo back",
    "reading": "for i in 1 2 3; do echo turn-$((i)); {}sh -c 'read x'; done; echo en''d",
    "reading in a script": "bash -c 'for i in 1 2 3; do echo turn-$((i)); {}sh -c \"read x\"; done; echo end'",
}


@pytest.mark.parametrize("jail", ["without", "jail"])
@pytest.mark.parametrize("name", LOOPS)
def test_b10_ctrl_c_ends_a_loop(caller, terminal, jail, name):
    if name == "make" and not shutil.which("make"):
        pytest.skip("no make")
    makefile = caller.file(
        caller.directory() / "Makefile",
        f"all: a b c\na b c:\n\t@echo turn-1; {JAILS[jail].replace('$I', caller.binary)}sleep 1000\n",
    )
    t = shell(terminal)
    t.send(f"M={makefile}\r")
    t.expect("READY> $")
    t.send(LOOPS[name].replace("{}", JAILS[jail]) + "\r")
    t.expect("turn-1\r\n")
    if "reading" not in name:
        t.runs("sleep 1000")
    time.sleep(0.4)
    t.send("\x03")
    t.expect("READY> $")
    assert "turn-" not in t.text and "end" not in t.text
    t.send("echo alive-$((1+1))\r")
    t.expect("alive-2\r\n")
    leave(t)


def test_b10_a_shell_shows_130(terminal):
    t = shell(terminal)
    t.send("$I run -- sleep 1000\r")
    t.runs("sleep 1000")
    t.send("\x03")
    t.expect("READY> $")
    t.send("echo status=$?\r")
    t.expect("status=130\r\n")
    leave(t)


def test_b10_a_command_that_ends_itself_is_not_the_terminals(caller):
    run = caller.shell(None, "kill -INT $$")
    assert run.status == 130, run


def test_b10_ctrl_c_goes_to_all_of_the_command(terminal):
    """Without a terminal of the jail's own it is the launcher that is sent it."""
    t = terminal(["/bin/sh", "-c", "$I run -- sh -c 'echo ready >&2; sleep 50; echo after' </dev/null; echo $?"])
    t.expect("ready")
    time.sleep(0.2)
    t.send("\x03")
    assert t.wait() in (-signal.SIGINT, 130, 0) and "after" not in t.text


# Others at the same terminal


@pytest.mark.skipif(not shutil.which("less"), reason="no less")
def test_b02_a_pager_gets_its_keys(terminal):
    for _ in range(50):
        t = terminal(["/bin/sh", "-c", "$I run -- sh -c 'seq 1 200; sleep 0.1; seq 201 400' | less"])
        t.expect("\n20\r?\n")
        t.send(" ")
        t.expect("\n50\r?\n")
        t.send("q")
        t.wait()
        assert t.settings == t.before
        t.close = lambda: None
        os.close(t.master)
        os.close(t.slave)


def test_b03_two_launches_on_one_terminal(terminal):
    """Both want keys, and they end in either order."""
    for first, second in [(0.1, 0.3), (0.3, 0.1)] * 25:
        ask = "stty raw -echo; sleep {}; stty sane"
        line = f"$I run -- sh -c '{ask.format(first)}' </dev/tty & $I run -- sh -c '{ask.format(second)}'; wait"
        t = terminal(["/bin/sh", "-c", line])
        t.wait()
        assert t.settings == t.before
        t.close = lambda: None
        os.close(t.master)
        os.close(t.slave)


# What the jail can do with what it is given

READER = """
import os, select, sys, termios
for number in (0, 1, 2):
    try:
        if not os.isatty(number): continue
        got = []
        if select.select([number], [], [], 1.0)[0]: got = os.read(number, 100)
        print(f"read{number}={bool(got)}", file=sys.stderr)
    except OSError as error: print(f"read{number}={error.errno}", file=sys.stderr)
try: os.open("/dev/tty", os.O_RDWR); print("tty=yes", file=sys.stderr)
except OSError as error: print("tty=no", file=sys.stderr)
mode = termios.tcgetattr(2)
mode[3] &= ~termios.ECHO
try: termios.tcsetattr(2, termios.TCSANOW, mode)
except termios.error: pass
print("over", file=sys.stderr, flush=True)
"""


@pytest.mark.parametrize("rest", [" </dev/null", " </dev/null &", " </dev/null | cat"])
def test_a09_keys_that_are_not_asked_for_are_not_the_jails(caller, terminal, rest):
    """Who sets a mode there in the background is stopped by that, as without a jail."""
    probe = caller.file(caller.directory() / "probe.py", READER)
    spec = caller.spec(f'[filesystem]\nro = ["{probe}:/opt/probe.py"]')
    t = shell(terminal)
    t.send(f"$I run {spec} -- /usr/bin/python3 /opt/probe.py{rest}\r")
    time.sleep(0.5)
    t.send("secret\r")
    if rest.endswith("&"):
        until(lambda: (t.send("jobs\r"), time.sleep(0.2), t.read(0.2), "Stopped" in t.text)[-1])
        t.send("fg\r")
    seen = t.expect("over\r\n").string
    assert "=True" not in seen and "tty=yes" in seen
    t.expect("READY> $")
    t.send("echo echoed-$((1+1))\r")
    t.expect(r"echo echoed-\$\(\(1\+1\)\)\r\n")
    t.expect("echoed-2\r\n")
    leave(t)


@pytest.mark.parametrize("spec", [None, '[process]\ntty = "none"'])
@pytest.mark.parametrize("rest", ["", " | cat", " </dev/null", " >/dev/null"])
def test_a09_no_descriptor_is_the_callers_terminal(caller, terminal, spec, rest):
    argv = " ".join(map(str, caller.line(spec, ("/bin/sh", "-c", "'stat -Lc tty:%D:%i:%t /proc/self/fd/[012] >&2'"))[0]))
    t = terminal(["/bin/sh", "-c", argv + rest])
    assert t.wait() == 0
    about = os.fstat(t.slave)
    assert t.text.count("tty:") == 3 and f"tty:{about.st_dev:x}:{about.st_ino}:" not in t.text, t.text


def test_tty_none_shows_what_is_written(caller, terminal):
    argv = " ".join(map(str, caller.line('[process]\ntty = "none"', ("/bin/sh", "-c", "'cat; echo out; echo err >&2; [ -t 1 ] || echo pipe'"))[0]))
    assert shown(terminal, argv) == ("out\r\nerr\r\npipe\r\n", 0)


# Job control


@pytest.mark.parametrize("jail", ["without", "jail"])
def test_a_job_of_the_background_that_reads_is_stopped(terminal, jail):
    t = shell(terminal)
    t.send(f"{JAILS[jail]}sh -c 'read x; echo got:$x; exit 9' &\r")
    t.expect("READY> $")
    until(lambda: (t.send("jobs\r"), time.sleep(0.2), t.read(0.2), "Stopped" in t.text)[-1])
    t.expect("READY> $")
    t.send("fg\r")
    until(t.is_read_as_lines)
    t.send("line\r")
    t.expect("got:line\r\n")
    t.expect("READY> $")
    t.send("echo status=$?\r")
    t.expect("status=9\r\n")
    leave(t)


@pytest.mark.parametrize("jail", ["without", "jail"])
def test_ctrl_z_before_anything_is_read(terminal, jail):
    t = shell(terminal)
    t.send(f"{JAILS[jail]}sh -c 'echo be''gun; sleep 1; read x; echo got:$x'\r")
    t.expect("begun\r\n")
    time.sleep(0.3)
    t.send("\x1a")
    t.expect("Stopped")
    t.expect("READY> $")
    t.send("fg\r")
    until(t.is_read_as_lines)
    t.send("line\r")
    t.expect("got:line\r\n")
    t.expect("READY> $")
    leave(t)


# Other terminals


@pytest.mark.skipif(not shutil.which("script"), reason="no script")
def test_in_script(caller, terminal):
    t = terminal(["/usr/bin/script", "-qec", "$I run -- sh -c 'echo ready; read x; echo got:$x; exit 5'", "/dev/null"])
    t.expect("ready\r\n")
    t.send("line\r")
    t.expect("got:line\r\n")
    assert t.wait() == 5 and t.settings == t.before


@pytest.mark.skipif(not shutil.which("script"), reason="no script")
def test_script_in_a_jail(caller, terminal):
    t = terminal(["/bin/sh", "-c", "$I run -- script -qec \"sh -c 'echo ready; read x; echo got:\\$x'\" /dev/null"])
    t.expect("ready\r\n")
    t.send("line\r")
    t.expect("got:line\r\n")
    assert t.wait() == 0 and t.settings == t.before


@pytest.mark.parametrize("command", ["bash --norc -i", "dash -i"])
def test_a_shell_in_a_jail_has_job_control(terminal, command):
    t = terminal(["/bin/sh", "-c", f"$I run -- env PS1='IN> ' {command}"])
    t.expect("IN> $")
    t.send("sleep 30\r")
    t.runs("sleep 30")
    t.send("\x1a")
    t.expect("topped")
    t.expect("IN> $")
    t.send("kill %1; fg\r")
    t.expect("IN> $")
    t.send("exit 3\r")
    assert t.wait() == 3 and t.settings == t.before


@pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux")
def test_in_tmux(caller, terminal):
    socket = caller.directory() / "tmux"
    t = terminal(["/usr/bin/tmux", "-S", str(socket), "-f", "/dev/null", "new-session", "$I run -- sh -c 'echo ready; read x; echo got:$x; sleep 1'"])
    t.expect("ready")
    t.send("line\r")
    t.expect("got:line")
    assert t.wait(10) == 0
