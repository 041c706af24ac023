"""immure enter: one more command in a running jail, as confined as the first; and who may not."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time

import pytest
from harness import linux
from harness.caller import PYTHON
from harness.must import needs
from harness.patience import patient, until
from harness.terminal import Terminal

PROBE = """
import json, os, resource
status = dict(line.rstrip("\\n").split(":", 1) for line in open("/proc/self/status"))
def listed(path):
    try:
        return sorted(os.listdir(path))
    except OSError as error:
        return [str(error)]
names = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters", "Umask",
         "Cpus_allowed_list", "SigBlk", "SigIgn")
print(json.dumps({
    "status": {name: status[name].strip() for name in names if name in status},
    "namespaces": {name: os.readlink("/proc/self/ns/" + name) for name in sorted(os.listdir("/proc/self/ns")) if "_" not in name},
    "environ": sorted(os.environ.items()), "cwd": os.getcwd(), "nice": os.nice(0), "files": listed("/usr") + listed("/"),
    "cgroup": [line for line in open("/proc/self/cgroup") if line.startswith("0:")],
    "limits": [resource.getrlimit(number) for number in range(16)],
    "descriptors": sorted(map(int, os.listdir("/proc/self/fd")))[:3],
    "mounts": len(open("/proc/self/mountinfo").readlines())}), flush=True)
