"""boot.toml: what of it needs no control group; Tests/VM/test_systemd_boot.py boots a Debian by it."""

from test_debian_root import tree  # noqa: F401


def test_is_pid_1_of_the_tree(user, tree):  # noqa: F811
    command = "echo $$ $container; touch /etc/made /run/made && chown 33:33 /etc/made && stat -c %u /etc/made"
    done = user.jail("boot.toml", "bash", "-ec", command, cwd=tree)
    assert done.stdout.replace("\r", "").split() == ["1", "immure", "33"]
    assert not (tree / "debian/etc/made").exists()
