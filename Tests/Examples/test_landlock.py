"""landlock.toml: a jail without privilege and without namespaces."""

import json
import os

import pytest

from harness.patience import patient
from inside import Listener

PROBE = """
import errno, json, os, socket, sys
home, port, pid = sys.argv[1:]
answers = {}
def attempt(name, action):
    try:
        action()
        answers[name] = "ok"
    except OSError as error:
        answers[name] = errno.errorcode[error.errno]
attempt("here", lambda: open("made", "w").close())
attempt("home", lambda: open(home + "/secret").read())
attempt("tmp", lambda: open("/tmp/immure-was-here", "w").close())
attempt("port", lambda: socket.create_connection(("127.0.0.1", int(port))))
attempt("signal", lambda: os.kill(int(pid), 0))
attempt("memory", lambda: open(f"/proc/{pid}/environ").read())
answers["namespaces"] = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("user", "mnt", "pid", "net")]
answers["pid"] = os.getpid()
print(json.dumps(answers))
"""


@pytest.fixture
def program(caller, work):
    caller.file(work / "probe.py", PROBE)
    # The command works under the id that owns the directory.
    work.chmod(0o755)
    return work


def test_what_is_open_and_what_is_not(caller, program):
    victim = caller.start("sleep", "60", cwd=program)
    with Listener() as listener:
        run = caller.jail("landlock.toml", "python3", "probe.py", caller.home, listener.port, victim.pid, cwd=program)
    victim.kill()
    victim.wait()
    answers = json.loads(run.stdout)
    assert answers["here"] == "ok"
    assert answers["port"] == "EACCES" and answers["tmp"] == "EACCES"
    for name in ("home", "signal", "memory"):
        assert answers[name] in ("EACCES", "EPERM"), answers
    assert answers["namespaces"] == own_namespaces()


def own_namespaces():
    return [os.readlink(f"/proc/self/ns/{kind}") for kind in ("user", "mnt", "pid", "net")]


def test_under_its_own_process_id(caller, program):
    process = caller.start(
        "immure", "run", caller.spec("landlock.toml"), "--", "sh", "-c", "echo $$", cwd=program
    )
    out, err = process.communicate(timeout=patient(20))
    assert out == f"{process.pid}\n" and err == ""


def test_a_shell_works_in_the_directory(caller, work):
    caller.jail("landlock.toml", "sh", "-c", "sort /etc/services >sorted && test -s sorted", cwd=work)
    assert (work / "sorted").stat().st_size > 0
