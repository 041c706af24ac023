"""process.boot: a Debian with its own init in a jail, of root and of an ordinary user; Examples/boot.toml and guest.service."""

import ctypes
import os
import pwd
import shutil
import signal
import struct
import subprocess
from pathlib import Path

import pytest

from systemd import SPECS, UNITS, journal, show, systemctl, until

EXAMPLES = Path(__file__).resolve().parents[2] / "Examples"
libc = ctypes.CDLL(None, use_errno=True)


def call(number, *words):
    result = libc.syscall(number, *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return result


def show_as(start, source, target):
    """Mounts a tree with the ids from `start` on in place of those from 0 on, as mmdebstrap --mode=unshare leaves one."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        libc.unshare(0x10000000)
        os.read(reading, 1)
        os._exit(0)
    until(lambda: os.readlink(f"/proc/{child}/ns/user") != os.readlink("/proc/self/ns/user"))
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{child}/{name}").write_text(f"0 {start} 65536")
    users = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
    tree = call(428, -100, source.encode(), 1)  # open_tree(2), OPEN_TREE_CLONE
    call(442, tree, b"", 0x1000, struct.pack("QQQQ", 0x100000, 0, 1 << 18, users), 32)  # mount_setattr(2): MOUNT_ATTR_IDMAP, MS_PRIVATE
    target.mkdir(parents=True, exist_ok=True)
    call(429, tree, b"", -100, str(target).encode(), 4)  # move_mount(2)
    for number in (users, tree, reading, writing):
        os.close(number)
    os.waitpid(child, 0)


def ranges(name):
    return next(int(line.split(":")[1]) for line in open("/etc/subuid") if line.startswith(name + ":"))


@pytest.fixture(scope="module", autouse=True)
def trees():
    for file in ("/etc/subuid", "/etc/subgid"):
        if "root:" not in Path(file).read_text():
            with open(file, "a") as text:
                text.write("root:400000:65536\n")
    for name in ("root", "tester"):
        place = Path(f"/srv/boot/{name}/debian")
        show_as(ranges(name), "/", place)
        os.chown(place.parent, *pwd.getpwnam(name)[2:4])
    shutil.copyfile(EXAMPLES / "boot.toml", "/srv/boot/boot.toml")


class Machine:
    """A jail that boots, as a service of the guest's systemd: delegated, and without a terminal."""

    #: What process 1 is called.
    program = "systemd"

    def __init__(self, name, binary, *options):
        self.unit = f"machine-{name}.service"
        subprocess.run(["systemctl", "stop", self.unit], capture_output=True)
        subprocess.run(["systemctl", "reset-failed", self.unit], capture_output=True)
        subprocess.run(
            ["systemd-run", "--quiet", f"--unit={self.unit}", f"--uid={name}", "-p", "Delegate=yes", "-p", "KillMode=mixed",
             "-p", "RemainAfterExit=yes", f"--working-directory=/srv/boot/{name}", binary, "run", "/srv/boot/boot.toml",
             *options], check=True)  # fmt: skip
        self.launcher = int(show(self.unit, "MainPID"))

        # At first the launcher has other children as well.
        self.first = until(self.init)

    def init(self):
        children = Path(f"/proc/{self.launcher}/task/{self.launcher}/children").read_text().split()
        try:
            return int(children[-1]) if Path(f"/proc/{children[-1]}/comm").read_text() == f"{self.program}\n" else None
        except (IndexError, OSError):
            return None

    def run(self, *words, timeout=60):
        line = ["nsenter", "-t", str(self.first), "-U", "-m", "-p", "-n", "-C", "-i", "-u", "-S", "0", "-G", "0", "--", *words]
        return subprocess.run(line, capture_output=True, text=True, timeout=timeout)

    def boot(self):
        until(lambda: self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"), 60)
        return self

    def end(self):
        """How the launcher ended."""
        until(lambda: show(self.unit, "SubState") != "running", 60)
        return int(show(self.unit, "ExecMainStatus"))


@pytest.fixture(params=["root", "tester"])
def machine(request, binary):
    machine = Machine(request.param, binary).boot()
    yield machine
    systemctl("stop", machine.unit)
    assert not [path for path in Path("/sys/fs/cgroup").rglob("immure-*") if "vm-run" not in str(path)]


def test_it_boots_and_runs_its_services(machine):
    assert machine.run("systemctl", "is-system-running").stdout.strip() == "running", machine.run(
        "sh", "-c", "systemctl --failed; journalctl -b -p warning --no-pager | tail -50").stdout
    said = journal(machine.unit, 400)
    assert "Reached target" in said and "\r" not in said and "Read-only file system" not in said
    held = machine.run("stat", "-c", "%u:%g", "/sys/fs/cgroup", "/sys/fs/cgroup/cgroup.procs").stdout
    assert held == "0:0\n0:0\n"
    done = machine.run(
        "systemd-run", "--quiet", "--wait", "--pipe", "-p", "PrivateNetwork=yes", "-p", "MemoryMax=50M", "-p", "DynamicUser=yes",
        "-p", "PrivateTmp=yes", "sh", "-c", "id -u; ls /sys/class/net; cat /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/memory.max")  # fmt: skip
    lines = done.stdout.split()
    assert 61184 <= int(lines[0]) <= 65519 and lines[1:] == ["lo", str(50 << 20)], done


def test_one_more_command_enters(machine, binary):
    """In the group of the init: that of the jail has groups with controllers within, and no processes."""
    name = machine.unit.removeprefix("machine-").removesuffix(".service")
    line = ["runuser", "-u", name, "--", binary, "enter", str(machine.launcher), "--"]
    script = "id -u; systemctl is-system-running; cat /proc/self/cgroup; grep Seccomp: /proc/self/status; ls /proc/1/fd >/dev/null && echo init"
    done = subprocess.run([*line, "sh", "-c", script], capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["0", "running", "0::/init.scope", "Seccomp:", "2", "init"], ""), done
    assert subprocess.run([*line, "sh", "-c", "exit 7"]).returncode == 7


def test_a_stop_is_a_poweroff(machine):
    os.kill(machine.launcher, signal.SIGTERM)
    assert machine.end() == 0
    assert "Reached target" in journal(machine.unit, 400)


@pytest.mark.parametrize("word, status", [("poweroff", 0), ("reboot", 129)])
def test_its_own_end_is_a_status(machine, word, status):
    machine.run("systemctl", word)
    assert machine.end() == status


def test_a_machine_that_is_killed_leaves_no_group(machine):
    """Its groups belong to ids that the launcher of an ordinary user is not."""
    os.kill(machine.first, signal.SIGKILL)
    assert machine.end() == 137
    place = Path("/sys/fs/cgroup/system.slice") / machine.unit
    assert not list(place.glob("immure-*/jail"))


def test_guest_service_is_ready_when_the_guest_is(binary):
    show_as(ranges("root"), "/", Path("/var/lib/machines/guest"))
    SPECS.mkdir(exist_ok=True)
    shutil.copyfile(EXAMPLES / "systemd/guest.toml", SPECS / "guest.toml")
    shutil.copyfile(EXAMPLES / "systemd/guest.service", UNITS / "guest.service")
    systemctl("daemon-reload")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "guest.service"], capture_output=True, text=True)
    assert done.stderr.strip() == ""
    systemctl("start", "guest.service")
    assert show("guest.service", "ActiveState") == "active" and show("guest.service", "StatusText")
    main = int(show("guest.service", "MainPID"))
    first = Path(f"/proc/{main}/task/{main}/children").read_text().split()[-1]
    line = ["nsenter", "-t", first, "-a", "-S", "0", "-G", "0", "systemctl", "is-system-running"]
    assert subprocess.run(line, capture_output=True, text=True).stdout.strip() in ("running", "degraded")
    systemctl("stop", "guest.service")
    assert show("guest.service", "Result") == "success"


