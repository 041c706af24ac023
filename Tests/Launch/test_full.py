"""A private file system that is full as the command ends is told of."""

import json

import pytest


@pytest.mark.parametrize("key, place", [("tmp", "/tmp"), ("shm", "/dev/shm"), ("home", "$HOME")])
def test_it_is_named(user, key, place):
    run = user.shell(f'[filesystem]\n{key} = "1M"', f"cat /dev/zero >{place}/x")
    assert run.status != 0 and f"filesystem.{key}: full (1M of 1M)" in run.stderr


def test_a_mount_of_ones_own(caller):
    spec = '[[mount]]\ntarget = "/work"\ntype = "tmpfs"\nsize = "64K"\n'
    assert "mount /work: full (64K of 64K)" in caller.shell(spec, "cat /dev/zero >/work/x").stderr.replace("65536", "64K")


def test_a_root_that_can_be_written_to(caller):
    run = caller.shell('filesystem = { writable = true, tmp = "1M" }', "cat /dev/zero >/x")
    assert "filesystem.writable: full (1M of 1M)" in run.stderr


def test_nothing_is_said_where_there_is_room_or_all_went_well(caller):
    assert "full" not in caller.shell('filesystem.tmp = "1M"', "echo x >/tmp/x; false").stderr
    assert "full" not in caller.shell('filesystem.tmp = "1M"', "cat /dev/zero >/tmp/x 2>/dev/null; rm /tmp/x; false").stderr
    assert "full" not in caller.shell('filesystem.tmp = "1M"', "cat /dev/zero >/tmp/x 2>/dev/null; true").stderr


#: Extended attributes of one file until there is no more room: how many bytes they have, and of how many files the file system tells.
ATTRIBUTES = """
import errno, json, os, sys
os.chdir(sys.argv[1])
open("f", "w").close()
taken = 0
try:
    while taken < 64 << 20:
        os.setxattr("f", f"user.{taken}", b"x" * 60000)
        taken += 60000
except OSError as error:
    if error.errno not in (errno.ENOSPC, errno.EOPNOTSUPP): raise
print(json.dumps([taken, os.statvfs(".").f_files]))
"""


@pytest.mark.parametrize("spec, place", [
    ('[[mount]]\ntarget = "/work"\ntype = "tmpfs"\nsize = "1M"\nmode = "1777"\n', "/work"), ('[filesystem]\ntmp = "1M"\n', "/tmp"),
    ('[filesystem]\nshm = "1M"\n', "/dev/shm"), ("OVERLAY", "/src"),
])
def test_attributes_take_no_more_than_there_is_room(caller, spec, place):
    """Since Linux 6.6 a tmpfs has those of user.*, which are no part of its size."""
    if spec == "OVERLAY":
        lower = caller.open_directory()
        spec = overlay(lower, 'quota = "1M"')
    taken, files = caller.python(spec, ATTRIBUTES, place)
    assert taken <= 1 << 20 and files == 1024


def test_a_written_number_of_files_is_the_one(caller):
    spec = '[[mount]]\ntarget = "/work"\ntype = "tmpfs"\nsize = "1G"\nmode = "1777"\n'
    ask = "import os, json; print(json.dumps(os.statvfs('/work').f_files))"
    assert caller.python(spec, ask) == 1 << 18 and caller.python(spec + "inodes = 7\n", ask) == 7


def overlay(place, more=""):
    return f'[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{place}"]\n{more}\n'


def test_an_overlay_whose_changes_have_a_quota(user):
    """S13: by a line, and in the result also where the command ended well."""
    place = user.directory()
    user.file(place / "a", "a\n")
    run = user.shell(overlay(place, 'quota = "8M"'), "cat /dev/zero >/src/x")
    assert run.status != 0 and "No space left on device" in run.stderr and "mount /src: full (8M of 8M)" in run.stderr
    result = place / "result.json"
    run = user.shell(overlay(place, 'quota = "8M"'), "cat /dev/zero >/src/x 2>/dev/null; true", options=["--result", str(result)])
    assert run.ok.stderr == ""
    hit, = json.loads(result.read_text())["limits_hit"]
    assert (hit["limit"], hit["value"], hit["count"]) == ("mount /src", "8M", 1)
    assert hit["message"] == "mount /src: full (8M of 8M)" and hit["position"]
    run = user.shell(overlay(place, 'quota = "8M"'), "echo x >/src/x; false", options=["--result", str(result)])
    assert run.stderr == "" and json.loads(result.read_text())["limits_hit"] == []


def test_no_file_is_left(user):
    """Of a tmpfs, and of an overlay, whose changes are on one."""
    spec = '[[mount]]\ntarget = "/work"\ntype = "tmpfs"\nsize = "1M"\ninodes = 10\n'
    fill = "for i in $(seq 30); do : >{}/f$i || exit 3; done"
    assert "mount /work: no file is left of 10" in user.shell(spec, fill.format("/work")).stderr
    place = user.directory()
    result = place / "result.json"
    options = ["--result", str(result)]
    run = user.shell(overlay(place, 'quota = "8M"\ninodes = 20'), fill.format("/src"), options=options)
    assert "mount /src: no file is left of 20" in run.stderr and "full" not in run.stderr
    hit, = json.loads(result.read_text())["limits_hit"]
    assert (hit["limit"], hit["value"]) == ("mount /src", "20")
