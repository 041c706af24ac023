"""`apply` killed where it has taken a file from its name that somebody has put there meanwhile: the next `apply` or `discard` gives it back."""

import os

import pytest

from kit.calls import NAME, NUMBER
from test_changes_beside import spec_of

FULL = os.environ.get("IMMURE_SWEEP") == "full"
#: What moves names: the apply is killed before each of these and right after it.
MOVES = ("renameat", "renameat2", "unlinkat")
OTHERS = 2

#: What the jail does, what its owner does once that has been compared, and what is to be there afterwards.
CASES = {
    "written": ("echo jail >name", "echo theirs >name.new; mv name.new name", {"name": "theirs\n"}),
    "written in place": ("echo jail >name", "echo theirs >>name", {"name": "old\ntheirs\n"}),
    "deleted": ("rm name", "echo theirs >name.new; mv name.new name", {"name": "theirs\n"}),
    "deleted, written in place": ("rm name", "echo theirs >>name", {"name": "old\ntheirs\n"}),
    "directory deleted": ("rm -r tree", "echo theirs >tree/more", {"tree/more": "theirs\n"}),
    "directory deleted, with another in it": ("rm -r tree", "mv box tree/in/box", {"tree/in/box/kept": "old\n"}),
    "directory replaced": ("rm -r tree; echo jail >tree", "echo theirs >tree/in/more", {"tree/in/more": "theirs\n"}),
}


class Taken:
    """A directory that all may write to, in which a jail has changed something that its owner changes while that is applied."""

    def __init__(self, caller, built, case):
        self.caller, self.inject = caller, built("inject")
        self.script, self.comes, self.there = CASES[case]
        # The call before which that is done: all has been compared by then. What is made waits for the disk, and for what is removed a
        # directory is made.
        self.moment = "syncfs" if "jail" in self.script else "mkdirat"

    def change(self):
        caller = self.caller
        self.place = caller.directory()
        self.all = self.place / "lower/all"
        for name in ("lower/all/tree/in", "lower/all/box", "changes", "work"):
            (self.place / name).mkdir(parents=True)
        for name in ("name", "tree/x", "tree/in/y", "box/kept"):
            caller.file(self.all / name, "old\n")
        for path in [self.place, *self.place.rglob("*")]:
            caller.own(path)
        self.all.chmod(0o1777)
        self.spec = spec_of(caller, self.place)
        caller.shell(self.spec, f"cd /src/all; {self.script}").ok

    def apply(self, mode, *words):
        report = self.caller.open_directory() / "report"
        self.caller.wrapper = (str(self.inject), str(report), mode, str(NUMBER[self.moment]), f"cd {self.all}; {self.comes}", *map(str, words), "--")
        try:
            run = self.caller.verb("apply", str(self.spec))
        finally:
            self.caller.wrapper = ()
        return run, report.read_text().splitlines()

    def kills(self, dice):
        """The calls after the owner's change before which it is killed."""
        self.change()
        run, report = self.apply("do")
        assert run.status == 125 and "it is not what was compared, or has changed since" in run.stderr, run
        begin = next(number for number, line in enumerate(report) if line.startswith("hit"))
        steps = [[int(word) for word in line.split()] for line in report[begin + 1:] if line[0].isdigit()]
        moves = {place + next for place, step in enumerate(steps) for next in (0, 1) if NAME.get(step[2]) in MOVES}
        assert len(moves) > 2, steps
        rest = [place for place in range(len(steps)) if place not in moves]
        places = {*moves, *(rest if FULL else dice.sample(rest, min(OTHERS, len(rest))))}
        return [steps[place][:2] for place in sorted(places) if place < len(steps)]

    def found(self):
        """The owner's, where they are to be."""
        return {name: (self.all / name).read_text() if (self.all / name).is_file() else None for name in self.there}

    def drafts(self):
        return [path for path in self.all.rglob("*") if path.name.startswith(".immure.apply.")]


@pytest.mark.parametrize("case", CASES)
def test_s19_what_a_killed_apply_has_taken_gets_its_name_back(caller, built, dice, tally, case):
    bench, wrong, any_hidden = Taken(caller, built, case), [], False
    kills = bench.kills(dice)
    for number, (process, call) in enumerate(kills):
        bench.change()
        run, _ = bench.apply("do-kill", process, call)
        assert run.status == 137, run
        is_hidden = bench.found() != bench.there
        any_hidden |= is_hidden
        said = caller.verb("diff", bench.spec)
        ends = [caller.verb(verb, bench.spec) for verb in (("apply", "discard") if number % 2 else ("discard",))]
        word = None
        if is_hidden != ("an apply that was killed had taken it away: it lies in all/.immure.apply." in said.stderr):
            word = f"diff says {said}"
        elif is_hidden != ("an apply that was killed had taken it away: it is back" in ends[0].stderr):
            word = f"said is {ends[0]}"
        elif bench.found() != bench.there:
            word = f"there is {bench.found()}"
        elif bench.drafts() or ends[-1].status != 0:
            word = f"left is {bench.drafts()}, {ends}"
        elif number % 2 and (ends[0].status != 1 or "conflict: all/" not in ends[0].stderr):
            word = f"no conflict: {ends[0]}"
        if word:
            wrong.append(f"call {call}: {word}")
    assert any_hidden, "it was never away"
    tally("applies killed with somebody's file in hand", len(kills), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(kills)}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("case", ["written", "deleted", "directory deleted"])
@pytest.mark.parametrize("verb", ["apply", "discard"])
def test_what_cannot_have_its_name_back_is_said_to_lie_where_it_lies(caller, built, dice, case, verb):
    bench = Taken(caller, built, case)
    name = "tree" if "tree" in bench.script else "name"
    for process, call in bench.kills(dice):
        bench.change()
        assert bench.apply("do-kill", process, call)[0].status == 137
        if bench.found() != bench.there:
            break
    else:
        pytest.fail("it was never away")
    caller.file(bench.all / "again", "again\n")
    (bench.all / "again").rename(bench.all / name)
    run = caller.verb(verb, bench.spec)
    assert f"all/{name}: an apply that was killed had taken it away, and something else has that name: it lies in all/.immure.apply." in run.stderr, run
    lies = bench.place / "lower" / run.stderr.split("it lies in ")[1].splitlines()[0]
    kept = next(iter(bench.there))
    assert (lies / kept.partition("/")[2] if "/" in kept else lies).read_text() == bench.there[kept] and lies.name == name
    assert (bench.all / name).read_text() == "again\n"
    # However often it is asked for.
    for _ in range(2):
        run = caller.verb("apply", bench.spec, "--force")
        assert run.status == 0 and lies.exists(), run