def test_a_group_of_nobodys_is_refused(binary):
    """Without the caller's own id in the maps; and with it, as the hint says."""
    start = ranges("tester")
    words = ["systemd-run", "--quiet", "--wait", "--pipe", "--uid=tester", "-p", "Delegate=yes", binary, "run",
             "--set", "process.boot=true"]  # fmt: skip
    maps = [f"--set=identity.{name}=[{{ inside = 0, outside = {start}, count = 9 }}]" for name in ("uid_map", "gid_map")]
    run = subprocess.run([*words, *maps, "--", "/bin/true"], capture_output=True, text=True)
    assert run.returncode == 125 and "would belong to nobody" in run.stderr, run
    assert 'hint: set uid_map = "auto" and gid_map = "auto"' in run.stderr
    assert subprocess.run([*words, "--", "/bin/true"], capture_output=True).returncode == 0


class Busybox(Machine):
    """init of busybox, by its own signals: init/init.c."""

    program, call, down = "busybox", ["/usr/local/bin/busybox", "init"], "going down"
    poweroff, reboot = ["/usr/local/bin/busybox", "poweroff"], ["/usr/local/bin/busybox", "reboot"]

    @staticmethod
    def install():
        shutil.copyfile("/run/vm-run/busybox", "/usr/local/bin/busybox")
        Path("/usr/local/bin/busybox").chmod(0o755)
        Path("/etc/inittab").write_text(
            "::sysinit:/bin/sh -c 'echo busybox is up'\n::respawn:/bin/sleep 1000\n::shutdown:/bin/sh -c 'echo going down'\n")


