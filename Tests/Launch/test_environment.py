"""[environment]: starts empty but for a few names set for the jail (C15, T08)."""

from harness.patience import Spent

HOSTILE = {
    "LD_PRELOAD": "/evil.so",
    "LD_LIBRARY_PATH": "/evil",
    "LD_AUDIT": "/evil.so",
    "GLIBC_TUNABLES": "glibc.malloc.check=3",
    "BASH_ENV": "/evil",
    "ENV": "/evil",
    "PYTHONPATH": "/evil",
    "BASH_FUNC_x%%": "() { echo evil; }",
    "NOTIFY_SOCKET": "/run/systemd/notify",
    "LISTEN_FDS": "2",
    "LISTEN_PID": "1",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus",
    "SSH_AUTH_SOCK": "/tmp/agent",
    "SSLKEYLOGFILE": "/tmp/keys",
    "LANG": "de_DE.UTF-8",
    "LC_ALL": "C",
    "LC_TIME": "C",
    "SWIFT_BACKTRACE": "enable=yes",
    "IFS": "x",
    "EMPTY": "",
    "TERM": "xterm-256color",
}
ALWAYS = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG"}


def test_t08_c15_nothing_of_the_caller_is_passed_on(caller):
    environ = caller.facts(env=HOSTILE).environ
    assert set(environ) <= ALWAYS and {"PATH", "HOME", "USER", "LOGNAME", "SHELL"} <= set(environ)
    assert environ["LANG"] == "C.UTF-8"


def test_the_names_that_are_set_fit_the_jail(caller):
    environ = caller.facts(env={**HOSTILE, "PATH": "/evil", "HOME": "/evil", "USER": "evil", "SHELL": "/evil"}).environ
    assert "/usr/bin" in environ["PATH"].split(":") and not {"", "."} & set(environ["PATH"].split(":"))
    assert "evil" not in " ".join(environ.values())
    assert environ["USER"] == environ["LOGNAME"] == ("nobody" if caller.is_root else caller.login)


def test_kept_names_are_kept_with_their_values(caller):
    environ = caller.facts('[environment]\nkeep = ["LANG", "LC_*", "EMPTY", "NOT_THERE"]', env=HOSTILE).environ
    assert {name: environ.get(name) for name in ("LANG", "LC_ALL", "LC_TIME", "EMPTY")} == {
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "C",
        "LC_TIME": "C",
        "EMPTY": "",
    }
    assert "NOT_THERE" not in environ and set(environ) <= ALWAYS | {"LANG", "LC_ALL", "LC_TIME", "EMPTY"}


def test_keep_of_a_star_keeps_all(caller):
    environ = caller.facts('[environment]\nkeep = ["*"]', env={"ONE": "1", "TWO": "2"}).environ
    assert environ["ONE"] == "1" and environ["TWO"] == "2"


def test_set_names_are_set_and_win(caller):
    environ = caller.facts(
        '[environment]\nkeep = ["LANG"]\nset = { LANG = "C.UTF-8", CC = "gcc", EMPTY = "", PATH = "/usr/bin" }',
        env=HOSTILE,
    ).environ
    assert {name: environ[name] for name in ("LANG", "CC", "EMPTY", "PATH")} == {
        "LANG": "C.UTF-8",
        "CC": "gcc",
        "EMPTY": "",
        "PATH": "/usr/bin",
    }


def test_a_value_is_taken_literally(caller):
    environ = caller.facts('[environment]\nset = { X = "a b\\n=\\"c\\" ü $HOME" }').environ
    assert environ["X"] in ('a b\n="c" ü $HOME',)


def test_a_value_expands_as_a_path_does(caller):
    spec = """environment.set = { A = "${HERE}/bin", B = "~/bin", C = "$${HERE} ~", D = "~x $HERE" }"""
    run = caller.shell(spec, 'echo "$A|$B|$C|$D"', env={"HERE": "/here"}).ok
    assert run.stdout == f"/here/bin|{caller.home}/bin|${{HERE}} ~|~x $HERE\n"
    run = caller.run('environment.set = { A = "${NOT_SET}" }', "/bin/true")
    assert run.status == 125 and "spec.toml:1:" in run.stderr and "NOT_SET is not set" in run.stderr


