"""process.boot: a command that is an init; here Python, which does as an init is asked to."""

import os
import signal

import pytest
from harness.caller import PYTHON
from harness.must import needs
from harness.patience import patient
from harness.terminal import Terminal
from test_identity import ranges

BOOT = "[process]\nboot = true\n"


@pytest.fixture
def boot(caller):
    """The lines that boot a jail of this caller; root has no range of its own in /etc/subuid."""
    if not caller.is_root:
        needs(ranges(caller), "find a range for the test user in /etc/subuid")
        return BOOT
    maps = "[{ inside = 0, outside = 300000, count = 65536 }]"
    return BOOT + f"[identity]\nuid_map = {maps}\ngid_map = {maps}\n"


def test_the_command_is_what_an_init_expects(caller, boot):
    code = """
import json, os, tempfile
console = os.open("/dev/console", os.O_RDWR | os.O_NOCTTY)
open("/run/made", "w").close()
print(json.dumps({
    "pid": os.getpid(), "uid": os.getuid(), "container": os.environ["container"], "tty": os.isatty(console),
    "own": all(os.isatty(number) for number in (0, 1, 2)), "sys": os.path.isdir("/sys/class/net/lo"),
    "run": os.stat("/run").st_mode & 0o7777, "mqueue": os.path.ismount("/dev/mqueue"),
    "capabilities": next(line for line in open("/proc/self/status") if line.startswith("CapEff")).split()[1]}))
"""
    answer = caller.python(boot, code)
    held = int(answer.pop("capabilities"), 16)
    assert held >> 21 & 1 and not held >> 16 & 1  # sys_admin, sys_module
    assert answer == {
        "pid": 1, "uid": 0, "container": "immure", "tty": True, "own": True, "sys": True, "run": 0o755, "mqueue": True,
    }  # fmt: skip


def test_its_services_get_namespaces_and_ids_of_their_own(caller, boot):
    code = """
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if child == 0:
    os.setgid(100); os.setuid(33)
    os._exit(0 if libc.unshare(0x10000000) == 0 else 1)
other = os.fork()
if other == 0:
    # Mounts and a network.
    os._exit(0 if libc.unshare(0x40020000) == 0 and libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0 else 1)
print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(one, 0)[1]) for one in (child, other)]))
"""
    assert caller.python(boot, code) == [0, 0]


@pytest.mark.parametrize("command, status", [(0x4321FEDC, 0), (0xCDEF0123, 0), (0x01234567, 129)])
def test_the_end_of_the_machine_is_a_status(caller, boot, command, status):
    """RB_POWER_OFF, RB_HALT_SYSTEM, RB_AUTOBOOT: reboot(2) in a pid namespace ends its first process by a signal."""
    code = f"import ctypes\nprint('up', flush=True)\nctypes.CDLL(None).reboot({command})\nprint('still up')"
    run = caller.run(boot, *PYTHON, code)
    assert (run.status, run.stdout) == (status, "up\n"), run


LISTENER = """#!/usr/bin/python3 -IS
import os, signal
wanted = {1, 2, 12, 15, 30, 37}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
os.write(1, b"up\\n")
os.write(1, b"asked %d\\n" % signal.sigwait(wanted))
raise SystemExit(7)
"""


@pytest.mark.parametrize("name, number", [("systemd", 37), ("busybox", 12), ("runit-init", 2), ("other", 30)])
def test_it_is_asked_to_end_in_its_own_way(caller, boot, name, number):
    tree = caller.directory()
    for directory in ("usr", "etc", "proc", "sys", "dev", "run", "tmp", "sbin"):
        (tree / directory).mkdir()
    for link in ("bin", "lib", "lib64"):
        if os.path.islink("/" + link):
            (tree / link).symlink_to("usr/" + link)
    caller.file(tree / "sbin" / name, LISTENER, mode=0o755)
    (tree / "sbin/init").symlink_to(name)
    spec = boot + f'[filesystem]\nroot = "{tree}"\nro = ["/usr"]\n'
    process = caller.start(spec)
    assert process.stdout.readline() == b"up\n", process.communicate()
    process.send_signal(signal.SIGTERM)
    run = caller.finish(process)
    assert (run.status, run.stdout) == (7, f"asked {number}\n"), run


def test_with_a_terminal_the_console_is_it(caller, boot):
    code = "import os; os.write(os.open('/dev/console', os.O_WRONLY | os.O_NOCTTY), b'to the console\\n')"
    terminal = Terminal(caller, caller.line(boot, [*PYTHON, code])[0])
    terminal.expect("to the console")
    assert terminal.process.wait(patient(10)) == 0


def test_the_console_outlives_who_has_it_open(caller, boot):
    """systemd has /dev/null for its own descriptors, and opens the console for each line."""
    code = """
import os, time
for number in (0, 1, 2):
    os.dup2(os.open("/dev/null", os.O_RDWR), number)
for line in (b"one", b"two"):
    time.sleep(0.3)
    console = os.open("/dev/console", os.O_WRONLY | os.O_NOCTTY)
    os.write(console, line + b"\\n")
    os.close(console)
"""
    run = caller.run(boot, *PYTHON, code)
    assert (run.status, run.stdout) == (0, "one\ntwo\n"), run


def test_where_there_is_no_group_that_is_said(caller, boot):
    """A host of cgroup version 1, or a place where the caller may make none."""
    hidden = caller.run(boot, "/bin/true")
    has_group = "without a control group" not in hidden.stderr
    run = caller.run(boot, "/bin/ls", "/sys/fs/cgroup")
    assert run.status == 0 and ("cgroup.procs" in run.stdout) == has_group, run
