"""What import prints is a spec that launches, and `immure as bwrap` launches it at once."""

import os
import re
import shutil
import subprocess
import time

import pytest

from harness import bundle
from harness.must import cannot
from harness.patience import patient

READ_ONLY = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-pid"]


def front(caller, *words, name="as", **more):
    words = [caller.binary, "as", "bwrap", *words] if name == "as" else [str(name), *words]
    return caller.finish(caller.popen(words, **more))


def test_what_is_imported_of_bwrap_launches(caller):
    made = caller.verb("import", "bwrap", "--", *READ_ONLY, "--setenv", "X", "7", "/bin/sh", "-c", "echo $X $$").ok
    assert "# from bwrap:1 --ro-bind / /" in made.stdout
    assert caller.verb("run", str(caller.spec(made.stdout))).ok.stdout.split()[0] == "7"


def test_the_front_launches_with_status_and_output(caller):
    run = front(caller, *READ_ONLY, "--tmpfs", "/tmp", "/bin/sh", "-c", "ls /tmp; echo hi; exit 7")
    assert (run.status, run.stdout, run.stderr) == (7, "hi\n", "")


def test_the_front_keeps_what_bubblewrap_keeps(caller):
    run = front(caller, *READ_ONLY, "--unsetenv", "GONE", "/bin/sh", "-c", "id -u; echo $KEPT$GONE; touch /usr/x 2>&1", env={"KEPT": "k", "GONE": "g"})
    lines = run.stdout.splitlines()
    assert lines[1] == "k" and "Read-only" in lines[2]
    assert lines[0] == str(0 if caller.name == "root" else int(lines[0]))


def test_root_that_becomes_somebody_else_has_no_capabilities(caller):
    words = [*READ_ONLY, "--unshare-user", "--uid", "7", "/bin/grep", "-h", "^Cap[PEA]", "/proc/self/status"]
    assert {line.split()[1] for line in front(caller, *words).ok.stdout.splitlines()} == {"0" * 16}


@pytest.mark.parametrize("way", ("front", "import"))
def test_an_id_that_no_option_names_is_the_callers(caller, way):
    # games(60) is the group of uid 5 in the passwd of the jail, which is the host's here.
    for words, expected in ((["--uid", "5"], (5, caller.gid)), (["--gid", "60"], (caller.uid, 60)), (["--uid", "5", "--gid", "60"], (5, 60))):
        words = [*READ_ONLY, "--unshare-user", *words, "/bin/sh", "-c", "id -u; id -g"]
        if way == "front":
            run = front(caller, *words)
        else:
            run = caller.verb("run", str(caller.spec(caller.verb("import", "bwrap", "--", *words).ok.stdout)))
        assert run.ok.stdout.split() == [str(number) for number in expected], words


def test_the_front_fails_with_its_name_and_status_1(caller):
    for words, what in (
        (["--wat", "/bin/true"], "Unknown option --wat"),
        ([*READ_ONLY], "no command"),
        ([*READ_ONLY, "/no/such/program"], "no/such/program"),
        ([*READ_ONLY, "--ro-bind", "/no/such", "/x", "/bin/true"], "/no/such"),
        ([*READ_ONLY, "--ro-bind", "/no/such", "/mnt", "--tmpfs", "/mnt", "/bin/true"], "/no/such"),
        ([*READ_ONLY, "--exec-label", "x", "/bin/true"], "--exec-label"),
    ):
        run = front(caller, *words)
        assert run.status == 1 and run.stderr.startswith("bwrap: ") and what in run.stderr, (words, run)


def test_the_front_knows_its_name(caller):
    link = caller.open_directory() / "bwrap"
    link.symlink_to(caller.binary)
    assert front(caller, *READ_ONLY, "/bin/echo", "by name", name=link).ok.stdout == "by name\n"


