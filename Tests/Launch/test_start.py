"""What makes a launch faster (Sources/FastStart), and the plain build without it.

IMMURE_START=plain says that the binary under test is a plain one: then each of these must be absent.
"""

import contextlib
import os
import platform
import shutil
import struct
import subprocess
import tempfile
import time
from collections import namedtuple
from pathlib import Path

import pytest

from harness.must import needs
from harness.patience import patient

RSEQ = 334
PLAIN = os.environ.get("IMMURE_START") == "plain"
CHECKOUT = Path(__file__).resolve().parents[2]
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
    assert (start()["cpuid"] == "0") is not PLAIN


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
    assert (str(RSEQ) in calls) is not PLAIN, calls


@contextlib.contextmanager
def running(binary):
    """The process id of a launcher whose command runs."""
    launcher = subprocess.Popen(
        [binary, "run", "--", "/bin/sh", "-c", "echo; read _"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        launcher.stdout.readline()
        yield launcher.pid
    finally:
        launcher.communicate(timeout=patient(10))


def test_what_is_constant_cannot_be_written(root, binary):
    relocated = [one for one in headers(binary) if one.kind == 0x6474E552]
    assert relocated, "no PT_GNU_RELRO"
    with running(binary) as launcher:
        maps = mappings(launcher)
    page = os.sysconf("SC_PAGE_SIZE")
    for one in relocated:
        for address in range(one.address // page * page, (one.address + one.size) // page * page, page):
            rights = [rights for start, end, rights in maps if start <= address < end]
            assert rights == ["r--p"], (hex(address), rights)
    assert not [one for one in maps if "w" in one[2] and "x" in one[2]]


def resident_code(process, binary):
    """KiB of the program's code and constants that the process has in its tables."""
    total, counts = 0, False
    for line in Path(f"/proc/{process}/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            counts = words[-1] == str(binary) and "w" not in words[1]
        elif words[0] == "Rss:" and counts:
            total += int(words[1])
    return total


def test_an_idle_launcher_keeps_little_of_its_code(root, binary):
    for _ in range(20):
        with running(binary) as launcher:
            busy = lowest = resident_code(launcher, binary)
            end = time.monotonic() + (1 if PLAIN else patient(10))
            while time.monotonic() < end and (PLAIN or lowest * 4 > busy):
                time.sleep(0.05)
                lowest = min(lowest, resident_code(launcher, binary))
        # Else it has begun to give its code back before it was looked at.
        if busy > 500:
            break
    assert busy > 500, busy
    assert (lowest * 4 <= busy) is not PLAIN, (busy, lowest)


@pytest.mark.parametrize("program, says", [
    ("swift", "Swift version 6.4 (swift-6.4-RELEASE)"), ("getconf", "glibc 2.41"), ("uname", "aarch64"),
    ("swift", "")])
def test_what_is_not_known_gets_the_plain_build(base, program, says):
    make = shutil.which("make")
    needs(make and (CHECKOUT / "Makefile").is_file(), "ask the Makefile: no make, or no checkout")

    def flags(**named):
        place = Path(tempfile.mkdtemp(dir=base))
        answers = {"swift": "Swift version 6.3.1 (swift-6.3.1-RELEASE)", "getconf": "glibc 2.36", "uname": "x86_64"}
        for name, answer in {**answers, **named}.items():
            (place / name).write_text(f"#!/bin/sh\necho '{answer}'\n")
            (place / name).chmod(0o755)
        return subprocess.run(
            [make, "-s", "flags"], cwd=CHECKOUT, env={"PATH": f"{place}:/usr/bin:/bin"}, capture_output=True,
            text=True, check=True).stdout

    for mark in ("FAST_ENTRY", "FAST_RUNTIME", "FAST_RELEASE", "launch.order", "-disable-type-layout"):
        assert mark in flags()
        assert mark not in flags(**{program: says})
