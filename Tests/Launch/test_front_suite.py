"""bubblewrap's own suite, fetched and run with `bwrap` as immure has it: as root and as an ordinary user.

IMMURE_BWRAP_SUITE names a tree of bubblewrap's source; otherwise it is that of Debian's package. IMMURE_BWRAP=/usr/bin/bwrap
runs it against bubblewrap itself. What it checks is in words of ours, without its source, in test_front.py.
"""

import os
import re
import shutil
from pathlib import Path

import pytest

from harness import packages
from harness.patience import patient

#: What this host, or any jail of a test, has not: file systems of FUSE, and a socket that is /dev/log.
SKIPPED = re.compile(r"no FUSE support|/dev/log is not a socket|not sure what unreadable file to use")

#: What does not pass: device nodes that cannot be opened, of a root without --dev, are not shown, so that a jail in that jail
#: cannot show them in turn.
KNOWN = ("can pivot to new rootfs recursively",)

#: A check that fails does not end the suite: it is said, and the next one begins.
JUDGE = """
set +e
failed=
fatal() { failed="$*"; }
trap 'failed="status $?: $BASH_COMMAND"' ERR
judged() { echo "${failed:+not }ok - $*${failed:+: $failed}"; failed=; }
"""
#: How the releases of the suite say that a check has passed.
PASSED = re.compile(r'echo (?:ok \$test_count "\$@"|"ok (?:- )?(.*)")$', re.M)
#: How many such calls come before the last one is bubblewrap's own affair.
COUNTED = re.compile(r"fault=prctl:when=\d+")


@pytest.fixture(scope="module")
def suite(base):
    tree = Path(os.environ["IMMURE_BWRAP_SUITE"]) if "IMMURE_BWRAP_SUITE" in os.environ else packages.source("bubblewrap", base / "bubblewrap")
    tests = base / "suite"
    shutil.copytree(tree / "tests", tests)
    tests.chmod(0o755)
    (tests / "judge.sh").write_text(JUDGE)
    script = (tests / "test-run.sh").read_text().replace(". ${srcd}/libtest.sh", ". ${srcd}/libtest.sh; . ${srcd}/judge.sh")
    script, count = PASSED.subn(lambda found: "judged " + (f'"{found[1]}"' if found[1] else '"$@"'), COUNTED.sub("fault=prctl", script))
    assert count and "judge.sh" in script, "the suite says otherwise what has passed"
    (tests / "test-run.sh").write_text(script)
    return tests


@pytest.fixture
def bwrap(caller):
    if "IMMURE_BWRAP" in os.environ:
        return os.environ["IMMURE_BWRAP"]
    program = caller.open_directory() / "bwrap"
    shutil.copy(caller.binary, program)
    return str(program)


def checks(caller, suite, name, bwrap):
    """What a script's checks say that ran, and its run."""
    before = set(Path("/tmp").glob("bwrap-test-*"))
    process = caller.popen(["bash", str(suite / name)], cwd=caller.open_directory(), env={"BWRAP": bwrap, "LC_ALL": "C.UTF-8"})
    run = caller.finish(process, 300)
    for left in set(Path("/tmp").glob("bwrap-test-*")) - before:
        left.unlink()
    lines = re.findall(r"^(?:not )?ok .*$", run.stdout, re.M)
    return [line for line in lines if "# SKIP" not in line], run


def test_the_suite_of_bubblewrap(caller, suite, bwrap):
    ran, run = checks(caller, suite, "test-run.sh", bwrap)
    failed = [line for line in ran if line.startswith("not")]
    skipped = [line for line in run.stdout.splitlines() if "# SKIP" in line]
    assert run.status == 0 and re.search(rf"^1\.\.{len(ran) + len(skipped)}$", run.stdout, re.M), run
    assert all(SKIPPED.search(line) for line in skipped), skipped
    failed = [line for line in failed if not any(title in line for title in KNOWN)]
    assert len(ran) >= 40 and not failed, "\n".join(failed)


@pytest.mark.parametrize("name", ("test-specifying-userns.sh", "test-specifying-pidns.sh"))
def test_namespaces_that_are_joined(caller, suite, bwrap, name):
    ran, run = checks(caller, suite, name, bwrap)
    assert run.status == 0 and len(ran) == 1 and ran[0].startswith("ok"), run
