"""whole-host.toml: a package installed on the whole host, of which nothing stays."""

import os
import shutil
import subprocess

import pytest
from caller import Caller
from harness.must import cannot


@pytest.fixture
def root(base):
    import pwd

    if os.getuid() != 0:
        cannot("start as root: the tests were started by an ordinary user")
    return Caller("root", pwd.getpwnam("root"), base)


def test_a_package_leaves_nothing(root):
    if not shutil.which("dpkg-deb"):
        cannot("build a package: no dpkg-deb")
    work = root.workplace()
    tree = work / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/immure-sample").write_text("#!/bin/sh\necho sample\n")
    (tree / "usr/bin/immure-sample").chmod(0o755)
    (tree / "DEBIAN/control").write_text(
        "Package: immure-sample\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: sample\n"
    )
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, "/var/tmp/immure-sample.deb"], check=True, capture_output=True)
    try:
        before = open("/var/lib/dpkg/status", "rb").read()
        script = "dpkg -i /var/tmp/immure-sample.deb >/dev/null && immure-sample && rm -rf /usr/share/doc/bash && ls /usr/share/doc/bash"
        done = root.jail("whole-host.toml", "sh", "-c", script, cwd=work, status=2)
        assert done.stdout == "sample\n" and "No such file" in done.stderr
        assert open("/var/lib/dpkg/status", "rb").read() == before
        assert not os.path.exists("/usr/bin/immure-sample") and os.path.isdir("/usr/share/doc/bash")
        done = root.run(
            "immure", "run", root.spec("whole-host.toml"), "--changes", "-", "--", "touch", "/usr/bin/planted", cwd=work
        )
        assert "A /usr/bin/planted\n" in done.stdout and not os.path.exists("/usr/bin/planted")
    finally:
        os.unlink("/var/tmp/immure-sample.deb")


def test_an_ordinary_user_is_refused(user):
    done = user.jail("whole-host.toml", "true", cwd=user.workplace(), status=125)
    assert "immure:" in done.stderr
