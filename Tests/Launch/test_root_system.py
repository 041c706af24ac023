"""root = "system", the default: a private root with the host's /usr and /etc, read-only."""

import os

import pytest


def names(caller, directory, spec=None):
    return set(caller.shell(spec, f"ls -A {directory}").ok.stdout.split())


def test_the_root_holds_what_a_program_needs_and_no_more(caller):
    found = names(caller, "/")
    assert {"usr", "etc", "proc", "dev", "tmp", "bin", "lib"} <= found
    found.discard("home")  # with one's own
    assert not found & {"root", "srv", "mnt", "media", "boot", "work", "old_root", "sys"} or all(
        names(caller, "/" + name) == set() for name in found & {"root", "home", "srv", "mnt", "media", "boot", "sys"}
    )
    assert "work" not in found and "old_root" not in found


@pytest.mark.parametrize("name", ["bin", "sbin", "lib", "lib64"])
def test_merged_usr_is_as_on_the_host(caller, name):
    if not os.path.lexists("/" + name):
        pytest.skip(f"the host has no /{name}")
    inside = caller.python(
        None, f"import json, os; print(json.dumps([os.path.islink('/{name}'), os.path.realpath('/{name}')]))"
    )
    assert inside == [os.path.islink("/" + name), os.path.realpath("/" + name)]


@pytest.mark.parametrize("place", ["/", "/usr", "/usr/bin", "/etc", "/bin", "/dev/new", "/var", "/proc"])
def test_nothing_of_it_can_be_written(caller, place):
    run = caller.shell(None, f"echo x > {place}/immure-test")
    assert run.status != 0
    assert not os.path.exists(f"{place}/immure-test")


@pytest.mark.parametrize("place", ["/usr", "/etc"])
def test_the_kernel_says_read_only(caller, place):
    mounts = caller.facts().mounts
    assert "ro" in mounts[place]
    assert {"nosuid", "nodev"} <= mounts[place]
    assert all("ro" in flags for flags in mounts.below(place).values())


def test_the_root_itself_is_read_only(caller):
    assert "ro" in caller.facts().mounts["/"]


@pytest.mark.parametrize("place", ["/home", "/var", "/root", "/srv", "/mnt", "/run", "/work"])
def test_nothing_of_the_rest_of_the_host_is_there(caller, place):
    listing = caller.shell(None, f"ls -A {place} 2>/dev/null | head -5").stdout
    host = set(os.listdir(place)) if os.access(place, os.R_OK) else set()
    # A link to the jail's own /tmp, and a home of the jail's own.
    own = {"/var": {"tmp"}, "/home": {os.path.basename(caller.home)}}.get(place, set())
    assert not set(listing.split()) & host - {"lock"} - own
    assert caller.shell(None, f"ls -A {caller.home} 2>/dev/null").stdout == ""


def test_no_mount_of_the_host_is_there_but_usr_and_etc(caller):
    mounts = caller.facts().mounts
    disk = [target for target, kind in mounts.types.items() if kind in ("ext4", "xfs", "btrfs", "overlay")]
    assert all(target.startswith(("/usr", "/etc", "/bin", "/sbin", "/lib", "/dev/")) for target in disk), mounts.lines


def test_tmp_is_private_and_bounded(caller):
    facts = caller.facts()
    assert facts.mounts.types["/tmp"] == "tmpfs" and {"nosuid", "nodev"} <= facts.mounts["/tmp"]
    assert any(word.startswith("size=") and word.endswith("k") for word in facts.mounts.super["/tmp"])
    assert caller.shell(None, "ls -A /tmp; echo x > /tmp/x && cat /tmp/x").ok.stdout == "x\n"
    assert caller.shell(None, "stat -c %a /tmp").ok.stdout == "1777\n"


def test_the_size_of_tmp_is_enforced(caller):
    run = caller.shell('[filesystem]\ntmp = "1M"', "head -c 2000000 /dev/zero > /tmp/x; stat -c %s /tmp/x")
    assert "No space left" in run.stderr and int(run.stdout) <= 1 << 20


