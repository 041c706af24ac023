"""An overlay on `/`: the root itself, in place of filesystem.root."""

import json

import pytest

from harness.tree import tree


def zero(caller):
    """Lines that make the command somebody who may write to what the caller owns."""
    own = "{ inside = 0, outside = 0, count = 1 }"
    return f"[identity]\nuser = 0\ngroup = 0\nuid_map = [{own}]\ngid_map = [{own}]\n" if caller.is_root else ""


def overlay(place, more=""):
    return f'[[mount]]\ntarget = "/"\ntype = "overlay"\nlower = {json.dumps([str(each) for each in place])}\n{more}\n'


USR = '[filesystem]\nro = ["/usr"]\n'


def test_a_tree_of_the_hosts_with_another_over_it(caller):
    place, over = tree(caller), caller.directory()
    caller.file(over / "greeting", "over\n")
    run = caller.shell(zero(caller) + USR + overlay([over, place]), "cat /greeting; echo more >> /greeting && echo x > /new && cat /greeting")
    assert run.ok.stdout == "over\nover\nmore\n"
    assert (over / "greeting").read_text() == "over\n" and not (over / "new").exists() and not (place / "new").exists()


def test_kept_and_listed(caller):
    place, changes = tree(caller), caller.directory()
    spec = caller.spec(zero(caller) + USR + overlay([place], f'upper = "{changes}/upper"\nwork = "{changes}/work"'))
    caller.run(spec, "/bin/sh", "-c", "echo x > /new").ok
    assert not (place / "new").exists() and (changes / "upper/new").read_text() == "x\n"
    assert "A new" in caller.verb("diff", str(spec)).stdout


def test_read_only_and_a_quota(caller):
    place = tree(caller)
    run = caller.shell(zero(caller) + USR + overlay([place], 'options = ["ro"]'), "echo x > /new")
    assert run.status != 0 and "Read-only file system" in run.stderr
    run = caller.shell(zero(caller) + USR + overlay([place], 'quota = "1M"'), "cat /dev/zero > /new")
    assert "No space left on device" in run.stderr and "mount /: full (1M of 1M)" in run.stderr


@pytest.mark.parametrize("key", ['root = "host"', "writable = true", 'changes = "discard"'])
def test_what_contradicts_it(caller, key):
    run = caller.shell(f"[filesystem]\n{key}\n" + overlay(["/usr"]), "true")
    assert run.status == 125 and f'filesystem.{key.split()[0]}: the root is what is mounted on "/"' in run.stderr
    assert "leave one of the two out" in run.stderr


def test_a_root_that_is_optional(caller):
    run = caller.shell(overlay(["/usr"], "optional = true"), "true")
    assert run.status == 125 and "mount.optional: without it there is no root" in run.stderr
