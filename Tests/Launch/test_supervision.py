"""Reaping, timeout, grace, and nothing that outlives the jail (C45, C46, T33-T36)."""

import os
import random
import signal
import struct
import subprocess
import threading
import time

import pytest

from harness import linux
from harness.patience import patient, reached, until


def ready(process):
    assert process.stdout.readline() == b"ready\n", process.stderr.read()


# Reaping (C46)


def test_c46_orphans_are_reaped(caller):
    code = """
import os, time
for _ in range(400):
    pid = os.fork()
    if pid == 0:
        if os.fork() == 0: os._exit(0)
        os._exit(0)
    os.waitpid(pid, 0)
def zombies():
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try: count += open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[0] == "Z"
            except OSError: pass
    return count
deadline = time.monotonic() + 20
while zombies() and time.monotonic() < deadline: time.sleep(0.01)
print(zombies())
"""
    assert caller.run(None, "/usr/bin/python3", "-c", code, timeout=20).ok.stdout == "0\n"


def test_c46_the_status_is_the_commands_and_no_orphans(caller):
    run = caller.shell(None, "(sleep 0.2; exit 9) & (sh -c 'sleep 0.05; exit 8' &) ; sleep 0.3; exit 3")
    assert run.status == 3


def test_t34_a_daemon_left_behind_dies_with_the_jail(caller):
    place = caller.open_directory()
    script = "setsid sh -c 'trap \"\" TERM HUP INT; echo alive > /out/alive; sleep 1000' >/dev/null 2>&1 </dev/null & while [ ! -e /out/alive ]; do sleep 0.01; done; exit 3"
    run = caller.shell(f'[filesystem]\nrw = ["{place}:/out"]', script)
    assert run.status == 3
    assert linux.survivors(0.5) == {}


def test_t34_a_daemon_that_holds_the_output_does_not_hold_the_launcher(caller):
    begin = time.monotonic()
    assert caller.shell(None, "sleep 1000 & exit 3").status == 3
    assert time.monotonic() - begin < patient(3)


# Timeout


def test_a_timeout_sends_sigterm_first(caller):
    def asked(seconds):
        run = caller.shell(f'timeout = "{seconds}s"\ngrace = "60s"', "trap 'echo asked; exit 3' TERM; echo ready; while :; do sleep 0.02; done")
        assert run.status == 124, run
        return run.stdout if "ready\n" in run.stdout else None

    assert reached(asked) == "ready\nasked\n"


def test_a_timeout_kills_after_the_grace(caller):
    def killed(seconds):
        begin = time.monotonic()
        run = caller.shell(f'timeout = "{seconds}s"\ngrace = "300ms"', "trap '' TERM; echo ready; while :; do sleep 0.02; done")
        assert run.status == 124 and time.monotonic() - begin >= seconds, run
        return (time.monotonic() - begin - seconds, run.stderr) if run.stdout else None

    after, said = reached(killed)
    assert after >= 0.3 and said.endswith(": timeout: the command was killed, as it had not ended 300 ms after SIGTERM\n"), said


def test_a_timeout_is_not_early(caller):
    begin = time.monotonic()
    assert caller.run('timeout = "700ms"', "/bin/sleep", "1000").status == 124
    assert 0.7 <= time.monotonic() - begin


def test_a_timeout_that_is_not_reached_changes_nothing(caller):
    assert caller.shell('timeout = "1h"', "exit 9").status == 9


def test_a_stopped_command_is_ended_by_the_timeout(caller):
    def ended(seconds):
        run = caller.shell(f'timeout = "{seconds}s"\ngrace = "200ms"', "echo ready; kill -STOP $$; sleep 1000")
        assert run.status == 124, run
        return run.stdout

    assert reached(ended)


