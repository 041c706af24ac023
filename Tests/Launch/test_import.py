"""What import prints is a spec that launches, and `immure as bwrap` launches it at once."""

import os
import subprocess

import pytest

READ_ONLY = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-pid"]


def front(caller, *words, name="as", **more):
    words = [caller.binary, "as", "bwrap", *words] if name == "as" else [str(name), *words]
    return caller.finish(caller.popen(words, **more))


def test_what_is_imported_of_bwrap_launches(caller):
    made = caller.verb("import", "bwrap", "--", *READ_ONLY, "--setenv", "X", "7", "/bin/sh", "-c", "echo $X $$").ok
    assert "# from bwrap:1 --ro-bind / /" in made.stdout
    assert caller.verb("run", str(caller.spec(made.stdout))).ok.stdout.split()[0] == "7"


def test_the_front_launches_with_status_and_output(caller):
    run = front(caller, *READ_ONLY, "--tmpfs", "/tmp", "/bin/sh", "-c", "ls /tmp; echo hi; exit 7")
    assert (run.status, run.stdout, run.stderr) == (7, "hi\n", "")


def test_the_front_keeps_what_bubblewrap_keeps(caller):
    run = front(caller, *READ_ONLY, "--unsetenv", "GONE", "/bin/sh", "-c", "id -u; echo $KEPT$GONE; touch /usr/x 2>&1", env={"KEPT": "k", "GONE": "g"})
    lines = run.stdout.splitlines()
    assert lines[1] == "k" and "Read-only" in lines[2]
    assert lines[0] == str(0 if caller.name == "root" else int(lines[0]))


def test_the_front_fails_with_its_name_and_status_1(caller):
    for words, what in (
        (["--wat", "/bin/true"], "unknown option --wat"),
        ([*READ_ONLY], "no command"),
        ([*READ_ONLY, "/no/such/program"], "no/such/program"),
        ([*READ_ONLY, "--ro-bind", "/no/such", "/x", "/bin/true"], "/no/such"),
        ([*READ_ONLY, "--lock-file", "/x", "/bin/true"], "--lock-file"),
    ):
        run = front(caller, *words)
        assert run.status == 1 and run.stderr.startswith("bwrap: ") and what in run.stderr, (words, run)


def test_the_front_knows_its_name(caller):
    link = caller.open_directory() / "bwrap"
    link.symlink_to(caller.binary)
    assert front(caller, *READ_ONLY, "/bin/echo", "by name", name=link).ok.stdout == "by name\n"


def test_words_come_from_a_descriptor(caller):
    reading, writing = os.pipe()
    os.write(writing, b"\0".join(word.encode() for word in READ_ONLY) + b"\0")
    os.close(writing)
    run = front(caller, "--args", str(reading), "/bin/echo", "read", pass_fds=(reading,))
    os.close(reading)
    assert run.ok.stdout == "read\n"


@pytest.mark.parametrize("text, status, line", [("ProtectSytem=full", 2, ":2:1"), ("ProcSubset=pid", 1, ":2:1"), ("Nice=3", 0, "")])
def test_a_unit_and_its_status(caller, text, status, line):
    unit = caller.file(caller.open_directory() / "a.service", f"[Service]\n{text}\nExecStart=/bin/true\n")
    run = caller.verb("import", "systemd", str(unit))
    assert run.status == status and line in run.stderr
    if status < 2:
        assert caller.verb("check", str(caller.spec(run.stdout))).status == 0
    else:
        assert run.stdout == ""


def test_a_tool_that_is_not_known_is_bad_usage(caller):
    assert caller.verb("import", "docker").status == 2
    assert caller.verb("import", "oci", "/no/such/file").status == 2
