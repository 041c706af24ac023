"""Every catchable signal reaches the command exactly once; stop and continue (C47)."""

import os
import signal
import subprocess
import time

import pytest

from harness import linux
from harness.patience import patient

# Counts what comes, tells when it is ready, and ends on USR2 with the tally.
COUNTER = """
import os, signal, sys
names = sys.argv[1:]
signals = [getattr(signal, "SIG" + name) for name in names]
signal.pthread_sigmask(signal.SIG_BLOCK, [*signals, signal.SIGRTMIN])
os.write(1, b"ready\\n")
tally = []
while True:
    got = signal.sigtimedwait([*signals, signal.SIGRTMIN], 80)
    if got is None or got.si_signo == signal.SIGRTMIN: break
    tally.append(signal.Signals(got.si_signo).name)
print(",".join(tally))
"""
NAMES = [
    "TERM",
    "INT",
    "HUP",
    "QUIT",
    "USR1",
    "USR2",
    "WINCH",
    "CONT",
    "ALRM",
    "PIPE",
    "IO",
    "PWR",
    "URG",
    "VTALRM",
    "PROF",
    "XCPU",
    "XFSZ",
]


def ready(process):
    assert process.stdout.readline() == b"ready\n", process.stderr.read()


@pytest.mark.parametrize("init", ["true", "false"])
def test_c47_each_signal_arrives_exactly_once(caller, init):
    process = caller.start(f"[process]\ninit = {init}", "/usr/bin/python3", "-c", COUNTER, *NAMES)
    ready(process)
    for name in NAMES:
        process.send_signal(getattr(signal, "SIG" + name))
        # Standard signals do not queue: give each its time.
        time.sleep(0.03)
    process.send_signal(signal.SIGRTMIN)
    run = caller.finish(process)
    assert sorted(run.stdout.strip().split(",")) == sorted("SIG" + name for name in NAMES), run


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "ALRM"])
def test_c47_a_signal_ends_a_command_without_a_handler(caller, name):
    process = caller.start("[rlimits]\ncore = 0", "/bin/sh", "-c", "echo ready; exec sleep 20")
    ready(process)
    process.send_signal(getattr(signal, "SIG" + name))
    assert caller.finish(process, timeout=5).status == 128 + getattr(signal, "SIG" + name)


def test_c47_a_signal_to_the_whole_group_arrives_once(caller):
    process = caller.start('[process]\ntty = "none"', "/usr/bin/python3", "-c", COUNTER, "INT")
    ready(process)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGRTMIN)
    assert caller.finish(process).stdout.strip() == "SIGINT"


def test_c47_a_command_that_handles_a_signal_goes_on(caller):
    process = caller.start(
        None,
        "/bin/sh",
        "-c",
        "n=0; trap 'echo once; n=1' USR1; echo ready; while [ $n = 0 ]; do sleep 0.05; done; sleep 0.2; exit 3",
    )
    ready(process)
    process.send_signal(signal.SIGUSR1)
    run = caller.finish(process)
    assert run.status == 3 and run.stdout == "once\n"


def test_a_signal_during_the_setup_ends_the_launch(caller):
    for delay in (0, 0.001, 0.002, 0.004, 0.008):
        process = caller.start(None, "/bin/sleep", "20")
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        # Before main there is no one to translate: then the kernel's own status is seen.
        assert caller.finish(process, timeout=5).status in (143, -15)


def state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def until(condition, within=3, every=0.01):
    deadline = time.monotonic() + patient(within)
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def test_stop_and_continue_reach_the_command(caller):
    script = "echo ready; while :; do echo tick; sleep 0.02; done"
    process = caller.start(None, "/bin/sh", "-c", script)
    ready(process)
    process.send_signal(signal.SIGTSTP)
    assert until(lambda: state(process.pid) == "T"), "the launcher does not stop with its command"
    time.sleep(0.1)
    os.set_blocking(process.stdout.fileno(), False)
    while process.stdout.read(65536):
        pass
    time.sleep(0.2)
    assert not process.stdout.read(65536), "the command goes on while the launcher is stopped"
    process.send_signal(signal.SIGCONT)
    assert until(lambda: state(process.pid) != "T")
    assert until(lambda: process.stdout.read(65536)), "the command does not continue"
    os.set_blocking(process.stdout.fileno(), True)
    process.send_signal(signal.SIGTERM)
    assert caller.finish(process).status == 143


