"""--result FILE|FD:n: one JSON object about the end."""

import json
import os
import subprocess

import pytest


def results(caller):
    return caller.open_directory() / "result.json"


def test_a_file_says_how_the_command_ended(caller):
    file = results(caller)
    run = caller.shell(None, "exit 7", options=["--result", str(file)])
    answer = json.loads(file.read_text())
    assert run.status == 7 and answer["exit"] == 7 and not answer.get("signal")


def test_a_descriptor_says_how_the_command_ended(caller):
    end, start = os.pipe()
    run = caller.shell(None, "kill -KILL $$", options=["--result", f"FD:{start}"], pass_fds=(start,))
    os.close(start)
    with os.fdopen(end) as file:
        answer = json.loads(file.read())
    assert run.status == 137 and answer["signal"] in (9, "KILL", "SIGKILL")


def test_the_result_descriptor_is_not_the_commands(caller):
    end, start = os.pipe()
    facts = caller.facts(None, options=["--result", f"FD:{start}"], pass_fds=(start,))
    os.close(start)
    os.close(end)
    assert set(facts.fds) <= {0, 1, 2}


def test_it_counts_time_and_memory(caller):
    file = results(caller)
    code = "import time; data = bytearray(40 << 20)\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    caller.run(None, "/usr/bin/python3", "-c", code, options=["--result", str(file)]).ok
    numbers = json.loads(file.read_text())
    flat = json.dumps(numbers)
    assert len(numbers) >= 5, flat
    assert any("wall" in key for key in numbers) and any("cpu" in key or "user" in key for key in numbers), flat
    assert any("memory" in key or "rss" in key for key in numbers), flat


def test_a_timeout_is_told(caller):
    file = results(caller)
    assert caller.run('timeout = "200ms"', "/bin/sleep", "20", options=["--result", str(file)]).status == 124
    answer = json.loads(file.read_text())
    assert answer["timed_out"] is True and answer["status"] == 124


def test_what_was_degraded_is_told(caller):
    file = results(caller)
    spec = '[[mount]]\ntarget = "/opt/x"\ntype = "bind"\nsource = "/no/such/place"\noptional = true'
    run = caller.run(spec, "/bin/true", options=["--result", str(file)])
    assert run.status == 0
    assert "/opt/x" in file.read_text() or "/no/such/place" in file.read_text()


def test_c10_a_result_file_planted_as_a_symlink_is_refused(caller):
    place = caller.directory()
    victim = caller.file(place / "victim", "precious")
    (place / "result.json").symlink_to(victim)
    run = caller.run(None, "/bin/echo", "ran", options=["--result", str(place / "result.json")])
    assert victim.read_text() == "precious"
    assert run.status == 125 and run.stdout == "" and ("ELOOP" in run.stderr or "symbolic link" in run.stderr)


def test_c10_a_hostile_tmpdir_changes_nothing(caller):
    place = caller.directory()
    for value in (str(place), "/no/such/place", "/proc/1"):
        caller.run(None, "/bin/true", env={"TMPDIR": value}).ok
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("where", ["/no/such/dir/result", "FD:", "FD:x", "FD:-1", "FD:999", ""])
def test_a_result_that_cannot_be_written_is_an_error_before_anything_runs(caller, where):
    run = caller.run(None, "/bin/echo", "ran", options=["--result", where])
    assert run.status == 125 and run.stdout == ""
    assert "result" in run.stderr


def test_a_failed_launch_is_told_too(caller):
    file = results(caller)
    run = caller.run('[filesystem]\nro = ["/no/such/source:/opt/x"]', "/bin/true", options=["--result", str(file)])
    assert run.status == 125
    if file.exists() and file.read_text():
        assert json.loads(file.read_text()).get("exit") in (125, None)


def test_a_result_in_a_full_pipe_does_not_hang(caller):
    end, start = os.pipe()
    os.set_blocking(start, False)
    try:
        while True:
            os.write(start, b"x" * 4096)
    except BlockingIOError:
        pass
    caller.run(None, "/bin/true", options=["--result", f"FD:{start}"], pass_fds=(start,), timeout=10)
    os.close(start)
    os.close(end)


MOVES = {
    "another directory": "mv out old && mkdir out",
    "a forged result": "mv out old && mkdir out && echo '{\"status\":0}' > out/result.json",
    "a link to a directory": "mv out old && mkdir other && echo '{\"status\":0}' > other/result.json && ln -s other out",
    "a link to where it went": "mv out old && ln -s old out",
    "nothing": "mv out old",
}


@pytest.mark.parametrize("by", ["the jail", "another process"])
@pytest.mark.parametrize("left", MOVES)
def test_a9_a_result_that_its_path_does_not_lead_to_is_told(caller, left, by):
    """The directory is held, so that the result goes where it was moved to: who reads at the path must not believe what is there."""
    place = caller.open_directory()
    (place / "out").mkdir()
    (place / "out").chmod(0o777)
    spec, options = f'[filesystem]\nrw = ["{place}:/w"]', ["--result", str(place / "out/result.json")]
    if by == "the jail":
        run = caller.shell(spec, f"cd /w && {MOVES[left]}; exit 7", options=options)
    else:
        process = caller.start(spec, "/bin/sh", "-c", "echo; while [ ! -e /w/go ]; do sleep 0.05; done; exit 7", options=options)
        process.stdout.readline()
        subprocess.run(["/bin/sh", "-c", f"{MOVES[left]}; touch go"], cwd=place, check=True)
        run = caller.finish(process)
    assert run.status == 7, run
    (warning,) = [line for line in run.stderr.splitlines() if "--result" in line]
    assert warning.startswith(f'immure: warning: --result "{place}/out/result.json": moved or replaced while the jail ran: '), run
    assert warning.endswith(f'; it was written to "{place}/old/result.json"'), run
    assert json.loads((place / "old/result.json").read_text())["status"] == 7


@pytest.mark.parametrize("kind", ["new", "there", "relative"])
def test_a9_nothing_is_said_of_a_result_where_it_was_wanted(caller, kind):
    place = caller.open_directory()
    path = place / "result.json"
    if kind == "there":
        caller.file(path, "{}")
    run = caller.shell(None, "exit 7", options=["--result", "result.json" if kind == "relative" else str(path)], cwd=place)
    assert run.status == 7 and run.stderr == "" and json.loads(path.read_text())["status"] == 7, run
