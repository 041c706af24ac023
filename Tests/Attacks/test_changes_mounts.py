"""`apply` over an original in which something is mounted: that is no part of it."""

import pytest

from harness import linux
from harness.tree import files
from test_changes_places import spec_of


@pytest.fixture
def mounts():
    """Mounts something, by the words of `linux.mount`, until the test has ended."""
    made = []

    def mount(source, target, *words, **more):
        linux.mount(source, target, *words, **more)
        made.append(target)

    yield mount
    for target in reversed(made):
        linux.umount(target)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_volume_is_no_part_of_an_original_whose_files_have_no_handles(root, user, mounts, when):
    """An original on an overlay, as in every container, with a volume of the same file system mounted in it."""
    base, lower, place = root.directory(), root.directory(), root.directory()
    for name in ("image", "upper", "work"):
        (base / name).mkdir()
    mounts("overlay", lower, "overlay", data=f"lowerdir={base}/image,upperdir={base}/upper,workdir={base}/work")
    volume = lower / "volume"
    for directory in (lower / "data", volume):
        directory.mkdir()
        for name in ("x", "old"):
            user.file(directory / name, f"{directory.name}\n")
        user.own(directory)
    spec = root.spec(spec_of(place, lower, user) + 'options = ["bind"]\n')
    if when == "before":
        mounts(volume, lower / "data", flags=linux.MS_BIND)
    before = files(volume)
    root.run(spec, "/bin/sh", "-c", "cd /src/data; echo EVIL >x; rm old; echo EVIL >new").ok
    if when == "after":
        mounts(volume, lower / "data", flags=linux.MS_BIND)
    for options in ([], ["--skip-conflicts"]):
        run = root.verb("apply", spec, *options)
        assert run.status == (0 if options else 1) and "conflict: data/x: " in run.stderr, run
        assert files(volume) == before


@pytest.mark.parametrize("script", ["rm -r d", "rm -r d; echo new >d"])
def test_what_is_mounted_below_a_directory_that_is_to_go_stays(root, user, mounts, script):
    lower, place, volume = root.directory(), root.directory(), root.directory()
    (lower / "d/volume").mkdir(parents=True)
    (volume / "x").write_text("volume\n")
    spec = root.spec(spec_of(place, lower, user))
    for path in (lower, lower / "d", lower / "d/volume"):
        path.chmod(0o777)
    root.run(spec, "/bin/sh", "-c", f"cd /src; {script}").ok
    mounts(volume, lower / "d/volume", flags=linux.MS_BIND)
    for options in ([], ["--force"], ["--skip-conflicts"]):
        run = root.verb("apply", spec, *options)
        assert run.status == (125 if options == ["--force"] else 0 if options else 1), run
        assert "d: something is mounted there, or below it, in the original" in run.stderr, run
        assert (lower / "d/volume/x").read_text() == "volume\n"


def test_a_file_that_is_mounted_over_another_stays(root, user, mounts):
    lower, place = root.directory(), root.directory()
    for name in ("f", "g"):
        user.file(lower / name, "old\n")
    over = user.file(root.directory() / "over", "mounted\n")
    spec = root.spec(spec_of(place, lower, user))
    root.run(spec, "/bin/sh", "-c", "echo new >/src/f; echo new >/src/g").ok
    mounts(over, lower / "f", flags=linux.MS_BIND)
    for options in ([], ["--force"], ["--skip-conflicts"]):
        run = root.verb("apply", spec, *options)
        assert run.status == (125 if options == ["--force"] else 0 if options else 1), run
        assert "f: something is mounted there" in run.stderr and (lower / "f").read_text() == "mounted\n", run
    assert (lower / "g").read_text() == "new\n"