def test_a_timeout_of_the_whole_tree(caller):
    def ended(seconds):
        script = "(trap '' TERM; echo one; sleep 1000) & trap '' TERM; echo two; sleep 1000"
        run = caller.shell(f'timeout = "{seconds}s"\ngrace = "100ms"', script)
        assert run.status == 124, run
        return len(run.stdout.split()) == 2

    assert reached(ended)
    assert linux.survivors(0.5) == {}


def test_direct_mode_with_a_timeout_keeps_it(caller):
    spec = 'timeout = "300ms"\n' + caller.shared_pids()
    assert caller.run(spec, "/bin/sleep", "1000").status == 124


def test_t33_a_command_that_ignores_sigterm_is_killed_after_the_grace(caller):
    process = caller.start('grace = "500ms"', "/bin/sh", "-c", "trap '' TERM; echo ready; sleep 1000; exit 6")
    ready(process)
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    run = caller.finish(process, timeout=8)
    assert run.status == 137 and 0.45 < time.monotonic() - begin, run
    assert "spec.toml:1:9: grace: the jail was killed, as it had not ended 500 ms after SIGTERM\n" in run.stderr, run.stderr


# Death of the launcher (C45)

MODES = {"init": "", "no init": "[process]\ninit = false"}


@pytest.mark.parametrize("name", ["init", "no init"])
def test_c45_a_killed_launcher_leaves_nobody(caller, name):
    process = caller.start(
        MODES[name], "/bin/sh", "-c", "setsid sleep 1000 & (setsid sleep 1000 &) ; echo ready; sleep 1000"
    )
    ready(process)
    process.kill()
    process.wait()
    left = linux.survivors(0.5)
    process.communicate()
    assert left == {}


