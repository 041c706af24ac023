"""squashfs.toml: a program in an image, run from there."""

import os
import shutil
import subprocess

from harness.must import needs


def test_a_program_of_the_image(caller, work):
    needs(shutil.which("mksquashfs") and shutil.which("squashfuse"), "mksquashfs and squashfuse")
    needs(caller.account.pw_uid == 0 or os.access("/dev/fuse", os.W_OK) and os.stat("/dev/fuse").st_mode & 0o006 == 0o006, "open /dev/fuse")
    (work / "tool/bin").mkdir(parents=True)
    caller.file(work / "tool/bin/run", "#!/bin/sh\necho from the image\nid -u\necho x >/opt/tool/bin/run\n", 0o755)
    subprocess.run(["mksquashfs", work / "tool", work / "tool.squashfs", "-all-root", "-quiet"], check=True, capture_output=True)
    os.chown(work / "tool.squashfs", caller.account.pw_uid, caller.account.pw_gid)
    done = caller.jail("squashfs.toml", "/opt/tool/bin/run", cwd=work, status=2)
    assert done.stdout == f"from the image\n{caller.inside}\n" and "Read-only file system" in done.stderr
