"""[service] before the real systemd."""

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from systemd import Service, journal, show, systemctl, until

NOTIFY = '[service]\nnotify = "main"\n'
#: A program that says what it does to the manager and to the journal.
SCRIPT = """
import array, os, signal, socket, sys, time
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.connect(os.environ["NOTIFY_SOCKET"])
tell = lambda *lines: manager.send("\\n".join(lines).encode())
now = lambda: int(time.clock_gettime(time.CLOCK_MONOTONIC) * 1000000)
def reload(*_):
    print("got HUP", flush=True); tell("RELOADING=1", "MONOTONIC_USEC=%d" % now()); tell("READY=1", "STATUS=reloaded")
def stop(*_):
    print("got TERM", flush=True); tell("STOPPING=1", "STATUS=going"); sys.exit(0)
signal.signal(signal.SIGHUP, reload)
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGUSR1, lambda *_: print("got USR1", flush=True))
"""
WAIT = "\nwhile True: time.sleep(60)\n"


def program(name, code):
    path = Path(f"/opt/tests/{name}.py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SCRIPT + code)
    return f"/usr/bin/python3 -I {path}"


def spec(text=NOTIFY):
    return '[filesystem]\nro = ["/opt/tests"]\n' + text


def service(name, code, settings="Type=notify", text=NOTIFY):
    return Service(name, spec(text), settings, program(name, code))


def test_ready_status_reload_stop():
    made = service("tell", "time.sleep(0.5); tell('READY=1', 'STATUS=serving', 'MAINPID=%d' % os.getpid())" + WAIT,
                   "Type=notify\nExecReload=kill -HUP $MAINPID")
    before = time.monotonic()
    made.start()
    assert time.monotonic() - before >= 0.5
    assert (made.show("ActiveState"), made.show("StatusText")) == ("active", "serving")
    main = made.main
    assert Path(f"/proc/{main}/comm").read_text() == "immure\n"
    systemctl("reload", made.name)
    until(lambda: made.show("StatusText") == "reloaded")
    systemctl("kill", "--kill-whom=main", "-s", "USR1", made.name)
    made.says("got USR1")
    assert made.main == main
    made.stop()
    assert made.show("Result") == "success" and made.show("ExecMainStatus") == "0"
    text = made.journal()
    assert text.count("got TERM") == 1 and text.count("got HUP") == 1 and "not passed on" not in text


@pytest.mark.slow
def test_never_ready_is_a_failure():
    made = service("silent", WAIT, "Type=notify\nTimeoutStartSec=1")
    systemctl("start", made.name, status=1)
    assert made.show("Result") == "timeout"


@pytest.mark.slow
def test_extended_time():
    made = service("slow", "tell('EXTEND_TIMEOUT_USEC=9000000'); time.sleep(2); tell('READY=1')" + WAIT,
                   "Type=notify\nTimeoutStartSec=1").start()
    made.stop()


@pytest.mark.slow
@pytest.mark.parametrize("beats", [True, False])
def test_watchdog(beats):
    code = (
        "assert int(os.environ['WATCHDOG_PID']) == os.getpid(); tell('READY=1')\n"
        f"while True: time.sleep(0.2); {beats} and tell('WATCHDOG=1')\n"
    )
    made = service(f"dog{beats}", code, "Type=notify\nWatchdogSec=1").start()
    if beats:
        time.sleep(2)
        assert made.show("ActiveState") == "active"
        made.stop()
    else:
        until(lambda: made.show("ActiveState") == "failed")
        assert made.show("Result") == "watchdog"
        assert made.show("ControlGroup") == "" or not list(Path("/proc").glob("[0-9]*/cwd/opt/tests/dogFalse.py"))


def test_descriptors_are_stored_and_come_back():
    code = (
        "if os.environ.get('LISTEN_FDS'):\n"
        "    print('back', os.environ['LISTEN_FDNAMES'], os.environ['LISTEN_PID'] == str(os.getpid()), os.read(3, 9), flush=True)\n"
        "else:\n"
        "    a = os.memfd_create('kept'); os.write(a, b'kept'); os.lseek(a, 0, 0)\n"
        "    socket.send_fds(manager, [b'FDSTORE=1\\nFDNAME=mine'], [a])\n"
        "r, w = os.pipe(); socket.send_fds(manager, [b'BARRIER=1'], [w]); os.close(w); os.read(r, 1)\n"
        "tell('READY=1')" + WAIT
    )
    text = NOTIFY + "sockets = true\noptional = true\n"
    made = service("store", code, "Type=notify\nFileDescriptorStoreMax=4", text).start()
    assert made.show("NFileDescriptorStore") == "1"
    systemctl("restart", made.name)
    made.says("back mine True b'kept'")
    made.stop()


def test_another_main_process_is_refused():
    made = service("other", "tell('MAINPID=1', 'READY=1')" + WAIT).start()
    assert Path(f"/proc/{made.main}/comm").read_text() == "immure\n"
    assert "MAINPID=1 is not passed on" in made.journal()
    made.stop()


def test_direct_mode_has_no_process_of_ours():
    text = NOTIFY + '[namespaces]\npid = "host"\n[process]\ntty = "none"\n'
    made = service("direct", "tell('READY=1', 'STATUS=%d' % os.getpid())" + WAIT, text=text).start()
    main = made.main
    assert made.show("StatusText") == str(main)
    assert Path(f"/proc/{main}/comm").read_text().startswith("python3")
    cgroup = Path("/sys/fs/cgroup" + made.show("ControlGroup"))
    assert (cgroup / "cgroup.procs").read_text().split() == [str(main)]
    made.stop()
    assert made.show("Result") == "success"


def test_socket_activation():
    (Path("/run/systemd/system") / "echo.socket").write_text(
        "[Socket]\nListenStream=/run/echo.socket\nFileDescriptorName=line\nListenStream=127.0.0.1:7007\n")
    code = (
        "print('names', os.environ['LISTEN_FDNAMES'], os.environ['LISTEN_PID'] == str(os.getpid()), flush=True)\n"
        "tell('READY=1')\n"
        "peer = socket.socket(fileno=3).accept()[0]; peer.send(b'from the jail')\n"
    )
    made = service("echo", code, text=NOTIFY + "sockets = true\n")
    systemctl("start", "echo.socket")
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect("/run/echo.socket")
        assert peer.recv(100) == b"from the jail"
    made.says("names line:line True")
    systemctl("stop", "echo.socket", made.name)


@pytest.mark.parametrize("user", ["", "User=www-data\n", "DynamicUser=yes\n"])
def test_credentials_and_directories(user):
    name = "cred" + "".join(c for c in user.lower() if c.isalpha())[:4]
    code = (
        "d = os.environ['CREDENTIALS_DIRECTORY']; print('token', open(d + '/token').read(), flush=True)\n"
        "tell('READY=1')\n"
    )
    text = NOTIFY + "credentials = true\n"
    if user:
        code += "open('/run/own/a', 'w').write('x'); open('/state/b', 'w').write('y'); print('wrote', flush=True)\n"
        text += '[filesystem]\nro = ["/opt/tests"]\nrw = ["${RUNTIME_DIRECTORY}:/run/own", "${STATE_DIRECTORY}:/state"]\n'
    settings = f"Type=notify\n{user}SetCredential=token:s3cret\nRuntimeDirectory={name}\nStateDirectory={name}\nRuntimeDirectoryPreserve=yes"
    made = Service(name, text if user else spec(text), settings, program(name, code + WAIT)).start()
    made.says("token s3cret")
    if user:
        made.says("wrote")
        assert Path(f"/run/{name}/a").read_text() == "x" and Path(f"/var/lib/{name}/b").read_text() == "y"
    made.stop()


def test_the_journal_keeps_its_stream():
    made = Service(
        "stream", '[environment]\nkeep = ["JOURNAL_STREAM"]\n[filesystem]\nro = ["/opt/tests"]\n', "Type=oneshot",
        program("stream", "").replace("stream.py", "stream2.py"))
    Path("/opt/tests/stream2.py").write_text(
        "import os; s = os.fstat(2); print('stream', os.environ['JOURNAL_STREAM'] == f'{s.st_dev}:{s.st_ino}')\n")
    made.start()
    made.says("stream True")


def test_a_spec_that_fails_is_not_tried_again():
    made = Service("wrong", 'command = ["true"]\n[filesystem]\nro = ["/nowhere"]\n',
                   "Type=exec\nRestart=on-failure\nRestartPreventExitStatus=125 126 127")
    systemctl("start", made.name, status=None)
    until(lambda: made.show("ActiveState") == "failed")
    assert made.show("ExecMainStatus") == "125" and made.show("NRestarts") == "0"
    assert "/etc/immure/wrong.toml:3:" in made.journal()


def test_a_killed_launcher_leaves_nothing():
    made = service("killed", "tell('READY=1')" + WAIT, "Type=notify\nKillMode=process").start()
    cgroup = Path("/sys/fs/cgroup" + made.show("ControlGroup"))
    os.kill(made.main, 9)
    until(lambda: not (cgroup / "cgroup.procs").exists() or (cgroup / "cgroup.procs").read_text() == "")


@pytest.mark.slow
def test_kill_of_the_whole_unit():
    """KillMode=control-group, systemd's default: every process is sent the signal, and the command still ends."""
    made = service("whole", "tell('READY=1')" + WAIT, "Type=notify\nKillMode=control-group").start()
    made.stop()
    assert made.show("Result") == "success"


def test_a_service_that_the_filter_ends_has_failed_and_one_that_stops_has_not():
    """159 is no status of success, and 143 is: SIGTERM, with the default filter in force and nothing said of it."""
    made = service("refused", "tell('READY=1'); time.sleep(1); os.sync()" + WAIT, text=NOTIFY + '[seccomp]\nkill = ["sync"]\n')
    made.start()
    until(lambda: made.show("ActiveState") == "failed")
    assert (made.show("Result"), made.show("ExecMainStatus")) == ("exit-code", "159")
    made.says("killed by seccomp: sync()")
    # systemd forgets the status of a unit that has stopped and not failed: it is told in time.
    quiet = service("stopped", "signal.signal(signal.SIGTERM, signal.SIG_DFL); tell('READY=1')" + WAIT,
                    "Type=notify\nExecStopPost=echo ended: ${SERVICE_RESULT} ${EXIT_CODE} ${EXIT_STATUS}")
    quiet.start()
    systemctl("stop", quiet.name)
    quiet.says("ended: success exited 143")
    assert (quiet.show("ActiveState"), quiet.show("Result")) == ("inactive", "success")


def test_a01_a_line_within_a_line_names_no_main_process():
    """systemd ends a line at a carriage return too, and believes root's launcher: MAINPID of another unit, and its abort."""
    victim = Service("victim", "", "Type=exec", "/bin/sleep 600").start()
    code = (
        f"manager.send(b'READY=1\\nSTATUS=x\\rMAINPID={victim.main}\\nWATCHDOG=trigger')\n"
        "tell('STATUS=after', 'READY=1')" + WAIT
    )
    made = service("deputy", code).start()
    until(lambda: made.show("StatusText") == "after")
    assert made.main != victim.main and Path(f"/proc/{made.main}/comm").read_text() == "immure\n"
    assert "a message with a control character" in made.journal()
    assert victim.show("ActiveState") == "active" and made.show("ActiveState") == "active"
    made.stop()
    assert victim.show("ActiveState") == "active" and victim.show("NRestarts") == "0"
    victim.stop()
