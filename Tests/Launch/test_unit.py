"""`immure unit`: what it prints means to systemd what it says. Units that are started are in Tests/VM."""

import re
import shutil
import subprocess

import pytest

from harness.hints import among

SPEC = """
[identity]
user = "www-data"
[filesystem]
rw = ["${RUNTIME_DIRECTORY}"]
[process]
nice = 5
"""


def directives(text):
    """The assignments of a unit as systemd.syntax(7) reads them: a carriage return ends a line as well, a backslash joins two."""
    lines, joined = re.split("[\\n\\r\\0]", text), ""
    for line in lines:
        if not joined and line.lstrip().startswith(("#", ";")):
            continue
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        yield (joined + line).partition("=")[::2]
        joined = ""


def unit(caller, folder, name, *words, text=SPEC):
    place = caller.directory() / folder
    place.mkdir(exist_ok=True)
    path = caller.file(place / name, text)
    return caller.verb("unit", *words[:words.index("--")] if "--" in words else words, str(path), *(
        words[words.index("--"):] if "--" in words else ("--", "/bin/true")))


@pytest.mark.parametrize("control", ["\n", "\r", "\x1b", "\x0b", "\x7f"])
@pytest.mark.parametrize("place", ["folder", "name"])
def test_a16_a_path_with_a_control_character(caller, control, place):
    bad = f"a{control}ExecStartPre=evil"
    run = unit(caller, bad if place == "folder" else "a", bad + ".toml" if place == "name" else "a.toml")
    assert run.status == 125 and run.stdout == "" and "control character" in run.stderr, run
    assert control not in run.stderr.strip("\n")


@pytest.mark.parametrize("control", ["\n", "\r", "\\\n", "\x1b", "\t"])
def test_a16_words_with_a_control_character(caller, control):
    """Where the syntax has an escape for it, it is written; otherwise there is no unit."""
    sound = unit(caller, "a", "a.toml", "--", "/bin/true").ok
    bad = f"x{control}ExecStartPre=/bin/evil"
    for run in (
        unit(caller, "a", "a.toml", "--", "/bin/true", bad), unit(caller, "a", "a.toml", f"--env=A={bad}", "--", "/bin/true"),
        unit(caller, "a", "a.toml", text=SPEC.replace('"www-data"', repr_toml(bad))),
    ):
        names = [name for name, _ in directives(run.stdout)]
        assert run.status in (0, 125) and "ExecStartPre" not in names, run
        if run.status == 0:
            assert set(names) - {"Environment"} <= {name for name, _ in directives(sound.stdout)} - {"Environment"}
        else:
            assert run.stdout == ""


