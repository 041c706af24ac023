"""Exit status: env(1), chroot(1), timeout(1) and the shell (C48)."""

import signal

import pytest

from harness.patience import patient, reached


@pytest.mark.parametrize("status", [0, 1, 2, 7, 42, 99, 123, 124, 125, 126, 127, 128, 200, 255])
def test_t32_the_status_of_the_command_is_the_status(caller, status):
    run = caller.shell(None, f"exit {status}")
    assert run.status == status
    assert run.stderr == ""


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "KILL", "SEGV", "ABRT", "TERM", "SYS", "PIPE", "USR1"])
def test_t32_a_command_killed_by_a_signal_gives_128_and_the_number(caller, name):
    run = caller.shell("[rlimits]\ncore = 0", f"kill -{name} $$; sleep 5")
    assert run.status == 128 + getattr(signal, "SIG" + name)


def test_t32_a_realtime_signal_counts_too(caller):
    assert caller.shell(None, "kill -40 $$; sleep 5").status == 168


def test_t32_a_command_that_is_not_there_gives_127(caller):
    run = caller.run(None, "/usr/bin/no-such-program")
    assert run.status == 127
    assert "no-such-program" in run.stderr and ("ENOENT" in run.stderr or "no such file" in run.stderr)


def test_t32_a_name_that_is_not_in_path_gives_127(caller):
    run = caller.run(None, "no-such-program")
    assert run.status == 127 and "no-such-program" in run.stderr


def test_t32_a_file_that_is_not_executable_gives_126(caller):
    run = caller.run(None, "/etc/passwd")
    assert run.status == 126 and "EACCES" in run.stderr


def test_t32_a_directory_gives_126(caller):
    assert caller.run(None, "/usr/bin").status == 126


def test_t32_a_file_of_no_known_format_gives_126(caller):
    program = caller.file(caller.directory() / "garbage", b"\x01\x02\x03\x04", mode=0o755)
    run = caller.run(f'[filesystem]\nro = ["{program}:/opt/garbage"]', "/opt/garbage")
    assert run.status == 126 and "ENOEXEC" in run.stderr


def test_t32_a_kernel_refusal_gives_125_and_nothing_runs(caller):
    run = caller.shell('[filesystem]\nro = ["/no/such/source:/opt/x"]', "echo ran")
    assert run.status == 125 and run.stdout == ""


def test_t32_a_bad_spec_gives_125_and_nothing_runs(caller):
    run = caller.shell("nonsense = 1", "echo ran")
    assert run.status == 125 and run.stdout == ""


@pytest.mark.parametrize("words", [["run", "--no-such-option"], ["no-such-verb", "--what"], ["run", "--set"]])
def test_t32_bad_usage_gives_125(caller, words):
    run = caller.verb(*words)
    assert run.status == 125 and run.stdout == "" and run.stderr != ""


def test_t32_no_command_at_all_gives_125(caller):
    run = caller.run("")
    assert run.status == 125 and "command" in run.stderr


def test_an_empty_command_gives_125(caller):
    assert caller.run("command = []").status == 125


def test_the_timeout_gives_124(caller):
    # With the line that did it, as of every end that is not the command's own; and whatever the command makes of SIGTERM.
    def ended(first, grace):
        def by(seconds):
            run = caller.shell(f'timeout = "{seconds}s"\ngrace = "{grace}"', f"{first}; echo ready; sleep 1000; sleep 1000")
            assert run.status == 124, run
            return run if run.stdout else None

        return reached(by)

    run = ended(":", "60s")
    assert "spec.toml:1:" in run.stderr and run.stderr.endswith(": timeout: the command was ended\n"), run.stderr
    run = ended("trap '' TERM", "100ms")
    assert run.stderr.count("immure: ") == 1 and "spec.toml:1:" in run.stderr, run.stderr
    assert run.stderr.endswith(": timeout: the command was killed, as it had not ended 100 ms after SIGTERM\n"), run.stderr
    assert caller.run('timeout = "20s"', "/bin/true").ok.stderr == ""


def test_a_command_of_the_spec_runs(caller):
    assert caller.run('command = ["/bin/echo", "from the spec"]').ok.stdout == "from the spec\n"


def test_the_command_line_replaces_the_command_of_the_spec(caller):
    assert caller.run('command = ["/bin/false"]', "/bin/echo", "hi").ok.stdout == "hi\n"


def test_arguments_arrive_as_they_were_given(caller):
    words = ["", " ", "--", "-x", "a b", "'", "$HOME", "ü", "--set", "\n"]
    run = caller.run(None, "/usr/bin/printf", "[%s]", *words).ok
    assert run.stdout == "".join(f"[{word}]" for word in words)


def test_bytes_that_are_not_utf8_arrive_as_they_were_given(caller):
    argv = [*caller.line(None, ["/usr/bin/printf", "%s"])[0], b"\xff\xfe"]
    process = caller.popen(
        [
            "/usr/bin/python3",
            "-c",
            "import os,sys; os.execv(sys.argv[1].encode(), [a.encode() for a in sys.argv[1:]] + [b'\\xff\\xfe'])",
            *argv[:-1],
        ]
    )
    out, err = process.communicate(timeout=patient(10))
    assert (process.returncode, out) == (0, b"\xff\xfe"), err


def test_t01_the_smallest_launch_says_nothing(caller):
    run = caller.run(None, "/bin/true")
    assert (run.status, run.stdout, run.stderr) == (0, "", "")


def test_output_is_complete_even_when_the_command_dies_by_a_signal(caller):
    run = caller.shell(None, "head -c 300000 /dev/zero | tr '\\0' x; kill -KILL $$")
    assert run.status == 137 and len(run.stdout) == 300000


def test_standard_input_reaches_the_command(caller):
    text = "line\n" * 50000
    assert caller.run(None, "/bin/cat", stdin=text).ok.stdout == text


def test_a_spec_behind_a_hash_bang_runs(caller):
    text = f'#!/usr/bin/env -S {caller.binary} run\ncommand = ["/bin/echo", "scripted"]\n'
    script = caller.file(caller.directory() / "script.toml", text, mode=0o755)
    assert caller.finish(caller.popen([script])).ok.stdout == "scripted\n"


def test_a_spec_as_the_only_word_runs_with_arguments(caller):
    spec = caller.spec('command = ["/bin/echo", "one"]')
    assert caller.verb(str(spec)).ok.stdout == "one\n"


def test_what_set_says_overrides_the_spec(caller):
    run = caller.run('hostname = "first"', "/bin/uname", "-n", options=["--set", 'hostname="second"'])
    assert run.ok.stdout == "second\n"


def test_a_bad_set_is_refused_by_name(caller):
    run = caller.run("", "/bin/true", options=["--set", "no.such.key=1"])
    assert run.status == 125 and "--set" in run.stderr and "no" in run.stderr
