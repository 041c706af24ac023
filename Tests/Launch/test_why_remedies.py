"""`immure run --why`: a line that is printed opens what was refused and no more, and what a program did without is no reason."""

import os
import pwd
import re
import socket
import subprocess
from pathlib import Path

import pytest

from harness.must import cannot
from test_why import NOTHING, opened, reasons, why

CALL = "import ctypes, os; made = ctypes.CDLL(None, use_errno=True).{}; os._exit(made != 0)"


def python(caller, code, *options, spec=None, word="--why"):
    return caller.run(spec, "/usr/bin/python3", "-I", "-c", code, options=[word, *options])


# Roots and owners


def test_root_s_files_are_no_reason_to_be_root(root):
    """A directory and a file of root's: a mount of just that, whose files appear as the command's user's."""
    place = root.directory()
    root.file(place / "in", "x\n", 0o600)
    root.file(place / "other", "y\n", 0o600)
    spec = root.spec(f'[filesystem]\nrw = ["{place}"]\n')
    run = why(root, f"touch {place}/new", spec=spec)
    assert [line for _, line in reasons(run)] == [f'mount=[{{ target = "{place}", source = "{place}", idmap = true }}]'], run
    assert "in place of what" in run.stderr and "identity" not in run.stderr.split("why:", 1)[1], run
    assert why(root, f"touch {place}/new", *opened(run)).status == 0 and os.stat(place / "new").st_uid == 0
    run = why(root, f"cat {place}/in", spec=spec)
    [(_, line)] = reasons(run)
    assert line == f'mount=[{{ target = "{place}/in", source = "{place}/in", options = ["ro"], idmap = true }}]', run
    assert why(root, f"cat {place}/in", "--set", line, spec=spec).ok.stdout == "x\n"
    for script in (f"echo >> {place}/in", f"cat {place}/other"):
        assert why(root, script, "--set", line, spec=spec).status != 0, script


def test_a_closed_directory_is_opened_as_far_as_it_is_needed(root):
    """To be searched, or to be changed in; and what is missing in it is not the reason."""
    place = root.directory()
    (place / "shut").mkdir(0o700)
    root.file(place / "shut/in", "x\n", 0o666)
    for target in (place, "/data"):
        spec = root.spec(f'[filesystem]\nrw = ["{place}:{target}"]\n')
        shown = f'target = "{target}/shut", source = "{place}/shut"'
        for script, options in (("cat {}/shut/in", ', options = ["ro"]'), ("cat {}/shut/none", ', options = ["ro"]'), ("echo y >> {}/shut/in", ""), ("mkdir {}/shut/new", ""), ("rm {}/shut/in", "")):
            run = why(root, script.format(target), spec=spec)
            assert run.status != 0 and [line for _, line in reasons(run)] == [f"mount=[{{ {shown}{options}, idmap = true }}]"], run
            done = why(root, script.format(target), *opened(run), spec=spec)
            assert done.status == (1 if "none" in script else 0) and f"{target}/shut may not" not in done.stderr, done
        (place / "shut/new").rmdir()
        root.file(place / "shut/in", "x\n", 0o666)


def test_an_overlay_of_root_s_is_mapped_in_its_own_line(root):
    """No other line, which would open the directory itself; of a file of another's than the directory, whose ids stay, nothing."""
    place = root.directory()
    os.chown(place, 0, 0)
    root.file(place / "a", "a\n", 0o644)
    root.file(place / "other", "b\n", 0o644)
    os.chown(place / "other", 1, 1)
    text = f'[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{place}"]\n'
    spec = root.spec(text)
    for script, name in (("echo b >> /src/a", "/src/a"), ("touch /src/new", "/src"), ("rm -f /src/a", "/src")):
        run = why(root, script, spec=spec)
        said = [line for line in run.stderr.splitlines() if f"why: {name} may not be used by the command's user" in line]
        assert run.status != 0 and len(said) == 1 and said[0].endswith(f"): idmap = true in the [[mount]] at {spec}:2:1"), run
        assert why(root, script, spec=text + "idmap = true\n").ok
    run = why(root, "echo b >> /src/other", spec=spec)
    assert "why: /src/other may not" in run.stderr and "idmap = true in" not in run.stderr.split("why:", 1)[1], run
    kept = root.directory()
    run = why(root, "echo b >> /src/a", spec=text + f'upper = "{kept}/upper"\nwork = "{kept}/work"\n')
    assert "why: /src/a may not" in run.stderr and "idmap" not in run.stderr, run


