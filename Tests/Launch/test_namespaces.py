"""[namespaces]: new, the host's, or one that is there already (C30)."""

import os
import subprocess
import time

import pytest

from harness.must import needs

KINDS = {"user": "user", "mount": "mnt", "pid": "pid", "net": "net", "ipc": "ipc", "uts": "uts", "cgroup": "cgroup"}


def host(kind):
    return os.readlink(f"/proc/self/ns/{kind}")


def test_all_are_new_by_default(caller):
    facts = caller.facts()
    assert {kind for kind in KINDS.values() if facts["ns"][kind] == host(kind)} == set()


def test_time_is_the_hosts_unless_an_offset_asks_for_it(caller):
    assert caller.facts()["ns"]["time"] == host("time")
    assert caller.facts('[namespaces.time]\nmonotonic = "1h"')["ns"]["time"] != host("time")


@pytest.mark.parametrize("kind", ["net", "ipc", "uts", "cgroup"])
def test_the_hosts_where_the_spec_says_so(caller, kind):
    facts = caller.facts(f'[namespaces]\n{kind} = "host"\n')
    same = {name for name in KINDS.values() if facts["ns"][name] == host(name)}
    assert same == {KINDS[kind]}


def test_without_a_user_namespace_root_still_has_the_others(root):
    facts = root.facts('[namespaces]\nuser = "host"')
    assert {name for name in KINDS.values() if facts["ns"][name] == host(name)} == {"user"}
    assert facts["uid"] == [65534] * 3 and facts.capabilities["CapEff"] == 0 and facts["groups"] == []