"""
WAIT = "\nimport signal\nsignal.pause()\n"


class Jail:
    """A jail that runs until the test ends; what its command says of itself."""

    def __init__(self, caller, spec, code=PROBE + WAIT, command=None, **more):
        self.caller = caller
        self.process = caller.start(spec, *(command or [*PYTHON, code]), **more)
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(str(self.process.communicate()))
        self.said = line.decode()

    @property
    def launcher(self):
        return self.process.pid

    def child(self, of):
        return int(open(f"/proc/{of}/task/{of}/children").read().split()[0])

    def enter(self, *words, pid=None, **more):
        return self.caller.verb("enter", str(pid or self.launcher), "--", *words, **more)

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def jail(request):
    made = []

    def start(*words, **more):
        made.append(Jail(*words, **more))
        return made[-1]

    yield start
    for one in made:
        one.close()


SPECS = [
    "",
    '[capabilities]\nkeep = ["net_bind_service", "chown"]\n[rlimits]\nnofile = "64:128"\n[identity]\numask = "077"\n',
    '[landlock]\nro = ["/etc", "/proc", "/tmp"]\nrx = ["/usr"]\n[process]\ninit = false\ncpus = "0"\nnice = 3\n',
    '[seccomp]\ndeny = ["@mount", "ptrace"]\nlog = ["acct"]\n[network]\nmode = "host"\n[namespaces]\nipc = "host"\nuts = "host"\n',
    'cwd = "/usr"\n[namespaces]\nnested = true\n[namespaces.time]\nboottime = "1h"\n[environment]\nset = { A = "b" }\n',
]


@pytest.mark.parametrize("spec", SPECS, ids=range(len(SPECS)))
def test_one_more_is_as_confined_as_the_first(caller, jail, spec):
    running = jail(caller, spec)
    run = running.enter(*PYTHON, PROBE)
    assert run.status == 0 and run.stderr == "", run
    assert json.loads(run.stdout) == json.loads(running.said)


def test_the_jail_is_named_by_any_of_its_processes(caller, jail):
    running = jail(caller, "")
    reaper = running.child(running.launcher)
    for pid in (running.launcher, reaper, running.child(reaper)):
        assert running.enter("/bin/echo", "in", pid=pid).stdout == "in\n"


def test_its_rules_are_those_of_the_launch(caller, jail):
    """A directory that the jail has put another in the place of: the rule is for what was there."""
    place = caller.open_directory()
    (place / "given").mkdir(mode=0o777)
    (place / "given").chmod(0o777)
    spec = f'[filesystem]\nrw = ["{place}"]\n[landlock]\nro = ["/etc"]\nrx = ["/usr"]\nrwx = ["{place}/given"]\n'
    running = jail(caller, spec, code="print('up', flush=True)" + WAIT)
    needs(not running.process.poll(), "make Landlock rules")
    os.rename(place / "given", place / "taken")
    (place / "given").symlink_to("/")
    script = f"cat /proc/self/status; echo x > {place}/other; echo y > {place}/taken/made; ls {place}/taken"
    run = running.enter("/bin/sh", "-c", script)
    assert run.stdout == "made\n" and not (place / "other").exists(), run


@pytest.mark.parametrize("words, status", [
    (["/bin/sh", "-c", "exit 7"], 7), (["/bin/sh", "-c", "kill -9 $$"], 137), (["/no/such"], 127), (["/etc/passwd"], 126),
])  # fmt: skip
def test_the_status_is_as_that_of_run(caller, jail, words, status):
    running = jail(caller, "")
    run = running.enter(*words)
    assert run.status == status and (status in (7, 137) or "immure: " in run.stderr), run


def test_words_and_descriptors_cross(caller, jail):
    running = jail(caller, "")
    run = running.enter("/bin/sh", "-c", 'cat; printf "%s|" "$@"; echo e >&2', "0", "a b", "", "ü", stdin=subprocess.PIPE)
    assert run.status == 0 and (run.stdout, run.stderr) == ("a b||ü|", "e\n")
    process = caller.popen([caller.binary, "enter", str(running.launcher), "cat"], stdin=subprocess.PIPE)
    assert process.communicate(b"through\n", timeout=patient(10))[0] == b"through\n"


def test_without_words_it_is_a_shell_on_a_terminal_of_the_jails(caller, jail):
    running = jail(caller, "")
    terminal = Terminal(caller, [caller.binary, "enter", str(running.launcher)])
    terminal.send("echo $((6*7)) $TERM; tty\r")
    terminal.expect("42 xterm")
    terminal.expect("/dev/pts/0")
    terminal.send("sleep 100\r")
    terminal.runs("sleep 100")
    terminal.send("\x03")
    terminal.send("exit 5\r")
    assert terminal.wait(10) == 5
    assert terminal.settings == terminal.before
    terminal.close()


def test_a_signal_is_for_the_command(caller, jail):
    running = jail(caller, "")
    process = caller.popen([caller.binary, "enter", str(running.launcher), "--", "bash", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.02; done"])
    assert process.stdout.readline() == b"up\n"
    process.terminate()
    assert process.wait(patient(10)) == 9


def test_what_entered_ends_with_who_sent_it_and_with_the_jail(caller, jail):
    running = jail(caller, "")
    line = [caller.binary, "enter", str(running.launcher), "--", "/bin/sh", "-c", "echo $$; exec sleep 1000"]
    process = caller.popen(line)
    inside = process.stdout.readline().decode().strip()
    process.kill()
    process.wait()
    deadline = time.monotonic() + patient(10)
    while running.enter("/bin/ls", f"/proc/{inside}").status == 0:
        assert time.monotonic() < deadline
    process = caller.popen(line)
    process.stdout.readline()
    running.process.kill()
    assert process.wait(patient(10)) == 137


def test_who_is_in_no_jail_is_told(caller, jail):
    run = caller.verb("enter", str(os.getpid()), "true")
    assert run.status == 125 and "no launcher of immure waits" in run.stderr, run
    assert "there is no process" in caller.verb("enter", "4194303", "true").stderr
    # A jail of the host's process ids: its launcher has become the command.
    spec = caller.shared_pids('[process]\ntty = "none"\n')
    running = jail(caller, spec.replace("[process]", "[process]", 1), command=["/bin/sh", "-c", "echo up; exec sleep 1000"])
    run = running.enter("/bin/true")
    assert run.status == 125 and "did not stay" in run.stderr and "hint: name the process" in run.stderr
    # As the hint says.
    running = jail(caller, 'timeout = "1h"\n' + spec, command=["/bin/sh", "-c", "echo up; exec sleep 1000"])
    assert running.enter("/bin/echo", "in").stdout == "in\n"


def test_what_the_hint_about_options_says(caller, jail):
    """Nothing of a jail that runs is set anew; an option of the command's own comes after --."""
    running = jail(caller, "")
    run = caller.verb("enter", str(running.launcher), "--set", "hostname=\"x\"", "true")
    assert run.status == 125 and "hint: the jail is as it was launched: enter takes no options but the command's, after --" in run.stderr, run
    assert "key of the spec" not in run.stderr
    assert running.enter("/bin/echo", "--set", "x").stdout == "--set x\n"