def test_a16_a_name_with_signs(caller):
    """`%` begins a specifier and a colon a second name nowhere but where the caller wrote one."""
    run = unit(caller, "a", "a%n b:c.toml", "--env=I=%i", "--", "/bin/echo", "50%", "$HOME").ok
    found = dict(directives(run.stdout))
    assert found["Description"] == "a%%n b:c in a jail of immure"
    assert found["RuntimeDirectory"] == '"a%%n b\\:c"/%i' and found["Environment"] == '"I=%i"'
    assert found["ExecStart"].endswith("-- /bin/echo 50%% $$HOME") and "/a%%n b:c.toml" in found["ExecStart"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_e14_the_exposure(caller, tmp_path):
    """What systemd-analyze makes of a service that root starts: 9.4 without the directives that do not hinder.

    The test's spec stands in /tmp, so that neither PrivateTmp= nor DynamicUser= are there; with those it is 3.0 (Tests/VM)."""
    path = tmp_path / "a.service"
    path.write_text(unit(caller, "a", "a.toml", text="").ok.stdout)
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=60", "--no-pager", str(path)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    known = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True, timeout=60)
    assert "a.service" not in known.stderr, known.stderr


def test_e05_instances_and_jobs(caller):
    found = dict(directives(unit(caller, "a", "a.toml", "--env=INSTANCE=%i", text=SPEC).ok.stdout))
    assert found["RuntimeDirectory"] == "a/%i" and found["User"] == "www-data"
    found = dict(directives(unit(caller, "a", "job.toml", text='timeout = "1min"\n').ok.stdout))
    assert found["Type"] == "oneshot" and "124" in found["RestartPreventExitStatus"].split()


def test_hints_of_the_options(caller, tmp_path):
    """Each option that cannot be followed says what would."""
    run = unit(caller, "a", "a.toml", "--type", "notify", text="")
    assert run.status == 125 and among(run.stderr, 'set service.notify = "exec", for a command that does not say so itself')
    unit(caller, "a", "a.toml", "--type", "notify", text='service.notify = "exec"\n').ok
    run = unit(caller, "a", "a.toml", "--socket", "/run/x", text="")
    assert run.status == 125 and among(run.stderr, "set service.sockets = true")
    assert "ListenStream=/run/x\n" in unit(caller, "a", "a.toml", "--socket", "/run/x", text="service.sockets = true\n").ok.stdout
    run = unit(caller, "a", "a.toml", "--dropin", "no-such-unit", text="")
    assert run.status == 125 and among(run.stderr, "name it as systemctl does, or its file")
    file = caller.file(caller.directory() / "there.service", "[Service]\nExecStart=/bin/true\n")
    assert "ExecStart=\n" in unit(caller, "a", "a.toml", "--dropin", str(file), text="").ok.stdout
    text = '[filesystem]\nro = ["${PWD}/x:/x"]\n'
    run = unit(caller, "a", "a.toml", text=text)
    assert run.status == 125
    assert among(run.stderr, "write the path out; immure unit takes --env PWD=DIRECTORY, where the service is to be started")
    assert "WorkingDirectory=/srv/x\n" in unit(caller, "a", "a.toml", "--env", "PWD=/srv/x", text=text).ok.stdout
    unit(caller, "a", "a.toml", text='[filesystem]\nro = ["/srv/x:/x"]\n').ok


def test_one_unit_a_call(caller):
    run = unit(caller, "a", "a.toml", "--timer", "daily", "--socket", "/run/x", text="service.sockets = true\n")
    assert run.status == 125 and run.stdout == "" and "one a call" in run.stderr
    for options in (["--timer", "daily\nExecStart=/bin/evil"], ["--socket", "/x\rExecStart=/bin/evil"]):
        run = unit(caller, "a", "a.toml", *options, text="service.sockets = true\n")
        assert run.status == 125 and run.stdout == "", run


def test_a_dropin_takes_back_what_hinders(caller):
    """Each directive that keeps a jail from being made, and no other."""
    file = caller.file(caller.directory() / "other.service", (
        "[Service]\nType=notify\nUser=redis\nExecStart=-/usr/bin/redis-server /etc/redis.conf --port $PORT\nRestrictNamespaces=yes\n"
        "ProtectKernelTunables=yes\nProcSubset=pid\nRestrictAddressFamilies=AF_UNIX\nSystemCallFilter=@system-service\n"
        "ProtectHostname=yes\nLockPersonality=yes\nNoExecPaths=/\nCapabilityBoundingSet=\n"))
    place = caller.directory() / "a"
    place.mkdir(exist_ok=True)
    path = caller.file(place / "a.toml", 'service.notify = "main"\n')
    text = caller.verb("unit", "--dropin", str(file), str(path)).ok.stdout
    found = list(directives(text))
    names = [name for name, _ in found]
    assert found[0][0] == "[Service]" and ("ExecStart", "") in found
    assert dict(found)["ExecStart"].endswith(" -- /usr/bin/redis-server /etc/redis.conf --port $PORT")
    for pair in (("RestrictNamespaces", "no"), ("ProtectKernelTunables", "no"), ("ProcSubset", "all"),
                 ("RestrictAddressFamilies", "AF_INET"), ("SystemCallErrorNumber", "EPERM")):
        assert pair in found, pair
    assert "@mount" in dict(found)["SystemCallFilter"] and "ExecPaths" in names
    assert not {"ProtectKernelLogs", "LockPersonality", "CapabilityBoundingSet", "User", "Restart"} & set(names)


def test_a_unit_for_a_users_manager(caller):
    found = dict(directives(unit(caller, "a", "a.toml", "--user", text='[filesystem]\nrw = ["${STATE_DIRECTORY}"]\n').ok.stdout))
    assert found["WantedBy"] == "default.target" and found["StateDirectory"] == "a"
    assert not {"User", "DynamicUser", "PrivateTmp", "ProtectSystem", "IPAddressDeny", "PrivateDevices"} & set(found)


def test_a_published_port_below_1024_without_root(root, user):
    """What the unit gives the launcher is enough for the port, and without it there is none."""
    text = '[network]\npublish = ["127.0.0.1:871:80"]\n'
    found = dict(directives(unit(root, "a", "a.toml", "--user", text=text).ok.stdout))
    assert "AmbientCapabilities" not in found
    found = dict(directives(unit(root, "a", "a.toml", text=text + '[identity]\nuser = "www-data"\n').ok.stdout))
    kept = found["CapabilityBoundingSet"].removeprefix("CAP_").lower()
    assert kept == found["AmbientCapabilities"].removeprefix("CAP_").lower()
    argv, _ = user.line(text, ("/bin/grep", "CapPrm", "/proc/self/status"))
    become = ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups", "--no-new-privs"]
    plain = root.finish(root.popen([*become, "--bounding-set", "-all", *argv]))
    assert plain.status == 125 and "below 1024" in plain.stderr, plain
    given = [f"--inh-caps=+{kept}", f"--ambient-caps=+{kept}", "--bounding-set", f"-all,+{kept}"]
    run = root.finish(root.popen([*become, *given, *argv]))
    assert run.status == 0 and int(run.stdout.split()[1], 16) == 0, run


def test_a_directory_that_the_command_could_not_write_to(root):
    """The spec is in /tmp, so that root starts the jail: what systemd makes is root's, and the unit says so with what helps."""
    def mount(source, more=""):
        return f'[[mount]]\ntarget = "/data"\nsource = "{source}"\n{more}\n'

    write = ("/bin/sh", "-c", "echo x >/data/file")
    made = unit(root, "a", "a.toml", text=mount("/var/lib/made", "create = true")).ok.stdout
    assert "StateDirectory" not in made and "# No DynamicUser=" in made
    told = unit(root, "a", "a.toml", text=mount("${STATE_DIRECTORY}")).ok.stdout
    assert re.search("# .*root's, .* idmap = true .*\nStateDirectory=a\n", told), told
    place = root.directory()
    place.chmod(0o755)
    assert "Permission denied" in root.run(mount(place), *write).stderr
    root.run(mount(place, "idmap = true"), *write).ok
    root.run(mount(place / "deep" / "own", "create = true"), *write).ok
    silent = unit(root, "a", "a.toml", text=mount("${STATE_DIRECTORY}", "idmap = true")).ok.stdout
    assert "StateDirectory=a" in silent and "root's" not in silent


CALENDARS = ("daily", "Mon..Fri 10:00", "*-*-01 03:00", "evry day", "nonsense", "*-*-32", "24:00", "hourly 5:00", "*:0/15", "@x",
             "12,14:20,10", "daily nonsense")


def test_what_systemd_would_not_take(root):
    run = unit(root, "a", "a.toml", "--timer", "evry day")
    assert run.status == 125 and run.stdout == ""
    assert among(run.stderr, 'write it as daily, "Mon..Fri 10:00" or "*-*-01 03:00"')
    for text in ("daily", "Mon..Fri 10:00", "*-*-01 03:00"):
        assert f"OnCalendar={text}\n" in unit(root, "a", "a.toml", "--timer", text).ok.stdout
    sockets = "service.sockets = true\n"
    run = unit(root, "a", "a.toml", "--socket", "80", "--socket", "nonsense", text=sockets)
    assert run.status == 125 and run.stdout == "" and '"nonsense"' in run.stderr
    assert among(run.stderr, "write it as /run/name.sock, @name, 8080, 127.0.0.1:8080 or [::1]:8080")
    for text in ("/run/name.sock", "@name", "8080", "127.0.0.1:8080", "[::1]:8080"):
        assert f"ListenStream={text}\n" in unit(root, "a", "a.toml", "--socket", text, text=sockets).ok.stdout


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
@pytest.mark.parametrize("text", CALENDARS)
def test_what_systemd_says_of_a_calendar(root, text):
    told = subprocess.run(["systemd-analyze", "calendar", text], capture_output=True, timeout=60)
    assert (unit(root, "a", "a.toml", "--timer", text).status == 0) == (told.returncode == 0), told


def repr_toml(text):
    return '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"'