@pytest.mark.parametrize("kind", ["user"])
def test_a_user_cannot_do_without_a_user_namespace(user, kind):
    run = user.run(f'[namespaces]\n{kind} = "host"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "EPERM" in run.stderr and "spec.toml:" in run.stderr


def test_the_hosts_mount_namespace(root):
    run = root.run('[namespaces]\nmount = "host"', "/bin/echo", "ran")
    # Either a jail without a root of its own, or refused by name: the root needs a mount namespace.
    assert run.status == 0 or run.status == 125 and "mount" in run.stderr, run


def test_direct_mode_keeps_the_process_id(caller):
    process = caller.start(
        caller.shared_pids("[process]\ninit = false\n"), "/bin/sh", "-c", "echo $$; read x", stdin=subprocess.PIPE
    )
    answer = process.stdout.readline()
    children = open(f"/proc/{process.pid}/task/{process.pid}/children").read()
    run = caller.finish(process, stdin=b"\n")
    assert int(answer or -1) == process.pid and children == "", run


def test_the_hosts_pids_where_the_spec_says_so(caller):
    code = "import json, os; print(json.dumps(os.getpid()))"
    process_id = caller.python(caller.shared_pids(), code)
    assert process_id > 100


def test_a_user_cannot_mount_a_proc_of_the_hosts_pids(user):
    run = user.run('[namespaces]\npid = "host"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:2" in run.stderr and "proc" in run.stderr


def test_the_hosts_pids_come_with_hidepid(root):
    mounts = root.facts('[namespaces]\npid = "host"').mounts
    assert any(
        word.startswith("hidepid=") and word not in ("hidepid=0", "hidepid=off") for word in mounts.super["/proc"]
    ), mounts.super["/proc"]


@pytest.mark.parametrize("monotonic, boottime", [("back", None), ("3h", "5h"), ("90min", "0s")])
def test_clocks_inside_have_their_offsets(caller, monotonic, boottime):
    if monotonic == "back":
        # No further than to boot, which may have been a minute ago.
        monotonic = f"-{int(time.monotonic() / 2)}s"
    factor = {"h": 3600, "min": 60, "s": 1}
    seconds = lambda text: next(
        float(text[: -len(unit)]) * factor[unit] for unit in ("min", "h", "s") if text.endswith(unit)
    )
    clocks = lambda: [time.clock_gettime(time.CLOCK_MONOTONIC), time.clock_gettime(time.CLOCK_BOOTTIME)]
    before = clocks()
    spec = f'[namespaces.time]\nmonotonic = "{monotonic}"\n' + (f'boottime = "{boottime}"\n' if boottime else "")
    inside = caller.python(
        spec,
        "import json, time; print(json.dumps([time.clock_gettime(time.CLOCK_MONOTONIC), time.clock_gettime(time.CLOCK_BOOTTIME)]))",
    )
    after = clocks()
    assert before[0] <= inside[0] - seconds(monotonic) <= after[0]
    assert before[1] <= inside[1] - seconds(boottime or "0s") <= after[1]


def test_a_clock_cannot_be_set_before_boot(caller):
    run = caller.run('[namespaces.time]\nmonotonic = "-100000h"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:2" in run.stderr


# Joining


@pytest.fixture
def other(caller):
    """A process in namespaces of its own that the caller owns: its /proc/PID/ns are there to be joined."""
    line = ["unshare", "-Ur", "-n", "-i", "-u", "--fork", "sh", "-c", "hostname joined; echo ready; exec sleep 100"]
    if caller.is_root:
        line.remove("-Ur")
    process = caller.popen(line)
    assert process.stdout.readline() == b"ready\n", process.stderr.read()
    child = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()[0]
    yield int(child)
    os.kill(int(child), 9)
    process.wait()
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize("kind", ["net", "ipc", "uts"])
def test_root_joins_a_namespace_by_path(root, kind):
    line = ["unshare", "-n", "-i", "-u", "--fork", "sh", "-c", "echo ready; exec sleep 100"]
    process = root.popen(line)
    process.stdout.readline()
    child = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()[0]
    try:
        facts = root.facts(f'[namespaces]\n{kind} = "/proc/{child}/ns/{kind}"')
        assert facts["ns"][kind] == os.readlink(f"/proc/{child}/ns/{kind}")
    finally:
        os.kill(int(child), 9)
        process.communicate()


def test_a_user_joins_the_user_namespace_and_network_of_a_process_of_theirs(user, other):
    run = user.run(
        f'[namespaces]\nuser = "/proc/{other}/ns/user"\nnet = "/proc/{other}/ns/net"',
        "/bin/readlink",
        "/proc/self/ns/net",
    )
    if run.status == 125:
        assert "spec.toml:" in run.stderr, run
        return
    assert run.stdout.strip() == os.readlink(f"/proc/{other}/ns/net")


FAKE_PROC = """
mount -t tmpfs none /proc && mkdir -p /proc/self/task /proc/thread-self /proc/sys/kernel /proc/1 /proc/{victim} &&
for name in self thread-self 1 self/task; do
    for file in stat status children cmdline uid_map gid_map setgroups mountinfo; do echo {victim} >/proc/$name/$file; done
    mkfifo /proc/$name/fifo
done
mkfifo /proc/self/limits /proc/self/attr; echo ready; exec sleep 100
"""


def test_a10_nothing_is_believed_of_a_joined_tree(root, user):
    """A container's /proc names a process of the host, and has FIFOs that nobody writes to: neither is killed, nor waited for."""
    victim = root.popen(["sleep", "100"])
    container = user.popen(["unshare", "-Urm", "sh", "-c", FAKE_PROC.format(victim=victim.pid)])
    try:
        assert container.stdout.readline() == b"ready\n", container.stderr.read()
        for more in ("", "[namespaces]\npid = \"host\"\n", 'timeout = "300ms"\n'):
            keys = f'mount = "/proc/{container.pid}/ns/mnt"\n'
            spec = more + keys if more.startswith("[") else more + "[namespaces]\n" + keys
            run = root.run(spec, "/bin/sleep", "1", timeout=20)
            assert run.status in (0, 124, 125), run
            assert victim.poll() is None and container.poll() is None
    finally:
        for process in (victim, container):
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    "path",
    [
        "/proc/999999999/ns/net",
        "/etc/passwd",
        "/proc/self/ns/uts",
        "/dev/null",
        "/no/such",
        "/proc/self/ns",
        "/proc/self/fd/0",
    ],
)
def test_c30_a_path_that_is_no_such_namespace_fails_closed(caller, path):
    run = caller.run(f'[namespaces]\nnet = "{path}"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:2" in run.stderr and path in run.stderr


def test_c30_a_namespace_of_another_owner_fails_closed(user):
    run = user.run('[namespaces]\nnet = "/proc/1/ns/net"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == ""


def test_the_network_namespace_has_loopback_and_nothing_else(caller):
    run = caller.shell(None, "cat /proc/net/dev | tail -n +3 | cut -d: -f1")
    assert run.ok.stdout.split() == ["lo"]


def test_the_answer_is_the_same_for_every_launch(caller):
    assert len({caller.facts()["ns"]["pid"] for _ in range(3)}) >= 1
