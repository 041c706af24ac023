"""[process] and what else a process inherits: cwd, session, nice, affinity, keyring, personality (C14, C16, C19, C21)."""

import json
import os

import pytest

from harness.hold import holding
from harness.must import needs

# Working directory (C14)


def test_t07_c14_the_callers_directory_is_not_the_commands(caller):
    secret = caller.directory(mode=0o700)
    facts = caller.facts(cwd=secret)
    assert facts["cwd"] == "/" == facts["cwd_link"]
    hostname = caller.shell(None, "cat ../../etc/hostname ../etc/hostname", cwd=secret).ok.stdout
    assert hostname == open("/etc/hostname").read() * 2


def test_c14_a_deleted_directory_does_no_harm(caller):
    place = caller.directory()
    argv, _ = caller.line(None, ["/bin/pwd", "-P"])
    run = caller.finish(caller.popen(["/bin/sh", "-c", f'cd {place} && rmdir {place} && exec "$@"', "sh", *argv]))
    assert run.ok.stdout == "/\n"


def test_the_directory_of_the_spec(caller):
    assert caller.facts('cwd = "/usr/share"')["cwd"] == "/usr/share"
    assert caller.facts('cwd = "/bin"')["cwd"] in ("/usr/bin", "/bin")


@pytest.mark.parametrize("place", ["/no/such", "/etc/hostname"])
def test_a_directory_that_is_none_is_refused(caller, place):
    run = caller.run(f'\ncwd = "{place}"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and place in run.stderr and "spec.toml:2" in run.stderr


@pytest.mark.parametrize(
    "place", ["/proc/self/fd/7", "/proc/self/fd/7/..", "/proc/1/cwd", "/proc/self/cwd", "/proc/1/root", "/dev/fd/7"]
)
def test_t07_c14_a_directory_by_descriptor_does_not_lead_outside(caller, base, place):
    caller.wrapper = holding(base, {7: base})
    run = caller.shell(f'cwd = "{place}"', "/bin/pwd -P; ls -d immure ../immure ../*/immure")
    assert "(unreachable)" not in run.stdout and "immure" not in run.stdout
    assert run.status == 125 or run.stdout.startswith("/"), run


def test_c14_a_symlink_to_a_descriptor_does_not_lead_outside(caller, base):
    caller.wrapper = holding(base, {9: base})
    spec = 'cwd = "/opt/link"\n[[mount]]\ntarget = "/opt/link"\ntype = "symlink"\nto = "/proc/self/fd/9"'
    run = caller.shell(spec, "/bin/pwd -P; ls -d immure")
    assert "(unreachable)" not in run.stdout and "immure" not in run.stdout


# Signals (C16)


def test_t09_c16_mask_and_dispositions_are_reset(caller):
    code = (
        # By the system call itself: libc keeps 32 and 33 back, and so might the launcher's.
        "import ctypes, os, platform, signal, sys\n"
        "number = 13 if platform.machine() == 'x86_64' else 134\n"
        "ignore = (ctypes.c_ulong * 8)(1)\n"
        "for n in range(1, 65): ctypes.CDLL(None).syscall(number, n, ignore, None, 8)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    argv, _ = caller.line(None, ["/bin/cat", "/proc/self/status"])
    run = caller.finish(caller.popen(["/usr/bin/python3", "-c", code, *argv]))
    fields = dict(line.split(":\t", 1) for line in run.ok.stdout.splitlines())
    assert int(fields["SigBlk"], 16) == int(fields["SigIgn"], 16) == int(fields["SigPnd"], 16) == 0
    argv, _ = caller.line(None, ["/bin/sh", "-c", "exit 7"])
    assert caller.finish(caller.popen(["/usr/bin/python3", "-c", code, *argv])).status == 7


@pytest.mark.parametrize("mode", ["init", "no init", "direct"])
def test_c16_the_mask_is_empty_in_every_mode(caller, mode):
    if mode == "direct" and not caller.is_root:
        pytest.skip("an ordinary user has no /proc of shared pids to ask")
    specs = {
        "init": None,
        "no init": "[process]\ninit = false",
        "direct": caller.shared_pids("[process]\ninit = false\n"),
    }
    fields = caller.status(specs[mode])
    assert int(fields["SigBlk"], 16) == int(fields["SigIgn"], 16) == 0


# Keyring (C19)

KEY = """
import ctypes, errno, json
libc = ctypes.CDLL(None, use_errno=True)
key = libc.syscall(250, 10, -3, b"user", b"immure-secret", 0)
print(json.dumps([key > 0, libc.syscall(250, 0, -3, 0)]))
"""


def keyed(caller, spec):
    """A launch in a session keyring that holds a secret."""
    argv, _ = caller.line(spec, ["/usr/bin/python3", "-c", KEY])
    words = '/bin/keyctl add user immure-secret s3cret @s >/dev/null && exec "$@"'
    return caller.finish(caller.popen(["/bin/keyctl", "session", "-", "/bin/sh", "-c", words, "sh", *argv]))


def test_c19_the_callers_session_keyring_is_not_reachable(caller):
    needs(os.path.exists("/bin/keyctl"), "use keyctl(1): apt install keyutils")
    run = keyed(caller, None)
    assert json.loads(run.ok.stdout.splitlines()[-1])[0] is False


def test_c19_the_callers_session_keyring_where_the_spec_says_so(caller):
    needs(os.path.exists("/bin/keyctl"), "use keyctl(1): apt install keyutils")
    run = keyed(caller, '[process]\nkeyring = "inherit"')
    assert run.status in (0, 125), run


# Leftovers (C21)


def test_nice_is_the_specs(caller):
    assert caller.facts("[process]\nnice = 7")["nice"] == 7


def test_nice_is_not_raised_by_an_ordinary_user(user):
    run = user.run("\n[process]\nnice = -5", "/bin/echo", "ran")
    assert (
        run.status == 125
        and run.stdout == ""
        and "spec.toml:3" in run.stderr
        and ("EACCES" in run.stderr or "EPERM" in run.stderr)
    )


def test_oom_score_adj_is_the_specs(caller):
    assert caller.facts("[process]\noom_score_adj = 500")["oom_score_adj"] == "500"


def test_an_oom_score_that_is_not_to_be_had_is_refused(user):
    run = user.run("\n[process]\noom_score_adj = -900", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:3" in run.stderr and "EACCES" in run.stderr


def test_affinity_is_the_specs(caller):
    assert caller.facts('[process]\ncpus = "0"')["affinity"] == [0]
    last = max(os.sched_getaffinity(0))
    assert caller.facts(f'[process]\ncpus = "{last}"')["affinity"] == [last]


def test_an_affinity_that_is_not_to_be_had_is_refused(caller):
    run = caller.run('\n[process]\ncpus = "1000-1001"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:3" in run.stderr and "EINVAL" in run.stderr


def test_an_affinity_that_is_not_to_be_had_in_full_is_refused(caller):
    own = sorted(os.sched_getaffinity(0))
    run = caller.run(f'\n[process]\ncpus = "{own[0]},1000-1001,1003"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:3" in run.stderr, run
    assert "no processor 1000-1001,1003 is there, or is allowed here" in run.stderr, run
    assert f'process.cpus = "{own[0]}" names those that are' in run.stderr, run


def test_c21_personality_is_reset(caller):
    argv, _ = caller.line(None, ["/bin/cat", "/proc/self/personality"])
    run = caller.finish(caller.popen(["/usr/bin/setarch", "-R", *argv]))
    if run.status != 0:
        pytest.skip("personality cannot be read inside")
    assert int(run.stdout, 16) == 0


LEFTOVERS = """
import ctypes, json
libc = ctypes.CDLL(None)
word = ctypes.c_int(-1)
libc.prctl(37, ctypes.byref(word), 0, 0, 0); subreaper = word.value
word = ctypes.c_int(-1)
print(json.dumps({"subreaper": subreaper, "thp": libc.prctl(42, 0, 0, 0, 0), "keepcaps": libc.prctl(7, 0, 0, 0, 0),
    "timerslack": libc.prctl(30, 0, 0, 0, 0), "dumpable": libc.prctl(3, 0, 0, 0, 0)}))
"""


def test_c21_prctl_leftovers_are_reset(caller):
    code = (
        "import ctypes, os, sys\nlibc = ctypes.CDLL(None)\n"
        "for call in ((36, 1), (41, 1), (29, 1000000)): libc.prctl(*call, 0, 0, 0)\n"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    argv, _ = caller.line(None, ["/usr/bin/python3", "-c", LEFTOVERS])
    run = caller.finish(caller.popen(["/usr/bin/python3", "-c", code, *argv]))
    answer = json.loads(run.ok.stdout)
    assert (answer["subreaper"], answer["keepcaps"], answer["thp"], answer["timerslack"]) == (0, 0, 0, 50000), answer


def test_c21_pending_alarms_and_timers_do_not_reach_the_command(caller):
    argv, _ = caller.line(None, ["/bin/sleep", "1.5"])
    code = "import os, signal, sys; signal.setitimer(signal.ITIMER_REAL, 1); os.execv(sys.argv[1], sys.argv[1:])"
    run = caller.finish(caller.popen(["/usr/bin/python3", "-c", code, *argv]))
    assert run.status in (0, 128 + 14, -14), run


def test_the_hostname_is_the_specs(caller):
    assert caller.facts('hostname = "cell-7"')["hostname"] == "cell-7"
    assert os.uname().nodename != "cell-7"


def test_a_hostname_without_a_uts_namespace_is_refused(caller):
    run = caller.run('\nhostname = "cell"\n[namespaces]\nuts = "host"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:2" in run.stderr
    assert os.uname().nodename != "cell"


def test_the_command_has_a_session_of_its_own_without_a_terminal(caller):
    facts = caller.facts()
    assert facts["sid"] != 0 and facts["sid"] in (facts["pid"], 1, facts["ppid"])
    assert facts["status"].get("Seccomp") is not None


def test_init_is_pid_1_and_the_command_its_child(caller):
    facts = caller.facts()
    assert facts["ppid"] == 1 and facts["pid"] == 2


def test_without_init_the_command_is_pid_1(caller):
    facts = caller.facts("[process]\ninit = false")
    assert facts["pid"] == 1 and facts["ppid"] == 0


def test_argv_0_is_what_was_written(caller):
    assert caller.run(None, "cat", "/proc/self/cmdline").ok.stdout == "cat\0/proc/self/cmdline\0"


def test_c44_links_of_pid_1_cannot_be_followed(caller):
    run = caller.shell(None, "readlink /proc/1/exe /proc/1/root /proc/1/cwd /proc/1/fd/*")
    assert run.status != 0 and run.stdout == ""


def test_c44_pid_1_cannot_be_traced_or_read(caller):
    code = """
import ctypes, errno, json
libc = ctypes.CDLL(None, use_errno=True)
answers = {"attach": libc.ptrace(16, 1, 0, 0)}
for name in ("mem", "environ", "maps", "exe"):
    try: open("/proc/1/" + name, "rb").read(1); answers[name] = 0
    except OSError as error: answers[name] = -1
try: open("/proc/1/exe", "r+b"); answers["write"] = 0
except OSError: answers["write"] = -1
print(json.dumps(answers))
"""
    assert set(caller.python(None, code).values()) == {-1}


def test_a12_pid_1_shows_nothing_of_how_the_jail_was_started(caller):
    """Values of --set and paths stand in its arguments, which anybody may read."""
    options = ["--set", 'environment.set.TOKEN="do-not-show"']
    run = caller.run(None, "/bin/sh", "-c", "tr '\\0' '|' </proc/1/cmdline", options=options)
    assert run.ok.stdout.strip("|") in ("immure", str(caller.binary)[:6]), run
    run = caller.shell("", "cat /proc/1/environ /proc/[0-9]*/cmdline | tr '\\0' '|'; true", options=options)
    assert "do-not-show" not in run.stdout, run


@pytest.mark.parametrize("words", [
    ["--set", 'environment.set.TOKEN="do-not-show"'], ['--set=environment.set.TOKEN="do-not-show"'],
    ["--set", "hostname='a'", "--set", 'environment.set={TOKEN="do-not-show"}']])
def test_a12_the_launcher_shows_no_value_of_set(caller, words):
    """Whoever sees the host's processes reads their arguments. The program and the spec stay, for ps(1)."""
    process = caller.start("", "/bin/sh", "-c", "echo $TOKEN --set=a=b; exec sleep 60", "--set=c=d", options=words)
    try:
        assert process.stdout.readline() == b"do-not-show --set=a=b\n"
        shown = open(f"/proc/{process.pid}/cmdline").read().split("\0")
    finally:
        process.terminate()
        caller.finish(process)
    assert "do-not-show" not in "".join(shown) and shown[1] == "run", shown
    assert any(word.startswith(("environment.set", "--set=environment.set")) for word in shown)
    assert shown[0] == str(caller.binary) and any(word.endswith("spec.toml") for word in shown) and "--set=c=d" in shown


def test_c114_keeping_capabilities_may_be_asked_for(caller):
    """As ping(8) does: with nothing permitted there is nothing to keep."""
    code = "import ctypes, json; c = ctypes.CDLL(None); print(json.dumps([c.prctl(8, 1, 0, 0, 0), c.prctl(27, 0, 0, 0, 0)]))"
    assert caller.python("", code) == [0, 0x0F | 0x10]
