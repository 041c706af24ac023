"""Units around a jail: the table of directives in the manual, what `immure unit` prints, and what a service is given."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from limits import Jail
from test_systemd_limits import as_tester, manager, unit  # noqa: F401

from systemd import SPECS, UNITS, journal, show, systemctl, until, version

IMMURE = "/usr/local/bin/immure"
CALLERS = {"root": [], "User=": ["User=tester"], "DynamicUser=": ["DynamicUser=yes"]}


@pytest.fixture
def jail(binary):
    return Jail(binary)


def table():
    """The rows of the manual: the directives, and what is said of them."""
    binary = os.environ["IMMURE"] if os.environ.get("VM_RUN") else ""
    page = subprocess.run([binary, "manual", "1"], capture_output=True, text=True, check=True).stdout if binary else ""
    page = page.replace("\\-", "-").replace("\\(ti", "~").replace("\\(aq", "'")
    section = re.search(r"\.SS Directives of a unit\n(.*?)\n\.S[HS]", page + "\n.SH", re.S)
    rows = re.findall(r"\.TP\n\\fB(.*?)\\fR\n(.*?)(?=\n\.TP|\n\.PP|\Z)", section.group(1), re.S) if section else []
    return [(directive, " ".join(words.split())) for tags, words in rows for directive in re.split(", (?=[A-Z])", tags)]


def fits(words, caller):
    older = re.search(r"Up to systemd (\d+) ([^.]*)", words)
    if older and version() <= int(older.group(1)):
        return caller in older.group(2)
    return words.startswith("Fit: ") and caller in words.split(". ")[0]


def of_a_newer_systemd(jail, directive, caller, since):
    """From a file: systemd-run(1) does not know of every value what the manager does. An older one leaves the line out."""
    words = jail.arguments("", "sh", "-c", "echo ran")
    path = UNITS / "newer.service"
    path.write_text("\n".join(["[Service]\nType=oneshot", f"ExecStart={shlex.join(words)}", directive, *CALLERS[caller], ""]))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(path)], capture_output=True, text=True)
    line = path.read_text().splitlines().index(directive) + 1
    assert (f"{path}:{line}:" in verified.stderr) is (version() < since), verified
    systemctl("daemon-reload")
    before = journal("newer.service", 10**6).count("ran\n")
    systemctl("start", "newer")
    assert journal("newer.service", 10**6).count("ran\n") == before + 1


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("directive, words", table())
def test_the_table_of_directives(jail, directive, words, caller):
    """Each as the manual has it, with systemd's own reading of the line."""
    since = re.search(r"From systemd (\d+) on", words)
    if since:
        return of_a_newer_systemd(jail, directive, caller, int(since.group(1)))
    more = re.search(r"with (\w+=\w+):", words)
    done = unit(jail.arguments("", "sh", "-c", "echo ran"), directive, *([more.group(1)] if more else []), *CALLERS[caller])
    assert (done.returncode, done.stdout) == (0, "ran\n") if fits(words, caller) else done.returncode != 0 and done.stdout == "", (directive, done)


def test_the_table_is_there():
    rows = table()
    assert len(rows) > 50 and all(words.startswith(("Fit: ", "Not: ")) for _, words in rows)


@pytest.mark.parametrize("caller", CALLERS)
def test_all_that_fits_at_once(jail, caller):
    together = [directive for directive, words in table() if fits(words, caller) and "From systemd" not in words
                and (version() < 257 or directive != "ProtectHostname=yes")
                and not re.search(r"each by itself|with \w+=\w+:|SystemCallFilter=~|ReadOnlyPaths|StandardInput|RestrictNamespaces|TemporaryFile|ProtectHome=tmpfs|CPUScheduling", f"{words} {directive}")]
    done = unit(jail.arguments("", "sh", "-c", "echo ran"), *together, *CALLERS[caller])
    assert (done.returncode, done.stdout) == (0, "ran\n"), done


