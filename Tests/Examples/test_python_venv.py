"""python-venv.toml: a program with packages of its own."""

import os
import subprocess

import pytest
from inside import closed, look

MAIN = """
import os, sys
import greeting
assert sys.prefix == "/app/.venv", sys.prefix
open("/app/data/out.txt", "w").write(greeting.TEXT)
for path in ("/app/main.py", "/app/.venv/pyvenv.cfg", "/app/new"):
    try:
        open(path, "a")
    except OSError as error:
        print(path, error.strerror)
"""


@pytest.fixture
def program(caller, work, tool):
    subprocess.run([tool("python3"), "-m", "venv", "--without-pip", work / ".venv"], check=True)
    packages = next(work.glob(".venv/lib/python3*/site-packages"))
    caller.file(packages / "greeting.py", 'TEXT = "from a package\\n"\n')
    caller.file(work / "main.py", MAIN)
    caller.directory(work / "data")
    # The files are the command's own, so that what keeps it from writing is the mount.
    for path in (work / ".venv").rglob("*"):
        caller.own(path)
    return work


def test_runs(caller, program):
    done = caller.jail("python-venv.toml", cwd=program)
    assert (program / "data/out.txt").read_text() == "from a package\n"
    assert done.stdout.splitlines() == [
        f"/app/{name} Read-only file system" for name in ("main.py", ".venv/pyvenv.cfg", "new")
    ]
    assert sorted(os.listdir(program)) == [".venv", "data", "main.py"]


def test_closed(caller, program):
    closed(look(caller, "python-venv.toml", program), caller, writable={"/app/data"})


def test_data_must_be_there(caller, work):
    """A source that is missing stops the launch with the line it stands on."""
    done = caller.jail("python-venv.toml", cwd=work, status=125)
    assert "python-venv.toml:13:" in done.stderr and "data" in done.stderr