def test_only_who_has_launched_it_enters(root, user, jail):
    running = jail(user, "")
    run = root.verb("enter", str(running.launcher), "true")
    assert run.status == 125 and f"uid {user.uid} has launched this jail" in run.stderr, run
    running = jail(root, "")
    run = user.verb("enter", str(running.launcher), "true")
    assert run.status == 125 and "uid 0 has launched this jail" in run.stderr, run


def test_a_program_that_is_not_readable_keeps_its_namespaces(root, user, jail):
    """Its memory belongs to a user namespace in which it is readable (fs/exec.c, would_dump)."""
    place = root.directory()
    program = root.file(place / "program", open("/bin/sleep", "rb").read(), mode=0o711)
    shell = f"echo up; exec {program} 1000"
    running = jail(user, f'[filesystem]\nro = ["{place}"]\n', command=["/bin/sh", "-c", shell])
    reaper = running.child(running.launcher)
    while open(f"/proc/{running.child(reaper)}/comm").read() != "program\n":
        time.sleep(0.01)
    run = running.enter("/bin/true")
    assert run.status == 125 and "hint: the program of the jail's command" in run.stderr, run
    program.chmod(0o755)
    other = jail(user, f'[filesystem]\nro = ["{place}"]\n', command=["/bin/sh", "-c", shell])
    assert other.enter("/bin/true").status == 0


FAKE = """
import os, socket, sys
door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
door.bind("\\0immure/enter/" + sys.argv[1])
door.listen()
print("up", flush=True)
while True:
    came, _ = door.accept()
    data, descriptors, _, _ = socket.recv_fds(came, 100000, 10)
    print("got", len(data), len(descriptors), flush=True)
"""


def test_a_fake_jail_gets_nothing(user, jail):
    """A process of a user namespace below that listens as a launcher would, by its own id and by another's."""
    needs(shutil.which("unshare"), "find unshare")
    for kind in (["-U"], ["-Ur", "--pid", "--fork"]):
        process = user.popen(["unshare", *kind, "/usr/bin/python3", "-c",
                              "import os\nprint(os.readlink('/proc/self'), flush=True)\n" + FAKE.replace("sys.argv[1]", "os.readlink('/proc/self')")])  # fmt: skip
        fake = process.stdout.readline().decode().strip()
        assert process.stdout.readline() == b"up\n", process.communicate()
        run = user.verb("enter", fake, "true")
        assert run.status == 125 and ("confined otherwise" in run.stderr or "no launcher" in run.stderr), run
        os.set_blocking(process.stdout.fileno(), False)
        # It saw the connection end, and no words or descriptors.
        time.sleep(0.3)
        assert (process.stdout.read() or b"") in (b"", b"got 0 0\n")
        for one in linux.descendants(process.pid) if hasattr(linux, "descendants") else []:
            os.kill(one, signal.SIGKILL)
        process.kill()
        process.wait()
    running = jail(user, "[network]\nmode = \"host\"\n", command=["/usr/bin/python3", "-c", FAKE, str(os.getpid())])
    run = user.verb("enter", str(os.getpid()), "true")
    assert run.status == 125 and "no launcher" in run.stderr, run
    assert running.process.poll() is None


MEET = """
import os, socket, sys

def meet(launcher):
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.settimeout(20)
    line.connect("\\0immure/enter/" + launcher)
    token, file = os.urandom(16), os.memfd_create("token")
    os.write(file, token)
    try:
        own = os.pidfd_open(os.getpid())
    except OSError:
        own = 0
    socket.send_fds(line, [file.to_bytes(4, "big")], [own])
    answer, [server], _, _ = socket.recv_fds(line, 100, 1)
    assert answer[:1] == bytes([4]) and answer[5:] == token, answer
    process = next(row.split()[1] for row in open(f"/proc/self/fdinfo/{server}") if row.startswith("Pid:"))
    return line, f"/proc/{process}/fd/" + str(int.from_bytes(answer[1:5], "big"))
"""

