"""Ways out that need more than one step, or somebody outside (C03, C04, C13, C14, C22, C27, C32, C44, T25)."""

import ctypes
import hashlib
import os
import shutil
import socket
import subprocess
import threading
import time

import pytest

from harness import linux
from harness.must import needs
from harness.patience import patient
from harness.tree import photograph

RENAME_EXCHANGE = 2
AT_FDCWD = -100


def exchange(one, other):
    linux.check(linux.libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE))


class Swapper(threading.Thread):
    """Exchanges two names as fast as it can, as long as the block runs and both are there."""

    def __init__(self, one, other):
        super().__init__()
        self.names, self.going, self.count = (one, other), True, 0

    def run(self):
        while self.going:
            try:
                exchange(*self.names)
            except FileNotFoundError:
                continue
            self.count += 1

    def turns(self, least, wanted):
        """So many turns, and more of them until it has come to make the exchanges that are wanted."""
        turn, deadline = 0, time.monotonic() + patient(10)
        while turn < least or self.count <= wanted:
            assert time.monotonic() < deadline or turn < least, f"{self.count} exchanges"
            yield turn
            turn += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.join()


SPECS = {
    "tmpfs": '[[mount]]\ntarget = "/work/in/deep"\ntype = "tmpfs"\n',
    "file": '[[mount]]\ntarget = "/work/in/deep/file"\ntype = "file"\ncontent = "planted"\n',
    "directory": '[[mount]]\ntarget = "/work/in/deep/made"\ntype = "dir"\n',
    "bind": '[[mount]]\ntarget = "/work/in/deep"\nsource = "/usr/share"\n',
    "symlink": '[[mount]]\ntarget = "/work/in/deep/link"\ntype = "symlink"\nto = "x"\n',
}


@pytest.mark.parametrize("kind", SPECS)
def test_c03_a_parent_of_the_target_exchanged_during_the_launch_leads_nowhere(caller, tally, kind):
    """runc CVE-2021-30465: the rootfs is a writable tree in which somebody exchanges a directory for a link outside."""
    victim = caller.open_directory()
    caller.file(victim / "ptmx", "marker")
    (victim / "deep").mkdir()
    place = caller.directory()
    for name in ("usr", "work/in/deep", "bin", "lib", "lib64"):
        (place / name).mkdir(parents=True) if name.startswith(("usr", "work")) else (place / name).symlink_to("usr/" + name)
    (place / "work/trap").symlink_to("../../../../../../.." + str(victim))
    before = photograph(victim)
    spec = caller.spec(f'[filesystem]\nroot = "{place}"\nwritable = true\nro = ["/usr"]\nproc = false\ndev = "none"\ntmp = false\n' + SPECS[kind])
    ends = set()
    with Swapper(place / "work/in", place / "work/trap") as swapper:
        for _ in swapper.turns(40, 100):
            ends.add(caller.run(spec, "/bin/true").status)
    tally("launches beside an exchange of names", 40)
    assert ends <= {0, 125}
    assert photograph(victim) == before


def test_c04_a_source_exchanged_during_the_launch_is_one_of_the_two(caller, tally):
    place = caller.directory()
    for name in ("one", "two"):
        (place / name).mkdir()
        caller.file(place / name / "name", name)
    spec = caller.spec(f'[filesystem]\nro = ["{place}/one:/data"]\n')
    seen = set()
    with Swapper(place / "one", place / "two") as swapper:
        for _ in swapper.turns(40, 100):
            seen.add(caller.run(spec, "/bin/cat", "/data/name").ok.stdout)
    tally("launches beside an exchange of names", 40)
    assert seen <= {"one", "two"}


UP = """
import json, os, sys, time
where = sys.argv[1]
os.chdir("/data/sub")
open("/data/ready", "w").close()
for _ in range(6000):
    if os.path.exists("/data/moved"): break
    time.sleep(0.01)
seen = []
place = "."
for _ in range(40):
    place = place + "/.."
    try: seen.append(sorted(os.listdir(place)))
    except OSError as error: seen.append(error.errno)
print(json.dumps([os.path.exists("/data/moved"), seen]))
"""


