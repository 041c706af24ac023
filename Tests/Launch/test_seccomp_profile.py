"""[seccomp] profile = "FILE": a seccomp file of a container engine, what the kernel then answers, and files that are hostile."""

import json
import os
from pathlib import Path

import pytest

from harness.must import cannot
from harness.patience import Spent
from test_seccomp import EACCES, ENOSYS, EPERM, answers, calls, probe  # noqa: F401, a fixture

PODMAN = Path("/usr/share/containers/seccomp.json")

SMALL = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "defaultErrnoRet": EACCES,
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"],
    "syscalls": [
        {"names": ["getppid", "_llseek", "keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5},
        {"names": ["kill"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": 0, "op": "SCMP_CMP_EQ"}]},
        {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["times"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "999.0"}},
        {"names": ["gettid"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "2.6"}},
        {
            "names": [
                "access", "arch_prctl", "brk", "capget", "chdir", "clone", "close", "close_range", "dup2", "execve", "exit",
                "exit_group", "fstat", "futex", "getcwd", "getpid", "getrandom", "mmap", "mprotect", "munmap",
                "newfstatat", "open", "openat", "pread64", "prctl", "prlimit64", "read", "readlink", "rseq",
                "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "seccomp", "set_robust_list", "set_tid_address",
                "uname", "wait4", "waitid", "write", "sendmsg", "capset", "fcntl", "ioctl",
            ],
            "action": "SCMP_ACT_ALLOW",
        },
    ],
}


def profile(caller, value, name="p.json"):
    path = caller.spec("").parent / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    path.chmod(0o644)
    return path


def test_a_file_decides(caller, probe):  # noqa: F811
    path = profile(caller, SMALL)
    words = ["39", "110", "62,0,0", "62,0,10", "165,0", "100", "186", "458", "1000"]
    found = answers(caller, probe, f'seccomp.profile = "{path}"\n', *words)
    assert found == [0, 5, 0, EACCES, EACCES, EACCES, EACCES, ENOSYS, ENOSYS]


def test_lists_of_the_spec_stand_over_the_file(caller, probe):  # noqa: F811
    path = profile(caller, SMALL)
    spec = f'[seccomp]\nprofile = "{path}"\ndefault = "EPERM"\nallow = ["getppid"]\ndeny = ["getpid"]\n'
    assert answers(caller, probe, spec, "110", "39", "186", "250,0") == [0, EPERM, EPERM, 5]


def test_a_kept_capability_opens_what_the_file_says(root, probe):  # noqa: F811
    spec = f'seccomp.profile = "{profile(root, SMALL)}"\n'
    spec += 'capabilities.keep = ["sys_admin"]\nidentity.user = 0\n'
    assert answers(root, probe, spec, "165,0,0,0,0,0")[0] not in (EACCES, EPERM)


def test_calls_of_another_abi_stay_closed(caller, probe):  # noqa: F811
    run, values = calls(caller, probe, f'seccomp.profile = "{profile(caller, SMALL)}"\n', "39", "80,20,0,0")
    assert values == [0] and run.status == 128 + 31, run


def test_a_killed_call_is_named_with_its_line_in_the_file(caller, probe):  # noqa: F811
    text = json.dumps(SMALL, indent=0).replace('"SCMP_ACT_ERRNO",\n"errnoRet": 5', '"SCMP_ACT_KILL"')
    path = profile(caller, text)
    run, values = calls(caller, probe, f'seccomp.profile = "{path}"\n', "39", "110")
    line = text[: text.index('"getppid"')].count("\n") + 1
    assert values == [0] and run.status == 128 + 31, run
    assert f"killed by seccomp: getppid(): {path}:{line}:1, profile" in run.stderr, run


def test_a_path_is_relative_to_the_spec(caller):
    spec = caller.spec('[seccomp]\nprofile = "p.json"\n')
    path = spec.parent / "p.json"
    path.write_text(json.dumps(SMALL))
    caller.verb("check", str(spec)).ok
    plan = caller.verb("plan", str(spec), "--", "/bin/true").ok.stdout
    assert "_llseek" in plan and "SCMP_ARCH_X86" in plan
    listing = caller.verb("syscalls", str(spec)).ok.stdout
    assert f"{path}:1:" in listing and "passed over, being calls of other architectures: _llseek" in listing


def test_real_programs_run_under_podmans(caller):
    if not PODMAN.exists():
        cannot("read podman's profile: golang-github-containers-common is not installed")
    run = caller.run(f'seccomp.profile = "{PODMAN}"\n', "/bin/sh", "-c", "grep Seccomp: /proc/self/status; ls / | wc -l; unshare -m true")
    assert "Seccomp:\t2" in run.stdout and run.status == 1, run


HOSTILE = {
    "empty": ("", "not JSON: the end of the file"),
    "deep": ("[" * 100_000, "nested more than 32"),
    "deep objects": ('{"a":' * 100_000, "nested more than 32"),
    "NUL": ('{"defaultAction": "SCMP_ACT\\u0000"}', "NUL"),
    "a NUL byte": ('{"defaultAction"\0: 1}', "0x0"),
    "twice": ('{"defaultAction": "SCMP_ACT_KILL",\n"defaultAction": "SCMP_ACT_ALLOW"}', "stands twice"),
    "unknown action": ('{"defaultAction": "SCMP_ACT_KILLS"}', "SCMP_ACT_KILLS"),
    "unknown key": ('{"defaultAction": "SCMP_ACT_ALLOW", "syscall": []}', "syscall"),
    "unknown call": ('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["opennat"], "action": "SCMP_ACT_KILL"}]}', "openat"),
    "refused execve": ('{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": []}', "seccomp refuses execve"),
    "many keys": ("{" + ",".join(f'"k{i}":1' for i in range(90_000)) + "}", "more than 64 keys"),
    "many calls": (
        '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_KILL","names":['
        + ",".join(['"kill"'] * 140_000) + "]}]}", ""),
    "many unknown calls": (
        '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_KILL","names":['
        + ",".join(f'"c{i}"' for i in range(100_000)) + "]}]}", '"c0"'),
    "many rules": (
        '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":['
        + ",".join(
            f'{{"name":"kill","action":"SCMP_ACT_KILL","args":[{{"index":0,"value":{i},"op":"SCMP_CMP_EQ"}}]}}'
            for i in range(10_000))
        + "]}", "more entries with args"),
    "many faults": ('{"defaultAction":1,"syscalls":[' + ",".join(["{}"] * 300_000) + "]}", "defaultAction"),
    "64 MB": (" " * (64 << 20), "larger than 1 MiB"),
}


def refused(caller, spec, words):
    with Spent() as spent:
        run = caller.run(spec, "/bin/echo", "ran")
    assert spent.seconds < 2
    assert run.status == 125 and run.stdout == "" and words in run.stderr, run
    return run


@pytest.mark.parametrize("name", [name for name in HOSTILE if HOSTILE[name][1]])
def test_hostile_files_are_refused_with_their_place(caller, name):
    text, words = HOSTILE[name]
    path = profile(caller, text)
    run = refused(caller, f'seccomp.profile = "{path}"\n', words)
    assert name == "64 MB" or f"{path}:" in run.stderr, run


def test_many_names_are_read_in_time(user):
    path = profile(user, HOSTILE["many calls"][0])
    with Spent() as spent:
        user.run(f'seccomp.profile = "{path}"\n', "/bin/true").ok
    assert spent.seconds < 2


def test_bad_utf8_is_refused(user):
    path = profile(user, "")
    path.write_bytes(b'{"comment": "\xff"}')
    refused(user, f'seccomp.profile = "{path}"\n', "UTF-8")


@pytest.mark.parametrize("path, words", [
    ("/dev/zero", "not a regular file"), ("/etc/", "a directory"), ("/no/such.json", "ENOENT"), ("fifo", "not a regular file"),
    ("unreadable", "EACCES"),
])
def test_what_is_no_file_is_refused(user, path, words):
    spec = user.spec("")
    if path == "fifo":
        os.mkfifo(spec.parent / path)
    if path == "unreadable":
        (spec.parent / path).write_text("{}")
        (spec.parent / path).chmod(0)
        user.own(spec.parent / path)
    run = refused(user, f'seccomp.profile = "{spec.parent / path}"\n', words)
    assert "spec.toml:1:19" in run.stderr, run


def test_c54_root_takes_no_profile_that_others_may_write(root, ordinary):
    """C54: the profile is part of the spec."""
    path = profile(root, SMALL)
    spec = f'seccomp.profile = "{path}"\n'
    path.chmod(0o646)
    refused(root, spec, "the profile may be written by everyone")
    path.chmod(0o664)
    refused(root, spec, "the profile may be written by its group")
    path.chmod(0o644)
    os.chown(path, ordinary.pw_uid, ordinary.pw_gid)
    refused(root, spec, "the profile belongs to uid")
    os.chown(path, 0, 0)
    link = path.parent / "link.json"
    link.symlink_to(path)
    refused(root, f'seccomp.profile = "{link}"\n', "the profile is a symbolic link")
    root.run(spec, "/bin/true").ok


def test_a_user_is_told_of_a_profile_that_others_may_write(user):
    path = profile(user, SMALL)
    path.chmod(0o666)
    assert "the profile may be written by everyone" in user.run(f'seccomp.profile = "{path}"\n', "/bin/true").ok.stderr
