"""The faults that sweeps have found, tried each time: what a sample may leave out is held here."""

import pytest

from kit.calls import NUMBER
from kit.faults import Bench

#: (the spec, the process, the calls) and what went wrong when one of them failed.
FOUND = {
    # libcap took any refusal for the end of the capabilities: those above it stayed in the bounding set.
    "the last capability": ("default", 0, ["prctl", "capget"]),
    # What /bin, /lib, /etc/passwd are was guessed where the host would not tell: a jail with parts missing.
    "the host's own tree": ("default", 0, ["openat", "newfstatat", "readlinkat", "read"]),
    # An error of readdir(3) was taken for the end of a directory: a mirror with entries missing.
    "the entries of a directory": ("tree", 1, ["getdents64"]),
    # What the jail said last was lost where a message to it was unread: 125 without a word.
    "the last words of the jail": ("without init", 1, ["prctl", "poll", "recvmsg"]),
    # A jail whose launcher gives up is ended by it, and its reaper says why it gives up.
    "the watch over the jail": ("rich", 0, ["poll", "recvmsg", "sendmsg", "pidfd_open", "wait4"]),
    "the reaper": ("default", 1, ["poll", "read", "wait4", "sendmsg", "close_range"]),
    # The sentence of a start that fails in C named no errno.
    "the program's own constants": ("default", 0, ["mprotect"]),
    # Who writes the id maps of a direct launch heard nothing, and was gone without a word of why.
    "the maps from outside": ("direct", 1, ["recvmsg", "sendmsg"]),
    # Not found but feared: what one process makes for another.
    "the network's maker": ("default", 2, ["unshare", "socket", "ioctl"]),
    "the way into the network": ("default", 1, ["clone3", "setns"]),
}
#: Calls that claimed success and were believed: how many of them must tell.
BELIEVED = {
    # A mount that was said to be attached: the mirror that then stood on its target was taken for it.
    "the mirror": ("tree", 1, ["move_mount"], 11),
    # Signals that were said to be blocked: the end of the jail was one, and the launcher waited for it for ever.
    "the launcher's signals": ("default", 0, ["rt_sigprocmask"], 1),
    # Whoever is told that it is the child believes it, and ends: the whole launch did, with status 0.
    "the birth of the network's maker": ("default", 1, ["clone3"], 0),
    "the network": ("default", 2, ["unshare", "socket", "ioctl"], 3),
    "the way into the network": ("default", 1, ["wait4", "setns"], 1),
}


@pytest.mark.parametrize("what", FOUND)
def test_t43_a_fault_that_was_found_stays_mended(caller, built, tally, what):
    if what == "the maps from outside" and not caller.is_root:
        pytest.skip("concerns only root")
    name, process, calls = FOUND[what]
    bench = Bench(caller, name, built)
    numbers, process = {NUMBER[call] for call in calls}, bench.process(process)
    cases = [(step, e) for step, e in bench.faults() if step.process == process and step.number in numbers]
    seen, few = {}, []
    for step, errno in cases:
        # Forty capabilities are dropped by forty calls: some of them have to do.
        seen[step.number, errno] = seen.get((step.number, errno), 0) + 1
        if seen[step.number, errno] <= 8:
            few.append((step, errno))
    wrong = [word for word in (bench.fail(step, errno) for step, errno in few) if word]
    tally("system calls that failed", len(few), len(wrong))
    assert few and not wrong, f"{len(wrong)} of {len(few)}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("what", BELIEVED)
def test_c35_a_lie_that_was_believed_is_believed_no_more(caller, built, tally, what):
    name, process, calls, least = BELIEVED[what]
    bench = Bench(caller, name, built)
    numbers, process = {NUMBER[call] for call in calls}, bench.process(process)
    steps = [step for step in bench.steps if step.process == process and step.number in numbers and not step.late]
    told = [bench.fake(step, 0) for step in steps]
    wrong = [word for _, word in told if word]
    tally("calls that were faked", len(steps), len(wrong))
    assert steps and sum(caught for caught, _ in told) >= least and not wrong, "\n".join(wrong)
