"""A server of a file system that stands still, or ignores who asks it to end: the launch ends in its time, and nobody is left."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import linux
from harness.fuse import open_to_all
from harness.must import needs
from harness.patience import patient, reached, until

SYSTEM = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
#: How each is started, and whether it has something to write as it ends.
SERVERS = {"squashfuse": False, "fuse2fs": False, "fuse2fs that writes": True, "fuse-overlayfs": False}


class Ended(Exception):
    """The launch was over before its command began."""


class Served:
    """What a server serves to the launches of a user, at /opt/i."""

    def __init__(self, user, kind):
        self.user, self.program, self.writes = user, kind.split()[0], SERVERS[kind]
        place = user.directory()
        (place / "tree").mkdir()
        user.own(place / "tree")
        owner = (place / "tree").stat()
        user.file(place / "tree/f", "within\n")
        image = place / "image"
        options = ""
        if self.program == "squashfuse":
            subprocess.run(["mksquashfs", place / "tree", image, "-noappend", "-quiet"], check=True, capture_output=True)
        elif self.program == "fuse2fs":
            root = f"root_owner={owner.st_uid}:{owner.st_gid}"
            subprocess.run(["mke2fs", "-q", "-t", "ext4", "-E", root, "-d", place / "tree", image, "8M"], check=True, env=SYSTEM)
            options = 'options = ["rw"]' if self.writes else ""
        if self.program == "fuse-overlayfs":
            self.mount = f'type = "overlay"\nlower = ["{place / "tree"}"]\nidmap = true'
        else:
            user.own(image)
            self.mount = f'type = "image"\nsource = "{image}"\n{options}'
        self.shared = user.open_directory()

    def spec(self, more=""):
        return f'grace = "300ms"\n{more}\n[[mount]]\ntarget = "/opt/i"\n{self.mount}\n[filesystem]\nrw = ["{self.shared}:/w"]\n'

    def start(self, script, more="", first=":"):
        """A launch whose command has begun, and its server, of which nothing is asked any more: close(2) asks, too."""
        (self.shared / "began").unlink(missing_ok=True)
        launch = self.user.start(self.spec(more), "/bin/sh", "-c", f"{first}; cat /opt/i/f >/w/text && mv /w/text /w/began; {script}")
        until(lambda: (self.shared / "began").exists() or launch.poll() is not None)
        if launch.poll() is not None:
            raise Ended(self.user.finish(launch))
        assert (self.shared / "began").read_text() == "within\n"
        return launch, linux.server(launch.pid, self.program)


@pytest.fixture(params=SERVERS)
def served(request, user, base):
    program = request.param.split()[0]
    needs(shutil.which(program, path="/usr/bin") and shutil.which("mksquashfs"), program)
    if program == "fuse2fs":
        needs(b"ld-linux" not in (base / "immure").read_bytes()[:4096], "a static binary in IMMURE")
    with open_to_all(base):
        yield Served(user, request.param)


def ended(handle, seconds=0.5):
    return bool(select.select([handle], [], [], patient(seconds))[0])


def test_it_stands_still_as_the_command_ends(served):
    launch, pid = served.start("until test -e /w/go; do sleep 0.05; done; exit 3")
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGSTOP)
    served.user.file(served.shared / "go", "")
    started = time.monotonic()
    run = served.user.finish(launch)
    assert time.monotonic() - started < patient(4), run
    # What could not be written is no success.
    assert run.status == (137 if served.writes else 3) and ("hint: e2fsck" in run.stderr) == served.writes, run
    assert ended(handle) and linux.survivors(0.5) == {}


DEAF = "trap '' TERM"
STUCK = "while true; do cat /opt/i/f >/dev/null; ls /opt/i/none 2>/dev/null; done"


def test_a_deadline_holds_where_it_stands_still(served):
    def late(seconds):
        with contextlib.suppress(Ended, ProcessLookupError):
            launch, pid = served.start(STUCK, f'timeout = "{seconds}s"', DEAF)
            handle = os.pidfd_open(pid)
            os.kill(pid, signal.SIGSTOP)
            run = served.user.finish(launch)
            assert run.status == 124, run
            assert ended(handle) and linux.survivors(0.5) == {}
            return True

    assert reached(late)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_the_launch_where_it_stands_still(served, number):
    launch, pid = served.start(STUCK, first=DEAF)
    handle = os.pidfd_open(pid)
    os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    launch.send_signal(number)
    run = served.user.finish(launch)
    assert run.status == (137 if number == signal.SIGTERM else -number) and time.monotonic() - started < patient(5), run
    assert ended(handle) and linux.survivors(0.5) == {}


@pytest.mark.skipif(os.getuid() != 0, reason="puts a program of its own into /usr/bin")
def test_it_ignores_every_signal(served, base):
    """Whoever is started with a signal ignored goes on to ignore it: libfuse handles what is not."""
    place = Path(base) / f"deaf-{served.program}-{served.writes}"
    for each in ("upper", "work"):
        (place / each).mkdir(parents=True)
    shutil.copy(f"/usr/bin/{served.program}", place / f"upper/{served.program}.real")
    (place / f"upper/{served.program}").write_text(f"#!/bin/sh\ntrap '' TERM INT HUP QUIT\nexec /usr/bin/{served.program}.real \"$@\"\n")
    (place / f"upper/{served.program}").chmod(0o755)
    linux.mount("overlay", "/usr/bin", "overlay", data=f"lowerdir=/usr/bin,upperdir={place}/upper,workdir={place}/work")
    try:
        run = served.user.shell(served.spec(), "cat /opt/i/f; exit 3")
        assert (run.status, run.stdout) == (3, "within\n") and linux.survivors(0.5) == {}, run
        launch, pid = served.start("sleep 1000")
        ignored = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigIgn:"))
        assert int(ignored.split()[1], 16) & 1 << signal.SIGTERM - 1
        handle = os.pidfd_open(pid)
        started = time.monotonic()
        launch.terminate()
        run = served.user.finish(launch)
        assert run.status == 143 and time.monotonic() - started < patient(4), run
        assert ended(handle) and linux.survivors(0.5) == {}
    finally:
        linux.umount("/usr/bin")
