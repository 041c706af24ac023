"""`immure apply` where the original is on an overlayfs itself, as in every container: directories of its image are moved by nobody."""

import os
import shutil

import pytest

from harness import linux
from test_changes import diff
from test_overlay import writable
from test_overlay_kept import kept

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="mounts")


@pytest.fixture
def image(root):
    """A tree on an overlayfs whose lower layer has `old`, `rep` and `made`, each with something in it, and a spec over it."""
    disk, place = root.directory(), root.directory()
    linux.mount("tmpfs", disk, "tmpfs", 0, "size=4M")
    for name in ("base/old/sub", "base/rep", "base/made", "upper", "work", "tree"):
        (disk / name).mkdir(parents=True)
    for name in ("old/f", "old/sub/f", "rep/f", "made/f", "kept"):
        (disk / "base" / name).write_text("1\n")
    # By number: a path may have what options are parted by.
    layers = [os.open(disk / name, os.O_PATH) for name in ("base", "upper", "work")]
    words = [f"{key}=/proc/self/fd/{layer}" for key, layer in zip(("lowerdir", "upperdir", "workdir"), layers)]
    linux.mount("overlay", disk / "tree", "overlay", 0, ",".join(words))
    for layer in layers:
        os.close(layer)
    spec = root.spec(writable(root) + kept(place, disk / "tree"))

    def changed(script):
        root.shell(spec, f"cd /src && {script}").ok
        return spec

    yield disk / "tree", changed
    linux.umount(disk / "tree")
    linux.umount(disk)


SCRIPT = "rm -r old; rm -r rep; echo 2 >rep; rm -r made; mkdir made; echo 2 >made/n"


def finished(root, tree, spec):
    run = root.verb("apply", spec)
    assert run.status == 0 and "conflict" not in run.stderr and sorted(os.listdir(tree)) == ["kept", "made", "rep"], run
    assert (tree / "rep").read_text() == "2\n" and os.listdir(tree / "made") == ["n"] and diff(root, spec, status=0) == ""


def test_directories_of_the_image_go_and_make_way(root, image):
    tree, changed = image
    finished(root, tree, changed(SCRIPT))


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_one_that_was_killed_on_the_way_is_finished(root, image, number):
    tree, changed = image
    spec = changed(SCRIPT)
    root.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", "trace=unlinkat", "-e", f"inject=unlinkat:signal=KILL:when={number}")
    try:
        assert root.verb("apply", spec).status in (-9, 137)
    finally:
        root.wrapper = ()
    finished(root, tree, spec)


def test_what_the_host_has_put_into_one_is_a_conflict(root, image):
    tree, changed = image
    spec = changed("rm -r old")
    (tree / "old/sub/host").write_text("host\n")
    run = root.verb("apply", spec)
    assert run.status == 1 and "conflict: old: changed in the original since the launch" in run.stderr, run
    assert (tree / "old/sub/host").read_text() == "host\n" and (tree / "old/f").exists()