def test_words_come_from_a_descriptor(caller):
    reading, writing = os.pipe()
    os.write(writing, b"\0".join(word.encode() for word in READ_ONLY) + b"\0")
    os.close(writing)
    run = front(caller, "--args", str(reading), "/bin/echo", "read", pass_fds=(reading,))
    os.close(reading)
    assert run.ok.stdout == "read\n"


def test_a_file_has_what_a_descriptor_holds(caller):
    reading, writing = os.pipe()
    os.write(writing, b"from outside\n")
    os.close(writing)
    words = [*READ_ONLY, "--tmpfs", "/mnt", "--ro-bind-data", str(reading), "/mnt/data", "/bin/cat", "/mnt/data"]
    run = front(caller, *words, pass_fds=(reading,))
    os.close(reading)
    assert run.ok.stdout == "from outside\n"


PROFILE = """
include common.inc
?HAS_X11: blacklist /usr
whitelist ${HOME}/kept
whitelist ${HOME}/none-*
read-only ${HOME}/kept/ro
blacklist ${HOME}/kept/hidden
private-etc passwd,group
private-tmp
private-dev
net none
protocol unix
seccomp
"""


def test_a_profile_of_firejail_launches(caller):
    if caller.name == "root":
        pytest.skip("the jail's user is not one who may enter root's home")
    place, home = caller.open_directory(), caller.open_directory()
    for name in ("kept/ro", "kept/hidden"):
        (home / name).mkdir(parents=True)
        (home / name / "file").write_text("text\n")
        os.chmod(home / name, 0o777)
    os.chmod(home / "kept", 0o777)
    (home / "other").write_text("secret\n")
    profile = caller.file(place / "a.profile", PROFILE)
    caller.file(place / "common.inc", "noexec ${HOME}\n")
    made = caller.verb("import", "firejail", str(profile), env={"HOME": str(home)}).ok
    assert f"a.profile:4 whitelist ${{HOME}}/kept" in made.stdout
    script = """
        ls ~; cat ~/kept/ro/file; ls ~/kept/hidden 2>/dev/null; touch ~/kept/ro/x 2>/dev/null && echo open
        touch ~/kept/new && echo written; ls /etc | tr '\n' ' '; echo
        python3 -c 'import socket; socket.socket(socket.AF_INET)' 2>&1 | tail -1"""
    run = caller.verb("run", str(caller.spec(made.stdout)), "--", "/bin/sh", "-c", script, env={"HOME": str(home)}).ok
    lines = run.stdout.splitlines()
    assert lines[:3] == ["kept", "text", "written"]
    assert "passwd" in lines[3].split() and "shadow" not in lines[3].split()
    assert "[Errno 95]" in lines[4]
    assert (home / "kept/new").exists() and not (home / "kept/ro/x").exists()


@pytest.mark.parametrize("text, seen", [
    ("blacklist HOME/.ssh\nread-only HOME/.bashrc\nnoexec HOME\nblacklist /home/*/.gnupg\n", "closed"),
    ("whitelist HOME/.notes\n", "own"),
    ("blacklist ${HOME}\n", "own"),
], ids=["absolute", "whitelist", "home"])  # fmt: skip
def test_a_home_that_firejail_closes(user, text, seen):
    """However the home is written, what is closed in it stays closed."""
    home = user.open_directory()
    for name in (".ssh", ".notes"):
        (home / name).mkdir()
        user.own(home / name)
    user.own(user.file(home / ".ssh/id", "private"))
    user.own(user.file(home / ".bashrc", "rc"))
    env = {"HOME": str(home)}
    profile = user.file(user.directory() / "a.profile", text.replace("HOME/", f"{home}/").replace(" HOME\n", f" {home}\n") + "private-tmp\nnet none\n")
    made = user.verb("import", "firejail", str(profile), env=env).ok
    script = "cat ~/.ssh/id; echo x >>~/.bashrc; cp /bin/true ~/t && ~/t && echo executed; exit 0"
    run = user.run(user.spec(made.stdout), "/bin/sh", "-c", script, env=env).ok
    assert "private" not in run.stdout and (home / ".bashrc").read_text() == "rc"
    assert seen == "own" or "executed" not in run.stdout
    assert (home / "t").exists() == (seen == "closed")


