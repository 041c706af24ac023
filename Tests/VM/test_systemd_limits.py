"""[limits] where systemd manages the host: in a delegated unit, and in scopes that the service manager is asked for."""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from harness.patience import patient, until
from limits import CGROUPS, Jail, groups, leaves

HOST = '[limits]\npids = 20\nmemory = "64M"\n[namespaces]\ncgroup = "host"\n'
#: The same in a scope of its own, whatever unit it is started in.
OWN = HOST.replace("pids", 'scope = "own"\npids', 1)
WHERE = ("sh", "-c", "cat /proc/self/cgroup")


@pytest.fixture
def jail(binary):
    return Jail(binary)


@pytest.fixture(scope="session")
def manager():
    """The ordinary user's own service manager."""
    subprocess.run(["loginctl", "enable-linger", "tester"], check=True)
    deadline = time.monotonic() + patient(30)
    # systemd-run waits for a unit by the user's bus, which comes after the manager.
    while not all(os.path.exists(f"/run/user/1000/{name}") for name in ("systemd/private", "bus")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def unit(words, *properties, user=None):
    options = [word for name in properties for word in ("-p", name)]
    if user:
        options += ["-p", f"User={user}"]
    return subprocess.run(
        ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", *options, *words],
        capture_output=True, text=True, timeout=patient(60))


def as_tester(words):
    return ["setpriv", "--reuid=1000", "--regid=1000", "--init-groups", "env", "XDG_RUNTIME_DIR=/run/user/1000", *words]


def settled(found):
    """What `found` returns once it is empty, or at the end of patience."""
    deadline = time.monotonic() + patient(10)
    while found() and time.monotonic() < deadline:
        time.sleep(0.1)
    return found()


def is_waiting(process):
    """Whether this is immure, and not at work."""
    status = Path(f"/proc/{process}/status").read_text()
    return status.startswith("Name:\timmure\n") and "\nState:\tS" in status


def scopes():
    return groups(lambda name: name.endswith(".scope"))


@pytest.mark.parametrize("user", [None, "tester"])
def test_in_a_delegated_unit(jail, user):
    done = unit(jail.arguments(HOST, *WHERE), "Delegate=yes", user=user)
    assert re.fullmatch(r"0::/system\.slice/run-[\w-]+\.service/immure-\d+-\d+\n", done.stdout), done
    assert settled(leaves) == []


def test_two_launches_in_one_unit(jail):
    """The shell between them is moved out of the way by the first, and the second finds the unit all the same."""
    words = jail.arguments(HOST, "cat", "/proc/self/cgroup")
    launch = " ".join(words)
    done = unit(["sh", "-c", f"{launch}; cat /proc/self/cgroup; {launch}"], "Delegate=yes")
    service = r"0::(/system\.slice/run-[\w-]+\.service)"
    assert re.fullmatch(
        service + r"/immure-\d+-\d+\n0::\1/immure\.supervisor\n0::\1/immure-\d+-\d+\n", done.stdout), done


DIRECT = HOST + 'pid = "host"\n[filesystem]\nproc = false\n[process]\ndie_with_parent = false\n'


def test_without_a_process_of_immures_own(jail):
    """Direct: the unit's main process is the command, in a cgroup that goes with the unit."""
    done = unit(jail.arguments(DIRECT, "sh", "-c", "echo $PPID; exit 3"), "Delegate=yes")
    assert (done.returncode, done.stdout) == (3, "1\n"), done
    assert settled(leaves) == []


def test_a_direct_launch_that_fails_says_so(jail):
    done = unit(jail.arguments(DIRECT, "no-such-program"), "Delegate=yes")
    assert done.returncode == 127 and "no-such-program" in done.stderr, done
    assert settled(leaves) == []


def test_e01_a_service_that_is_not_delegated_is_not_left(jail):
    """What the unit limits would hold no more, and nobody would say so."""
    for properties in ([], ["MemoryMax=40M", "IPAddressDeny=any"]):
        done = unit(jail.arguments(HOST, *WHERE), *properties)
        assert done.returncode == 125 and done.stdout == "" and scopes() == [], done
        assert re.search(r":1:2: \[limits\]: run-[\w-]+\.service is not delegated to the caller: the jail's cgroup cannot be made in it", done.stderr)
        done = unit(jail.arguments(HOST, *WHERE), *properties, user="tester")
        assert done.returncode == 125 and done.stdout == "" and scopes() == [], done


def test_e01_the_limits_of_the_unit_hold_in_the_jail(jail):
    """Delegated, and so stayed in: the smaller limit is the unit's, and it is what ends the command; its journal is the unit's."""
    words = jail.arguments(HOST.replace("64M", "200M"), "python3", "-c", "x = bytearray(100 << 20)")
    done = unit(words, "Delegate=yes", "MemoryMax=40M", "MemorySwapMax=0", "OOMPolicy=continue")
    assert done.returncode in (137, 255), done
    done = unit(jail.arguments(OWN.replace("64M", "200M"), "python3", "-c", "x = bytearray(60 << 20); print(len(x))"), "MemoryMax=40M", "MemorySwapMax=0")
    assert (done.returncode, done.stdout) == (0, f"{60 << 20}\n"), done


@pytest.mark.parametrize("property", ["MemoryMax=40M", "CPUQuota=50%", "IPAddressDeny=any"])
def test_e01_a_scope_with_limits_is_not_left(jail, property):
    """A session's scope limits nothing, and is left; this one is not."""
    words = jail.arguments(HOST, *WHERE)
    start = ["systemd-run", "--quiet", "--scope", "--collect"]
    done = subprocess.run([*start, "-p", property, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 125 and "is not delegated to the caller and limits" in done.stderr, done
    done = subprocess.run([*start, *words], capture_output=True, text=True, timeout=60)
    assert re.fullmatch(r"0::/system\.slice/immure-\d+-\d+\.scope/immure-\d+-\d+\n", done.stdout), done
    done = subprocess.run([*start, "-p", property, "-p", "Delegate=yes", *words], capture_output=True, text=True, timeout=60)
    assert re.fullmatch(r"0::/system\.slice/run-[\w-]+\.scope/immure-\d+-\d+\n", done.stdout), done


@pytest.mark.parametrize("delegated", [True, False])
@pytest.mark.parametrize("kind", ["service", "scope"])
def test_e02_a_unit_of_a_users_manager(jail, manager, kind, delegated):
    """systemd 252 marks no group of a user's: its manager is asked for the property."""
    start = ["systemd-run", "--user", "--quiet", "--collect", *(["--scope"] if kind == "scope" else ["--wait", "--pipe"]),
             "-p", "MemoryMax=100M", *(["-p", "Delegate=yes"] if delegated else [])]
    done = subprocess.run(as_tester([*start, *jail.arguments(HOST, *WHERE)]), capture_output=True, text=True, timeout=60)
    if delegated:
        assert re.search(r"/user@1000\.service/app\.slice/run-[\w-]+\.(service|scope)/immure-\d+-\d+\n$", done.stdout), done
    else:
        assert done.returncode == 125 and "is not delegated to the caller" in done.stderr, done


@pytest.mark.parametrize("kind", ["service", "scope", "root"])
def test_e02_a_manager_that_does_not_answer(jail, manager, kind):
    """A launch says what it could not find out, and waits five seconds for all of it; a unit of which that is not known is not left."""
    place = Path("/srv/mute/systemd")
    place.mkdir(parents=True, exist_ok=True)
    (place / "private").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(place / "private"))
        os.chmod(place / "private", 0o777)
        mute.listen(0)
        words = jail.arguments(HOST, *WHERE)
        start = ["systemd-run", "--quiet", "--collect", *(["--wait", "--pipe"] if kind == "service" else ["--scope"])]
        timed = ["sh", "-c", 'a=$(date +%s); "$@"; s=$?; echo "took $(($(date +%s) - a))"; exit $s', "sh"]
        if kind == "root":
            script = 'mount --bind /srv/mute/systemd/private /run/systemd/private && exec "$@"'
            line = [*start, "unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *timed, *words]
        else:
            line = as_tester([*start, "--user", "-E", "XDG_RUNTIME_DIR=/srv/mute", *timed, *words])
        done = subprocess.run(line, capture_output=True, text=True, timeout=90)
    assert done.returncode == 125, done
    assert "is not known to be delegated (its manager does not say: nothing within 5 s)" in done.stderr, done
    assert 4 <= int(done.stdout.removeprefix("took ")) <= 9, done


@pytest.mark.parametrize("ending", ["SIGTERM", "SIGINT", "timeout"])
@pytest.mark.parametrize("silence", ["accepts nobody", "says nothing"])
@pytest.mark.parametrize("user", [None, "tester"])
def test_a_scope_that_never_comes_is_not_waited_for(jail, user, silence, ending):
    """Neither after a signal that ends the launch, nor for longer than the command may run."""
    place = Path("/srv/mute/systemd")
    place.mkdir(parents=True, exist_ok=True)
    (place / "private").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as mute, socket.socket(socket.AF_UNIX) as other:
        mute.bind(str(place / "private"))
        os.chmod(place / "private", 0o777)
        mute.listen(0)
        if silence == "accepts nobody":
            other.connect(str(place / "private"))
        words = jail.arguments(('timeout = "2s"\n' if ending == "timeout" else "") + OWN, "echo", "ran")
        if user:
            line = as_tester(["env", "XDG_RUNTIME_DIR=/srv/mute", *words])
        else:
            script = 'mount --bind /srv/mute/systemd/private /run/systemd/private && exec "$@"'
            line = ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *words]
        began = time.monotonic()
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if ending != "timeout":
            # It stands still, at what it asks for: each of twenty looks in a row finds it so.
            until(lambda: all(time.sleep(0.05) or is_waiting(process.pid) for _ in range(20)))
            process.send_signal(getattr(signal, ending))
        out, err = process.communicate(timeout=patient(20))
        took = time.monotonic() - began
    assert out == "" and scopes() == [] and leaves() == [], (out, err)
    if ending == "timeout":
        assert process.returncode == 125 and "for a scope" in err and "ETIMEDOUT" in err and 1.9 < took, (err, took)
    else:
        number = getattr(signal, ending)
        assert process.returncode in (128 + number, -number), (process.returncode, err, took)
        assert f"{ending} ended the launch before this was done" in err, err


def test_a_group_that_cannot_be_written_to(jail):
    done = unit(jail.arguments(HOST, *WHERE), "Delegate=yes", "ProtectControlGroups=yes")
    assert done.returncode == 125 and "is delegated, and its cgroup cannot be written to" in done.stderr, done


def test_a_scope_of_its_own(jail):
    done = unit(jail.arguments(OWN, *WHERE))
    assert re.fullmatch(r"0::/system\.slice/immure-\d+-\d+\.scope/immure-\d+-\d+\n", done.stdout), done
    assert settled(scopes) == []
    # Even where the unit is delegated.
    assert ".scope/immure-" in unit(jail.arguments(OWN, *WHERE), "Delegate=yes").stdout


def test_leaving_a_service_is_told(jail):
    words = jail.arguments(OWN, *WHERE)
    words[1] = "plan"
    done = unit(words)
    assert re.search(r"note: .*the launcher leaves run-[\w-]+\.service, and its limits, for a scope", done.stdout)


def test_an_ordinary_user_gets_a_scope(jail, manager):
    done = unit(jail.arguments(OWN, *WHERE), user="tester")
    slices = r"0::/user\.slice/user-1000\.slice/user@1000\.service/app\.slice"
    assert re.fullmatch(slices + r"/immure-\d+-\d+\.scope/immure-\d+-\d+\n", done.stdout), done
    assert settled(scopes) == []


def test_a_user_who_is_stopped_at_the_limit(jail, manager):
    spec = '[limits]\nmemory = "32M"\nswap = 0\nscope = "own"\n'
    done = unit(jail.arguments(spec, "python3", "-c", "x = bytearray(100 << 20)"), user="tester")
    assert done.returncode == 137
    assert ":2:10: limits.memory: out of memory, all 2 processes of the jail were killed" in done.stderr
    # A scope that has failed is not left for anybody to clear.
    listed = subprocess.run(
        as_tester(["systemctl", "--user", "list-units", "--all", "--plain", "--no-legend", "immure*"]),
        capture_output=True, text=True)
    assert (listed.returncode, listed.stdout) == (0, "")


def test_a_controller_that_users_do_not_get(jail, manager):
    given = CGROUPS / "user.slice/user-1000.slice/user@1000.service/cgroup.controllers"
    assert "io" not in given.read_text().split()
    spec = f'[limits]\npids = 20\nscope = "own"\n[[limits.io]]\ndevice = "{os.environ["VM_RUN_DISK"]}"\nwbps = "1M"\n'
    done = unit(jail.arguments(spec, "echo", "ran"), user="tester")
    assert done.returncode == 125 and done.stdout == ""
    assert re.search(
        r":6:8: enable controllers io pids: the io controller does not reach /sys/fs/cgroup/user\.slice", done.stderr)
    assert "systemctl edit user@.service" in done.stderr
    assert settled(scopes) == []


def test_a_user_without_a_manager(jail):
    """DynamicUser: no session, no manager of its own."""
    done = unit(jail.arguments(HOST, *WHERE), "DynamicUser=yes")
    assert done.returncode == 125 and done.stdout == ""
    assert re.search(r":1:2: \[limits\]: run-[\w-]+\.service is not delegated to the caller", done.stderr)
    done = unit(jail.arguments(OWN, *WHERE), "DynamicUser=yes")
    assert done.returncode == 125 and "no service manager of the caller's is there to ask" in done.stderr, done


@pytest.mark.parametrize("user", [None, "tester"])
def test_a_killed_launcher_leaves_nothing(jail, manager, user):
    words = jail.arguments(OWN, "sh", "-c", "echo; exec sleep 66")
    options = ["-p", f"User={user}"] if user else []
    process = subprocess.Popen(
        ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", *options, *words], stdout=subprocess.PIPE)
    process.stdout.readline()
    [scope] = scopes()
    for launcher in (Path(scope) / "immure.supervisor/cgroup.procs").read_text().split():
        os.kill(int(launcher), 9)
    process.wait()
    assert settled(scopes) == [] and settled(leaves) == []
    assert subprocess.run(["pgrep", "-f", "^sleep 66"]).returncode == 1


def test_stopping_the_unit_ends_the_jail(jail):
    words = jail.arguments(HOST, "sh", "-c", "exec sleep 67")
    subprocess.run(["systemd-run", "--quiet", "--unit=limited", "-p", "Delegate=yes", *words], check=True)
    while not leaves():
        time.sleep(0.05)
    subprocess.run(["systemctl", "stop", "limited"], check=True)
    assert leaves() == [] and subprocess.run(["pgrep", "-f", "^sleep 67"]).returncode == 1


def test_doctor(binary, manager):
    def limits(*properties, user=None):
        lines = unit([binary, "doctor"], *properties, user=user).stdout.split("\n")
        start = lines.index("limits") + 1
        return "\n".join(lines[start : start + 14])

    assert re.search(r"absent +delegation +run-[\w-]+\.service is not delegated to the caller", limits(user="tester"))
    assert re.search(r"absent +delegation +run-[\w-]+\.service is not delegated to the caller", limits())
    start = ["systemd-run", "--scope", "--quiet", "--collect"]
    in_scope = subprocess.run([*start, binary, "doctor"], capture_output=True, text=True).stdout
    assert "the system manager is asked for a scope" in in_scope
    in_scope = subprocess.run(as_tester(["systemd-run", "--user", *start[1:], str(binary), "doctor"]), capture_output=True, text=True).stdout
    assert "the user manager is asked for a scope" in in_scope and "the io controller is not delegated to users" in in_scope
    assert re.search(r"ok +delegation +the jail's cgroup is made in /sys/fs/cgroup/system.slice/run", limits("Delegate=yes"))


def test_the_example(binary):
    Path("/srv/work").mkdir(exist_ok=True)
    Path("/srv/work/test_it.py").write_text(
        "import unittest\nclass T(unittest.TestCase):\n def test(self): bytearray(600 << 20)\n")
    words = ["env", "PWD=/srv/work", binary, "run", "/srv/limited.toml"]
    Path("/srv/limited.toml").write_bytes(Path("/project/Examples/limited.toml").read_bytes())
    done = unit(words, "WorkingDirectory=/srv/work", "Delegate=yes")
    assert done.returncode == 137, done
    assert re.search(r"limited\.toml:\d+:\d+: limits\.memory: out of memory", done.stderr), done
