"""The command opens the pipes of its caller anew, each as it was given, and no other file that it was given (C104)."""

import json
import os
import stat
import subprocess

REOPEN = """
import json, os
found = {}
for number in (0, 1, 2, 9):
    for name, mode in (("read", os.O_RDONLY), ("write", os.O_WRONLY)):
        try:
            os.close(os.open(f"/proc/self/fd/{number}", mode | os.O_NONBLOCK))
            found[f"{number} {name}"] = 0
        except OSError as error:
            found[f"{number} {name}"] = error.errno
os.write(2, json.dumps(found).encode())
"""


def test_standard_error_that_is_a_pipe_is_opened_by_name(caller):
    inside = "echo x >/dev/stderr; echo y >/dev/stdout; cat /dev/stdin"
    # The pipes are the caller's own: made by a shell of theirs.
    line = f"{{ echo z | {caller.binary} run -- sh -c '{inside}'; echo $?; }} 2>&1 | cat"
    run = caller.finish(caller.popen(["sh", "-c", line]))
    assert run.ok.stdout == "x\ny\nz\n0\n", run


def test_a_pipe_opens_as_it_was_given_only(root):
    """For root's jail: an ordinary user owns the pipe, and the command is that user."""
    read, write = os.pipe()
    given = os.dup2(write, 9)
    try:
        run = root.run("[process]\nfds = [9]", "/usr/bin/python3", "-I", "-S", "-c", REOPEN, stdin="", pass_fds=(given,))
    finally:
        for number in {read, write, given}:
            os.close(number)
    found = json.loads(run.ok.stderr)
    assert {name for name, errno in found.items() if errno == 0} >= {"0 read", "1 write", "2 write", "9 write"}
    assert {found[name] for name in ("0 write", "1 read", "2 read", "9 read")} == {13}


def test_an_ordinary_users_pipe_opens_both_ways_as_the_manual_says(user):
    """It belongs to the id that the command has, and pipes are in no file system that Landlock knows: its mode is all that there
    is, and an owner may change that."""
    code = "import os; os.fchmod(0, 0o400); os.fchmod(0, 0o600)\n" + REOPEN
    line = f'{{ echo in | {user.binary} run -- /usr/bin/python3 -I -S -c "$CODE"; }} 2>&1 | cat'
    own = json.loads(user.finish(user.popen(["sh", "-c", line], env={"CODE": code})).ok.stdout)
    assert {own[f"{number} {way}"] for number in (0, 1, 2) for way in ("read", "write")} == {0}, own
    assert "a pipe in both directions where it was made by the user that the command is" in " ".join(user.verb("manual", "1").ok.stdout.split())


def test_neither_files_nor_named_pipes_are_given_away(root):
    directory = root.directory()
    log, fifo = root.file(directory / "log", mode=0o600), directory / "fifo"
    os.mkfifo(fifo, 0o600)
    held = os.open(fifo, os.O_RDWR)
    try:
        with open(log, "ab") as out:
            run = root.shell("", "echo x >/dev/stderr; echo y >/dev/stdout", stdout=out, stderr=held, stdin=subprocess.DEVNULL)
        for path in (log, fifo):
            status = path.stat()
            assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o600, 0, 0)
    finally:
        os.close(held)
    assert run.status == 2 and log.read_text() == ""


def test_who_made_the_pipe_stays_its_owner(root):
    read, write = os.pipe()
    try:
        root.run("", "true", stdout=write).ok
        status = os.fstat(write)
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 65534, 0o620)
        root.run("[identity]\ngroup = 5", "true", stdin=read).ok
        status = os.fstat(read)
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 5, 0o640)
    finally:
        os.close(read)
        os.close(write)
