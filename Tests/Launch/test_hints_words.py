"""Hints of the command line, of files that others could write and of a manager's environment: each is printed, then followed."""

import os
import shlex
import socket
import subprocess

import pytest

from harness.hints import gone, settings, told

TRUE = "/bin/true"


def immure(caller, line, **more):
    """A command line of a shell in which immure is the binary; cwd has a spec that starts nothing but true."""
    caller.file(caller.base / "spec.toml", 'command = ["/bin/true"]\n')
    caller.file(caller.base / "script.sh", "#!/bin/sh\ntrue\n", 0o755)
    return caller.finish(caller.popen(["/bin/sh", "-c", f'immure() {{ {shlex.quote(caller.binary)} "$@"; }}\n{line}'], **more))


# Each is a command line, the templates of its hint, and the command lines that follow it.
LINES = [
    ("immure --result FD:2 spec.toml", ("a launch with options or without a spec is written: immure run …",), ("immure run --result FD:3 spec.toml 3>&1",)),
    ("immure run --result FD:2 spec.toml", ("give it a descriptor of its own: {} FD:3 3>&1",), ("immure run {after:its own: } spec.toml",)),
    ("immure run --unknown spec.toml", ("options of the command go after --; the first line of a script is `#!/usr/bin/env -S immure`",), ("immure run spec.toml -- /bin/echo --unknown",)),
    ("echo 'filesystem.ro = [\"${SHOWN}:/x\"]' >shown.toml; immure run shown.toml -- /bin/true", ("set it for immure: {}=… immure …; check and unit take --env {}=…",),
     ("export SHOWN=/usr; immure run shown.toml -- /bin/true", "immure check --env SHOWN=/usr shown.toml", "immure unit --user --env SHOWN=/usr shown.toml -- /bin/true")),
    ("immure run --timeout 5s spec.toml", ("it is a key of the spec: --set '{}=…'",), ("immure run --set 'timeout=\"5s\"' spec.toml",)),
    ("mkdir gone && cd gone && rmdir ../gone && immure run --set 'filesystem.ro=[\".:/x\"]' -- /bin/true",
     ("it was removed, or is out of reach: enter one that is there, or write the path from /",),
     ("immure run --set 'filesystem.ro=[\".:/x\"]' -- /bin/true", "immure run --set \"filesystem.ro=['$PWD:/x']\" -- /bin/true")),
    ("immure schema extra", ("see immure help",), ("immure help",)),
    ("immure run true", ("the first word is a spec; to run a command without one: immure run -- {}",), ("{after:without one: }",)),
    ("immure run --set hostname=x spec.toml", ("a string needs its quotes, and a list brackets besides: --set '{}=\"{}\"', or --set '{}=[\"{}\"]'",), ("immure run --set 'hostname=\"x\"' spec.toml",)),
    ("immure run --set filesystem.ro=. spec.toml", ("a string needs its quotes, and a list brackets besides: --set '{}=\"{}\"', or --set '{}=[\"{}\"]'",), ("immure run {after:, or } spec.toml",)),
    ("immure learn true", ("the first word is a spec; to learn of a command: immure learn -- {}",), ("{after:of a command: }",)),
    ("immure learn $PWD/script.sh", ("the first word is a spec; to learn of a command: immure learn -- {}",), ("{after:of a command: }",)),
    ("immure run $PWD/script.sh", ("the first word is a spec; to run this file without one: immure run --set {} -- {}",), ("{after:without one: }",)),
    ("immure run /bin/true", ("the first word is a spec; to run a command without one: immure run -- {}",), ("{after:without one: }",)),
    ("immure run --set 'environment.path=[/x]' spec.toml", ("the value is read as TOML",), ("immure run --set 'environment.path=[\"/x\"]' spec.toml",)),
    ("immure run --set hostname spec.toml", ("write --set key.path=value",), ("immure run --set process.nice=5 spec.toml",)),
    ("immure run --set 'a b=1' spec.toml", ("write --set key.path=value",), ("immure run --set process.nice=5 spec.toml",)),
    ("immure run --set \"process.nice=5\nprocess.init=false\" spec.toml", ("write one --set for each",), ("immure run --set process.nice=5 --set process.init=false spec.toml",)),
    ("immure run --result FD:x spec.toml", ("write FD:3; a file of that name is ./{}",), ("immure run --result FD:3 spec.toml 3>result.json", "immure run --result ./FD:x spec.toml && test -s FD:x")),
    ("immure run --result FD:9 spec.toml", ("open it: {}>result.json",), ("immure run --result FD:9 spec.toml {after:it: } && test -s result.json",)),
    ("immure run --set 'process.fds=[9]' spec.toml", ("open it for immure, as in `immure run … {}<file`, or take it out of fds",), ("immure run --set 'process.fds=[9]' spec.toml 9<spec.toml", "immure run spec.toml")),
]


