"""Keys of a jail that is behind a pipe at a terminal: it has them while it asks for them at /dev/tty, and nobody else does (B04)."""

import shutil
import termios
import time

import pytest

from harness.patience import until
from test_as_if_not_there import JAILS, leave, shell, shown, terminal  # noqa: F401

NO_LESS = pytest.mark.skipif(not shutil.which("less"), reason="no less")


def echoes(t):
    return bool(t.settings[3] & termios.ECHO)


@NO_LESS
@pytest.mark.parametrize("line", ["seq 1 1000 | $I run -- less", "seq 1 1000 >$F; $I run -- less <$F", "seq 1 1000 | $I run -- less 2>/dev/null"])
def test_a_pager_behind_a_pipe(caller, terminal, line):
    file = caller.open_directory() / "numbers"
    t = terminal(["/bin/sh", "-c", line.replace("$F", str(file))])
    t.expect("\n20\r?\n")
    t.send("G")
    t.expect("\n1000\r?\n")
    t.send("q")
    assert t.wait() == 0 and t.settings == t.before


@NO_LESS
def test_a_pager_stops_with_all_of_its_pipeline(terminal):
    t = shell(terminal)
    t.send("yes | $I run -- less\r")
    t.expect("y\r\ny\r\n")
    t.expect("\n:")
    time.sleep(0.5)  # less forgets a stop that comes while it reads on
    t.send("\x1a")
    t.expect("Stopped")
    t.expect("READY> $")
    t.send("echo still-$((40+2))\r")
    t.expect("still-42\r\n")
    t.expect("READY> $")
    t.send("fg\r")
    t.expect("y\r\ny\r\n")
    until(lambda: not echoes(t))
    t.send("q")
    t.expect("READY> $")
    leave(t)


@pytest.mark.skipif(not shutil.which("vim"), reason="no vim")
def test_an_editor_behind_a_pipe(caller, terminal):
    place = caller.open_directory()
    spec = caller.spec(f'[filesystem]\nrw = ["{place}:/out"]')
    t = terminal(["/bin/sh", "-c", f"printf 'one\\ntwo\\n' | $I run {spec} -- vim -n -u NONE -"])
    t.expect("two")
    until(lambda: not echoes(t))
    t.send("dd:w! /out/f\r")
    until((place / "f").exists)
    t.send(":q!\r")
    assert t.wait() == 0 and (place / "f").read_text() == "two\n" and t.settings == t.before


ASKS = {
    "a password": "echo a | {}bash -c 'read -s -p ready: x </dev/tty; echo; echo got:$x; cat'",
    "a password, errors to a file": "echo a | {}bash -c 'exec 2>/dev/null; echo ready:; read -s x </dev/tty; echo got:$x; cat'",
    "a password by Python": "echo a | {}python3 -c 'import getpass; print(\"got:\" + getpass.getpass(\"ready:\"))'",
    "a line": "echo a | {}bash -c 'read -p ready: x </dev/tty; echo got:$x; cat'",
    "two lines": "echo a | {}bash -c 'read -p ready: x </dev/tty; echo got:$x; read -p ready: y </dev/tty; echo and:$y; cat'",
    "a password and a line": "echo a | {}bash -c 'read -s -p ready: x </dev/tty; read -p ready: y </dev/tty; echo got:$x:$y; cat'",
    "a line with a tab": "echo a | {}bash -c 'read -p ready: x </dev/tty; echo \"got:$x\"; cat'",
    "an end of input": "echo a | {}sh -c 'echo ready: >&2; cat </dev/tty; echo over'",
    "in front of a pipe": "{}bash -c 'read -s -p ready: x </dev/tty; echo got:$x' </dev/null | cat",
}
#: What is typed, each after what it waits for.
TYPED = {
    "two lines": [("ready:", "one\r"), ("ready:", "two\r")],
    "a password and a line": [("ready:", "one\r"), ("ready:", "two\r")],
    "a line with a tab": [("ready:", "a\tb\r")],
    "an end of input": [("ready:", "x\r"), ("x\r\nx\r\n", "\x04")],
}


