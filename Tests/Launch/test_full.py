"""A private file system that is full as the command ends is told of."""

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
