"""`immure learn`: the spec that it writes gives a command what it needs, and nothing that it was not seen to use."""

import http.server
import re
import shutil
import signal
import threading

import pytest

from harness.hints import told
from harness.must import cannot
from harness.patience import until


class Bench:
    """A directory to work in, and another one for specs."""

    def __init__(self, caller):
        self.caller, self.work, self.specs = caller, caller.directory(), caller.directory()
        self.spec = self.specs / "learned.toml"

    def file(self, name, text, mode=0o644):
        (self.work / name).parent.mkdir(parents=True, exist_ok=True)
        self.caller.own((self.work / name).parent)
        return self.caller.file(self.work / name, text, mode)

    def learn(self, *words, options=(), timeout=60, **more):
        return self.caller.verb("learn", *options, "-o", str(self.spec), "--", *map(str, words), cwd=self.work, timeout=timeout, **more)

    def again(self, *words, **more):
        """The command in the jail of the spec."""
        return self.caller.run(self.spec, *words, cwd=self.work, timeout=60, **more)

    @property
    def lines(self):
        return [line for line in self.spec.read_text().splitlines() if line and not line.startswith("#")]

    def shell(self, script):
        """Outside, as the caller."""
        return self.caller.finish(self.caller.popen(["/bin/sh", "-c", script], cwd=self.work), 60).ok


@pytest.fixture
def bench(caller):
    return Bench(caller)


def test_a_launch_is_not_watched_and_what_to_do_is_said(bench):
    """Its clone3(2) was answered with ENOSYS, and the hint spoke of containers."""
    for words in ((bench.caller.binary, "run", "--", "true"), (bench.caller.binary, "as", "bwrap", "true"), (bench.caller.binary, "learn", "--", "true")):
        run = bench.learn(*words)
        assert run.status == 125 and "makes no jail while it is watched" in run.stderr and not bench.spec.exists(), run
        told(run, "immure learn -- COMMAND; for more lines of a spec: immure learn SPEC -- COMMAND")
    bench.learn("/bin/true").ok


def test_a_launch_in_a_script_is_named(bench):
    run = bench.learn("/bin/sh", "-c", f"'{bench.caller.binary}' run -- true; true", options=["--no-verify"])
    assert run.status == 0 and "makes no jail while it is watched" in run.stderr, run
    checked = bench.learn(bench.caller.binary, "check", bench.caller.spec(""), options=["--no-verify"])
    assert checked.status == 0 and bench.spec.exists(), checked


def test_namespaces_of_the_commands_own_are_told_with_the_line(user):
    bench = Bench(user)
    run = bench.learn("/usr/bin/unshare", "-Ur", "true")
    assert run.status == 1 and 'not in the spec: the command makes namespaces, by "unshare": namespaces.nested = true lets it' in run.stderr, run
    wider = user.spec(f'extends = ["{bench.spec}"]\n[namespaces]\nnested = true\n')
    user.run(wider, cwd=bench.work).ok
    # Threads and processes are none.
    run = Bench(user).learn("/bin/sh", "-c", "(true) | cat")
    assert "namespaces" not in run.stderr, run


PROGRAMS = {
    "cat": ("printf 'b\\na\\n' > in", "cat in"),
    "ls": ("touch one two; mkdir three; chmod 640 one", "ls -A; ls -s one"),
    "sort": ("printf 'b\\na\\n' > in", "sort in -o out; cat out"),
    "tar": ("mkdir d; echo x > d/f", "tar cf d.tar d; tar tf d.tar"),
    "find": ("mkdir -p a/b/c; touch a/b/f", "find . -name f -o -type d | sort"),
    "redirections": ("echo 5 > n", "read x < n; echo $x >> log; cat log; echo err >&2; rm log; exit 3"),
    "python3": ("echo 'import json,ssl; print(json.dumps([1]))' > p.py", "/usr/bin/python3 -B p.py"),
    "gcc": ("printf 'int main(void){return 7;}' > h.c", "gcc -o h h.c; ./h; echo $?; rm h"),
    "make": ("printf 'out: in\\n\\tcp in out\\n' > Makefile; echo x > in", "make; cat out; rm out"),
    "git": ("git init -q . && echo x > f && git add f && echo y >> f", "git status --short"),
    "node": ("echo 'console.log(require(\"fs\").readFileSync(\"in\",\"utf8\"))' > n.js; echo x > in", "node n.js"),
    "mkdir": ("true", "mkdir -p a/b; touch a/b/c; mv a/b/c a/d; find a; rm -r a"),
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_learned_spec_gives_the_same_output_and_status(bench, program):
    if program in ("gcc", "make", "git", "node") and not shutil.which(program, path="/usr/local/bin:/usr/bin:/bin"):
        cannot(f"run {program}: it is not installed")
    prepare, script = PROGRAMS[program]
    bench.shell(prepare)
    plain = bench.caller.finish(bench.caller.popen(["/bin/sh", "-c", script], cwd=bench.work), 60)
    learned = bench.learn("/bin/sh", "-c", script)
    assert learned.status == 0 and "verified: in the jail its status and output are the same" in learned.stderr, (learned, bench.spec.read_text())
    inside = bench.again()
    assert (inside.status, inside.stdout) == (plain.status, plain.stdout) == (plain.status, learned.stdout)
    assert inside.stderr == plain.stderr


@pytest.fixture
def server():
    """A server of the host's network at a port of its own."""
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"served\n")

        def log_message(self, *_):
            pass

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield served.server_address[1]
    served.shutdown()
    served.server_close()


