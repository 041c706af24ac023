"""Each system call of `immure apply` fails once, and `apply` is killed at each: every name is as it was or as the jail has left it, and the next
apply finishes what was begun. A sample by default, every call with IMMURE_SWEEP=full.
"""

import os

from harness.tree import files
from kit.calls import NAME, describe, errnos
from kit.faults import Step, sentence, survivors
from test_changes_beside import spec_of

FULL = os.environ.get("IMMURE_SWEEP") == "full"
FAULTS, KILLS, DISCARDS = 30, 15, 30
#: What apply does to files and disks, of which each is tried in every run.
WORKS = set("syncfs fsync sync_file_range lseek copy_file_range renameat renameat2 linkat symlinkat mknodat mkdirat unlinkat fchmod fchown ftruncate utimensat flock".split())
#: One of each kind of change; `gaps` has a hole, and `heap` becomes opaque.
SCRIPT = """cd /src
for f in f0 f1 f2 f3; do echo new >$f; done
truncate -s 200000 gaps; printf new | dd of=gaps bs=1 seek=100000 conv=notrunc status=none
rm -r heap; mkdir heap; echo new >heap/n
mkdir -p a/b; echo new >a/b/c; ln a/b/c a/second; ln -s f0 a/link; mkfifo a/queue
rm gone; chmod 640 mode; rm -r tree; echo new >tree"""


class Apply:
    """A lower that a jail has changed, made anew for each apply."""

    def __init__(self, caller, built):
        self.caller, self.inject = caller, built("inject")
        self.report = caller.open_directory() / "report"

    def change(self):
        caller = self.caller
        self.place = caller.directory()
        self.lower = self.place / "lower"
        for name in ("lower", "changes", "work"):
            (self.place / name).mkdir()
            caller.own(self.place / name)
        for name in ("f0", "f1", "f2", "f3", "gaps", "gone", "kept", "mode"):
            caller.file(self.lower / name, "old\n")
        for name in ("heap", "tree"):
            (self.lower / name).mkdir()
            caller.file(self.lower / name / "x", "old\n")
        for path in [self.lower, *self.lower.rglob("*")]:
            caller.own(path)
        self.old = files(self.lower)
        self.spec = spec_of(caller, self.place)
        caller.shell(self.spec, SCRIPT).ok

    def apply(self, *words):
        return self.verb("apply", *words)

    def verb(self, verb, *words):
        """One apply or discard under the injector, or without it."""
        self.report.unlink(missing_ok=True)
        self.caller.wrapper = (str(self.inject), str(self.report), *map(str, words), "--") if words else ()
        try:
            return self.caller.verb(verb, str(self.spec))
        finally:
            self.caller.wrapper = ()

    def list(self):
        self.change()
        assert self.apply("list").status == 0
        rows = [[int(word) for word in line.split()] for line in self.report.read_text().splitlines() if line[0].isdigit()]
        self.new = files(self.lower)
        assert self.new["gaps"][1] == bytes(100000) .replace(b"\0\0\0\0", b"old\n", 1) + b"new" + bytes(99997)
        assert {"heap/n", "a/second", "a/link", "a/queue", "tree"} <= set(self.new) and "gone" not in self.new
        return [Step(row[0], row[1], row[2], False) for row in rows]

    def discards(self):
        self.change()
        assert self.verb("discard", "list").status == 0
        rows = [[int(word) for word in line.split()] for line in self.report.read_text().splitlines() if line[0].isdigit()]
        return [Step(row[0], row[1], row[2], False) for row in rows]

    def moved(self):
        return "hit" not in self.report.read_text()

    def mixed(self):
        """What is neither old nor new, but for what stands beside its name until it is whole."""
        found = files(self.lower)
        names = {name for name in {*found, *self.old, *self.new} if "/.immure.apply." not in f"/{name}"}
        return [name for name in names if found.get(name) not in (self.old.get(name), self.new.get(name)) and not self.is_between(name, found)]

    def is_between(self, name, found):
        """A directory that is shut, or below which all is gone, by and by; what is in one that is being made."""
        return name in found and found[name][1] is None and name in ("a", "a/b", "heap", "tree")

    def finish(self):
        """What is wrong once the next apply has gone on; None for nothing."""
        run = self.apply()
        if run.status != 0:
            return f"the next apply: {run}"
        if files(self.lower) != self.new:
            return f"not as the jail has left it: {sorted(set(files(self.lower).items()) ^ set(self.new.items()))}"
        if os.listdir(self.place / "changes") or self.caller.verb("diff", self.spec).status != 0:
            return "something is left in the upper"
        return None


