"""`immure run --why`: what the jail kept from the command, each with the line that opens it, which is followed here."""

import os
import re
import signal
import socket
import time

import pytest

from harness import linux
from harness.must import cannot
from harness.patience import once, reached

QUOTED = r'"(?:[^"\\]|\\.)*"'
#: What a name contains stands in quotes: outside of them the first "(CALL, PROGRAM): " is followed by the line.
LINE = re.compile(rf'^immure: note: why: ((?:{QUOTED}|[^"(])*\(\w+, (?:{QUOTED}|[^")]+)\)): ([a-z_]+(?:\.[a-z_]+)?) = (.*)$', re.MULTILINE)


NOTHING = "nothing that is watched was refused or missing"


def reasons(run):
    return [(words, f"{key}={value}") for words, key, value in LINE.findall(run.stderr)]


def opened(run):
    """What is printed, as options: each line as it stands."""
    return [word for _, line in reasons(run) for word in ("--set", line)]


def why(caller, script, *options, spec=None, word="--why"):
    return caller.run(spec, "/bin/sh", "-c", script, options=[word, *options])


def test_a_path_that_is_missing(caller):
    place = caller.directory()
    caller.file(place / "f", "x\n")
    run = why(caller, f"cat {place}/f")
    assert run.status != 0 and f"{place}/f is missing in the jail, and there on the host" in reasons(run)[0][0], run
    assert why(caller, f"cat {place}/f", "--set", reasons(run)[0][1]).ok


def test_a_write_to_what_is_read_only_comes_first(caller):
    place = caller.open_directory()
    spec = caller.spec(f'[filesystem]\nro = ["{place}"]\n')
    run = why(caller, f"test -e /var/lib/dpkg; echo x > {place}/new", spec=spec)
    words, line = reasons(run)[0]
    assert run.status != 0 and words.startswith(f"{place} is read-only in the jail"), run
    assert caller.run(None, "/bin/sh", "-c", f"echo x > {place}/new", options=["--set", line]).ok
    assert (place / "new").read_text() == "x\n"


@pytest.mark.parametrize("call", ["mkdir", "rm", "chmod", "mv"])
def test_other_changes(caller, call):
    place = caller.open_directory()
    caller.file(place / "old", "x", 0o666)
    script = {"mkdir": "mkdir d", "rm": "rm -f old", "chmod": "chmod 600 old", "mv": "mv old young"}[call]
    spec = caller.spec(f'[filesystem]\nro = ["{place}"]\n')
    run = why(caller, f"cd {place}; {script}", spec=spec)
    assert run.status != 0 and re.search(f"why: {place}(/old)? is read-only", run.stderr), run
    if call == "chmod" and caller.is_root:
        # The mount and the owner: one mount is for both.
        assert [line for _, line in reasons(run)] == [f'mount=[{{ target = "{place}/old", source = "{place}/old", idmap = true }}]'], run
        assert why(caller, f"cd {place}; {script}", *opened(run), spec=spec).status == 0
        return
    [(words, line)] = reasons(run)
    # The directory has a line already, which the printed one replaces.
    assert call == "chmod" or f"in place of what {spec}:2:7 says" in words
    instead = () if call == "chmod" else ("--set", "filesystem.ro=[]")
    assert why(caller, f"cd {place}; {script}", *instead, "--set", line, spec=spec).status == 0


