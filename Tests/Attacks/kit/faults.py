"""Launches in which one system call goes wrong, and the judgement of what came of it."""

import errno as e
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from harness import linux
from harness.patience import patient

from .calls import NAME, describe, errnos
from .samples import SAMPLES, host_namespaces, limited_disk, normal, unlimit

#: Answered with EINTR a call is to be made again: nobody may notice.
SILENT = {e.EINTR}
STATUS = 7


@dataclass(frozen=True)
class Step:
    """One system call of a launch: the `call`-th of the `process`-th process."""

    process: int
    call: int
    number: int
    #: After the command was executed: too late to keep it from running.
    late: bool


@dataclass
class Broken:
    """How a launch with a fault ended."""

    status: int
    stdout: str
    stderr: str
    report: str
    seconds: float

    @property
    def late(self):
        return "late=1" in self.report.splitlines()[0] if self.report else False

    @property
    def moved(self):
        return "hit" not in self.report


class Bench:
    """Launches of one spec by one caller, of which single calls are made to fail."""

    def __init__(self, caller, name, built, wrapper=()):
        self.caller, self.name, self.wrapper = caller, name, wrapper
        self.inject, self.probe = built("inject"), built("fingerprint")
        self.spec = caller.spec(SAMPLES[name](caller, self.probe.parent))
        self.report = caller.open_directory() / "report"
        self.host = host_namespaces()
        self.command = ["/opt/fingerprint", self.host["/proc/self/ns/mnt"]]
        self.expected = None
        self.settings = {}
        runs = {self.launch("list").stdout for _ in range(2)}
        assert len(runs) == 1, "the fingerprint differs from launch to launch"
        self.expected = runs.pop()
        assert self.expected.startswith("begin\n") and self.expected.endswith("end"), self.launch("list")
        self.steps = self.list()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.name == "limited":
            linux.umount(limited_disk(self.spec.read_text()))

    def launch(self, mode, *words):
        """One launch under the injector."""
        self.report.unlink(missing_ok=True)
        if self.name == "limited":
            unlimit(self.spec.read_text())
        line = [*self.wrapper, self.inject, self.report, mode, *words, "--", self.caller.binary, "run", self.spec, "--", *self.command]
        settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        began = time.monotonic()
        process = subprocess.Popen(
            list(map(str, line)),
            env=self.caller.environment(),
            cwd=self.caller.base,
            start_new_session=True,
            **settings,
            **self.settings,
            **self.caller.account(),
        )
        linux.started.add(process.pid)
        try:
            out, err = process.communicate(timeout=patient(5))
            status = process.returncode
        except subprocess.TimeoutExpired:
            out, err = killed(process)
            status = "hang"
        linux.started.discard(process.pid)
        text = self.report.read_text() if self.report.exists() else ""
        out = normal(out.decode(errors="replace").rstrip("\n"), self.host)
        return Broken(status, out, err.decode(errors="replace"), text, time.monotonic() - began)

    def list(self):
        """The calls of a launch in which nothing fails."""
        self.launch("list")
        rows = [line.split() for line in self.report.read_text().splitlines() if line[0].isdigit()]
        return [Step(int(row[0]), int(row[1]), int(row[2]), row[5] == "1") for row in rows]

    def process(self, role, rows=None):
        """The number of a process by its part: 0 the launcher, 1 the jail's first, 2 what comes after. The launcher may have
        processes of its own before them, for what could stand still, in one launch and not in the next: the first of the jail is
        who changes the root, by `rows` where it is a launch of theirs."""
        calls = [(row[0], row[2]) for row in rows] if rows else [(step.process, step.number) for step in self.steps]
        first = next((process for process, number in calls if NAME.get(number) == "pivot_root"), 1)
        return first + role - 1 if role > 0 and first > 0 else role

    def faults(self):
        """Every (step, errno) to try."""
        return [(step, errno) for step in self.steps for errno in errnos(step.number)]

    def broken(self, how, step, *values):
        """The launch in which this step goes wrong. Around waiting, the order of a process's calls depends on the others:
        where the call does not come at its place in three launches, the last of them has `moved`."""
        for _ in range(3):
            run = self.launch(how, step.process, step.call, step.number, *values)
            if not run.moved:
                break
        return run

    def rows(self):
        """What the injector says of each call of an undisturbed launch, before the command runs: process, call, number, and
        the first two arguments."""
        self.launch("list")
        split = (line.split() for line in self.report.read_text().splitlines() if line[0].isdigit())
        return [[int(word) for word in row] for row in split if row[5] == "0"]

    def broken_at(self, how, choose, *values):
        """The launch in which the call that `choose` takes from the rows goes wrong; None where it takes none. On a busy
        machine some launches make a call less before it: one that is not at its place is looked for anew."""
        for _ in range(8):
            row = choose(self.rows())
            if row is None:
                return None
            run = self.launch(how, *row[:3], *values)
            if not run.moved:
                return run
        raise AssertionError(f"the call does not come at its place: {run}")

    def fail(self, step, errno):
        """The launch in which this step fails, judged: None where all is right, else what is wrong."""
        run = self.broken("fail", step, errno)
        if run.moved:
            return None if run.status == STATUS and run.stdout == self.expected else self.tell(step, errno, run, "moved")
        wrong = self.judge(run, step, errno) or survivors()
        return self.tell(step, errno, run, wrong) if wrong else None

    def fake(self, step, value):
        """The launch in which this step answers `value` and does nothing: (caught, None), or what is wrong."""
        return self.believe(self.broken("fake", step, value), step, f"faked as {value}")

    def lessen(self, step, where, bits):
        """The launch in which this step is made without these bits of what it asks for, judged likewise; None where they
        cannot be taken from it."""
        run = self.broken("less", step, where, hex(bits))
        return None if run.moved else self.believe(run, step, f"without {bits:#x} of argument {where}")

    def believe(self, run, step, how):
        if run.moved:
            return False, None
        # A program that a rule or a mount is missing for cannot be executed: nothing of it ran, either.
        if run.status in (125, 126, 127) and run.stdout == "" and run.stderr.startswith("immure: "):
            return True, survivors() and self.tell(step, None, run, "processes left")
        if is_lost(run):
            return True, survivors() and self.tell(step, None, run, "processes left")
        if run.status == STATUS and alike(self.expected, run.stdout):
            return False, None
        return False, self.tell(step, None, run, f"{how}:\n" + difference(self.expected, run.stdout))

    def judge(self, run, step, errno):
        ran = run.stdout != ""
        if run.status == "hang":
            return f"no end within {run.seconds:.0f} s"
        if ran and run.stdout != self.expected and not (run.late and self.expected.startswith(run.stdout)):
            return "the command ran with less than it was promised:\n" + difference(self.expected, run.stdout)
        if run.status == STATUS:
            return None if ran else "the status is the command's, which did not run"
        if errno in SILENT:
            return "an interrupted call is not made again"
        if is_lost(run):
            return None  # who watches over the jail could not go on: it was killed, whether the command ran or not
        if ran and not run.late:
            return "the command ran, and the status says that it did not"
        if ran and run.status in (125, 126, 127):
            return "the command ran, and the status says that nothing of it did"
        if run.status == 125 and NAME[step.number] == "sendmsg" and re.match("immure: .* ended", "\n".join(without_notes(run.stderr))):
            return None  # it was the telling that failed
        if run.status == 125 and NAME[step.number] == "landlock_create_ruleset" and "no Landlock" in run.stderr:
            return None  # the probe takes a refusal for a kernel without it: closed, if not in the best words
        if run.status == 125:
            return sentence(run.stderr)
        if run.status in (126, 127) and NAME[step.number] == "execve":
            return sentence(run.stderr)
        if run.status == 126 and NAME[step.number] == "openat" and errno == e.EACCES:
            return sentence(run.stderr)  # the rule of a mount that may not be looked at is left out: what is on it does not run
        return f"status {run.status}"

    def tell(self, step, errno, run, wrong):
        about = f"{self.caller}, {self.name}: {describe(step, errno)}{' (late)' if run.late else ''}: {wrong}"
        return f"{about}\n    status {run.status} in {run.seconds:.2f} s, stderr: {run.stderr.strip()!r}, stdout: {len(run.stdout)} bytes"

    def interrupt(self, how, step):
        """The launch in which the launcher is killed at this step (`how` is kill or stop), judged likewise."""
        run = self.launch(how, step.process, step.call)
        if run.status == "hang":
            wrong = f"no end within {run.seconds:.0f} s"
        else:
            wrong = survivors()
            if run.stdout and not self.expected.startswith(run.stdout):
                wrong = "the command ran with less than it was promised"
        return self.tell(step, None, run, f"{how}: {wrong}") if wrong else None


