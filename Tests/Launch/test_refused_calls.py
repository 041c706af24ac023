"""Calls that the filter kills or logs are named, with the line that decided; the kernel's word is that they are not made."""

import json
import os
import re
import signal
import time

import pytest

KILL = '[seccomp]\nkill = ["ptrace"]\n'
LOG = '[seccomp]\nlog = ["getppid"]\n'
SIGSYS = 128 + signal.SIGSYS


@pytest.fixture
def calls(compiled, caller):
    """The probe, as a spec's mount and as the command."""
    path = compiled("calls")

    def run(spec, *words, **more):
        return caller.run(f'filesystem.ro = ["{path}:/opt/calls"]\n{spec}', "/opt/calls", *words, **more)

    run.path = path
    return run


def told(run, word="killed"):
    return re.findall(rf"^immure: (?:note: )?{word} by seccomp: (.*)$", run.stderr, re.M)


def test_a_killed_call_is_named_with_its_line(calls):
    run = calls(KILL)
    assert run.status == SIGSYS and run.stdout == ""
    assert len(told(run)) == 1
    assert re.fullmatch(r"ptrace\(PTRACE_TRACEME\): .*spec\.toml:3:9, seccomp\.kill \(calls, pid 2\)", told(run)[0])


def test_what_is_killed_is_not_made_and_what_is_logged_is(caller):
    place = caller.open_directory()
    for key, status, made in (("kill", SIGSYS, False), ("log", 0, True)):
        spec = f'[filesystem]\nrw = ["{place}:/t"]\n[seccomp]\n{key} = ["mkdir", "mkdirat"]'
        run = caller.run(spec, "/bin/mkdir", f"/t/{key}")
        assert run.status == status and (place / key).is_dir() == made
        assert ("killed by seccomp: mkdir" if key == "kill" else "logged by seccomp: mkdir") in run.stderr


@pytest.mark.parametrize("way", ["catch", "ignore", "block", "thread"])
def test_no_program_outlives_it(calls, way):
    """As SECCOMP_RET_KILL_PROCESS, which asks no handler and ends all threads."""
    run = calls(KILL, way)
    assert run.status == SIGSYS and run.stdout == ""
    assert len(told(run)) == 1 and told(run)[0].startswith("ptrace(PTRACE_TRACEME): ")


def test_a_call_of_a_foreign_abi_is_named(calls):
    run = calls(KILL, "int80")
    if "answer" in run.stdout:
        pytest.skip("this machine has no int 0x80")
    assert run.status == SIGSYS and run.stdout == ""
    assert told(run)[0].startswith("i386 getpid(): ")


def test_x32_is_named(calls):
    run = calls(KILL, "x32")
    assert run.status == SIGSYS and run.stdout == "" and told(run)[0].startswith("x32 getpid(): ")


@pytest.mark.parametrize("way", ["int80", "x32"])
def test_without_a_listener_the_suspicion_is_said(calls, way):
    run = calls("", way)
    assert run.status == SIGSYS and run.stdout == "" and "foreign ABI" in run.stderr


def test_a_killed_grandchild_does_not_end_the_command(calls, caller):
    spec = f'filesystem.ro = ["{calls.path}:/opt/calls"]\n{KILL}'
    run = caller.shell(spec, "/opt/calls; echo $?; exit 4")
    assert run.status == 4 and run.stdout == f"{SIGSYS}\n"
    assert "(calls, pid 3)" in told(run)[0]


def test_logged_calls_are_made_named_once_and_counted(calls):
    run = calls(LOG, "count", "500", "1")
    assert run.status == 0
    lines = told(run, "logged")
    assert len(lines) == 2
    assert re.fullmatch(r"getppid\(\): .*spec\.toml:3:8, seccomp\.log \(calls, pid \d+\)", lines[0])
    assert re.fullmatch(r"getppid: .*spec\.toml:3:8: 499 more times", lines[1])


def test_many_at_once_with_signals_in_between(calls, caller):
    """Each call is heard once: a signal does not take back what has been read (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)."""
    out = caller.base / "result.json"
    run = calls(LOG, "count", "200", "30", options=("--result", str(out)), timeout=60)
    assert run.status == 0
    logged = json.loads(out.read_text())["logged"]
    assert [(call["call"], call["count"]) for call in logged] == [("getppid", 6000)]


def test_the_result_names_the_call(calls, caller):
    out = caller.base / "result.json"
    run = calls(KILL, "catch", options=("--result", str(out)))
    result = json.loads(out.read_text())
    assert run.status == result["status"] == SIGSYS and result["signal_name"] == "SIGSYS"
    refused = result["seccomp"]
    assert (refused["call"], refused["arguments"], refused["action"]) == ("ptrace", ["PTRACE_TRACEME"], "kill")
    assert refused["rule"]["position"]["line"] == 3 and refused["rule"]["reason"] == "seccomp.kill"
    caller.run(None, "/bin/true", options=("--result", str(out)))
    assert json.loads(out.read_text())["seccomp"] is None


def test_a_programs_name_does_not_reach_the_terminal(calls):
    run = calls(KILL, "name")
    assert run.status == SIGSYS and "\x1b" not in run.stderr and "\\u{1b}[31mred" in run.stderr


ALLOWED = """read write close openat open fstat newfstatat lseek mmap mprotect munmap brk pread64 access execve arch_prctl
set_tid_address set_robust_list rseq prlimit64 getrandom fadvise64 exit_group rt_sigaction ioctl futex""".split()


def listed(*without):
    names = ", ".join(f'"{name}"' for name in ALLOWED if name not in without)
    return f'[seccomp]\nprofile = "none"\ndefault = "kill"\nallow = [{names}]\n'


