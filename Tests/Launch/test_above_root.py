"""Nothing stands above the jail's root: pivot_root(2) stacks the host's tree there, and all of it must be gone."""

import pytest

from harness.tree import rooted, tree

FILE = '[[mount]]\ntarget = "/etc/immure-made"\ntype = "file"\ncontent = "x"\n'
SAME = 'test "$(stat -c %d:%i /)" = "$(stat -c %d:%i /..)" && ls -A / >/tmp/a && ls -A /.. >/tmp/b && cmp /tmp/a /tmp/b'


def roots(caller):
    """Every way in which the root is built: by itself, over a scratch mount, and as a mirror of a read-only tree."""
    # A tree without /proc, /dev and /tmp takes mount points only in a mirror of its root.
    bare = tree(caller)
    for name in ("proc", "dev", "tmp"):
        (bare / name).rmdir()
    return {
        "system": "",
        "a file": FILE,
        "host": '[filesystem]\nroot = "host"\n',
        "host, mirrored": '[filesystem]\nroot = "host"\nro = ["/etc:/immure-made"]\n',
        "a tree": rooted(tree(caller)),
        "a tree, mirrored": rooted(bare),
        "a tree, mirrored, and a file": rooted(bare) + "\n" + FILE,
    }


KINDS = ["system", "a file", "host", "host, mirrored", "a tree", "a tree, mirrored", "a tree, mirrored, and a file"]


@pytest.mark.parametrize("kind", KINDS)
def test_c27_the_root_is_the_top(caller, kind):
    run = caller.shell(roots(caller)[kind], SAME + " && grep -c ' / / ' /proc/self/mountinfo; cat /proc/self/mountinfo")
    tops = [line for line in run.ok.stdout.splitlines() if len(line.split()) > 6 and line.split()[4] == "/"]
    assert len(tops) == 1, run
