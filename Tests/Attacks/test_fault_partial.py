"""A call that does a part of what it was asked for, and says that it is done (C06, C25, C26, C35, C55, T43).

So does a kernel, or an emulation of one, that passes over a flag which it does not know; a jail with one namespace less, or
with submounts that can be written to, is the failure of nsjail and minijail. Bit by bit, of each call of a launch: it ends
with 125, or the jail is whole all the same, because another call had brought about what this one left out.
"""

import re

import pytest

from kit.calls import NAME
from kit.faults import Bench, Step
from kit.samples import SAMPLES

NAMESPACES = {"mount": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000,
              "pid": 0x20000000, "net": 0x40000000}
RECURSIVE = 0x8000
READ_ONLY, NO_SETUID, NO_DEVICES, NO_EXEC = 1, 2, 4, 8
#: call -> (where its bits stand, the bits): an argument, or the word that it points to.
PARTS = {
    "clone3": [("@1", bit) for bit in NAMESPACES.values()],
    "unshare": [("1", bit) for bit in NAMESPACES.values()],
    "mount_setattr": [("3", RECURSIVE)] + [("@4", bit) for bit in (READ_ONLY, NO_SETUID, NO_DEVICES, NO_EXEC)],
    "fsmount": [("3", bit) for bit in (READ_ONLY, NO_SETUID, NO_DEVICES, NO_EXEC)],
    "prctl": [("2", bit) for bit in (1, 2, 4, 8, 0x20)],
    "landlock_create_ruleset": [("@1", 1 << bit) for bit in range(16)],
    "umask": [("1", 0o77)],
}
PR_SET_SECUREBITS = 28


@pytest.fixture(params=SAMPLES)
def bench(request, caller, built):
    with Bench(caller, request.param, built) as made:
        yield made


def test_c06_c25_c26_c35_c55_t43_a_call_that_does_a_part(bench, tally):
    wrong, caught, same, seen = [], 0, 0, {}
    for process, call, number, first, *_ in bench.rows():
        step, name = Step(process, call, number, False), NAME.get(number)
        if name == "prctl" and first != PR_SET_SECUREBITS:
            continue
        # Devices and terminals are made alike, one after the other: the first of each kind of call and process will do.
        seen[name, step.process] = seen.get((name, step.process), 0) + 1
        if seen[name, step.process] > 12:
            continue
        for where, bits in PARTS.get(name, []):
            told, word = bench.lessen(step, where, bits) or (None, None)
            if told is None:
                continue
            caught, same = caught + told, same + (not told and not word)
            if word:
                wrong.append(word)
    tally("calls that did a part and were told", caught, 0)
    tally("calls that did a part, and the jail was whole", same, 0)
    tally("calls that did a part", caught + same + len(wrong), len(wrong))
    assert caught and not wrong, f"{len(wrong)} wrong, {caught} caught, {same} of no effect:\n" + "\n".join(wrong)


# Where a filter keeps immure from asking who owns a namespace, it compares numbers.
ASKED = {"": (), "without pidfd_open": ("pidfd_open=38", "--")}


@pytest.mark.parametrize("kind", NAMESPACES)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("sample", ["default", "direct"])
def test_c55_a_namespace_that_is_not_made_is_named(caller, built, compiled, sample, asked, kind):
    bench = Bench(caller, sample, built, (compiled("shim"), *ASKED[asked]) if asked else ())
    maker = {"default": "unshare" if kind == "net" else "clone3", "direct": "unshare"}[sample]
    run = bench.broken_at(
        "less",
        lambda rows: next(row for row in rows if NAME.get(row[2]) == maker),
        "@1" if maker == "clone3" else "1",
        hex(NAMESPACES[kind]),
    )
    if sample == "direct" and kind == "pid":
        # It shares the host's: there is nothing to leave out.
        assert run.status == 7 and run.stdout == bench.expected, run
        return
    assert run.status == 125 and run.stdout == "", run
    if kind in ("ipc", "uts", "cgroup"):
        assert re.search(rf"not in force: {kind} namespace: promised .*the kernel says", run.stderr), run
    # Without the others the kernel itself refuses what comes next, most often the id maps.
    assert re.search(r"\bE[A-Z]+\b|not in force", run.stderr), run