CALL = MEET + """
try:
    line, place = meet(sys.argv[1])
    socket.send_fds(line, [open(place, "rb").read() + b"\\0/bin/true\\0"], [0, 1, 2])
    answer = line.recv(100)
except OSError as error:
    answer = str(error).encode()
except ValueError:  # no answer, and no descriptor with it
    answer = b""
print(repr(answer))
"""

#: Sends words without having read the other's token.
GUESS = CALL.replace('open(place, "rb").read()', "bytes(16)")


def test_a_jail_with_the_hosts_network_is_sent_away(caller, jail):
    """At the door of another jail of the same user; the answer is the end of the connection, or no connection at all."""
    other = jail(caller, "")
    for more in ("", "user = 0\ngroup = 0\n"):
        run = caller.run(f'[network]\nmode = "host"\n[identity]\n{more}', "/usr/bin/python3", "-c", CALL, str(other.launcher))
        assert run.status == 0 and run.stdout.strip() in ("b''", "b'[Errno 104] Connection reset by peer'", "b'[Errno 1] Operation not permitted'", "b'[Errno 111] Connection refused'"), run
    assert other.enter("/bin/echo", "in").stdout == "in\n"
    # The same words from outside are heard.
    out = subprocess.run(["/usr/bin/python3", "-c", CALL, str(other.launcher)], capture_output=True, text=True, **caller.account())
    assert out.stdout.startswith("b'\\x01'"), out


LEAVE = MEET + """
for attempt in range(40):
    if os.fork() == 0:
        line, place = meet(sys.argv[1])
        if attempt % 2:
            socket.send_fds(line, [open(place, "rb").read() + b"\\0/bin/true\\0"], [0, 1, 2])
        os._exit(0)
    os.wait()
"""


def test_who_has_gone_before_the_answer_leaves_nothing(caller, jail):
    running = jail(caller, "")
    held = lambda: len(os.listdir(f"/proc/{running.launcher}/fd"))  # noqa: E731
    before = held()
    assert running.enter("/bin/true").status == 0
    done = subprocess.run(["/usr/bin/python3", "-c", LEAVE, str(running.launcher)], capture_output=True, text=True, **caller.account())
    assert done.returncode == 0, done
    assert running.enter("/bin/echo", "in").stdout == "in\n"
    # Whoever has entered is answered first.
    until(lambda: held() == before)


def test_who_has_not_shown_its_freedom_is_not_heard(caller, jail):
    running = jail(caller, "")
    out = subprocess.run(["/usr/bin/python3", "-c", GUESS, str(running.launcher)], capture_output=True, text=True, **caller.account())
    assert out.stdout == "b''\n", out
    assert running.enter("/bin/echo", "in").stdout == "in\n"


MOVE = """
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)

def move():
    # CLONE_NEWUSER; then CLONE_NEWNET | CLONE_NEWUTS twice, after which the numbers may be the first ones again.
    for flags in (0x10000000, 0x44000000, 0x44000000):
        if libc.unshare(flags) < 0:
            raise OSError(ctypes.get_errno(), "unshare")

"""


@pytest.mark.parametrize("init", ["true", "false"])
def test_a_command_that_has_moved_leads_nobody_into_its_namespaces(caller, jail, init):
    spec = f"[namespaces]\nnested = true\n[process]\ninit = {init}\n"
    running = jail(caller, spec, code=MOVE + "move(); print('up', flush=True)" + WAIT)
    run = running.enter("/bin/echo", "in")
    assert (run.status, run.stdout) == (125, ""), run
    assert "the jail's command has left the jail's" in run.stderr and "namespace for another" in run.stderr
    # What a child of the command does is its own.
    child = "if os.fork() == 0:\n    move(); print(os.readlink('/proc/self/ns/net'), flush=True); signal.pause()"
    running = jail(caller, spec, code=MOVE + child + WAIT)
    run = running.enter("/usr/bin/readlink", "/proc/self/ns/net")
    assert run.status == 0 and run.stdout.startswith("net:[") and run.stdout != running.said, run


