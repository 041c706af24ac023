"""squashfs.toml: a program in an image, run from there."""

import os
import shutil
import subprocess

import pytest

from harness.fuse import open_to_all
from harness.must import needs


@pytest.fixture(autouse=True)
def fuse(base):
    with open_to_all(base):
        yield


def test_a_program_of_the_image(caller, work):
    needs(shutil.which("mksquashfs") and shutil.which("squashfuse"), "mksquashfs and squashfuse")
    (work / "tool/bin").mkdir(parents=True)
    caller.file(work / "tool/bin/run", "#!/bin/sh\necho from the image\nid -u\necho x >/opt/tool/bin/run\n", 0o755)
    subprocess.run(["mksquashfs", work / "tool", work / "tool.squashfs", "-all-root", "-quiet"], check=True, capture_output=True)
    os.chown(work / "tool.squashfs", caller.account.pw_uid, caller.account.pw_gid)
    done = caller.jail("squashfs.toml", "/opt/tool/bin/run", cwd=work, status=2)
    assert done.stdout == f"from the image\n{caller.inside}\n" and "Read-only file system" in done.stderr
