"""What the launcher touches may stall or lie: the deadline, the signals and the jail's end are kept all the same (B01, B09, B12)."""

import contextlib
import os
import signal
import time

import pytest

from harness import linux
from harness.patience import patient, until
from kit.calls import NUMBER
from kit.faults import Bench

ENDING = ["INT", "QUIT", "HUP", "TERM"]


# A file server that does not answer


@contextlib.contextmanager
def hung(place):
    """A file system whose server took the request for the first answer and is silent since: fuse(4)."""
    server = os.open("/dev/fuse", os.O_RDWR)
    linux.mount("hung", place, "fuse", 0, f"fd={server},rootmode=40000,user_id=0,group_id=0,allow_other")
    try:
        yield place
    finally:
        # Whoever waits gets ENOTCONN.
        os.close(server)
        linux.umount(place)


@pytest.fixture
def hanging(caller):
    if os.getuid() != 0 or not os.path.exists("/dev/fuse"):
        pytest.skip("only root can mount a file server that hangs")
    place = caller.directory()
    with hung(place):
        yield place


def stands_in_the_kernel(process):
    """Whether a process of that launch waits for the server: its wait channel says so."""

    def waits(pid):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/wchan") as file:
                channel = file.read()
            return "fuse" in channel or channel == "request_wait_answer"

    return any(waits(pid) for pid in [process.pid, *linux.descendants(process.pid)])


@pytest.mark.parametrize("number", ENDING)
def test_b09_a_signal_ends_a_launch_that_waits_for_a_source(caller, hanging, number):
    process = caller.start(f'[filesystem]\nrw = ["{hanging}/below:/data"]', "/bin/echo", "ran")
    until(lambda: stands_in_the_kernel(process))
    begin = time.monotonic()
    process.send_signal(getattr(signal, "SIG" + number))
    run = caller.finish(process)
    assert time.monotonic() - begin < patient(0.5), run
    assert run.status == -getattr(signal, "SIG" + number) and run.stdout == "", run
    assert str(hanging) in run.stderr and "SIG" + number in run.stderr, run
    assert linux.survivors(0.5) == {}


def test_b09_a_deadline_ends_a_launch_that_waits_for_a_source(user, hanging):
    begin = time.monotonic()
    run = user.run(f'timeout = "1s"\n[filesystem]\nrw = ["{hanging}/below:/data"]', "/bin/echo", "ran")
    assert run.status == 124 and run.stdout == "" and time.monotonic() - begin < patient(1.5), run
    assert str(hanging) in run.stderr, run
    assert linux.survivors(0.5) == {}


def test_b09_a_signal_ends_a_launch_that_waits_for_its_command(user, hanging):
    """The command's file is on the server: exec(2) itself stands still."""
    process = user.start('grace = "60s"\n[filesystem]\nroot = "host"\ntmp = false', hanging / "program")
    until(lambda: stands_in_the_kernel(process))
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    run = user.finish(process)
    assert run.status == -signal.SIGINT and time.monotonic() - begin < patient(1), run
    assert linux.survivors(0.5) == {}


def test_b09_a_launch_in_its_own_time_is_none_the_slower(root):
    """Sources that a spec names are opened by a process that can be killed: their order and their faults are the same."""
    place = root.directory()
    root.file(place / "file", "text")
    run = root.run(f'[filesystem]\nro = ["{place}:/data", "/no/such:/opt/x"]', "/bin/cat", "/data/file")
    assert run.status == 125 and "/no/such" in run.stderr and ":2:" in run.stderr, run
    run = root.run(f'[filesystem]\nro = ["{place}:/data"]\n[[mount]]\ntarget = "/x"\nsource = "/no/such"\noptional = true', "/bin/cat", "/data/file")
    assert run.status == 0 and run.stdout == "text" and "/no/such" in run.stderr, run


# Failures before the command


def test_b12_whatever_fails_before_the_command_ends_with_125(caller, built, tally):
    """The launcher cannot begin to watch: nothing of the command may run, and the status says so."""
    bench = Bench(caller, "default", built)
    steps = [step for step in bench.steps if step.process == 0]
    born = next(step.call for step in steps if step.number == NUMBER["clone3"])
    watching = [step for step in steps if step.call > born and step.number in (NUMBER["prctl"], NUMBER["close_range"])]
    assert any(step.number == NUMBER["prctl"] for step in watching)
    runs = [bench.broken("fail", step, errno) for step in watching for errno in (1, 4, 12, 22)]
    runs = [run for run in runs if not run.moved]
    assert runs
    for run in runs:
        tally("failures of the watch", 1, run.status not in (125, 7))
        # close_range that is refused is made up for.
        assert run.status == 125 and run.stdout == "" or run.status == 7, run
    assert any(run.status == 125 for run in runs)