def test_a_directory_in_place_of_a_home_is_what_firejail_lines_are_about(user):
    home = user.open_directory()
    for name in ("bx/in", "bx/.ssh", "bx/Documents", ".gnupg", ".ssh", "in", "Documents", "W"):
        (home / name).mkdir(parents=True)
        user.own(user.file(home / name / "x", f"of {name}\n"))
    subprocess.run(["chown", "-R", f"{user.uid}:{user.gid}", str(home)], check=True)
    text = (f"private {home}/bx\nwhitelist ${{HOME}}/W\nnoexec ${{HOME}}/.gnupg\nread-only ${{HOME}}/in\nblacklist ${{HOME}}/.ssh\n"
            "read-only ${HOME}/none\nmkdir ${HOME}/made\nprivate-tmp\nnet none\n")
    env = {"HOME": str(home)}
    made = user.verb("import", "firejail", str(user.file(user.directory() / "a.profile", text)), env=env).ok
    script = "cat ~/.gnupg/x; cat ~/W/x; cat ~/.ssh/x; cat ~/in/x; cat ~/Documents/x; echo x >~/in/w; echo x >~/.gnupg/w; echo x >~/Documents/w; exit 0"
    run = user.run(user.spec(made.stdout), "/bin/sh", "-c", script, env=env).ok
    assert run.stdout == "of bx/in\nof bx/Documents\n", run
    written = sorted(str(path.relative_to(home)) for path in home.glob("**/w"))
    assert written == ["bx/Documents/w"] and (home / "bx/made").is_dir() and not (home / "made").exists()


@pytest.mark.parametrize("shown, line, place", [
    ("private-tmp", "/tmp", "/tmp"), ("whitelist /tmp/none\nprivate-cwd /", "/tmp", "/tmp"), ("private-tmp", "/var/tmp", "/var/tmp"),
    ("private", "${HOME}", "$HOME"), ("whitelist ${HOME}/D", "${HOME}", "$HOME"), ("private-dev", "/dev/shm", "/dev/shm"),
    ("", "/dev/shm", "/dev/shm"),
])  # fmt: skip
def test_what_a_jail_of_firejail_has_of_its_own_is_restricted_too(user, shown, line, place):
    home = user.open_directory()
    (home / "D").mkdir()
    user.own(home / "D")
    env = {"HOME": str(home)}
    name = f"{place}/probe-{os.getpid()}"
    script = f'touch "{name}" && echo WROTE; cp /bin/true "{name}-run"; "{name}-run" && echo RAN; rm -f "{name}" "{name}-run"; exit 0'
    for word in ("", "read-only", "noexec", "blacklist"):
        text = f"{shown}\n{word and f'{word} {line}'}\nnet none\n"
        made = user.verb("import", "firejail", str(user.file(user.directory() / "a.profile", text)), env=env).ok
        said = user.run(user.spec(made.stdout), "/bin/sh", "-c", script, env=env).ok.stdout.split()
        expected = {"": ["WROTE", "RAN"], "noexec": ["WROTE"]}.get(word, [])
        assert said == (expected if shown else [one for one in expected if one != "RAN"]), (word, said)


def test_a_device_of_its_own_that_firejail_blacklists(user):
    text = "private-dev\nblacklist /dev/zero\nblacklist /dev/pts\nnet none\n"
    made = user.verb("import", "firejail", str(user.file(user.directory() / "a.profile", text)))
    run = user.run(user.spec(made.ok.stdout), "/bin/sh", "-c", "head -c1 /dev/zero && echo READ; ls /dev/pts && echo LISTED; echo x >/dev/null && echo null")
    assert run.stdout == "null\n", run