class Runit(Machine):
    """Debian's runit with its own stages, of which the first makes in /run what tells that the system is to end."""

    program, call, down = "runit", ["/lib/runit/runit-init"], "Waiting for services to stop"
    poweroff, reboot = ["/lib/runit/runit-init", "0"], ["/lib/runit/runit-init", "6"]

    @staticmethod
    def install():
        service = Path("/etc/runit/runsvdir/default/up/run")
        service.parent.mkdir(exist_ok=True)
        service.write_text("#!/bin/sh\necho runit is up\nexec sleep 1000\n")
        service.chmod(0o755)
        # Without the scripts of the guest's packages, which are for another init.
        for name in ("native.boot.run", "no.emulate.sysv"):
            Path("/etc/runit", name).touch()
        for name in ("boot-run", "shutdown-run"):
            Path("/etc/runit", name).mkdir(exist_ok=True)


@pytest.fixture(params=[(kind, user) for kind in (Busybox, Runit) for user in ("root", "tester")],
                ids=lambda param: f"{param[0].program}-{param[1]}")
def small(request, binary):
    kind, user = request.param
    kind.install()
    machine = kind(user, binary, "--", *kind.call)
    until(lambda: f"{kind.program} is up" in journal(machine.unit, 400), 60)
    yield machine
    systemctl("stop", machine.unit)
    assert not [path for path in Path("/sys/fs/cgroup").rglob("immure-*") if "vm-run" not in str(path)]


def test_another_init_is_process_1(small):
    done = small.run("sh", "-c", 'id -u; cat /proc/1/comm; cat /proc/1/cgroup; stat -c %u /sys/fs/cgroup/cgroup.procs')
    assert done.stdout.split() == ["0", small.program, "0::/", "0"], done


@pytest.mark.parametrize("word, status", [("stop", 0), ("poweroff", 0), ("reboot", 129)])
def test_another_inits_end_is_a_status(small, word, status):
    if word == "stop":
        os.kill(small.launcher, signal.SIGTERM)
    else:
        small.run(*getattr(small, word))
    assert small.end() == status, journal(small.unit, 60)
    assert small.down in journal(small.unit, 400)
