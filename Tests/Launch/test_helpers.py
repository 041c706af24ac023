"""Programs of the host that work for a jail: how they are started, what they hold, and when they end."""

import signal
import time

import pytest

from harness import linux
from harness.patience import patient, until

AUTO = '[identity]\nuser = 0\ngroup = 0\nuid_map = "auto"\ngid_map = "auto"\n'


@pytest.fixture
def helper(user):
    """Puts a newuidmap of the caller's own in its PATH; the rest of the command line's environment."""

    def make(script):
        place = user.directory()
        user.file(place / "newuidmap", "#!/bin/sh\n" + script, mode=0o755)
        return {"env": {"PATH": f"{place}:/usr/bin:/bin"}}

    return make


def waiting(user, env, place):
    """A launch whose helper waits for ever, from the moment in which that runs."""
    process = user.start(AUTO, "/bin/echo", "ran", **env)
    until(lambda: (place / "runs").exists())
    return process


def test_the_last_line_that_a_helper_says_is_the_reason(user, helper):
    run = user.run(AUTO, "/bin/echo", "ran", **helper("echo first; echo last >&2; exit 3"))
    assert run.status == 125 and "last" in run.stderr and "first" not in run.stderr and run.stdout == "", run


def test_a_helper_without_words_is_told_by_its_end(user, helper):
    run = user.run(AUTO, "/bin/echo", "ran", **helper("exit 3"))
    assert run.status == 125 and "exit status 3" in run.stderr, run
    run = user.run(AUTO, "/bin/echo", "ran", **helper("kill -SEGV $$"))
    assert run.status == 125 and "SIGSEGV" in run.stderr, run


def test_a_helper_that_says_much_does_not_fill_the_launcher(user, helper):
    run = user.run(AUTO, "/bin/echo", "ran", **helper("yes | head -c 5000000; echo; echo last; exit 3"))
    assert run.status == 125 and "last" in run.stderr and len(run.stderr) < 2000, run


def test_a_helper_holds_nothing_of_the_callers(user, helper):
    place = user.open_directory()
    script = f"""
exec 2>{place}/out
ls -l /proc/$$/fd >{place}/fd
cat >{place}/in
grep -E 'SigBlk|SigIgn' /proc/self/status >{place}/signals
(: </dev/tty) 2>/dev/null && echo terminal >{place}/terminal
env >{place}/env
exit 3
"""
    with open(place / "caller's", "w") as file:
        run = user.run(AUTO, "/bin/echo", stdin="typed", pass_fds=(file.fileno(),), **helper(script))
    assert run.status == 125, run
    held = (place / "fd").read_text()
    assert "caller's" not in held and "socket:" not in held and "signalfd" not in held, held
    assert (place / "in").read_text() == "" and not (place / "terminal").exists()
    assert {line.split()[1] for line in (place / "signals").read_text().splitlines()} == {"0" * 16}
    assert "HOME=" not in (place / "env").read_text()


@pytest.mark.parametrize("number", ["INT", "QUIT", "HUP", "TERM"])
def test_a_signal_ends_a_launch_that_waits_for_a_helper(user, helper, number):
    place = user.open_directory()
    process = waiting(user, helper(f"touch {place}/runs; exec sleep 1000"), place)
    begin = time.monotonic()
    process.send_signal(getattr(signal, "SIG" + number))
    run = user.finish(process)
    assert time.monotonic() - begin < patient(1), run
    assert run.status != 0 and run.stdout == "" and "SIG" + number in run.stderr and "id" in run.stderr, run
    assert linux.survivors(0.5) == {}


def test_a_helper_ends_with_a_launcher_that_is_killed(user, helper):
    place = user.open_directory()
    process = waiting(user, helper(f"touch {place}/runs; exec sleep 1000"), place)
    process.kill()
    process.communicate()
    assert linux.survivors(0.5) == {}
