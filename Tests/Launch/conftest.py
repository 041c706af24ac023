"""Black-box tests of the built binary. IMMURE names it; IMMURE_TEST_USER the ordinary user; IMMURE_MUST_RUN=1 forbids skips.

As root the whole session runs in a mount namespace of its own with private propagation and private /tmp, /var/tmp and
/dev/shm: no test reaches the machine's mount table, and a file left behind is seen for what it is.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import linux
from harness.caller import Caller
from harness.must import cannot
from harness.snapshot import Snapshot

CHECKOUT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("IMMURE", CHECKOUT / ".build/release/immure"))


def pytest_configure(config):
    if config.option.collectonly or config.option.help:
        return
    if not BINARY.is_file():
        pytest.exit(f"no binary at {BINARY}: build it, or name it with IMMURE", returncode=3)
    binary = BINARY.read_bytes()
    linux.become_subreaper()
    if os.getuid() == 0:
        linux.unshare(linux.CLONE_NEWNS)
        linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
        cover_temporary_places()
    os.umask(0o022)
    for name in ("TMPDIR", "IMMURE_RESULT", "NO_COLOR"):
        os.environ.pop(name, None)
    config.base = Path(tempfile.mkdtemp(prefix="immure-tests-", dir="/tmp"))
    config.base.chmod(0o755)
    config.binary = config.base / "immure"
    config.binary.write_bytes(binary)
    config.binary.chmod(0o755)


def cover_temporary_places():
    """Private ones of the session's own; a checkout that lies in one of them stays where it is."""
    checkout = os.open(CHECKOUT, os.O_PATH)
    for place in ("/tmp", "/var/tmp", "/dev/shm"):
        linux.mount("tmpfs", place, "tmpfs", data="mode=1777")
        if CHECKOUT.is_relative_to(place):
            CHECKOUT.mkdir(parents=True)
            linux.mount(f"/proc/self/fd/{checkout}", CHECKOUT, flags=linux.MS_BIND | linux.MS_REC)
            os.chdir(CHECKOUT)
    os.close(checkout)


def pytest_unconfigure(config):
    if hasattr(config, "base"):
        shutil.rmtree(config.base, ignore_errors=True)


def pytest_report_header(config):
    return f"immure: {BINARY}"


@pytest.fixture(scope="session")
def base(request):
    return request.config.base


@pytest.fixture(scope="session")
def binary(request):
    return request.config.binary


@pytest.fixture(scope="session")
def ordinary():
    """The account of an ordinary user; made where root may make it, so that it has ranges in /etc/subuid."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    name = os.environ.get("IMMURE_TEST_USER", "immure-test")
    try:
        return pwd.getpwnam(name)
    except KeyError:
        if subprocess.run(["useradd", "-m", "-s", "/bin/bash", name], capture_output=True).returncode != 0:
            cannot(f"make the user {name}")
        return pwd.getpwnam(name)


def caller_named(name, ordinary, binary, base):
    if name == "root" and os.getuid() != 0:
        cannot("test as root: the tests were started by an ordinary user")
    place = base / name
    account = pwd.getpwnam("root") if name == "root" else ordinary
    if not place.exists():
        place.mkdir()
        if os.getuid() == 0:
            os.chown(place, account.pw_uid, account.pw_gid)
    return Caller(name, account, binary, Path(tempfile.mkdtemp(dir=place)))


def opened(caller):
    caller.own(caller.base)
    caller.base.chmod(0o755)
    return caller


@pytest.fixture(params=["root", "user"])
def caller(request, ordinary, binary, base):
    """Whoever starts the binary: every test that takes this runs for root and for an ordinary user."""
    return opened(caller_named(request.param, ordinary, binary, base))


@pytest.fixture
def root(ordinary, binary, base):
    return opened(caller_named("root", ordinary, binary, base))


@pytest.fixture
def user(ordinary, binary, base):
    return opened(caller_named("user", ordinary, binary, base))


@pytest.fixture(scope="session")
def compiled(base):
    """Compiles harness/probes/NAME.c to a static program, once a session; its directory holds nothing else."""
    made = {}

    def compile(name):
        if name not in made:
            source = Path(__file__).parent / "harness" / "probes" / f"{name}.c"
            place = base / f"probe-{name}"
            place.mkdir()
            place.chmod(0o755)
            subprocess.run(["cc", "-static", "-O1", "-Wall", "-Werror", "-o", place / name, source], check=True)
            made[name] = place / name
        return made[name]

    if shutil.which("cc") is None:
        cannot("compile C: no cc")
    return compile


@pytest.fixture(scope="session", autouse=True)
def nothing_lost(request):
    """Equal before and after the whole session: mounts, processes, cgroups, files, IPC, network."""
    before = Snapshot()
    yield
    linux.survivors(2)
    lost = Snapshot().difference(before)
    assert not lost, "\n".join(lost)


@pytest.fixture(autouse=True)
def nobody_left(request):
    """No process of a test outlives it."""
    yield
    left = linux.survivors(2)
    for pid in left:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass
    if left:
        linux.survivors(2)
    assert not left, f"processes outlived the test: {left}"
