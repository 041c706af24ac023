"""`immure apply` of an overlay in which other mounts stand: their mount points are no changes."""

import os

from test_changes import diff, lines, spec_of
from test_overlay import tree, writable


def test_mount_points_that_the_launch_has_made_are_no_changes(caller):
    lower, place = tree(caller), caller.directory()
    given = caller.file(caller.directory() / "given", "given\n")
    more = "".join(f'[[mount]]\ntarget = "/src/{name}"\ntype = "{kind}"\n{key}' for name, kind, key in [
        ("new/deep/point", "tmpfs", ""), ("new/file", "bind", f'source = "{given}"\n'), ("d/point", "tmpfs", ""), ("both/point", "tmpfs", "")])
    spec = spec_of(caller, place, lower, more)
    script = "cd /src && cat new/file && ls new/deep/point d/point && echo 2 >a && echo 1 >both/own"
    run = caller.run(spec, "/bin/sh", "-c", script, options=["--changes", "-"])
    assert run.status == 0 and "/src/both/own" in run.stdout and "/src/new" not in run.stdout, run
    assert lines(caller, spec) == ["M a", "A both", "A both/own"]
    run = caller.verb("apply", spec)
    assert run.status == 0 and sorted(os.listdir(lower)) == ["a", "both", "d", "e"] and sorted(os.listdir(lower / "d")) == ["x", "y"], run
    assert os.listdir(lower / "both") == ["own"] and diff(caller, spec, status=0) == ""


def test_mount_points_of_what_a_jail_has_unasked_are_no_changes(caller):
    """Below a root that is an overlay: /dev, /proc, /tmp and what else stands there, as long as the jail itself has put nothing there."""
    small, place = caller.directory(), caller.directory()
    for name in ("usr", "etc"):
        (small / name).mkdir()
        caller.own(small / name)
    for name in ("bin", "lib", "lib64", "sbin"):
        (small / name).symlink_to(f"usr/{name}")
    spec = caller.spec(writable(caller) + f'[filesystem]\nroot = "{small}"\nchanges = "{place}/kept"\nro = ["/usr"]\n')
    before = sorted(os.listdir(small))
    run = caller.run(spec, "/bin/sh", "-c", "test -c /dev/null && test -d /proc/self && echo 1 >/tmp/t && echo 1 >/own && mkdir /made", options=["--changes", "-"])
    assert run.status == 0 and run.stdout.splitlines() == ["A /made", "A /own"], run
    assert lines(caller, spec) == ["A made", "A own"]
    assert caller.verb("apply", spec, "--", "own").status == 0 and sorted(os.listdir(small)) == sorted([*before, "own"])
    # A later launch has no /tmp of its own: what it finds there is the mount point, and what it puts there is a change.
    caller.run(spec, "/bin/sh", "-c", "test -d /tmp", options=["--set", "filesystem.tmp=false"]).ok
    assert lines(caller, spec) == ["A made"]
    caller.run(spec, "/bin/sh", "-c", "echo 1 >/tmp/own", options=["--set", "filesystem.tmp=false"]).ok
    assert lines(caller, spec) == ["A made", "A tmp", "A tmp/own"]
    assert caller.verb("apply", spec).status == 0 and diff(caller, spec, status=0) == ""
    assert sorted(os.listdir(small)) == sorted([*before, "made", "own", "tmp"]) and os.listdir(small / "tmp") == ["own"] and os.listdir(small / "etc") == []
