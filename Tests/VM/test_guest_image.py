"""Images, with the kernel that is there: squashfs by a loop device for root, by squashfuse for a user (S25, S29).
`VM_RUN_UML_SUITE=bookworm Tests/VM/run guest` runs it on Debian 12's own."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from harness.patience import patient

KERNEL = tuple(int(part) for part in os.uname().release.split(".")[:2])
PLACE = Path("/srv/images")


@pytest.fixture(scope="module", autouse=True)
def place():
    PLACE.mkdir()
    for module in ("loop", "squashfs", "fuse"):
        subprocess.run(["modprobe", "-q", module], check=False)  # built in, or not there: then the launch says so
    os.chmod("/dev/fuse", 0o666)
    tree = PLACE / "tree"
    for path in ("/usr/bin/dash", "/usr/bin/cat", "/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"):
        (tree / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tree / path[1:])
    (tree / "f").write_text("within\n")
    (tree / "f").chmod(0o644)
    (tree / "secret").write_text("root's\n")
    (tree / "secret").chmod(0o600)
    yield
    # Loop devices detach themselves when the last mount has gone, which is a moment after the launch.
    due = time.monotonic() + patient(20)
    while subprocess.run(["losetup", "-a"], capture_output=True, text=True, check=True).stdout and time.monotonic() < due:
        time.sleep(0.05)
    assert subprocess.run(["losetup", "-a"], capture_output=True, text=True, check=True).stdout == ""


class Caller:
    def __init__(self, binary, uid):
        self.binary, self.uid = binary, uid
        self.image = PLACE / f"image-{uid}"
        if not self.image.exists():
            subprocess.run(["mksquashfs", PLACE / "tree", self.image, "-quiet", "-all-root"], check=True, capture_output=True)
            os.chown(self.image, uid, uid)

    def run(self, text, *command):
        spec = PLACE / f"spec-{self.uid}.toml"
        spec.write_text(text)
        os.chown(spec, self.uid, self.uid)
        return subprocess.run([self.binary, "run", spec, "--", *command], capture_output=True, text=True, timeout=60,
                              user=self.uid, group=self.uid, extra_groups=[], cwd="/")

    def spec(self, target, more=""):
        return f'[[mount]]\ntarget = "{target}"\ntype = "image"\nsource = "{self.image}"\n{more}\n'


@pytest.fixture(params=[0, 1000], ids=["root", "user"])
def caller(binary, request):
    return Caller(binary, request.param)


def test_s25_the_root_is_an_image(caller):
    run = caller.run(caller.spec("/"), "/usr/bin/dash", "-c", "cat /f; echo x 2>/dev/null >/x || echo shut; cat /proc/self/mountinfo")
    assert run.returncode == 0, run
    content, shut, *mounts = run.stdout.splitlines()
    assert (content, shut) == ("within", "shut") and any("squash" in mount for mount in mounts), run


def test_s25_beside_the_system(caller):
    run = caller.run(caller.spec("/opt/i"), "cat", "/opt/i/f")
    assert (run.returncode, run.stdout, run.stderr) == (0, "within\n", "")
    broken = PLACE / f"broken-{caller.uid}"
    content = caller.image.read_bytes()
    broken.write_bytes(content[:96] + bytes(len(content) - 96))
    os.chown(broken, caller.uid, caller.uid)
    run = caller.run(caller.spec("/opt/i").replace(str(caller.image), str(broken)), "echo", "ran")
    assert run.returncode == 125 and run.stdout == "" and "/opt/i" in run.stderr, run


def test_an_ext4_of_a_user(binary):
    """By fuse2fs, which ends with the jail."""
    image = PLACE / "ext4"
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", PLACE / "tree", image], check=True)
    os.chown(image, 1000, 1000)
    user = Caller(binary, 1000)
    spec = user.spec("/opt/i").replace(str(user.image), str(image))
    run = user.run(spec, "sh", "-c", "cat /opt/i/f; cat /opt/i/secret; grep -c ' - fuse.fuse2fs ' /proc/self/mountinfo")
    assert (run.returncode, run.stdout) == (0, "within\n1\n") and "Permission denied" in run.stderr, run
    due = time.monotonic() + patient(5)
    while subprocess.run(["pgrep", "fuse2fs"], capture_output=True).returncode == 0 and time.monotonic() < due:
        time.sleep(0.05)
    assert subprocess.run(["pgrep", "fuse2fs"], capture_output=True).returncode == 1


def test_s29_squashfs_cannot_be_idmapped_by_an_older_kernel(binary):
    root = Caller(binary, 0)
    run = root.run(root.spec("/opt/i", "idmap = true"), "cat", "/opt/i/secret")
    if KERNEL < (6, 2):
        assert run.returncode == 125 and run.stdout == "" and "idmap: squashfs cannot be idmapped by Linux 6.1" in run.stderr, run
        assert "make it ext4 or, since Linux 5.19, erofs; squashfs can since Linux 6.2" in run.stderr
    else:
        assert (run.returncode, run.stdout) == (0, "root's\n"), run
    # As the hint says.
    disk = PLACE / "disk"
    with open(disk, "wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", PLACE / "tree", disk], check=True)
    run = root.run(root.spec("/opt/i", "idmap = true").replace(str(root.image), str(disk)), "cat", "/opt/i/secret")
    assert (run.returncode, run.stdout) == (0, "root's\n"), run