@pytest.mark.parametrize("script", ["mkdir {}/new", "echo x >{}/new"])
def test_a_directory_of_the_jail_s_own_to_make_names_in(caller, script):
    """Of what nobody but root may change on the host: below the root, and elsewhere."""
    places = ["/opt"]
    if os.getuid() == 0:
        places.append(caller.directory())
        os.chown(places[1], 0, 0)
    for directory in places:
        run = why(caller, script.format(directory))
        [(words, line)] = reasons(run)
        if "idmap = true" in line or "create = " in line:
            # Root's launcher opens the host's own to the command.
            assert caller.is_root, run
            continue
        assert run.status != 0 and "and the line makes an empty one, of the jail's own" in words, run
        assert line == f'mount=[{{ target = "{directory}", type = "tmpfs" }}]', run
        assert why(caller, script.format(directory), *opened(run)).status == 0
        assert not os.path.exists(f"{directory}/new")


def test_an_owner_that_the_command_can_be_itself(user):
    """It takes no range of ids to be uid 0 of one's own jail."""
    for script, spec in (("chown 0 /tmp", None), ("chown 0:0 /tmp", None), ("echo >/tmp/f; chgrp 0 /tmp/f", None), ("chown 0 in", "cwd")):
        place = user.directory()
        user.file(place / "in", "x\n")
        path = user.spec(f'cwd = "{place}"\nfilesystem.rw = ["{place}"]\n') if spec else None
        run = why(user, script, spec=path)
        assert run.status == 1 and [line for _, line in reasons(run)] == ["identity.user=0"], run
        assert "has no uid 0" in run.stderr or "has no gid 0" in run.stderr, run
        assert why(user, script, *opened(run), spec=path).status == 0


def test_an_owner_by_a_range_of_ids(caller):
    """Where the caller has none, what gives one is said before the line that would not be launched without it."""
    if os.getuid() != 0:
        cannot("change /etc/subuid")
    line, kept = 'identity={ user = 0, uid_map = "auto", gid_map = "auto" }', ("--set", 'capabilities.keep=["chown"]')
    files = [Path("/etc/subuid"), Path("/etc/subgid")]
    before = [file.read_text() for file in files]
    name = pwd.getpwuid(caller.uid).pw_name
    try:
        for file, text in zip(files, before):
            file.write_text("".join(f"{row}\n" for row in text.splitlines() if row.split(":")[0] not in (name, str(caller.uid))))
        run = why(caller, "chown 5 /tmp")
        told = [said for said in run.stderr.splitlines() if "fchownat is refused by the filter, as the jail has no uid 5" in said]
        assert run.status == 1 and len(told) == 1, run
        commands = re.findall(r"as root: (.*?)(?=; as root: |; then identity)", told[0])
        assert len(commands) == 2 and told[0].endswith(f"; then {line.replace('=', ' = ', 1)}"), run
        for command in commands:
            subprocess.run(["sh", "-ec", command], check=True)
        run = why(caller, "chown 5 /tmp")
        assert [each for _, each in reasons(run)] == [line], run
        assert why(caller, "chown 5 /tmp", "--set", line, *kept).status == 0
        run = why(caller, "chown 70000 /tmp")
        assert "as the jail has no uid 70000, nor does \"auto\" give it one" in run.stderr and reasons(run) == [], run
    finally:
        for file, text in zip(files, before):
            file.write_text(text)


def test_no_line_makes_the_command_root(root):
    for script in ("cat /etc/shadow", "ls /root", "touch /usr/x", "cat /var/cache/ldconfig/aux-cache", "echo > /var/log/dpkg.log"):
        run = why(root, script, word="--why=all")
        assert "identity.user = 0" not in run.stderr and "identity.user=0" not in run.stderr, run


# Refused calls


