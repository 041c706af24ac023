"""What a jail does at random to an overlay, put into the original by `immure apply`, is what the same does to a plain directory."""

import os
import random
import shutil

import pytest

from harness.tree import files
from test_changes import spec_of

SEED = int(os.environ.get("IMMURE_SEED") or random.SystemRandom().randrange(1 << 32))
#: Does the same below each directory that it is given: what is tried is the numbers', not the directory's.
ACTS = r'''
import os, random, shutil, stat, sys
NAMES = [b"a", b"b", b"c d", b"-n", b"e\nf", b"g\\\"h", b"i\xff", b"\xc3\xa4", b".hidden", b".wh.a", b".immure.apply.1", b"immure.json", b"n" * 255, b"x:y,z"]

def change(top, seed, count, links):
    dice = random.Random(seed)
    kinds = ["write"] * 5 + ["append"] * 3 + ["mkdir"] * 4 + ["remove"] * 4 + ["move"] * 4 + ["link"] * 2 * links
    kinds += ["symlink", "chmod", "chmod", "fifo", "attribute", "hole", "empty", "cut", "again"]

    def place():
        path = top
        for _ in range(dice.randrange(4)):
            below = os.path.join(path, dice.choice(NAMES))
            if os.path.isdir(below) and not os.path.islink(below):
                path = below
        return os.path.join(path, dice.choice(NAMES))

    def gone(path):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)

    def plain(path):
        return os.path.lexists(path) and stat.S_ISREG(os.lstat(path).st_mode)

    def carry(path, other):
        # An overlay does not rename a directory of the original, rename(2): EXDEV.
        if os.path.islink(path) or not os.path.isdir(path):
            return os.rename(path, other)
        os.mkdir(other)
        os.chmod(other, os.lstat(path).st_mode & 0o777)
        for name in sorted(os.listdir(path)):
            carry(os.path.join(path, name), os.path.join(other, name))
        os.rmdir(path)

    for number in range(count):
        kind, path, other = dice.choice(kinds), place(), place()
        mode, size = dice.choice([0o600, 0o640, 0o755, 0o444, 0o777]), dice.choice([0, 1, 5000, 70000])
        text = b"%d:%d " % (seed, number) * (size // 8 + 1)
        try:
            if plain(path):
                os.chmod(path, os.lstat(path).st_mode & 0o777 | 0o600)
            if kind in ("write", "empty"):
                if not plain(path):
                    gone(path)
                with open(path, "wb") as file:
                    file.write(text if kind == "write" else b"")
            elif kind == "append" and plain(path):
                with open(path, "ab") as file:
                    file.write(text)
            elif kind == "cut" and plain(path):
                os.truncate(path, size)
            elif kind == "hole":
                gone(path)
                with open(path, "wb") as file:
                    file.seek(300000)
                    file.write(text)
                    file.truncate(900000)
            elif kind == "mkdir":
                if not os.path.isdir(path) or os.path.islink(path):
                    gone(path)
                    os.mkdir(path)
                    os.chmod(path, mode | 0o700)
            elif kind == "again":
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path)
                    os.mkdir(path)
            elif kind == "remove":
                gone(path)
            elif kind == "move" and os.path.lexists(path) and not other.startswith(path) and not path.startswith(other):
                gone(other)
                carry(path, other)
            elif kind == "link" and plain(path) and path != other:
                gone(other)
                os.link(path, other)
            elif kind == "symlink":
                gone(path)
                os.symlink(dice.choice([b"a", b"../b", b"/etc/passwd", b"no\nwhere"]), path)
            elif kind == "fifo":
                gone(path)
                os.mkfifo(path, mode)
            elif kind == "chmod" and os.path.lexists(path) and not os.path.islink(path):
                os.chmod(path, mode | (0o700 if os.path.isdir(path) else 0))
            elif kind == "attribute" and plain(path):
                os.setxattr(path, "user.note", b"%d" % number)
        except (FileNotFoundError, NotADirectoryError):
            pass

for top in sys.argv[4:]:
    os.umask(0o022)
    change(os.fsencode(top), int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
'''


def picture(top):
    """Every name below a directory: kind, mode, content, attributes."""

    def attributes(path):
        return [] if path.is_symlink() else [(key, os.getxattr(path, key)) for key in os.listxattr(path) if key.startswith("user.")]

    return {name: (*about, attributes(top / name)) for name, about in files(top).items()}


@pytest.mark.parametrize("turn", range(4))
def test_random_changes_come_into_the_original_as_they_were_made(caller, turn):
    seed = SEED + turn
    base = caller.directory()
    tops = [base / "lower", base / "plain"]
    for top in tops:
        top.mkdir()
        caller.own(top)
    identity = '[identity]\nuser = 0\ngroup = 0\nuid_map = [{ inside = 0, outside = 0, count = 1 }]\ngid_map = [{ inside = 0, outside = 0, count = 1 }]\n' if caller.is_root else ""
    both = f'{identity}[filesystem]\nrw = ["{base}:/base"]\n'
    # No hard links: an overlay parts those of a lower, by design (overlayfs.rst, "Non-standard behavior").
    caller.run(both, "/usr/bin/python3", "-c", ACTS, str(seed), "60", "0", "/base/lower", "/base/plain").ok
    assert picture(tops[0]) == picture(tops[1])
    place = caller.directory()
    spec = spec_of(caller, place, tops[0])
    for part in range(2):  # running again goes on
        numbers = (str(seed + 1000 + part), "50", "1")
        caller.run(spec, "/usr/bin/python3", "-c", ACTS, *numbers, "/src").ok
        caller.run(both, "/usr/bin/python3", "-c", ACTS, *numbers, "/base/plain").ok
    before = picture(tops[0])
    assert caller.verb("diff", spec).status in (0, 1) and picture(tops[0]) == before
    run = caller.verb("apply", spec)
    assert run.status == 0, (seed, run)
    found, wanted = picture(tops[0]), picture(tops[1])
    assert found == wanted, (seed, {name: (found.get(name), wanted.get(name)) for name in {*found, *wanted} if found.get(name) != wanted.get(name)})
    assert caller.verb("diff", spec).stdout == "" and os.listdir(place / "changes") == []
    shutil.rmtree(base)
