"""A kernel without Landlock: what the spec asks for stops the launch, and what is a default is reported (T28, C42)."""

import ctypes
import subprocess
from pathlib import Path

import pytest

ABI = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)


@pytest.fixture(autouse=True)
def without_landlock():
    if ABI > 0:
        pytest.skip(f"this kernel has Landlock (ABI {ABI})")


def run(*words, user=None):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, user=user)


@pytest.mark.parametrize("user", [None, 1000], ids=["root", "user"])
@pytest.mark.parametrize("line", ['ro = ["/usr"]', "bind_tcp = [80]", 'scope = ["signal"]', "minimum_abi = 1"])
def test_what_the_spec_asks_for_stops_the_launch(binary, line, user):
    spec = Path("/srv/spec.toml")
    spec.write_text("[landlock]\n" + line)
    done = run(binary, "run", spec, "--", "echo", "ran", user=user)
    assert (done.returncode, done.stdout) == (125, ""), done
    assert "spec.toml:1:2: the running kernel has no Landlock" in done.stderr and "hint: " in done.stderr


def test_the_default_of_a_shared_network_is_reported(binary):
    words = ("--set", 'network.mode="host"', "--", "echo", "ran")
    assert run(binary, "run", *words).stdout == "ran\n"
    assert "abstract sockets of others are within reach" in run(binary, "plan", *words).stdout


def test_doctor_says_what_is_missing(binary):
    assert "no Landlock" in run(binary, "doctor").stdout
