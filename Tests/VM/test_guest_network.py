"""Interfaces on one of the host's, on a kernel that has ipvlan and nft(8)'s inet tables: Debian's own, not the User-Mode one (N10)."""

import socket
import subprocess

import pytest

from harness import lab

SPEC = '[network]\nmode = "{}"\nparent = "h0"\naddress = ["10.50.0.77/24"]\ngateway = "' + lab.GATEWAY + '"\n'
LIST = f'allow = ["{lab.GOOD}:80/tcp"]\n'
REFUSED = {"ECONNREFUSED", "EPERM", "EACCES"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network():
    if subprocess.run(["nft", "add table inet asked; delete table inet asked"], capture_output=True).returncode != 0:
        pytest.skip("this kernel has no inet tables of nft")
    with lab.standing("nft"):
        yield


@pytest.mark.parametrize("mode", ["ipvlan", "macvlan"])
@pytest.mark.parametrize("more", ["", LIST], ids=["open", "list"])
def test_n10_an_interface_on_the_hosts(binary, network, tmp_path, mode, more):
    spec = tmp_path / "spec.toml"
    spec.write_text(SPEC.format(mode) + more)
    before = {name for _, name in socket.if_nameindex()}
    probes = [f"tcp,{lab.GOOD},80", f"tcp,{lab.EVIL},80", f"tcp,{lab.METADATA},80", f"tcp,{lab.HOST},7777", f"tcp,{lab.GATEWAY},80"]
    with lab.serving(*probes[:3], probes[4]), lab.serving("tcp,0.0.0.0,7777", inside=False):
        command = [binary, "run", spec, "--", "/usr/bin/python3", "-I", "-S", "-c", lab.PROBE, *probes]
        run = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run
    answers = dict(line.split(" ", 1) for line in run.stdout.splitlines())
    assert answers.pop(probes[0]) == "here", run
    assert (answers.pop(probes[1]) in REFUSED) if more else (answers.pop(probes[1]) == "here"), run
    assert set(answers.values()) <= REFUSED, run
    assert {name for _, name in socket.if_nameindex()} == before
