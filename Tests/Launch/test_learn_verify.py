"""`immure learn` says "verified" where the jail was held to a run that did the same work, and names only what was seen to help."""

import os
import re
import subprocess

import pytest

from harness.must import cannot
from harness.patience import patient
from harness.terminal import Terminal


class Bench:
    def __init__(self, caller):
        self.caller, self.work, self.specs = caller, caller.directory(), caller.directory()
        self.spec = self.specs / "learned.toml"

    def learn(self, script, options=(), **more):
        return self.words("/bin/sh", "-c", script, options=options, **more)

    def words(self, *words, options=(), **more):
        return self.caller.verb("learn", *options, "-o", str(self.spec), "--", *words, cwd=self.work, timeout=90, **more)

    def again(self, **more):
        return self.caller.run(self.spec, cwd=self.work, timeout=60, **more)

    def keep(self, *names):
        """Has the spec keep them as well."""
        text = self.spec.read_text()
        assert "[environment]" not in text
        self.spec.write_text(text + "\n[environment]\nkeep = [" + ", ".join(f'"{name}"' for name in names) + "]\n")

    @property
    def runs(self):
        """How often the command has been run; it appends a line to that file each time."""
        return (self.work / "runs").read_text().count("\n")


@pytest.fixture
def bench(caller):
    return Bench(caller)


#: As make does: silent or not, a second run finds nothing to do.
ONCE = {
    "it says otherwise": 'test -e m && echo "m is up to date." || { test -n "$MYVAR" && echo "cp in m" && cp in m; }',
    "it fails": 'test -n "$MYVAR" && mkdir m 2>/dev/null',
    "it is silent": 'test -e m || { test -n "$MYVAR" && cp in m; }',
}
UNLIKE = "warning: not verified: a second run outside does something else than the first: "


@pytest.mark.parametrize("way", ONCE)
def test_a_second_run_that_has_nothing_to_do_verifies_nothing(bench, way):
    bench.caller.file(bench.work / "in", "x\n")
    learned = bench.learn(ONCE[way], env={"MYVAR": "1"})
    assert learned.status == 0 and "verified: in the jail" not in learned.stderr and UNLIKE in learned.stderr, learned
    assert "note: not in the jail are your variables " in learned.stderr and "MYVAR" in learned.stderr, learned
    # What the hint says shows what is missing, and that the variable is it.
    command = re.search("hint: undo what it has done, and see what it does in the jail: immure (run .*)", learned.stderr)[1]
    subprocess.run(["rm", "-r", bench.work / "m"], check=True)
    assert bench.caller.verb(*command.split(), cwd=bench.work, timeout=60, env={"MYVAR": "1"}).status == 1
    bench.keep("MYVAR")
    bench.again(env={"MYVAR": "1"}).ok
    assert (bench.work / "m").exists()


@pytest.mark.parametrize("rule", ["@cp in m", "cp in m", '@test -n "$(MYVAR)" && cp in m'])
def test_a_makefile_that_is_up_to_date_is_not_verified(bench, rule):
    bench.caller.file(bench.work / "Makefile", f"m: in\n\t{rule}\n")
    bench.caller.file(bench.work / "in", "x\n")
    learned = bench.words("make", env={"MYVAR": "1"})
    assert learned.status == 0 and "verified: in the jail" not in learned.stderr and UNLIKE in learned.stderr, learned


def test_what_fills_a_cache_the_first_time_is_partly_verified(bench):
    learned = bench.learn("test -e cache || date >cache; echo answer")
    assert learned.status == 0 and "note: partly verified: in the jail its status and output are the same; not tried: " in learned.stderr, learned
    assert f'what only its first run has changed, as "{bench.work}/cache"' in learned.stderr, learned


def test_what_a_run_in_the_jail_does_not_change_is_no_success(bench):
    """It succeeds in silence outside and inside, and only outside does it change anything."""
    script = 'test -n "$MYVAR" && date +%N >out; true'
    learned = bench.learn(script, env={"MYVAR": "1"})
    assert learned.status == 1 and f'in the jail it leaves alone what it changes outside, as "{bench.work}/out"' in learned.stderr, learned
    tried = bench.learn(script, env={"MYVAR": "1"}, options=["--try"])
    assert tried.status == 0 and 'once more, with environment.keep = ["MYVAR"]' in tried.stderr, tried


