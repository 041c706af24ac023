"""The launch is verified: a call that claims success and has done nothing is caught (C35, C43, C06, C25, T43).

The injector answers in the kernel's place and keeps the call from it: what a container's layer, an emulated kernel or a
tracer may do. Calls of the launch that have an effect are faked one by one, as root and as a user, for each sample: the
launch ends with 125 and nothing of the command runs, or the call was one without which the jail is the same. What cannot
be told apart, and need not be: a rule of Landlock that was not added (less is allowed), a link of the default tree that is
not there, the mode of new terminals (0600 by itself).
"""

import os
import re

import pytest

from kit.calls import NAME
from kit.faults import Bench
from kit.samples import SAMPLES

FULL = os.environ.get("IMMURE_SWEEP") == "full"

EFFECTS = set(
    "mount_setattr prctl capset setgroups setresuid setresgid prlimit64 sethostname setns unshare close_range "
    "sched_setaffinity setpriority umask seccomp landlock_restrict_self landlock_add_rule keyctl pivot_root umount2 "
    "move_mount rt_sigprocmask rt_sigaction chdir fchdir setsid setpgid write personality ioctl symlinkat mkdirat fsconfig "
    "fchmod clone3".split()
)
#: What a sample tries of each spec, as root and as a user; IMMURE_SWEEP=full tries every call.
COUNT = 60


def value(number):
    return "count" if NAME[number] == "write" else 0


@pytest.fixture(params=SAMPLES)
def bench(request, caller, built):
    with Bench(caller, request.param, built) as made:
        yield made


def test_c35_c43_c06_c25_t43_success_that_is_a_lie(bench, tally, dice):
    wrong, caught, same = [], 0, 0
    steps = [step for step in bench.steps if not step.late and NAME.get(step.number) in EFFECTS]
    if not FULL:
        steps = sorted(dice.sample(steps, min(COUNT, len(steps))), key=str)
    for step in steps:
        told, word = bench.fake(step, value(step.number))
        caught, same = caught + told, same + (not told and not word)
        if word:
            wrong.append(word)
    tally("calls that were faked and told", caught, 0)
    tally("calls that were faked and changed nothing", same, 0)
    tally("calls that were faked", caught + same + len(wrong), len(wrong))
    assert not wrong, f"{len(wrong)} wrong, {caught} caught, {same} of no effect:\n" + "\n".join(wrong)


# The lines are counted below: each thing that is promised stands on one of its own.
SPEC = """hostname = "verified"
cwd = "/opt/scratch"
[filesystem]
ro = ["{opt}:/opt"]
hide = ["/etc/ssl"]
[[mount]]
target = "/opt/scratch"
type = "tmpfs"
size = "1M"
[process]
nice = 3
cpus = "0"
oom_score_adj = 700
keyring = "new"
[rlimits]
nofile = 512
[identity]
umask = "077"
[landlock]
rx = ["/"]
rw = ["/opt/scratch"]
[seccomp]
deny = ["ptrace"]
[capabilities]
keep = ["net_bind_service"]
[namespaces]
nested = false
"""

PRCTL = {"PDEATHSIG": 1, "DUMPABLE": 4, "DROP": 24, "SECUREBITS": 28, "NO_NEW_PRIVS": 38, "AMBIENT": 47, "THP": 41,
         "TIMERSLACK": 29}
