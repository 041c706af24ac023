"""The numbers that a spec may name are those of the kernel's and libc's headers, name by name, as a C compiler reads them."""

import platform
import re
import subprocess
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "Sources/SystemCallFilter/ConstantTable.swift"
HEADERS = """
    sys/types.h sys/socket.h sys/ioctl.h sys/mman.h sys/mount.h sys/personality.h sys/prctl.h sys/ptrace.h sys/stat.h sys/kd.h
    sys/vt.h fcntl.h sched.h signal.h unistd.h netinet/in.h net/if.h termios.h
    linux/prctl.h linux/keyctl.h linux/fs.h linux/sched.h linux/netlink.h linux/sockios.h linux/if_tun.h linux/memfd.h
    linux/net.h linux/tiocl.h linux/fiemap.h linux/loop.h linux/fd.h sys/random.h
""".split()
# Those that are no macros, but cases of an enum.
PERSONALITIES = """
    ADDR_COMPAT_LAYOUT ADDR_LIMIT_32BIT ADDR_LIMIT_3GB ADDR_NO_RANDOMIZE MMAP_PAGE_ZERO PER_BSD PER_LINUX PER_LINUX32
    PER_LINUX_32BIT PER_SVR4 READ_IMPLIES_EXEC SHORT_INODE STICKY_TIMEOUTS UNAME26 WHOLE_SECONDS
""".split()
# Younger than the headers of Debian 12, or only the kernel's.
UNSEEN = {"MADV_GUARD_INSTALL", "MADV_GUARD_REMOVE", "PR_GET_MDWE", "PR_SET_MDWE", "SOCK_TYPE_MASK", "SO_PEERPIDFD"}
# Of another header that contradicts one of those above: struct termios of libc and of the kernel.
MORE = {"asm/ioctls.h", "linux/ptrace.h", "linux/kd.h", "linux/vt.h", "linux/termios.h", "linux/socket.h", "asm/fcntl.h"}
# Requests with a structure that libc's termios.h hides.
TERMIOS2 = {"TCGETS2", "TCSETS2", "TCSETSF2", "TCSETSW2"}


def table():
    text = TABLE.read_text()
    rows = [(name, int(value, 0)) for name, value in re.findall(r'\("(\w+)", (\w+)\)', text)]
    own = 1 if platform.machine() == "x86_64" else 2
    rows += [(row[0], int(row[own], 0)) for row in re.findall(r'\("(\w+)", (\w+), (\w+)\)', text)]
    return dict(rows)


def compiled(names, headers, folder, macros=True):
    source = folder / "constants.c"
    lines = ["#define _GNU_SOURCE", *(f"#include <{header}>" for header in headers), "#include <stdio.h>", "int main(void) {"]
    for name in names:
        line = f'    printf("{name} %llx\\n", (unsigned long long)({name}));'
        lines += [f"#ifdef {name}", line, "#endif"] if macros else [line]
    source.write_text("\n".join([*lines, "}"]))
    program = folder / "constants"
    subprocess.run(["gcc", "-w", "-o", program, source], check=True)
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return {name: int(value, 16) for name, value in (line.split() for line in output.splitlines())}


def test_constants_are_those_of_the_headers(tmp_path):
    ours = table()
    plain = [name for name in ours if name not in TERMIOS2]
    theirs = compiled(plain, HEADERS, tmp_path) | compiled(TERMIOS2, ["asm/termbits.h", "asm/ioctls.h"], tmp_path) | compiled(PERSONALITIES, ["linux/personality.h"], tmp_path, macros=False)
    for header in MORE:
        theirs |= compiled(plain, [header], tmp_path)
    assert set(ours) - set(theirs) <= UNSEEN
    # A negative int is one of 32 bits to the kernel.
    same = {name for name, value in theirs.items() if value in (ours[name], ours[name] | 0xFFFFFFFF << 32)}
    assert {name: (hex(ours[name]), hex(theirs[name])) for name in set(theirs) - same} == {}
