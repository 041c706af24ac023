"""README.md is run: each fenced `sh` block in turn, as root and as an ordinary user."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / "Tests/Examples"), str(CHECKOUT / "Tests/Support")]

from caller import Caller  # noqa: E402
from harness import accounts, session  # noqa: E402
from harness.must import cannot  # noqa: E402

FENCE = re.compile(r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## (.*)$", re.MULTILINE)


class Block:
    """One fenced block: the section it stands in, what it runs and, where a `text` block follows, what it prints."""

    def __init__(self, section, number, script, expected):
        self.section, self.number, self.script, self.expected = section, number, script, expected
        self.name = f"{section.lower().replace(' ', '-')}-{number}"


def blocks():
    parts = SECTION.split((CHECKOUT / "README.md").read_text())
    for section, text in zip(parts[1::2], parts[2::2]):
        for number, found in enumerate(FENCE.finditer(text), 1):
            yield Block(section, number, *found.groups())


def pytest_configure(config):
    if not (config.option.collectonly or config.option.help):
        session.begin(isolated=False)


@pytest.fixture(scope="session")
def base():
    base = Path(tempfile.mkdtemp(prefix="immure-readme-", dir="/tmp"))
    base.chmod(0o755)
    yield base
    session.forget(base)


@pytest.fixture(scope="session")
def installed(base):
    """What the section on installing does, in this checkout: what it printed."""
    script = "set -e\n" + "".join(block.script for block in blocks() if block.section == "Install")
    # A home of its own to install into, and Swift's where it is: its caches hold the paths that they were made under.
    swift = base / "swift"
    real = shutil.which(os.environ.get("SWIFT", "swift"))
    swift.write_text(f'#!/bin/sh\nHOME="{Path.home()}" exec "{real}" "$@"\n')
    swift.chmod(0o755)
    environment = os.environ | {"HOME": str(base), "SWIFT": str(swift)}
    return subprocess.run(
        ["bash", "-c", script], cwd=CHECKOUT, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.fixture(scope="session", params=["root", "user"])
def caller(request, base):
    if request.param == "root" and os.getuid() != 0:
        cannot("start as root: the tests were started by an ordinary user")
    account = pwd.getpwuid(0) if request.param == "root" else accounts.ordinary()
    return Caller(request.param, account, base)


@pytest.fixture(scope="session")
def tour(caller, base, installed):
    """Every other block, in one shell and one directory as a reader would: name → (status, output)."""
    work = caller.own_workplace()
    script = 'export PATH="$1:$PATH"\n'
    tried = [block for block in blocks() if block.section != "Install"]
    for block in tried:
        script += f"{{\n{block.script}}} >{block.name}.out 2>&1; echo $? >{block.name}.status\n"
    caller.run("bash", "-c", script, "bash", base / ".local/bin", cwd=work, timeout=300)
    return {
        block.name: (int((work / f"{block.name}.status").read_text()), (work / f"{block.name}.out").read_text())
        for block in tried
    }
