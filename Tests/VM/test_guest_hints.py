"""Hints about the whole machine and its control groups, where no systemd is: each is printed, then followed as it stands."""

import ctypes
import os
import re
import struct
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from limits import CGROUPS, Jail

from harness.hints import among, as_root, hints, settings

TRUE = ("/bin/true",)


def needs(condition, what):
    """Skips by name what this kernel lacks: the machine is the same for everybody."""
    if not condition:
        pytest.skip(f"this kernel cannot {what}")


TESTER = ["setpriv", "--reuid=1000", "--regid=1000", "--init-groups"]


@pytest.fixture
def jail(binary):
    return Jail(binary)


@contextmanager
def knob(name, value):
    """A sysctl of the machine with another value."""
    file = Path("/proc/sys") / name.replace(".", "/")
    before = file.read_text()
    file.write_text(value)
    try:
        yield
    finally:
        file.write_text(before)


def launch(jail, spec="", options=(), before=(), user=False):
    words = jail.arguments(spec, *TRUE)
    words[3:3] = options
    return subprocess.run([*before, *(TESTER if user else []), *words], capture_output=True, text=True, timeout=60)


def told(done, *templates):
    assert done.returncode == 125, done
    return among(done.stderr, *templates)


def gone(done):
    assert (done.returncode, hints(done.stderr)) == (0, []), done


def obey(hint):
    subprocess.run(["sh", "-ec", as_root(hint)], check=True)


# Sysctls

@pytest.mark.parametrize("kind", ["pid", "net", "ipc", "uts", "cgroup", "mnt", "user"])
def test_namespaces_of_a_kind_are_off(jail, kind):
    with knob(f"user.max_{kind}_namespaces", "0"):
        templates = ("mount namespaces are off: user.max_mnt_namespaces is 0; {}",) if kind == "mnt" else ("{} namespaces are off: {} is 0; {}",)
        hint = told(launch(jail), *templates, "as root: sysctl {}={}")
        doctor = subprocess.run([jail.binary, "doctor"], capture_output=True, text=True).stdout
        assert f"sysctl user.max_{kind}_namespaces=" in doctor, doctor
        obey(hint)
        gone(launch(jail))


def test_user_namespaces_are_off_for_ordinary_users(jail):
    needs(os.path.exists("/proc/sys/kernel/unprivileged_userns_clone"), "switch user namespaces off: not Debian's kernel")
    with knob("kernel.unprivileged_userns_clone", "0"):
        obey(told(launch(jail, user=True), "user namespaces are off for ordinary users; {}", "as root: sysctl {}={}"))
        gone(launch(jail, user=True))


def test_memory_that_is_accounted_strictly(jail):
    committed = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("Committed_AS"))
    for room in range(0, 20_000, 250):
        with knob("vm.overcommit_kbytes", str(committed + room)), knob("vm.overcommit_memory", "2"):
            try:
                done = launch(jail)
            except OSError:
                continue  # not even the launcher can be started
            if done.returncode == 125 and "ENOMEM" in done.stderr:
                obey(told(done, "memory is accounted strictly here, and none is left to commit; {}", "as root: sysctl {}={}"))
                gone(launch(jail))
                return
    pytest.fail("the limit was never met")


def test_no_room_for_mounts(jail):
    with knob("fs.mount-max", "10"):
        for _ in range(10):
            done = launch(jail)
            if done.returncode == 0:
                break
            obey(told(done, "the mount namespace is full; {}", "as root: sysctl {}={}"))
        gone(launch(jail))


def test_no_file_is_left(jail):
    """For whoever is not root: counted, so that the program can just be started."""
    for room in range(1, 60):
        used = int(Path("/proc/sys/fs/file-nr").read_text().split()[0])
        with knob("fs.file-max", str(used + room)):
            done = launch(jail, user=True)
            if done.returncode != 125 or "ENFILE" not in done.stderr or not hints(done.stderr):
                continue
            obey(told(done, "the host has no file left to open; {}", "as root: sysctl {}={}"))
            gone(launch(jail, user=True))
            return
    pytest.fail("the limit was never met")


@pytest.mark.parametrize("name", ["overlay", "image"])
def test_modules(jail, name):
    """What the doctor says to load is loaded, or this kernel has it already."""

    def doctor():
        return subprocess.run([jail.binary, "doctor"], capture_output=True, text=True).stdout

    found = [line for line in doctor().splitlines() if line.split()[1:2] == [name]]
    assert found
    needs(found[0].split()[0] == "absent", f"load what is loaded: {name}")
    needs("modprobe" in doctor(), f"load modules: {name} is absent for another reason")
    hint = among(doctor(), "as root: modprobe {}", *(["loop squashfs erofs"] if name == "image" else []))
    done = subprocess.run(["sh", "-c", as_root(hint).replace("modprobe", "modprobe -a")], capture_output=True, text=True)
    print(doctor())
    needs(done.returncode == 0, f"load modules: {done.stderr}")
    assert [line.split()[0] for line in doctor().splitlines() if line.split()[1:2] == [name]] == ["ok"]


