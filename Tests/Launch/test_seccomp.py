"""[seccomp]: what the kernel answers to calls made inside the jail (C19, C20, C29, C36 to C39, T15 to T18)."""

import subprocess
import textwrap

import pytest

PROBE = """
    #include <errno.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <unistd.h>
    #include <sys/syscall.h>

    /* Each argument: number,arg0,arg1,…; prints the errno, or 0. Refuses to start outside of a filter. */
    int main(int count, char **words) {
        FILE *status = fopen("/proc/self/status", "r");
        char line[256];
        int filtered = 0, mode;
        while (status && fgets(line, sizeof line, status)) filtered |= sscanf(line, "Seccomp: %d", &mode) == 1 && mode == 2;
        if (!filtered) return 99;
        for (int i = 1; i < count; i++) {
            unsigned long value[7] = {0};
            char *word = words[i];
            for (int j = 0; j < 7 && *word; j++) { value[j] = strtoul(word, &word, 0); if (*word) word++; }
            if (value[0] == 80) {
                long result;
                __asm__ volatile("int $0x80" : "=a"(result) : "a"(value[1]), "b"(value[2]), "c"(value[3]) : "memory");
                printf("%ld\\n", result < 0 ? -result : 0);
            } else {
                long result = syscall(value[0], value[1], value[2], value[3], value[4], value[5], value[6]);
                printf("%d\\n", result < 0 ? errno : 0);
            }
            fflush(stdout);
        }
        return 0;
    }
"""

EPERM, ENOSYS, EACCES, EAFNOSUPPORT = 1, 38, 13, 97
X32 = 0x40000000


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """A static program that makes the calls it is told; mode 04755, so that a filter that setuid lifts would show (T16)."""
    directory = tmp_path_factory.mktemp("seccomp")
    directory.chmod(0o755)
    for parent in directory.parents:
        if parent.name.startswith("pytest"):
            parent.chmod(0o755)
    source, binary = directory / "probe.c", directory / "probe"
    source.write_text(textwrap.dedent(PROBE))
    subprocess.run(["gcc", "-static", "-O1", "-o", str(binary), str(source)], check=True)
    binary.chmod(0o4755)
    return binary


def calls(caller, probe, spec, *words):
    run = caller.run(f'filesystem.ro = ["{probe}:/opt/probe"]\n' + spec, "/opt/probe", *words)
    return run, [int(line) for line in run.stdout.split()]


def answers(caller, probe, spec, *words):
    run, values = calls(caller, probe, spec, *words)
    assert run.status == 0, run
    return values


DENIED = {
    "io_uring_setup": "425,8,0", "io_uring_enter": "426,0", "io_uring_register": "427,0", "bpf": "321,0",
    "perf_event_open": "298,0", "userfaultfd": "323,0", "add_key": "248,0", "request_key": "249,0", "keyctl": "250,0",
    "open_by_handle_at": "304,0", "kexec_load": "246,0", "kexec_file_load": "320,0", "init_module": "175,0",
    "finit_module": "313,0", "delete_module": "176,0", "reboot": "169,0", "mount": "165,0", "umount2": "166,0",
    "pivot_root": "155,0", "move_mount": "429,0", "open_tree": "428,0", "fsopen": "430,0", "mount_setattr": "442,0",
    "unshare NEWUSER": "272,0x10000000", "unshare NEWNS": "272,0x20000", "clone NEWUSER": "56,0x10000011",
    "clone NEWNS, high bits": "56,0x1_0002_0011".replace("_", ""), "setns": "308,0", "chroot": "161,0",
    "TIOCSTI": "16,0,0x5412", "TIOCSTI with high bits": "16,0,0x100005412", "TIOCLINUX": "16,0,0x541c",
    "personality": "135,0x40000", "settimeofday": "164,0", "iopl": "172,3", "swapon": "167,0", "quotactl": "179,0",
}


def test_c37_c39_t15_t17_t18_the_default_profile_refuses(caller, probe):
    """T15, T17, T18, C19, C37, C39."""
    found = dict(zip(DENIED, answers(caller, probe, "", *DENIED.values())))
    assert found == {name: EPERM for name in DENIED}


def test_c29_c38_what_libc_falls_back_from_is_absent(caller, probe):
    """C29, C38: clone3, and numbers that no table has."""
    assert answers(caller, probe, "", "435,0,0", "1000", "471000", "340") == [ENOSYS] * 4
    assert answers(caller, probe, "", "41,38,5,0", "41,40,1,0", f"41,{40 | 1 << 32},1,0") == [EAFNOSUPPORT] * 3


@pytest.mark.parametrize("word", [f"{X32 | 39}", f"{X32 | 520}", "80,20,0,0"])
def test_c36_t16_a_foreign_abi_ends_the_command(caller, probe, word):
    """C36, T16: getpid of x32, execve of x32, getpid of i386 by int 0x80."""
    run, values = calls(caller, probe, "", "39", word, "39")
    assert values == [0] and run.status == 128 + 31, run


