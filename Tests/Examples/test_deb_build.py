"""deb-build.toml: dpkg-buildpackage as whoever the jail's user is, with its packages beside the source."""

import os
import subprocess

import pytest
from inside import closed, look

CHANGES = """thing (1) unstable; urgency=low

  * New.

 -- a <a@b.c>  Sat, 01 Jan 2022 00:00:00 +0000
"""

CONTROL = """Source: thing
Maintainer: a <a@b.c>
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: thing
Architecture: any
Description: thing
 a thing
"""

RULES = """#!/usr/bin/make -f
build build-arch build-indep binary-indep clean:
binary binary-arch:
\tinstall -d debian/thing/DEBIAN debian/thing/usr/bin
\tcc -O2 -o debian/thing/usr/bin/thing thing.c
\tdpkg-gencontrol -Pdebian/thing
\tdpkg-deb --root-owner-group -b debian/thing ..
"""


@pytest.fixture
def source(caller, work, tool):
    tool("dpkg-buildpackage")
    source = caller.directory(work / "thing-1")
    # Whoever starts the jail makes thing-1.built beside it.
    if os.getuid() == 0:
        os.chown(work, caller.account.pw_uid, caller.account.pw_gid)
    caller.directory(source / "debian")
    caller.directory(source / "debian/source")
    caller.file(source / "debian/source/format", "3.0 (native)\n")
    caller.file(source / "debian/changelog", CHANGES)
    caller.file(source / "debian/control", CONTROL)
    caller.file(source / "debian/rules", RULES, mode=0o755)
    caller.file(source / "thing.c", '#include <stdio.h>\nint main(void) { puts("packaged in a jail"); }\n')
    return source


def test_builds_a_package(caller, work, source):
    # -d: the machine of the tests need not have build-essential, which is asked for otherwise.
    caller.jail("deb-build.toml", "dpkg-buildpackage", "-b", "-us", "-uc", "-d", cwd=source)
    [package] = (work / "thing-1.built").glob("thing_1_*.deb")
    assert len(list((work / "thing-1.built").glob("thing_1_*.changes"))) == 1
    listed = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    [line] = [line for line in listed.splitlines() if line.endswith("./usr/bin/thing")]
    assert "root/root" in line
    subprocess.run(["dpkg-deb", "-x", package, work / "out"], check=True)
    ran = subprocess.run([work / "out/usr/bin/thing"], capture_output=True, text=True, check=True)
    assert ran.stdout == "packaged in a jail\n"
    assert os.stat(package).st_uid == caller.inside


def test_rules_cannot_plant_a_hook(caller, source):
    caller.directory(source / ".git")
    caller.jail("deb-build.toml", "sh", "-c", "! mkdir .git/hooks && ! mv .git aside && ! touch .git/commondir", cwd=source)
    assert list((source / ".git").iterdir()) == []


def test_closed(caller, source):
    closed(look(caller, "deb-build.toml", source), caller, writable={"/build", "/build/source"})