def test_an_address_that_is_connected_to_opens_the_network(bench, server):
    if not shutil.which("curl"):
        cannot("run curl: it is not installed")
    learned = bench.learn("curl", "-s", f"http://127.0.0.1:{server}/")
    assert (learned.status, learned.stdout) == (0, "served\n"), learned
    assert f"# connects to 127.0.0.1:{server}, of the host itself, which takes its whole network" in bench.spec.read_text() and 'mode = "host"' in bench.lines
    assert bench.again().stdout == "served\n"


def test_a_server_of_its_own_needs_no_network(bench):
    code = """
import socket
s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname()); print("met")
u = socket.socket(socket.AF_UNIX); u.bind("\\0own"); u.listen(); socket.socket(socket.AF_UNIX).connect("\\0own"); print("met")
"""
    learned = bench.learn("/usr/bin/python3", "-c", code)
    assert (learned.status, learned.stdout) == (0, "met\nmet\n"), learned
    assert "[network]" not in bench.lines


def test_threads_relative_paths_and_an_exec_in_a_thread(bench):
    bench.file("d/in", "x\n")
    code = """
import os, threading
d = os.open("d", os.O_RDONLY | os.O_DIRECTORY)
def read(): os.close(os.open("in", os.O_RDONLY, dir_fd=d))
some = [threading.Thread(target=read) for _ in range(8)]
for one in some: one.start()
for one in some: one.join()
os.chdir("d")
threading.Thread(target=lambda: os.execv("/bin/cat", ["cat", "in"])).start()
"""
    learned = bench.learn("/usr/bin/python3", "-c", code)
    assert (learned.status, learned.stdout) == (0, "x\n"), learned
    assert f"read\t{bench.work}/d/in\t" in (bench.specs / "learned.toml.seen").read_text()


def test_a_process_that_is_killed_while_it_waits_and_a_flood(bench):
    code = """
import os, signal
for _ in range(20):
    child = os.fork()
    if child == 0:
        while True: os.close(os.open("/etc/hostname", os.O_RDONLY))
    os.close(os.open("/etc/hostname", os.O_RDONLY)); os.kill(child, signal.SIGKILL); os.waitpid(child, 0)
for number in range(2000): os.close(os.open("/etc/hostname", os.O_RDONLY))
print("done")
"""
    learned = bench.learn("/usr/bin/python3", "-c", code)
    assert (learned.status, learned.stdout) == (0, "done\n"), learned


def test_what_is_made_makes_its_directory_writable_and_nothing_else(bench):
    bench.file("in/a", "x")
    bench.file("out/old", "x")
    bench.learn("/bin/sh", "-c", "cat in/a; echo y > out/new; rm out/new").ok
    assert f'rw = ["{bench.work}/out"]' in bench.lines and f'ro = ["{bench.work}"]' in bench.lines
    denied = bench.again("/bin/sh", "-c", "echo z > in/b")
    assert denied.status != 0 and "Read-only" in denied.stderr


def test_names_in_tmp_leave_no_line(bench):
    bench.learn("/bin/sh", "-c", "f=$(mktemp); echo x > $f; cat $f; rm $f").ok
    assert "/tmp/tmp." not in bench.spec.read_text() and "filesystem" not in bench.spec.read_text()


def test_runs_are_joined_and_lines_of_others_stay(bench):
    one, two = bench.caller.directory(), bench.caller.directory()
    for place in (one, two):
        bench.caller.file(place / "f", "x\n")
    bench.learn("cat", one / "f").ok
    bench.learn("cat", two / "f").ok
    assert f"{one}/f" in bench.spec.read_text() and f"{two}/f" in bench.spec.read_text()
    bench.caller.file(bench.spec, bench.spec.read_text() + "# mine\n")
    before = bench.spec.read_text()
    refused = bench.learn("cat", one / "f")
    assert refused.status == 125 and "has lines that were not learned" in refused.stderr
    assert bench.spec.read_text() == before and refused.stdout == ""
    # What the hint says.
    assert f"immure learn {bench.spec} -o NEW.toml -- …" in refused.stderr
    three, new = bench.caller.directory(), bench.specs / "NEW.toml"
    bench.caller.file(three / "f", "x\n")
    bench.caller.verb("learn", str(bench.spec), "-o", str(new), "--", "cat", f"{three}/f", cwd=bench.work).ok
    assert bench.caller.run(new, "cat", three / "f", one / "f", cwd=bench.work).stdout == "x\nx\n"
    assert bench.spec.read_text() == before


def test_no_command(bench):
    refused = bench.caller.verb("learn", "-o", str(bench.spec), cwd=bench.work)
    assert refused.status == 125 and "no command" in refused.stderr and "hint: immure learn -- COMMAND" in refused.stderr
    bench.learn("true").ok


