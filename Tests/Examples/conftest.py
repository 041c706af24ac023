"""The examples, each run with the real program from Debian, as root and as an ordinary user.

IMMURE names the binary; IMMURE_TEST_USER the ordinary user; IMMURE_MUST_RUN=1 makes every skip a failure.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from caller import Caller

CHECKOUT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("IMMURE", CHECKOUT / ".build/release/immure"))


def cannot(why):
    """What this host cannot do: a skip with its name, and a failure where everything must run."""
    if os.environ.get("IMMURE_MUST_RUN") == "1":
        pytest.fail(f"must run, but cannot: {why}")
    pytest.skip(why)


def pytest_configure(config):
    if not BINARY.is_file():
        pytest.exit(f"no binary at {BINARY}: make builds it, IMMURE names another", returncode=3)


@pytest.fixture(scope="session")
def base():
    """The binary and the examples where an ordinary user can read them, even if the checkout is root's alone."""
    os.umask(0o022)
    base = Path(tempfile.mkdtemp(prefix="immure-examples-", dir="/tmp"))
    base.chmod(0o755)
    shutil.copy(BINARY, base / "immure")
    shutil.copytree(CHECKOUT / "Examples", base / "Examples")
    yield base
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session")
def ordinary():
    """An ordinary user's account; root makes one, so that it has ranges in /etc/subuid."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    name = os.environ.get("IMMURE_TEST_USER", "immure-test")
    try:
        return pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "-m", "-s", "/bin/bash", name], check=True)
        return pwd.getpwnam(name)


@pytest.fixture(params=["root", "user"])
def caller(request, base, ordinary):
    """Whoever starts the example: each test that takes this runs for both."""
    if request.param == "root" and os.getuid() != 0:
        cannot("start as root: the tests were started by an ordinary user")
    return Caller(request.param, pwd.getpwnam("root") if request.param == "root" else ordinary, base)


@pytest.fixture
def user(base, ordinary):
    return Caller("user", ordinary, base)


@pytest.fixture
def work(caller):
    """An empty directory that the jail may be given."""
    return caller.workplace()


@pytest.fixture
def tool():
    """The path of a real program, by name."""

    def find(name):
        path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if path is None:
            cannot(f"run {name}: it is not installed")
        return path

    return find