def test_a_value_that_only_root_may_write(jail):
    spec = "[process]\noom_score_adj = -500"
    told(launch(jail, spec, user=True), "a value below the caller's own needs CAP_SYS_RESOURCE: {}", "launch as root")
    gone(launch(jail, spec))


def test_a_hard_limit_that_root_may_raise(jail):
    spec = '[rlimits]\nnofile = "9000:9000"'
    before = ["prlimit", "--nofile=4096:4096"]
    told(launch(jail, spec, before=before, user=True), "raising a hard limit needs CAP_SYS_RESOURCE; `ulimit -H` and /proc/self/limits show what {} has")
    gone(launch(jail, spec, before=before))
    doctor = subprocess.run([*TESTER, jail.binary, "doctor"], capture_output=True, text=True).stdout
    among(doctor, "{} to raise one", "launch as root")


# Control groups

@pytest.fixture
def group():
    """A group of the test's own, and the shell words that enter it."""
    made = []

    def make(path, **files):
        directory = CGROUPS / path
        for parent in [*reversed(directory.relative_to(CGROUPS).parents)][1:]:
            (CGROUPS / parent).mkdir(exist_ok=True)
        directory.mkdir(exist_ok=True)
        made.append(directory)
        for name, text in files.items():
            (directory / name.replace("_max", ".max").replace("__", ".")).write_text(text)
        return ["sh", "-c", f'echo $$ >{directory}/cgroup.procs; exec "$@"', "sh"]

    yield make
    top = {CGROUPS / directory.relative_to(CGROUPS).parts[0] for directory in made}
    for directory in top:
        for folder, _, _ in sorted(os.walk(directory), reverse=True):
            for pid in Path(folder, "cgroup.procs").read_text().split():
                (CGROUPS / "cgroup.procs").write_text(pid)
            os.rmdir(folder)


PIDS = "[limits]\npids = 20\n"


def test_a_group_of_roots(jail, group):
    enter = group("hints")
    (CGROUPS / "cgroup.subtree_control").write_text("+pids")
    hint = told(launch(jail, PIDS, before=enter, user=True), "as root: chown {} {}")
    obey(hint)
    gone(launch(jail, PIDS, before=enter, user=True))


def test_the_root_group(jail):
    """Whoever is in it gets a group below it, never the root group itself."""
    (CGROUPS / "cgroup.subtree_control").write_text("+pids")
    (CGROUPS / "cgroup.procs").write_text(str(os.getpid()))
    hint = told(launch(jail, PIDS, user=True),
                "as root: mkdir {} && chown {} {} && echo SHELL >{}, with the pid of the shell that starts immure")
    words, _ = hint.split(", with the pid")
    group = CGROUPS / "user.1000"
    try:
        obey(words.replace("SHELL", str(os.getpid())))
        gone(launch(jail, PIDS, user=True))
    finally:
        (CGROUPS / "cgroup.procs").write_text(str(os.getpid()))
        for folder, _, _ in sorted(os.walk(group), reverse=True):
            os.rmdir(folder)


def test_a_controller_that_a_group_above_holds_back(jail, group):
    (CGROUPS / "cgroup.subtree_control").write_text("-pids")
    enter = group("hints")
    for name in ("", "cgroup.procs", "cgroup.subtree_control"):
        os.chown(CGROUPS / "hints" / name, 1000, 1000)
    hint = told(launch(jail, PIDS, before=enter, user=True), "as root: echo +{} >{}{}/cgroup.subtree_control")
    obey(hint)
    gone(launch(jail, PIDS, before=enter, user=True))


@pytest.mark.parametrize("name", ["descendants", "depth"])
def test_no_room_for_groups(jail, group, name):
    (CGROUPS / "cgroup.subtree_control").write_text("+pids")
    enter = group("hints")
    (CGROUPS / f"hints/cgroup.max.{name}").write_text("0")
    obey(told(launch(jail, PIDS, before=enter), "a group above has room for no other; as root: {}", "echo max >{}"))
    gone(launch(jail, PIDS, before=enter))


