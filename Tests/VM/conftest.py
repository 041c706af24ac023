"""Tests that run inside the virtual machine, as its root: pure cgroup v2 and, for test_systemd_*, systemd as process 1."""

import os
import shutil
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "Tests/Support"))


def pytest_configure(config):
    if config.option.collectonly or config.option.help:
        return
    if os.environ.get("VM_RUN") != "1":
        pytest.exit("these tests change the machine they run on: start them with Tests/VM/run", returncode=3)
    # A copy of the guest's own: an executable of root's, in a file system of the guest's kernel.
    config.binary = Path("/usr/local/bin/immure")
    shutil.copyfile(os.environ["IMMURE"], config.binary)
    config.binary.chmod(0o755)


@pytest.fixture(scope="session")
def binary(request):
    return request.config.binary
