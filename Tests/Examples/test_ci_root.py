"""ci-root.toml: root of a clean tree that is as it was when the job ends."""

import os

import pytest
from test_debian_root import tree  # noqa: F401 (a fixture)

PACKAGE = """
mkdir -p /tmp/p/DEBIAN /tmp/p/opt/thing
printf 'Package: thing\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: d\\n' >/tmp/p/DEBIAN/control
dpkg-deb --root-owner-group -b /tmp/p /tmp/thing.deb >/dev/null
dpkg -i /tmp/thing.deb >/dev/null
dpkg-query -W thing
rm -rf /usr/share/doc
"""


@pytest.fixture
def place(user, tree):  # noqa: F811
    link = user.home / "ci-root"
    link.symlink_to(tree / "debian")
    yield user.workplace()
    link.unlink()


def test_a_job_changes_nothing_of_the_tree(user, tree, place):  # noqa: F811
    me = f"setpriv --reuid={user.account.pw_uid} --regid={user.account.pw_gid} --clear-groups"
    step = f"{me} sh -ec 'echo $CI >made; mkdir -p /cache/x; id -u'"
    done = user.jail("ci-root.toml", "sh", "-ec", PACKAGE + step, cwd=place)
    assert done.stdout == f"thing\t1\n{user.account.pw_uid}\n", done
    made = os.stat(place / "made")
    assert (place / "made").read_text() == "true\n" and (made.st_uid, made.st_gid) == (
        user.account.pw_uid, user.account.pw_gid)  # fmt: skip
    assert (user.home / ".cache/ci/x").is_dir()
    assert (tree / "debian/usr/share/doc").is_dir() and not (tree / "debian/opt/thing").exists()
    again = user.jail("ci-root.toml", "dpkg-query", "-W", "thing", cwd=place, status=1)
    assert "no packages found" in again.stderr


def test_a_job_leaves_no_hook(user, tree, place):  # noqa: F811
    user.directory(place / ".git/hooks")
    done = user.jail("ci-root.toml", "sh", "-c", "echo x >.git/hooks/post-commit; mv .git aside", cwd=place, status=1)
    assert done.stderr.count("Read-only file system") == 1 and "busy" in done.stderr.lower(), done
    assert not any((place / ".git/hooks").iterdir())