@pytest.mark.parametrize("call, line", [("chroot(b'/')", 'capabilities.keep=["sys_chroot"]'), ("mount(b'x', b'/tmp', b'tmpfs', 0, 0)", 'capabilities.keep=["sys_admin"]')])
def test_a_call_that_takes_a_capability_is_opened_by_it(caller, call, line):
    code = CALL.format(call)
    run = python(caller, code)
    assert run.status == 1 and reasons(run)[0][1] == line, run
    assert python(caller, code, "--set", line).status == 0


def test_a_capability_comes_beside_those_that_are_kept(caller):
    code, spec = CALL.format("chroot(b'/')"), caller.spec('[capabilities]\nkeep = ["chown"]\n')
    run = python(caller, code, spec=spec)
    assert reasons(run)[0][1] == 'capabilities.keep=["chown", "sys_chroot"]' and f"in place of what {spec}:2:" in run.stderr, run
    assert python(caller, code, "--set", reasons(run)[0][1], spec=spec).status == 0


def test_a_call_that_no_line_opens_has_none(caller):
    """The kernel asks for a capability in the host's user namespace, which no jail gives."""
    for call in ("syscall(227, 0, (ctypes.c_long * 2)(1, 0))", "acct(b'/tmp/x')"):
        run = python(caller, CALL.format(call))
        name = "acct" if call.startswith("acct") else "clock_settime"
        assert run.status == 1 and f"{name} is refused by the filter, and by the kernel, which asks for" in run.stderr, run
        assert "no line opens it" in run.stderr and reasons(run) == [], run


def test_what_a_line_hides_is_not_uncovered(caller):
    run = python(caller, CALL.format("umount2(b'/tmp', 0)"), spec='[filesystem]\nhide = ["/usr/share"]\n')
    assert run.status == 1 and "which would uncover what" in run.stderr and "capabilities.keep" not in run.stderr and "seccomp.allow" not in run.stderr, run


def test_a_call_that_a_line_denies_is_opened_by_that_line(caller):
    spec = caller.spec('[seccomp]\ndeny = ["mkdir", "mkdirat"]\n')
    run = why(caller, "mkdir /tmp/x", spec=spec)
    assert run.status == 1 and f"mkdir is refused by the filter (mkdir, mkdir): take it out of what {spec}:2:9 denies" in run.stderr, run
    assert reasons(run) == [], run
    # A name is above a group.
    code, spec_of_group = "open('/tmp/f', 'w'); os.chown('/tmp/f', -1, -1)", caller.spec('[seccomp]\ndeny = ["@chown"]\n', "group.toml")
    run = python(caller, "import os; " + code, spec=spec_of_group)
    assert run.status == 1 and reasons(run)[0][1] == 'seccomp.allow=["chown"]', run
    assert python(caller, "import os; " + code, *opened(run), spec=spec_of_group).status == 0
    spec = caller.spec('[[seccomp.rule]]\ncall = "mkdir"\naction = "EPERM"\nargs = [{ index = 1, op = "==", value = 511 }]\n')
    run = why(caller, "mkdir /tmp/x", spec=spec)
    assert run.status == 1 and f"change the rule of {spec}:2:" in run.stderr, run


#: A call that the profile looks into, what of it is asked for, one that it refuses besides, and one that is made.
LOOKED_INTO = {
    "AF_VSOCK": ("socket(40, 1, 0)", "socket(38, 5, 0)", "socket(1, 1, 0)"),
    "AF_ALG": ("socket(38, 5, 0)", "socket(40, 1, 0)", "socket(2, 1, 0)"),
    "TIOCSTI": ("ioctl(0, 0x5412, b'x')", "ioctl(0, 0x541c, b'x')", "ioctl(os.pipe()[0], 0x541b, ctypes.byref(ctypes.c_int()))"),
    "0x40000": ("personality(0x40000)", "personality(0x400000)", "personality(0xffffffff)"),
}