def test_a_group_that_can_be_divided(jail):
    spec = '[[mount]]\ntype = "cgroup"\ntarget = "/sys/fs/cgroup"\n'
    told(launch(jail, spec + 'options = ["rw"]'), 'give the jail a limit, such as pids, and so a cgroup of its own; or leave "rw" out')
    gone(launch(jail, PIDS + spec + 'options = ["rw"]'))
    gone(launch(jail, spec))


def test_a_controller_that_is_not_there(jail):
    missing = {"cpuset": 'cpus = "0"', "io": '[[limits.io]]\ndevice = "/dev/ubda"\nrbps = "10M"', "cpu": 'cpu = "150%"'}
    there = (CGROUPS / "cgroup.controllers").read_text().split()
    missing = {name: line for name, line in missing.items() if name not in there}
    needs(missing, "ask for a controller that is not there: this kernel has them all")
    for name, line in missing.items():
        hint = told(launch(jail, PIDS + line), "grep {} /proc/cgroups /proc/cmdline; or remove the line")
        shown = subprocess.run(["sh", "-c", hint.split(";")[0]], capture_output=True, text=True)
        # No controller of that name, or one that is not enabled.
        assert all(row.split()[-1] == "0" for row in shown.stdout.splitlines() if row.startswith("/proc/cgroups:")), shown
    gone(launch(jail, PIDS))


def test_a_quota(jail):
    """ext4 with a quota of inodes for an ordinary user, quotactl(2)."""
    place = Path("/srv/quota")
    place.mkdir(exist_ok=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "quota", os.environ["VM_RUN_DISK"]], check=True)
    mounted = subprocess.run(["mount", "-o", "usrquota", os.environ["VM_RUN_DISK"], place], capture_output=True, text=True)
    needs(mounted.returncode == 0, f"count what users store: {mounted.stderr}")
    try:
        os.chown(place, 1000, 1000)

        def limit(inodes):
            # struct if_dqblk, Q_SETQUOTA of users; QIF_ILIMITS.
            block = struct.pack("=8QI4x", 0, 0, 0, inodes, inodes, 0, 0, 0, 4)
            libc = ctypes.CDLL(None, use_errno=True)
            assert libc.quotactl(0x80000800, os.environ["VM_RUN_DISK"].encode(), 1000, block) == 0, os.strerror(ctypes.get_errno())

        (place / "root").mkdir()
        for name in ("usr", "proc", "dev", "tmp"):
            (place / "root" / name).mkdir()
        for name in ("bin", "lib", "lib64"):
            (place / "root" / name).symlink_to(f"usr/{name}")
        os.chown(place / "root", 1000, 1000)
        limit(2)
        spec = f'[filesystem]\nroot = "{place}/root"\nwritable = true\nro = ["/usr", "/etc:/new"]'
        told(launch(jail, spec, user=True), "the caller's quota is used up")
        limit(100)
        gone(launch(jail, spec, user=True))
    finally:
        subprocess.run(["umount", place])
        subprocess.run(["wipefs", "-q", "-a", os.environ["VM_RUN_DISK"]])


def test_the_kernels_landlock(jail):
    spec = '[landlock]\nrx = ["/"]\n'
    done = launch(jail, spec)
    needs(done.returncode, "do without a part of Landlock: this kernel has all of it")
    if "no Landlock" in done.stderr:
        told(done, "{}, or remove [landlock]")
        gone(launch(jail))
        return
    hint = told(done, "boot a newer kernel, or allow less to be enforced by landlock.minimum_abi = {}")
    [way] = settings(hint)
    gone(launch(jail, spec, options=way))
    doctor = subprocess.run([jail.binary, "doctor"], capture_output=True, text=True).stdout
    assert settings(among(doctor, "boot Linux {} or later; to do without: landlock.minimum_abi = {}")) == [way]


UNMOUNTED = ["unshare", "-m", "--propagation", "private", "sh", "-ec"]


def test_no_cgroup2(jail):
    cover = "umount /sys/fs/cgroup"
    hint = told(launch(jail, PIDS, before=[*UNMOUNTED, cover + '; exec "$@"', "sh"]), "as root: mount -t cgroup2 none /sys/fs/cgroup")
    gone(launch(jail, PIDS, before=[*UNMOUNTED, f'{cover}; {as_root(hint)}; exec "$@"', "sh"]))


def test_a_mount_that_does_not_show_the_callers_group(jail, group):
    enter = group("hints")
    group("other")
    cover = f"mount --bind {CGROUPS}/other /mnt; umount /sys/fs/cgroup; mount --move /mnt /sys/fs/cgroup"
    hint = told(launch(jail, PIDS, before=[*enter, *UNMOUNTED, cover + '; exec "$@"', "sh"]), "as root: umount {} && mount -t cgroup2 none {}")
    gone(launch(jail, PIDS, before=[*enter, *UNMOUNTED, f'{cover}; {as_root(hint)}; exec "$@"', "sh"]))


