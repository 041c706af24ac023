"""What the other tests take for granted of the plain guest."""

import subprocess
from pathlib import Path


def test_cgroups_are_version_2_with_controllers_on():
    assert Path("/proc/self/cgroup").read_text().startswith("0::/")
    on = Path("/sys/fs/cgroup/cgroup.subtree_control").read_text().split()
    assert {"cpu", "io", "memory", "pids"} <= set(on)


def test_the_binary_starts_a_jail(binary):
    done = subprocess.run([binary, "run", "--", "sh", "-c", "echo $$"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().isdigit()
