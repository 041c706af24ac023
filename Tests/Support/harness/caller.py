"""Who starts the binary: root or an ordinary user, with a directory of their own and a clean environment."""

import itertools
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import linux
from .facts import SOURCE, Facts, status
from .patience import patient

PYTHON = ("/usr/bin/python3", "-I", "-S", "-c")
GUARD = """
import os, sys
if os.path.exists("/proc/self") and os.readlink("/proc/self/ns/mnt") == {link!r}: sys.exit("this probe is not jailed")
"""


@dataclass
class Run:
    """How one launch ended."""

    status: int
    stdout: str
    stderr: str
    argv: list
    spec: Path = None

    @property
    def ok(self):
        """This run, which must have ended with 0 and said nothing."""
        assert self.status == 0, self
        return self

    def __str__(self):
        text = f"status {self.status} of {self.argv}\nstdout: {self.stdout}\nstderr: {self.stderr}"
        return text + (
            f"\nspec:\n{self.spec.read_text(errors='replace')[:2000]}" if self.spec and self.spec.is_file() else ""
        )

    __repr__ = __str__


class Caller:
    """Runs the binary as one account."""

    def __init__(self, name, account, binary, base):
        self.name, self.binary, self.base = name, str(binary), Path(base)
        self.uid, self.gid, self.login, self.home = account.pw_uid, account.pw_gid, account.pw_name, account.pw_dir
        #: Put in front of every command line: a shim, strace.
        self.wrapper = ()
        self._numbers = itertools.count()

    def __repr__(self):
        return self.name

    @property
    def is_root(self):
        return self.uid == 0

    @property
    def inside_uid(self):
        """The uid of a command where the spec names none: the host's uid 0 is never used unless the spec says so."""
        return 65534 if self.is_root else self.uid

    @property
    def inside_gid(self):
        return 65534 if self.is_root else self.gid

    # Files of this caller

    def own(self, path):
        if os.getuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        return path

    def directory(self, mode=0o755):
        """A fresh directory that belongs to the caller."""
        path = self.base / f"{next(self._numbers)}"
        path.mkdir()
        path.chmod(mode)
        return self.own(path)

    def open_directory(self):
        """A directory that the command, too, may write to."""
        path = self.directory()
        path.chmod(0o777)
        return path

    def file(self, path, text="", mode=0o644):
        """A file that belongs to the caller."""
        path = Path(path)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return self.own(path)

    def spec(self, text, name="spec.toml"):
        """A spec file in a directory of its own."""
        return self.file(self.directory() / name, text)

    def shared_pids(self, more=""):
        """The lines of a jail that shares the host's pids: there only the host's root may mount a proc, pid_namespaces(7)."""
        return '[namespaces]\npid = "host"\n' + more + ("" if self.is_root else "[filesystem]\nproc = false\n")

    # Starting the binary

    def environment(self, env=None):
        plain = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": self.home,
            "USER": self.login,
            "LOGNAME": self.login,
        }
        return {name: value for name, value in {**plain, **(env or {})}.items() if value is not None}

    def account(self):
        """What subprocess needs to become this caller."""
        if os.getuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": [] if self.is_root else [self.gid]}

    def line(self, spec, command, options=()):
        """The argument vector of a launch, and the spec's path."""
        path = None if spec is None else spec if isinstance(spec, Path) else self.spec(spec)
        words = [self.binary, "run", *([str(path)] if path else []), *options]
        return [*self.wrapper, *words, *(["--", *map(str, command)] if command else [])], path

    def popen(self, argv, env=None, **more):
        """Starts a process as this caller, in a process group of its own as a shell does."""
        settings = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "cwd": self.base,
            "env": self.environment(env),
            "process_group": 0,
            **self.account(),
            **more,
        }
        process = subprocess.Popen([str(word) for word in argv], **settings)
        linux.started.add(process.pid)
        return process

    def start(self, spec=None, *command, options=(), **more):
        """Starts a launch and returns its process."""
        return self.popen(self.line(spec, command, options)[0], **more)

    def finish(self, process, timeout=10, stdin=None, spec=None):
        """The end of a process; one that outlives `timeout` fails the test."""
        try:
            out, err = process.communicate(input=stdin, timeout=patient(timeout))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            out, err = process.communicate()
            pytest.fail(f"no end within {patient(timeout):.0f} s: {process.args}\nstdout: {out[-2000:]!r}\nstderr: {err[-2000:]!r}")
        out, err = out or b"", err or b""
        return Run(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"), process.args, spec)

    def run(self, spec=None, *command, options=(), stdin=None, timeout=10, **more):
        """Launches and waits. `spec` is the text of a spec, the path of one, or None for none."""
        argv, path = self.line(spec, command, options)
        if isinstance(stdin, (str, bytes)):
            text, more["stdin"] = stdin.encode() if isinstance(stdin, str) else stdin, subprocess.PIPE
        else:
            text = None
            if stdin is not None:
                more["stdin"] = stdin
        return self.finish(self.popen(argv, **more), timeout, text, path)

    def verb(self, *words, timeout=10, **more):
        """`immure WORDS…`."""
        return self.finish(self.popen([*self.wrapper, self.binary, *words], **more), timeout)

    # Asking from inside

    def facts(self, spec=None, **more):
        """What the kernel says of a command in this jail."""
        return Facts(self.run(spec, *PYTHON, SOURCE, **more).ok.stdout)

    def status(self, spec=None, **more):
        """/proc/self/status, read by a program that changes none of it."""
        return status(self.run(spec, "/bin/cat", "/proc/self/status", **more).ok.stdout)

    def shell(self, spec, script, **more):
        return self.run(spec, "/bin/sh", "-c", script, **more)

    def python(self, spec, code, *arguments, **more):
        """Runs Python code inside; a JSON line on its standard output is the answer."""
        link = os.readlink("/proc/self/ns/mnt")
        run = self.run(spec, *PYTHON, GUARD.format(link=link) + code, *arguments, **more).ok
        return json.loads(run.stdout) if run.stdout else None