def test_c36_t16_a_denied_call_fails_and_is_made_by_no_other_number(caller, probe):
    """T16, C36."""
    spec = '[seccomp]\ndeny = ["mkdir"]\n'
    assert answers(caller, probe, spec, "83,0,0") == [EPERM]
    for word in ("80,39,0,0", f"{X32 | 83},0,0"):
        run, values = calls(caller, probe, spec, word)
        assert values == [] and run.status == 128 + 31, run


def test_actions(caller, probe):
    spec = '[seccomp]\nallow = ["keyctl"]\nlog = ["getppid"]\n[[seccomp.rule]]\ncall = "kill"\naction = "EACCES"\n'
    spec += 'args = [{ index = 1, op = "==", value = "SIGUSR1" }]\n'
    found = answers(caller, probe, spec, "62,0,10", f"62,0,{10 | 1 << 32}", "62,0,0", "110", "250,99")
    assert found[:4] == [EACCES, EACCES, 0, 0] and found[4] != EPERM
    for action in ("kill", "trap"):
        run, values = calls(caller, probe, f'[[seccomp.rule]]\ncall = "getppid"\naction = "{action}"\n', "39", "110")
        assert values == [0] and run.status == 128 + 31, run


def test_a_rule_that_allows_narrows_what_is_allowed(caller, probe):
    spec = '[[seccomp.rule]]\ncall = "socket"\naction = "allow"\nargs = [{ index = 0, op = "==", value = "AF_UNIX" }]\n'
    spec = '[seccomp]\ndeny = ["socket"]\n' + spec
    assert answers(caller, probe, spec, "41,1,1,0", "41,2,1,0") == [0, EPERM]


UNIX_ALONE = '[[seccomp.rule]]\ncall = "socket"\naction = "allow"\nargs = [{ index = 0, op = "==", value = "AF_UNIX" }]\n'
# AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_ALG.
SOCKETS = ["41,1,1,0", "41,2,1,0", "41,10,1,0", "41,16,3,0", "41,38,5,0"]


@pytest.mark.parametrize("lists", ["", '[seccomp]\nallow = ["@system-service"]\ndeny = ["ptrace", "@mount"]\n'])
def test_a_rule_that_allows_narrows_a_call_that_the_profile_guards(caller, probe, lists):
    """The contract's own rule: only sockets of AF_UNIX."""
    assert answers(caller, probe, lists + UNIX_ALONE, *SOCKETS) == [0, EPERM, EPERM, EPERM, EAFNOSUPPORT]


def test_ioctl_is_narrowed_to_a_request(caller, probe):
    """TCGETS of what is no terminal, FIONREAD, TIOCSTI."""
    spec = '[[seccomp.rule]]\ncall = "ioctl"\naction = "allow"\nargs = [{ index = 1, op = "==", value = "TCGETS" }]\n'
    assert answers(caller, probe, spec, "16,1,0x5401,0", "16,1,0x541b,0", "16,1,0x5412,0")[1:] == [EPERM, EPERM]
    assert answers(caller, probe, spec, "16,1,0x5401,0") != [EPERM]


def test_rules_of_a_spec_that_is_extended_add_up(caller, probe):
    base = caller.spec("").parent / "base.toml"
    base.write_text(UNIX_ALONE)
    base.chmod(0o644)
    spec = f'extends = ["{base}"]\n' + UNIX_ALONE.replace("AF_UNIX", "AF_INET")
    run = caller.run(f'{spec}[filesystem]\nro = ["{probe}:/opt/probe"]\n', "/opt/probe", *SOCKETS)
    assert run.ok.stdout.split() == ["0", "0", "1", "1", str(EAFNOSUPPORT)]


@pytest.mark.parametrize("name", ["@network-io", "socket"])
def test_log_tells_of_a_call_that_the_profile_guards_and_opens_nothing(caller, probe, name):
    run, values = calls(caller, probe, f'[seccomp]\nlog = ["{name}"]\n', "41,2,1,0", "41,38,5,0", "41,40,1,0")
    assert values == [0, EAFNOSUPPORT, EAFNOSUPPORT], run
    assert "logged by seccomp: socket(AF_INET, SOCK_STREAM, 0): " in run.stderr and "spec.toml:3:8" in run.stderr, run


def test_log_tells_of_forks_and_opens_no_namespace(caller):
    run = caller.shell('[seccomp]\nlog = ["@process"]\n', "true & wait; unshare -U true")
    assert "logged by seccomp: clone(" in run.stderr and "logged by seccomp: wait4(" in run.stderr, run
    assert "logged by seccomp: unshare" not in run.stderr and run.status != 0, run


@pytest.mark.parametrize("key", ["deny", "kill"])
@pytest.mark.parametrize("name", ["@network-io", "socket"])
def test_deny_and_kill_leave_nothing_of_a_call_that_the_profile_guards(caller, probe, key, name):
    for word in SOCKETS:
        run, values = calls(caller, probe, f'[seccomp]\n{key} = ["{name}"]\n', word)
        assert (values, run.status) == (([EPERM], 0) if key == "deny" else ([], 128 + 31)), run