def test_c27_t25_a_directory_moved_out_of_its_bind_does_not_lead_up(caller):
    """CVE-2015-2925: whoever stands in a directory that is moved away is below no mount of the jail any more."""
    place, outside = caller.open_directory(), caller.open_directory()
    (place / "sub").mkdir()
    caller.own(place / "sub").chmod(0o777)
    caller.file(outside / "secret", "x", 0o666)
    mover = threading.Thread(target=lambda: move_when_ready(place, outside))
    mover.start()
    moved, seen = caller.python(f'[filesystem]\nrw = ["{place}:/data"]\n', UP, "x")
    mover.join()
    assert moved and not any(isinstance(names, list) and "secret" in names for names in seen), seen


def move_when_ready(place, outside):
    for _ in range(6000):
        if (place / "ready").exists():
            break
        time.sleep(0.01)
    os.rename(place / "sub", outside / "sub")
    (place / "moved").touch()


RECEIVE = """
import array, json, os, socket
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.connect("/data/socket")
data, control, _, _ = server.recvmsg(1, socket.CMSG_SPACE(4))
handle = array.array("i", control[0][2][:4])[0]
answers = []
for action in (lambda: os.fchdir(handle), lambda: os.chroot("."), lambda: os.listdir(".." if answers[0] == "ok" else "/none")):
    try:
        action()
        answers.append("ok")
    except OSError as error:
        answers.append(error.errno)
print(json.dumps(answers))
"""


def test_c27_t25_a_directory_passed_in_by_an_accomplice_cannot_become_the_root(caller):
    """Whoever outside hands a directory in has opened it; the jail still cannot make it its root."""
    place = caller.open_directory()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(place / "socket"))
    os.chmod(place / "socket", 0o777)
    listener.listen()

    def hand_over():
        connection, _ = listener.accept()
        handle = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        socket.send_fds(connection, [b"x"], [handle])
        os.close(handle)
        connection.close()

    thread = threading.Thread(target=hand_over)
    thread.start()
    answers = caller.python(f'[filesystem]\nrw = ["{place}:/data"]\n', RECEIVE)
    thread.join()
    listener.close()
    assert answers[1] == 1, answers


@pytest.mark.parametrize("how", ["connect", "send"])
def test_c22_abstract_sockets_of_the_host_are_out_of_reach(caller, how):
    kind = socket.SOCK_STREAM if how == "connect" else socket.SOCK_DGRAM
    name = f"\0immure-test-{os.getpid()}"
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(name)
    if how == "connect":
        listener.listen()
    code = f"""
import json, socket
one = socket.socket(socket.AF_UNIX, {int(kind)})
try:
    one.connect({name!r})
    print(json.dumps("connected"))
except OSError as error:
    print(json.dumps(error.errno))
"""
    answer = caller.python(None, code)
    listener.close()
    assert answer == 111


SELF_EXE = """#!/proc/self/exe
# Executed as a command this file names the program that executes it as its interpreter, which reads it as a spec.
command = ["/bin/sh", "-c", "exec 9<>/proc/$PPID/exe || exec 9<>/proc/1/exe; echo overwritten >&9"]
[namespaces]
pid = "host"
MORE
"""


@pytest.mark.parametrize("jail", ["default", "nested", "the host's uid 0", "the host's pids"])
def test_c44_the_binary_cannot_be_overwritten_through_proc_self_exe(caller, jail):
    """CVE-2019-5736: a script of the jail names /proc/self/exe as its interpreter and so has the launcher run inside, where
    other programs of the jail reach for its file. The binary belongs to the caller, whose ids the jail may have."""
    if jail == "the host's uid 0" and not caller.is_root:
        pytest.skip("an ordinary user has no jail without a user namespace")
    place = caller.directory()
    own = place / "immure"
    shutil.copy(caller.binary, own)
    own.chmod(0o755)
    caller.own(own)
    before = hashlib.sha256(own.read_bytes()).hexdigest()
    opt = caller.directory()
    inner = {
        "nested": "nested = true\n[filesystem]\nproc = false\nro = [\"/proc\"]\n",
        "the host's uid 0": 'user = "host"\nmount = "host"\nnet = "host"\nipc = "host"\nuts = "host"\ncgroup = "host"\n[identity]\nuser = 0\n',
    }.get(jail, "")
    text = SELF_EXE.replace("MORE\n", inner)
    script = caller.file(opt / "script", text, 0o755)
    caller.file(opt / "greedy", GREEDY, 0o755)
    more = {
        "default": "",
        "nested": "[namespaces]\nnested = true\n",
        # Without the filter, which would not let the launcher get as far as the file.
        "the host's uid 0": '[seccomp]\nprofile = "none"\n[namespaces]\nuser = "host"\n[identity]\nuser = 0\n',
        "the host's pids": caller.shared_pids().replace("[filesystem]\n", ""),
    }[jail]
    proc = 'proc = false\n' if jail == "the host's pids" and not caller.is_root else ""
    more = more.replace("proc = false\n", "")
    spec = caller.spec(more + f'[filesystem]\n{proc}ro = ["{opt}:/opt"]\n')
    greedy = caller.popen([own, "run", spec, "--", "/usr/bin/python3", "-I", "-S", "/opt/greedy"])
    ends = [caller.finish(caller.popen([own, "run", spec, "--", "/opt/script"]), timeout=5) for _ in range(10)]
    caller.finish(greedy, timeout=10)
    assert hashlib.sha256(own.read_bytes()).hexdigest() == before
    assert script.read_text() == text
    if jail in ("nested", "the host's uid 0"):
        # The attack has come as far as its own command, which the kernel refused to open the binary for.
        assert all("exe" in end.stderr for end in ends), ends


