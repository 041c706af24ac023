"""[limits] on a plain host whose process 1 is no systemd: what the kernel says inside, and what it does (T30, C49, C52)."""

import os
import random
import re
import shlex
import signal
import statistics
import subprocess
import time
from pathlib import Path

import pytest
from harness.patience import once, patient, reached, until
from limits import CGROUPS, Jail, hits, leaves

SEEN = '[[mount]]\ntarget = "/sys/fs/cgroup"\ntype = "cgroup"\n'


@pytest.fixture
def jail(binary):
    yield Jail(binary)
    assert leaves() == []


def test_every_file_says_what_the_spec_says(jail):
    spec = (
        '[limits]\nmemory = "64M"\nmemory_high = "48M"\nswap = "1M"\ncpu = "150%"\ncpu_weight = 50\npids = 20\n' + SEEN
    )
    files = ["memory.max", "memory.high", "memory.swap.max", "cpu.max", "cpu.weight", "pids.max", "memory.oom.group"]
    done = jail.sh(spec, "cd /sys/fs/cgroup && cat " + " ".join(files))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n")[:-1] == [str(64 << 20), str(48 << 20), str(1 << 20), "150000 100000", "50", "20", "1"]


def test_the_jail_sees_its_own_group_as_the_root(jail):
    done = jail.sh("limits.pids = 20\n" + SEEN, "cat /proc/self/cgroup /proc/1/cgroup; cat /sys/fs/cgroup/cgroup.procs")
    lines = done.stdout.split()
    assert lines[:2] == ["0::/", "0::/"]
    # Pid 1 is in the group from its birth: nothing of the jail is anywhere else.
    assert "1" in lines[2:]


def test_c119_what_runtimes_size_themselves_by_is_there_without_a_line(jail):
    """The JVM, Go and node read these files of the group on top, and take the machine's numbers where there are none."""
    spec = '[limits]\nmemory = "256M"\ncpu = "50%"\npids = 40\n'
    script = """cd /sys/fs/cgroup && cat memory.max cpu.max pids.max && cat /proc/self/cgroup
        stat -f -c %T . && { echo 1 >pids.max; mkdir x; } 2>/dev/null || echo closed"""
    done = jail.sh(spec, script)
    assert done.stdout.split("\n")[:-1] == [str(256 << 20), "50000 100000", "40", "0::/", "cgroup2fs", "closed"], done


def heap(done):
    assert done.returncode == 0, done
    return int(re.findall(r"size_t MaxHeapSize +[:=]+ (\d+)", done.stdout)[0])


def test_c119_a_jvm_is_sized_by_the_limit(jail):
    """Half of the jail's 256 MiB, as on a small machine, and without a limit a quarter of this machine's memory. Java 17 takes a controller
    for absent that /proc/cgroups does not name, as kernels without version 1 of memory do not: then what it finds in a group outside."""
    command = ["java", "-Xint", "-XX:+PrintFlagsFinal", "-version"]
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    bare = CGROUPS / "bare"
    bare.mkdir()
    (bare / "memory.max").write_text("256M")
    enter = ["sh", "-c", f'echo $$ >{bare}/cgroup.procs && exec "$@"', "sh"]
    outside = heap(subprocess.run([*enter, *command], capture_output=True, text=True))
    bare.rmdir()
    limited = heap(jail.run('limits.memory = "256M"\n', *command))
    assert limited == outside
    if re.search(r"^memory\s", Path("/proc/cgroups").read_text(), re.M):
        assert 100 << 20 <= limited <= 128 << 20
    assert machine * 0.2 <= heap(jail.run("", *command)) <= machine * 0.3


