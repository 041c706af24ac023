"""From execve to the first call of immure's own: what the C library does there, Sources/CLinux/entry.c does."""

import os
import platform
import struct
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

from harness.must import needs

RSEQ = 334
Header = namedtuple("Header", "kind flags offset address physical stored size alignment")


def headers(program):
    """The program headers of a 64-bit ELF file, elf(5)."""
    with open(program, "rb") as file:
        start = file.read(64)
        place, size, count = struct.unpack_from("<Q", start, 32)[0], *struct.unpack_from("<HH", start, 54)
        file.seek(place)
        table = file.read(size * count)
    return [Header(*struct.unpack_from("<IIQQQQQQ", table, size * number)) for number in range(count)]


def mappings(process):
    """(start, end, rights) of each, by proc(5)."""
    found = []
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        start, _, end = span.partition("-")
        found.append((int(start, 16), int(end, 16), rights))
    return found


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


def test_what_is_constant_cannot_be_written(root, binary):
    relocated = [one for one in headers(binary) if one.kind == 0x6474E552]
    assert relocated, "no PT_GNU_RELRO"
    launcher = subprocess.Popen(
        [binary, "run", "--", "/bin/sh", "-c", "echo; read _"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        launcher.stdout.readline()
        maps = mappings(launcher.pid)
    finally:
        launcher.communicate(timeout=10)
    page = os.sysconf("SC_PAGE_SIZE")
    for one in relocated:
        for address in range(one.address // page * page, (one.address + one.size) // page * page, page):
            rights = [rights for start, end, rights in maps if start <= address < end]
            assert rights == ["r--p"], (hex(address), rights)
    assert not [one for one in maps if "w" in one[2] and "x" in one[2]]