def without_notes(text):
    """The lines of what was said but for notes, each with the hints that follow it."""
    kept, is_note = [], False
    for line in text.splitlines():
        is_note = line.startswith(("immure: note:", "note:")) or (is_note and line.startswith("hint: "))
        if not is_note:
            kept.append(line)
    return kept


def is_lost(run):
    """Whether the jail was killed since who watches over it could not go on."""
    lines = without_notes(run.stderr)
    return run.status == 137 and lines[:1] != [] and lines[0].startswith("immure: the jail was killed, it could not be watched over: ")


def alike(wanted, found):
    """The same jail, or one that is closed further.

    Without a link of the default tree, without a rule of Landlock that allows something, with devpts as it is by itself;
    the directory that private files are made in is out of sight, and what is read-only needs no limit on its inodes.
    """
    odd = r"(,?)(ptmxmode=\d+|mode=[67][02]0|nr_inodes=1)\b"
    plain = [re.sub(odd, "", re.sub("/tmp refused", "/tmp made", text)).splitlines() for text in (wanted, found)]
    missing = set(plain[0]) - set(plain[1])
    links = {"root bin", "root lib", "root lib32", "root lib64", "root libx32", "root sbin"}
    return missing <= links and not set(plain[1]) - set(plain[0])


def sentence(text):
    """A refusal is a line that names the program and what was refused; hints may follow."""
    lines = without_notes(text)
    if not lines or not lines[0].startswith("immure: "):
        return "no line says why"
    # What the kernel does not tell when it is asked is as good as not in force.
    if not re.search(r"\bE[A-Z0-9]{2,}\b|not in force: .*promised .*the kernel says", lines[0]):
        return "the line names no errno"
    if any(not line.startswith(("hint: ", "immure: ")) for line in lines[1:]):
        return "lines beyond the message and its hints"
    return None


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def killed(process):
    """What a launch has said, once it and all that came of it have been killed: who is made while they are looked for is found the next time."""
    for _ in range(100):
        kill(linux.descendants())
        try:
            return process.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(f"what {process.args} has started cannot be killed: {linux.descendants()}")


def survivors():
    """Processes of a launch that are still there half a second after its end."""
    if not any(Path("/proc/self/task", task, "children").read_text() for task in os.listdir("/proc/self/task")):
        return None  # this process inherits every orphan, and has none
    left = linux.survivors(0.5)
    kill(left)
    return f"processes left: {left}" if left else None


def difference(wanted, found):
    wanted, found = wanted.splitlines(), found.splitlines()
    lost = [f"    - {line}" for line in wanted if line not in found]
    return "\n".join(lost + [f"    + {line}" for line in found if line not in wanted])
