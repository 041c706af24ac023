"""Files that are not the jail's stay as the descriptors that lead to them were opened (/proc/PID/fd opens them anew, proc(5))."""

import json
import os
import socket

import pytest

from harness.tree import rooted, tree

OPEN = """
import errno, json, os, sys
modes = {"r": os.O_RDONLY, "w": os.O_WRONLY, "rw": os.O_RDWR, "t": os.O_WRONLY | os.O_TRUNC, "a": os.O_WRONLY | os.O_APPEND}
def attempt(path, mode):
    try: os.close(os.open(path, modes[mode])); return "ok"
    except OSError as error: return errno.errorcode[error.errno]
print(json.dumps({f"{path} {mode}": attempt(path, mode) for path, mode in zip(sys.argv[1::2], sys.argv[2::2])}), file=sys.stderr)
"""
AS = {True: "[identity]\nuser = 0\n", False: ""}


def ask(caller, text, *pairs, code=OPEN, **more):
    """Opens paths anew inside: {"path mode": "ok" or the error}."""
    text = AS[caller.is_root] + (text or "")
    run = caller.run(text, "/usr/bin/python3", "-I", "-S", "-c", code, *sum((pair.split() for pair in pairs), []), **more)
    assert run.status == 0, run
    return json.loads(run.stderr)


@pytest.fixture
def given(caller):
    """A file for reading and a log for appending, for nobody but the caller."""
    place = caller.directory(0o700)
    paths = caller.file(place / "in", "secret", 0o600), caller.file(place / "log", "kept\n", 0o600)
    with open(paths[0]) as reading, open(paths[1], "a") as appending:
        yield paths, {"stdin": reading, "stdout": appending}


