"""Black-box tests of the built binary. IMMURE names it; IMMURE_TEST_USER the ordinary user; IMMURE_MUST_RUN=1 forbids skips.

As root the whole session runs in namespaces of its own, with accounts of its own: Tests/Support/harness/session.py.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SUPPORT = Path(__file__).resolve().parents[1] / "Support"
sys.path.insert(0, str(SUPPORT))

from harness import accounts, linux, session  # noqa: E402
from harness.caller import Caller  # noqa: E402
from harness.must import cannot  # noqa: E402
from harness.snapshot import Snapshot  # noqa: E402


def pytest_configure(config):
    if config.option.collectonly or config.option.help:
        return
    if not session.BINARY.is_file():
        pytest.exit(f"no binary at {session.BINARY}: build it, or name it with IMMURE", returncode=3)
    binary = session.BINARY.read_bytes()
    linux.become_subreaper()
    session.begin()
    config.base = Path(tempfile.mkdtemp(prefix="immure-tests-", dir="/tmp"))
    config.base.chmod(0o755)
    config.binary = config.base / "immure"
    config.binary.write_bytes(binary)
    config.binary.chmod(0o755)


def pytest_unconfigure(config):
    if hasattr(config, "base"):
        session.forget(config.base)


def pytest_report_header(config):
    return f"immure: {session.BINARY}"


@pytest.fixture(scope="session")
def base(request):
    return request.config.base


@pytest.fixture(scope="session")
def binary(request):
    return request.config.binary


@pytest.fixture(scope="session")
def ordinary():
    """The account of an ordinary user, with ranges in /etc/subuid."""
    return accounts.ordinary()


@pytest.fixture(scope="session")
def stranger():
    """An id without an account, of which no process runs."""
    return accounts.stranger()


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
            source = SUPPORT / "harness/probes" / f"{name}.c"
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
