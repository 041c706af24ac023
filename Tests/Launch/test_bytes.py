"""Paths are bytes: those that are not UTF-8 are the files that they name, and no others (C117)."""

import json
import os
import random
import subprocess

import pytest

from harness import linux

NAMES = [b"\xff", b"caf\xe9", b"\xf4\x8f\xbf\xbf", "\u00e9".encode(), "e\u0301".encode(), b"\x80" * 200, b"\xc3", b"a\xed\xa0\x80b"]


def names():
    rng = random.Random(int(os.environ.get("IMMURE_SEED", "117")))
    made = [bytes(rng.choice([*range(1, 47), *range(48, 256)]) for _ in range(rng.randrange(1, 40))) for _ in range(4)]
    return NAMES + [name for name in made if name not in (b".", b"..") and not name.startswith(b"-")]


@pytest.fixture(params=names(), ids=lambda name: name.hex()[:16])
def directory(request, caller):
    """A directory of such a name that belongs to the caller, and in which the command may write."""
    path = os.path.join(os.fsencode(caller.directory()), request.param)
    os.mkdir(path)
    caller.own(path)
    os.chmod(path, 0o777)
    return path


def launch(caller, *words, **more):
    return caller.finish(popen(caller, [os.fsencode(word) for word in (caller.binary, *words)], **more))


def popen(caller, argv, **more):
    settings = {
        "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": caller.base,
        "env": caller.environment(), "process_group": 0, **caller.account(), **more,
    }
    process = subprocess.Popen(argv, **settings)
    linux.started.add(process.pid)
    return process


def file(caller, path, content, mode=0o644):
    with open(path, "wb") as out:
        out.write(content)
    os.chmod(path, mode)
    caller.own(path)


def test_c117_a_spec_and_what_it_extends(caller, directory):
    file(caller, directory + b"/base.toml", b'hostname = "byte"\n')
    file(caller, directory + b"/s.toml", b'extends = ["base.toml"]\n')
    assert launch(caller, "run", directory + b"/s.toml", "--", "/bin/hostname").ok.stdout == "byte\n"


def test_c117_the_current_directory(caller, directory):
    file(caller, directory + b"/s.toml", b'cwd = "${PWD}"\n[filesystem]\nrw = ["${PWD}"]\n')
    before = sorted(os.listdir(os.path.dirname(directory)))
    launch(caller, "run", "s.toml", "--", "/bin/sh", "-c", "pwd >made", cwd=directory).ok
    with open(directory + b"/made", "rb") as made:
        assert made.read().rstrip(b"\n") == directory
    assert sorted(os.listdir(os.path.dirname(directory))) == before


def test_c117_the_result(caller, directory):
    before = sorted(os.listdir(os.path.dirname(directory)))
    launch(caller, "run", "--result", directory + b"/r\xfe.json", "--", "/bin/true").ok
    assert os.listdir(directory) == [b"r\xfe.json"] and sorted(os.listdir(os.path.dirname(directory))) == before
    with open(directory + b"/r\xfe.json") as result:
        assert json.load(result)["exit"] == 0


def test_c117_the_command(caller, directory):
    file(caller, directory + b"/run\xff", b"#!/bin/sh\necho ran \"$1\"\n", mode=0o755)
    spec = directory + b"/s.toml"
    file(caller, spec, b'[filesystem]\nro = ["${PWD}"]\n')
    answer = launch(caller, "run", spec, "--", directory + b"/run\xff", "word", cwd=directory).ok
    assert answer.stdout == "ran word\n"


def test_c117_arguments_and_variables(caller, directory):
    name = os.path.basename(directory)
    process = popen(
        caller, [os.fsencode(caller.binary), b"run", b"--set", b"environment.keep=['X']", b"--", b"/usr/bin/printenv", b"X"],
        env={**{os.fsencode(k): os.fsencode(v) for k, v in caller.environment().items()}, b"X": name})
    out, err = process.communicate()
    assert out == name + b"\n", err


def test_c117_a_missing_one_is_named_and_no_other_is_made(caller, directory):
    before = sorted(os.listdir(directory))
    run = launch(caller, "run", directory + b"/none.toml", "--", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "none.toml" in run.stderr
    assert sorted(os.listdir(directory)) == before


def test_c117_two_spellings_of_a_letter_are_two_files(caller):
    """To Unicode they are equal, to the kernel they are not."""
    place = caller.directory()
    for name in ("\u00e9", "e\u0301"):
        caller.file(place / name, "secret")
    spec = f'[filesystem]\nro = ["{place}:/there"]\nhide = ["/there/\u00e9", "/there/e\u0301"]\n'
    run = caller.shell(spec, "cat /there/*; echo end")
    assert run.stdout == "end\n", run


def test_c117_characters_that_stand_for_bytes_are_refused_in_a_spec(caller):
    run = caller.run('[filesystem]\nro = ["/tmp/\U0010ffff:/x"]', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "stands for a byte" in run.stderr