def test_c124_what_is_mounted_is_neither_renamed_nor_replaced(caller):
    """EBUSY: a file of its own that an editor replaces, and what keeps its name below a mount that can be written to."""
    place = caller.open_directory()
    file = caller.file(place / "file", "old\n", 0o666)
    run = why(caller, f"sed -i s/old/new/ {file}", spec=f'[filesystem]\nrw = ["{file}"]')
    busy = f"{file} is mounted in the jail, and cannot be renamed or replaced (rename, sed): filesystem.rw = [\"{place}\"]"
    assert run.status != 0 and busy in run.stderr and file.read_text() == "old\n", run
    assert why(caller, f"sed -i s/old/new/ {file}", spec=f'[filesystem]\nrw = ["{place}"]').ok and file.read_text() == "new\n"
    (place / "git/hooks").mkdir(parents=True)
    run = why(caller, f"mv {place}/git {place}/other", spec=f'[filesystem]\nrw = ["{place}"]\nro = ["{place}/git/hooks"]')
    assert f"{place}/git is mounted in the jail, and cannot be renamed or replaced (renameat2, mv): no line opens it" in run.stderr, run


def test_c124_names_on_two_mounts_of_one_tree(caller):
    """EXDEV, as between two file systems; where one line shows the directory above both there is one mount."""
    place = caller.open_directory()
    for name in "ab":
        (place / name).mkdir()
        (place / name).chmod(0o777)
    caller.file(place / "a/f", "x", 0o666)
    lines = f'[filesystem]\nrw = ["{place}/a", "{place}/b"]'
    rename = f"import os; os.rename('{place}/a/f', '{place}/b/f')"
    run = caller.run(lines, "/usr/bin/python3", "-c", rename, options=["--why"])
    words = f"{place}/a/f is on another mount of the jail than its new name"
    assert run.status != 0 and "Errno 18" in run.stderr and words in run.stderr and "(rename, python3): no line" in run.stderr, run
    run = caller.run(f'[filesystem]\nrw = ["{place}"]', "/usr/bin/python3", "-c", rename, options=["--why"])
    assert run.ok and words not in run.stderr and (place / "b/f").exists()


def test_an_address_out_of_the_network(caller):
    code = "import socket; socket.socket().connect(('192.0.2.1', 80))"
    run = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"])
    assert run.status == 1 and "Network is unreachable" in run.stderr
    assert reasons(run)[0][0] == "192.0.2.1:80 is out of the jail's network (connect, python3)", run
    assert reasons(run)[0][1] == 'network={ mode = "user", allow = ["192.0.2.1:80"] }'


