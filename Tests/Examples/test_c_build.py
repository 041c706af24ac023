"""c-build.toml: a build with make and gcc, and what its make file cannot do."""

import os
import subprocess

from inside import closed, look

HELLO = '#include <stdio.h>\nint main(void) { puts("built in a jail"); return 0; }\n'
MAKEFILE = "hello: hello.c\n\tcc -O2 -Wall -o $@ $<\n"


def test_builds(caller, work):
    caller.file(work / "hello.c", HELLO)
    caller.file(work / "Makefile", MAKEFILE)
    caller.jail("c-build.toml", cwd=work)
    assert subprocess.run([work / "hello"], capture_output=True, text=True).stdout == "built in a jail\n"
    assert os.stat(work / "hello").st_uid == caller.inside


def test_hostile_make_file(caller, work):
    """Every line fails, as `-` allows it to, and the build goes on."""
    caller.file(work / "hello.c", HELLO)
    caller.file(
        work / "Makefile",
        MAKEFILE
        + "\t-touch /usr/bin/escaped /etc/escaped\n"
        + f"\t-cat {caller.home}/secret\n"
        + "\t-getent hosts deb.debian.org\n",
    )
    done = caller.jail("c-build.toml", cwd=work)
    assert "do not read" not in done.stdout
    assert done.stderr.count("ignored") == 3, done.stderr
    assert not os.path.exists("/usr/bin/escaped") and not os.path.exists("/etc/escaped")


def test_closed(caller, work):
    closed(look(caller, "c-build.toml", work), caller, writable={"/src"})


def test_failure_is_the_commands_own(caller, work):
    caller.file(work / "Makefile", "all:\n\texit 3\n")
    caller.jail("c-build.toml", cwd=work, status=2)