def judged(bench, run):
    """What is wrong with an apply in which a call failed; None for nothing."""
    if run.status == 125:
        return sentence(run.stderr)
    return None if run.status == 0 else f"status {run.status}: {run.stderr}"


def chosen(dice, cases, count):
    """All that works on files once, and a sample of the rest."""
    if FULL:
        return cases
    works = {}
    for case in dice.sample(cases, len(cases)):
        step = case[0]
        works.setdefault((NAME.get(step.number), case[1]), case) if NAME.get(step.number) in WORKS else None
    return sorted({*works.values(), *dice.sample(cases, min(count, len(cases)))}, key=str)


def swept(bench, cases, act):
    wrong = []
    for step, errno in cases:
        bench.change()
        word = act(step, errno) or bench.mixed() or bench.finish() or survivors()
        if word:
            wrong.append(f"{bench.caller}: {describe(step, errno)}: {word}")
    return wrong


def test_s19_each_call_of_an_apply_fails_once(caller, built, dice, tally):
    bench = Apply(caller, built)
    steps = bench.list()
    cases = chosen(dice, [(step, errno) for step in steps for errno in errnos(step.number)], FAULTS)
    wrong = swept(bench, cases, lambda step, errno: judged(bench, bench.apply("fail", step.process, step.call, step.number, errno)))
    tally("calls of an apply that failed", len(cases), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


def test_s19_an_apply_is_killed_at_each_call(caller, built, dice, tally):
    bench = Apply(caller, built)
    cases = chosen(dice, [(step, None) for step in bench.list()], KILLS)

    def kill(step, _):
        run = bench.apply("kill", step.process, step.call)
        return None if run.status == 137 else f"status {run.status}: {run.stderr}"

    wrong = swept(bench, cases, kill)
    tally("applies killed", len(cases), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


def test_s19_a_discard_is_killed_at_each_call(caller, built, dice, tally):
    """Half of what is thrown away says nothing: an apply after it puts all in or nothing, and another discard ends it."""
    bench = Apply(caller, built)
    bench.list()
    steps = bench.discards()
    cases = steps if FULL else dice.sample(steps, min(DISCARDS, len(steps)))
    wrong = []
    for number, step in enumerate(sorted(cases, key=str)):
        bench.change()
        run = bench.verb("discard", "kill", step.process, step.call)
        word = None if run.status == 137 else f"status {run.status}: {run.stderr}"
        is_begun = (bench.place / "work/immure.emptying.json").exists()
        if is_begun:
            refused = caller.shell(bench.spec, "true")
            if os.listdir(bench.place / "changes") and "hint: finish it: immure discard SPEC" not in refused.stderr:
                word = word or f"a launch over it: {refused}"
        # One half goes on by itself, the other after an apply.
        if number % 2 and not word:
            applied = bench.apply()
            if applied.status != 0 or files(bench.lower) not in (bench.old, bench.new):
                word = f"the apply after it: {applied}, {sorted(set(files(bench.lower).items()) ^ set(bench.old.items()))}"
        last = bench.verb("discard")
        word = word or (last.status and f"the next discard: {last}") or survivors()
        # overlayfs's own directory stays in work after an apply.
        if not word and (os.listdir(bench.place / "changes") or set(os.listdir(bench.place / "work")) - ({"work"} if number % 2 else set())):
            word = "something is left"
        if word:
            wrong.append(f"{caller}: {describe(step, None)}: {word}")
    tally("discards killed", len(cases), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)
