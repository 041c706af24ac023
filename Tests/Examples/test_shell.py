"""shell.toml: an interactive shell on a terminal of its own."""

import fcntl
import os
import pty
import select
import termios
import time

from harness import linux
from harness.patience import patient, until
from inside import closed, look


class Typist:
    """A person at a terminal: types, and waits for what appears."""

    def __init__(self, caller, *argv, cwd):
        self.terminal, side = pty.openpty()
        self.name = os.ttyname(side)
        # The caller's own terminal; root makes it, so its owner must be the one who starts the jail.
        if os.getuid() == 0:
            os.chown(self.name, caller.account.pw_uid, -1)
        self.process = caller.start(
            *argv, cwd=cwd, stdin=side, stdout=side, stderr=side, start_new_session=True,
            # dumb: readline prints no control sequences between the lines.
            env={"TERM": "dumb"}, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(side)
        self.seen = ""

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait(self, text, seconds=10):
        end = time.monotonic() + patient(seconds)
        while text not in self.seen:
            left = end - time.monotonic()
            ready, _, _ = select.select([self.terminal], [], [], max(left, 0))
            try:
                chunk = os.read(self.terminal, 4096).decode(errors="replace") if ready else ""
            except OSError:
                chunk = ""
            assert chunk, f"did not appear: {text!r}; on the terminal: {self.seen!r}"
            self.seen += chunk
        before, self.seen = self.seen.split(text, 1)
        return before

    def runs(self, line):
        """Waits until that command runs."""
        until(lambda: any(line == each for _, each in linux.descendants(self.process.pid).values()))

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


def test_a_session(caller, work):
    caller.file(work / "note.txt", "a note\n")
    typist = Typist(caller, "immure", "run", caller.spec("shell.toml"), cwd=work)
    try:
        typist.wait("jail:/here$ ")
        typist.type("cat note.txt\r")
        typist.wait("\r\na note\r\n")
        typist.wait("jail:/here$ ")
        # A terminal of the jail's own, in a devpts of its own: another device than the typist's.
        typist.type("echo =$(stat -c %d $(tty))=\r")
        typist.wait("\r\n=")
        assert int(typist.wait("=\r\n")) != os.stat(typist.name).st_dev
        typist.type("sleep 60 & jobs; kill %1; echo x > /here/new; echo y > /tmp/new && cat /tmp/new\r")
        assert "Read-only file system" in typist.wait("\r\ny\r\n")
        typist.type("exit 7\r")
        assert typist.process.wait(timeout=patient(10)) == 7
    finally:
        typist.close()
    assert os.listdir(work) == ["note.txt"] and not os.path.exists("/tmp/new")


def test_interrupt_is_the_jails(caller, work):
    """Ctrl-C ends what runs in the jail, not the jail."""
    typist = Typist(caller, "immure", "run", caller.spec("shell.toml"), cwd=work)
    try:
        typist.wait("jail:/here$ ")
        typist.type("sleep 60\r")
        typist.runs("sleep 60")
        typist.type("\x03")
        typist.wait("jail:/here$ ")
        typist.type("echo status=$?\r")
        typist.wait("\r\nstatus=130\r\n")
        typist.type("exit\r")
        assert typist.process.wait(timeout=patient(10)) == 0
    finally:
        typist.close()


def test_closed(caller, work):
    facts = look(caller, "shell.toml", work)
    closed(facts, caller)
