"""What was to be read-only is read-only in what the command sees, in whatever order mount points had to be made (C26, C55).

A mount point that is missing in a tree that may not be written to is made in a copy of the directory, which shows clones of
the mounts that stood there. They had been left writable: only the mounts out of sight were sealed.
"""

import pytest

from harness.tree import rooted, tree

TMPFS = '[[mount]]\ntarget = "{}"\ntype = "tmpfs"\noptions = ["ro"]\n'


def trees(caller):
    place = tree(caller, "mnt", "deep/er")
    return {"host": '[filesystem]\nroot = "host"\n', "tree": rooted(place)}


@pytest.mark.parametrize("kind", ["host", "tree"])
@pytest.mark.parametrize(
    "targets",
    [
        ["/mnt", "/zzz"],
        ["/mnt", "/zzz/y/x"],
        ["/mnt/a", "/zzz/b"],
        ["/etc/missing", "/zzz/y/x"],
        ["/etc/missing/deeper", "/usr/missing", "/z/y/x/w"],
    ],
)
def test_c26_c55_what_is_to_be_read_only_stays_so_below_a_mirror(caller, kind, targets):
    spec = trees(caller)[kind] + "".join(TMPFS.format(target) for target in targets)
    facts = caller.facts(spec)
    for target in targets:
        assert "ro" in facts.mounts[target], facts["mountinfo"]
    own = {"/tmp", "/dev/shm", "/dev/pts", "/proc"}
    open_ones = {
        point
        for point, flags in facts.mounts.at.items()
        if "rw" in flags and point not in own and not point.startswith(("/dev/", "/proc/"))
    }
    assert open_ones == set(), facts["mountinfo"]


@pytest.mark.parametrize("kind", ["host", "tree"])
def test_c26_nothing_can_be_written_beside_a_made_mount_point(caller, kind):
    spec = trees(caller)[kind] + TMPFS.format("/mnt") + TMPFS.format("/zzz/y")
    script = "for d in / /mnt /zzz /zzz/y /dev /etc; do (: > $d/planted) 2>/dev/null && echo $d; done; true"
    assert caller.shell(spec, script).ok.stdout == ""