def test_groups_open_and_names_override_them(caller, probe):
    spec = '[seccomp]\nprofile = "none"\ndefault = "EACCES"\nallow = ["@system-service"]\ndeny = ["getppid"]\n'
    assert answers(caller, probe, spec, "39", "110", "165,0", "1000") == [0, EACCES, EACCES, ENOSYS]


def test_strict_computes_and_connects_to_nothing(caller, probe):
    found = answers(caller, probe, 'seccomp.profile = "strict"\n', "39", "41,1,1,0", "101,0", "16,1,0x5401", "16,1,0x5410")
    assert found[0] == 0 and found[1:3] == [EPERM, EPERM] and found[3] != EPERM and found[4] == EPERM


def test_kept_capabilities_open_what_they_are_for(root, probe):
    spec = 'capabilities.keep = ["sys_admin"]\nidentity.user = 0\n'
    found = answers(root, probe, spec, "165,0,0,0,0,0", "272,0x10000000", "435,0,0", "175,0")
    assert found[0] != EPERM and found[1:] == [EPERM, ENOSYS, EPERM]


def test_no_filter_where_none_is_wanted(caller):
    run = caller.run('seccomp.profile = "none"\n', "/bin/grep", "Seccomp:", "/proc/self/status")
    assert run.ok.stdout.split() == ["Seccomp:", "0"]


def test_the_filter_stays_without_no_new_privs(root, probe):
    """C35."""
    spec = "process.no_new_privs = false\n"
    assert answers(root, probe, spec, "250,0") == [EPERM]


FAULTS = {
    "name": ('[seccomp]\ndeny = ["opennat"]\n', 2, "openat"),
    "group": ('[seccomp]\nallow = ["@mout"]\n', 2, "@mount"),
    "constant": ('[[seccomp.rule]]\ncall = "socket"\naction = "allow"\nargs = [{ index = 0, op = "==", value = "AF_UNIXX" }]\n', 4, "AF_UNIX"),
    "wide": ('[[seccomp.rule]]\ncall = "ioctl"\naction = "EPERM"\nargs = [{ index = 1, op = "==", value = 4294988818 }]\n', 4, "32 bits"),
    "never": ('[[seccomp.rule]]\ncall = "kill"\naction = "allow"\nargs = [{ index = 0, op = "==", value = 1 },\n{ index = 0, op = "==", value = 2 }]\n', 5, "no argument 0 of kill is == 2"),
    "twice": ('[seccomp]\nallow = ["mount"]\ndeny = ["mount"]\n', 3, "spec.toml:2:10"),
    "rules": ('[[seccomp.rule]]\ncall = "kill"\naction = "EPERM"\n[[seccomp.rule]]\ncall = "kill"\naction = "allow"\n', 5, "spec.toml:2:8"),
    "nothing": ('[seccomp]\nprofile = "none"\nallow = ["read"]\n', 3, "everything is allowed"),
    "undone": ('[seccomp]\ndefault = "allow"\n', 2, "undo"),
    "execve": ('[seccomp]\ndeny = ["execve"]\n', 2, "execve"),
    "many": ("[[seccomp.rule]]\ncall = 'kill'\naction = 'EPERM'\n" * 10_000, None, "10000 rules"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_name_their_line(user, name):
    text, line, words = FAULTS[name]
    for verb in ("check", "run"):
        run = user.verb(verb, str(user.spec(text)), *(["--", "/bin/true"] if verb == "run" else []))
        assert run.status == (2 if verb == "check" else 125) and words in run.stderr + run.stdout, run
        assert line is None or f"spec.toml:{line}:" in run.stderr + run.stdout, run


def test_syscalls_lists_groups_calls_and_specs(user):
    assert "@mount" in user.verb("syscalls").ok.stdout.split()
    assert {"mount", "umount2", "pivot_root"} <= set(user.verb("syscalls", "@mount").ok.stdout.split())
    assert "165" in user.verb("syscalls", "mount").ok.stdout
    text = user.verb("syscalls", str(user.spec('[seccomp]\ndeny = ["mkdir"]\n'))).ok.stdout
    line = next(line for line in text.splitlines() if line.startswith("mkdir "))
    assert "EPERM" in line and "spec.toml:2:9" in line


def test_plan_shows_the_policy_in_a_line(user):
    lines = [line for line in user.verb("plan", "--", "/bin/true").ok.stdout.splitlines() if "install_filter" in line]
    assert len(lines) == 1 and "EPERM" in lines[0] and len(lines[0]) < 250


def test_families_answer_as_if_the_kernel_had_none(caller, probe):
    """The example of immure.toml(5): a library that is told EAFNOSUPPORT goes on."""
    rule = '[[seccomp.rule]]\ncall = "socket"\naction = "EAFNOSUPPORT"\nargs = [{ index = 0, op = "!=", value = "AF_UNIX" }]'
    found = answers(caller, probe, rule, "41,1,1,0", "41,2,1,0", "41,10,1,0", "41,16,3,0", f"41,{1 << 32 | 2},1,0")
    assert found == [0, EAFNOSUPPORT, EAFNOSUPPORT, EAFNOSUPPORT, EAFNOSUPPORT]
