"""Programs of every kind are held by the filter: 32-bit ones, and ones that gain root on the way (C36, T16)."""

import subprocess
import textwrap

import pytest

from harness.must import cannot

SIGSYS = 128 + 31
EPERM = 1

SMALL = r"""
    #include <stdio.h>
    #include <unistd.h>
    int main(void) { printf("pid %d\n", getpid()); return 0; }
"""

# Says who it is, and what the kernel answers to KEYCTL_GET_KEYRING_ID and mount(2).
GAINER = r"""
    #include <errno.h>
    #include <stdio.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    int main(void) {
        printf("%d %d", getuid(), geteuid());
        printf(" %d", syscall(SYS_keyctl, 0, -3, 1) < 0 ? errno : 0);
        printf(" %d\n", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, 0) < 0 ? errno : 0);
        return 0;
    }
"""


def compiled(place, source, *options):
    place.chmod(0o755)
    (place / "program.c").write_text(textwrap.dedent(source))
    made = subprocess.run(["gcc", *options, "-o", place / "program", place / "program.c"], capture_output=True, text=True)
    if made.returncode != 0:
        cannot(f"compile with {options}: {made.stderr.splitlines()[-1]}")
    return place / "program"


@pytest.mark.parametrize("policy", ["", 'profile = "strict"', 'deny = ["mkdir"]', 'profile = "none"\ndeny = ["mkdir"]'])
@pytest.mark.parametrize("options", [["-static"], []], ids=["static", "dynamic"])
def test_c36_t16_a_32_bit_program_is_held(caller, options, policy):
    program = compiled(caller.spec("").parent, SMALL, "-m32", *options)
    outside = subprocess.run([program], capture_output=True, text=True)
    if outside.returncode != 0:
        cannot("run a 32-bit program: this kernel has none")
    spec = f'filesystem.ro = ["{program}:/opt/program"]\n[seccomp]\n{policy}\n'
    run = caller.run(spec, "/opt/program")
    assert run.status == SIGSYS and run.stdout == "", run
    assert "killed by seccomp: the command, for a system call of a foreign ABI (i386" in run.stderr, run
    # C118: its death as a child is told as well, by the status that a shell gives it.
    child = caller.run(spec, "/bin/sh", "-c", "/opt/program; exit $?")
    assert child.status == SIGSYS and "killed by seccomp: a program that it started" in child.stderr, child


@pytest.mark.parametrize("more", [('[seccomp]\nkill = ["acct"]\n', ()), ('[seccomp]\nlog = ["acct"]\n', ()), ("", ("--why",))], ids=["kill", "log", "why"])
def test_c118_a_child_whose_end_its_parent_keeps_to_itself_is_told(caller, more):
    """No status of the command speaks of it: who listens hears it from the kernel."""
    text, options = more
    program = compiled(caller.spec("").parent, SMALL, "-m32", "-static")
    if subprocess.run([program], capture_output=True).returncode != 0:
        cannot("run a 32-bit program: this kernel has none")
    code = "import subprocess, sys; sys.exit(subprocess.run(['/opt/program']).returncode == -31)"
    spec = f'filesystem.ro = ["{program}:/opt/program"]\n{text}'
    run = caller.run(spec, "/usr/bin/python3", "-I", "-S", "-c", code, options=options)
    told = [line for line in run.stderr.splitlines() if "killed by seccomp: i386 " in line]
    assert run.status == 1 and len(told) == 1 and "calls of the foreign ABI i386 (program, pid" in told[0], run


@pytest.mark.parametrize("options", [["-static"], []], ids=["static", "dynamic"])
@pytest.mark.parametrize("nested", ["", "namespaces.nested = true\n", 'capabilities.keep = ["sys_admin"]\n'])
def test_c118_a_32_bit_program_runs_where_its_architecture_is_open(caller, options, nested):
    program = compiled(caller.spec("").parent, SMALL, "-m32", *options)
    if subprocess.run([program], capture_output=True).returncode != 0:
        cannot("run a 32-bit program: this kernel has none")
    spec = f'{nested}filesystem.ro = ["{program}:/opt/program"]\n[seccomp]\narchitectures = ["x86"]\n'
    run = caller.run(spec, "/opt/program")
    assert run.ok.stdout.startswith("pid "), run


