"""`immure run --why`: what the jail kept from the command, each with the line that opens it, which is followed here."""

import re

import pytest

LINE = re.compile(r"^immure: note: why: (.*): ([a-z_]+\.[a-z_]+) = (.*)$", re.MULTILINE)


def reasons(run):
    return [(words, f"{key}={value}") for words, key, value in LINE.findall(run.stderr)]


def why(caller, script, *options, spec=None, word="--why"):
    return caller.run(spec, "/bin/sh", "-c", script, options=[word, *options])


def test_a_path_that_is_missing(caller):
    place = caller.directory()
    caller.file(place / "f", "x\n")
    run = why(caller, f"cat {place}/f")
    assert run.status != 0 and f"{place}/f is missing in the jail, and there on the host" in reasons(run)[0][0], run
    assert why(caller, f"cat {place}/f", "--set", reasons(run)[0][1]).ok


def test_a_write_to_what_is_read_only_comes_first(caller):
    place = caller.open_directory()
    spec = caller.spec(f'[filesystem]\nro = ["{place}"]\n')
    run = why(caller, f"test -e /var/lib/dpkg; echo x > {place}/new", spec=spec)
    words, line = reasons(run)[0]
    assert run.status != 0 and words.startswith(f"{place} is read-only in the jail"), run
    assert caller.run(None, "/bin/sh", "-c", f"echo x > {place}/new", options=["--set", line]).ok
    assert (place / "new").read_text() == "x\n"


@pytest.mark.parametrize("call", ["mkdir", "rm", "chmod", "mv"])
def test_other_changes(caller, call):
    place = caller.open_directory()
    caller.file(place / "old", "x", 0o666)
    script = {"mkdir": "mkdir d", "rm": "rm -f old", "chmod": "chmod 600 old", "mv": "mv old young"}[call]
    run = why(caller, f"cd {place}; {script}", spec=caller.spec(f'[filesystem]\nro = ["{place}"]\n'))
    assert run.status != 0 and re.match(f"{place}(/old)? is read-only", reasons(run)[0][0]), run


def test_an_address_out_of_the_network(caller):
    code = "import socket; socket.socket().connect(('192.0.2.1', 80))"
    run = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"])
    assert run.status == 1 and ("network.mode=\"host\"" in [line for _, line in reasons(run)]), run
    assert "192.0.2.1:80 is out of the jail's network (connect, python3)" in run.stderr


def test_a_call_that_the_filter_refuses(caller):
    code = "import ctypes, sys; sys.exit(ctypes.CDLL(None, use_errno=True).mount(b'a', b'/tmp', b'tmpfs', 0, None) != 0 and ctypes.get_errno())"
    plain = caller.run(None, "/usr/bin/python3", "-c", code)
    run = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"])
    assert run.status == plain.status == 1, run
    assert reasons(run)[0] == ("mount is refused by the filter (mount, python3)", 'seccomp.allow=["mount"]')


def test_the_answers_of_the_filter_are_the_same_with_and_without(caller):
    """Refused whatever the arguments, refused for some, answered with ENOSYS, and made: none of them does anything."""
    code = """
import ctypes, json
call = ctypes.CDLL(None, use_errno=True).syscall
found = []
for words in ((165, 0, 0, 0, 0, 0), (166, 0, 0), (250, 0, -3, 0), (321, 0, 0, 0), (298, 0, -1, -1, -1, -1), (272, 0x10000000),
              (308, -1, 0), (425, 0, 0), (435, 0, 0), (323, -1), (246, 0, 0, 0, -1), (167, 0, 0), (175, 0, 0, 0), (41, 40, 1, 0),
              (41, 16, 3, 0), (41, 1, 1, 0), (16, 0, 0x5412, 0), (135, 8), (2, 0, 0), (2, b"/none", 0), (83, b"/proc/x", 0),
              (87, b"/none"), (90, b"/none", 0), (42, -1, 0, 0), (999, 0)):
    ctypes.set_errno(0)
    call(*words)
    found.append((words[0], ctypes.get_errno()))
print(json.dumps(found))
"""
    plain = caller.run(None, "/usr/bin/python3", "-c", code, timeout=60)
    seen = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"], timeout=60)
    assert seen.status == plain.status == 0 and seen.stdout == plain.stdout


def test_a_device_and_a_socket(caller):
    place = caller.open_directory()
    import socket

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{place}/s")
        (place / "s").chmod(0o777)
        listening.listen()
        code = f"import socket; socket.socket(socket.AF_UNIX).connect('{place}/s')"
        run = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"])
        assert f'filesystem.ro=["{place}/s"]' in [line for _, line in reasons(run)], run
        caller.run(None, "/usr/bin/python3", "-c", code, options=["--set", f'filesystem.ro=["{place}/s"]']).ok


def test_all_and_a_few(caller):
    places = [caller.directory() for _ in range(8)]
    for place in places:
        caller.file(place / "f", "x")
    script = "cat " + " ".join(f"{place}/f" for place in places)
    few, everything = why(caller, script), why(caller, script, word="--why=all")
    assert len(reasons(few)) == 5 and " more with --why=all" in few.stderr
    assert all(f"{place}/f is missing" in everything.stderr for place in places)


def test_nothing_is_said_where_nothing_was_kept(caller):
    run = caller.run(None, "/bin/true", options=["--why"])
    assert run.status == 0 and "why: nothing was refused or missing in the jail" in run.stderr, run


def test_what_cannot_be_watched_is_refused(caller):
    run = caller.run('seccomp.profile = "none"\n', "/bin/true", options=["--why"])
    assert run.status == 125 and "--why: without a filter" in run.stderr


def test_status_output_and_input_are_the_command_s(caller):
    run = caller.run(None, "/bin/sh", "-c", "cat; exit 7", options=["--why"], stdin="in\n")
    assert (run.status, run.stdout) == (7, "in\n")
