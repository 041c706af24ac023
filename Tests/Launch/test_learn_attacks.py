"""`immure learn` where somebody else chooses: names that a command uses, the place of the spec, the records beside it."""

import json
import os
import signal
import subprocess
import time

import pytest

from harness import held
from harness.caller import PYTHON
from harness.must import cannot
from harness.patience import patient
from harness.terminal import Terminal

NAMES = ["a\nrw = [\"/\"]", 'q"]\nrw = ["/home', "t\ttab", "esc\x1b[2J", "cr\r", "a:b", "glob*[x]?", "${HOME}", "back\\slash", "# no comment", "'''"]


def learn(caller, spec, *words, options=(), **more):
    return caller.verb("learn", *options, "-o", str(spec), "--", *map(str, words), timeout=60, **more)


def plan(caller, spec):
    return json.loads(caller.verb("plan", str(spec), "--json").ok.stdout)


def test_names_are_names_and_nothing_else(caller):
    places = [caller.directory() for _ in NAMES]
    for place, name in zip(places, NAMES):
        (place / name.replace("/", "|")).write_text("x\n")
        os.chmod(place / name.replace("/", "|"), 0o644)
    files = [place / name.replace("/", "|") for place, name in zip(places, NAMES)]
    spec = caller.directory() / "s.toml"
    words = ["cat", *files]
    for _ in range(2):  # the second adds to what the first has recorded
        run = learn(caller, spec, *words, cwd=caller.directory())
        assert run.status == 0 and "\x1b" not in run.stderr, run
        assert caller.run(spec, *words).ok.stdout == "x\n" * len(NAMES)
    text = spec.read_text()
    assert "\x1b" not in text and "\r" not in text and 'rw = [' not in [line.strip()[:6] for line in text.splitlines()]
    shown = [line for line in caller.verb("plan", str(spec)).ok.stdout.splitlines() if str(caller.base) in line]
    assert all("read-only" in line or "ro" in line for line in shown if "clone" in line), shown


def test_links_whose_targets_have_line_breaks(caller):
    place = caller.directory()
    caller.file(place / "in\r", "x\n")
    (place / "l").symlink_to("in\r")
    spec, work = caller.directory() / "s.toml", caller.directory()
    for _ in range(2):
        assert learn(caller, spec, "cat", place / "l", cwd=work).status == 0
    assert caller.run(spec, "cat", place / "l").ok.stdout == "x\n"


@pytest.mark.parametrize("mine", [True, False])
def test_root_learns_in_its_project_what_runs_again(root, mine):
    """The default place of the spec is the directory that the command writes to."""
    work = root.directory(0o700 if mine else 0o755)
    root.file(work / "in", "x\n")
    run = root.verb("learn", "--", "/bin/sh", "-c", "cat in > out; cat out", cwd=work, timeout=60)
    assert run.status == 0 and "verified: in the jail" in run.stderr, run
    assert root.run(work / "sh.toml", cwd=work).ok.stdout == "x\n"
    before = (work / "sh.toml").read_bytes()
    for script in ("echo > sh.toml", "rm sh.toml", "mv sh.toml old", "ln -f in sh.toml", "rm -rf ../$(basename $PWD)/sh.toml"):
        root.run(work / "sh.toml", "/bin/sh", "-c", script, cwd=work)
        assert (work / "sh.toml").read_bytes() == before, script
    # A second run adds to it.
    assert root.verb("learn", "-o", "sh.toml", "--", "/bin/sh", "-c", "cat in > other", cwd=work, timeout=60).status == 0


def test_root_learns_what_only_root_may_read(root):
    work = root.directory(0o700)
    root.file(work / "in", "x\n", 0o600)
    run = root.verb("learn", "--", "cat", "in", cwd=work, timeout=60)
    assert run.status == 0 and "identity.user = 0: the command is the host's root" in run.stderr, run
    assert root.run(work / "cat.toml", cwd=work).ok.stdout == "x\n"


def test_root_learns_what_anybody_may_read_as_nobody(root):
    work = root.directory()
    root.file(work / "in", "x\n")
    run = root.verb("learn", "--", "cat", "in", cwd=work, timeout=60).ok
    assert "identity" not in (work / "cat.toml").read_text() and "identity.user" not in run.stderr