def test_a_command_that_changes_something_each_time_is_verified(bench):
    learned = bench.learn("date +%N >out; test -e once || touch once")
    assert learned.status == 0 and "note: verified: in the jail its status and output are the same; not tried: " in learned.stderr, learned
    assert f'"{bench.work}/once"' in learned.stderr, learned
    learned = bench.learn("date +%N >out")
    assert learned.status == 0 and learned.stderr.rstrip().endswith("verified: in the jail its status and output are the same"), learned


@pytest.mark.parametrize("script,count", [("echo x >>runs; cat runs >/dev/null", 2), ("echo x >>runs; cat runs", 3)])
def test_without_try_it_is_run_no_more_than_it_takes(bench, script, count):
    assert bench.learn(script).status == 0
    assert bench.runs == count


def test_names_that_each_run_makes_anew_are_no_difference(bench):
    """As mktemp(1) makes them, but for chance."""
    bench.caller.file(bench.work / "names", "AbcdEf\nGhijKl\nMnopQr\nStuvWx\n", 0o666)
    script = "f=out.$(head -n 1 names); tail -n +2 names >rest; cat rest >names; echo x >$f; echo $f; rm $f rest"
    learned = bench.learn(script)
    assert learned.status == 0 and "verified: in the jail its status and output are the same" in learned.stderr and "not verified" not in learned.stderr, learned


def test_what_is_said_to_be_missing_is_the_first_that_is_hinted_at(bench):
    """What all of a directory below the root takes is for the caller to write."""
    learned = bench.learn("ls /srv >/dev/null && echo listed")
    assert learned.status == 1 and "not in the spec: the command lists /srv" in learned.stderr, learned
    hint = f'what is said above not to be in the spec may be why: have lines for it in a spec with extends = ["{bench.spec}"]; or find what ends that'
    assert hint in learned.stderr, learned
    wider = bench.caller.spec(f'extends = ["{bench.spec}"]\n[filesystem]\nro = ["/srv"]\n')
    assert bench.caller.run(wider, cwd=bench.work, timeout=60).ok.stdout == "listed\n"


def test_the_variables_that_it_lacks_are_found(bench):
    """Of many, and two that it takes both; the values are nowhere."""
    env = {f"V{number}": "secret" for number in range(40)}
    script = 'test -n "$V17" && echo "$V3" | wc -c'
    unaided = bench.learn(script, env=env)
    assert unaided.status == 1 and "--stat" not in unaided.stderr, unaided
    # What the hint says.
    assert "hint: find what ends that, by more runs of it: immure learn --try …" in unaided.stderr, unaided
    learned = bench.learn(script, env=env, options=["--try"])
    assert learned.status == 0 and 'environment.keep = ["V17", "V3"]' in learned.stderr, learned
    assert "note: verified: with that, its status and output in the jail are the same" in learned.stderr, learned
    assert "--stat" not in learned.stderr and "secret" not in learned.stderr + bench.spec.read_text()
    assert sorted(place.name for place in bench.specs.iterdir()) == ["learned.toml", "learned.toml.seen"]
    assert bench.again(env=env).ok.stdout == learned.stdout == "7\n"
    # A later run adds to it, and keeps them.
    learned = bench.learn(script, env=env)
    assert learned.status == 0 and "note: verified: in the jail its status and output are the same" in learned.stderr, learned


def test_what_it_only_asks_for_is_found(bench):
    elsewhere = bench.caller.directory()
    bench.caller.file(elsewhere / "f", "x\n")
    learned = bench.learn(f"test -e {elsewhere}/f && echo there", options=["--try"])
    assert learned.status == 0 and "once more, with what the command only asks for, as with --stat" in learned.stderr, learned
    assert bench.again().ok.stdout == "there\n"


def test_nothing_is_proposed_that_does_not_help(bench):
    learned = bench.words("ls", "/", env={"MYVAR": "1"}, options=["--try"])
    assert learned.status == 1 and "hint:" not in learned.stderr and "once more" not in learned.stderr, learned
    assert sorted(place.name for place in bench.specs.iterdir()) == ["learned.toml", "learned.toml.seen"]


