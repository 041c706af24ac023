"""[limits] on this very host: in force, or refused by name and line. What they do is shown in Tests/VM."""

from pathlib import Path

import pytest

KEYS = {
    "memory": ("memory", 'memory = "512M"'),
    "swap": ("memory", "swap = 0"),
    "cpu": ("cpu", 'cpu = "150%"'),
    "cpus": ("cpuset", 'cpus = "0"'),
    "pids": ("pids", "pids = 64"),
    "io_weight": ("io", "io_weight = 50"),
}
#: What version 1 calls a controller otherwise.
OLD = {"io": "blkio"}


def taken():
    """The controllers that version 1 has."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    return {name for line in lines for name in line.split(":")[1].split(",")}


@pytest.mark.parametrize("key", KEYS)
def test_t31_a_controller_of_version_1_is_refused(caller, key):
    controller, text = KEYS[key]
    run = caller.run(f"[limits]\n{text}", "/bin/echo", "ran")
    if OLD.get(controller, controller) not in taken():
        # A host with only version 2: whatever stands in the way is named, or nothing does.
        assert run.stdout == "ran\n" or run.status == 125 and "limits" in run.stderr, run
        return
    assert run.status == 125 and run.stdout == ""
    assert f"spec.toml:2:{len(text.split()[0]) + 4}: limits.{key}: the {controller} controller is not available" in run.stderr
    assert "cgroup version 1 has it" in run.stderr and "hint: boot with systemd.unified_cgroup_hierarchy=1" in run.stderr


def test_every_line_is_refused_in_one_go(caller):
    if not {"memory", "pids"} <= taken():
        return
    run = caller.run('[limits]\nmemory = "1G"\npids = 64', "/bin/echo", "ran")
    assert run.status == 125 and "spec.toml:2:10: limits.memory" in run.stderr and ":3:8: limits.pids" in run.stderr


@pytest.mark.parametrize(
    "device, reason",
    [("/nothing/here", "ENOENT"), ("/proc", "is on proc, which has no block device of its own")])
def test_a_device_that_is_none(caller, device, reason):
    run = caller.run(f'[[limits.io]]\ndevice = "{device}"\nrbps = "10M"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == ""
    assert "spec.toml:2:10: limits.io" in run.stderr and reason in run.stderr


def test_a_group_to_write_to_is_the_jails_own_or_none(caller):
    """C52."""
    run = caller.run('[[mount]]\ntarget = "/cg"\ntype = "cgroup"\noptions = ["rw"]', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == ""
    assert "spec.toml:2:1: mount /cg: without [limits] this would be the caller's own cgroup" in run.stderr