def test_no_tmp_where_the_spec_says_so(caller):
    assert "/tmp" not in caller.facts("[filesystem]\ntmp = false").mounts


def test_proc_is_of_the_jails_own_processes(caller):
    pids = caller.python(
        None, "import json, os; print(json.dumps([int(n) for n in os.listdir('/proc') if n.isdigit()]))"
    )
    assert max(pids) <= 10 and 1 in pids


def test_no_proc_where_the_spec_says_so(caller):
    run = caller.shell("[filesystem]\nproc = false", "[ -e /proc/self ] || echo none")
    assert run.ok.stdout == "none\n"


def test_dev_is_minimal(caller):
    found = names(caller, "/dev")
    assert {
        "null",
        "zero",
        "full",
        "random",
        "urandom",
        "tty",
        "pts",
        "ptmx",
        "shm",
        "fd",
        "stdin",
        "stdout",
        "stderr",
    } <= found
    assert found <= {
        "null",
        "zero",
        "full",
        "random",
        "urandom",
        "tty",
        "pts",
        "ptmx",
        "shm",
        "fd",
        "stdin",
        "stdout",
        "stderr",
        "console",
        "core",
        "mqueue",
    }


@pytest.mark.parametrize(
    "name, number",
    [("null", "1:3"), ("zero", "1:5"), ("full", "1:7"), ("random", "1:8"), ("urandom", "1:9"), ("tty", "5:0")],
)
def test_devices_are_the_real_ones(caller, name, number):
    assert caller.shell(None, f"stat -c %Hr:%Lr /dev/{name}").ok.stdout.strip() == number


def test_devices_work(caller):
    caller.shell(
        None,
        "echo x > /dev/null && [ $(head -c 5 /dev/zero | wc -c) = 5 ] && [ $(head -c 5 /dev/urandom | wc -c) = 5 ]",
    ).ok


def test_dev_shm_is_private_and_writable(caller):
    facts = caller.facts()
    assert facts.mounts.types["/dev/shm"] == "tmpfs" and {"nosuid", "nodev"} <= facts.mounts["/dev/shm"]
    assert caller.shell(None, "ls -A /dev/shm; echo x > /dev/shm/x && cat /dev/shm/x").ok.stdout == "x\n"


def test_ptys_are_the_jails_own(caller):
    code = "import json, os; m, s = os.openpty(); print(json.dumps([os.ttyname(s), sorted(os.listdir('/dev/pts'))]))"
    name, listing = caller.python(None, code)
    assert name == "/dev/pts/0" and set(listing) <= {"0", "ptmx"}


def test_no_dev_where_the_spec_says_so(caller):
    run = caller.shell('[filesystem]\ndev = "none"', "ls -A /dev 2>/dev/null")
    assert run.stdout.split() == []


def test_the_hosts_dev_where_the_spec_says_so(caller):
    run = caller.shell('[filesystem]\ndev = "host"', "ls /dev").ok
    assert set(os.listdir("/dev")) - {"shm", "pts", "mqueue"} <= set(run.stdout.split())


def test_no_sysfs_by_default(caller):
    assert "sysfs" not in caller.facts().mounts.types.values()


def test_two_launches_make_the_same_jail(caller):
    strip = lambda facts: [line.split(" ", 3)[3].partition(" - ")[0].split(" shared")[0] for line in facts.mounts.lines]
    assert strip(caller.facts()) == strip(caller.facts())


def test_a_hundred_files_of_the_host_are_readable(caller):
    assert caller.shell(None, "cat /etc/passwd | head -1").ok.stdout == open("/etc/passwd").readline()


def test_secrets_of_etc_stay_secret(caller):
    run = caller.shell(None, "cat /etc/shadow")
    assert run.status != 0 and run.stdout == ""
