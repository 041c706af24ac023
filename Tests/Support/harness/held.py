"""A file system of one file, which can be looked up and opened and whose content never comes: a page of it that is mapped stands still for
whoever reads it first."""

import contextlib
import os
import subprocess
import sys
import textwrap

from . import linux
from .must import cannot
from .patience import patient


@contextlib.contextmanager
def back(place):
    """Mounts it at `place` in the mount namespace of the run; the file is `place`/page, of one page, and everybody's."""
    if os.getuid() != 0 or not os.path.exists("/dev/fuse"):
        cannot("mount a file server that hangs")
    server = os.open("/dev/fuse", os.O_RDWR)
    linux.mount("held", place, "fuse", 0, f"fd={server},rootmode=40000,user_id=0,group_id=0,allow_other")
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(server)], pass_fds=[server])
    # With the last of its descriptors the connection ends, and with it every wait.
    os.close(server)
    try:
        yield f"{place}/page"
    finally:
        process.kill()
        process.wait(patient(5))
        linux.umount(place)


SERVER = textwrap.dedent(
    """
    import os, struct, sys

    number = int(sys.argv[1])
    LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, INIT, OPENDIR, INTERRUPT = 1, 2, 3, 14, 15, 17, 26, 27, 36

    def attributes(node):
        mode = 0o040755 if node == 1 else 0o100666
        return struct.pack("<6Q10I", node, 4096, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def answer(request, code, node):
        if code == INIT:
            return struct.pack("<4I2H2I2H2I6I", 7, 31, 4096, 0, 16, 12, 4096, 1, 1, 0, 0, 0, *[0] * 6)
        if code == LOOKUP:
            return struct.pack("<4Q2I", 2, 0, 1000, 1000, 0, 0) + attributes(2) if request == b"page\\0" else -2
        if code == GETATTR:
            return struct.pack("<Q2I", 1000, 0, 0) + attributes(node)
        if code == STATFS:
            return struct.pack("<5Q10I", 1, 0, 0, 1, 0, 4096, 255, 4096, *[0] * 7)
        if code in (OPEN, OPENDIR):
            return bytes(16)
        return -38

    while True:
        message = os.read(number, 1 << 17)
        _, code, unique, node = struct.unpack("<2I2Q", message[:24])
        # What is read has no answer, ever.
        if code in (FORGET, READ, INTERRUPT):
            continue
        found = answer(message[40:], code, node)
        error, body = (found, b"") if isinstance(found, int) else (0, found)
        os.write(number, struct.pack("<IiQ", 16 + len(body), error, unique) + body)
    """
)