def test_what_is_only_asked_for_is_seen_with_stat(bench):
    elsewhere = bench.caller.directory()
    bench.caller.file(elsewhere / "f", "x\n")
    words = ["/bin/sh", "-c", f"test -e {elsewhere}/f && echo there"]
    unseen = bench.learn(*words)
    assert unseen.status == 1 and "--stat" not in unseen.stderr, unseen
    bench.learn(*words, options=["--stat"]).ok
    assert bench.again().stdout == "there\n"


def test_a_spec_is_extended_by_what_it_lacks(bench):
    one, two = bench.caller.directory(), bench.caller.directory()
    for place in (one, two):
        bench.caller.file(place / "f", "x\n")
    base = bench.caller.file(bench.specs / "base.toml", f'[filesystem]\nro = ["{one}"]\n')
    run = bench.caller.verb("learn", str(base), "-o", str(bench.spec), "--", "cat", f"{one}/f", f"{two}/f", cwd=bench.work).ok
    assert 'extends = ["base.toml"]' in bench.lines and f'ro = ["{two}/f"]' in bench.lines, run
    assert bench.again("cat", one / "f", two / "f").stdout == "x\nx\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_writes_what_was_seen(bench, number):
    bench.file("served", "x\n")
    process = bench.caller.popen(
        [bench.caller.binary, "learn", "-o", bench.spec, "--", "/bin/sh", "-c", "cat served; exec sleep 600"], cwd=bench.work)
    assert process.stdout.readline() == b"x\n"
    process.send_signal(number)
    ended = bench.caller.finish(process)
    assert ended.status == 0 and "not verified: it was interrupted" in ended.stderr
    assert f'ro = ["{bench.work}"]' in bench.lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_run_that_verifies_is_no_difference(bench, number):
    """It was taken for the jail's, and the command started a third time."""
    code = "echo begun >>begun; if test -e again; then exec sleep 600; fi; touch again"
    process = bench.caller.popen([bench.caller.binary, "learn", "-o", bench.spec, "--", "/bin/sh", "-c", code], cwd=bench.work)
    until(lambda: (bench.work / "begun").exists() and (bench.work / "begun").read_text().count("begun") == 2)
    process.send_signal(number)
    ended = bench.caller.finish(process)
    assert ended.status == 0 and "not verified: its run in the jail was interrupted" in ended.stderr, ended
    assert (bench.work / "begun").read_text().count("begun") == 2


def test_a_difference_in_the_jail_is_said(bench):
    """The jail's root has less in it than the host's."""
    learned = bench.learn("ls", "/")
    assert learned.status == 1 and "in the jail its standard output differs at line" in learned.stderr


def test_what_differs_outside_as_well_is_the_command_s_own(bench):
    learned = bench.learn("/bin/sh", "-c", "echo $$; cat /proc/sys/kernel/random/uuid; echo x >>out; echo same")
    assert learned.status == 0 and "are the same, but for what differs outside as well" in learned.stderr, learned
    learned = bench.learn("/bin/sh", "-c", "echo x >>out2; wc -l <out2 | sed 's/[23]/7/'")
    assert learned.status == 0 and "are the same as in a second run outside" in learned.stderr, learned


def test_a_command_that_is_not_there_leaves_no_spec(bench):
    assert bench.learn("no-such-program").status == 127
    assert not bench.spec.exists()


def test_a_process_that_is_not_dumpable_is_named(bench):
    code = """
import ctypes
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
open("/etc/hostname").close()
"""
    learned = bench.learn("/usr/bin/python3", "-c", code).ok
    said = re.search(r"warning: python3: (\d+) of its calls could not be read, as it is not dumpable", learned.stderr)
    assert bench.caller.is_root if said is None else int(said[1]) > 0, learned


def test_what_cannot_be_read_or_written_is_said_with_its_verb(user):
    bench = Bench(user)
    bench.learn("true").ok
    bench.spec.chmod(0)
    refused = bench.learn("true")
    assert refused.status == 125 and f'cannot read "{bench.spec}": openat: EACCES' in refused.stderr, refused
    bench.specs.chmod(0o555)
    refused = bench.learn("true")
    assert refused.status == 125 and f'cannot write "{bench.spec}": openat: EACCES' in refused.stderr, refused


def test_nothing_is_left_beside_the_spec(bench):
    for _ in range(2):
        bench.learn("true").ok
    assert sorted(place.name for place in bench.specs.iterdir()) == ["learned.toml", "learned.toml.seen"]


def test_the_home_is_never_shown_whole(bench):
    home = bench.caller.directory()
    for name in ("one", "two", "three", ".config/tool/set"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        bench.caller.file(home / name, "x\n")
    run = bench.learn("/bin/sh", "-c", "cd; cat one two three .config/tool/set; ls -A", options=["--no-verify"], env={"HOME": str(home)}).ok
    text = bench.spec.read_text()
    assert f'"{home}/one"' in text and f'"{home}/.config/tool"' in text and f'"{home}"' not in bench.lines
    assert f'"{home}",' not in text and f"not in the spec: the command lists {home}" in run.stderr
