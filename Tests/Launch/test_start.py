"""From execve to the first call of immure's own: what the C library does there, Sources/CLinux/entry.c does."""

import os
import platform
import subprocess

import pytest

from harness.must import needs

RSEQ = 334


@pytest.fixture
def start(compiled, binary):
    needs(platform.machine() == "x86_64", "follow a program by its instructions: not an x86-64")
    steps = compiled("steps")

    def follow(**environment):
        run = subprocess.run(
            [steps, binary, "run", "--", "/bin/true"],
            env={**os.environ, **environment}, capture_output=True, text=True, check=True, timeout=60)
        return dict(line.split(" ", 1) for line in run.stdout.splitlines())

    return follow


def test_the_processor_is_asked_nothing(start):
    needs(platform.libc_ver() == ("glibc", "2.36"), "start without the C library's own entry: not glibc 2.36")
    assert start()["cpuid"] == "0"


def test_the_guards_are_of_chance(start):
    first, second = start(), start()
    for name in ("stack", "jump"):
        one, other = int(first[name], 16), int(second[name], 16)
        assert one != other and one >> 16 and other >> 16, (first, second)
    # No string may hold the stack's: its first byte in memory ends them.
    assert int(first["stack"], 16) & 0xFF == int(second["stack"], 16) & 0xFF == 0


def test_the_tunables_of_the_c_library_are_the_commands(start):
    needs(platform.libc_ver() == ("glibc", "2.36"), "start without the C library's own entry: not glibc 2.36")
    calls = start(GLIBC_TUNABLES="glibc.pthread.rseq=0")["calls"].split()
    assert str(RSEQ) in calls, calls
