"""exec-start.toml: immure becomes the daemon, so that the manager's process id is the daemon's."""

import os
import signal
import subprocess
from pathlib import Path

from harness.patience import patient, until
from inside import closed

KINDS = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"]


def test_process_id_stays(caller, work):
    script = "import os; print(os.getpid(), os.getppid(), flush=True)"
    process = caller.start("immure", "run", caller.spec("exec-start.toml"), "--", "python3", "-c", script, cwd=work)
    out, err = process.communicate(timeout=patient(30))
    assert process.returncode == 0, err
    assert out == f"{process.pid} {os.getpid()}\n"


def test_signals_are_the_daemons(caller, work):
    """The manager's signal reaches the daemon itself: nothing stands between."""
    script = "import signal, time; print('ready', flush=True); time.sleep(60)"
    process = caller.start("immure", "run", caller.spec("exec-start.toml"), "--", "python3", "-c", script, cwd=work)
    try:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        assert Path(f"/proc/{process.pid}/comm").read_text() == "python3\n"
        assert Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text() == ""
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=patient(10)) == -signal.SIGTERM
    finally:
        process.kill()
        process.communicate()


def test_serves(caller, work, alone):
    """The command as the spec has it answers on the host's loopback."""
    port = "18080"
    process = caller.start(
        "immure", "run", caller.spec("exec-start.toml"), "--",
        "python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "/srv", port, cwd=work,
    )  # fmt: skip
    try:
        ask = ["curl", "-s", f"http://127.0.0.1:{port}/"]
        until(lambda: "Directory listing" in subprocess.run(ask, capture_output=True, text=True).stdout, 10)
    finally:
        process.kill()
        print(process.communicate())


def test_closed(caller, work):
    """Without /proc inside, the kernel is asked outside: what it says of the daemon's process."""
    process = caller.start("immure", "run", caller.spec("exec-start.toml"), "--", "sleep", "60", cwd=work)
    try:
        proc = Path(f"/proc/{process.pid}")
        # Once it sleeps it has no library open any more.
        until(lambda: process.poll() is not None or (proc / "stat").read_text().split()[1:3] == ["(sleep)", "S"], 10)
        assert process.poll() is None, process.communicate()
        facts = {
            "status": (proc / "status").read_text().splitlines(),
            "mounts": (proc / "mountinfo").read_text().splitlines(),
            "environment": (proc / "environ").read_text().split("\0"),
            "descriptors": sorted(os.listdir(proc / "fd")),
            "namespaces": [f"{kind} {os.readlink(proc / 'ns' / kind)}" for kind in KINDS],
            "reached": ["listener"],
        }
        closed(facts, caller, shared={"pid", "net"})
    finally:
        process.kill()
        process.communicate()


def test_unit(caller, base, tool):
    """Every key of the unit is one that systemd knows."""
    analyze = tool("systemd-analyze")
    unit = base / "exec-start.service"
    text = (base / "Examples/exec-start.service").read_text()
    unit.write_text(text.replace("/usr/local/bin/immure", str(base / "immure")))
    done = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if "exec-start.service" in line]
    assert complaints == []