ENTER = """
import ctypes, os
def enter(flags):
    ctypes.CDLL(None, use_errno=True).syscall(308, number, flags)
    return ctypes.get_errno()
number = os.open("/proc/self/ns/net", os.O_RDONLY)
print(*[enter(flags) for flags in (0x40000000, 0)])
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the number of setns")
@pytest.mark.parametrize("caller, tool, text", [
    ("user", "firejail", "restrict-namespaces user\nrestrict-namespaces net\nnet none\n"),
    ("root", "systemd", "[Service]\nRestrictNamespaces=~user\nRestrictNamespaces=~net\nCapabilityBoundingSet=CAP_SYS_ADMIN\n"),
], indirect=["caller"])  # fmt: skip
def test_namespaces_that_several_lines_refuse(caller, tool, text):
    """None is made, and none of a kind that setns(2) is not told is entered."""
    made = caller.verb("import", tool, str(caller.file(caller.directory() / "a.service", text)))
    assert made.status < 2 and "has no effect" not in made.stderr
    words = ["/bin/sh", "-c", 'for kind in U n; do unshare -$kind true && echo made; done; exec python3 -c "$0"', ENTER]
    run = caller.run(caller.spec(made.stdout), *words)
    assert run.stdout == "1 1\n", run


def test_a_private_tmp_of_systemd_takes_what_restricts_it(root):
    script = "touch /tmp/x && echo WROTE; cp /bin/true /tmp/y; /tmp/y && echo RAN; exit 0"
    for line, expected in (("", ["WROTE", "RAN"]), ("ReadOnlyPaths=/tmp", []), ("NoExecPaths=/tmp", ["WROTE"]), ("InaccessiblePaths=/tmp", [])):
        text = f"[Service]\nPrivateTmp=yes\nCapabilityBoundingSet=\n{line}\n"
        made = root.verb("import", "systemd", str(root.file(root.directory() / "a.service", text))).ok
        assert root.run(root.spec(made.stdout), "/bin/sh", "-c", script).ok.stdout.split() == expected, line


def test_what_a_pattern_of_firejail_shows_is_closed_where_another_line_says(user):
    home = user.open_directory()
    for name in (".x-1", ".x-key"):
        (home / name).mkdir()
        user.own(home / name)
        user.file(home / name / "id", "secret")
        user.file(home / name / "notes", "notes")
    user.file(home / ".x-1" / "tool", "#!/bin/sh\necho ran\n").chmod(0o755)
    text = ("whitelist ${HOME}/.x-*\nblacklist ${HOME}/.x-k*\nblacklist ${HOME}/*/none\nblacklist ${HOME}/.*/id\n"
            "read-only ${HOME}/.x-1\nnoexec ${HOME}/.x-1\nblacklist /proc/sys/kernel/os*\nprivate-tmp\nprivate-dev\n")
    env = {"HOME": str(home)}
    made = user.verb("import", "firejail", str(user.file(user.directory() / "a.profile", text)), env=env).ok
    assert "lost" not in made.stderr
    run = user.run(made.stdout, "/bin/sh", "-c", "cd; cat .x-1/notes; cat .x-1/id .x-key/id .x-key/notes; .x-1/tool; "
                   "echo x > .x-1/notes; cat /proc/sys/kernel/ostype; echo end", env=env)
    assert run.stdout == "notesend\n", run


@pytest.mark.parametrize("text, seen", [
    ("blacklist ${HOME}/.ssh\n", False), ("whitelist ${HOME}/.ssh\n", True), ("whitelist ${HOME}/.none\n", False),
    ("private\n", False), ("blacklist ${HOME}/.ssh\ncaps.drop chown\n", False),
])  # fmt: skip
def test_a_profile_of_firejail_for_roots_home(root, text, seen):
    home = root.directory() / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/id").write_text("secret")
    env = {"HOME": str(home)}
    profile = root.file(root.directory() / "a.profile", text + "private-tmp\nprivate-dev\n")
    made = root.verb("import", "firejail", str(profile), env=env).ok
    assert ("without sys_admin" in made.stderr) == text.startswith("blacklist")
    script = "cat ~/.ssh/id 2>/dev/null; cd; pwd; touch ~/new 2>/dev/null && echo written"
    run = root.run(made.stdout, "/bin/sh", "-c", script, env=env)
    # Where nothing empties the home it is the host's, and root's: the command is nobody.
    own = not text.startswith("blacklist")
    assert run.stdout == ("secret" if seen else "") + f"{home}\n" + ("written\n" if own else ""), run
    assert not (home / "new").exists()


def test_a_bus_that_firejail_filters(user):
    """The command that the import prints starts the proxy, and what goes over the bus is what the profile says."""
    for program in ("dbus-daemon", "dbus-send", "xdg-dbus-proxy"):
        if shutil.which(program) is None:
            cannot(f"filter a bus: no {program}")
    runtime = user.directory(0o700)
    env = {"XDG_RUNTIME_DIR": str(runtime), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus"}
    text = "dbus-user filter\ndbus-user.own org.example.mine\ndbus-user.talk org.example.*\nprivate\nnet none\n"
    made = user.verb("import", "firejail", str(user.file(user.directory() / "a.profile", text)), env=env).ok
    command = re.search(r"xdg-dbus-proxy .*", made.stderr)[0]
    spec = user.spec(made.stdout)
    assert user.run(spec, "/usr/bin/test", "-e", str(runtime / "bus"), env=env).status == 1, "no bus without its proxy"
    bus = user.popen(["dbus-daemon", "--session", "--nofork", "--address=" + env["DBUS_SESSION_BUS_ADDRESS"]])
    proxy = None
    try:
        wait_for(runtime / "bus")
        proxy = user.popen(["sh", "-c", "exec " + command], env=env)
        wait_for(runtime / "a.bus")
        ask = ["/usr/bin/dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.RequestName"]
        assert "uint32 1" in user.run(spec, *ask, "string:org.example.mine", "uint32:0", env=env).ok.stdout
        refused = user.run(spec, *ask, "string:org.other", "uint32:0", env=env)
        assert refused.status == 1 and "Error org.freedesktop.DBus.Error." in refused.stderr
    finally:
        for process in filter(None, (proxy, bus)):
            process.terminate()
            process.wait(patient(10))


def wait_for(path):
    end = time.monotonic() + patient(10)
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.01)


def test_a_directive_that_firejail_has_not_is_named_with_its_line(caller):
    profile = caller.file(caller.open_directory() / "a.profile", "quiet\nblaklist /usr\n")
    run = caller.verb("import", "firejail", str(profile))
    assert run.status == 2 and "a.profile:2:1: firejail has no directive blaklist" in run.stderr
    assert run.stdout == "" and "did you mean blacklist?" in run.stderr


def test_a_pattern_of_a_mount_may_match_nothing(caller):
    place = caller.open_directory()
    (place / "one.txt").write_text("1\n")
    line = '[[mount]]\ntarget = "{0}"\nsource = "{0}"\npattern = true\n'
    spec = caller.spec(line.format(f"{place}/*.txt") + (line + "optional = true\n").format(f"{place}/*.none"))
    assert caller.verb("run", str(spec), "--", "/bin/ls", str(place)).ok.stdout == "one.txt\n"
    spec = caller.spec(line.format(f"{place}/*.none"))
    run = caller.verb("run", str(spec), "--", "/bin/true")
    assert run.status == 125 and "nothing matches" in run.stderr


@pytest.mark.parametrize("text, status, line", [("ProtectSytem=full", 2, ":2:1"), ("ProcSubset=pid", 1, ":2:1"), ("Nice=3", 0, "")])
def test_a_unit_and_its_status(caller, text, status, line):
    unit = caller.file(caller.open_directory() / "a.service", f"[Service]\n{text}\nExecStart=/bin/true\n")
    run = caller.verb("import", "systemd", str(unit))
    assert run.status == status and line in run.stderr
    if status < 2:
        assert caller.verb("check", str(caller.spec(run.stdout))).status == 0
    else:
        assert run.stdout == ""


def test_a_tool_that_is_not_known_is_bad_usage(caller):
    assert caller.verb("import", "docker").status == 2
    assert caller.verb("import", "oci", "/no/such/file").status == 2


def image(caller, *directories):
    """A directory with ./image, an unpacked one that has a shell and these directories."""
    place = caller.directory()
    tree = bundle.tree(place / "image/rootfs")
    for name in directories:
        (tree / name).mkdir()
    for path in [place / "image", *(place / "image").rglob("*")]:
        caller.own(path)
    return place


def test_a_command_line_of_docker_launches(caller):
    place, work = image(caller, "dev", "proc", "sys", "tmp", "home", "w", "open"), caller.open_directory()
    tree = place / "image/rootfs"
    (tree / "open").chmod(0o777)
    script = "echo $A $PWD; echo x >/open/planted && echo thrown; echo y >/w/made; exit 3"
    words = ["--rm", "--network", "none", "-e", "A=1", "-v", f"{work}:/w", "-w", "/w", "debian:12", "sh", "-c", script]
    made = caller.verb("import", "docker", "--", "docker", "run", *words, cwd=place).ok
    assert "docker save -o image.tar debian:12 && immure import oci image.tar --into image" in made.stderr
    run = caller.run(caller.spec(made.stdout), cwd=place)
    assert (run.status, run.stdout.split(), run.stderr) == (3, ["1", "/w", "thrown"], ""), run
    assert (work / "made").read_text() == "y\n" and not (tree / "open/planted").exists()


def test_an_image_without_the_places_of_docker_launches(caller):
    """Neither /dev, /proc and /tmp, nor the target of -v, nor the directory of -w: docker makes each."""
    place, work = image(caller), caller.open_directory()
    for more in ([], ["--user", "1000:1000"] if caller.name == "root" else []):
        words = ["--rm", "--network", "none", *more, "-v", f"{work}:/data", "-w", "/srv/app", "debian:12", "sh", "-c", "pwd; echo >/data/made"]
        made = caller.verb("import", "docker", "--", "run", *words, cwd=place)
        assert made.status == 0, made
        assert ("mkdir -p" in made.stderr) == (caller.name == "root"), made.stderr
        run = caller.run(caller.spec(made.stdout), cwd=place)
        assert (run.status, run.stdout, run.stderr) == (0, "/srv/app\n", ""), run
        assert (work / "made").exists() and not (place / "image/rootfs/data").exists()
        (work / "made").unlink()


def test_the_places_that_root_is_told_to_make_are_made_as_told(caller):
    """Those of files are files, and after it the root can be written to."""
    place, work = image(caller), caller.open_directory()
    one = caller.file(caller.open_directory() / "one", "from outside\n")
    words = ["--rm", "--network", "none", "-v", f"{work}:/data", "-v", f"{one}:/opt/new/one.conf:ro", "-w", "/srv/app", "debian:12", "sh", "-c"]
    words += ["read line </opt/new/one.conf; echo $line; echo >/data/made; echo x >/srv/app/thrown 2>/dev/null || echo closed"]
    made = caller.verb("import", "docker", "--", "run", *words, cwd=place).ok
    told = re.search(r"import once more: (.*)", made.stderr)
    assert bool(told) == (caller.name == "root"), made.stderr
    if told:
        assert " && touch " in told[1]
        subprocess.run(["sh", "-c", told[1]], check=True)
        made = caller.verb("import", "docker", "--", "run", *words, cwd=place).ok
        assert "import once more" not in made.stderr and 'changes = "discard"' in made.stdout
    run = caller.run(caller.spec(made.stdout), cwd=place)
    assert run.status == 0 and run.stdout.splitlines()[0] == "from outside", run
    assert (work / "made").exists() and not (place / "image/rootfs/srv/app/thrown").exists()


def test_drop_ins_beside_a_unit_are_read(caller):
    place = caller.directory()
    unit = caller.file(place / "a.service", "[Service]\nExecStart=/usr/bin/true\n")
    (place / "a.service.d").mkdir()
    caller.own(place / "a.service.d")
    caller.file(place / "a.service.d/b.conf", "[Service]\nPrivateNetwork=yes\n")
    text = caller.verb("import", "systemd", str(unit)).ok.stdout
    assert "PrivateNetwork=yes" in text and 'mode = "host"' not in text
    (place / "a.service.d/c.conf").mkdir()
    made = caller.verb("import", "systemd", str(unit))
    assert made.status == 2 and "cannot read" in made.stderr and "c.conf" in made.stderr


def test_what_has_a_line_does_not_hold_without_one(caller):
    unit = caller.file(caller.directory() / "a.service", "[Service]\nType=notify\nExecStart=/usr/bin/true\nLockPersonality=yes\nMemoryDenyWriteExecute=yes\nProtectHome=read-only\nNoNewPrivileges=yes\n")
    text = caller.verb("import", "systemd", str(unit)).stdout
    holds = text.split("# Holds without a line:\n")[1].split("\n#\n")[0]
    assert "NoNewPrivileges=yes" in holds
    for line in ["Type=notify", "LockPersonality=yes", "MemoryDenyWriteExecute=yes", "ProtectHome=read-only"]:
        assert line not in holds and line in text, text


def test_an_include_of_the_administrator_that_is_missing_is_told(caller):
    directory = caller.directory()
    profile = caller.file(directory / "a.profile", f"include {directory}/globals.local\n")
    text = caller.verb("import", "firejail", str(profile)).stdout
    assert f"include {directory}/globals.local: the file does not exist" in text


def test_a_hint_of_the_command_line(caller):
    """What is printed is typed, and the fault is gone."""
    place = caller.directory()
    (place / "img").mkdir()
    for words, hint in (
        (["import", "docker", "x"], "immure import docker -- x"),
        (["import", "bwrap", "bwrap", "--ro-bind", "/", "/", "true"], "immure import bwrap -- --ro-bind / / true"),
        (["import", "bwrap", "--ro-bind", "/", "/", "true"], "immure import bwrap -- --ro-bind / / true"),
        (["import", "docker", "run", "-it", "debian"], "immure import docker -- run -it debian"),
        (["import", "oci", "img:small"], "an image is unpacked: immure import oci img:small --into DIRECTORY"),
    ):
        run = caller.verb(*words, cwd=place)
        assert run.status == 2 and f"hint: {hint}\n" in run.stderr, run
    for hint in ("immure import bwrap -- --ro-bind / / true", "immure import docker -- run -it debian"):
        assert caller.verb(*hint.split()[1:], cwd=place).ok.stdout
    run = caller.verb("enter", "abc")
    assert run.status == 125 and "hint: the number of the launcher: immure enter $(pgrep -n immure)\n" in run.stderr
    launch = caller.start('timeout = "60s"', "/bin/sh", "-c", "echo up; read x", stdin=subprocess.PIPE)
    assert launch.stdout.readline() == b"up\n"
    assert caller.verb("enter", str(launch.pid), "--", "/bin/echo", "inside").ok.stdout == "inside\n"
    launch.stdin.close()
    launch.wait(patient(10))


@pytest.mark.parametrize("tool, text", [("bwrap", None), ("firejail", "net none\n")])
def test_roots_import_and_a_users_say_whose_they_are(root, user, tool, text):
    """Root's jail keeps capabilities where the tool's does, and the import says so: a user's of the same has none."""
    texts = []
    for caller in (root, user):
        profile = caller.file(caller.directory() / "a.profile", text) if text else None
        words = [str(profile)] if text else ["--", "--ro-bind", "/", "/", "true"]
        texts.append(caller.verb("import", tool, *words))
    of_root, of_user = texts
    assert "# For root: imported by an ordinary user it keeps no capabilities." in of_root.stdout
    assert "keeps every capability" in of_root.stderr and "sys_admin" in of_root.stdout
    assert "# For an ordinary user: imported by root it may keep capabilities." in of_user.stdout
    assert "[capabilities]" not in of_user.stdout


