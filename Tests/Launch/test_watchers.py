"""What the command can do to the jail's first process, whose user it is: never 125, which says that nothing of it ran, and
never a jail that outlives its deadline."""

import ctypes
import json
import signal
import time

import pytest

from harness import linux
from harness.hints import among, settings
from harness.patience import patient, reached

# prlimit(2) by number: Python's own asks for the old limits, which needs no less; the number is that of x86-64.
PRELUDE = """
import ctypes, os, struct, sys, time
kernel = ctypes.CDLL(None, use_errno=True)
def limit(resource, value, process=1):
    answer = kernel.prlimit(process, resource, struct.pack("QQ", value, value), None)
    print("limited" if answer == 0 else f"errno {ctypes.get_errno()}", flush=True)
def busy():
    # Something to do for who reaps and passes signals on.
    for _ in range(200):
        os.kill(os.getppid(), 28)
        if os.fork() == 0:
            if os.fork() == 0: os._exit(0)
            os._exit(0)
        os.wait()
"""
NAMES = ["CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING",
         "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"]


def attack(caller, code, spec="", status=7, **rest):
    """The run and its result of a command that attacks, and then ends with 7."""
    file = caller.open_directory() / "result.json"
    code = PRELUDE + code + f"\nos._exit({status})"
    run = caller.run(
        spec, "/usr/bin/python3", "-c", code, options=["--result", str(file)], timeout=20, **rest)
    return run, json.loads(file.read_text())


@pytest.mark.parametrize("resource", range(len(NAMES)), ids=NAMES)
def test_no_limit_of_the_first_process_says_that_nothing_ran(caller, resource):
    run, answer = attack(caller, f"limit({resource}, 0)\nbusy()\ntime.sleep(0.2)", 'timeout = "60s"')
    assert run.status in (7, 137) and run.stdout == "limited\n" and answer["failure"] is None, run
    assert (run.status == 137) == (answer["lost"] is not None or answer["signal"] == signal.SIGKILL), run
    assert linux.survivors(1) == {}


@pytest.mark.parametrize("resource", range(len(NAMES)), ids=NAMES)
def test_no_limit_of_a_launcher_in_sight_says_that_nothing_ran(caller, resource):
    """Where the jail shares the host's pids, the launcher of an ordinary user is as open to the command as any process of
    that user: it may be killed, and says nothing then."""
    spec = 'timeout = "60s"\n' + caller.shared_pids()
    code = PRELUDE + f"limit({resource}, 0, os.getppid())\ntime.sleep(0.2)\nos._exit(7)"
    run = caller.run(spec, "/usr/bin/python3", "-c", code, timeout=20)
    assert run.status in (7, 137, -9) and run.stdout in ("limited\n", "errno 1\n"), run
    assert linux.survivors(2) == {}


def test_no_limit_on_descriptors_disturbs_the_first_process(caller):
    run, answer = attack(caller, "limit(7, 0)\nbusy()\ntime.sleep(0.2)")
    assert (run.status, run.stdout, run.stderr) == (7, "limited\n", "") and answer["lost"] is None, run


def test_the_deadline_holds_with_no_descriptor_allowed(caller):
    run, answer = attack(caller, "limit(7, 0)\ntime.sleep(600)", 'timeout = "300ms"\ngrace = "200ms"')
    assert run.status == 124 and answer["timed_out"], run


def test_a_first_process_that_breaks_down_is_told_as_that(caller):
    """Without memory it cannot go on; whether it needs any is its own affair."""
    run, answer = attack(caller, "for resource in (2, 9, 3): limit(resource, 0)\nbusy()\ntime.sleep(0.5)")
    assert run.status in (7, 137) and answer["failure"] is None, run
    if run.status == 137:
        assert answer["lost"]["message"] in run.stderr and answer["signal_name"] == "SIGKILL", run


@pytest.mark.parametrize("pid", ["new", "host"])
def test_no_signal_to_the_first_process_says_that_nothing_ran(caller, pid):
    spec = 'timeout = "60s"\ngrace = "100ms"\n' + (caller.shared_pids() if pid == "host" else "")
    code = """
import signal
for number in range(1, 65):
    try: signal.signal(number, lambda *_: None)
    except (OSError, ValueError): pass
for number in (*range(1, 9), *range(10, 19), *range(20, 65)):
    try: os.kill(os.getppid(), number)
    except PermissionError: pass
    time.sleep(0.002)
print("sent", flush=True)
"""
    run = caller.run(spec, "/usr/bin/python3", "-c", PRELUDE + code + "os._exit(7)", timeout=20)
    assert run.status not in (0, 125), run
    if pid == "new":
        assert "sent" in run.stdout, run
    assert linux.survivors(1) == {}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_first_process_cannot_be_ended_or_stopped_from_inside(caller, number):
    run, answer = attack(caller, f"os.kill(1, {int(number)})\nbusy()", 'timeout = "60s"')
    assert run.status == 7 and answer["lost"] is None, run


