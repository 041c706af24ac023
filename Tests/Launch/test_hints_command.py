"""Hints of a command that cannot be executed: each is printed, then followed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import linux
from harness.hints import Case, added, gone, obey, settings, told

HERE = '[filesystem]\nro = [".:/w"]\n'


def script(text, mode=0o755, name="run"):
    """Writes a script into the directory."""

    def setup(place):
        (place / name).write_text(text)
        (place / name).chmod(mode)

    return setup


def program(place):
    shutil.copy("/usr/bin/true", place / "run")


def chain(place):
    """Interpreters that name each other."""
    for number in range(7):
        (place / f"run{number}").write_text(f"#!/w/run{number + 1}\n")
        (place / f"run{number}").chmod(0o755)
    (place / "run7").symlink_to("/usr/bin/true")
    (place / "run").symlink_to("run0")


def no_chain(place):
    (place / "run5").unlink()
    (place / "run5").symlink_to("/usr/bin/true")


RUN = ("/w/run",)
NOEXEC = '[[mount]]\nsource = "."\ntarget = "/w"\noptions = ["ro"{}]\n'

CASES = [
    Case(("it is neither a program for this machine nor a script that begins with #!",), HERE, setup=script("exit 0\n"), command=RUN, mend=script("#!/bin/sh\nexit 0\n")),
    Case(("chmod +x it, or name its interpreter: sh {}",), HERE, setup=script("#!/bin/sh\n", 0o644), command=RUN,
         mend=lambda place: subprocess.run(["chmod", "+x", place / "run"], check=True)),
    Case(("chmod +x it, or name its interpreter: sh {}",), 'command = ["/w/run"]\n' + HERE, setup=script("#!/bin/sh\n", 0o644), command=(),
         after=('command = ["sh", "/w/run"]\n' + HERE,)),
    Case(("an interpreter is named by its absolute path: #!/usr/bin/env {}",), HERE, setup=script("#!python3\n"), command=RUN,
         mend=script("#!/usr/bin/env python3\n")),
    Case(("the lines of the script end in CR LF, and the CR belongs to the name: sed -i 's/\\r$//' SCRIPT",), HERE,
         setup=script("#!/bin/sh\r\nexit 0\r\n"), command=RUN,
         mend=lambda place: subprocess.run(["sed", "-i", "s/\\r$//", place / "run"], check=True)),
    Case(("it is not on the host either",), HERE, setup=script("#!/nowhere/shell\n"), command=RUN, mend=script("#!/bin/sh\n")),
    Case(("take noexec from the options of {}{}; where the host mounts the source noexec, that holds as well", ", written at {}"),
         NOEXEC.format(', "noexec"'), (NOEXEC.format(""),), setup=program, command=RUN),
    Case(("its path leads through too many symbolic links, or its interpreters name each other",), HERE, setup=chain, command=RUN, mend=no_chain),
    Case(("to show it: ro = [{}]", ', or root = "system"'), '[filesystem]\nroot = "empty"\nro = ["/usr/bin/true"]', command=("/usr/bin/true",),
         after=('[filesystem]\nroot = "system"\n',)),
    Case(('it is {}/{}, in the jail as well; to have it in PATH: environment.path = ["{}"]',), '[environment]\nset = { PATH = "/none" }', command=("true",),
         after=('[environment]\nset = { PATH = "/none" }\npath = ["/usr/bin"]',)),
    Case(("to have it run: [landlock] rx = [\"{}\"], or a directory above it",), '[landlock]\nrx = ["/usr/lib", "/lib64"]', command=("/usr/bin/true",),
         after=('[landlock]\nrx = ["/usr/lib", "/lib64", "/usr/bin/true"]', '[landlock]\nrx = ["/usr"]')),
    Case(("the path is taken from cwd, inside the jail: mount the directory that holds it and set cwd",), "", setup=program, command=("./run",),
         after=('cwd = "/w"\n' + HERE,)),
    Case(("arguments and environment are too long for one execve(2)",), f'command = ["/bin/true", "{"x" * 131072}"]', command=(), after=('command = ["/bin/true", "x"]',)),
]


@pytest.fixture
def callers(root, user):
    return {"root": root, "user": user}


@pytest.mark.parametrize("case", CASES, ids=[f"{index}-{case.templates[0][:40]}" for index, case in enumerate(CASES)])
def test_what_the_hint_says_ends_the_fault(callers, case):
    obey(case, callers, None)


def test_a_file_that_somebody_writes(caller):
    place = caller.directory()
    program(place)
    (place / "run").chmod(0o755)
    spec = caller.file(place / "spec.toml", HERE)
    with open(place / "run", "r+b"):
        told(caller.run(spec, *RUN), "somebody has it open for writing")
    gone(caller.run(spec, *RUN))


def test_a_file_that_only_its_owner_may_execute(root, user):
    place = root.directory()
    program(place)
    (place / "run").chmod(0o700)
    spec = user.spec(f'[filesystem]\nro = ["{place}:/w"]')
    told(user.run(spec, *RUN), "it is not executable for the jail's user: look at its mode and owner, and at its mount")
    (place / "run").chmod(0o755)
    gone(user.run(spec, *RUN))


def test_a_file_with_capabilities(root):
    place = root.directory()
    program(place)
    (place / "run").chmod(0o755)
    subprocess.run(["setcap", "cap_net_bind_service+ep", place / "run"], check=True)
    text = '[namespaces]\nuser = "host"\n[process]\nno_new_privs = false\n[[mount]]\nsource = "."\ntarget = "/w"\noptions = ["ro", "suid"]'
    spec = root.file(place / "spec.toml", text)
    told(root.run(spec, *RUN), "its file has capabilities that cannot be given here, or a security module refuses it")
    subprocess.run(["setcap", "-r", place / "run"], check=True)
    gone(root.run(spec, *RUN))


def test_a_loader_is_added_to_what_is_shown(caller):
    text = '[filesystem]\nroot = "empty"\nro = ["/usr/bin/true"]'
    gone(caller.run(added(text, told(caller.run(text, "/usr/bin/true"), "to show it: ro = [{}]")), "/usr/bin/true"))


def test_a_loader_that_cannot_be_read_off(user):
    """Its name stands far in the file."""
    place = user.directory()
    content = bytearray(Path("/usr/bin/true").read_bytes())
    table, size, count = int.from_bytes(content[32:40], "little"), 56, int.from_bytes(content[56:58], "little")
    header = next(at for at in range(table, table + size * count, size) if content[at] == 3)
    loader = b"/nowhere/loader\0"
    content[header + 8 : header + 16] = len(content).to_bytes(8, "little")
    content[header + 32 : header + 48] = 2 * len(loader).to_bytes(8, "little")
    user.file(place / "run", bytes(content) + loader, 0o755)
    text = f'[filesystem]\nro = ["{place}:/w"{{}}]'
    hint = told(user.run(text.format(""), *RUN), "a library or loader that the program names is not in the jail; `readelf -l` shows which")
    shown = subprocess.run(["sh", "-c", f"{hint.split('`')[1]} {place}/run"], capture_output=True, text=True, check=True).stdout
    assert "/nowhere/loader" in shown
    gone(user.run(text.format(', "/lib64/ld-linux-x86-64.so.2:/nowhere/loader"'), *RUN))


# To show a program, and no more than that needs

@pytest.fixture
def sdk(root):
    """/opt of the run's own, with an SDK in it."""
    linux.mount("tmpfs", "/opt", "tmpfs", data="mode=0755")
    for name in ("sdk/usr/bin/sdkcc", "sdk/usr/lib/libc", "sdk/README", "tool", "bin/single"):
        path = Path("/opt", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\ncat /opt/sdk/usr/lib/libc\n" if name == "sdk/usr/bin/sdkcc" else "#!/bin/sh\n")
        path.chmod(0o755)
    yield Path("/opt")
    linux.umount("/opt")


def shown(run):
    """What the hint shows, as the options that do so."""
    return [word for way in settings(told(run)) for word in way]


@pytest.mark.parametrize("command, wanted", [
    ("/opt/sdk/usr/bin/sdkcc", "/opt/sdk"),
    ("/opt/tool", "/opt/tool"),
    ("/opt/bin/single", "/opt/bin"),
])
def test_c112_a_program_is_shown_with_what_belongs_to_it(caller, sdk, command, wanted):
    hint = told(caller.run(None, command), "it is there on the host; {}", "to show it: ro = [{}]")
    assert settings(hint) == [("--set", f'filesystem.ro=["{wanted}"]')]
    gone(caller.run(None, command, options=settings(hint)[0]))


def test_c112_a_program_of_the_callers_path(caller, sdk):
    env = {"PATH": "/opt/sdk/usr/bin:/usr/bin:/bin"}
    hint = told(caller.run(None, "sdkcc", env=env), "it is {}/{} on the host; {}", '; to have it in PATH: environment.path = ["{}"]')
    assert settings(hint) == [("--set", 'filesystem.ro=["/opt/sdk"]'), ("--set", 'environment.path=["/opt/sdk/usr/bin"]')]
    gone(caller.run(None, "sdkcc", env=env, options=[word for way in settings(hint) for word in way]))
    # Where it is in the jail's PATH, and not in the jail.
    hint = told(caller.run('[environment]\npath = ["/opt/sdk/usr/bin"]', "sdkcc", env=env), "it is {}/{} on the host; {}")
    assert "environment" not in hint
    gone(caller.run('[environment]\npath = ["/opt/sdk/usr/bin"]', "sdkcc", env=env, options=settings(hint)[0]))


def test_c111_a_home_is_never_shown_whole(user):
    home = Path(user.home)
    for name, wanted in (
        ("bin/own", [f"{home}/bin"]), (".local/bin/pip", [f"{home}/.local/bin", f"{home}/.local/lib"]), (".venv/bin/python", [f"{home}/.venv/bin", f"{home}/.venv/lib"]),
        ("work/venv/bin/tool", [f"{home}/work/venv"]), ("run", [f"{home}/run"]), ("work/run", [f"{home}/work"]),
    ):
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.parent.name == "bin" and name != "bin/own":
            (file.parents[1] / "lib").mkdir(exist_ok=True)
        for each in (*reversed(file.parents), file.parents[1] / "lib"):
            if each.is_relative_to(home) and each.exists():
                user.own(each)
        user.file(file, "#!/bin/sh\n", 0o755)
        hint = told(user.run(None, file), "it is there on the host; {}")
        assert settings(hint) == [("--set", "filesystem.ro=[" + ", ".join(f'"{path}"' for path in wanted) + "]")] or name == "run", hint
        gone(user.run(None, file, options=shown(user.run(None, file))))


def test_c111_an_interpreter_below_a_mount_of_the_spec(user):
    place = user.directory()
    (place / "venv/bin").mkdir(parents=True)
    (place / "venv/bin/python").symlink_to("/usr/bin/python3")
    user.file(place / "venv/bin/pip", f"#!{place}/venv/bin/python\n", 0o755)
    for key in ("ro", "rw"):
        text = f'[filesystem]\n{key} = ["{place}:/src"]'
        hint = told(user.run(text, "/src/venv/bin/pip"), "it is below {}, which is mounted on {}; to have it at its own path too: {} = [\"{}\"]")
        assert settings(hint) == [("--set", f'filesystem.{key}=["{place}"]')]
        gone(user.run(added(text, hint), "/src/venv/bin/pip"))
