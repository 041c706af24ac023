"""Deadlines that hold on a busy machine: they tell a hang from a launch that has to wait for a processor, and cost no time."""

import os
import time

#: How many times longer than on an idle machine anything may take.
FACTOR = float(os.environ.get("IMMURE_PATIENCE", "10"))


#: What has next to nothing to do is late, too, where a process gets no processor for ten seconds.
LEAST = 3


def patient(seconds):
    """A deadline for what takes less than `seconds` on an idle machine."""
    return max(seconds, LEAST) * FACTOR


def until(condition, within=3):
    """The first true answer of `condition`, which must come."""
    deadline = time.monotonic() + patient(within)
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"nothing within {patient(within):.0f} s"
        time.sleep(0.01)
    return answer


def reached(attempt, limits=(1, 8, 60)):
    """The first true answer of `attempt`, which makes a jail with a limit of so many seconds: where the machine has kept the command from
    what it is to do before the limit, that says nothing, and it is tried with a longer one."""
    for seconds in limits:
        if answer := attempt(seconds):
            return answer
    raise AssertionError(f"not within {limits[-1]} s")


def once(attempt, tries=50):
    """Whether `attempt` is true once: what is quick by itself is late where the machine has others to serve first, but not each time."""
    return any(attempt() for _ in range(tries))


class Spent:
    """What processes that end within the block have had of a processor: a clock would count their waiting for others."""

    def __init__(self):
        self.began = self.now()

    def now(self):
        times = os.times()
        return times.children_user + times.children_system

    def until_now(self):
        return self.now() - self.began

    def __enter__(self):
        self.began = self.now()
        return self

    def __exit__(self, *_):
        self.seconds = self.until_now()
