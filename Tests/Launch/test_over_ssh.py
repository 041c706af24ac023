"""A jail as the forced command of a key and as what ssh(1) is asked to start: with it the line does what it does without."""

import os
import shutil
import socket
import time
from pathlib import Path

import pytest

from harness import linux
from harness.must import cannot
from harness.patience import patient, until
from harness.terminal import Terminal

JAIL = "{} run -- "


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Server:
    """dropbear(8) at a port of the run's own network, for keys of its own making."""

    def __init__(self, root, user):
        self.user, self.place, self.port = user, user.directory(), free_port()
        os.makedirs(f"{user.home}/.ssh", mode=0o700, exist_ok=True)
        user.own(f"{user.home}/.ssh")
        self.keys = user.file(f"{user.home}/.ssh/authorized_keys", "", 0o600)
        user.finish(user.popen(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.place / "key"])).ok
        host = root.directory() / "host"
        root.finish(root.popen(["dropbearkey", "-t", "ed25519", "-f", host])).ok
        line = ["dropbear", "-F", "-E", "-s", "-r", host, "-P", root.directory() / "pid", "-p", f"127.0.0.1:{self.port}"]
        self.process = root.popen(line)
        until(lambda: self.answers())

    def answers(self):
        assert self.process.poll() is None, self.process.stderr.read()
        with socket.socket() as asked:
            return asked.connect_ex(("127.0.0.1", self.port)) == 0

    def force(self, command):
        """The command that the key is good for, in a file, as servers differ in quoting; None for any."""
        public = (self.place / "key.pub").read_text()
        script = self.user.file(self.place / "forced", f"exec {command}\n", 0o755)
        self.user.file(self.keys, ("" if command is None else f'command="sh {script}" ') + public, 0o600)

    def client(self, *words):
        settings = ["UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "LogLevel=ERROR", "BatchMode=yes"]
        options = [word for setting in settings for word in ("-o", setting)]
        return ["ssh", "-F", "/dev/null", *options, "-i", self.place / "key", "-p", self.port, *words]

    def close(self):
        self.process.kill()
        print(self.process.communicate()[1].decode())
        self.keys.unlink()


@pytest.fixture
def server(root, user):
    for name in ("dropbear", "ssh", "ssh-keygen"):
        if not shutil.which(name, path="/usr/sbin:/usr/bin"):
            cannot(f"{name} is not installed")
    shells = Path("/etc/shells")
    if os.path.ismount("/etc") and "/bin/bash" not in (shells.read_text() if shells.exists() else ""):
        shells.write_text("/bin/sh\n/bin/bash\n")  # the run's own; dropbear lets in whose shell stands there
    server = Server(root, user)
    yield server
    server.close()
    assert linux.survivors(2) == {}


@pytest.fixture
def terminal(user):
    opened = []

    def start(argv):
        opened.append(Terminal(user, argv))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def shown(server, terminal, command, words, typed=()):
    """All that ssh shows, its status, and whether the terminal is as it was."""
    server.force(command)
    t = terminal(server.client(*words))
    for text in typed:
        t.expect("ready", 15)
        time.sleep(0.3)
        t.send(text)
    status = t.wait(20)
    assert t.settings == t.before
    return t.text, status


COMMANDS = {
    "size, terminal, status": ("{}sh -c 'stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo terminal; exit 5'", []),
    "what is typed": ("{}sh -c 'echo ready; read x; echo got:$x'", ["line\r"]),
    "many lines": ("{}seq 1 3000", []),
    "output and errors": ("{}sh -c 'echo out; sleep 0.1; echo err >&2'", []),
    "Ctrl-C": ("{}sh -c 'trap \"echo caught; exit 7\" INT; echo ready; while :; do sleep 0.1; done'", ["\x03"]),
    "Ctrl-D": ("{}sh -c 'echo ready; cat; echo end'", ["\x04"]),
}


@pytest.mark.parametrize("way", ["forced", "asked for"])
@pytest.mark.parametrize("name", COMMANDS)
def test_at_a_terminal(server, terminal, user, name, way):
    command, typed = COMMANDS[name]
    found = []
    for jail in ("", JAIL.format(user.binary)):
        line = command.replace("{}", jail)
        words = ["-tt", "127.0.0.1"] if way == "forced" else ["-tt", "127.0.0.1", line]
        found.append(shown(server, terminal, line if way == "forced" else None, ["-l", user.login, *words], typed))
    assert found[1] == found[0] and found[0][1] != 255, found


def test_a_shell_with_job_control(server, terminal, user):
    server.force(f"{user.binary} run -- env PS1='IN> ' bash --norc -i")
    t = terminal(server.client("-tt", "-l", user.login, "127.0.0.1"))
    t.expect("IN> $", 15)
    t.send("sleep 30\r")
    t.runs("sleep 30")
    t.send("\x1a")
    t.expect("topped")
    t.expect("IN> $")
    t.resize(41, 97)
    # The word of it comes after the keys at times.
    t.send("kill %1; until stty size | grep '^41 97'; do sleep 0.1; done\r")
    t.expect("[\r\n]41 97")
    t.send("exit 3\r")
    assert t.wait(20) == 3 and t.settings == t.before


def test_without_a_terminal(server, user):
    """What goes in and comes out by pipes, as for rsync and git: bytes, each stream by itself, and the end of the input."""
    found = []
    data = bytes(range(256)) * 2000
    for jail in ("", JAIL.format(user.binary)):
        server.force(f"{jail}sh -c 'cat; echo err >&2; exit 6'")
        process = user.popen(server.client("-T", "-l", user.login, "127.0.0.1"), stdin=-1)
        out, err = process.communicate(data, timeout=patient(20))
        found.append((out, err, process.returncode))
    assert found[1] == found[0] == (data, b"err\n", 6)


def test_a_connection_that_ends_takes_the_jail_along(server, terminal, user):
    server.force(f"{user.binary} run -- sh -c 'echo ready; exec sleep 1000'")
    t = terminal(server.client("-tt", "-l", user.login, "127.0.0.1"))
    t.expect("ready", 15)
    t.process.kill()
    t.wait(20)


def test_the_words_that_were_asked_for_reach_the_command(server, user):
    spec = user.spec('[environment]\nkeep = ["SSH_ORIGINAL_COMMAND"]\n')
    server.force(f"{user.binary} run {spec} -- sh -c 'echo \"$SSH_ORIGINAL_COMMAND\"; env | grep -c ^SSH'")
    run = user.finish(user.popen(server.client("-T", "-l", user.login, "127.0.0.1", "git-upload-pack 'x y'")), 20)
    assert run.ok.stdout == "git-upload-pack 'x y'\n1\n"