@pytest.mark.parametrize("name", ASKS)
def test_what_is_asked_for_behind_a_pipe(terminal, name):
    """Shown as without a jail: a password not at all, a line once."""

    def asked(jail):
        t = terminal(["/bin/sh", "-c", ASKS[name].replace("{}", jail)])
        text, secret = "", "password" in name or name == "in front of a pipe"
        for wanted, keys in TYPED.get(name, [("ready:", "secret\r")]):
            match = t.expect(wanted)
            text += match.string[: match.end()]
            until(lambda: echoes(t) != secret)
            t.send(keys)
            secret = False
        status = t.wait()
        assert t.settings == t.before
        return text + t.text, status

    wanted, found = asked(""), asked(JAILS["jail"])
    assert found == wanted and wanted[1] == 0
    assert ("secret" in wanted[0].split("got:")[0]) == (name == "a line")


def test_what_is_typed_later_is_the_others(caller, terminal):
    """Who reads a line in front of the jail gets it, though the jail has asked for something before."""
    for _ in range(5):
        go = caller.directory() / "go"
        line = f"bash -c 'until test -e {go}; do sleep 0.1; done; echo reads >/dev/tty; read x </dev/tty; echo line:$x' | "
        line += "$I run -- bash -c 'read -s -p ready: x </dev/tty; echo got:$x; cat'"
        t = terminal(["/bin/sh", "-c", line])
        t.expect("ready:")
        until(lambda: not echoes(t))
        t.send("secret\r")
        t.expect("got:secret\r\n")
        until(lambda: echoes(t))
        go.touch()
        t.expect("reads\r\n")
        time.sleep(0.2)
        t.send("theirs\r")
        t.expect("line:theirs\r\n")
        assert t.wait() == 0 and t.settings == t.before


def test_a_password_that_another_asks_for_is_not_the_jails(terminal):
    for _ in range(3):
        line = (
            "bash -c 'read -s -p ready: x </dev/tty; echo pw=$x; sleep 1'"
            " | $I run -- bash -c 'sleep 0.3; read -s -t 4 y </dev/tty; echo stolen=$y; cat'")
        t = terminal(["/bin/sh", "-c", line])
        t.expect("ready:")
        until(lambda: not echoes(t))
        time.sleep(0.8)
        t.send("secret\r")
        t.expect("stolen=\r\n")
        t.expect("pw=secret\r\n")
        assert t.wait() == 0 and t.settings == t.before


def test_a_job_of_the_background_that_asks_is_stopped(terminal):
    t = shell(terminal)
    t.send("$I run -- bash -c 'read -s x </dev/tty; echo got:$x' </dev/null &\r")
    t.expect("READY> $")
    until(lambda: (t.send("jobs\r"), time.sleep(0.2), t.read(0.2), "Stopped" in t.text)[-1])
    t.expect("READY> $")
    t.send("fg\r")
    until(lambda: not echoes(t))
    t.send("line\r")
    t.expect("got:line\r\n")
    t.expect("READY> $")
    leave(t)


def test_ctrl_c_before_anything_is_asked_ends_the_pipeline(terminal):
    t = shell(terminal)
    t.send("sleep 60 | $I run -- sh -c 'echo be''gun; cat'\r")
    t.expect("begun\r\n")
    t.send("\x03")
    t.expect("READY> $")
    leave(t)


def test_without_a_terminal_nobody_is_asked(terminal):
    t = terminal(["/bin/sh", "-c", "echo a | $I run --set 'process.tty=\"none\"' -- sh -c '(: </dev/tty) 2>/dev/null || echo none; cat'"])
    t.expect("none\r\na\r\n")
    assert t.wait() == 0
