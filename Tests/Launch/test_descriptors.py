"""Every descriptor above 2 is closed but those in `fds`, and 0-2 are there (C13)."""

import contextlib
import json
import os
import pathlib
import subprocess

import pytest

from harness.hold import holding

HELD = {7: "/etc/passwd", 8: "/", 9: "socket", 200: "/proc/self/ns/user", 2000: "/etc/hostname", 9999: "/"}


@pytest.fixture
def held(caller, base):
    """A file, a directory, a socket and a namespace, at numbers of all sizes."""
    caller.wrapper = holding(base, HELD)


@pytest.fixture(params=["close_range", "no close_range"])
def closing(request, caller, held, compiled):
    if request.param != "close_range":
        caller.wrapper = (*caller.wrapper, compiled("shim"), "close_range=38", "--")


SPECS = {
    "default": "",
    "no proc": "[filesystem]\nproc = false",
    "direct": None,
    "no init": "[process]\ninit = false",
}


@pytest.mark.parametrize("name", SPECS)
def test_t05_c13_descriptors_do_not_leak(caller, held, closing, name):
    code = "import json, os\nopen_ones = []\nfor n in range(20000):\n try: os.fstat(n); open_ones.append(n)\n except OSError: pass\nprint(json.dumps(open_ones))"
    spec = SPECS[name] if SPECS[name] is not None else caller.shared_pids("[process]\ninit = false\n")
    assert caller.python(spec, code) == [0, 1, 2]


def test_t06_c13_listed_descriptors_are_passed_on(caller, held, closing):
    facts = caller.facts("[process]\nfds = [9]")
    assert sorted(facts.fds) == [0, 1, 2, 9]
    facts = caller.facts("[process]\nfds = [2000, 7]")
    assert sorted(facts.fds) == [0, 1, 2, 7, 2000] and facts.fds[7] == "/etc/passwd"


def test_a_listed_descriptor_that_is_not_open_is_refused(caller):
    run = caller.run("\n[process]\nfds = [77]", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "77" in run.stderr and "spec.toml:3" in run.stderr
    assert "not open" in run.stderr or "EBADF" in run.stderr


def test_a_passed_descriptor_can_be_used(caller):
    end, start = os.pipe()
    run = caller.shell(
        f"[process]\nfds = [{start}]",
        (
            f"echo through >&{start}"
            if start < 10
            else f"/usr/bin/python3 -c 'import os; os.write({start}, b\"through\\n\")'"
        ),
        pass_fds=(start,),
    )
    os.close(start)
    with os.fdopen(end) as file:
        assert run.ok and file.read() == "through\n"


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_l6_c13_closed_standard_descriptors_are_not_taken_by_the_launchers_own(caller, closed):
    place = caller.open_directory()
    spec = caller.spec(f'[filesystem]\nrw = ["{place}:/out"]\n')
    code = """
import json, os
answer = {}
for name in os.listdir('/proc/self/fd'):
    try: answer[name] = os.readlink('/proc/self/fd/' + name)
    except OSError: pass
open('/out/answer', 'w').write(json.dumps(answer))
"""
    words = " ".join(f"{number}{'<' if number == 0 else '>'}&-" for number in closed)
    process = caller.popen(
        ["/bin/sh", "-c", f'exec "$@" {words}', "sh", caller.binary, "run", spec, "--", "/usr/bin/python3", "-c", code]
    )
    run = caller.finish(process)
    answer = {int(name): target for name, target in json.loads((place / "answer").read_text()).items()}
    assert run.status == 0
    # Closed as it was, or /dev/null: never something of the launcher's, nor anything that can be read from.
    assert set(answer) <= {0, 1, 2}
    assert all(answer[number] == "/dev/null" for number in closed if number in answer), answer


@pytest.mark.parametrize("soft", [64, 256])
def test_c13_a_lowered_limit_does_not_hide_a_descriptor(caller, held, closing, soft):
    caller.wrapper = (*caller.wrapper, "/bin/sh", "-c", f'ulimit -n {soft}; exec "$@"', "sh")
    assert sorted(caller.facts().fds) == [0, 1, 2]


def test_the_cloexec_flag_of_a_passed_descriptor_is_gone(caller):
    # The program after the next exec has it as well.
    end, start = os.pipe()
    run = caller.shell(
        f"[process]\nfds = [{start}]", f"exec /bin/sh -c 'exec ls -l /proc/self/fd/{start}'", pass_fds=(start,)
    )
    os.close(start)
    os.close(end)
    assert "pipe:" in run.ok.stdout


def is_of_queues(descriptor):
    """Whether it is the jail's own mount of message queues, which the first process closes as soon as the command runs, and
    may not have closed yet."""
    found = subprocess.run(["/usr/bin/stat", "-fLc", "%T", descriptor], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return found.stdout.strip() == b"mqueue"


def test_pid_1_of_the_jail_holds_no_descriptor_of_the_caller(root, base):
    root.wrapper = holding(base, HELD)
    process = root.start(None, "/bin/sh", "-c", "echo ready; read x", stdin=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    children = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()
    assert len(children) == 1
    held = pathlib.Path(f"/proc/{children[0]}/fd")
    names = {}
    for entry in held.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if not is_of_queues(entry):
                names[entry.name] = os.readlink(entry)
    root.finish(process, stdin=b"\n")
    assert any(name.startswith("socket:") for name in names.values())  # the one to its launcher
    # From the first moment on: neither these nor the mounts that the jail was built of.
    # What the jail has for itself is looked at once more, whether it is full.
    own = {"/tmp", "/dev/shm"}
    assert not [name for name in names.values() if name.startswith(("/", "user:", "mnt:")) and name not in own], names
