"""Attacks, faults and nesting, with the callers, fixtures and checks of Tests/Launch: what its conftest gives holds here too.

As there, a session of root takes namespaces and accounts of its own before any test starts.
"""

import importlib.util
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
LAUNCH = HERE.parent / "Launch"
specification = importlib.util.spec_from_file_location("launch_conftest", LAUNCH / "conftest.py")
launch = importlib.util.module_from_spec(specification)
specification.loader.exec_module(launch)

# Hooks and fixtures count by their names in this module.
pytest_configure = launch.pytest_configure
pytest_unconfigure = launch.pytest_unconfigure
base, binary, compiled = launch.base, launch.binary, launch.compiled
ordinary, stranger = launch.ordinary, launch.stranger
caller, root, user = launch.caller, launch.root, launch.user
nothing_lost, nobody_left = launch.nothing_lost, launch.nobody_left

SEED = int(os.environ.get("IMMURE_SEED") or random.SystemRandom().randrange(1 << 32))


def pytest_report_header(config):
    how = "everything" if os.environ.get("IMMURE_SWEEP") == "full" else "a sample (IMMURE_SWEEP=full: everything)"
    return [launch.pytest_report_header(config), f"IMMURE_SEED={SEED}; faults: {how}"]


@pytest.fixture
def dice():
    """Random numbers that IMMURE_SEED repeats."""
    return random.Random(SEED)


@pytest.fixture(scope="session")
def built(base):
    """Compiles probes/NAME.c to a static program in a directory that holds nothing else."""
    made = {}

    def build(name):
        if name not in made:
            place = base / f"built-{name}"
            place.mkdir()
            place.chmod(0o755)
            source = HERE / "probes" / f"{name}.c"
            words = ["cc", "-static", "-O1", "-Wall", "-Werror", "-o", place / name, source]
            subprocess.run(words, check=True)
            made[name] = place / name
        return made[name]

    return build


@pytest.fixture(scope="session")
def tally(request):
    """Counts of what was tried, shown at the end: what -> [cases, wrong]."""
    counts = request.config.immure_tally = {}

    def count(what, cases=1, wrong=0):
        entry = counts.setdefault(what, [0, 0])
        entry[0] += cases
        entry[1] += wrong

    return count


def pytest_terminal_summary(terminalreporter, config):
    for what, (cases, wrong) in sorted(getattr(config, "immure_tally", {}).items()):
        terminalreporter.write_line(f"{what}: {cases} cases, {wrong} wrong")
