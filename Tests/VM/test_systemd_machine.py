"""What the other tests take for granted of the guest with systemd."""

import subprocess
from pathlib import Path


def test_systemd_is_process_1():
    assert Path("/proc/1/comm").read_text() == "systemd\n"


def test_a_jail_starts_in_a_transient_unit(binary):
    done = subprocess.run(
        ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", binary, "run", "--", "echo", "inside"],
        capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "inside\n", "")
