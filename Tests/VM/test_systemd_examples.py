"""Examples/systemd: each started, used, reloaded and stopped; and units that `immure unit` prints."""

import re
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from systemd import SPECS, UNITS, journal, show, systemctl, until

EXAMPLES = Path(__file__).resolve().parents[2] / "Examples"


@pytest.fixture(scope="module", autouse=True)
def installed():
    SPECS.mkdir(exist_ok=True)
    for path in (EXAMPLES / "systemd").iterdir():
        if path.suffix == ".toml":
            shutil.copyfile(path, SPECS / path.name)
        elif path.suffix != ".md":
            shutil.copyfile(path, UNITS / path.name)
    systemctl("daemon-reload")


def verify(*units):
    """Every complaint that systemd has of these files."""
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    return done.stderr.strip()


@pytest.mark.parametrize("name", ["pages.service", "pages.socket", "cache.service", "report.service", "report.timer",
                                  "site@x.service"])
def test_units_are_what_systemd_knows(name):
    assert verify(name) == ""


def fetch(path="/", port=8080):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read().decode()


def test_pages():
    Path("/srv/pages").mkdir(parents=True, exist_ok=True)
    Path("/srv/pages/index.html").write_text("the page\n")
    systemctl("start", "pages.socket")
    assert show("pages.service", "ActiveState") == "inactive"
    assert fetch() == "the page\n"
    main = show("pages.service", "MainPID")
    systemctl("reload", "pages.service")
    until(lambda: "gracefully shutting down" in journal("pages.service") or "signal 1 (SIGHUP)" in journal("pages.service")
          or fetch() == "the page\n")
    assert fetch() == "the page\n" and show("pages.service", "MainPID") == main
    # The network of the jail is its own: not the one that the socket is of.
    reaper = Path(f"/proc/{main}/task/{main}/children").read_text().split()[0]
    assert Path(f"/proc/{reaper}/ns/net").readlink() != Path("/proc/1/ns/net").readlink()
    systemctl("stop", "pages.service", "pages.socket")
    assert show("pages.service", "Result") == "success"


def redis(*words):
    return subprocess.run(["redis-cli", "-s", "/run/cache/redis.sock", *words], capture_output=True, text=True).stdout


def test_cache():
    systemctl("start", "cache.service")
    # Started means ready: the first question is answered.
    assert redis("ping") == "PONG\n"
    assert "Ready to accept connections" in show("cache.service", "StatusText")
    redis("set", "key", "kept")
    systemctl("restart", "cache.service")
    assert redis("get", "key") == "kept\n"
    systemctl("stop", "cache.service")
    assert show("cache.service", "Result") == "success"
    assert journal("cache.service").count("Received SIGTERM") <= 2


def test_site():
    for name in ("alice", "bob"):
        Path(f"/srv/sites/{name}").mkdir(parents=True, exist_ok=True)
        Path(f"/srv/sites/{name}/who").write_text(name)
    systemctl("start", "site@alice", "site@bob")

    def ask(name):
        done = subprocess.run(
            ["curl", "-s", "--unix-socket", f"/run/site/{name}/socket", "http://x/who"], capture_output=True, text=True)
        return done.stdout

    for name in ("alice", "bob"):
        assert until(lambda: ask(name)) == name
    systemctl("stop", "site@alice")
    assert ask("bob") == "bob"
    systemctl("stop", "site@bob")
    assert show("site@bob", "Result") == show("site@alice", "Result") == "success"


