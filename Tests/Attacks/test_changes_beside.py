"""`apply` and `discard` beside somebody who exchanges names below the original, or below the upper, as fast as he can."""

import os
import subprocess

import pytest

from harness.tree import photograph
from test_escapes import Swapper, exchange

ROUNDS = 12


@pytest.fixture
def place(caller):
    """A lower with a directory and a link to a victim, an upper and a work directory beside it."""
    victim, place = caller.open_directory(), caller.directory()
    caller.file(victim / "x", "marker")
    caller.file(victim / "gone", "marker")
    for name in ("lower/in/d", "changes", "work"):
        (place / name).mkdir(parents=True)
    caller.file(place / "lower/in/x", "x\n")
    (place / "lower/trap").symlink_to(victim)
    for path in [place, *place.rglob("*")]:
        caller.own(path)
    (place / "victim").symlink_to(victim)
    return place


def spec_of(caller, place):
    owner = "[identity]\nuser = 0\ngroup = 0\nuid_map = [{ inside = 0, outside = 0, count = 1 }]\ngid_map = [{ inside = 0, outside = 0, count = 1 }]\n"
    mount = f'[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{place}/lower"]\nupper = "{place}/changes"\nwork = "{place}/work"\n'
    return caller.spec((owner if caller.is_root else "") + mount)


def beside(one, other, act):
    """What `act` gives in each round, while the two names change places; afterwards they are where they were."""
    found = set()
    with Swapper(one, other) as swapper:
        for _ in swapper.turns(3, 3):
            found.add(act())
    if one.is_symlink():
        exchange(one, other)
    return found


def test_s14_apply_beside_an_exchange_of_names_leads_nowhere(caller, place, tally):
    spec, before = spec_of(caller, place), photograph((place / "victim").resolve())
    ends = set()
    for turn in range(ROUNDS):
        script = f"cd /src/in && echo {turn} >x && echo {turn} >n{turn} && rm -rf d && mkdir -p d/e/f && echo {turn} >gone && rm gone"
        caller.run(spec, "/bin/sh", "-c", script).ok
        ends |= beside(place / "lower/in", place / "lower/trap", lambda: caller.verb("apply", spec).status)
        assert photograph((place / "victim").resolve()) == before
        # What was given up in the midst is finished once nobody is in the way.
        run = caller.verb("apply", spec, "--force")
        assert run.status == 0 and os.listdir(place / "changes") == [] and (place / "lower/in/x").read_text() == f"{turn}\n", run
        assert not [name for name in os.listdir(place / "lower/in") if name not in {"x", "d", *(f"n{n}" for n in range(ROUNDS))}]
    tally("applications beside an exchange of names", 3 * ROUNDS)
    assert ends <= {0, 1, 125}, ends


def test_s20_discard_beside_an_exchange_of_names_leads_nowhere(caller, place, tally):
    spec, before = spec_of(caller, place), photograph((place / "victim").resolve())
    ends = set()
    for _ in range(ROUNDS):
        caller.run(spec, "/bin/sh", "-c", f"cd /src && for n in 1 2 3 4; do mkdir -p $n/a/b/c && echo >$n/x && echo >$n/gone; done && mkdir -p deep/in && ln -s {os.readlink(place / 'victim')} deep/trap").ok
        one, other = place / "changes/deep/in", place / "changes/deep/trap"

        def discard():
            return caller.verb("discard", spec).status

        with Swapper(one, other):
            ends.add(discard())
        assert photograph((place / "victim").resolve()) == before
        ends.add(discard())
        assert os.listdir(place / "changes") == []
    tally("discards beside an exchange of names", ROUNDS)
    assert ends <= {0, 1, 125}, ends


def applied_beside_a_racer(root, user, built, spec, place, name, count):
    """How applications of root's end while a user puts that name in the place of whatever is made in `place`."""
    racer = user.popen([built("racer"), place, name], stdout=subprocess.PIPE)
    assert racer.stdout.readline() == b"up\n"
    try:
        return [root.verb("apply", spec).status for _ in range(count)]
    finally:
        racer.kill()
        user.finish(racer)


@pytest.mark.parametrize("make", ["mkfifo", "mkdir -m 750", "ln -s nowhere"])
def test_root_gives_nothing_away_that_it_has_not_made(root, user, built, make, tally):
    """Below a directory of somebody's, who puts a file of root's in the place of what root has just made there."""
    lower, place = root.directory(), root.directory()
    (lower / "a/rd/more").mkdir(parents=True)
    (lower / "a/rd").chmod(0o700)
    (lower / "a/secret").write_text("TOPSECRET\n")
    (lower / "a/secret").chmod(0o600)
    user.own(lower / "a")
    spec = root.spec(
        f"[identity]\nuser = {user.uid}\ngroup = {user.gid}\n[[mount]]\ntarget = \"/src\"\ntype = \"overlay\"\n"
        f'lower = ["{lower}"]\nupper = "{place}/changes"\nwork = "{place}/work"\n')
    root.run(spec, "/bin/sh", "-c", f"cd /src/a; for n in $(seq 400); do {make} n$n; done").ok
    before = [(lower / "a" / name).stat() for name in ("rd", "secret")]
    ends = applied_beside_a_racer(root, user, built, spec, lower / "a", "rd" if "mkdir" in make else "secret", 6)
    tally("applications beside whoever exchanges what root makes", len(ends))
    assert set(ends) <= {0, 1, 125}, ends
    found = {path.lstat().st_ino: path.lstat() for path in (lower / "a").iterdir()}
    for was in before:
        assert (found[was.st_ino].st_uid, found[was.st_ino].st_mode) == (was.st_uid, was.st_mode), oct(found[was.st_ino].st_mode)
    assert os.listdir(lower / "a" / next(path.name for path in (lower / "a").iterdir() if path.lstat().st_ino == before[0].st_ino)) == ["more"]
