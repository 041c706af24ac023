"""A terminal as a person has it: a pty whose slave is the controlling terminal of what is started in it."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from . import linux
from .patience import patient, until


class Terminal:
    """Starts one program in a fresh session on a fresh pty; the slave stays open here, so that its settings can be asked."""

    def __init__(self, caller, argv, env=None, rows=30, columns=100, cwd=None):
        self.master, self.slave = os.openpty()
        if os.getuid() == 0:
            os.fchown(self.slave, caller.uid, caller.gid)
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.text = ""
        slave = self.slave

        def control():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [str(word) for word in argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd or caller.base,
            env=caller.environment({"TERM": "xterm", **(env or {})}),
            preexec_fn=control,
            **caller.account(),
        )
        linux.started.add(self.process.pid)

    def resize(self, rows, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, timeout=0.1):
        """What came within `timeout`, at most one read."""
        if select.select([self.master], [], [], timeout)[0]:
            try:
                self.text += os.read(self.master, 65536).decode(errors="replace")
            except OSError:
                pass

    def expect(self, pattern, timeout=5):
        """Reads on until `pattern` has come, and takes the text up to it away."""
        deadline = time.monotonic() + patient(timeout)
        while True:
            match = re.search(pattern, self.text)
            if match:
                self.text = self.text[match.end() :]
                return match
            if time.monotonic() > deadline:
                pytest.fail(f"no {pattern!r} within {patient(timeout):.0f} s; the terminal shows {self.text!r}")
            ended = self.process.poll() is not None
            before = len(self.text)
            self.read()
            if ended and len(self.text) == before:
                pytest.fail(f"no {pattern!r}: ended with {self.process.returncode}; the terminal shows {self.text!r}")

    def is_read_as_lines(self):
        """Whether a line that is typed now reaches who reads lines: a shell at its prompt takes keys, and what comes by then has another end."""
        return bool(self.settings[3] & termios.ICANON) or not self.settings[3] & termios.ISIG

    def runs(self, line):
        """Waits until a process has this command line, which it has once it is of the job in the foreground."""
        until(lambda: any(line == each for _, each in linux.descendants().values()))

    def send(self, text):
        os.write(self.master, text.encode())

    def wait(self, timeout=5):
        """The status of the program; what it still writes is read meanwhile, or it would block."""
        deadline = time.monotonic() + patient(timeout)
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.process.kill()
                pytest.fail(f"no end within {patient(timeout):.0f} s; the terminal shows {self.text!r}")
            self.read(0.02)
        self.drain()
        return self.process.returncode

    def drain(self):
        """Reads what is on its way: the kernel hands on what was written to the slave later, 4 KiB at a time."""
        while True:
            before = len(self.text)
            self.read(0.1)
            if len(self.text) == before:
                return

    @property
    def settings(self):
        return termios.tcgetattr(self.slave)

    def close(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)
