"""What `immure unit` prints of every example that is a service or a job: started, reloaded, restarted after a crash, stopped."""

import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from test_systemd_boot import ranges, show_as, trees  # noqa: F401

from systemd import SPECS, UNITS, journal, show, systemctl, until

EXAMPLES = Path(__file__).resolve().parents[2] / "Examples"
NOBODY = 65534

#: Not started by themselves: for somebody at a terminal, or with words on the command line, or for a library that the guest lacks.
BY_HAND = {
    "ci-root", "debian-root", "landlock", "oci", "quota", "shell", "squashfs", "static", "try", "unpack", "veth", "watch", "whole-host",
    "fetch", "agent-online",  # registries and services on the internet
}  # fmt: skip


def place(name, *files, owner=NOBODY):
    """The directory that a unit is started in, which is that of whoever the command is."""
    folder = Path(f"/srv/printed/{name}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, text in files:
        path = folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, owner, owner)
    return folder


class Printed:
    """A unit as it is printed, in the place of whatever the guest has of that name."""

    def __init__(self, example, *words, name=None, more="", command=()):
        self.example = example
        SPECS.mkdir(exist_ok=True)
        spec = SPECS / f"{Path(example).name}.toml"
        shutil.copyfile(EXAMPLES / f"{example}.toml", spec)
        self.words = ["unit", str(spec), *words]
        done = subprocess.run(["/usr/local/bin/immure", *self.words, *command], capture_output=True, text=True)
        assert done.returncode == 0, done
        self.text = done.stdout
        self.file = UNITS / (name or f"{spec.stem}.service")
        self.name = self.file.name.replace("@.", "@one.")
        self.before = self.file.read_text() if self.file.exists() else None
        self.drop = UNITS / f"{self.name}.d/test.conf"
        self.others = []
        self.file.write_text(self.text)
        if "\nAlso=" in self.text:
            self.socket("127.0.0.1:8080")
        if more:
            self.drop.parent.mkdir(exist_ok=True)
            self.drop.write_text(f"[Service]\n{more}\n")
        systemctl("daemon-reload")
        systemctl("reset-failed", self.name, status=None)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", self.name], capture_output=True, text=True)
        assert self.name not in done.stderr, done

    def socket(self, address):
        path = UNITS / self.name.replace(".service", ".socket")
        self.others.append((path, path.read_text() if path.exists() else None))
        path.write_text(subprocess.run(
            ["/usr/local/bin/immure", *self.words, "--socket", address], capture_output=True, text=True, check=True).stdout)
        systemctl("daemon-reload")
        return path.name

    def command(self):
        """The process that systemd starts the launcher for; None where it is not there now."""
        processes = [int(show(self.name, "MainPID"))]
        for process in processes:
            try:
                if process and Path(f"/proc/{process}/comm").read_text() != "immure\n":
                    return process
                processes += map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())
            except OSError:
                pass
        return None

    def remove(self):
        names = [self.name, *(path.name for path, _ in self.others)]
        systemctl("stop", *names, status=None)
        for path, text in [(self.file, self.before), *self.others]:
            path.write_text(text) if text is not None else path.unlink()
        shutil.rmtree(self.drop.parent, ignore_errors=True)
        systemctl("daemon-reload")
        systemctl("reset-failed", *names, status=None)


@pytest.fixture
def printed():
    made = []

    def make(*words, **more):
        made.append(Printed(*words, **more))
        return made[-1]

    yield make
    for one in made:
        one.remove()


def fetch(path="/"):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:8080{path}", timeout=5).read().decode()
    except OSError:
        return None


def ask(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=30).stdout


def page(name):
    return place(name, ("index.html", "the page\n"))


def serves():
    assert until(fetch) == "the page\n"


def redis(socket):
    def is_there():
        assert until(lambda: ask("redis-cli", "-s", socket, "ping")) == "PONG\n"
    return is_there


