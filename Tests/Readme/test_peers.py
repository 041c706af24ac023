"""What README.md says of others, held to the versions that Debian has."""

import os
import subprocess

import pytest
from conftest import cannot


def bubblewrap(*options):
    command = ["bwrap", "--die-with-parent", *options]
    if os.getuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    return subprocess.run(command, capture_output=True, text=True)


def test_bubblewrap_status():
    own = bubblewrap("--ro-bind", "/", "/", "--ro-bind", "/nowhere", "/mnt", "true")
    commands = bubblewrap("--ro-bind", "/", "/", "false")
    assert own.returncode == commands.returncode == 1
    assert "bwrap: " in own.stderr and "bwrap: " not in commands.stderr


def test_bubblewrap_shares_what_is_not_named():
    inside = bubblewrap("--ro-bind", "/", "/", "readlink", "/proc/self/ns/net")
    assert inside.stdout.strip() == os.readlink("/proc/self/ns/net")


def test_bubblewrap_order():
    one = bubblewrap("--ro-bind", "/", "/", "--tmpfs", "/etc", "ls", "/etc")
    other = bubblewrap("--tmpfs", "/etc", "--ro-bind", "/", "/", "ls", "/etc")
    assert one.stdout == "" and "passwd" in other.stdout


def test_firejail_is_set_user_id(tmp_path):
    """Read in the package itself: nothing set-user-id is installed for a test."""
    fetched = subprocess.run(["apt-get", "download", "-qq", "firejail"], cwd=tmp_path, capture_output=True, text=True)
    if fetched.returncode != 0:
        cannot(f"download firejail's package: {fetched.stderr}")
    package = next(tmp_path.glob("*.deb"))
    listing = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    program = [line for line in listing.splitlines() if line.endswith("./usr/bin/firejail")]
    assert program[0].startswith("-rwsr-xr-x root/root")


def test_systemd_passes_over_a_misspelt_key(tmp_path):
    unit = tmp_path / "misspelt.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nProtectSytem=strict\n")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert "Unknown key 'ProtectSytem' in section [Service], ignoring." in done.stderr


# A tool that is missing is named before any of its tests fails for another reason.
@pytest.fixture(autouse=True)
def tools():
    for tool in ("bwrap", "systemd-analyze", "dpkg-deb"):
        if subprocess.run(["which", tool], capture_output=True).returncode != 0:
            cannot(f"run {tool}: it is not installed")