def test_an_allow_list_that_refuses_immure_itself(caller):
    """sendmsg(2), by which immure would tell of a failure or pass the listener, is not among these."""
    assert caller.run(listed(), "/bin/cat", "/etc/hostname").ok.stdout
    run = caller.run(listed(), "/bin/no-such-program")
    assert run.status == 127 and told(run) == []
    run = caller.run(listed("exit_group"), "/bin/no-such-program")
    assert run.status == 127 and told(run) == []
    run = caller.run(listed(), "/bin/mkdir", "/tmp/x")
    assert run.status == SIGSYS and len(told(run)) == 1


def test_an_allow_list_with_errno_that_refuses_immure_itself(caller):
    spec = listed().replace('"kill"', '"EPERM"')
    assert caller.run(spec, "/bin/no-such-program").status == 127


def test_nothing_of_it_is_left_in_the_jail(caller):
    spec = '[seccomp]\nkill = ["ptrace"]\nlog = ["getppid"]'
    facts = caller.facts(spec)
    assert set(facts.fds) <= {0, 1, 2, 3} and not any("seccomp" in target for target in facts.fds.values())
    assert facts["status"]["Seccomp"] == "2" and facts["status"]["NoNewPrivs"] == "1"


@pytest.mark.parametrize(
    "lines", ["[process]\ninit = false\n", 'timeout = "1min"\n[namespaces]\npid = "host"\n[filesystem]\nproc = false\n']
)
def test_without_a_reaper(calls, caller, lines):
    mount = f'[[mount]]\ntarget = "/opt/calls"\ntype = "bind"\nsource = "{calls.path}"\n'
    run = caller.run(lines + mount + KILL, "/opt/calls", "catch")
    assert run.status == SIGSYS and run.stdout == ""
    assert len(told(run)) == 1 and told(run)[0].startswith("ptrace(PTRACE_TRACEME): ")


def test_where_the_listener_cannot_be_passed_the_kernel_kills(calls, caller):
    spec = f'[[mount]]\ntarget = "/opt/calls"\ntype = "bind"\nsource = "{calls.path}"\n[process]\ninit = false\n'
    spec += '[seccomp]\nkill = ["ptrace", "sendmsg"]\n'
    run = caller.run(spec, "/opt/calls", "catch")
    assert run.status == SIGSYS and run.stdout == "" and "SIGSYS" in run.stderr
    plan = caller.verb("plan", str(caller.spec(spec)), "--", "true").ok.stdout
    assert "without an init" in plan


def test_in_direct_mode_the_kernel_kills(calls, caller):
    mount = f'[[mount]]\ntarget = "/opt/calls"\ntype = "bind"\nsource = "{calls.path}"\n'
    spec = '[namespaces]\npid = "host"\n[filesystem]\nproc = false\n' + mount + KILL
    run = caller.run(spec, "/opt/calls")
    assert run.status == -signal.SIGSYS and run.stdout == ""
    assert "no launcher" in caller.verb("plan", str(caller.spec(spec)), "--", "true").ok.stdout


def test_in_a_nested_jail_it_is_the_kernel_that_kills(calls, caller, binary):
    """A process has one listener at most (EBUSY): the inner jail goes without, says so, and is as closed."""
    outer = f'filesystem.ro = ["{binary}", "{calls.path}:/opt/calls"]\nnamespaces.nested = true\n{LOG}'
    script = f"""{binary} run --set 'seccomp.kill=["ptrace"]' --set 'filesystem.ro=["/opt/calls"]' -- /opt/calls catch"""
    run = caller.shell(outer, script + "; echo $?")
    assert run.stdout == f"{SIGSYS}\n", run
    assert "has a listener already" in run.stderr


def test_a_stopped_launcher_holds_the_call_up_and_no_more(calls, caller):
    spec = f'filesystem.ro = ["{calls.path}:/opt/calls"]\n{LOG}'
    process = caller.start(spec, "/opt/calls", "count", "2000", "1")
    time.sleep(0.1)
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGCONT)
    run = caller.finish(process)
    assert run.status == 0 and "1999 more times" in run.stderr


def test_c45_with_the_launcher_the_jail_is_gone(calls, caller):
    """Though its calls wait for an answer; `nobody_left` looks for what outlives the test."""
    spec = f'filesystem.ro = ["{calls.path}:/opt/calls"]\n{LOG}'
    process = caller.start(spec, "/opt/calls", "count", "10000000", "4")
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    assert caller.finish(process).status == -signal.SIGKILL


def test_a_listener_that_the_kernel_refuses_is_reported(calls, caller):
    caller.wrapper = ("/usr/bin/strace", "-f", "-o", "/dev/null", "-e", "inject=seccomp:error=EBUSY:when=1")
    if not os.path.exists(caller.wrapper[0]):
        pytest.skip("no strace")
    out = caller.base / "result.json"
    run = calls(LOG, "count", "1", "1", options=("--result", str(out)))
    # As a user the filter against namespaces is none of this; the first call of the command's process is the listener's.
    assert run.status == 0 and "has a listener already" in run.stderr
    assert any("listener" in note["message"] for note in json.loads(out.read_text())["degraded"])


def test_the_reaper_leaves_the_commands_memory_alone(calls, caller):
    """Until the command executes the two share all of it, errno included: a search in PATH reads that often."""
    spec = caller.spec(KILL + '[environment]\nset = { PATH = "/a:/b:/c:/d:/e:/f:/usr/bin" }')
    for _ in range(8):
        started = [caller.start(spec, "true") for _ in range(8)]
        for process in started:
            assert caller.finish(process, timeout=30).ok.stderr == ""
