"""seccomp.bpf: filters that others have compiled, beside the spec's own."""

import json
import os
import struct

import pytest

from harness.patience import reached

LOAD, EQUAL, ANSWER = 0x20, 0x15, 0x06
ALLOW, KILL, ENODATA = 0x7FFF0000, 0x80000000, 0x00050000 | 61
MKDIR, GETPID, EXECVE, OPENAT = 83, 39, 59, 257


def program(*rows):
    return b"".join(struct.pack("<HBBI", *row) for row in rows)


def answering(number, value):
    """One call is answered so, the others are made."""
    return program((LOAD, 0, 0, 0), (EQUAL, 0, 1, number), (ANSWER, 0, 0, value), (ANSWER, 0, 0, ALLOW))


def launch(caller, programs, spec="", *command, kind="file"):
    numbers = []
    for text in programs:
        if kind == "pipe":
            read, write = os.pipe()
            os.write(write, text)
            os.close(write)
        else:
            read = os.memfd_create("filter")
            os.write(read, text)
            os.lseek(read, 0, os.SEEK_SET)
        numbers.append(read)
    try:
        return caller.run(f"[seccomp]\nbpf = {numbers}\n" + spec, *command, pass_fds=numbers)
    finally:
        for number in numbers:
            os.close(number)


PROBE = """
import ctypes, json, os
def errno(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    return 0 if libc.syscall(number, *arguments) >= 0 else ctypes.get_errno()
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({"mkdir": errno(83, b"/tmp/x", 0o755), "keyctl": errno(250, 0, 0), "getpid": errno(39),
                  "filters": int(status["Seccomp_filters"]), "fds": sorted(map(int, os.listdir("/proc/self/fd")))}))
"""
COMMAND = ("/usr/bin/python3", "-I", "-S", "-c", PROBE)


@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_it_holds_beside_the_specs_own(caller, kind):
    plain = json.loads(caller.run("", *COMMAND).ok.stdout)
    found = json.loads(launch(caller, [answering(MKDIR, ENODATA)], "", *COMMAND, kind=kind).ok.stdout)
    assert (plain["mkdir"], found["mkdir"]) == (0, 61) and found["keyctl"] == 1 and found["getpid"] == 0
    assert found["filters"] == plain["filters"] + 1 and found["fds"][:3] == [0, 1, 2] and len(found["fds"]) == 4


def test_several_and_the_strictest_answer(caller):
    both = [answering(MKDIR, ENODATA), answering(GETPID, ENODATA)]
    found = json.loads(launch(caller, both, 'profile = "none"', *COMMAND).ok.stdout)
    assert (found["mkdir"], found["getpid"], found["filters"]) == (61, 61, json.loads(caller.run('[seccomp]\nprofile = "none"', *COMMAND).ok.stdout)["filters"] + 2)
    run = launch(caller, [answering(MKDIR, KILL)], 'deny = ["mkdir"]', *COMMAND)
    assert run.status == 159, run


def test_a_filter_that_refuses_what_a_launch_asks_is_no_matter_but_execve_is(caller):
    """Nothing is asked of the kernel after it."""
    for number in (OPENAT, 0, 17, 157, 39, 186):
        run = launch(caller, [answering(number, KILL)], "", "/bin/sh", "-c", "exit 3")
        assert run.status in (3, 159), run
    run = launch(caller, [answering(OPENAT, ENODATA)], "", "/bin/true")
    assert run.status == 127 and "immure" not in run.stderr, run
    run = launch(caller, [answering(EXECVE, ENODATA)], "", "/bin/true")
    assert run.status in (125, 126) and "execve: ENODATA" in run.stderr, run


@pytest.mark.parametrize("text", [b"", b"x" * 8, b"x" * 9, answering(1, ALLOW) + b"1", answering(1, ALLOW)[:-8],
                                  program((ANSWER, 0, 0, ALLOW)) * 4097, program((EQUAL, 9, 9, 0), (ANSWER, 0, 0, ALLOW))])
def test_what_is_no_filter_stops_the_launch(caller, text):
    run = launch(caller, [text], "", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:2:7: install compiled filters: " in run.stderr, run
    assert "hint: a filter is an array of struct sock_filter" in run.stderr
    assert launch(caller, [answering(1000, ENODATA)], "", "/bin/echo", "ran").ok.stdout == "ran\n"


def test_a_descriptor_that_is_not_open(caller):
    run = caller.run("[seccomp]\nbpf = [77]", "true")
    assert run.status == 125 and "spec.toml:2:7: seccomp.bpf: descriptor 77 is not open" in run.stderr
    read = os.memfd_create("filter")
    os.write(read, answering(1000, ENODATA))
    os.lseek(read, 0, os.SEEK_SET)
    try:
        assert caller.run(f"[seccomp]\nbpf = [{read}]", "true", pass_fds=[read]).status == 0
    finally:
        os.close(read)


@pytest.mark.parametrize("more, remedy", [('deny = ["seccomp"]', 'allow = ["seccomp"]'), ("[process]\nno_new_privs = false", "[process]\nno_new_privs = true")])
def test_what_keeps_it_from_being_installed(caller, more, remedy):
    run = launch(caller, [answering(MKDIR, ENODATA)], more, "true")
    assert run.status == 125 and "spec.toml:2:7: seccomp.bpf: " in run.stderr and "hint: " in run.stderr, run
    assert launch(caller, [answering(MKDIR, ENODATA)], remedy, "true").status == 0


def test_descriptors_of_the_command_are_not_taken(caller):
    run = caller.run("[seccomp]\nbpf = [1]", "true")
    assert run.status == 125 and "spec.toml:2:8: seccomp.bpf: 1 is the command's own" in run.stderr, run
    assert "hint: open the filter on 3 or above" in run.stderr
    assert launch(caller, [answering(1000, ENODATA)], "", "true").status == 0


def test_a_pipe_that_nobody_writes_to_does_not_hold_the_deadline_up(caller):
    read, write = os.pipe()
    try:
        def came_to_it(seconds):
            run = caller.run(f'timeout = "{seconds}s"\n[seccomp]\nbpf = [{read}]\n', "/bin/echo", "ran", pass_fds=[read])
            assert run.status == 124 and run.stdout == "", run
            return "read the compiled filters: the timeout was over" in run.stderr

        assert reached(came_to_it)
    finally:
        os.close(read)
        os.close(write)