@pytest.mark.parametrize("argument", LOOKED_INTO)
def test_a_call_is_opened_for_the_argument_that_it_was_refused_for_and_no_other(caller, argument):
    """Whether the kernel then does it is the kernel's affair: asked is what the filter says."""
    asked, other, made = LOOKED_INTO[argument]
    name = asked.split("(")[0]
    refused = f"{name} is refused by the filter, for its argument"
    run = python(caller, CALL.format(asked), word="--why=all")
    [(words, line)] = reasons(run)
    assert words.startswith(f"{refused} {argument} ") and line.startswith("seccomp.rule=[") and "seccomp.allow" not in run.stderr, run
    assert refused not in python(caller, CALL.format(asked), "--set", line, word="--why=all").stderr
    assert refused in python(caller, CALL.format(other), "--set", line, word="--why=all").stderr
    code = f"import ctypes, os; os._exit(ctypes.CDLL(None).{made} < 0)"
    assert python(caller, code, "--set", line).status == python(caller, code).status == 0


def test_sys_is_shown_as_the_jail_s_own(caller):
    run = why(caller, "ls /sys/kernel || ls /sys")
    assert 'mount=[{ target = "/sys", type = "sysfs" }]' in [line for _, line in reasons(run)], run
    assert "kernel" in why(caller, "ls /sys", "--set", 'mount=[{ target = "/sys", type = "sysfs" }]').ok.stdout
    assert "sysfs" not in why(caller, "ls /sys", spec='network.mode = "host"\n').stderr


# What was done without


def test_what_a_program_did_without_is_no_reason(caller):
    """Python asks for packages of the user's, which the host has not either, and goes on."""
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"
    run = caller.run(None, "/usr/bin/python3", "-c", code, options=["--why"])
    assert run.status == 1 and "on the host as well (" not in run.stderr, run
    assert "nothing that is watched was refused" in run.stderr
    place = caller.directory()
    caller.file(place / "p", f"import os, sys\nos.path.exists('{place}/none')\nopen('/usr/bin/env').close()\nsys.exit(3)\n")
    spec = caller.spec(f'[filesystem]\nro = ["{place}"]\n')
    run = caller.run(spec, "/usr/bin/python3", f"{place}/p", options=["--why"])
    assert run.status == 3 and f"{place}/none" not in run.stderr and NOTHING not in run.stderr, run
    everything = caller.run(spec, "/usr/bin/python3", f"{place}/p", options=["--why=all"])
    assert f"{place}/none is missing in the jail, and on the host as well" in everything.stderr, everything


def test_a_port_that_takes_a_capability(caller):
    code = "import socket; socket.socket().bind(('0.0.0.0', 80))"
    run = python(caller, code)
    assert run.status == 1 and reasons(run)[0][1] == 'capabilities.keep=["net_bind_service"]', run
    assert "0.0.0.0:80 may not be used by the command's user, as ports below 1024 take net_bind_service or a port that is published" in run.stderr
    assert python(caller, code, *opened(run)).status == 0


# Mounts and sockets


def test_a_mount_that_nothing_is_executed_from(caller):
    spec = caller.spec('[[mount]]\ntarget = "/o"\ntype = "tmpfs"\noptions = ["noexec"]\n')
    run = why(caller, "cp /bin/true /o/; /o/true", spec=spec)
    assert run.status == 126 and f"/o/true is on a mount of the jail that nothing is executed from (execve, sh): leave noexec out of what {spec}:2:1 says" in run.stderr, run
    assert "on the host as well" not in run.stderr and NOTHING not in run.stderr, run
    assert why(caller, "cp /bin/true /o/; /o/true", spec='[[mount]]\ntarget = "/o"\ntype = "tmpfs"\n').status == 0


def test_a_device_on_a_mount_without_devices(caller):
    spec = caller.spec('[[mount]]\nsource = "/dev/full"\ntarget = "/dev/full"\noptions = ["nodev"]\n[filesystem]\ndev = "none"\n')
    run = why(caller, "head -c 1 /dev/full", spec=spec)
    assert run.status == 1 and "/dev/full is on a mount of the jail that no device is opened on" in run.stderr, run
    assert [line for _, line in reasons(run)] == ['filesystem.devices=["/dev/full"]'], run
    assert why(caller, "head -c 1 /dev/full", *opened(run), spec='filesystem.dev = "none"\n').status == 0