def venv():
    folder = place("python-venv", ("main.py", "import signal\nopen('/app/data/up', 'a').write('up\\n')\nsignal.pause()\n"), ("data/up", ""))
    subprocess.run(["python3", "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    return folder


def workers(process):
    return set(Path(f"/proc/{process}/task/{process}/children").read_text().split())


def lines(path):
    return len(path.read_text().splitlines())


class Service:
    """How an example is made to be one, and what shows that it is there."""

    def __init__(self, make, *, reload=False, **more):
        self.make, self.reload, self.more = make, reload, more


def http(example, **more):
    def make():
        return ["--env", f"PWD={page(example)}"], serves
    return Service(make, **more)


def of_redis():
    folder = place("redis", ("redis/x", ""))
    return ["--env", f"PWD={folder}"], redis(folder / "redis/redis.sock")


def of_site():
    Path("/srv/sites/one").mkdir(parents=True, exist_ok=True)
    Path("/srv/sites/one/who").write_text("one")
    def is_there():
        assert until(lambda: ask("curl", "-s", "--unix-socket", "/run/site/one/socket", "http://x/who")) == "one"
    return ["--env", "INSTANCE=%i"], is_there


def of_venv():
    folder, seen = venv(), [0]
    def is_there():
        until(lambda: lines(folder / "data/up") > seen[0])
        seen[0] = lines(folder / "data/up")
    return ["--env", f"PWD={folder}"], is_there


def of_exec_start():
    Path("/srv/index.html").write_text("the page\n")
    return [], serves


def of_pages():
    Path("/srv/pages").mkdir(parents=True, exist_ok=True)
    Path("/srv/pages/index.html").write_text("the page\n")
    return [], serves


def boots(unit):
    def is_there():
        first = until(unit.command, 60)
        line = ["nsenter", "-t", str(first), "-a", "-S", "0", "-G", "0", "systemctl", "is-system-running"]
        until(lambda: ask(*line).strip() in ("running", "degraded"), 90)
    return is_there


SERVICES = {
    "exec-start": Service(of_exec_start),
    "nginx": http("nginx", reload=True),
    "published": http("published"),
    # Debian's redis-server.service has the name redis.service as well.
    "redis": Service(of_redis, name="redis-jail.service"),
    "python-venv": Service(of_venv),
    "systemd/cache": Service(lambda: ([], redis("/run/cache/redis.sock"))),
    "systemd/pages": Service(of_pages, reload=True, socket=True),
    "systemd/site": Service(of_site, name="site@.service"),
    "systemd/guest": Service(lambda: (show_as(ranges("root"), "/", Path("/var/lib/machines/guest")), ([], boots))[1], boots=True),
    "boot": Service(lambda: (["--env", "PWD=/srv/boot/root"], boots), boots=True),
}


@pytest.mark.parametrize("example", [
    pytest.param(example, marks=pytest.mark.slow if example == "boot" else ()) for example in SERVICES])
def test_a_service(printed, example, request):
    service = SERVICES[example]
    if service.more.get("boots"):
        request.getfixturevalue("trees")
    words, is_there = service.make()
    # As the comment at the end of the unit says.
    hint = "ExecReload=kill -HUP $MAINPID"
    unit = printed(example, *words, name=service.more.get("name"), more=hint if service.reload else "")
    assert f"at SIGHUP: {hint}\n" in unit.text
    if service.more.get("boots"):
        is_there = is_there(unit)
    if "socket" in service.more:
        systemctl("start", unit.others[0][0].name)
    systemctl("start", unit.name)
    is_there()
    main, command = show(unit.name, "MainPID"), unit.command()
    before = workers(command)
    if service.reload:
        systemctl("reload", unit.name)
        # nginx reads its configuration by starting its workers anew.
        until(lambda: workers(command) and not workers(command) & before)
        is_there()
        assert (show(unit.name, "MainPID"), unit.command()) == (main, command)
    os.kill(command, 9)
    until(lambda: show(unit.name, "NRestarts") == "1", 60)
    until(lambda: show(unit.name, "ActiveState") == "active", 90)
    is_there()
    assert show(unit.name, "NRestarts") == "1"
    assert show(unit.name, "MainPID") != main and unit.command() != command
    systemctl("stop", unit.name)
    assert (show(unit.name, "Result"), show(unit.name, "ActiveState")) == ("success", "inactive"), journal(unit.name)


MAKEFILE = "all: thing\nthing: thing.c\n\tcc -o $@ $<\n"
SOURCE = '#include <stdio.h>\nint main(void) { return puts("made") < 0; }\n'
BROKEN = "int main(void) { return nothing; }\n"
RULES = """#!/usr/bin/make -f
build build-arch build-indep binary-indep clean:
binary binary-arch:
\tinstall -d debian/thing/DEBIAN debian/thing/usr/bin
\tcc -O2 -o debian/thing/usr/bin/thing thing.c
\tdpkg-gencontrol -Pdebian/thing
\tdpkg-deb --root-owner-group -b debian/thing ..
"""


def package():
    change = "thing (1) unstable; urgency=low\n\n  * New.\n\n -- a <a@b.c>  Sat, 01 Jan 2022 00:00:00 +0000\n"
    control = ("Source: thing\nMaintainer: a <a@b.c>\nStandards-Version: 4.6.2\nRules-Requires-Root: no\n\n"
               "Package: thing\nArchitecture: any\nDescription: thing\n a thing\n")
    shutil.rmtree("/srv/printed/deb-build.built", ignore_errors=True)
    return place("deb-build", ("debian/source/format", "3.0 (native)\n"), ("debian/changelog", change), ("debian/control", control),
                 ("debian/rules", RULES), ("thing.c", SOURCE))


def picture():
    folder = place("imagemagick", ("out/x", ""))
    subprocess.run(["convert", "-size", "640x480", "gradient:red-blue", folder / "photo.png"], check=True)
    return folder


def home():
    folder = place("home")
    return ["--env", f"HOME={folder}"]


#: The example, its directory, and what it leaves there.
JOBS = {
    "agent": (lambda: place("agent"), None, []),
    "build": (lambda: place("build", ("Makefile", MAKEFILE), ("thing.c", SOURCE)), "thing", home),
    "c-build": (lambda: place("c-build", ("Makefile", MAKEFILE), ("thing.c", SOURCE)), "thing", []),
    "compiler": (lambda: place("compiler", ("thing.c", SOURCE), ("bin/x", "")), "bin/thing", []),
    "deb-build": (package, "../deb-build.built/thing_1_amd64.deb", []),
    "imagemagick": (picture, "out/photo.jpg", []),
    "limited": (lambda: place("limited", ("test_it.py", "import unittest\nclass T(unittest.TestCase):\n def test(self): pass\n")), None, []),
    "systemd/report": (lambda: place("report"), "/var/lib/report/largest", []),
}


@pytest.mark.parametrize("example", JOBS)
def test_a_job(printed, example):
    make, left, more = JOBS[example]
    folder = make()
    unit = printed(example, "--env", f"PWD={folder}", *(more() if callable(more) else more))
    assert "Type=oneshot\n" in unit.text and "124" in unit.text
    for _ in range(2):
        systemctl("start", unit.name)
        assert show(unit.name, "Result") == "success", journal(unit.name)
    assert left is None or (folder / left).is_file(), journal(unit.name)


def test_a_job_that_fails_is_tried_again_and_one_that_takes_too_long_is_not(printed):
    folder = place("compiler", ("thing.c", BROKEN), ("bin/x", ""))
    unit = printed("compiler", "--env", f"PWD={folder}", more="RestartSec=1\nTimeoutStartSec=60")
    systemctl("start", "--no-block", unit.name)
    until(lambda: int(show(unit.name, "NRestarts")) >= 1, 60)
    (folder / "thing.c").write_text(SOURCE)
    until(lambda: show(unit.name, "ActiveState") == "inactive", 60)
    assert show(unit.name, "Result") == "success" and (folder / "bin/thing").is_file(), journal(unit.name)
    late = printed("systemd/report", more="ExecStart=\nExecStart=/usr/local/bin/immure run --set 'timeout=\"1s\"' /etc/immure/report.toml -- sleep 100")
    systemctl("start", late.name, status=None)
    assert (show(late.name, "ExecMainStatus"), show(late.name, "NRestarts")) == ("124", "0"), journal(late.name)


def test_every_example_is_here():
    found = {str(path.relative_to(EXAMPLES).with_suffix("")) for path in EXAMPLES.rglob("*.toml")}
    assert found == {*SERVICES, *JOBS, *BY_HAND}


@pytest.mark.parametrize("example, words", [("systemd/cache", []), ("redis", ["--env", "PWD=/var/lib/redis"])])
def test_what_systemd_says_of_redis(printed, example, words, tmp_path):
    """With the unit's filter of calls, and without it."""
    unit = printed(example, *words, name="rated.service")
    name = Path(example).name

    def rated(text, threshold):
        path = tmp_path / f"{name}.service"
        path.write_text(text)
        rate = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={threshold}", str(path)]
        done = subprocess.run(rate, capture_output=True, text=True)
        assert "Overall exposure level" in done.stdout, done
        return done.returncode == 0, done.stdout.splitlines()[-1]

    # With a filter of the spec's own, and with none.
    spec = (EXAMPLES / f"{example}.toml").read_text()
    for extra, threshold in (('deny = ["ptrace"]', 25), ('allow = ["@network-io"]', 35), ('architectures = ["native", "x86"]', 35), ('profile = "none"', 35)):
        # A unit of the same name: its directory is the one that the spec refers to.
        path = SPECS / "own" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{spec}\n[seccomp]\n{extra}\n")
        done = subprocess.run(["/usr/local/bin/immure", "unit", str(path), *words], capture_output=True, text=True)
        assert rated(done.stdout, threshold)[0], (extra, done)
    assert "SystemCallFilter=" in unit.text
    assert rated(unit.text, 25)[0], rated(unit.text, 25)
    without = "".join(line for line in unit.text.splitlines(True) if not line.startswith("SystemCall"))
    assert rated(without, 35)[0], rated(without, 35)
    assert not rated("[Service]\nExecStart=/bin/true\n", 35)[0]
