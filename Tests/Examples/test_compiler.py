"""compiler.toml: a spec that is a script, through `#!`."""

import shutil
import subprocess

import pytest
from inside import closed, look


@pytest.fixture
def build(caller, work):
    # It stays whoever runs the tests': root refuses a spec that belongs to somebody else.
    shutil.copy(caller.spec("compiler.toml"), work / "build")
    caller.file(work / "hello.c", '#include <stdio.h>\nint main(void) { puts("hello"); }\n')
    caller.directory(work / "bin")
    return work


def test_is_a_script(caller, build):
    caller.run(build / "build", cwd=build)
    assert subprocess.run([build / "bin/hello"], capture_output=True, text=True).stdout == "hello\n"


def test_source_cannot_read_what_is_yours(caller, build):
    caller.file(build / "thief.c", f'#include "{caller.home}/secret"\nint main(void) {{}}\n')
    done = caller.run("./build", cwd=build, status=1)
    assert "No such file or directory" in done.stderr and "do not read" not in done.stderr
    assert not (build / "bin/thief").exists()


def test_closed(caller, build):
    closed(look(caller, "compiler.toml", build), caller, writable={"/out"})
