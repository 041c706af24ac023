"""Layers of an overlay that lie in one another are refused with their names: by the text, and by where links lead."""

import os

import pytest

from test_overlay import overlay, tree, writable


@pytest.mark.parametrize("upper, work, lower, words", [
    ("u", "u/w", "lo", "mount.work: is inside upper"), ("w/u", "w", "lo", "mount.upper: is inside work"),
    ("u", "w", "u/lo", "is inside upper"), ("u", "w", "w/lo/deep", "is inside work"), ("u", "u", "lo", "mount.work: the same directory as upper"),
])
def test_what_the_text_says_is_found_by_check(caller, upper, work, lower, words):
    place = caller.directory()
    spec = caller.spec(writable(caller) + overlay(place / lower, f'upper = "{place}/{upper}"\nwork = "{place}/{work}"'))
    run = caller.verb("check", spec)
    assert run.status == 2 and words in run.stderr, run
    run = caller.shell(spec, "true")
    assert run.status == 125 and words in run.stderr and os.listdir(place) == [], run


@pytest.mark.parametrize("upper, work", [("lo/u", "lo/w"), ("u", "uw"), ("u.work/u", "u.work/w")])
def test_layers_beside_one_another_or_in_the_lower_launch(caller, upper, work):
    place = caller.directory()
    for path in [(place / upper).parent, place / "lo"]:
        path.mkdir(exist_ok=True)
        caller.own(path)
    spec = caller.spec(writable(caller) + overlay(place / "lo", f'upper = "{place}/{upper}"\nwork = "{place}/{work}"'))
    assert caller.verb("check", spec).status == 0
    caller.shell(spec, "echo 1 >/src/a").ok


@pytest.mark.parametrize("upper, work, lower, words", [
    ("u", "link/w", "lo", "work is inside upper"), ("link/u", "u", "lo", "upper is inside work"), ("u", "w", "link/lo", "a lower is inside upper"),
])
def test_what_lies_in_another_layer_by_a_link_is_refused_as_that(caller, upper, work, lower, words):
    place = caller.directory()
    for name in ("u", "u/lo", "lo"):
        (place / name).mkdir()
        caller.own(place / name)
    (place / "link").symlink_to("u")
    os.lchown(place / "link", caller.uid, caller.gid)
    spec = caller.spec(writable(caller) + overlay(place / lower, f'upper = "{place}/{upper}"\nwork = "{place}/{work}"'))
    run = caller.shell(spec, "true")
    assert run.status == 125 and words in run.stderr and "no immure.json" not in run.stderr, run
    assert "hint: keep lower, upper and work apart" in run.stderr, run


@pytest.mark.parametrize("text, words", [
    ('[filesystem]\nroot = "host"\nwritable = true\nchanges = "discard"\n', "filesystem.changes: writable makes the changes in fact"),
    ('[filesystem]\nchanges = "discard"\n', "filesystem.changes: only a root that is a tree of the host's"),
    ('[[mount]]\ntarget = "/"\ntype = "image"\nsource = "/nowhere.img"\noptions = ["rw"]\n', "mount.options: an image that is the root is read-only"),
])
def test_what_a_root_contradicts_in_the_text_is_found_by_check(caller, text, words):
    spec = caller.spec(text)
    run = caller.verb("check", spec)
    assert run.status == 2 and words in run.stderr, run
    run = caller.shell(spec, "true")
    assert run.status == 125 and words in run.stderr, run
