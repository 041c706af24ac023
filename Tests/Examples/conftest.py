"""The examples, each run with the real program from Debian, as root and as an ordinary user.

IMMURE names the binary; IMMURE_TEST_USER the ordinary user; IMMURE_MUST_RUN=1 makes every skip a failure.
"""

import contextlib
import os
import pwd
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "Tests/Support"))

from caller import Caller  # noqa: E402
from harness import accounts, linux, session  # noqa: E402
from harness.must import cannot  # noqa: E402


def pytest_configure(config):
    if config.option.collectonly or config.option.help:
        return
    if not session.BINARY.is_file():
        pytest.exit(f"no binary at {session.BINARY}: make builds it, IMMURE names another", returncode=3)
    session.begin(isolated=False)


@pytest.fixture
def alone():
    """As root a network of the test's own: on the machine's a port may be somebody else's."""
    with linux.network_of_its_own() if os.getuid() == 0 else contextlib.nullcontext():
        yield


@pytest.fixture(scope="session")
def base():
    """The binary and the examples where an ordinary user can read them, even if the checkout is only root's."""
    base = Path(tempfile.mkdtemp(prefix="immure-examples-", dir="/tmp"))
    base.chmod(0o755)
    shutil.copy(session.BINARY, base / "immure")
    shutil.copytree(CHECKOUT / "Examples", base / "Examples")
    yield base
    session.forget(base)


@pytest.fixture(scope="session")
def ordinary():
    """The account of an ordinary user, with ranges in /etc/subuid."""
    return accounts.ordinary()


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