def test_nothing_runs_outside_of_the_group(jail):
    script = "sleep 500 & setsid sleep 500 & (sleep 500 &) ; echo ready; sleep 500"
    process = subprocess.Popen(
        jail.arguments("limits.pids = 20", "sh", "-c", script), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        [leaf] = leaves()
        until(lambda: len((Path(leaf) / "cgroup.procs").read_text().split()) >= 5)
        inside = {int(line) for line in (Path(leaf) / "cgroup.procs").read_text().split()}
        namespace = os.readlink(f"/proc/{next(iter(inside))}/ns/pid")
        jailed = set()
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "ns/pid") == namespace:
                    jailed.add(int(entry.name))
            except OSError:
                continue
        assert jailed == inside and len(inside) >= 5
    finally:
        process.terminate()
        process.wait()


def test_the_group_cannot_be_written_to(jail):
    """C52."""
    script = "cd /sys/fs/cgroup; mkdir x; for f in memory.max pids.max cgroup.procs; do echo 1 >$f; done; cat pids.max"
    for identity in ['user = "root"', 'user = "nobody"']:
        done = jail.sh(f"limits.pids = 20\nidentity.{identity}\n" + SEEN, script)
        assert done.stdout == "20\n"
        assert done.stderr.count("Read-only file system") >= 3


def test_a_group_to_divide_is_inside_the_limited_one(jail):
    spec = "limits.pids = 20\n" + SEEN + 'options = ["rw"]\n'
    script = """cd /sys/fs/cgroup && mkdir a b && echo $$ >a/cgroup.procs && cat /proc/self/cgroup
        echo +pids >cgroup.subtree_control; cat cgroup.procs; echo 7 >pids.max; cat pids.max"""
    done = jail.sh(spec, script)
    lines = done.stdout.split()
    # Its own limits are out of its reach: what it sees as the root has none.
    assert lines[0] == "0::/a" and lines[-1] == "max", done
    assert "pids.max: Permission denied" in done.stderr


