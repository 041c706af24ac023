"""Units of the guest's systemd."""

import functools
import subprocess
import time
from pathlib import Path

from harness.patience import patient

UNITS = Path("/run/systemd/system")
SPECS = Path("/etc/immure")


@functools.cache
def version():
    """Of the guest's systemd, such as 252."""
    return int(subprocess.run(["systemctl", "--version"], capture_output=True, text=True, check=True).stdout.split()[1])


def systemctl(*words, status=0):
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, timeout=patient(60))
    if status is not None:
        assert done.returncode == status, (words, done.stdout, done.stderr, journal())
    return done.stdout.strip()


def journal(unit=None, lines=40):
    subprocess.run(["journalctl", "--sync"], check=True)
    choice = ["-u", unit] if unit else []
    done = subprocess.run(["journalctl", "-o", "cat", *choice], capture_output=True, text=True)
    return "".join([line for line in done.stdout.splitlines(True) if "client request to sync" not in line][-lines:])


def show(unit, name):
    return systemctl("show", "--value", "-p", name, unit)


def until(what, seconds=20):
    """The first true answer of `what`."""
    end = time.monotonic() + patient(seconds)
    while not (answer := what()):
        assert time.monotonic() < end, journal(lines=60)
        time.sleep(0.1)
    return answer


class Service:
    """A service of a test's own: a spec and a unit around it."""

    def __init__(self, name, spec, service="", command=None, unit=""):
        self.name = f"{name}.service"
        SPECS.mkdir(exist_ok=True)
        self.spec = SPECS / f"{name}.toml"
        self.spec.write_text(spec)
        start = f"/usr/local/bin/immure run {self.spec}" + (f" -- {command}" if command else "")
        (UNITS / self.name).write_text(
            f"[Unit]\n{unit}\n[Service]\nExecStart={start}\nKillMode=mixed\nSuccessExitStatus=143\n{service}\n")
        systemctl("daemon-reload")

    def start(self):
        systemctl("start", self.name)
        return self

    def stop(self):
        systemctl("stop", self.name)

    def show(self, name):
        return show(self.name, name)

    @property
    def main(self):
        return int(self.show("MainPID"))

    def journal(self):
        return journal(self.name)

    def says(self, text):
        return until(lambda: text in self.journal())