def test_who_has_fewer_capabilities_is_sent_away(root, jail):
    """Root without a capability, at the door of root: it would have somebody with all of them act for it."""
    running = jail(root, "")
    for lost in (["--bounding-set=-sys_boot"], ["--bounding-set=-all", "--inh-caps=-all"]):
        run = root.popen(["setpriv", *lost, root.binary, "enter", str(running.launcher), "true"])
        out, err = run.communicate(timeout=patient(20))
        assert run.returncode == 125 and b"confined otherwise than this one (capabilit" in err, (out, err)
        assert b"hint: enter from the shell or the unit that has launched it" in err, err
        out = subprocess.run(["setpriv", *lost, "/usr/bin/python3", "-c", CALL, str(running.launcher)], capture_output=True, text=True)
        assert out.stdout.strip() in ("b''", "b'[Errno 104] Connection reset by peer'", "b'[Errno 32] Broken pipe'"), out
    assert running.enter("/bin/echo", "in").stdout == "in\n"


def test_who_is_in_another_mount_namespace_is_told_the_way(root, jail):
    running = jail(root, "")
    run = root.popen(["unshare", "-m", root.binary, "enter", str(running.launcher), "/bin/echo", "in"])
    out, err = run.communicate(timeout=patient(20))
    number = running.launcher
    assert run.returncode == 125 and f"process {number} is in another mount namespace than this one" in err.decode(), (out, err)
    hint = err.decode().split("as root: ")[1].strip()
    assert hint == f"nsenter -t {number} -m immure enter {number}"
    # As the hint says.
    line = [str(root.binary) if word == "immure" else word for word in hint.split()]
    run = root.popen(["unshare", "-m", *line, "/bin/echo", "in"])
    out, err = run.communicate(timeout=patient(20))
    assert (run.returncode, out) == (0, b"in\n"), (out, err)


