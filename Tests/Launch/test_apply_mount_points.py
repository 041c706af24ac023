"""`immure apply` of an overlay in which other mounts of the spec stand: their mount points are no changes."""

import os

from test_changes import diff, lines, spec_of
from test_overlay import tree


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