@pytest.mark.parametrize("line, templates, after", LINES, ids=[each[0][:50] for each in LINES])
def test_what_the_hint_says_ends_the_fault(caller, line, templates, after):
    hint = told(immure(caller, line), *templates)
    for each in after:
        if "{after:" in each:
            start = each.split("{after:")[1].split("}")[0]
            text = hint[hint.index(start) + len(start) :]
            each = each.replace("{after:" + start + "}", text)
        run = immure(caller, each)
        assert run.status == 0 and "hint:" not in run.stderr, run


def test_a_unit_without_a_command(caller):
    told(immure(caller, "echo >empty.toml; immure unit empty.toml"), 'write it after --, or as command = ["…"] in the spec')
    for line in ("immure unit empty.toml -- /bin/true", "immure unit spec.toml"):
        assert immure(caller, line).status == 0


# Whoever could write what root is to do

def test_a_spec_that_others_may_write(root):
    place = root.directory()
    spec = root.file(place / "spec.toml", "", mode=0o666)
    for mode in (0o666, 0o664):
        spec.chmod(mode)
        hint = told(root.run(spec, TRUE), "chmod go-w {}")
        subprocess.run(["sh", "-c", hint], check=True, cwd=place)
        gone(root.run(spec, TRUE))


def test_a_spec_of_somebody_else(root, user):
    spec = user.spec("")
    hint = told(root.run(spec, TRUE), "chown root {}")
    subprocess.run(["sh", "-c", hint], check=True)
    gone(root.run(spec, TRUE))


def test_a_spec_behind_a_link(root):
    spec = root.spec("")
    link = spec.with_name("link.toml")
    link.symlink_to(spec.name)
    told(root.run(link, TRUE), "name the file itself")
    gone(root.run(spec, TRUE))


# Service managers

@pytest.fixture
def manager(root):
    """The sockets of a service manager, by path and by abstract name."""
    sockets = [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
    names = [str(root.base / "notify"), "@immure-hints"]
    for each, name in zip(sockets, names):
        each.bind(name.replace("@", "\0"))
    os.chmod(names[0], 0o666)
    yield names
    for each in sockets:
        each.close()


def test_a_reaper_is_needed_to_tell_who_sent_a_message(root, manager):
    def launch(text, options=()):
        return root.run('[service]\nnotify = "main"\n' + text, TRUE, options=options, env={"NOTIFY_SOCKET": manager[0]})

    hint = told(launch("[process]\ninit = false"), 'remove process.init, or set namespaces.pid = "host"')
    gone(launch(""))
    gone(launch("[process]\ninit = false", *settings(hint)))


def test_an_abstract_socket_of_the_hosts_network(root, manager):
    def launch(options=()):
        return root.run('[service]\nnotify = "main"\n[namespaces]\npid = "host"', TRUE, options=options, env={"NOTIFY_SOCKET": manager[1]})

    hint = told(launch(), 'set network.mode = "host", or {}')
    ways = settings(hint)
    assert len(ways) == 2
    for way in ways:
        gone(launch(way))