def test_programs_of_a_profile_are_quiet(user):
    """Those that this host has, where it has them: a launch says nothing of the places where they are not."""
    home = user.directory()
    profile = user.file(user.directory() / "a.profile", "private-bin sh,ls,no-such\nwhitelist ${HOME}/.config/no-such\nnet none\n")
    made = user.verb("import", "firejail", str(profile), env={"HOME": str(home)})
    assert made.status == 0 and "no-such is not on this host" in made.stderr
    run = user.run(user.spec(made.stdout), "/bin/sh", "-c", "ls /usr/bin; pwd", env={"HOME": str(home)})
    assert run.status == 0 and set(run.stdout.split()) >= {"sh", "ls"}, run
    skipped = [line for line in run.stderr.splitlines() if "skipped" in line]
    assert len(skipped) == 2 and all("no-such" in line for line in skipped), run.stderr


@pytest.mark.parametrize("tool", ["bwrap", "nsjail", "firejail", "minijail", "systemd", "oci", "docker"])
def test_of_nothing_no_spec_is_made(user, tool):
    """A file that was to come by a pipe is not read: a spec of nothing would close nothing."""
    run = user.verb("import", tool)
    assert (run.status, run.stdout) == (2, "") and ("no FILE" in run.stderr or "no command line" in run.stderr), run


