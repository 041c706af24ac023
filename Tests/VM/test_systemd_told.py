"""What systemd hears of a service: ready, dead, and what it says in the journal."""

import subprocess

import pytest
from limits import Jail
from test_systemd_limits import unit

from systemd import Service, systemctl, until


@pytest.fixture
def jail(binary):
    return Jail(binary)


EXEC = '[service]\nnotify = "exec"\n'


@pytest.mark.parametrize("user", ["", "User=www-data"])
def test_e07_a_start_succeeds_once_the_command_runs(user):
    made = Service("begun", EXEC, f"Type=notify\n{user}", "/bin/sh -c 'echo up; exec sleep 1000'").start()
    assert made.show("ActiveState") == "active" and made.says("up")
    made.stop()
    assert made.show("Result") == "success"


@pytest.mark.parametrize("spec, command, status", [
    (EXEC + '[filesystem]\nro = ["/nonexistent"]\n', "/bin/sleep 1000", "125"), (EXEC, "/nonexistent", "127")])
def test_e07_a_start_fails_where_no_jail_is_made(spec, command, status):
    made = Service("unbegun", spec, "Type=notify", command)
    systemctl("start", made.name, status=1)
    assert (made.show("Result"), made.show("ExecMainStatus")) == ("exit-code", status), made.journal()


@pytest.mark.parametrize("user", [[], ["User=www-data"], ["DynamicUser=yes"]], ids=lambda user: "".join(user) or "root")
@pytest.mark.parametrize("policy", ["fifo", "rr"])
def test_e08_a_real_time_service(jail, policy, user):
    words = jail.arguments("", "python3", "-c", "import os; print(os.sched_getscheduler(0))")
    expected = (0, {"fifo": "1\n", "rr": "2\n"}[policy])
    real_time = [f"CPUSchedulingPolicy={policy}", "CPUSchedulingPriority=5", *user]
    if unit(["/bin/true"], *real_time).returncode == 0:
        done = unit(words, *real_time)
    else:
        # A kernel with CONFIG_RT_GROUP_SCHED has such tasks in the root cgroup alone, sched(7): SETSCHEDULER for any command.
        assert unit(words, *real_time).returncode == 214
        leave = "echo $$ >/sys/fs/cgroup/cgroup.procs; exec chrt --$0 5 \"$@\""
        identity = ["setpriv", "--reuid", "www-data", "--regid", "www-data", "--clear-groups"] if user else []
        done = subprocess.run(["sh", "-c", leave, policy, *identity, *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == expected, done


@pytest.mark.parametrize("by_signal", [True, False])
def test_e09_a_crash_is_one_to_systemd_too(by_signal):
    spec = "[service]\ndie_by_signal = true\n" if by_signal else ""
    made = Service("crash", spec, "Type=exec\nRestart=on-abort\nRestartSec=100ms", "/bin/sh -c 'sleep 0.5; kill -SEGV $$$$'").start()
    if by_signal:
        until(lambda: int(made.show("NRestarts")) >= 1)
        made.stop()
    else:
        until(lambda: made.show("ActiveState") == "failed")
        assert (made.show("NRestarts"), made.show("ExecMainStatus")) == ("0", "139")
    systemctl("reset-failed", made.name, status=None)


def test_e09_a_stop_by_force_is_told():
    made = Service("stubborn", 'grace = "500ms"\n', "Type=exec", """/bin/sh -c 'trap "" TERM; echo up; while :; do sleep 1; done'""").start()
    made.says("up")
    systemctl("stop", made.name)
    assert "grace" in made.journal() and made.show("ExecMainStatus") == "137", made.journal()


def test_e10_a_capability_without_effect_on_the_hosts_network(jail):
    spec = '[capabilities]\nkeep = ["net_bind_service"]\n[network]\nmode = "host"\n'
    code = 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 81))'
    for user in ([], ["User=www-data", "AmbientCapabilities=CAP_NET_BIND_SERVICE"]):
        done = unit(jail.arguments(spec, "python3", "-c", code), *user)
        assert "net_bind_service: without effect on the host's network" in done.stderr and "PermissionError" in done.stderr, done


SENDS = """
import socket, sys, syslog
syslog.openlog(sys.argv[1])
syslog.syslog("by syslog")
sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.sendto(b"MESSAGE=by journal\\nSYSLOG_IDENTIFIER=%b\\n" % sys.argv[1].encode(), "/run/systemd/journal/socket")
"""


@pytest.mark.parametrize("user", [[], ["User=www-data"], ["DynamicUser=yes"]], ids=lambda user: "".join(user) or "root")
def test_e11_the_journal_has_what_the_command_sends(jail, user):
    name = f"sent{len(''.join(user))}"
    for key, held in (("", False), ("[service]\njournal = true\n", True)):
        done = unit(jail.arguments(key, "python3", "-c", SENDS, name), *user)
        assert (done.returncode == 0) is held, done
        subprocess.run(["journalctl", "--sync"], check=True)
        said = subprocess.run(["journalctl", "-o", "cat", "-t", name], capture_output=True, text=True).stdout
        assert sorted(said.splitlines()) == (["by journal", "by syslog"] if held else []), said