def test_an_address_of_the_host_s_loopback(caller):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
        run = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"])
        assert run.status == 1 and reasons(run)[0][1] == 'network.mode="host"', run
        assert f"127.0.0.1:{port} is the jail's own, where nobody listens" in run.stderr
        caller.run(None, "/usr/bin/python3", "-c", code, options=opened(run)).ok
    # Where nobody listens outside either, no line helps.
    assert reasons(caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"])) == []


@pytest.mark.parametrize("call", ["unshare(0x10000000)", "unshare(0x20000)", "syscall(56, 0x10000011, 0, 0, 0, 0)"])
def test_namespaces_of_the_command_s_own(caller, call):
    code = f"import ctypes, os; p = ctypes.CDLL(None).{call}; p == 0 and os._exit(0); os._exit(p < 0)"
    run = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"])
    assert run.status == 1 and reasons(run)[0][1] == "namespaces.nested=true", run
    if call != "unshare(0x20000)":  # which takes a user namespace first
        assert caller.run(None, "/usr/bin/python3", "-c", code, options=opened(run)).status == 0


def test_a_relative_path_of_the_caller_s_directory(caller):
    place = caller.directory()
    caller.file(place / "in", "x\n")
    run = caller.run(None, "cat", "in", options=["--why"], cwd=place)
    assert run.status == 1 and [line for _, line in reasons(run)] == [f'cwd="{place}"', f'filesystem.ro=["{place}/in"]'], run
    assert caller.run(None, "cat", "in", options=opened(run), cwd=place).ok.stdout == "x\n"


def test_no_directory_below_the_root_is_ever_proposed(caller):
    """What holds the files of everybody is opened by no line: /etc, /usr, /srv, /home."""
    script = "echo > /etc/x; rm /etc/hostname; touch /usr/x; echo > /srv/x; mkdir /home/x; ls /srv /root; mkdir /opt/x; chmod 0 /etc; cd /srv; ls /; mv /etc /x"
    run = why(caller, script, word="--why=all")
    assert "why: /etc is read-only in the jail" in run.stderr and "no line opens it" in run.stderr, run
    for words, line in reasons(run):
        assert not re.search(r'"/[^/"]*"', line) or line.endswith(('type = "dir" }]', 'type = "tmpfs" }]')), (words, line)
        assert caller.run(None, "/bin/true", options=["--set", line]).status == 0, line
        # What the line has made is the machine's own.
        made = re.search(r'source = "([^"]*/x)", create = ', line)
        if made and os.getuid() == 0 and os.path.exists(made[1]):
            (os.rmdir if os.path.isdir(made[1]) else os.unlink)(made[1])


def test_a_directory_in_the_jail_s_own_root(caller):
    run = why(caller, "mkdir /made")
    assert run.status == 1 and [line for _, line in reasons(run)] == ["filesystem.writable=true"], run
    why(caller, "mkdir /made", *opened(run)).ok


def test_a_file_below_a_directory_of_everybody_is_made_for_the_jail(caller):
    """What is to be made in a directory directly below the root is made by itself."""
    if os.getuid() != 0:
        cannot("mount")
    linux.mount("none", "/mnt", "tmpfs", 0, "mode=1777")
    try:
        run = why(caller, "echo x > /mnt/new")
        assert [line for _, line in reasons(run)] == ['mount=[{ target = "/mnt/new", source = "/mnt/new", create = "file" }]'], run
        why(caller, "echo x > /mnt/new", *opened(run)).ok
        assert open("/mnt/new").read() == "x\n"
    finally:
        linux.umount("/mnt")


def test_modes_and_owners(root):
    place = root.directory()
    root.file(place / "secret", "x\n", 0o600)
    (place / "shut").mkdir(0o700)
    root.file(place / "shut/in", "x\n")
    root.file(place / "other", "x\n", 0o600)
    os.chown(place / "other", 1234, 1234)
    spec = root.spec(f'[filesystem]\nro = ["{place}"]\n')
    run = why(root, f"cat {place}/secret {place}/shut/in {place}/other", spec=spec)
    assert f"{place}/secret may not be used by the command's user, as uid 65534 may not read what is uid 0's with mode 600 (openat, cat): mount = " in run.stderr, run
    assert f"{place}/shut may not be used by the command's user, as uid 65534 may not search what is uid 0's with mode 700" in run.stderr
    owned = {name: f'mount=[{{ target = "{place}/{name}", source = "{place}/{name}", options = ["ro"], idmap = true }}]' for name in ("secret", "shut", "other")}
    assert {line for _, line in reasons(run)} == set(owned.values()), run
    for name, line in owned.items():
        file = place / (name if name != "shut" else "shut/in")
        assert root.run(spec, "cat", file, options=["--set", line]).ok.stdout == "x\n"


def test_modes_of_what_is_missing(caller):
    place = caller.directory()
    hidden = caller.file(place / "in", "x", 0)
    run = why(caller, f"cat {hidden}")
    assert f"{hidden} is missing in the jail, and there on the host, and uid {caller.inside_uid} may not read" in run.stderr, run
    assert reasons(run) == []


def test_landlock(caller):
    place = caller.open_directory()
    caller.file(place / "in", "x\n")
    base = f'[filesystem]\nrw = ["{place}"]\n[landlock]\nrx = ["/usr", "/bin", "/lib", "/lib64"]\n'
    read = why(caller, f"cat {place}/in", spec=caller.spec(base))
    assert read.status == 1 and ("landlock", f'landlock.ro=["{place}/in"]') in [("landlock", line) for _, line in reasons(read)], read
    assert f"{place}/in is closed by Landlock (openat, cat)" in read.stderr
    caller.run(caller.spec(base), "cat", place / "in", options=["--set", f'landlock.ro=["{place}/in"]']).ok
    made = why(caller, f"mkdir {place}/new", spec=caller.spec(base))
    assert f'landlock.rw=["{place}"]' in [line for _, line in reasons(made)], made
    caller.run(caller.spec(base), "mkdir", place / "new", options=["--set", f'landlock.rw=["{place}"]']).ok
    code = "import socket; socket.create_connection(('127.0.0.1', 9))"
    shut = caller.run("landlock.connect_tcp = [80]\n", "/usr/bin/python3", "-c", code, options=["--why"])
    assert "PermissionError" in shut.stderr and "landlock.connect_tcp=[9]" in [line for _, line in reasons(shut)], shut
    open_ = caller.run("landlock.connect_tcp = [80]\n", "/usr/bin/python3", "-c", code, options=["--set", "landlock.connect_tcp=[9]"])
    assert "ConnectionRefused" in open_.stderr


def test_a_bind_of_another_name_is_opened_by_its_source(caller):
    place = caller.open_directory()
    (place / "deep").mkdir()
    (place / "deep").chmod(0o777)
    spec = caller.spec(f'[filesystem]\nro = ["{place}:/data"]\n')
    run = why(caller, "echo x > /data/deep/new", spec=spec)
    assert [line for _, line in reasons(run)] == [f'filesystem.rw=["{place}/deep:/data/deep"]'], run
    caller.run(spec, "/bin/sh", "-c", "echo x > /data/deep/new", options=opened(run)).ok
    assert (place / "deep/new").read_text() == "x\n"


def test_names_of_the_command_s_choice_forge_no_line(caller):
    place = caller.directory()
    names = ['x (openat, sh): filesystem.rw = ["~"]', "a\nimmure: note: why: b (c, d): e = 1", "esc\x1b[2J", "a:b*", 'q"q']
    for name in names:
        caller.file(place / name, "x\n")
    program = caller.file(place / "p", "#!/usr/bin/python3\nimport sys\nopen('/proc/self/comm','w').write('a): b.c = 1')\nfor one in sys.argv[1:]: \n  try: open(one)\n  except OSError: pass\n", 0o755)
    run = caller.run(None, "/usr/bin/python3", "-I", "-S", program, *[str(place / name) for name in names], options=["--why=all", "--set", f'filesystem.ro=["{program}"]'])
    notes = [line for line in run.stderr.splitlines() if line.startswith("immure: note: why: ")]
    assert len(notes) == len(names) and run.stderr.splitlines() == notes and "\x1b" not in run.stderr, run
    assert all('(openat, "a): b.c = 1"): ' in note for note in notes)
    for _, line in reasons(run):
        assert line.startswith(("filesystem.ro=", "mount=[{ target =")), line
    # Each opens the one file.
    for name, note in zip(reversed(names), notes):
        line = LINE.findall(note)[0]
        shown = caller.run(None, "cat", place / name, options=["--set", f"{line[1]}={line[2]}"])
        assert shown.ok.stdout == "x\n", note


@pytest.fixture
def hung(root):
    """A directory of a file server that never answers."""
    if not os.path.exists("/dev/fuse"):
        cannot("mount a file server that hangs")
    place = root.directory()
    server = os.open("/dev/fuse", os.O_RDWR)
    linux.mount("hung", place, "fuse", 0, f"fd={server},rootmode=40000,user_id=0,group_id=0,allow_other")
    yield place
    os.close(server)
    linux.umount(place)


def test_a_server_that_hangs_holds_nothing_up(root, hung):
    """A path of the host that never answers is looked up by another process, for half a second."""
    run = root.run("", "/bin/sh", "-c", f"cat {hung}/a; cat {hung}/b; echo done", options=["--why"])
    assert run.status == 0 and run.stdout == "done\n", run
    assert "why: no answer came for openat, and nothing was looked at from then on" in run.stderr


def test_a_deadline_is_kept_while_a_path_is_looked_up(root, hung):
    """Whoever looks is another process, and nobody waits for it: the limit of time is far below what it is given."""
    def quick():
        started = time.monotonic()
        run = root.run('timeout = "100ms"\n', "/bin/sh", "-c", f"echo; cat {hung}/a; sleep 60", options=["--why"])
        assert run.status == 124, run
        return run.stdout and time.monotonic() - started < 0.4

    assert once(quick)


def test_a_signal_is_forwarded_while_a_path_is_looked_up(root, hung):
    def quick():
        process = root.popen([root.binary, "run", "--why", "--", "/bin/sh", "-c", f"echo; cat {hung}/a; sleep 60"])
        assert process.stdout.readline() == b"\n"
        time.sleep(0.05)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        root.finish(process)
        return time.monotonic() - started < 0.3

    assert once(quick)


def test_a_process_that_is_stopped_while_its_call_is_looked_at_holds_nothing_up(caller):
    place = caller.directory()
    code = f"""
import os, signal, time
child = os.fork()
if child == 0:
    while True:
        try: os.stat("{place}/none")
        except FileNotFoundError: pass
for _ in range(20): os.kill(child, signal.SIGSTOP); time.sleep(0.005); os.kill(child, signal.SIGCONT)
os.kill(child, signal.SIGSTOP)
try: open("{place}/missing")
except FileNotFoundError: pass
print("over", flush=True)
time.sleep(1000)
"""
    caller.file(place / "missing", "x")

    def over(seconds):
        run = caller.run(f'timeout = "{seconds}s"\n', "/usr/bin/python3", "-c", code, options=["--why"], timeout=30)
        return run if run.stdout else None

    run = reached(over, (4, 20, 100))
    assert run.status == 124 and f"{place}/missing is missing in the jail" in run.stderr, run


def test_a_call_that_the_filter_refuses(caller):
    code = "import ctypes, sys; sys.exit(ctypes.CDLL(None, use_errno=True).mount(b'a', b'/tmp', b'tmpfs', 0, None) != 0 and ctypes.get_errno())"
    plain = caller.run(None, "/usr/bin/python3", "-c", code)
    run = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"])
    assert run.status == plain.status == 1, run
    assert reasons(run)[0] == ("mount is refused by the filter, and by the kernel without the capability sys_admin (mount, python3)", 'capabilities.keep=["sys_admin"]')


def test_the_answers_of_the_filter_are_the_same_with_and_without(caller):
    """Refused whatever the arguments, refused for some, answered with ENOSYS, and made: none of them does anything."""
    code = """
import ctypes, json
call = ctypes.CDLL(None, use_errno=True).syscall
found = []
for words in ((165, 0, 0, 0, 0, 0), (166, 0, 0), (250, 0, -3, 0), (321, 0, 0, 0), (298, 0, -1, -1, -1, -1), (272, 0x10000000),
              (308, -1, 0), (425, 0, 0), (435, 0, 0), (323, -1), (246, 0, 0, 0, -1), (167, 0, 0), (175, 0, 0, 0), (41, 40, 1, 0),
              (41, 16, 3, 0), (41, 1, 1, 0), (16, 0, 0x5412, 0), (135, 8), (2, 0, 0), (2, b"/none", 0), (83, b"/proc/x", 0),
              (87, b"/none"), (90, b"/none", 0), (42, -1, 0, 0), (999, 0)):
    ctypes.set_errno(0)
    call(*words)
    found.append((words[0], ctypes.get_errno()))
print(json.dumps(found))
"""
    plain = caller.run(None, "/usr/bin/python3", "-c", code, timeout=60)
    seen = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"], timeout=60)
    assert seen.status == plain.status == 0 and seen.stdout == plain.stdout


def test_a_device_and_a_socket(caller):
    place = caller.open_directory()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{place}/s")
        (place / "s").chmod(0o777)
        listening.listen()
        code = f"import socket; socket.socket(socket.AF_UNIX).connect('{place}/s')"
        run = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"])
        assert f'filesystem.ro=["{place}/s"]' in [line for _, line in reasons(run)], run
        caller.run(None, "/usr/bin/python3", "-c", code, options=["--set", f'filesystem.ro=["{place}/s"]']).ok


def test_all_and_a_few(caller):
    places = [caller.directory() for _ in range(8)]
    for place in places:
        caller.file(place / "f", "x")
    script = "cat " + " ".join(f"{place}/f" for place in places)
    few, everything = why(caller, script), why(caller, script, word="--why=all")
    assert len(reasons(few)) == 5 and " more with --why=all" in few.stderr
    assert all(f"{place}/f is missing" in everything.stderr for place in places)


def test_nothing_is_said_where_nothing_was_kept(caller):
    run = caller.run(None, "/bin/true", options=["--why"])
    assert run.status == 0 and f"why: {NOTHING}; not watched, among others: limits" in run.stderr, run


def test_what_a_line_hides_is_named_with_the_line(caller):
    spec = caller.spec('[filesystem]\nhide = ["/etc/passwd", "/usr/share"]\n')
    run = why(caller, "cat /etc/passwd; ls /usr/share/doc", spec=spec, word="--why=all")
    assert f"/etc/passwd is hidden in the jail (openat, cat): take it out of what {spec}:2:" in run.stderr and NOTHING not in run.stderr, run
    assert f"/usr/share/doc is hidden in the jail (statx, ls): take it out of what {spec}:2:" in run.stderr, run
    assert why(caller, "cat /etc/passwd; ls /usr/share/doc", "--set", "filesystem.hide=[]", spec=spec).status == 0


def test_proc_that_the_jail_is_without(caller):
    run = why(caller, "cat /proc/self/status", spec="filesystem.proc = false\n")
    assert run.status == 1 and [line for _, line in reasons(run)] == ["filesystem.proc=true"], run
    assert caller.run("filesystem.proc = false\n", "cat", "/proc/self/status", options=opened(run)).ok


def test_a_device_that_is_written_to_as_a_shell_does(caller):
    run = why(caller, "echo > /dev/null", spec='filesystem.dev = "none"\n')
    assert run.status != 0 and 'filesystem.devices=["/dev/null"]' in [line for _, line in reasons(run)], run
    assert why(caller, "echo > /dev/null", *opened(run), spec='filesystem.dev = "none"\n').status == 0


def test_nothing_is_claimed_where_the_command_did_not_start(caller):
    """Its loader is missing, or it is: that is told, and nothing beside it."""
    for lines, word in (('filesystem.root = "empty"\nfilesystem.ro = ["/usr/bin/cat"]\n', "/usr/bin/cat"), (None, "no-such-command")):
        run = caller.run(lines, word, options=["--why"])
        assert run.status > 125 - 1 and NOTHING not in run.stderr, run


def test_what_the_host_has_not_either_is_said_where_nothing_else_explains_a_failure(caller):
    place = caller.directory()
    run = caller.run(None, "cat", f"{place}/nowhere", options=["--why"])
    assert run.status == 1 and NOTHING not in run.stderr, run
    assert f"why: {place}/nowhere is missing in the jail, and on the host as well (openat, cat): no line opens it" in run.stderr, run
    # What a program does without.
    assert "on the host as well" not in why(caller, f"test -e {place}/nowhere; true").stderr
    caller.file(place / "f", "x\n")
    run = why(caller, f"cat {place}/nowhere; cat {place}/f")
    assert run.status == 1 and "on the host as well" not in run.stderr and len(reasons(run)) == 1, run
    # A relative one that is there in the caller's directory still is.
    run = caller.run(None, "cat", "f", options=["--why"], cwd=place)
    assert f"f is there in the caller's directory" in run.stderr, run


def test_what_cannot_be_watched_is_refused(caller):
    run = caller.run('seccomp.profile = "none"\n', "/bin/true", options=["--why"])
    assert run.status == 125 and "--why: without a filter" in run.stderr


def test_status_output_and_input_are_the_command_s(caller):
    run = caller.run(None, "/bin/sh", "-c", "cat; exit 7", options=["--why"], stdin="in\n")
    assert (run.status, run.stdout) == (7, "in\n")


@pytest.mark.parametrize(
    "lines, script, line",
    [
        ("filesystem.tmp = false", "mktemp > /dev/null", 'filesystem.tmp="64M"'),
        ("filesystem.tmp = false", "echo > /var/tmp/x", 'filesystem.tmp="64M"'),
        ("filesystem.shm = false", "echo > /dev/shm/x", 'filesystem.shm="64M"'),
        ('filesystem.dev = "none"', "echo < /dev/stdin", 'filesystem.dev="minimal"'),
        ('filesystem.root = "host"\nfilesystem.proc = false', "cat /proc/self/status", "filesystem.proc=true"),
    ],
)
def test_what_a_jail_has_by_default_comes_back_by_the_line_that_took_it_away(caller, lines, script, line):
    run = why(caller, script, spec=lines + "\n")
    assert run.status != 0 and [one for _, one in reasons(run)] == [line], run
    why(caller, script, *opened(run), spec=lines + "\n").ok


LIMITS = {
    "nofile": ("rlimits.nofile = 10", "[os.open('/dev/null', 0) for _ in range(14)]"),
    "nofile of sockets": ("rlimits.nofile = 10", "import socket; found = [socket.socket() for _ in range(14)]"),
    "nproc": ("rlimits.nproc = 4", "import threading, time; some = [threading.Thread(target=time.sleep, args=(0.5,)) for _ in range(6)]; [one.start() for one in some]"),
    "as": ('rlimits.as = "100M"', "bytearray(150 << 20)"),
    "data": ('rlimits.data = "100M"', "bytearray(150 << 20)"),
    "fsize": ('rlimits.fsize = "4K"', "f = os.open('/tmp/f', os.O_CREAT | os.O_WRONLY); os.write(f, bytes(7000)) == 7000 or os.write(f, b'x')"),
    "fsize of no round number": ("rlimits.fsize = 1000", "f = os.open('/tmp/f', os.O_CREAT | os.O_WRONLY); os.write(f, bytes(1999)) == 1999 or os.write(f, b'x')"),
    "fsize at its end": ('rlimits.fsize = "4K"', "f = os.open('/tmp/f', os.O_CREAT | os.O_WRONLY | os.O_APPEND); os.write(f, bytes(4000)); os.write(f, bytes(1000)) == 1000 or os.write(f, b'x')"),
}  # fmt: skip


@pytest.mark.parametrize("case", LIMITS)
def test_a_limit_that_was_reached(caller, case):
    """The line that set it is named, and one that gives enough follows, if need be after a few times."""
    lines, code = LIMITS[case]
    key, spec = f"rlimits.{case.split()[0]}", caller.spec(lines + "\n")
    words = ["/usr/bin/python3", "-B", "-c", "import os\n" + code]
    run = caller.run(spec, *words, options=["--why"])
    assert run.status != 0 and NOTHING not in run.stderr, run
    assert reasons(run), run
    first = reasons(run)[0]
    assert first[0].startswith(f"{key} was reached, ") and f"by {spec}:1:" in first[0] and first[1].startswith(f"{key}="), run
    # No call says how much a program takes in the end.
    assert ", and it wanted " in first[0] and "; the line is a guess, as what comes after was not seen (" in first[0], run
    for _ in range(4):
        run = caller.run(spec, *words, options=["--why", "--set", reasons(run)[0][1]])
        if run.status == 0:
            return
    raise AssertionError(run)


def test_a_limit_that_ends_the_command_by_a_signal(caller):
    for lines, script in (('rlimits.fsize = "1K"', "head -c 9999 /dev/zero > /tmp/x"), ("rlimits.cpu = 1", "while :; do :; done")):
        spec = caller.spec(lines + "\n")
        run = why(caller, script, spec=spec)
        assert run.status in (153, 152, 137), run
        assert f"by {spec}:1:" in run.stderr and reasons_of_limits(run)[0].startswith(lines.split()[0] + "="), run
    run = caller.run('rlimits.fsize = "1K"', "/bin/true", options=["--why"])
    assert "was reached" not in run.stderr


@pytest.mark.parametrize(
    "line,script,most", [("rlimits.fsize=1K", "dd if=/dev/zero of=/tmp/x bs=4096 count=4", 2), ("rlimits.nproc=1", "true & true | cat", 1)]
)
def test_a_limit_is_left_with_room(user, line, script, most):
    """What just the call takes that was refused is not enough for the next one."""
    key, value = line.split("=")
    option = f'{key}="{value}"' if value == "1K" else line
    for _ in range(most):
        run = why(user, script, "--set", option)
        assert run.status != 0 and reasons(run)[0][0].startswith(key), run
        option = reasons(run)[0][1]
    assert why(user, script, "--set", option).status == 0, option


def reasons_of_limits(run):
    """Lines of what no call was seen of."""
    return re.findall(r"why: rlimits[.][a-z]+ was reached, [^(\n]*(?:\([^)]*\))?: (rlimits[.][a-z]+) = ", run.stderr) and [
        f"{key}={value}" for key, value in re.findall(r": (rlimits[.][a-z]+) = (.*)", run.stderr)
    ]


def test_a_database_in_a_read_only_directory_takes_the_directory(caller):
    place = caller.open_directory()
    caller.finish(caller.popen(["/usr/bin/python3", "-c", f"import sqlite3; c = sqlite3.connect('{place}/db'); c.execute('create table t(a)'); c.commit()"]), 30).ok
    (place / "db").chmod(0o666)
    spec = caller.spec(f'[filesystem]\nro = ["{place}"]\n')
    code = f"import sqlite3; c = sqlite3.connect('{place}/db'); c.execute('insert into t values (1)'); c.commit()"
    run = caller.run(spec, "/usr/bin/python3", "-c", code, options=["--why"])
    assert run.status == 1 and [line for _, line in reasons(run)] == [f'filesystem.rw=["{place}"]'], run
    caller.run(spec, "/usr/bin/python3", "-c", code, options=["--set", "filesystem.ro=[]", *opened(run)]).ok


def test_an_owner_that_the_jail_does_not_have(user):
    """No line of the filter helps: the kernel would answer EINVAL."""
    run = why(user, "touch /tmp/f; chown 1 /tmp/f")
    assert run.status == 1 and "seccomp" not in run.stderr, run
    [(words, line)] = reasons(run)
    assert "as the jail has no uid 1" in words and line.startswith("identity={ user = 0"), run
    assert 'capabilities.keep = ["chown"]' in words
    why(user, "touch /tmp/f; chown 1 /tmp/f", *opened(run), "--set", 'capabilities.keep=["chown"]').ok


def test_root_s_own_file_opens_to_root_only(root):
    """One line for both: it is read-only, and root's."""
    place = root.directory()
    root.file(place / "f", "x\n", 0o600)
    spec = root.spec(f'[filesystem]\nro = ["{place}"]\n')
    run = why(root, f"echo y > {place}/f", spec=spec)
    line = f'mount=[{{ target = "{place}/f", source = "{place}/f", idmap = true }}]'
    assert [line for _, line in reasons(run)] == [line], run
    why(root, f"echo y > {place}/f", *opened(run), spec=spec).ok
    run = why(root, f"echo y > {place}/f", spec=f'[filesystem]\nrw = ["{place}"]\n')
    assert [line for _, line in reasons(run)] == [line], run
