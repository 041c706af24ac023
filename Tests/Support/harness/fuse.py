"""/dev/fuse as udev makes it, for everybody: on some hosts it is root's."""

import contextlib
import os
from pathlib import Path

from harness import linux


@contextlib.contextmanager
def open_to_all(base):
    """Over the host's, in the mount namespace of the run; `base` is a directory for the node."""
    if os.getuid() != 0:
        yield
        return
    node = Path(base) / "fuse"
    if not node.exists():
        os.mknod(node, 0o020666, os.makedev(10, 229))
        node.chmod(0o666)
    linux.mount(node, "/dev/fuse", flags=linux.MS_BIND)
    try:
        yield
    finally:
        linux.umount("/dev/fuse")