#: Executes the rest of its words where Landlock handles TCP ports, and nothing of files: mounts can still be made.
CONFINE = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
rules = libc.syscall(444, struct.pack("QQ", 0, 1), 16, 0)
if rules < 0 or libc.syscall(446, rules, 0) < 0:
    raise SystemExit("no Landlock: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def confined():
    line = ["setpriv", "--no-new-privs", "/usr/bin/python3", "-c", CONFINE]
    needs(subprocess.run([*line, "true"], capture_output=True).returncode == 0, "handle ports by Landlock")
    return line


def test_landlock_tells_who_is_as_free(caller, jail, confined):
    """Client and launcher, one of them in a domain that the other is not in; and both in the same one."""
    free, words = ["setpriv", "--no-new-privs"], caller.line("", ["/bin/sh", "-c", "echo up; exec sleep 1000"])[0]

    def enter(launcher, line, *command):
        run = caller.popen([*line, *command])
        out, err = run.communicate(timeout=patient(20))
        return run.returncode, out.decode(), err.decode()

    for line, others, said in ((free, confined, "Landlock confines this process"), (confined, free, "has sent this process away")):
        launcher = caller.popen([*line, *words])
        try:
            assert launcher.stdout.readline() == b"up\n", launcher.communicate()
            number = str(launcher.pid)
            status, out, err = enter(launcher, others, caller.binary, "enter", number, "/bin/echo", "in")
            assert (status, out) == (125, "") and said in err, err
            status, out, err = enter(launcher, others, "/usr/bin/python3", "-c", CALL, number)
            assert "\\x01" not in out, (out, err)
            # As free as it is, and of the same domain where there is one.
            if line is free:
                assert enter(launcher, line, caller.binary, "enter", number, "/bin/echo", "in")[1] == "in\n"
        finally:
            launcher.kill()
            launcher.communicate()
    both = 'import subprocess, sys\nrun = subprocess.Popen(sys.argv[3:], stdout=subprocess.PIPE)\nrun.stdout.readline()\n' \
        'print(subprocess.run([sys.argv[1], "enter", str(run.pid), "/bin/echo", sys.argv[2]]).returncode, flush=True)\nrun.kill()'
    status, out, err = enter(None, confined, "/usr/bin/python3", "-c", both, caller.binary, "in", *words)
    assert out == "in\n0\n", (status, out, err)


STALL = """
import socket, sys, time
lines = []
for _ in range(30):
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.connect("\\0immure/enter/" + sys.argv[1])
    lines.append(line)
print("stalled", flush=True)
while True:
    time.sleep(0.01)
    lines = lines[1:]
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.connect("\\0immure/enter/" + sys.argv[1])
    lines.append(line)
"""


def test_who_says_nothing_keeps_nobody_out(caller, jail):
    """Processes of the same user that come and stand there, thirty at once, and some hundred a second."""
    running = jail(caller, "")
    stalling = [subprocess.Popen(["/usr/bin/python3", "-c", STALL, str(running.launcher)], stdout=subprocess.PIPE, **caller.account()) for _ in range(2)]
    try:
        for process in stalling:
            assert process.stdout.readline() == b"stalled\n"
        begin = time.monotonic()
        for _ in range(5):
            assert running.enter("/bin/echo", "in").stdout == "in\n"
        assert time.monotonic() - begin < patient(10)
    finally:
        for process in stalling:
            process.kill()
            process.communicate()


ATTACK = """
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
print("up", flush=True)
gains, seen, own = [], set(), os.getpid()

def name_of(process):
    return open(f"/proc/{process}/comm").read()

def attach(process):
    if libc.ptrace(0x4206, process, 0, 0) < 0:  # PTRACE_SEIZE
        raise OSError

def take(process):
    descriptor = os.pidfd_open(process)
    try:
        if all(libc.syscall(438, descriptor, number, 0) < 0 for number in range(16)):  # pidfd_getfd(2)
            raise OSError
    finally:
        os.close(descriptor)

def reach(process):
    links = [os.readlink(f"/proc/{process}/fd/{number}") for number in os.listdir(f"/proc/{process}/fd") if int(number) > 2]
    # Its channel and its own status are of no use to anybody.
    if not [link for link in links if not link.startswith("socket:") and not link.endswith("/status")]:
        raise OSError

tries = {
    "root": lambda process: os.stat(f"/proc/{process}/root/usr"),
    "directory": lambda process: os.stat(f"/proc/{process}/cwd/"),
    "descriptors": reach,
    "memory": lambda process: os.open(f"/proc/{process}/mem", os.O_RDWR),
    "environment": lambda process: open(f"/proc/{process}/environ").read(),
    "program": lambda process: os.open(f"/proc/{process}/exe", os.O_RDONLY),
    "ptrace": attach,
    "pidfd": take,
}
while not os.path.exists("/tmp/stop"):
    for process in [int(name) for name in os.listdir("/proc") if name.isdigit()]:
        for what, do in tries.items():
            try:
                # What has been executed is a process as this one: whose name is immure's still stands before that.
                if process in (1, own) or "immure" not in name_of(process):
                    break
                seen.add(process)
                do(process)
                if "immure" in name_of(process):
                    gains.append(what)
            except OSError:
                pass
print(json.dumps([gains, len(seen)]), flush=True)
"""


@pytest.mark.parametrize("more", ["", 'user = 0\ngroup = 0\n[capabilities]\nkeep = ["sys_ptrace", "dac_override", "kill", "setuid"]\n'])
def test_nothing_of_who_enters_is_within_reach(caller, jail, more):
    """A process of the jail of the same user, or its root with CAP_SYS_PTRACE, while many enter."""
    spec = f'[seccomp]\nprofile = "none"\n[identity]\n{more}'
    running = jail(caller, spec, code=ATTACK)
    until = time.monotonic() + patient(8)
    entered = 0
    while entered < 500 and (time.monotonic() < until or entered <= 20):
        assert running.enter("/bin/true").status == 0
        entered += 1
    running.enter("/bin/sh", "-c", "echo > /tmp/stop").ok
    out, err = running.process.communicate(timeout=patient(20))
    gains, seen = json.loads(out)
    assert gains == [] and entered > 20 and seen > 0, (gains, entered, seen, err)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_what_is_closed_here_is_nothing_of_the_hosts_there(caller, jail, closed):
    """The next file that the client opens has that number, /proc for one."""
    running = jail(caller, "")
    look = "import os\nopen('/tmp/seen', 'w').write('\\n'.join(os.readlink(f'/proc/self/fd/{n}') for n in range(3)))"
    line = " ".join(shlex.quote(str(word)) for word in [caller.binary, "enter", running.launcher, "--", *PYTHON, look])
    run = caller.popen(["/bin/sh", "-c", f"exec {line} {closed}"])
    said = run.communicate(timeout=patient(20))
    assert run.returncode == 0, said
    seen = running.enter("/bin/cat", "/tmp/seen").stdout.split("\n")
    assert len(seen) == 3
    for number, word in enumerate(["<&-", ">&-", "2>&-"]):
        assert word not in closed.split() or seen[number] == "/dev/null", seen
        assert not seen[number].startswith(("/proc", "socket", "anon_inode")), seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_launcher_that_is_stopped_keeps_nobody(caller, jail, number):
    running = jail(caller, "")
    os.kill(running.launcher, signal.SIGSTOP)
    try:
        process = caller.popen([caller.binary, "enter", str(running.launcher), "--", "/bin/true"])
        # It has caught its signals: they are blocked, and read.
        deadline = time.monotonic() + patient(10)
        while not any(line.startswith("SigBlk:") and int(line.split()[1], 16) >> (number - 1) & 1 for line in open(f"/proc/{process.pid}/status")):
            assert time.monotonic() < deadline and process.poll() is None
        process.send_signal(number)
        assert process.wait(patient(20)) in (128 + number, 125)
        run = running.enter("/bin/true")
        assert run.status == 125 and "is stopped" in run.stderr and f"hint: have it go on: kill -CONT {running.launcher}" in run.stderr, run
    finally:
        os.kill(running.launcher, signal.SIGCONT)
    assert running.enter("/bin/echo", "in").stdout == "in\n"


def test_any_process_of_the_jail_names_it_and_none_of_a_jail_within(caller, jail):
    """A process far below its command; and one of a pid namespace within, which is not entered by entering around it."""
    deep = "import os, signal\nfor _ in range(5):\n    if os.fork(): signal.pause()\nprint('up', flush=True)\nsignal.pause()"
    running = jail(caller, "", code=deep)
    process, chain = running.launcher, []
    while children := open(f"/proc/{process}/task/{process}/children").read().split():
        process = int(children[0])
        chain.append(process)
    assert len(chain) == 7
    for pid in chain:
        assert running.enter("/bin/echo", "in", pid=pid).stdout == "in\n"
    within = "import os, signal\nlibc = __import__('ctypes').CDLL(None)\nassert libc.unshare(0x30000000) == 0\n" \
        "if os.fork() == 0:\n    print('up', flush=True)\nsignal.pause()"
    for init in ("true", "false"):
        running = jail(caller, f"[namespaces]\nnested = true\n[process]\ninit = {init}\n", code=within)
        pid = running.child(running.launcher)
        while open(f"/proc/{pid}/task/{pid}/children").read().split():
            pid = running.child(pid)
        run = running.enter("/bin/true", pid=pid)
        assert run.status == 125 and f"is in a pid namespace of its own within the jail of process {running.launcher}" in run.stderr, run
        assert f"hint: to enter that jail: immure enter {running.launcher}" in run.stderr


def test_words_that_cannot_cross_are_told(caller, jail):
    running = jail(caller, "")
    run = running.enter("/bin/true", *["x" * 20000] * 10)
    assert run.status == 125 and "its words are longer than 128 KiB" in run.stderr, run
    run = running.enter("")
    assert run.status == 125 and "it has no name" in run.stderr, run
