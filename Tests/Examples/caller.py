"""Who starts immure in a test: root, or an ordinary user, each with a home and an environment of their own."""

import os
import subprocess
import tempfile
from pathlib import Path

from harness.patience import patient

NOBODY = 65534


class Caller:
    def __init__(self, name, account, base):
        self.name, self.account, self.base = name, account, base
        self.place = base / name
        self.home = self.place / "home"
        if not self.place.exists():
            self.directory(self.place)
            self.directory(self.home)
            self.file(self.home / "secret", "do not read\n").chmod(0o600)

    @property
    def inside(self):
        """The id that the jail's files must belong to: where uid 0 starts a jail, the command is nobody."""
        return NOBODY if self.account.pw_uid == 0 else self.account.pw_uid

    def directory(self, path):
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)
        return self.own(path)

    def file(self, path, text, mode=0o644):
        path.write_text(text)
        path.chmod(mode)
        return self.own(path)

    def own(self, path):
        if os.getuid() == 0:
            os.chown(path, self.inside, self.inside)
        return path

    def workplace(self):
        """A new directory that the caller's jails may be given."""
        return self.directory(Path(tempfile.mkdtemp(dir=self.place)))

    def own_workplace(self):
        """The same where the caller keeps something that root takes from nobody else: as root it is root's, and the command, which is
        nobody, may write to it."""
        if self.inside == self.account.pw_uid:
            return self.workplace()
        place = Path(tempfile.mkdtemp(dir=self.base))
        place.chmod(0o1777)
        return place

    def environment(self, cwd, extra):
        return {
            "PATH": f"{self.base}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.home),
            "USER": self.account.pw_name,
            "LOGNAME": self.account.pw_name,
            "SHELL": "/bin/sh",
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "PWD": str(cwd),
            "SECRET_TOKEN": "not for the jail",
            **extra,
        }

    def start(self, *argv, cwd, env={}, **options):
        who = {}
        if os.getuid() != self.account.pw_uid:
            groups = os.getgrouplist(self.account.pw_name, self.account.pw_gid)
            who = dict(user=self.account.pw_uid, group=self.account.pw_gid, extra_groups=groups)
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen(
            [str(word) for word in argv], cwd=cwd, env=self.environment(cwd, env), text=True, **who, **options
        )

    def run(self, *argv, cwd, timeout=120, status=0, **options):
        """Runs to the end; what it printed stands in the failure where the status is another than expected."""
        process = self.start(*argv, cwd=cwd, **options)
        try:
            out, err = process.communicate(timeout=patient(timeout))
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"{argv}: still running after {patient(timeout):.0f} s\n{out}\n{err}")
        words = " ".join(str(word) for word in argv)
        assert status is None or process.returncode == status, (
            f"{words}: status {process.returncode}, expected {status}\n-- out\n{out}\n-- err\n{err}"
        )
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def jail(self, spec, *command, cwd, **options):
        """`immure run SPEC [-- COMMAND…]` with one of the examples, or a spec by its path."""
        return self.run("immure", "run", self.spec(spec), *(["--", *command] if command else []), cwd=cwd, **options)

    def spec(self, name):
        return self.base / "Examples" / name