def test_e12_a_dynamic_user_has_a_name(jail):
    script = 'echo "$USER $LOGNAME $HOME"; id -un; id -gn; getent passwd "$(id -u)"'
    done = unit(jail.arguments("", "sh", "-c", script), "DynamicUser=yes", "User=airy")
    first, name, group, line = done.stdout.splitlines()
    fields = line.split(":")
    assert first.split()[:2] == ["airy", "airy"] and (name, group) == ("airy", "airy"), done
    assert fields[0] == "airy" and fields[5] == first.split()[2] and first.split()[2].startswith("/"), done
    # The name of the unit, where none is written.
    done = unit(jail.arguments("", "sh", "-c", 'test "$(id -un)" = "$USER" && echo "$USER"'), "DynamicUser=yes")
    assert done.returncode == 0 and done.stdout.startswith("run-"), done


def printed(path, *words, user=False, status=0):
    call = [IMMURE, "unit", *words, str(path)]
    done = subprocess.run(as_tester(call) if user else call, capture_output=True, text=True)
    assert done.returncode == status, done
    return done


def spec(name, text):
    SPECS.mkdir(exist_ok=True)
    path = SPECS / f"{name}.toml"
    path.write_text(text)
    return path


SLEEP = 'command = ["sh", "-c", "echo up; exec sleep 1000"]\n'


@pytest.mark.parametrize("kind", ["simple", "exec", "notify", "oneshot"])
def test_each_type_runs(kind):
    text = SLEEP if kind != "oneshot" else 'command = ["echo", "up"]\n'
    path = spec(f"of{kind}", text + ('service.notify = "exec"\n' if kind == "notify" else ""))
    name = f"of{kind}.service"
    (UNITS / name).write_text(printed(path, "--type", kind).stdout)
    systemctl("daemon-reload")
    systemctl("start", name)
    until(lambda: "up" in journal(name))
    assert show(name, "Type") == kind
    assert show(name, "SyslogIdentifier") == f"of{kind}"
    if kind != "oneshot":
        systemctl("restart", name)
        assert show(name, "ActiveState") == "active"
        systemctl("stop", name)
    assert show(name, "Result") == "success"


def test_a_type_that_nobody_would_serve():
    done = printed(spec("ofnone", SLEEP), "--type", "notify", status=125)
    assert done.stdout == "" and 'hint: set service.notify = "exec"' in done.stderr


def test_a_timer():
    path = spec("timed", 'command = ["echo", "the hour has come"]\ntimeout = "1min"\n')
    (UNITS / "timed.service").write_text(printed(path).stdout)
    (UNITS / "timed.timer").write_text(printed(path, "--timer", "*:*:0/2").stdout)
    systemctl("daemon-reload")
    subprocess.run(["systemd-analyze", "verify", "--man=no", str(UNITS / "timed.timer")], check=True)
    systemctl("start", "timed.timer")
    until(lambda: "the hour has come" in journal("timed.service"), 90)
    systemctl("stop", "timed.timer")


def test_a_socket():
    program = "import socket; peer = socket.socket(fileno=3).accept()[0]; peer.send(b'from the jail')"
    path = spec("given", f'command = ["python3", "-I", "-c", "{program}"]\nservice.sockets = true\n')
    (UNITS / "given.service").write_text(printed(path).stdout)
    (UNITS / "given.socket").write_text(printed(path, "--socket", "/run/given").stdout)
    systemctl("daemon-reload")
    systemctl("start", "given.socket")
    done = subprocess.run(["python3", "-c", "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/given'); print(s.recv(99))"],
                          capture_output=True, text=True, timeout=60)
    assert done.stdout == "b'from the jail'\n", (done, journal("given.service"))
    systemctl("stop", "given.socket")
    done = printed(spec("ofnone", SLEEP), "--socket", "/run/x", status=125)
    assert "hint: set service.sockets = true" in done.stderr