# Each call by int 0x80, which takes i386's numbers: unshare(CLONE_NEWUSER), clone(CLONE_NEWUSER), clone3, keyctl, mkdir,
# socket(AF_ALG), socketcall(SYS_SOCKET), chown(16-bit), stat64 of a bad pointer.
DOOR = r"""
    #include <stdio.h>
    static int call(int number, long one, long two, long three) {
        int answer;
        __asm__ volatile("int $0x80" : "=a"(answer) : "a"(number), "b"(one), "c"(two), "d"(three), "S"(0), "D"(0) : "memory");
        return answer;
    }
    int main(void) {
        printf("%d %d %d %d", call(310, 0x10000000, 0, 0), call(120, 0x10000000, 0, 0), call(435, 0, 0, 0), call(288, 0, -3, 1));
        printf(" %d %d %d %d\n", call(39, 0, 0, 0), call(359, 38, 5, 0), call(102, 1, 0, 0), call(195, 0, 0, 0));
        return 0;
    }
"""

EFAULT, ENOSYS, EAFNOSUPPORT = 14, 38, 97


@pytest.mark.parametrize("extra, mkdir, socketcall", [
    ("", EFAULT, EAFNOSUPPORT),
    ('deny = ["mkdir"]\n', EPERM, EAFNOSUPPORT),
    ('allow = ["socketcall"]\n', EFAULT, EFAULT),
])
@pytest.mark.parametrize("kept", ["", 'capabilities.keep = ["sys_admin"]\n'])
def test_c118_calls_through_the_other_door_are_decided_as_their_own(caller, extra, mkdir, socketcall, kept):
    program = compiled(caller.spec("").parent, DOOR, "-static")
    if subprocess.run([program], capture_output=True).returncode != 0:
        cannot("make a call of i386: this kernel has none")
    spec = f'{kept}filesystem.ro = ["{program}:/opt/program"]\n[seccomp]\narchitectures = ["native", "x86"]\n{extra}'
    run = caller.run(spec, "/opt/program")
    wanted = [EPERM, EPERM, ENOSYS, EPERM, mkdir, EAFNOSUPPORT, socketcall, EFAULT]
    assert [-int(word) for word in run.ok.stdout.split()] == wanted, run


def test_a_32_bit_program_that_is_killed_is_named_where_somebody_listens(caller):
    program = compiled(caller.spec("").parent, SMALL, "-m32", "-static")
    run = caller.run(f'filesystem.ro = ["{program}:/opt/program"]\n[seccomp]\nkill = ["ptrace"]\n', "/opt/program")
    if run.status == 126:
        cannot("run a 32-bit program: this kernel has none")
    assert run.status == SIGSYS and "killed by seccomp: i386 " in run.stderr, run


def test_t16_a_program_that_gains_root_by_setuid_is_held(root):
    program = compiled(root.spec("").parent, GAINER, "-static")
    program.chmod(0o4755)
    spec = f'namespaces.user = "host"\nprocess.no_new_privs = false\ncapabilities.bounding = ["setuid", "sys_admin"]\n'
    spec += f'[[mount]]\ntarget = "/opt"\ntype = "bind"\nsource = "{program.parent}"\noptions = ["ro", "suid"]\n[seccomp]\n'
    # It is root, and has sys_admin, for which the default profile has opened mount(2); keyrings stay closed, and a list counts.
    nobody = "65534 0"
    assert root.run(spec, "/opt/program").ok.stdout == f"{nobody} {EPERM} 0\n"
    assert root.run(spec + 'deny = ["mount"]\n', "/opt/program").ok.stdout == f"{nobody} {EPERM} {EPERM}\n"
