"""What code in a jail must not be able to do, tried from inside by whoever it may be there (C18, C24, C25, C27, C29, C31, C32,
C36, C37, C44, T15, T16, T18, T19, T21, T25, T26), with the default filter and without any: no layer may hide a hole in another.
"""

import errno
import os

import pytest

from harness.maps import zero
from harness.snapshot import Snapshot
from harness.tree import rooted, tree

NONE = '[seccomp]\nprofile = "none"\n'
#: What is no hole: in a jail that shares the host's ids or namespaces, or by the caller's own doing, these are allowed.
HARMLESS = {
    "nested": {"unshare_user", "more_user_namespaces", "int80_unshare"},
}
JAILS = {
    "default": lambda caller, opt: f'[filesystem]\nro = ["{opt}:/opt"]\n',
    "uid 0 of a user namespace": lambda caller, opt: f'[filesystem]\nro = ["{opt}:/opt"]\n' + zero(caller),
    "root=host": lambda caller, opt: f'[filesystem]\nroot = "host"\nro = ["{opt}:/opt"]\n',
    "a tree": lambda caller, opt: rooted(tree(caller), "", f'[[mount]]\ntarget = "/opt"\nsource = "{opt}"'),
    "nested": lambda caller, opt: f'[namespaces]\nnested = true\n[filesystem]\nro = ["{opt}:/opt"]\n',
    "no user namespace": lambda caller, opt: f'[namespaces]\nuser = "host"\n[filesystem]\nro = ["{opt}:/opt"]\n',
    "the host's uid 0": lambda caller, opt: f'[namespaces]\nuser = "host"\n[identity]\nuser = 0\n[filesystem]\nro = ["{opt}:/opt"]\n',
}


def attempts(caller, built, spec):
    run = caller.run(spec, "/opt/battery", os.readlink("/proc/self/ns/mnt"), timeout=30).ok
    return dict(line.split() for line in run.stdout.splitlines())


@pytest.mark.parametrize("filtered", ["filtered", "unfiltered"])
@pytest.mark.parametrize("jail", JAILS)
def test_c27_c24_c31_c44_t25_nothing_of_the_battery_succeeds(caller, built, tally, jail, filtered):
    if jail in ("no user namespace", "the host's uid 0") and not caller.is_root:
        pytest.skip("an ordinary user has no jail without a user namespace")
    opt = built("battery").parent
    spec = JAILS[jail](caller, opt) + (NONE if filtered == "unfiltered" else "")
    before = Snapshot()
    answers = attempts(caller, built, spec)
    wrong = {name for name, word in answers.items() if word == "OK"} - HARMLESS.get(jail, set())
    tally("attempts from inside", len(answers), len(wrong))
    assert len(answers) > 100, answers
    assert not wrong, wrong
    assert not Snapshot().difference(before)


def test_the_battery_refuses_to_run_unjailed(root, built):
    run = root.finish(root.popen([built("battery"), os.readlink("/proc/self/ns/mnt")]))
    assert (run.status, run.stdout) == (98, "")
