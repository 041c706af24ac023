"""`immure apply` leaves the spec that it was given as it is, where that lies in what the jail has changed: the next launch goes by it."""

import os

import pytest

from test_changes import diff
from test_overlay import overlay, writable

KEPT = overlay(".", 'upper = "changes"\nwork = "changes.work"')
OPEN = "[network]\nmode = \"host\"\n"


def laid(caller, where="."):
    """A tree with its own spec, what that extends, and a file, changed by a script."""
    place = caller.directory()
    inner = place / where
    for directory in reversed([inner, *inner.parents]):
        if not directory.exists():
            directory.mkdir()
            caller.own(directory)
    up = "../" * len([part for part in where.split("/") if part != "."])
    lines = KEPT.replace('["."]', f'["{up or "."}"]').replace('"changes', f'"{up}../{place.name}.kept/changes')
    kept = place.parent / f"{place.name}.kept"
    kept.mkdir()
    caller.own(kept)
    caller.file(inner / "base.toml", writable(caller))
    spec = caller.file(inner / "try.toml", 'extends = ["base.toml"]\n' + lines)
    caller.file(place / "a", "a\n")

    def changed(script):
        caller.shell(spec, f"cd /src && echo more >>a && {script}").ok

    return place, inner, spec, changed


def unchanged(caller, place, inner, spec, path):
    """Nothing is applied but with --skip-conflicts, and then all but the spec."""
    before = {name: (inner / name).read_bytes() for name in ("try.toml", "base.toml")}
    for options, status in (([], 1), (["--check"], 1), (["--force"], 125)):
        run = caller.verb("apply", *options, spec)
        assert run.status == status and f"{path}: " in run.stderr and "no jail of it may change that" in run.stderr, run
        assert (place / "a").read_text() == "a\n"
    assert caller.verb("apply", "--skip-conflicts", spec).status == 0
    assert (place / "a").read_text() == "a\nmore\n"
    assert before == {name: (inner / name).read_bytes() for name in before}
    return diff(caller, spec, status=1)


@pytest.mark.parametrize("name", ["try.toml", "base.toml"])
@pytest.mark.parametrize(
    "script", ["printf '{}' >>{name}", "printf '{}' >n && mv n {name}", "rm {name}", "mv {name} other", "rm {name} && mkdir {name}", "chmod 666 {name}"],
    ids=["write", "replace", "remove", "move", "directory", "mode"])
def test_the_spec_and_what_it_extends_stay(caller, name, script):
    place, inner, spec, changed = laid(caller)
    changed(script.replace("{name}", name).replace("{}", OPEN.replace("\n", "\\n")))
    assert f" {name}" in unchanged(caller, place, inner, spec, name)


@pytest.mark.parametrize("script", ["mv conf other", "rm -r conf", "rm -r conf && ln -s other conf", "rm -r conf && echo >conf"])
def test_a_directory_above_it_stays(caller, script):
    place, inner, spec, changed = laid(caller, "conf/deep")
    changed(script)
    assert " conf" in unchanged(caller, place, inner, spec, "conf")


def test_what_is_made_anew_in_its_place_is_no_spec(caller):
    place, inner, spec, changed = laid(caller, "conf")
    changed("rm -r conf && mkdir conf && echo 'network.mode = \"host\"' >conf/try.toml")
    unchanged(caller, place, inner, spec, "conf/base.toml")


def test_a_link_to_it_stays(caller):
    place, inner, spec, changed = laid(caller, "conf")
    link = place / "way"
    link.symlink_to("conf")
    os.chown(link, caller.uid, caller.gid, follow_symlinks=False)
    changed("rm way && mkdir way && echo >way/try.toml")
    run = caller.verb("apply", "--force", link / "try.toml")
    assert run.status == 125 and "way: it leads to the spec" in run.stderr and link.is_symlink(), run


def test_what_lies_beside_it_is_applied(caller):
    place, inner, spec, changed = laid(caller, "conf")
    changed("echo >conf/other.toml; chmod 700 conf")
    caller.verb("apply", spec).ok
    assert (inner / "other.toml").exists() and diff(caller, spec, status=0) == ""