def test_t35_c45_a_hundred_random_kills_leave_nobody(caller):
    seed = int(os.environ.get("IMMURE_SEED") or random.SystemRandom().randrange(1 << 32))
    count = int(os.environ.get("IMMURE_KILLS", 50))
    print("IMMURE_SEED =", seed)
    dice = random.Random(seed)
    spec = caller.spec("[process]\n")
    for _ in range(count):
        process = caller.start(
            spec, "/bin/sh", "-c", "sleep 1000 & sleep 1000", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(dice.uniform(0, 0.02))
        process.kill()
        process.wait()
    assert linux.survivors(0.5) == {}, f"IMMURE_SEED={seed}"


def test_c45_killing_pid_1_of_the_jail_ends_the_launch(caller):
    process = caller.start(None, "/bin/sh", "-c", "echo ready; sleep 1000")
    ready(process)
    first = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()[0]
    os.kill(int(first), signal.SIGKILL)
    run = caller.finish(process, timeout=5)
    assert run.status in (137, 125)


def test_c45_the_commands_parent_dies_with_the_launchers_parent(caller):
    argv, _ = caller.line(None, ["/bin/sleep", "1000"])
    process = caller.popen(["/bin/sh", "-c", '"$@" & echo ready; read x', "sh", *argv], stdin=subprocess.PIPE)
    ready(process)
    # The launcher's own words end with these: it must have come to watch its parent.
    until(lambda: any(line == "/bin/sleep 1000" for _, line in linux.descendants(process.pid).values()))
    process.kill()
    process.wait()
    left = linux.survivors(0.5)
    process.communicate()
    assert left == {}


#: A filter of seccomp(2) that allows all: BPF_RET | BPF_K, SECCOMP_RET_ALLOW.
ALLOW_ALL = struct.pack("HBBI", 6, 0, 0, 0x7FFF0000)


def waits(launcher):
    """Whether it has come to the read that stands still."""
    status = open(f"/proc/{launcher}/status").read()
    return status.startswith("Name:\timmure\n") and "\nState:\tS" in status


@pytest.mark.parametrize("shape", ["supervised", "direct"])
@pytest.mark.parametrize("ends", [True, False])
def test_c45_a_parent_that_ends_before_it_is_watched_is_noticed(caller, shape, ends):
    """The launcher stands still at a filter that is not written yet, while its parent ends."""
    reading, writing = os.pipe()
    out = caller.open_directory() / "out"
    spec = f"[seccomp]\nbpf = [{reading}]\n" + (caller.shared_pids() if shape == "direct" else "")
    argv, _ = caller.line(spec, ["/bin/echo", "ran"])
    script = f'"$@" >{out} 2>&1 </dev/null & echo $!; read x; wait'
    process = caller.popen(["/bin/sh", "-c", script, "sh", *argv], stdin=subprocess.PIPE, pass_fds=[reading])
    os.close(reading)
    try:
        launcher = int(process.stdout.readline())
        until(lambda: waits(launcher))
        if ends:
            process.kill()
            process.wait()
        os.write(writing, ALLOW_ALL)
    finally:
        os.close(writing)
    process.communicate(b"\n")
    until(lambda: linux.survivors(0.5) == {})
    said = out.read_text()
    if ends:
        assert "the process that started immure has ended" in said and "ran" not in said.splitlines(), said
    else:
        assert said == "ran\n", said


def test_a_jail_may_outlive_the_launchers_parent_where_the_spec_says_so(caller):
    argv, _ = caller.line("[process]\ndie_with_parent = false", ["/bin/sleep", "1002.97"])
    process = caller.popen(
        ["/bin/sh", "-c", '"$@" >/dev/null 2>&1 & echo ready; read x', "sh", *argv], stdin=subprocess.PIPE
    )
    ready(process)
    until(lambda: any(line == "/bin/sleep 1002.97" for _, line in linux.descendants(process.pid).values()))
    process.kill()
    process.communicate()
    time.sleep(0.3)
    left = [pid for pid, (_, line) in linux.descendants().items() if line == "/bin/sleep 1002.97"]
    assert len(left) == 1
    os.kill(left[0], signal.SIGTERM)
    assert linux.survivors(0.5) == {}


def test_t36_c45_the_end_of_the_thread_that_started_it_does_not_end_the_jail(caller):
    started = []
    spec = caller.spec("")
    thread = threading.Thread(
        target=lambda: started.append(caller.start(spec, "/bin/sh", "-c", "echo ready; sleep 0.6; exit 5"))
    )
    thread.start()
    thread.join()
    ready(started[0])
    assert caller.finish(started[0]).status == 5


def test_l3_a_launcher_stopped_in_the_middle_and_killed_leaves_nobody(caller):
    for delay in (0.001, 0.003, 0.005, 0.008, 0.012):
        process = caller.start(None, "/bin/sleep", "1000")
        time.sleep(delay)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.02)
        process.kill()
        process.communicate()
    assert linux.survivors(0.5) == {}


def test_l1_many_jails_at_once(caller):
    spec = caller.spec('hostname = "one-of-many"\n[[mount]]\ntarget = "/opt/x/y"\ntype = "tmpfs"')
    processes = [caller.start(spec, "/bin/sh", "-c", f"exit {i % 100}") for i in range(48)]
    assert [caller.finish(process, timeout=30).status for process in processes] == [i % 100 for i in range(48)]


def test_c40_the_launcher_has_one_thread(caller):
    process = caller.start(None, "/bin/sh", "-c", "echo ready; read x", stdin=subprocess.PIPE)
    ready(process)
    for pid in [process.pid, *linux.descendants(process.pid)]:
        assert len(os.listdir(f"/proc/{pid}/task")) == 1
    caller.finish(process, stdin=b"\n")


def test_the_launch_has_no_more_processes_than_it_needs(caller):
    process = caller.start(None, "/bin/sh", "-c", "echo ready; read x", stdin=subprocess.PIPE)
    ready(process)
    assert len(linux.descendants(process.pid)) == 2, "pid 1 and the command"
    caller.finish(process, stdin=b"\n")


def test_a_closed_output_does_not_hang(caller):
    process = caller.start(None, "/bin/sh", "-c", "yes | head -c 1000000; exit 0")
    process.stdout.close()
    process.stdout = None
    caller.finish(process)