def test_a_flood_of_signals_does_not_hold_the_deadline_up(caller):
    code = """
import signal
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range(4):
    if os.fork() == 0:
        while True: os.kill(1, signal.SIGUSR1)
time.sleep(600)
"""
    begin = time.monotonic()
    run, _ = attack(caller, code, 'timeout = "300ms"\ngrace = "300ms"')
    assert run.status == 124 and time.monotonic() - begin < patient(5), run
    assert linux.survivors(2) == {}


def test_a_first_process_of_the_lowest_priority_does_not_hold_the_deadline_up(caller):
    code = """
import signal
# It sheds its capabilities beside the start of the command: until then it has some that this process lacks, cap_safe_nice().
for _ in range(2000):
    try:
        os.setpriority(os.PRIO_PROCESS, 1, 19)
        break
    except PermissionError:
        time.sleep(0.001)
assert os.getpriority(os.PRIO_PROCESS, 1) == 19
os.sched_setaffinity(1, [min(os.sched_getaffinity(0))])
os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))
kernel.syscall(251, 1, 1, 3 << 13)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
for _ in range(200):
    if os.fork() == 0:
        while True: pass
print("all", flush=True)
time.sleep(600)
"""
    begin = time.monotonic()
    run, _ = attack(caller, code, 'timeout = "1s"\ngrace = "300ms"')
    assert run.status == 124 and time.monotonic() - begin < patient(8), (time.monotonic() - begin, run)
    assert linux.survivors(2) == {}


@pytest.mark.parametrize("number", ["STOP", "KILL", "TERM"])
def test_b06_the_launcher_cannot_be_stopped_by_its_command(caller, number):
    """They share a pid namespace, and their ids: a domain of Landlock stands between."""
    if linux.libc.syscall(444, None, ctypes.c_size_t(0), 1) < 6:
        pytest.skip("Landlock has no scope of signals here")

    def tried(seconds):
        spec = f'timeout = "{seconds}s"\ngrace = "100ms"\n' + caller.shared_pids()
        run = caller.shell(spec, f"echo tries; kill -{number} $PPID 2>/dev/null || echo refused; exec sleep 1000")
        assert run.status == 124, run
        return run.stdout

    assert reached(tried) == "tries\nrefused\n"


@pytest.mark.parametrize("scope", ["", '"abstract_unix_socket"'])
def test_b06_a_spec_that_opens_signals_is_told_what_they_reach(caller, scope):
    """As the hint says, the deadline holds again."""
    if linux.libc.syscall(444, None, ctypes.c_size_t(0), 1) < 6:
        pytest.skip("Landlock has no scope of signals here")
    spec = caller.spec('timeout = "60s"\ngrace = "100ms"\n' + caller.shared_pids() + f"[landlock]\nscope = [{scope}]\n")
    hint = among(caller.run(spec, "/bin/true").ok.stderr, "set landlock.scope = [{}]")

    def tried(seconds):
        script = "echo tries; kill -STOP $PPID 2>/dev/null || echo refused; exec sleep 1000"
        run = caller.shell(spec, script, options=[*settings(hint)[0], "--set", f'timeout="{seconds}s"'])
        assert run.status == 124 and "can stop the launcher" not in run.stderr, run
        return run.stdout

    assert reached(tried) == "tries\nrefused\n"
    assert "can stop" not in caller.run(spec.read_text().replace("timeout", "#"), "/bin/true").ok.stderr


def test_b07_a_caller_that_cannot_be_watched_is_told(caller, compiled):
    caller.wrapper = (compiled("shim"), "pidfd_open=1", "--")
    try:
        run = caller.shell("[process]\ndie_with_parent = true", "echo ran")
        assert run.status == 125 and "die_with_parent" in run.stderr and "EPERM" in run.stderr and run.stdout == "", run
        place = caller.open_directory()
        run = caller.run(None, "/bin/echo", "ran", options=("--result", str(place / "result")))
        assert run.status == 0 and "note: process.die_with_parent" in run.stderr, run
        assert any("die_with_parent" in each["message"] for each in json.loads((place / "result").read_text())["degraded"])
    finally:
        caller.wrapper = ()


def test_b07_a_caller_outside_of_the_pid_namespace_is_told(caller):
    """As in a container whose first process is the launcher, or by nsenter(1): there is nobody to watch."""
    own = () if caller.is_root else ("--user", "--map-current-user", "--keep-caps")
    caller.wrapper = ("/usr/bin/unshare", *own, "--mount", "--pid", "--fork", "--mount-proc", "--")
    try:
        run = caller.shell("[process]\ndie_with_parent = true", "echo ran")
        assert run.status == 125 and "die_with_parent: the caller cannot be watched: it is outside" in run.stderr, run
        assert run.stdout == "", run
        run = caller.shell(None, "echo ran")
        assert (run.status, run.stdout) == (0, "ran\n") and "note: process.die_with_parent" in run.stderr, run
        assert caller.shell("process.die_with_parent = false", "echo ran").ok.stderr == ""
    finally:
        caller.wrapper = ()