SHAPES = {
    "default": "", "direct": "DIRECT", "no init": "[process]\ninit = false\n",
    "no no_new_privs": "[process]\nno_new_privs = false\n", "another name": "[namespaces]\nuts = 'host'\n",
    "host's network": "[network]\nmode = 'host'\n", "a filter": "[seccomp]\nprofile = 'strict'\n",
    "rules": "[landlock]\nrwx = ['/']\n", "host's tree": "[filesystem]\nroot = 'host'\n",
    "host's tree and a rw": "[filesystem]\nroot = 'host'\nrw = ['/var/tmp']\n", "empty": "TREE",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a08_nothing_is_opened_wider(caller, given, shape):
    (inside, log), streams = given
    text = SHAPES[shape]
    if text == "DIRECT" and not caller.is_root:
        pytest.skip("an ordinary user's jail of the host's processes has no /proc to open anything by")
    if text == "TREE":
        text = rooted(tree(caller))
    if text == "DIRECT":
        text = caller.shared_pids() + "[process]\ntty = 'none'\n"
    found = ask(
        caller, text, "/proc/self/fd/0 w", "/proc/self/fd/0 rw", "/proc/self/fd/0 t", "/proc/self/fd/1 w",
        "/proc/self/fd/1 t", "/proc/self/fd/1 r", "/proc/self/fd/1 a", "/proc/self/fd/0 r", **streams)
    # Rules of the spec's own name what is open; the host's tree may be read.
    assert found.pop("/proc/self/fd/0 r") == ("EACCES" if shape == "rules" else "ok"), found
    if "host's tree" in shape:
        assert found.pop("/proc/self/fd/1 r") == "ok", found
    assert set(found.values()) == {"EACCES"}, found
    assert (inside.read_text(), log.read_text()) == ("secret", "kept\n")


def test_a08_what_was_given_still_works(caller, given):
    """Through the descriptors themselves: reading, appending, truncating a file that is open for writing."""
    (_, log), streams = given
    assert caller.shell(AS[caller.is_root], "cat; echo more >&1", **streams).status == 0
    assert log.read_text() == "kept\nsecretmore\n"
    whole = log.parent / "whole"
    caller.file(whole, "old old old")
    with open(whole, "r+") as file:
        code = "import os; os.ftruncate(1, 3)"
        run = caller.run(AS[caller.is_root], "/usr/bin/python3", "-I", "-S", "-c", code, stdout=file)
    assert run.status == 0 and whole.read_text() == "old"


def test_a08_as_wide_as_it_was_given(caller):
    """`/dev/stdout` of a file that is open for writing, `/dev/stdin`, /dev/null: scripts open them so."""
    place = caller.directory()
    out = caller.file(place / "out", "")
    with open(out, "r+") as file, open("/dev/null", "r+") as null:
        found = ask(caller, None, "/dev/stdout r", "/dev/stdout t", "/dev/stdin rw", stdin=null, stdout=file)
        assert set(found.values()) == {"ok"}, json.dumps(found)
    with open("/dev/null") as null:
        assert ask(caller, None, "/dev/stdin r", stdin=null, stdout=null) == {"/dev/stdin r": "ok"}
    script = "echo a >/dev/stdout; echo b >/dev/stderr; cat /dev/stdin"
    line, _ = caller.line(AS[caller.is_root], ["/bin/sh", "-c", script])
    run = caller.finish(caller.popen(["/bin/sh", "-c", 'echo c | { "$@" 2>&1; } | cat', "sh", *line]))
    assert run.stdout == "a\nb\nc\n"


KERNELS_OWN = """
import ctypes, errno, json, os, socket, sys
answers = {}
def attempt(name, path, mode=os.O_RDWR):
    try: os.close(os.open(path, mode)); answers[name] = "ok"
    except OSError as error: answers[name] = errno.errorcode[error.errno]
memory = os.memfd_create("x"); attempt("memfd", f"/proc/self/fd/{memory}")
r, w = os.pipe(); attempt("pipe", f"/proc/self/fd/{r}", os.O_RDONLY); attempt("pipe for writing", f"/proc/self/fd/{w}", os.O_WRONLY)
attempt("namespace", "/proc/self/ns/mnt", os.O_RDONLY)
temporary = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600); attempt("O_TMPFILE", f"/proc/self/fd/{temporary}")
os.link(f"/proc/self/fd/{temporary}", "/tmp/linked", src_dir_fd=0, follow_symlinks=True); attempt("linked", "/tmp/linked")
gone = os.open("/tmp/gone", os.O_CREAT | os.O_RDWR, 0o600); os.unlink("/tmp/gone"); attempt("deleted", f"/proc/self/fd/{gone}")
os.mkdir("/tmp/a"); os.mkdir("/tmp/b"); open("/tmp/a/x", "w").close(); os.rename("/tmp/a/x", "/tmp/b/x"); os.link("/tmp/b/x", "/tmp/a/y")
os.mkfifo("/tmp/fifo"); attempt("fifo", "/tmp/fifo")
listener = socket.socket(socket.AF_UNIX); listener.bind("/tmp/s"); listener.listen(); socket.socket(socket.AF_UNIX).connect("/tmp/s")
"nodev" in sys.argv or attempt("shm", "/dev/shm/x", os.O_CREAT | os.O_RDWR); attempt("null", "/dev/null"); attempt("exe", "/proc/self/exe", os.O_RDONLY)
attempt("comm", "/proc/self/comm")
master, slave = os.openpty(); attempt("pty", os.ttyname(slave)); attempt("pty anew", f"/proc/self/fd/{slave}")
library = ctypes.CDLL(None, use_errno=True)
queue = library.mq_open(b"/q", os.O_CREAT | os.O_RDWR, 0o600, None); answers["mqueue"] = "ok" if queue >= 0 else errno.errorcode[ctypes.get_errno()]
print(json.dumps(answers), file=sys.stderr)
"""


@pytest.mark.parametrize("text", [None, "[filesystem]\nroot = 'host'\n", "[filesystem]\nroot = 'host'\ndev = 'host'\n"])
def test_a08_the_jails_own_files_are_all_open(caller, text):
    found = ask(caller, text, *["nodev"] * (text is not None and "dev" in text), code=KERNELS_OWN)
    assert set(found.values()) == {"ok"}, json.dumps(found)


def test_a08_a_program_started_from_memory(caller):
    code = "import os\nm = os.memfd_create('x'); os.write(m, open('/bin/true', 'rb').read()); os.execv(f'/proc/self/fd/{m}', ['true'])"
    assert caller.run(None, "/usr/bin/python3", "-I", "-S", "-c", code).status == 0


@pytest.mark.parametrize("text", [None, "[filesystem]\nroot = 'host'\nhide = ['/etc/ssh']\n"])
def test_a08_no_way_up_from_a_directory(caller, text):
    """A directory that is passed on is open below, and nothing above it; one that is standard input not at all."""
    place = caller.directory(0o755)
    (place / "below").mkdir()
    caller.own(place / "below")
    caller.file(place / "below/file", "x", 0o666)
    caller.file(place / "above", "y", 0o666)
    number = os.open(place / "below", os.O_RDONLY | os.O_DIRECTORY)
    try:
        more = (text or "") + f"[process]\nfds = [{number}]\n"
        down, up = f"/proc/self/fd/{number}/file", f"/proc/self/fd/{number}/../above"
        found = ask(caller, more, f"{down} rw", f"{up} rw", f"{up} w", pass_fds=[number])
        assert found[f"{down} rw"] == "ok" and found[f"{up} w"] == "EACCES" and found[f"{up} rw"] == "EACCES", found
        run = caller.shell(AS[caller.is_root] + (text or ""), "cd /; echo z >/proc/self/fd/0/../above", stdin=number)
        assert run.status != 0 and "Permission denied" in run.stderr and (place / "above").read_text() == "y"
    finally:
        os.close(number)


def test_a08_a_file_that_is_passed_on(caller, given):
    (inside, log), streams = given
    numbers = [stream.fileno() for stream in streams.values()]
    more = f"[process]\nfds = {numbers}\n"
    found = ask(
        caller, more, f"/proc/self/fd/{numbers[0]} r", f"/proc/self/fd/{numbers[0]} w", f"/proc/self/fd/{numbers[1]} t",
        pass_fds=numbers)
    assert list(found.values()) == ["ok", "EACCES", "EACCES"], found


def test_a08_a_path_of_the_tree_is_as_its_mount_allows(caller, given):
    """A file that the tree shows as well: by its path as the mount says, by the descriptor as it was opened."""
    (inside, log), streams = given
    text = f'[filesystem]\nro = ["{inside}:/in"]\nrw = ["{log}:/log"]\n'
    found = ask(caller, text, "/in r", "/in w", "/log r", "/log t", "/proc/self/fd/0 w", "/proc/self/fd/1 t", **streams)
    assert found == {
        "/in r": "ok", "/in w": "EROFS", "/log r": "ok", "/log t": "ok", "/proc/self/fd/0 w": "EACCES",
        "/proc/self/fd/1 t": "EACCES"}, found


@pytest.mark.parametrize("text", ["[namespaces]\nnested = true\n", "[capabilities]\nkeep = ['sys_admin']\n[identity]\nuser = 0\n"])
def test_a08_where_the_command_is_to_mount_the_plan_says_what_stays_open(caller, text):
    path = caller.file(caller.directory() / "spec.toml", text)
    lines = caller.verb("plan", path, "--", "true").ok.stdout
    assert "keep_to_tree" not in lines and "can be opened anew, with more access" in lines


def test_a08_sockets_and_closed_streams(caller):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        found = ask(caller, None, "/proc/self/fd/0 rw", stdin=theirs)
    assert found == {"/proc/self/fd/0 rw": "ENXIO"}
    line, _ = caller.line(AS[caller.is_root], ["/bin/sh", "-c", "exit 7"])
    run = caller.finish(caller.popen(["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *line]))
    assert run.status == 7
