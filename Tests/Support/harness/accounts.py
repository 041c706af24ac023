"""The ordinary user of a run: an account in the run's own /etc, with ids and ranges that nobody else has."""

import grp
import os
import pwd
import socket
from pathlib import Path

#: Where ids are looked for. useradd(8) takes the next after the highest in use, and Debian assigns none of these.
FIRST, COUNT = 50_000, 1_000
#: Subordinate ids: above those that useradd(8) gives out, below 2^31.
RANGES, SIZE = 1_000_000_000, 65_536

_claims = []


def claim():
    """An id that is free on this machine, and kept from other runs for as long as this process lives.

    An abstract socket is the mark: it belongs to the network namespace that the machine's runs begin in, and leaves nothing.
    """
    for number in range(FIRST, FIRST + COUNT):
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0immure-tests-id-{number}")
        except OSError:
            mark.close()
            continue
        _claims.append(mark)
        if not taken(number):
            return number
    raise RuntimeError("no free id")


def taken(number):
    for lookup in (pwd.getpwuid, grp.getgrgid):
        try:
            lookup(number)
            return True
        except KeyError:
            pass
    return False


def add(name, number):
    """Writes the account into the files of /etc, which must be the run's own, and makes its home."""
    assert os.path.ismount("/etc") and os.path.ismount("/home"), "not the run's own"
    home = Path("/home") / name
    start = RANGES + (number - FIRST) * SIZE
    lines = {
        "passwd": f"{name}:x:{number}:{number}::{home}:/bin/bash",
        "group": f"{name}:x:{number}:",
        "shadow": f"{name}:!:19000:0:99999:7:::",
        "gshadow": f"{name}:!::",
        "subuid": f"{name}:{start}:{SIZE}",
        "subgid": f"{name}:{start}:{SIZE}",
    }
    for file, line in lines.items():
        path = Path("/etc") / file
        old = path.read_text().splitlines() if path.exists() else []
        path.write_text("".join(f"{each}\n" for each in old if not each.startswith(name + ":")) + line + "\n")
    home.mkdir(exist_ok=True)
    home.chmod(0o755)
    os.chown(home, number, number)


def ordinary():
    """The account of the ordinary user: the run's own, or whoever started the tests."""
    return pwd.getpwnam(NAME) if os.getuid() == 0 else pwd.getpwuid(os.getuid())


def stranger():
    """An id without an account or a process; claimed before the run has a network namespace of its own."""
    return _stranger


#: The name is the same in every run: the files it stands in are not.
NAME = os.environ.get("IMMURE_TEST_USER", "immure-test")
_stranger = None


def begin():
    """Claims the ids of a run: its user's, which is returned, and a stranger's."""
    global _stranger
    number, _stranger = claim(), claim()
    return number
