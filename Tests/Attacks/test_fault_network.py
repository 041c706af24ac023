"""The calls of a launch with a network fail, lie, or are the launcher's last, as those of test_fault_each_call.py and
test_fault_faked.py: opening and carrying ports, the resolver, rules, interfaces and routes.

Who works for the jail from outside may end with a call that fails, before the command runs or after: then the jail is killed and told
of. A sample by default, every call with IMMURE_SWEEP=full.
"""

import os

import pytest

from harness import lab, names
from kit.calls import NAME
from kit.faults import Bench
from kit.samples import SAMPLES

FULL = os.environ.get("IMMURE_SWEEP") == "full"
#: What a sample tries of each sweep: for each network.
FAULTS, LIES, KILLS = 8, 6, 3
NETWORKS = {
    "publish": 'publish = ["127.0.0.1:8080:80", "127.0.0.1:8080:53/udp"]\n',
    "user": f'mode = "user"\nallow = ["{lab.GOOD}:80"]\n',
    "names": 'mode = "user"\nallow = ["good.test:443"]\n',
    "veth": 'mode = "veth"\nallow = ["good.test:443"]\n',
}
#: Calls with an effect that only a network has.
EFFECTS = set("bind listen connect setsockopt sendto setns prctl capset seccomp ioctl epoll_ctl pwrite64 unshare write".split())


class NetworkBench(Bench):
    def judge(self, run, step, errno):
        return None if self.is_ended(run) else super().judge(run, step, errno)

    def believe(self, run, step, how):
        return (True, None) if self.is_ended(run) else super().believe(run, step, how)

    def is_ended(self, run):
        """Whether the jail was killed with one that it needs, and said so."""
        words = run.stderr.splitlines()[:1]
        return run.status == 137 and self.expected.startswith(run.stdout) and words != [] and words[0].endswith("; jail killed")


@pytest.fixture(scope="module")
def network():
    with names.standing():
        with open("/proc/sys/net/ipv4/ip_forward", "w") as forward:
            forward.write("1")
        yield
        with open("/proc/sys/net/ipv4/ip_forward", "w") as forward:
            forward.write("0")


@pytest.fixture(params=NETWORKS)
def bench(request, caller, built, network, monkeypatch):
    if request.param == "veth" and not caller.is_root:
        pytest.skip("an interface of the host's is root's")
    spec = "[network]\n" + NETWORKS[request.param] + '[filesystem]\nro = ["{opt}:/opt"]\n'
    monkeypatch.setitem(SAMPLES, request.param, lambda caller, opt: spec.format(opt=opt))
    return NetworkBench(caller, request.param, built)


def chosen(dice, cases, count):
    return cases if FULL else sorted(dice.sample(cases, min(count, len(cases))), key=str)


def test_each_call_fails_once(bench, dice, tally):
    cases = chosen(dice, bench.faults(), FAULTS)
    wrong = [word for word in (bench.fail(step, errno) for step, errno in cases) if word]
    tally("network: system calls that failed", len(cases), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


def test_success_that_is_a_lie(bench, dice, tally):
    steps = chosen(dice, [step for step in bench.steps if not step.late and NAME.get(step.number) in EFFECTS], LIES)
    wrong = [
        word for _, word in (bench.fake(step, "count" if NAME[step.number] in ("write", "pwrite64", "sendto") else 0) for step in steps) if word]
    tally("network: calls that were faked", len(steps), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(steps)}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_the_launcher_ends_at_each_call(bench, dice, tally, how):
    steps = chosen(dice, bench.steps, KILLS)
    wrong = [word for word in (bench.interrupt(how, step) for step in steps) if word]
    tally(f"network: launchers ended by {how}", len(steps), len(wrong))
    assert not wrong, f"{len(wrong)} of {len(steps)}:\n" + "\n".join(wrong)