def test_no_process_is_left(jail, group):
    (CGROUPS / "cgroup.subtree_control").write_text("+pids")
    enter = group("hints")
    (CGROUPS / "hints/pids.max").write_text("1")
    before = ["prlimit", "--nproc=unlimited", *enter]
    told(launch(jail, before=before), "no process can be started: pids.max of the cgroup or kernel.pid_max is reached")
    (CGROUPS / "hints/pids.max").write_text("max")
    gone(launch(jail, before=before))


def test_memory_of_a_group_above(jail, group):
    (CGROUPS / "cgroup.subtree_control").write_text("+pids +memory")
    enter = group("hints")
    (CGROUPS / "hints/memory.max").write_text(str(24 << 20))
    (CGROUPS / "hints/memory.swap.max").write_text("0") if (CGROUPS / "hints/memory.swap.max").exists() else None

    def eat():
        words = jail.arguments('[limits]\nmemory = "200M"\n', "python3", "-c", "x = bytearray(60 << 20)")
        return subprocess.run([*enter, *words], capture_output=True, text=True, timeout=60)

    done = eat()
    assert done.returncode == 137, done
    among(done.stderr, "the host's memory, or that of a cgroup above, has run out")
    (CGROUPS / "hints/memory.max").write_text("max")
    gone(eat())


def test_a_path_without_a_disk(jail):
    spec = PIDS + '[[limits.io]]\ndevice = "{}"\nrbps = "10M"\n'
    needs("io" in (CGROUPS / "cgroup.controllers").read_text().split(), "limit a disk: no io controller")
    hint = told(launch(jail, spec.format("/proc")), "name the disk, such as /dev/sda; `findmnt -T {}` shows what is there")
    assert "proc" in subprocess.run(["sh", "-c", hint.split("`")[1]], capture_output=True, text=True, check=True).stdout
    gone(launch(jail, spec.format(os.environ["VM_RUN_DISK"])))


def test_a_disk_that_nothing_shares(jail):
    disk = os.environ["VM_RUN_DISK"]
    needs("io" in (CGROUPS / "cgroup.controllers").read_text().split(), "limit a disk: no io controller")
    spec = PIDS + f'[[limits.io]]\ndevice = "{disk}"\nweight = 50\n'
    done = launch(jail, spec)
    needs(done.returncode, "have a disk that nothing shares: this kernel shares it by itself")
    hint = told(done, "as root: echo bfq >/sys/dev/block/{}:{}/queue/scheduler, or echo '{}:{} enable=1' >/sys/fs/cgroup/io.cost.qos")
    ways = hint.removeprefix("as root: ").split(", or ")
    scheduler = Path(ways[0].split(">")[1])
    before = re.search(r"\[(.*)\]", scheduler.read_text()).group(1)
    worked = [way for way in ways if subprocess.run(["sh", "-c", way], capture_output=True).returncode == 0]
    done = launch(jail, spec)
    scheduler.write_text(before)
    subprocess.run(["sh", "-c", ways[1].replace("enable=1", "enable=0")], capture_output=True)
    needs(worked and "CONFIG_" not in done.stderr, "share a disk: this kernel has neither bfq's groups nor io.cost")
    gone(done)


def test_cpus_that_are_not_there(jail):
    needs("cpuset" in (CGROUPS / "cgroup.controllers").read_text().split(), "give CPUs to a group: no cpuset controller")
    done = launch(jail, '[limits]\ncpus = "0-4000"')
    told(done, "the host may not have these CPUs: see /sys/devices/system/cpu/online")
    online = Path("/sys/devices/system/cpu/online").read_text().strip()
    gone(launch(jail, f'[limits]\ncpus = "{online}"'))


def test_cpus_that_a_group_above_keeps(jail, group):
    needs("cpuset" in (CGROUPS / "cgroup.controllers").read_text().split(), "give CPUs to a group: no cpuset controller")
    needs(os.cpu_count() > 1, "keep a CPU back: there is one")
    (CGROUPS / "cgroup.subtree_control").write_text("+cpuset")
    enter = group("hints")
    (CGROUPS / "hints/cpuset.cpus").write_text("0")
    told(launch(jail, '[limits]\ncpus = "0-1"', before=enter), "those are the CPUs that the groups above leave")
    gone(launch(jail, '[limits]\ncpus = "0"', before=enter))