def test_a_unit_of_a_user(manager):  # noqa: F811
    home = Path("/home/tester")
    (home / ".config/systemd/user").mkdir(parents=True, exist_ok=True)
    path = home / "own.toml"
    path.write_text(SLEEP + '[filesystem]\nrw = ["${STATE_DIRECTORY}:/data"]\n[limits]\npids = 20\n[namespaces]\ncgroup = "host"\n')
    subprocess.run(["chown", "-R", "tester:tester", home], check=True)
    text = printed(path, "--user", user=True).stdout
    assert "WantedBy=default.target\n" in text and "StateDirectory=own\n" in text and "User=" not in text
    (home / ".config/systemd/user/own.service").write_text(text)

    def user(*words):
        return subprocess.run(as_tester(["systemctl", "--user", *words]), capture_output=True, text=True, timeout=60)

    user("daemon-reload")
    done = user("start", "own")
    assert done.returncode == 0, (done, journal())
    main = user("show", "--value", "-p", "MainPID", "own").stdout.strip()
    until(lambda: list(Path("/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/own.service").glob("immure-*")))
    assert Path(f"/proc/{main}/comm").read_text() == "immure\n"
    assert user("restart", "own").returncode == 0 and user("stop", "own").returncode == 0
    assert user("show", "--value", "-p", "Result", "own").stdout == "success\n"


def test_a_dropin_over_debians_redis():
    """Every directive of that unit which keeps a jail from being made, in one go."""
    path = spec("redis-jail", '[service]\nnotify = "main"\n[filesystem]\nrw = ["/var/lib/redis", "/var/log/redis", "${RUNTIME_DIRECTORY}"]\n'
                '[network]\nmode = "none"\n')
    shipped = Path("/lib/systemd/system/redis-server.service")
    if not shipped.exists():
        pytest.skip("no redis-server.service")
    text = printed(path, "--dropin", "redis-server").stdout
    folder = UNITS / "redis-server.service.d"
    folder.mkdir(exist_ok=True)
    try:
        (folder / "immure.conf").write_text(text)
        systemctl("daemon-reload")
        systemctl("start", "redis-server")
        main = show("redis-server", "MainPID")
        assert Path(f"/proc/{main}/comm").read_text() == "immure\n", text
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        assert children and Path(f"/proc/{children[0]}/ns/net").readlink() != Path("/proc/1/ns/net").readlink()
        # What was printed before is no part of the unit.
        assert printed(path, "--dropin", "redis-server").stdout == text
        systemctl("restart", "redis-server")
        systemctl("stop", "redis-server")
        assert show("redis-server", "Result") == "success", journal("redis-server")
    finally:
        shutil.rmtree(folder)
        systemctl("daemon-reload")


def test_a_spec_of_somebody_elses_is_told(tmp_path):
    tmp_path.chmod(0o755)
    path = tmp_path / "theirs.toml"
    path.write_text(SLEEP)
    os.chown(path, 1000, 1000)
    done = printed(path)
    assert "belongs to uid 1000" in done.stderr and "whoever writes it decides what the service runs" in done.stderr
    assert "hint: chown root " in done.stderr
    os.chown(path, 0, 0)
    assert printed(path).stderr == ""


def test_what_a_spec_extends_is_not_hidden_from_it():
    home = Path("/home/tester")
    home.mkdir(exist_ok=True)
    (home / "base.toml").write_text(SLEEP)
    (home / "base.toml").chmod(0o644)
    path = spec("heir", f'extends = ["{home}/base.toml"]\n')
    (UNITS / "heir.service").write_text(printed(path).stdout)
    systemctl("daemon-reload")
    systemctl("start", "heir")
    until(lambda: "up" in journal("heir.service"))
    systemctl("stop", "heir")


def test_a_directory_that_is_to_be_made():
    """A user of the unit's own can make nothing in /var/lib: systemd does."""
    path = spec("maker", 'command = ["sh", "-c", "echo x >/data/file && echo wrote"]\ntimeout = "1min"\n'
                '[[mount]]\ntarget = "/data"\nsource = "/var/lib/made/deep"\ncreate = true\n')
    text = printed(path).stdout
    assert "StateDirectory=made\n" in text and "DynamicUser=yes\n" in text, text
    (UNITS / "maker.service").write_text(text)
    systemctl("daemon-reload")
    systemctl("start", "maker")
    assert "wrote" in journal("maker.service")
    assert Path("/var/lib/made/deep/file").read_text() == "x\n"