def test_a_command_that_stops_itself_can_be_continued(caller):
    process = caller.start(None, "/bin/sh", "-c", "echo ready; kill -STOP $$; exit 8")
    ready(process)
    assert until(lambda: any(state == "T" for state, _ in linux.descendants(process.pid).values()))
    process.send_signal(signal.SIGCONT)
    assert caller.finish(process, timeout=5).status == 8


def test_c47_a_second_sigterm_kills_a_command_that_ignores_them(caller):
    process = caller.start(None, "/bin/sh", "-c", "trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done")
    ready(process)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == b"asked\n"
    time.sleep(0.6)  # what comes sooner is the same request
    process.send_signal(signal.SIGTERM)
    run = caller.finish(process, timeout=3)
    assert run.status == 137 and run.stdout == "", run


def test_l7_a_storm_of_signals_does_no_harm(caller):
    script = (
        "trap : USR1 USR2 HUP WINCH CONT; echo ready; n=0; while [ $n -lt 20 ]; do sleep 0.05; n=$((n+1)); done; exit 4"
    )
    process = caller.start(None, "/bin/sh", "-c", script)
    ready(process)
    names = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGWINCH, signal.SIGCONT)
    for i in range(3000):
        process.send_signal(names[i % 5])
        if i % 100 == 0:
            time.sleep(0.005)
    assert caller.finish(process, timeout=20).status == 4


@pytest.mark.parametrize("init", ["true", "false"])
def test_what_is_continued_while_it_stops_goes_on(caller, init):
    """The launcher stops a little later than its command: SIGCONT of the time between counts."""
    process = caller.start(f"[process]\ninit = {init}", "/bin/sh", "-c", "echo ready; read line; exit 4", stdin=subprocess.PIPE)
    ready(process)
    (command,) = [pid for pid, (_, line) in linux.descendants(process.pid).items() if line.startswith("/bin/sh")]
    for _ in range(100):
        process.send_signal(signal.SIGTSTP)
        until(lambda: state(command) == "T", every=0)
        process.send_signal(signal.SIGCONT)
        assert until(lambda: state(process.pid) != "T" and state(command) != "T"), "it has been continued"
    assert caller.finish(process, stdin=b"\n").status == 4


@pytest.mark.parametrize("own", [False, True], ids=["group", "session"])
def test_a_command_that_stands_still_already_is_followed(caller, own):
    """It does not tell again that it has stopped: it has done so by itself, or was to go on when the next stop came."""
    more = {"start_new_session": True, "process_group": None} if own else {}
    process = caller.start(None, "/bin/sh", "-c", "echo ready; kill -STOP $$; read line; exit 4", stdin=subprocess.PIPE, **more)
    ready(process)
    (command,) = [pid for pid, (_, line) in linux.descendants(process.pid).items() if line.startswith("/bin/sh")]
    assert until(lambda: state(command) == "T")
    for _ in range(50):
        process.send_signal(signal.SIGTSTP)
        assert until(lambda: state(process.pid) == "T"), "the launcher goes on without its command"
        assert state(command) == "T"
        process.send_signal(signal.SIGCONT)
    assert until(lambda: state(process.pid) != "T" and state(command) != "T")
    assert caller.finish(process, stdin=b"\n").status == 4


def test_what_timeout_sends_twice_is_one_request(caller):
    """timeout(1) signals its child, and then its whole group."""
    script = "trap 'sleep 1; exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    for _ in range(3):
        process = caller.popen(["timeout", "--preserve-status", "1000", *caller.line(None, ["/bin/sh", "-c", script])[0]])
        ready(process)
        process.send_signal(signal.SIGTERM)
        assert caller.finish(process).status == 9