def test_trials_end(bench):
    """However many variables it takes."""
    env = {f"V{number}": "1" for number in range(30)}
    script = "echo x >>runs; " + " && ".join(f'test -n "$V{number}"' for number in range(30)) + " && echo all"
    learned = bench.learn(script, env=env, options=["--try"])
    assert learned.status == 0 and '"V29"' in learned.stderr and '"V0"' in learned.stderr, learned
    assert bench.runs <= 3 + 20
    assert bench.again(env=env).ok.stdout == "all\n"


def test_who_it_is_makes_the_difference(root):
    bench = Bench(root)
    learned = bench.words("id", "-u", options=["--try"])
    assert learned.status == 1 and learned.stdout == "0\n", learned
    assert "hint: with identity.user = 0 it is the same, and the host's root: watch it as another user" in learned.stderr, learned
    assert "identity" not in bench.spec.read_text()


def test_who_it_is_makes_none_where_the_user_watches(user):
    """What the hint says."""
    bench = Bench(user)
    learned = bench.words("id", "-u")
    assert learned.status == 0 and "note: verified" in learned.stderr, learned


def test_the_hosts_network_is_tried(bench):
    """A jail without the host's network has loopback alone, which its /proc/net says."""
    if os.getuid() != 0:
        cannot("make an interface")
    subprocess.run(["ip", "link", "add", "learn0", "type", "veth", "peer", "name", "learn1"], check=True)
    try:
        learned = bench.learn("cut -d: -f1 /proc/net/dev", options=["--try"])
    finally:
        subprocess.run(["ip", "link", "del", "learn0"], check=True)
    assert learned.status == 1 and "learn0" in learned.stdout, learned
    assert "hint: with network.mode = \"host\" it is the same, and has the host's whole network" in learned.stderr, learned
    assert "network" not in bench.spec.read_text()
    # What the hint says.
    bench.caller.run(bench.spec, options=["--set", 'network.mode="host"'], cwd=bench.work).ok


def test_a_terminal_is_read_once(caller):
    """What is typed goes to the first run; the others have no input, and nobody has to type it again."""
    bench = Bench(caller)
    words = [caller.binary, "learn", "-o", bench.spec, "--", "/bin/sh", "-c", "echo x >>runs; cat in >/dev/null; read line; echo got $line"]
    caller.file(bench.work / "in", "x\n")
    terminal = Terminal(caller, words, cwd=bench.work)
    os.write(terminal.master, b"typed\n")
    terminal.expect("got typed", timeout=20)
    terminal.expect("not verified: a second run outside does something else than the first: ", timeout=30)
    terminal.expect("reads nothing, as the first has read from a terminal", timeout=30)
    terminal.process.wait(patient(30))
    assert bench.runs == 3


def test_what_is_changed_in_a_directory_of_its_own_is_seen(bench):
    learned = bench.learn("mkdir -p d/e; date +%N >d/e/out")
    assert learned.status == 0 and "note: verified: in the jail its status and output are the same; not tried: " in learned.stderr, learned
    assert f'only its first run has changed, as "{bench.work}/d"' in learned.stderr, learned


@pytest.mark.parametrize("script,said", [("exit 5", "; the command's status was 5\n"), ("kill -9 $$", "; the command's status was 137\n"), ("true", None)])
def test_the_status_of_what_was_learned_is_said(bench, script, said):
    learned = bench.learn(script)
    assert learned.status == 0 and "note: verified: in the jail its status and output are the same" in learned.stderr, learned
    assert (said in learned.stderr) if said else ("the command's status was" not in learned.stderr), learned


def test_a_directory_that_was_removed_is_no_line(bench):
    words = [*bench.caller.wrapper, bench.caller.binary, "learn", "-o", str(bench.spec), "--", "true"]
    line = " ".join(f"'{word}'" for word in words)
    script = f"mkdir gone; cd gone; rmdir ../gone; {line}"
    learned = bench.caller.finish(bench.caller.popen(["/bin/sh", "-c", script], cwd=bench.work), 90)
    assert learned.status == 0 and "not in the spec: cwd, as the current directory has been removed" in learned.stderr, learned
    assert "note: verified: in the jail its status and output are the same" in learned.stderr, learned
    assert '""' not in bench.spec.read_text() and "cwd" not in bench.spec.read_text()
    bench.caller.run(bench.spec, cwd=bench.work, timeout=60).ok