def test_root_learns_what_belongs_to_a_user_as_that_user(root, ordinary):
    work = root.directory()
    root.file(work / "in", "x\n", 0o600)
    os.chown(work / "in", ordinary.pw_uid, ordinary.pw_gid)
    assert root.verb("learn", "--", "cat", "in", cwd=work, timeout=60).status == 0
    assert f"user = {ordinary.pw_uid}" in (work / "cat.toml").read_text()


def test_root_writes_through_no_link_that_others_made(root, ordinary):
    mine, theirs = root.directory(), root.directory()
    os.chown(theirs, ordinary.pw_uid, ordinary.pw_gid)
    (theirs / "d").symlink_to(mine)
    os.lchown(theirs / "d", ordinary.pw_uid, ordinary.pw_gid)
    run = learn(root, theirs / "d/s.toml", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "is a symbolic link of uid" in run.stderr, run
    assert os.listdir(mine) == []
    # What the hint says.
    assert "hint: write the path that it leads to in its place" in run.stderr
    assert learn(root, mine / "s.toml", "/bin/echo", "ran").status == 0


def test_a_link_in_the_place_of_the_spec_is_not_written_through(caller):
    place, other = caller.directory(), caller.directory()
    target = caller.file(other / "f", "mine\n")
    (place / "s.toml").symlink_to(target)
    run = learn(caller, place / "s.toml", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and target.read_text() == "mine\n", run


@pytest.mark.parametrize("ending", ["", ".seen"])
def test_root_adds_to_nothing_that_others_could_have_written(root, ordinary, ending):
    spec = root.directory() / "s.toml"
    assert learn(root, spec, "/bin/true").status == 0
    os.chown(f"{spec}{ending}", ordinary.pw_uid, ordinary.pw_gid)
    run = learn(root, spec, "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and f"belongs to uid {ordinary.pw_uid}" in run.stderr, run
    # What the hint says.
    assert f"hint: chown root {spec}{ending}" in run.stderr
    os.chown(f"{spec}{ending}", 0, 0)
    assert learn(root, spec, "/bin/echo", "ran").status == 0


@pytest.mark.parametrize("line", ["read\t/root/.ssh/id\t", "make\t/srv/data/x\t", "connect\t192.0.2.1:1\tinet", "home\t/nonexistent", "account\t/srv", "tree\t/srv", "tree\t/", "root", "nonsense"])
def test_forged_records_open_nothing(caller, line):
    """The text of the spec is what its records say; what the text does not show is taken from the present run."""
    home, spec = caller.directory(), caller.directory() / "s.toml"
    for name in ("one", "two", "three"):
        caller.file(home / name, "x\n")
    env, work = {"HOME": str(home)}, caller.directory()
    assert learn(caller, spec, "/bin/true", cwd=work, env=env).status == 0
    before = spec.read_text()
    with open(f"{spec}.seen", "a") as file:
        file.write(line + "\n")
    run = learn(caller, spec, "cat", home / "one", home / "two", home / "three", cwd=work, env=env)
    if run.status == 125:
        assert spec.read_text() == before and "has lines that were not learned" in run.stderr, run
        return
    text = spec.read_text()
    assert run.status == 0 and f'"{home}/one"' in text and f'"{home}"' not in text, (run, text)
    assert "/srv" not in text and ".ssh" not in text and "[network]" not in text


def test_what_is_renamed_while_it_is_watched_opens_only_what_was_named(caller):
    """Names that are exchanged between the observer's look and the kernel's: every line is one of the names that were used."""
    place = caller.directory()
    for name in ("a", "b"):
        caller.file(place / name, "x\n")
    caller.file(place / "never", "x\n")
    code = f"""
import ctypes, os, threading
os.chdir("{place}")
call, over = ctypes.CDLL(None).syscall, []
def exchange():
    while not over: call(316, -100, b"a", -100, b"b", 2)
some = threading.Thread(target=exchange); some.start()
for _ in range(300):
    try: os.close(os.open("a", os.O_RDONLY))
    except FileNotFoundError: pass
over.append(1); some.join()
"""
    spec = caller.directory() / "s.toml"
    run = learn(caller, spec, "/usr/bin/python3", "-c", code, options=["--no-verify"], cwd=caller.directory())
    assert run.status == 0 and "never" not in spec.read_text(), run


def test_progress_is_for_a_terminal_only(caller):
    spec, work = caller.directory() / "s.toml", caller.directory()
    words = [caller.binary, "learn", "--no-verify", "-o", spec, "--", "/bin/sh", "-c", "i=0; while [ $i -lt 30 ]; do cat /dev/null; sleep 0.1; i=$((i+1)); done; echo over"]
    terminal = Terminal(caller, words, cwd=work)
    terminal.expect("immure: learning: [0-9]+ calls, [0-9]+ places", timeout=10)
    terminal.expect("over", timeout=20)
    terminal.process.wait(patient(20))
    quiet = caller.finish(caller.popen(words[:-1] + ["sleep 1; echo over"], cwd=work), 30)
    assert "learning:" not in quiet.stderr and "\x1b" not in quiet.stderr and quiet.stdout == "over\n", quiet


def test_ctrl_c_at_a_terminal_writes_what_was_seen(caller):
    spec, work = caller.directory() / "s.toml", caller.directory()
    caller.file(work / "in", "seen\n")
    terminal = Terminal(caller, [caller.binary, "learn", "-o", spec, "--", "/bin/sh", "-c", "cat in; exec sleep 600"], cwd=work)
    terminal.expect("seen", timeout=10)
    os.write(terminal.master, b"\x03")
    terminal.expect("not verified: it was interrupted", timeout=10)
    terminal.process.wait(patient(10))
    assert f'"{work}"' in spec.read_text()


THIRTY_TWO = """
.globl _start
_start: movl $1, %eax; xorl %ebx, %ebx; int $0x80
"""


def test_a_32_bit_program_is_counted_and_named(caller):
    place = caller.directory()
    source = caller.file(place / "p.s", THIRTY_TWO)
    made = subprocess.run(["gcc", "-m32", "-nostdlib", "-static", "-o", place / "p32", source], capture_output=True)
    if made.returncode != 0:
        cannot("make a 32-bit program: gcc -m32")
    os.chmod(place / "p32", 0o755)
    run = learn(caller, caller.directory() / "s.toml", "/bin/sh", "-c", f"{place}/p32; {place}/p32; true", options=["--no-verify"])
    assert run.status == 0 and f"warning: {place}/p32: a 32-bit program, of which nothing was seen; executed 2 times" in run.stderr, run


def test_a_set_user_id_program_is_counted_and_named(user):
    if os.getuid() != 0:
        cannot("make a set-user-ID program")
    place = user.directory()
    program = place / "p"
    program.write_bytes(open("/bin/true", "rb").read())
    os.chown(program, 0, 0)
    program.chmod(0o4755)
    run = learn(user, user.directory() / "s.toml", "/bin/sh", "-c", f"{program}; true", options=["--no-verify"])
    assert run.status == 0 and f"warning: {program}: its set-user-ID bit had no effect, as it has none in the jail; executed 1 time" in run.stderr, run


def test_what_is_random_by_nature_is_no_difference(caller):
    spec = caller.directory() / "s.toml"
    script = "mktemp -u; echo $$; date +%N; head -c 4 /dev/urandom | od -An -tx1; echo same"
    run = learn(caller, spec, "/bin/sh", "-c", script, cwd=caller.directory())
    assert run.status == 0 and "are the same, but for what differs outside as well" in run.stderr, run
    # What does not differ outside is held to.
    run = learn(caller, caller.directory() / "s.toml", "/bin/sh", "-c", "echo $$; ls /", cwd=caller.directory())
    assert run.status == 1 and "in the jail its standard output differs at line" in run.stderr, run


def test_a_home_that_is_not_the_account_s_is_kept(caller):
    home, spec = caller.directory(), caller.directory() / "s.toml"
    caller.file(home / ".toolrc", "x\n")
    run = learn(caller, spec, "/bin/sh", "-c", "cat ~/.toolrc", cwd=caller.directory(), env={"HOME": str(home)})
    assert run.status == 0 and '"HOME"' in spec.read_text(), (run, spec.read_text())


@pytest.fixture
def page(root):
    """A file whose page is never there for whoever reads it: an argument in it holds up whoever looks at that."""
    assert os.readlink("/proc/self/ns/mnt") != os.readlink(f"/proc/{os.getppid()}/ns/mnt"), "these attacks are for a namespace of the run's own"
    with held.back(root.directory()) as page:
        yield page


#: Opens what the second argument names, and then what stands in that page.
HELD = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
page = libc.mmap(None, 4096, 1, 1, os.open(sys.argv[1], os.O_RDONLY), 0)
os.close(os.open(sys.argv[2], os.O_RDONLY))
print("at it", flush=True)
libc.syscall(257, -100, ctypes.c_void_p(page), 0)
print("past it", flush=True)
"""

#: The same with memory of its own, which a child that has a userfaultfd(2) of it never gives.
OWN = """
import ctypes, fcntl, os, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
page = libc.mmap(None, 4096, 3, 0x22, -1, 0)
faults = libc.syscall(323, 0)
if faults < 0: sys.exit(77)
fcntl.ioctl(faults, 0xc018aa3f, struct.pack("<3Q", 0xaa, 0, 0))
fcntl.ioctl(faults, 0xc020aa00, bytearray(struct.pack("<4Q", page, 4096, 1, 0)))
if os.fork() == 0: time.sleep(600)
os.close(os.open(sys.argv[2], os.O_RDONLY))
print("at it", flush=True)
libc.syscall(257, -100, ctypes.c_void_p(page), 0)
"""


def attacked(caller, words, number, within):
    """How a run ends that gets a signal once it is at it."""
    process = caller.popen(words, cwd=caller.directory())
    assert process.stdout.readline() == b"at it\n"
    time.sleep(0.3)
    started = time.monotonic()
    if number:
        process.send_signal(number)
    run = caller.finish(process, 30)
    assert time.monotonic() - started < patient(within), run
    return run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_page_that_is_held_back_holds_no_signal_up(caller, page, number):
    spec = caller.directory() / "s.toml"
    seen = caller.file(caller.directory() / "seen", "x\n")
    run = attacked(caller, [caller.binary, "learn", "-o", spec, "--", *PYTHON, HELD, page, seen], number, 3)
    assert "memory or a file of the command did not answer" in run.stderr and "not verified: it was interrupted" in run.stderr, run
    assert str(seen) in spec.read_text()


def test_a_page_that_another_process_holds_back_holds_no_signal_up(root):
    spec = root.directory() / "s.toml"
    seen = root.file(root.directory() / "seen", "x\n")
    run = attacked(root, [root.binary, "learn", "-o", spec, "--", *PYTHON, OWN, "", seen], signal.SIGTERM, 3)
    assert "memory or a file of the command did not answer" in run.stderr and str(seen) in spec.read_text(), run


@pytest.mark.parametrize("lines", ['log = ["openat"]', 'log = ["connect"]'])
@pytest.mark.parametrize("number", [signal.SIGTERM, None])
def test_a_page_that_is_held_back_holds_no_launcher_up(caller, page, lines, number):
    """seccomp.log and --why read what calls name: a signal and the deadline are kept meanwhile."""
    why = [] if "openat" in lines else ["--why"]
    seen = caller.file(caller.directory() / "seen", "x\n")
    spec = caller.spec(f'timeout = "2s"\n[filesystem]\nro = ["{os.path.dirname(page)}", "{seen}"]\n[seccomp]\n{lines}\n')
    run = attacked(caller, [caller.binary, "run", *why, spec, "--", *PYTHON, HELD, page, seen], number, 1.5 if number else 4)
    assert run.status == (143 if number else 124), run


def test_a_call_that_is_killed_is_killed_whatever_holds_its_path_back(caller, page):
    seen = caller.file(caller.directory() / "seen", "x\n")
    code = HELD.replace("syscall(257, -100, ctypes.c_void_p(page), 0)", "syscall(83, ctypes.c_void_p(page), 0)")
    spec = caller.spec(f'[filesystem]\nro = ["{os.path.dirname(page)}", "{seen}"]\n[seccomp]\nkill = ["mkdir"]\n')
    run = attacked(caller, [caller.binary, "run", spec, "--", *PYTHON, code, page, seen], None, 3)
    assert "killed by seccomp: mkdir(" in run.stderr and "past it" not in run.stdout, run