def test_without_defaults_it_starts_empty(caller):
    assert caller.run("environment.defaults = false", "/usr/bin/env", env=HOSTILE).ok.stdout == ""
    spec = '[environment]\ndefaults = false\nkeep = ["LC_*"]\nunset = ["LC_ALL"]\nset = { A = "1" }'
    assert caller.run(spec, "/usr/bin/env", env=HOSTILE).ok.stdout == "LC_TIME=C\nA=1\n"


def test_directories_that_go_before_path(caller, compiled):
    place = compiled("hello").parent
    spec = f'[filesystem]\nro = ["{place}:/opt/tools"]\n[environment]\npath = ["/opt/tools"]'
    assert caller.run(spec, "hello").ok.stdout == "hello\n"
    assert caller.facts(spec).environ["PATH"].startswith("/opt/tools:/usr/local/sbin:")


def test_the_locale_by_default_takes_an_umlaut(caller):
    code = "import json, sys; print(json.dumps([sys.getfilesystemencoding(), __import__('locale').getencoding()]))"
    assert [name.lower() for name in caller.python(None, code)] == ["utf-8", "utf-8"]


def test_no_name_comes_twice(caller):
    names = [
        line.split("=")[0]
        for line in caller.facts('[environment]\nkeep = ["PATH", "HOME"]\nset = { PATH = "/usr/bin" }')["environ"]
    ]
    assert len(names) == len(set(names))


def test_c15_broken_environments_do_no_harm(caller):
    # execve(2) takes any strings: names without `=`, doubled names, no name at all.
    code = (
        "import ctypes, sys\nlibc = ctypes.CDLL(None)\n"
        "argv = [a.encode() for a in sys.argv[1:]]\n"
        "env = [b'NOEQUALS', b'=nameless', b'', b'DOUBLE=1', b'DOUBLE=2', b'PATH=/usr/bin:/bin', b'HOME=/', b'BAD=\\xff']\n"
        "make = lambda words: (ctypes.c_char_p * (len(words) + 1))(*words, None)\n"
        "libc.execve(argv[0], make(argv), make(env))"
    )
    argv, _ = caller.line('[environment]\nkeep = ["*"]', ["/bin/cat", "/proc/self/environ"])
    run = caller.finish(caller.popen(["/usr/bin/python3", "-c", code, *argv]))
    assert run.status == 0
    names = [entry.split("=")[0] for entry in run.stdout.split("\0") if entry]
    assert "NOEQUALS" not in run.stdout or "NOEQUALS" not in names
    assert len(names) == len(set(names)) and "" not in names


def test_an_empty_environment_is_enough(caller):
    process = caller.popen(["/usr/bin/env", "-i", *caller.line(None, ["/bin/echo", "ran"])[0]])
    assert caller.finish(process).ok.stdout == "ran\n"


def test_the_command_is_found_by_the_jails_path(caller):
    assert caller.run(None, "echo", "found", env={"PATH": "/nowhere"}).ok.stdout == "found\n"


def test_a_command_of_a_set_path_is_found(caller, compiled):
    place = compiled("hello").parent
    spec = f'[filesystem]\nro = ["{place}:/opt/tools"]\n[environment]\nset = {{ PATH = "/opt/tools:/usr/bin" }}'
    assert caller.run(spec, "hello").ok.stdout == "hello\n"


def test_the_launcher_obeys_no_variable_of_the_loader(caller):
    assert caller.run(None, "/bin/echo", "ran", env=HOSTILE).ok.stderr == ""


def test_a_large_environment(caller):
    env = {f"NAME{i}": "x" * 1000 for i in range(1000)}
    assert caller.run('[environment]\nkeep = ["NAME*"]', "/usr/bin/env", env=env).ok.stdout.count("\nNAME") == 1000


def test_an_environment_of_sixty_thousand(caller):
    """Its building was quadratic, 47 s. Names as short as these are what execve(2) takes of so many."""
    caller.wrapper = ("/usr/bin/python3", "-I", "-S", "-c", MANY)
    script = "env | grep -c '^N'"
    with Spent() as plain:
        assert caller.finish(caller.popen([*caller.wrapper, "/bin/sh", "-c", script])).ok.stdout == "60000\n"
    with Spent() as spent:
        assert caller.shell('environment.keep = ["N*"]', script).ok.stdout == "60000\n"
    assert spent.seconds - plain.seconds < 0.5, f"{spent.seconds} s of the processor's time, {plain.seconds} s without a jail"


MANY = """
import os, sys
os.execve(sys.argv[1], sys.argv[1:], {**os.environ, **{f"N{i}": "" for i in range(60000)}})
"""
