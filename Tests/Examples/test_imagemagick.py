"""imagemagick.toml: pictures in, pictures out, originals as they were."""

import subprocess

import pytest
from inside import closed, look


@pytest.fixture
def pictures(caller, work, tool):
    subprocess.run([tool("convert"), "-size", "640x480", "gradient:red-blue", work / "photo.png"], check=True)
    caller.own(work / "photo.png")
    caller.directory(work / "out")
    return work


def test_converts(caller, pictures, tool):
    caller.jail("imagemagick.toml", cwd=pictures)
    size = subprocess.run(
        [tool("identify"), "-format", "%m %wx%h", pictures / "out/photo.jpg"], capture_output=True, text=True
    )
    assert size.stdout == "JPEG 320x240"


def test_one_picture_by_name(caller, pictures):
    caller.jail("imagemagick.toml", "/usr/bin/convert", "/in/photo.png", "/out/small.gif", cwd=pictures)
    assert (pictures / "out/small.gif").read_bytes().startswith(b"GIF8")


def test_original_is_safe(caller, pictures):
    before = (pictures / "photo.png").read_bytes()
    caller.jail("imagemagick.toml", "/usr/bin/mogrify", "-negate", "/in/photo.png", cwd=pictures, status=1)
    assert (pictures / "photo.png").read_bytes() == before


def test_picture_that_is_none(caller, pictures):
    caller.file(pictures / "broken.png", "\x89PNG\r\n\x1a\nnot at all")
    caller.jail("imagemagick.toml", cwd=pictures, status=1)


def test_closed(caller, pictures):
    closed(look(caller, "imagemagick.toml", pictures), caller, writable={"/out"})
