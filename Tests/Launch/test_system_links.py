"""Links of /etc that lead out of what the jail shows."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def resolver():
    """/etc/resolv.conf as on a host with systemd-resolved: in the run's own /etc, into a place of the run's own."""
    if os.getuid() != 0 or not os.path.ismount("/etc"):
        pytest.skip("/etc is not the run's own")
    place = Path("/home/immure-resolve")
    place.mkdir(exist_ok=True)
    place.chmod(0o755)
    (place / "stub-resolv.conf").write_text("nameserver 192.0.2.53\n")
    (place / "secret").write_text("secret")
    conf = Path("/etc/resolv.conf")
    kept = os.readlink(conf) if conf.is_symlink() else conf.read_bytes()
    conf.unlink()
    conf.symlink_to("../home/immure-resolve/stub-resolv.conf")
    yield place
    conf.unlink()
    conf.symlink_to(kept) if isinstance(kept, str) else conf.write_bytes(kept)
    for path in place.iterdir():
        path.unlink()
    place.rmdir()


def test_names_resolve_on_the_hosts_network(caller, resolver):
    spec = '[network]\nmode = "host"\n[filesystem]\ntmp = "1M"'
    run = caller.shell(spec, f"cat /etc/resolv.conf; ls {resolver}")
    assert run.ok.stdout == "nameserver 192.0.2.53\nstub-resolv.conf\n"
    mounts = caller.facts(spec).mounts
    assert {"ro", "nosuid", "nodev", "noexec"} <= mounts[f"{resolver}/stub-resolv.conf"]


def test_nothing_of_it_without_a_network(caller, resolver):
    assert caller.shell(None, "cat /etc/resolv.conf").status != 0


def test_plan_lists_what_leads_nowhere(caller, resolver):
    path = caller.spec('command = ["true"]')
    found = caller.verb("plan", path).ok.stdout
    assert f"note: /etc/resolv.conf leads to {resolver}/stub-resolv.conf, which the jail does not show" in found
    path = caller.spec('command = ["true"]\nnetwork.mode = "host"')
    assert "resolv.conf leads to" not in caller.verb("plan", path).ok.stdout
    path = caller.spec(f'command = ["true"]\nfilesystem.ro = ["{resolver}"]')
    assert "resolv.conf leads to" not in caller.verb("plan", path).ok.stdout
