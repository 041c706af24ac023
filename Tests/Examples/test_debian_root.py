"""debian-root.toml: root of a whole Debian tree, for an ordinary user."""

import os
import subprocess

import pytest
from conftest import cannot

# chown dac_override fowner fsetid kill setgid setuid, by number: capabilities(7).
KEPT = sum(1 << bit for bit in (0, 1, 3, 4, 5, 6, 7))


@pytest.fixture(scope="module")
def tree(base, ordinary):
    """A tree that mmdebstrap made as the example says; its root is the first subordinate id."""
    from caller import Caller

    user = Caller("user", ordinary, base)
    if ordinary.pw_name not in {line.split(":")[0] for line in open("/etc/subuid")}:
        cannot(f"map ids: {ordinary.pw_name} has no range in /etc/subuid")
    work = user.workplace()
    made = user.run(
        "mmdebstrap", "--mode=unshare", "--variant=minbase", "--quiet", "bookworm", "debian",
        cwd=work, env={"TMPDIR": "/var/tmp"}, timeout=600,
    )  # fmt: skip
    assert (work / "debian/usr/bin/dpkg").exists(), made.stderr
    yield work
    user.run("mmdebstrap", "--unshare-helper", "rm", "-rf", "debian", cwd=work, status=None)


def first_subordinate(account):
    for line in open("/etc/subuid"):
        name, start, _ = line.strip().split(":")
        if name == account.pw_name:
            return int(start)


def test_is_root_of_the_tree(user, tree, ordinary):
    command = "id -u && dpkg --verify base-files && touch /etc/made && chown daemon:daemon /etc/made && stat -c %U /etc/made"
    done = user.jail("debian-root.toml", "bash", "-ec", command, cwd=tree)
    assert done.stdout == "0\ndaemon\n"
    # Outside, its root is the first subordinate id, and daemon (uid 1) the next.
    assert os.stat(tree / "debian/etc/made").st_uid == first_subordinate(ordinary) + 1


def test_installs_a_package(user, tree):
    """dpkg unpacks, changes owners and runs scripts of a package, without network: one built in the tree."""
    command = """
mkdir -p /tmp/p/DEBIAN /tmp/p/opt/thing
printf 'Package: thing\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: d\\n' >/tmp/p/DEBIAN/control
printf '#!/bin/sh\\nset -e\\nchown games:games /opt/thing\\n' >/tmp/p/DEBIAN/postinst
chmod 755 /tmp/p/DEBIAN/postinst
dpkg-deb --root-owner-group -b /tmp/p /tmp/thing.deb >/dev/null
dpkg -i /tmp/thing.deb >/dev/null
stat -c '%U %n' /opt/thing
su -s /bin/sh games -c 'id -un'
"""
    done = user.jail("debian-root.toml", "bash", "-ec", command, cwd=tree)
    assert done.stdout == "games /opt/thing\ngames\n"


def test_is_nobody_outside(user, tree):
    """What root of the tree may do ends at the tree: the kernel's own switches are not its."""
    command = "mount -t tmpfs none /mnt || echo no mount; mknod /dev/sda b 8 0 || echo no device; hostname x || echo no name"
    done = user.jail("debian-root.toml", "bash", "-c", command, cwd=tree)
    assert done.stdout == "no mount\nno device\nno name\n"


def test_capabilities(user, tree):
    """Those of the spec in three sets, and none to inherit: uid 0 gets its own by being uid 0, capabilities(7)."""
    status = user.jail("debian-root.toml", "cat", "/proc/self/status", cwd=tree).stdout
    sets = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Cap"))
    assert {name: int(value, 16) for name, value in sets.items()} == {
        "CapInh": 0, "CapPrm": KEPT, "CapEff": KEPT, "CapBnd": KEPT, "CapAmb": 0,
    }  # fmt: skip


def test_map(user, tree, ordinary):
    done = user.jail("debian-root.toml", "cat", "/proc/self/uid_map", cwd=tree)
    first, own = first_subordinate(ordinary), ordinary.pw_uid
    lines = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    # The caller's own id stays what it is; on both sides of it are the subordinate ones.
    assert lines == [[0, first, own], [own, own, 1], [own + 1, first + own + 1, 65536 - own - 1]]


def test_as_root(base, ordinary, tree):
    """Root has no subordinate ids: it names the same ones by an explicit map."""
    import pwd

    from caller import Caller

    if os.getuid() != 0:
        cannot("start as root: the tests were started by an ordinary user")
    root = Caller("root", pwd.getpwnam("root"), base)
    first = first_subordinate(ordinary)
    ids = f"[{{ inside = 0, outside = {first}, count = 65536 }}]"
    done = root.run(
        "immure", "run", root.spec("debian-root.toml"), "--set", f"identity.uid_map={ids}",
        "--set", f"identity.gid_map={ids}", "--", "cat", "/proc/self/uid_map", cwd=tree,
    )  # fmt: skip
    assert done.stdout.split() == ["0", str(first), "65536"]