def test_what_is_no_command_and_no_call_is_said(user):
    for words, said in ((("help", "foo"), 'no command is named "foo"'), (("syscalls", "opennat"), 'did you mean "openat"?')):
        run = user.verb(*words)
        assert run.status != 0 and run.stdout == "" and said in run.stderr, run


#: What a spec would be refused with: as a file of the tool, what import says of it, and what is not in the spec.
REFUSED = {
    "a file of each process": ("systemd", "x.service", "[Service]\nExecStart=/bin/true\nProtectSystem=strict\nReadWritePaths=-/proc/self/loginuid /srv\n", "a file of procfs that is another for each process", "loginuid\""),
    "capabilities above a network's rules": ("nsjail", "x.cfg", 'clone_newnet: true\ncap: "CAP_NET_RAW"\ncap: "CAP_CHOWN"\nuser_net { }\n', "net_raw, by which the command could reach past the rules of its network", '"net_raw"'),
    "groups of nsjail's caller": ("nsjail", "x.cfg", 'mount { dst: "/sys/fs/cgroup" fstype: "cgroup2" rw: true }\n', "read-only, as a jail without limits has no control group of its own", '"rw"'),
    "groups of the caller": ("oci", "config.json", '{"ociVersion": "1.0.2", "process": {"cwd": "/", "args": ["true"]}, "root": {"path": "."}, "mounts": [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "rw"]}]}', "read-only, as a jail without limits has no control group of its own", '"rw"'),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_jail_takes_is_left_out_and_said(caller, name):
    tool, file, text, said, gone = REFUSED[name]
    place = caller.directory()
    run = caller.verb("import", tool, str(caller.file(place / file, text)))
    assert said in run.stderr and gone not in "".join(line for line in run.stdout.splitlines() if not line.lstrip().startswith("#")), run
    checked = caller.verb("check", str(caller.file(place / "made.toml", run.stdout)))
    assert checked.status == 0, (checked, run.stdout)
