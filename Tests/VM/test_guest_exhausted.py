"""A machine that has nothing left: no process ids, no namespaces of a kind (L5, C50). Knobs of the whole machine are turned."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def knob(path, value):
    file = Path("/proc/sys") / path
    before = file.read_text()
    file.write_text(value)
    try:
        yield
    finally:
        file.write_text(before)


def launch(binary):
    return subprocess.run([binary, "run", "--", "/bin/echo", "ran"], capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize("kind", ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"])
def test_l5_without_namespaces_of_a_kind_nothing_runs(binary, kind):
    with knob(f"user/max_{kind}_namespaces", "0"):
        done = launch(binary)
    assert (done.returncode, done.stdout) == (125, ""), done
    assert "ENOSPC" in done.stderr and f"user.max_{kind}_namespaces" in done.stderr, done
    assert launch(binary).stdout == "ran\n"


def test_l5_with_every_process_id_taken_nothing_runs_and_nothing_is_left(binary):
    script = "for i in $(seq 1 600); do sleep 30 & done 2>/dev/null; exec sleep 30"
    with knob("kernel/pid_max", "320"):
        filler = subprocess.Popen(["sh", "-c", script], stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            answers = []
            for _ in range(20):
                time.sleep(0.1)
                try:
                    answers.append(launch(binary))
                except BlockingIOError:
                    continue  # not even the launcher can be started
        finally:
            os.killpg(filler.pid, signal.SIGKILL)
            filler.wait()
    for done in answers:
        assert done.returncode in (0, 125) and (done.stdout == "ran\n") == (done.returncode == 0), done
        assert done.returncode == 0 or done.stderr, done
    time.sleep(0.5)
    assert launch(binary).stdout == "ran\n"
