"""process.argv0, stop_signal and jobserver, by what the command finds."""

import os
import signal

import pytest

from harness.must import cannot
from harness.patience import reached


def test_argv0_is_what_the_command_is_called(caller):
    run = caller.run('[process]\nargv0 = "-other name"', "/bin/sh", "-c", 'echo "$0"; cat /proc/$$/cmdline')
    assert run.ok.stdout.startswith("-other name\n-other name\0-c\0"), run
    run = caller.run('[process]\nargv0 = "x"', "sh", "-c", "readlink /proc/$$/exe")
    assert run.ok.stdout.endswith("sh\n"), run
    run = caller.run('[process]\nargv0 = ""', "/bin/sh", "-c", "tr '\\0' , </proc/$$/cmdline")
    assert run.ok.stdout.startswith(",-c,"), run


@pytest.mark.parametrize("name", ["SIGINT", "SIGUSR1", "SIGRTMIN+3"])
def test_stop_signal_ends_the_command(caller, name):
    number = 37 if "RT" in name else getattr(signal, name)
    script = f"trap 'echo asked; exit 7' {number}; echo ready; while :; do sleep 0.02; done"
    spec = f'grace = "60s"\n[process]\nstop_signal = "{name}"'
    process = caller.start(spec, "bash", "-c", script)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    run = caller.finish(process)
    assert (run.status, run.stdout) == (7, "asked\n"), run

    def asked(seconds):
        run = caller.run(f'timeout = "{seconds}s"\n{spec}', "bash", "-c", script)
        assert run.status == 124, run
        return run.stdout

    assert reached(asked) == "ready\nasked\n"


def test_stop_signal_without_a_pid_namespace(caller):
    spec = caller.shared_pids().replace("[namespaces]", '[process]\nstop_signal = "SIGINT"\ntty = "none"\n[namespaces]')
    process = caller.start(spec, "bash", "-c", "trap 'exit 7' INT; echo ready; while :; do sleep 0.02; done")
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert caller.finish(process).status == 7


@pytest.mark.parametrize("name, hint", [("TERM", 'did you mean "SIGTERM"?'), ("15", "such as"), ("SIGSTOP", None)])
def test_a_signal_that_ends_nothing_is_refused(caller, name, hint):
    run = caller.run(f'[process]\nstop_signal = "{name}"', "true")
    assert run.status == 125 and "spec.toml:2:15: process.stop_signal: " in run.stderr
    assert hint is None or f"hint: {hint}" in run.stderr, run
    assert caller.run('[process]\nstop_signal = "SIGTERM"', "true").status == 0


MAKEFILE = """
all: a b c d
a b c d:
\t@echo begin $@; sleep 0.2; echo end $@
"""


def jobs(text):
    """The most jobs that were on their way at once."""
    running = most = 0
    for line in text.splitlines():
        running += {"begin": 1, "end": -1}.get(line.split()[0] if line.split() else "", 0)
        most = max(most, running)
    return most


@pytest.mark.parametrize("number, at_once", [(1, 1), (4, 4)])
def test_a_make_within_takes_its_share_of_the_jobs(caller, number, at_once):
    folder = caller.open_directory()
    caller.file(folder / "inner.mk", MAKEFILE)
    spec = caller.spec(f'[filesystem]\nro = ["{folder}:/src"]\n[process]\njobserver = true\n')
    caller.file(folder / "Makefile", f"all:\n\t+@{caller.binary} run {spec} -- make -s -f /src/inner.mk\n")
    run = caller.finish(caller.popen(["make", "-s", f"-j{number}", "-C", str(folder)]), 30)
    assert run.status == 0 and "warning" not in run.stderr, run
    assert jobs(run.stdout) == at_once, run


def test_a_recipe_that_make_takes_for_no_make_is_told(caller):
    folder = caller.open_directory()
    spec = caller.spec("[process]\njobserver = true\n")
    caller.file(folder / "Makefile", f"all:\n\t@{caller.binary} run {spec} -- true\n")
    run = caller.finish(caller.popen(["make", "-s", "-j4", "-C", str(folder)]))
    assert "spec.toml:2:13: process.jobserver: make has" in run.stderr, run
    assert "hint: begin the recipe's line with +" in run.stderr
    caller.file(folder / "Makefile", f"all:\n\t+@{caller.binary} run {spec} -- true\n")
    assert caller.finish(caller.popen(["make", "-s", "-j4", "-C", str(folder)])).status == 0


def test_a_fifo_of_make_is_reached_by_its_path(caller):
    """make 4.4 names a FIFO; the command finds it at the same path, below a /tmp of its own, and takes a token."""
    folder = caller.open_directory()
    fifo = folder / "GMfifo"
    os.mkfifo(fifo, 0o600)
    caller.own(fifo)
    holder = os.open(fifo, os.O_RDWR)
    os.write(holder, b"+")
    environment = {"MAKEFLAGS": f" -j2 --jobserver-auth=fifo:{fifo}"}
    script = 'echo "$MAKEFLAGS"; path=${MAKEFLAGS##*fifo:}; exec 3<>"$path"; dd bs=1 count=1 <&3 2>/dev/null'
    try:
        run = caller.shell("[process]\njobserver = true", script, env=environment)
        # As make --jobserver-style=pipe has it.
        piped_script = f"exec 3<&{holder}; dd bs=1 count=1 iflag=nonblock <&3 2>/dev/null || true"
        flags = {"MAKEFLAGS": f" -j2 --jobserver-auth={holder},{holder}"}
        piped = caller.run(
            "[process]\njobserver = true", "bash", "-c", piped_script, env=flags, pass_fds=[holder]
        )
    finally:
        os.close(holder)
    if caller.is_root:
        assert run.status == 125 and "hint: make --jobserver-style=pipe" in run.stderr, run
        assert piped.ok.stdout == "+", piped
    else:
        assert run.ok.stdout == f" -j2 --jobserver-auth=fifo:{fifo}\n+", run
        assert piped.ok.stdout == "", "the token has been taken, by the path"


def test_without_a_jobserver_nothing_is_passed(caller):
    facts = caller.facts("[process]\njobserver = true", env={"MAKEFLAGS": "k"})
    assert sorted(facts.fds) == [0, 1, 2]
    run = caller.run("[process]\njobserver = true", "env", env={"MAKEFLAGS": "k"})
    assert "MAKEFLAGS" not in run.ok.stdout


def test_a_real_time_task_is_launched(root):
    """Linux gives it no timer slack, whatever is asked for (E08)."""
    probe = root.finish(root.popen(["chrt", "-r", "5", "true"]))
    if probe.status != 0:
        cannot(f"chrt: {probe.stderr}")
    run = root.finish(root.popen(["chrt", "-r", "5", root.binary, "run", "--", "cat", "/proc/self/timerslack_ns", "/proc/self/sched"]))
    assert run.status == 0, run
