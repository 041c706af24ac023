"""A host on which a program is a script."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from . import linux


@contextmanager
def covered(program, script, caller):
    """While the block runs this program is such a script; `{}` in it is a directory with the real one, and with the fifos that a test makes
    there."""
    place = Path(tempfile.mkdtemp(dir=caller.base))
    place.chmod(0o755)
    target = os.path.realpath(shutil.which(program))
    shutil.copy(target, place / "real")
    cover = place / program
    cover.write_text("#!/bin/sh\n" + script.format(place))
    cover.chmod(0o755)
    linux.mount(str(cover), target, flags=linux.MS_BIND)
    try:
        yield place
    finally:
        linux.umount(target)


def fifo(place, name):
    """One that everybody may read and write."""
    os.mkfifo(place / name)
    (place / name).chmod(0o666)
    return place / name
