"""root = "host": the host's whole tree, read-only, with a /proc, /dev and /tmp of the jail's own."""

import os

from harness import linux

HOST = '[filesystem]\nroot = "host"\n'


def test_the_hosts_tree_is_there(caller):
    assert set(os.listdir("/")) <= set(caller.shell(HOST, "ls -A /").ok.stdout.split())


def test_every_mount_is_read_only_but_the_private_ones(caller):
    mounts = caller.facts(HOST).mounts
    private = ("/proc", "/dev", "/tmp")
    open_ones = {
        target: flags for target, flags in mounts.at.items() if "ro" not in flags and not target.startswith(private)
    }
    assert open_ones == {}


def test_c26_a_nested_mount_of_the_host_is_read_only(caller):
    if not caller.is_root and os.getuid() != 0:
        return
    place = caller.open_directory()
    linux.mount("tmpfs", place, "tmpfs", data="mode=1777")
    try:
        # Below /tmp the private tmpfs would hide it.
        run = caller.shell(HOST + "tmp = false", f"echo x > {place}/x; [ -d {place} ] && echo seen")
        assert run.stdout == "seen\n" and "Read-only" in run.stderr
    finally:
        linux.umount(place)


def test_proc_is_the_jails_own(caller):
    facts = caller.facts(HOST)
    assert facts["pid"] <= 10 and facts.mounts.types["/proc"] == "proc"
    pids = caller.shell(HOST, "ls /proc | grep -c '^[0-9]'").ok
    assert int(pids.stdout) <= 6


def test_dev_is_minimal(caller):
    found = set(caller.shell(HOST, "ls /dev").ok.stdout.split())
    assert "null" in found and not found & {"kvm", "vda", "sda", "kmsg", "loop0", "fuse", "mem"}


def test_tmp_is_private(caller):
    assert caller.shell(HOST, "ls -A /tmp; echo x > /tmp/immure-private && cat /tmp/immure-private").ok.stdout == "x\n"
    assert not os.path.exists("/tmp/immure-private")


def test_sysfs_shows_only_the_jails_network(caller):
    run = caller.shell(HOST, "ls /sys/class/net 2>/dev/null")
    assert set(run.stdout.split()) <= {"lo"}


def test_sysfs_is_read_only(caller):
    mounts = caller.facts(HOST).mounts
    assert all("ro" in flags for flags in mounts.below("/sys").values())


def test_a_hundred_mounts_of_the_host_are_all_read_only(root):
    place = root.directory()
    for i in range(100):
        (place / str(i)).mkdir()
        linux.mount("tmpfs", place / str(i), "tmpfs", data="size=4k,mode=1777")
    try:
        mounts = root.facts(HOST + "tmp = false").mounts
        assert all("ro" in mounts[f"{place}/{i}"] for i in range(100))
    finally:
        for i in range(100):
            linux.umount(place / str(i))


def test_rw_opens_one_directory(caller):
    place = caller.open_directory()
    spec = f'[filesystem]\nroot = "host"\nrw = ["{place}"]\n'
    caller.shell(spec, f"echo x > {place}/x; echo x > {place.parent}/x; echo x > /etc/x")
    assert (place / "x").read_text() == "x\n" and not (place.parent / "x").exists() and not os.path.exists("/etc/x")
