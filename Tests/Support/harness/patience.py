"""Deadlines that hold on a busy machine: they tell a hang from a launch that has to wait for a processor, and cost no time."""

import os
import time

#: How many times longer than on an idle machine anything may take.
FACTOR = float(os.environ.get("IMMURE_PATIENCE", "10"))


def patient(seconds):
    """A deadline for what takes less than `seconds` on an idle machine."""
    return seconds * FACTOR


def until(condition, within=3):
    """The first true answer of `condition`, which must come."""
    deadline = time.monotonic() + patient(within)
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"nothing within {patient(within):.0f} s"
        time.sleep(0.01)
    return answer


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