def test_nested_groups_of_the_jail_are_removed_with_it(jail):
    """C49."""
    spec = "limits.pids = 20\n" + SEEN + 'options = ["rw"]\n'
    done = jail.sh(spec, "cd /sys/fs/cgroup; mkdir -p a/b/c a/d e; sleep 60 & echo $! >a/b/c/cgroup.procs; sleep 0.1")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_jail_that_nests_cannot_raise_its_own_limits(jail):
    """The group belongs to the caller's user, who is the jail's as well; without `nsdelegate` nothing else is in the way."""
    group = CGROUPS / "users"
    group.mkdir(exist_ok=True)
    for name in [".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]:
        os.chown(group / name, 1000, 1000)
    script = """unshare -Urm -C sh -c 'mount -t cgroup2 none /mnt && cd /mnt && cat pids.max && echo max >pids.max; cat pids.max'"""
    words = jail.arguments('limits.pids = 20\nnamespaces.nested = true\nfilesystem.rw = ["/srv:/mnt"]', "sh", "-c", script)
    inside = f"""import os, sys
open("{group}/cgroup.procs", "w").write("0")
os.setgroups([]); os.setgid(1000); os.setuid(1000)
os.execv(sys.argv[1], sys.argv[1:])"""
    done = subprocess.run(["python3", "-c", inside, *words], capture_output=True, text=True)
    # What it sees is the group inside, whose pids.max is not the limit.
    assert done.stdout.split()[:1] == ["max"], done
    for path in sorted(group.rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
    group.rmdir()


class TestMemory:
    HOG = ("python3", "-c", "x = bytearray(100 << 20)")

    def test_a_hog_is_stopped_and_the_status_says_so(self, jail):
        """T30."""
        done = jail.run('[limits]\nmemory = "32M"\nswap = 0\n', *self.HOG)
        assert done.returncode == 137 and done.result["signal"] == 9
        assert done.stderr.count("\n") == 1
        assert re.search(
            r":2:10: limits\.memory: out of memory, all 2 processes of the jail were killed, peak 32M of 32M$",
            done.stderr)
        hit = hits(done)["memory"]
        assert (hit["count"], hit["value"], hit["position"]["line"]) == (2, str(32 << 20), 2)
        assert done.result["killed_for_memory"] == 2
        assert (32 << 20) - 65536 <= done.result["peak_memory"] <= 32 << 20
        assert done.result["peak_memory_of"] == "jail"

    def test_all_of_the_jail_goes_when_a_part_is_too_large(self, jail):
        done = jail.sh('limits.memory = "32M"\nlimits.swap = 0', f"{self.HOG[0]} -c '{self.HOG[2]}'; echo went on")
        assert (done.returncode, done.stdout) == (137, "")

    def test_the_same_hog_within_its_limit(self, jail):
        done = jail.run('limits.memory = "256M"', *self.HOG)
        assert (done.returncode, done.stderr, done.result["limits_hit"]) == (0, "", [])
        assert 100 << 20 < done.result["peak_memory"] < 256 << 20

    def test_shared_memory_counts(self, jail):
        done = jail.sh('limits.memory = "32M"\nlimits.swap = 0\nfilesystem.tmp = "200M"', "head -c 100M /dev/zero >/tmp/x")
        assert done.returncode == 137 and "memory" in hits(done)

    def test_a_kernel_that_is_out_of_memory_above_is_told_apart(self, jail):
        above = CGROUPS / "above"
        above.mkdir(exist_ok=True)
        (above / "memory.max").write_text("40M")
        (above / "memory.swap.max").write_text("0")
        words = jail.arguments('limits.memory = "900M"', *self.HOG)
        # In a group that is not the root immure makes room for itself first.
        shell = f"echo $$ >{above}/cgroup.procs; exec " + shlex.join(words)
        done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True)
        (above / "immure.supervisor").rmdir()
        above.rmdir()
        assert done.returncode == 137
        assert "out of memory, and not by a limit of this spec" in done.stderr


class TestProcessor:
    @pytest.mark.parametrize("percent", [50, 20])
    def test_a_spinner_gets_its_share(self, jail, percent):
        """The bar: 45 to 55 % of one CPU over 5 s."""

        def is_met():
            done = jail.sh(f'timeout = "5s"\nlimits.cpu = "{percent}%"', "while :; do :; done")
            assert done.returncode == 124
            used = done.result["user_seconds"] + done.result["system_seconds"]
            share = 100 * used / done.result["wall_seconds"]
            print(f"{percent} %: {share:.1f} % over {done.result['wall_seconds']:.2f} s")
            assert "limits.cpu: held back for" in done.stderr
            assert done.result["throttled_seconds"] > 1 and "cpu" in hits(done)
            return percent * 0.9 <= share <= percent * 1.1

        # The machine that this one runs on has others to serve as well.
        assert once(is_met, 5)

    def test_cpus(self, jail):
        """Debian's User-Mode kernel has no cpuset: refused, with the reason."""
        done = jail.sh('[limits]\ncpus = "0"\n' + SEEN, "cat /sys/fs/cgroup/cpuset.cpus")
        if "cpuset" in (CGROUPS / "cgroup.controllers").read_text().split():
            assert (done.returncode, done.stdout) == (0, "0\n")
            beyond = jail.sh('[limits]\ncpus = "0,500"', "true")
            assert beyond.returncode == 125 and ":2:8: limits.cpus" in beyond.stderr
        else:
            assert (done.returncode, done.stdout) == (125, "")
            assert ":2:8: limits.cpus: the cpuset controller is not available: this kernel" in done.stderr


class TestProcesses:
    def test_a_fork_bomb_stops(self, jail):
        """T30: 8 processes, and EAGAIN for the rest. The reaper is one of the eight."""
        program = """
import os, time
made = 0
for _ in range(50):
    try:
        if os.fork() == 0:
            time.sleep(60); os._exit(0)
        made += 1
    except BlockingIOError:
        pass
print(made, flush=True)
os._exit(3)"""
        done = jail.run("[limits]\npids = 8\n", "python3", "-c", program)
        assert (done.returncode, done.stdout) == (3, "6\n")
        assert done.result["forks_refused"] == 44 and done.result["peak_processes"] == 8
        assert re.search(r":2:8: limits\.pids: fork was refused 44 times\n$", done.stderr)

    def test_a_real_bomb(self, jail):
        def peak(seconds):
            done = jail.run(f'timeout = "{seconds}s"\nlimits.pids = 30', "bash", "-c", "f() { f | f & }; f; sleep 1000")
            assert done.returncode == 124 and done.result["peak_processes"] <= 30
            return done.result["peak_processes"] == 30

        assert reached(peak, (3, 10, 60))

    def test_a_refusal_that_did_no_harm_is_told_in_the_result_alone(self, jail):
        program = "import os\ntry:\n while os.fork(): pass\n os.pause()\nexcept OSError: pass"
        done = jail.run("limits.pids = 4", "python3", "-c", "import os, signal\n" + program.replace("os.pause", "signal.pause"))
        assert (done.returncode, done.stderr) == (0, "")
        assert "pids" in hits(done)

    def test_no_room_for_the_command(self, jail):
        done = jail.sh("[limits]\npids = 1", "true")
        assert done.returncode == 125 and "EAGAIN" in done.stderr


class TestGroupsWithin:
    """A15: a jail that makes groups without end."""
    SPEC = """limits.pids = 50
[[mount]]
type = "cgroup"
target = "/sys/fs/cgroup"
options = ["rw"]
[identity]
user = "root"
"""

    def test_depth_and_number_have_an_end(self, jail):
        deep = jail.sh(self.SPEC, "cd /sys/fs/cgroup; n=0; while mkdir g 2>/dev/null && cd g; do n=$((n + 1)); done; echo $n")
        assert deep.stdout == "31\n" and deep.returncode == 0, deep
        wide = jail.sh(self.SPEC, "cd /sys/fs/cgroup; n=0; while mkdir $n 2>/dev/null; do n=$((n + 1)); done; echo $n; echo max >cgroup.max.descendants")
        assert wide.stdout == "1023\n", wide
        assert not [name for name in os.listdir(CGROUPS) if name.startswith("immure-")]

    def test_what_lies_too_deep_for_a_descriptor_a_level_is_swept(self, jail):
        """Left by a launcher that was killed, before there was a limit."""
        place = CGROUPS / "immure-1-1"
        place.mkdir()
        here = os.open(place, os.O_RDONLY)
        for _ in range(1500):
            os.mkdir("g", dir_fd=here)
            below = os.open("g", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(here)
        assert jail.sh("limits.pids = 20", "true").returncode == 0
        assert not place.exists()


RW = '[[mount]]\ntype = "cgroup"\ntarget = "/sys/fs/cgroup"\noptions = ["rw"]\n'
WAYS = {
    "none": "", "the host's tree": 'filesystem.root = "host"\n', "the host's names": 'namespaces.cgroup = "host"\n' + SEEN,
    "sysfs": '[[mount]]\ntype = "sysfs"\ntarget = "/sys"\n', "to divide": RW,
    "to divide, in the host's tree": 'filesystem.root = "host"\n' + RW,
    "nested": "namespaces.nested = true\n" + SEEN,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("identity", ["identity.user = 0\n", 'identity.user = 0\nnamespaces.user = "host"\n', ""])
def test_no_file_of_a_group_leads_out_of_it(jail, way, identity):
    """Moves into every group in sight, takes every limit away, and then starts more than it may."""
    script = """import os, time
groups = [line.split()[1] for line in open("/proc/self/mounts") if line.split()[2].startswith("cgroup")]
for folder, names, files in (each for group in groups for each in os.walk(group)):
    for name in files:
        for value in {"cgroup.procs": ["0", "1"], "cgroup.threads": ["0"]}.get(name, ["max"] if name.endswith("max") else []):
            try:
                with open(f"{folder}/{name}", "w") as file: file.write(value)
            except OSError: pass
made = 0
for _ in range(40):
    try:
        if os.fork() == 0: time.sleep(60); os._exit(0)
        made += 1
    except OSError: pass
print(len(groups), made, flush=True)
os._exit(0)"""
    done = jail.run("limits.pids = 20\n" + identity + WAYS[way], "python3", "-c", script)
    if done.returncode == 125:
        assert ".toml:" in done.stderr and done.stdout == "", done
        return
    groups, made = map(int, done.stdout.split())
    assert groups or way == "sysfs", done
    assert 0 < made < 20 and done.result["peak_processes"] <= 20 and done.result["forks_refused"] >= 20, done


def share_disk(disk):
    """Makes the disk heed weights, by what this kernel has: bfq with groups, or io.cost, else None; and what takes it back."""
    name = Path("/sys/class/block") / Path(disk).name
    before = re.search(r"\[(.*)\]", (name / "queue/scheduler").read_text()).group(1)
    back = f"echo {before} >{name}/queue/scheduler"
    subprocess.run(["modprobe", "bfq"], capture_output=True)
    if subprocess.run(["sh", "-c", f"echo bfq >{name}/queue/scheduler"], capture_output=True).returncode == 0:
        group = CGROUPS / "probe"
        group.mkdir()
        has = (group / "io.bfq.weight").exists()
        group.rmdir()
        if has:
            return "bfq", back
        subprocess.run(["sh", "-c", back], check=True)
    way = f"echo '{(name / 'dev').read_text().strip()} enable=%d' >{CGROUPS}/io.cost.qos"
    shares = subprocess.run(["sh", "-c", way % 1], capture_output=True).returncode == 0
    return ("cost", way % 0) if shares else (None, "true")


class TestDisk:
    @pytest.fixture(scope="class")
    def disk(self):
        device = os.environ["VM_RUN_DISK"]
        where = Path("/mnt/disk")
        where.mkdir(exist_ok=True)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", device], check=True)
        subprocess.run(["mount", device, where], check=True)
        yield where
        subprocess.run(["umount", where], check=True)

    def test_dd_obeys_wbps(self, jail, disk):
        """The bar: within 15 %."""
        spec = f'[filesystem]\nrw = ["{disk}:/out"]\n[[limits.io]]\ndevice = "{disk}"\nwbps = "4M"\n[identity]\nuser = "root"\n'

        def is_met():
            done = jail.run(spec, "dd", "if=/dev/zero", "of=/out/file", "bs=256K", "count=80", "oflag=direct", "conv=fsync")
            assert done.returncode == 0, done.stderr
            rate = 80 * (256 << 10) / done.result["wall_seconds"]
            print(f"4 MiB/s: {rate / (1 << 20):.2f} MiB/s over {done.result['wall_seconds']:.2f} s")
            assert done.result["written_bytes"] >= 20 << 20 and rate <= 1.15 * (4 << 20)
            return rate >= 0.85 * (4 << 20)

        # Others write to the disk below as well.
        assert once(is_met, 5)

    def test_what_is_read_and_written_is_told(self, jail, disk):
        spec = f'[filesystem]\nrw = ["{disk}:/out"]\n[[limits.io]]\ndevice = "{os.environ["VM_RUN_DISK"]}"\nwiops = 10000\n[identity]\nuser = "root"\n'
        done = jail.sh(spec, "dd if=/dev/zero of=/out/f bs=1M count=3 oflag=direct 2>&1; dd if=/out/f of=/dev/null bs=1M iflag=direct 2>&1")
        assert done.returncode == 0, done.stderr
        assert done.result["written_bytes"] >= 3 << 20 and done.result["read_bytes"] >= 3 << 20

    def test_a_path_without_a_device(self, jail):
        done = jail.sh('[[limits.io]]\ndevice = "/proc"\nwbps = "1M"', "true")
        assert done.returncode == 125
        assert ":2:10: limits.io: /proc is on proc, which has no block device of its own" in done.stderr

    def test_a_weight_that_nothing_heeds(self, jail, disk):
        done = jail.sh(f'[[limits.io]]\ndevice = "{disk}"\nweight = 50', "true")
        assert done.returncode == 125
        assert ":3:10: limits.io: weight: nothing shares the time of" in done.stderr and "io.cost.qos" in done.stderr

    @pytest.mark.parametrize("user", [False, True])
    def test_a_weight_on_every_disk(self, jail, user):
        """By root, and by the owner of a group to which the io controller was given."""
        way, forget = share_disk(os.environ["VM_RUN_DISK"])
        group = CGROUPS / "weighed"
        group.mkdir()
        for name in [".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]:
            os.chown(group / name, 1000, 1000)
        words = jail.arguments("[limits]\nio_weight = 500\n" + SEEN, "sh", "-c", "cd /sys/fs/cgroup; grep -H default io.*weight")
        leave = "exec setpriv --reuid=1000 --regid=1000 --clear-groups " if user else "exec "
        done = subprocess.run(
            ["sh", "-c", f"echo $$ >{group}/cgroup.procs; {leave}{shlex.join(words)}"], capture_output=True, text=True)
        subprocess.run(["sh", "-c", forget], check=True)
        for path in [*group.glob("*/"), group]:
            path.rmdir()
        if way is None and done.returncode == 125:
            # This kernel has no such file.
            assert ":2:13: limits.io_weight: " in done.stderr and "CONFIG_BLK_CGROUP_IOCOST" in done.stderr, done
            return
        assert done.returncode == 0, done
        wanted = "io.bfq.weight:default 136" if way == "bfq" else "io.weight:default 500"
        assert wanted in done.stdout.splitlines(), done
        assert ("nothing heeds it" in done.stderr) == (way is None), done


class TestWhatIsLeft:
    def test_a_launch_that_fails_leaves_no_group(self, jail):
        done = jail.run('limits.pids = 20\nfilesystem.ro = ["/nothing/here"]', "true")
        assert done.returncode == 125

    def test_a_command_that_is_not_found(self, jail):
        assert jail.run("limits.pids = 20", "no-such-program").returncode == 127

    def test_daemons_end_with_the_command(self, jail):
        """The host's pid namespace: nothing but the group knows who belongs to the jail."""
        spec = 'limits.pids = 20\nnamespaces.pid = "host"\nfilesystem.proc = false'
        done = jail.sh(spec, "setsid sleep 77 & setsid sh -c 'sleep 77 & sleep 77' & sleep 0.2")
        assert done.returncode == 0
        assert subprocess.run(["pgrep", "-f", "^sleep 77"]).returncode == 1

    def test_a_killed_launcher_leaves_at_most_an_empty_group(self, jail):
        process = subprocess.Popen(
            jail.arguments("limits.pids = 20", "sh", "-c", "echo; sleep 88"), stdout=subprocess.PIPE)
        process.stdout.readline()
        [leaf] = leaves()
        process.kill()
        process.wait()
        deadline = time.monotonic() + patient(5)
        while "populated 1" in (Path(leaf) / "cgroup.events").read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "populated 0" in (Path(leaf) / "cgroup.events").read_text()
        assert subprocess.run(["pgrep", "-f", "^sleep 88"]).returncode == 1
        assert jail.run("limits.pids = 20", "true").returncode == 0

    def test_the_group_of_a_living_jail_is_never_taken(self, jail):
        """Not even one that is empty yet, or still: stopped between its making and the birth of its first process."""
        def is_left(seconds):
            begun = time.monotonic()
            process = subprocess.Popen(
                ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=clone3", "-e", f"inject=clone3:delay_enter={seconds * 1_000_000}"]
                + jail.arguments("limits.pids = 20", "sh", "-c", "cat /proc/self/cgroup"), stdout=subprocess.PIPE, text=True)
            until(lambda: leaves() or process.poll() is not None)
            before = leaves()
            other, after = jail.run("limits.pids = 20", "true"), leaves()
            is_early = time.monotonic() - begun < seconds
            assert process.communicate()[0] == "0::/\n" and process.returncode == 0
            assert other.returncode == 0 and (len(before) == 1 and before == after or not is_early), (before, after)
            return is_early

        assert reached(is_left, (2, 10, 60))

    def test_two_hundred_killed_at_random(self, jail):
        """The bar: no group that lives is left, and the next launch clears the empty ones."""
        release = os.uname().release
        if "User Mode Linux" in Path("/proc/cpuinfo").read_text() and tuple(map(int, release.split(".")[:2])) < (6, 16):
            pytest.skip(f"User-Mode Linux {release} panics in fork(2) where the process is killed meanwhile (flush_tlb_mm)")
        chance = random.Random(4)
        words = jail.arguments('[limits]\npids = 20\nmemory = "64M"\ncpu = "50%"', "sh", "-c", "sleep 99 & sleep 99")
        running = []
        while len(running) < 200:
            running.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
            if chance.random() < 0.25:
                victim = running.pop(chance.randrange(len(running)))
                time.sleep(chance.random() * 0.02)
                victim.kill()
                assert victim.communicate()[1] == ""
        most = len(leaves())
        told = re.compile("|immure: .*: SIGTERM ended the launch before this was done\n")
        for victim in running:
            number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
            victim.send_signal(number)
            victim.says = told if number == signal.SIGTERM else re.compile("")
        for victim in running:
            said = victim.communicate(timeout=patient(60))[1]
            assert victim.says.fullmatch(said), said
        deadline = time.monotonic() + patient(10)
        while time.monotonic() < deadline and subprocess.run(["pgrep", "-f", "^sleep 99"]).returncode == 0:
            time.sleep(0.1)
        assert subprocess.run(["pgrep", "-f", "^sleep 99"]).returncode == 1
        left = leaves()
        print(f"{most} groups at once, {len(left)} empty ones left by SIGKILL")
        for leaf in left:
            assert "populated 0" in (Path(leaf) / "cgroup.events").read_text()
        assert jail.run("limits.pids = 20", "true").returncode == 0
        assert leaves() == []


@pytest.mark.parametrize(
    "call, error", [("mkdirat", "ENOSPC"), ("flock", "EIO"), ("fchmod", "EPERM"), ("clone3", "EAGAIN"), ("pread64", "EIO")])
@pytest.mark.parametrize("when", [1, 2, 3])
def test_t43_a_refused_call_stops_the_launch(jail, call, error, when):
    """Each call of the group's making fails once: nothing of the command runs, or all of its limits hold."""
    words = jail.arguments('limits.pids = 20\nlimits.memory = "64M"\n' + SEEN, "cat", "/sys/fs/cgroup/pids.max")
    done = subprocess.run(
        ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}", *words],
        capture_output=True, text=True)
    assert (done.returncode, done.stdout) in [(125, ""), (0, "20\n")], done


class TestOtherGroups:
    def test_below_a_group_with_processes(self, jail):
        """No internal processes: those that are there move into a leaf, and go on."""
        group = CGROUPS / "busy"
        group.mkdir()
        words = jail.arguments("limits.pids = 20\nnamespaces.cgroup = 'host'", "sh", "-c", "cat /proc/self/cgroup")
        script = f"echo $$ >{group}/cgroup.procs; sleep 30 & " + shlex.join(words)
        script += f"; cat /proc/self/cgroup; cat {group}/cgroup.procs; kill %1; wait"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
        lines = done.stdout.split()
        assert re.fullmatch(r"0::/busy/immure-\d+-\d+", lines[0]), done
        assert lines[1:] == ["0::/busy/immure.supervisor"]
        (group / "immure.supervisor").rmdir()
        group.rmdir()

    def test_below_a_threaded_group(self, jail):
        group = CGROUPS / "threads"
        (group / "part").mkdir(parents=True)
        (group / "part/cgroup.type").write_text("threaded")
        words = jail.arguments("[limits]\npids = 20", "true")
        script = f"echo $$ >{group}/cgroup.procs; exec " + shlex.join(words)
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
        (group / "part").rmdir()
        group.rmdir()
        assert done.returncode == 125
        assert ':1:2: [limits]: /threads is a cgroup of type "domain threaded"' in done.stderr

    def test_a_controller_that_a_group_above_holds_back(self, jail):
        (CGROUPS / "a").mkdir()
        (CGROUPS / "a/b").mkdir()
        words = jail.arguments('[limits]\npids = 20\nmemory = "1G"', "true")
        done = subprocess.run(
            ["sh", "-c", f"echo $$ >{CGROUPS}/a/b/cgroup.procs; exec " + shlex.join(words)], capture_output=True, text=True)
        (CGROUPS / "a/b").rmdir()
        (CGROUPS / "a").rmdir()
        assert done.returncode == 125
        assert ":3:10: limits.memory: the memory controller does not reach /a/b: /a holds it back" in done.stderr
        assert ":2:8: limits.pids: the pids controller does not reach /a/b: /a holds it back" in done.stderr
        assert f"echo +memory >{CGROUPS}/a/cgroup.subtree_control" in done.stderr

    def test_an_ordinary_user_without_a_group(self, jail):
        done = jail.run("[limits]\npids = 20", "true", user=True)
        assert done.returncode == 125
        assert ":1:2: [limits]: the caller may not make cgroups below /" in done.stderr

    def test_an_ordinary_user_with_a_group(self, jail):
        group = CGROUPS / "tester"
        group.mkdir()
        for name in [".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]:
            os.chown(group / name, 1000, 1000)
        words = jail.arguments("limits.pids = 20\nnamespaces.cgroup = 'host'", "sh", "-c", "id -u; cat /proc/self/cgroup")
        script = f"echo $$ >{group}/cgroup.procs; exec setpriv --reuid=1000 --regid=1000 --clear-groups "
        script += shlex.join(words)
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
        assert re.fullmatch(r"1000\n0::/tester/immure-\d+-\d+\n", done.stdout), done
        (group / "immure.supervisor").rmdir()
        group.rmdir()

    def test_only_version_1(self, jail):
        """In a mount namespace where no cgroup2 is to be seen."""
        words = jail.arguments("[limits]\npids = 20", "true")
        script = "umount /sys/fs/cgroup; exec " + shlex.join(words)
        done = subprocess.run(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", script], capture_output=True, text=True)
        assert done.returncode == 125
        assert "[limits]: no cgroup2 file system is mounted" in done.stderr


def test_without_limits_the_figures_come_from_the_processes(jail):
    done = jail.run("", "python3", "-c", "x = bytearray(50 << 20)")
    assert done.result["peak_memory_of"] == "process" and done.result["peak_memory"] > 50 << 20
    assert done.result["limits_hit"] == [] and done.result["forks_refused"] is None
    assert done.result["user_seconds"] > 0


def test_a_launch_with_limits_costs_little_more(jail):
    """No timing of this machine is that of another: what is held to is a ratio, and the figures are printed."""
    plain = jail.arguments("", "true")
    limited = jail.arguments('[limits]\nmemory = "64M"\npids = 20\ncpu = "100%"', "true")

    def is_met():
        times = {"plain": [], "limited": []}
        for _ in range(40):
            for name, words in [("plain", plain), ("limited", limited)]:
                begun = time.monotonic()
                subprocess.run(words, check=True)
                times[name].append(time.monotonic() - begun)
        medians = {name: statistics.median(values) * 1000 for name, values in times.items()}
        print(f"plain {medians['plain']:.2f} ms, with limits {medians['limited']:.2f} ms")
        return medians["limited"] < 1.6 * medians["plain"]

    assert once(is_met, 5)
