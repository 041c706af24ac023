"""Each system call of the launch fails once, and the launcher is killed or stopped at each (C06, C35, C43, C45, C50, T43, L3).

Either nothing of the command runs and one line with 125 says which call was refused, or the command runs with the whole
confinement that it has where nothing fails; no launch hangs, and no process outlives it. A sample by default, every call
with every errno with IMMURE_SWEEP=full.
"""

import os
import re
from pathlib import Path

import pytest

from harness.patience import until
from kit.calls import NAME
from kit.faults import STATUS, Bench, Step
from kit.samples import SAMPLES

FULL = os.environ.get("IMMURE_SWEEP") == "full"
#: What a sample tries of each sweep: as root and as a user, each of the specs.
FAULTS, KILLS = 60, 20


def chosen(dice, cases, count):
    return cases if FULL else sorted(dice.sample(cases, min(count, len(cases))), key=str)


@pytest.fixture(params=SAMPLES)
def bench(request, caller, built):
    with Bench(caller, request.param, built) as made:
        yield made


def test_t43_c06_c35_c43_c50_each_call_fails_once(bench, dice, tally):
    cases = chosen(dice, bench.faults(), FAULTS)
    wrong = [word for word in (bench.fail(step, errno) for step, errno in cases) if word]
    tally("system calls that failed", len(cases), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_l3_c45_the_launcher_ends_at_each_call(bench, dice, tally, how):
    steps = chosen(dice, bench.steps, KILLS)
    wrong = [word for word in (bench.interrupt(how, step) for step in steps) if word]
    tally(f"launchers ended by {how}", len(steps), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(steps)}:\n" + "\n".join(wrong)


def loops(place):
    """The loop devices that show a file below a directory."""
    found = []
    for file in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            found += [file.parts[3]] if file.read_text().startswith(f"{place}/") else []
        except OSError:
            continue  # it has gone meanwhile
    return found


LOOP_CTL_GET_FREE = 0x4C82


def around_loop(bench):
    """Each call from before a loop device is asked for until its file system is mounted; none where no device is used."""
    rows = [row for row in bench.rows() if NAME.get(row[2])]
    asked = next((row for row in rows if NAME[row[2]] == "ioctl" and row[4] == LOOP_CTL_GET_FREE), None)
    if asked is None:
        return []
    return [Step(*row[:3], False) for row in rows if row[0] == asked[0] and -2 <= row[1] - asked[1] <= 24]


@pytest.mark.parametrize("bench", ["stored"], indirect=True)
def test_s27_a_launcher_that_was_killed_leaves_no_device_and_no_name(bench, dice, tally):
    place = Path(re.search(r'lower = \["([^"]*)/lower"\]', bench.spec.read_text())[1])

    def names():
        return {str(path) for path in place.rglob("*")}

    def mounts():
        return sorted(line.split(" ", 2)[2] for line in Path("/proc/self/mountinfo").read_text().splitlines())

    before, mounted = names(), mounts()
    near = around_loop(bench)
    assert near or "/image" not in bench.spec.read_text() or not bench.caller.is_root
    steps = [*chosen(dice, bench.steps, KILLS), *near]
    wrong = []
    for step in steps:
        word = bench.interrupt("kill", step)
        until(lambda: not loops(place))
        # The record of a kept overlay, and what it is tried with whether work leads to upper: the next launch replaces them.
        if word or not names() - before <= {f"{place}/work/.immure", f"{place}/work/.immure.json"} or before - names():
            wrong.append(word or f"{step}: {names() ^ before}")
    assert bench.launch("list").status == STATUS and names() == before
    assert mounts() == mounted
    tally("launchers killed beside what they store in", len(steps), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(steps)}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("bench", ["without init"], indirect=True)
def test_l3_nobody_waits_for_a_launcher_that_was_killed(bench, tally):
    """The first process waits until it is watched: each call around that."""
    steps = [step for step in bench.steps if step.process == 0][-40:]
    steps += [step for step in bench.steps if step.process == bench.process(1)][:40]
    wrong = [word for word in (bench.interrupt("stop", step) for step in steps) if word]
    tally("launchers killed while they are waited for", len(steps), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(steps)}:\n" + "\n".join(wrong)