SIOCSIFFLAGS = 0x8914
#: The call with what its first two arguments are, the process that makes it, the line of the spec (0: a default), what is
#: not in force. Where another call has brought about the same before, or it was so already, the jail may be the same.
LINES = [
    ("sethostname", None, None, 1, 1, "hostname"),
    ("setpriority", None, None, None, 11, "nice"),
    ("sched_setaffinity", None, None, 1, 12, "cpus"),
    ("umask", 0o077, None, 3, 18, "umask"),
    ("keyctl", 1, None, 1, 14, "session keyring"),
    ("landlock_restrict_self", None, None, 3, 19, "landlock"),
    ("seccomp", None, None, 3, 22, "seccomp"),
    ("capset", None, None, 3, 25, "permitted set|effective set|inheritable set"),
    ("prctl", PRCTL["AMBIENT"], 2, 3, 25, "ambient set"),
    ("setsid", None, None, 1, 0, "session"),
    ("ioctl", None, SIOCSIFFLAGS, 1, 0, "interfaces"),
    ("rt_sigprocmask", 2, None, 3, 0, "signals"),
    ("prctl", PRCTL["DROP"], 0, 1, 25, "bounding set"),
    ("prctl", PRCTL["SECUREBITS"], None, 1, 0, "securebits"),
    ("prctl", PRCTL["DUMPABLE"], 0, 1, 0, "pid 1 dumpable"),
    ("prctl", PRCTL["PDEATHSIG"], 9, 1, 0, "death signal"),
    ("chdir", None, None, 3, 2, "working directory"),
    ("setgroups", None, None, 1, 0, "groups"),
    ("setresuid", None, None, 1, 0, "uids?|ids"),
    ("setresgid", None, None, 1, 0, "gids?|ids"),
    ("prlimit64", 0, 7, 3, 16, "rlimit nofile"),
]
SAME = {"death signal", "groups", "uids?|ids", "gids?|ids", "securebits", "pid 1 dumpable"}


@pytest.fixture
def named(caller, built, monkeypatch):
    monkeypatch.setitem(SAMPLES, "named", lambda caller, opt: SPEC.format(opt=opt))
    return Bench(caller, "named", built)


@pytest.mark.parametrize("call,first,second,process,line,what", LINES, ids=[f"{row[0]}-{row[-1]}" for row in LINES])
def test_the_line_that_is_not_in_force_is_named(named, caller, call, first, second, process, line, what):
    def choose(found):
        of_that_kind = [
            row
            for row in found
            if NAME[row[2]] == call
            and (first is None or row[3] & 0xFFFF_FFFF == first)
            and (second is None or row[4] & 0xFFFF_FFFF == second)
            and (process is None or row[0] == named.process(process, found))
        ]
        # prlimit64 is asked first; of everything else the last counts: what is set on the way is not what was promised.
        return of_that_kind[0 if call == "prlimit64" else -1] if of_that_kind else None

    run = named.broken_at("fake", choose, 0)
    if run is None:
        assert not caller.is_root and call in ("setgroups", "setresuid", "setresgid", "prctl"), f"{call} is not called"
        return
    if run.status == 7 and run.stdout == named.expected:
        assert what in SAME, run
        return
    assert run.status == 125 and run.stdout == "", run
    if call == "capset":
        # What is not permitted cannot be ambient: the kernel itself refuses what comes next.
        assert ":25:8: set capabilities: prctl: EPERM" in run.stderr, run
        return
    assert re.search(rf"immure: .*not in force.*({what}).*promised .*the kernel says", run.stderr), run
    if line:
        assert re.search(rf"\.toml:{line}:\d+: ", run.stderr), run


def test_no_new_privs_that_are_not_set_stop_what_needs_them(named):
    # seccomp(2) refuses a filter to who has neither these nor a capability.
    number = PRCTL["NO_NEW_PRIVS"]
    run = named.broken_at("fake", lambda found: [row for row in found if NAME[row[2]] == "prctl" and row[3] == number][-1], 0)
    assert run.status == 125 and run.stdout == "" and "EACCES" in run.stderr, run


@pytest.mark.parametrize("name", ["without init", "direct"])
def test_a_descriptor_that_was_not_closed_is_found(caller, built, name):
    bench = Bench(caller, name, built)
    inherited = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    try:
        bench.settings = {"pass_fds": (inherited,)}
        run = bench.broken_at("fake", lambda found: [row for row in found if NAME[row[2]] == "close_range" and row[3] == 3][-1], 0)
        assert run.status == 125 and run.stdout == "" and "not in force: descriptors" in run.stderr, run
        assert bench.launch("list").status == 7
    finally:
        os.close(inherited)