def test_an_abstract_socket_of_the_host_s(caller):
    name = f"immure-{os.getpid()}-{caller.inside_uid}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0" + name)
        listening.listen()
        code = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')"
        run = python(caller, code, spec='network.mode = "host"\n')
        if run.status == 0:
            pytest.skip("this kernel's Landlock has no scopes")
        assert f"@{name} is closed by Landlock" in run.stderr and reasons(run)[0][1] == "landlock.scope=[]", run
        assert python(caller, code, "--set", "landlock.scope=[]", spec='network.mode = "host"\n').status == 0
        both = caller.spec('network.mode = "host"\nlandlock.scope = ["abstract_unix_socket", "signal"]\n')
        run = python(caller, code, spec=both)
        assert reasons(run)[0][1] == 'landlock.scope=["signal"]', run
        assert python(caller, code, "--set", reasons(run)[0][1], spec=both).status == 0
    # The jail's own is not closed to it.
    code = "import socket\none = socket.socket(socket.AF_UNIX); one.bind('\\0own'); one.listen(); socket.socket(socket.AF_UNIX).connect('\\0own')"
    run = python(caller, code, spec='network.mode = "host"\n')
    assert run.status == 0 and "Landlock" not in run.stderr, run


@pytest.mark.parametrize(
    "words, name",
    [
        (["https://pypi.org/simple"], "pypi.org"),
        (["-q", "http://a.example:8080/x", "http://a.example:8080/y"], "a.example:8080"),
        (["HTTPS://user:word@Host.Example?x"], "host.example"),
        (["git://h.example/r.git"], "h.example:9418"),
        (["https://a.example", "https://b.example"], None),
        (["https://192.0.2.1/", "https://[::1]/", "file:///etc/passwd", "https:/a.example", 'https://a"b.example', "https://-a.example", "https://a.example:x"], None),
        ([], None),
    ],
)
def test_the_name_that_a_server_is_to_be_asked_for(user, words, name):
    """As the command line has it, where that has one; a name is not made up."""
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.53', 53))"
    run = user.run(None, "/usr/bin/python3", "-I", "-c", code, *words, options=["--why"])
    assert run.status == 1 and "192.0.2.53:53 is out of the jail's network, which it asks for a name (connect, python3): " in run.stderr, run
    assert [line for _, line in reasons(run)] == ([f'network={{ mode = "user", allow = ["{name}"] }}'] if name else []), run


@pytest.mark.parametrize("mode", [0o644, 0o666])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_file_that_was_given_for_appending(caller, name, mode):
    """The ways out that are told are followed: another redirection, where the file's mode lets the command open it, and a pipe."""
    place = caller.directory()
    log = caller.file(place / "log", "", mode)
    words = f"{caller.binary} run WHY -- sh -c 'echo x >>/dev/{name}'"
    number = {"stdout": "1", "stderr": "2"}[name]

    def run(redirection, word=""):
        log.write_text("")
        line = f"{words} {redirection}".replace("FILE", str(log)).replace("WHY", word)
        found = caller.finish(caller.popen(["/bin/sh", "-c", line]))
        return found, found.stdout + found.stderr + log.read_text()

    found, told = run(f"{number}>>FILE", "--why")
    wanted = f"/dev/{name} is closed by Landlock, as a file that was given for appending is not opened anew for writing"
    assert found.status != 0 and wanted in told and "read-only" not in told and "writable" not in told, told
    mayOpen = mode == 0o666 or not caller.is_root
    assert ("give it by > in place of >>, or give a pipe instead: | cat >>FILE" if mayOpen else "): give a pipe instead: | cat >>FILE") in told
    if mayOpen:
        found, told = run(f"{number}>FILE")
        assert found.status == 0 and log.read_text() == "x\n", told
    found, told = run("2>&1 | cat >>FILE")
    assert found.status == 0 and "x\n" in log.read_text() and "Permission denied" not in told, told


def test_descriptors_that_are_opened_anew_have_no_false_cause(caller):
    """A pipe, /dev/null, the jail's own file that it appends to itself: nothing is told of them."""
    script = "echo x >>/dev/stdout; exec 3>>/tmp/own; echo x >>/dev/fd/3; cat </dev/stdin; echo x >>/proc/self/fd/3"
    line = f'{caller.binary} run --why -- sh -c "$1" | cat'
    run = caller.finish(caller.popen(["/bin/sh", "-c", line, "sh", script]))
    assert run.status == 0 and run.stdout == "x\n" and "why:" not in run.stderr.replace("why: nothing", ""), run
