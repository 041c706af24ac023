"""Builds of immure side by side: what a change, or a trick of Sources/FastStart that is left out, costs a launch."""

import os
import platform
import shutil
import statistics
import subprocess

import memory
import peers
from report import milliseconds

SLEEP = ("/usr/bin/sh", "-c", "echo; exec sleep 600")


def installed(host, path, number):
    """A copy that an ordinary user reaches, under a name of the build's own."""
    target = os.path.join(host.directory, f"build-{number}")
    if not os.path.exists(target):
        shutil.copy(path, target)
        os.chmod(target, 0o755)
    return target


def settings(user):
    return {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}


def page_faults(host, user, argv):
    """Those of one launch, of the jail and of the command: the median of a few, as the kernel counts them for wait4(2)."""
    counts = []
    for _ in range(9):
        process = subprocess.Popen(argv, env=host.environment(user), **settings(user))
        counts.append(os.wait4(process.pid, 0)[2].ru_minflt)
    return statistics.median(counts)


def instructions(host, user, argv):
    """Those of the launcher and the jail until the command is executed."""
    if platform.machine() != "x86_64":
        return "-"
    words = [host.built("instructions"), *argv]
    return subprocess.run(words, check=True, capture_output=True, text=True, **settings(user)).stdout.strip()


def idle(host, user, argv):
    """KiB that the launcher of one idle jail keeps, as PSS."""
    process = host.stopwatch(["--hold", "1", "--", *argv, *SLEEP], user, stdin=subprocess.PIPE)
    try:
        pids = [int(word) for word in process.stdout.readline().split()[2:]]
        try:
            # Longer than the launcher waits before it takes itself to be idle.
            process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            pass
        size, _ = memory.launchers(pids)
        return size / 1024 if size else None
    finally:
        process.stdin.close()
        process.wait(timeout=120)
        process.stdout.close()


def table(host, user, report, quick, paths, name):
    """The first is what the others are compared with."""
    programs = [installed(host, path, number) for number, path in enumerate(paths)]
    launches = [[program, "run", "--"] for program in programs]
    rounds = 50 if quick else 500
    candidates = [peers.Candidate(path, [*argv, peers.COMMAND]) for path, argv in zip(paths, launches)]
    times, samples = host.time(candidates, user, rounds), host.time(candidates, user, rounds, ["--cpu"])
    rows = []
    for path, argv, time, one in zip(paths, launches, times, samples):
        if not (time.values and one.values and samples[0].values):
            rows.append([path, time.failure or one.failure or samples[0].failure])
            continue
        command, kept = [*argv, peers.COMMAND], idle(host, user, argv)
        more = f"{(one.median - samples[0].median) * 1e6:+.0f}"
        counts = [instructions(host, user, command), f"{page_faults(host, user, command):.0f}"]
        cells = [milliseconds(time.median), milliseconds(one.median), more, *counts]
        rows.append([path, *cells, f"{kept:.0f}" if kept else "-"])
    columns = ["build", "ms", "processor ms", "more us", "instructions", "page faults", "idle PSS KiB"]
    report.table(f"builds side by side, as {name}", columns, rows)