GREEDY = """
import os, time
held = []
end = time.monotonic() + 1.5
while time.monotonic() < end:
    for name in os.listdir("/proc") if os.path.isdir("/proc/1") or os.path.isdir("/proc/self") else []:
        if not name.isdigit(): continue
        try:
            if "immure" in os.readlink(f"/proc/{name}/exe"): held.append(os.open(f"/proc/{name}/exe", os.O_PATH))
        except OSError: pass
    for handle in held[-16:]:
        try:
            out = os.open(f"/proc/self/fd/{handle}", os.O_WRONLY)
            os.write(out, b"overwritten")
        except OSError: pass
"""


PLANT = """
import json, os, stat
answers = {}
def attempt(name, function):
    try:
        function()
        answers[name] = "ok"
    except OSError as error:
        answers[name] = error.errno
os.chdir("/data")
attempt("block", lambda: os.mknod("block", 0o060666, os.makedev(8, 0)))
attempt("character", lambda: os.mknod("character", 0o020666, os.makedev(1, 1)))
attempt("link to a device", lambda: os.link("/dev/null", "null"))
attempt("link across mounts", lambda: os.link("/data/file", "/other/file"))
attempt("link to what is read-only", lambda: os.link("/ro/file", "/data/stolen"))
attempt("rename across mounts", lambda: os.rename("/ro/file", "/data/stolen"))
def setuid():
    with open("suid", "w") as file: file.write("#!/bin/sh\\n")
    os.chmod("suid", 0o6755)
attempt("setuid file", setuid)
print(json.dumps(answers))
"""


def test_c32_t26_nothing_dangerous_is_planted_through_a_writable_mount(caller):
    data, other, ro = caller.open_directory(), caller.open_directory(), caller.open_directory()
    for place in (data, ro):
        caller.file(place / "file", "x", 0o666)
    spec = f'[filesystem]\nrw = ["{data}:/data", "{other}:/other"]\nro = ["{ro}:/ro"]\n'
    answers = caller.python(spec, PLANT)
    assert {name for name, word in answers.items() if word == "ok"} <= {"setuid file"}, answers
    for path in data.iterdir():
        about = path.lstat()
        # A set-user-ID file of the jail's user is that user's, and no more: never the host's root's.
        assert about.st_uid == caller.inside_uid or path.name == "file"
        assert not os.path.isdir(path) and oct(about.st_mode)[2:4] in ("10",), path
    assert (ro / "file").read_text() == "x"


def test_c13_a_busy_opener_of_descriptors_gives_the_jail_none(caller):
    """Descriptors that a thread of the caller opens while the launcher starts: the command has its three."""
    going = True

    def opener():
        while going:
            handle = os.open("/", os.O_RDONLY)
            os.set_inheritable(handle, True)
            os.close(handle)

    thread = threading.Thread(target=opener)
    thread.start()
    try:
        for _ in range(20):
            run = caller.run(None, "/bin/ls", "/proc/self/fd", close_fds=False).ok
            assert run.stdout.split() == ["0", "1", "2", "3"]
    finally:
        going = False
        thread.join()