def unit(path, *words):
    done = subprocess.run(["/usr/local/bin/immure", "unit", path, *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


@pytest.mark.parametrize("name, words", [
    ("cache", []), ("pages", []), ("report", []), ("site", ["--env", "INSTANCE=%i"])])
def test_printed_units_are_what_systemd_knows(name, words, tmp_path):
    path = tmp_path / (f"{name}@.service" if words else f"{name}.service")
    path.write_text(unit(SPECS / f"{name}.toml", *words))
    assert verify(path) == ""


def test_a_printed_unit_runs():
    """Of a spec with a user, attributes and a directory: what systemd sets and what the jail has are the same."""
    spec = SPECS / "printed.toml"
    spec.write_text(
        'command = ["python3", "-I", "-c", """import os, resource, time\n'
        "print('inside', os.getuid(), os.nice(0), resource.getrlimit(resource.RLIMIT_NOFILE), open('/own/a', 'w').name, flush=True)\n"
        'time.sleep(100)"""]\n'
        '[identity]\nuser = "www-data"\n[process]\nnice = 5\n[rlimits]\nnofile = "512:1024"\n'
        '[filesystem]\nrw = ["${STATE_DIRECTORY}:/own"]\n')
    text = unit(spec)
    assert "User=www-data\n" in text and "StateDirectory=printed\n" in text and "LimitNOFILE=512:1024\n" in text
    (UNITS / "printed.service").write_text(text)
    systemctl("daemon-reload")
    systemctl("start", "printed")
    until(lambda: "inside 33 5 (512, 1024) /own/a" in journal("printed.service"))
    assert show("printed", "User") == "www-data"
    systemctl("stop", "printed")
    assert show("printed", "Result") == "success"


def test_a_printed_unit_for_a_service():
    text = unit(SPECS / "cache.toml")
    assert "Type=notify\n" in text and "NotifyAccess=main\n" in text and "cache.toml:" in text
    assert "StateDirectory=cache\n" in text and "RuntimeDirectory=cache\n" in text


def test_printed_units_of_the_examples_run():
    """cache, two instances of site, and report, as printed."""
    names = {"cache.service": unit(SPECS / "cache.toml"), "report.service": unit(SPECS / "report.toml"),
             "site@.service": unit(SPECS / "site.toml", "--env", "INSTANCE=%i")}
    systemctl("stop", "cache", "site@alice", "site@bob", status=None)
    before = {name: (UNITS / name).read_text() for name in names}
    try:
        for name, text in names.items():
            (UNITS / name).write_text(text)
        systemctl("daemon-reload")
        systemctl("start", "cache", "site@alice", "site@bob")
        subprocess.run(["systemd-analyze", "security", "--threshold=35", "--no-pager", "cache", "site@bob"], check=True)
        assert show("cache", "DynamicUser") == "yes" and show("site@bob", "RuntimeDirectory") == "site/bob"
        done = subprocess.run(["redis-cli", "-s", "/run/cache/redis.sock", "ping"], capture_output=True, text=True)
        assert done.stdout == "PONG\n", journal("cache.service")
        for name in ("alice", "bob"):
            until(Path(f"/run/site/{name}/socket").is_socket)
        systemctl("stop", "site@alice")
        assert Path("/run/site/bob/socket").is_socket()
        systemctl("stop", "cache", "site@bob")
        assert show("cache", "Result") == show("site@bob", "Result") == "success"
        systemctl("start", "report")
        assert show("report", "Result") == "success", journal("report.service")
    finally:
        for name, text in before.items():
            (UNITS / name).write_text(text)
        systemctl("daemon-reload")


def test_what_a_unit_does_not_give(tmp_path):
    """A spec that refers to what no unit has is refused, with its line."""
    spec = tmp_path / "shell.toml"
    spec.write_text('command = ["sh"]\n[filesystem]\nrw = ["${PWD}"]\n')
    done = subprocess.run(["/usr/local/bin/immure", "unit", spec], capture_output=True, text=True)
    assert done.returncode == 125 and "shell.toml:3:" in done.stderr and "PWD" in done.stderr


def test_report():
    """The job runs in a cgroup below the unit's, with the limits of the spec, and the timer starts it."""
    systemctl("start", "report.service")
    assert show("report.service", "Result") == "success", journal("report.service")
    assert "/logs" in Path("/var/lib/report/largest").read_text()
    systemctl("start", "report.timer")
    assert show("report.timer", "ActiveState") == "active"
    systemctl("stop", "report.timer")


def test_report_that_takes_too_much():
    """What is over a limit ends the job, and the journal says why."""
    spec = SPECS / "report.toml"
    text = spec.read_text()
    hog = 'command = ["python3", "-I", "-c", "a = bytearray(256 << 20); print(len(a))"]\n'
    spec.write_text(re.sub(r"^command = .*\n", lambda _: hog, text, flags=re.MULTILINE))
    try:
        systemctl("start", "report.service", status=1)
        assert show("report.service", "ExecMainStatus") == "137", journal("report.service")
        assert "memory" in journal("report.service")
    finally:
        spec.write_text(text)
    left = Path("/sys/fs/cgroup/system.slice/report.service")
    assert not left.exists()
