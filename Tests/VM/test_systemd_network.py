"""A unit's own rule about addresses holds for the jail in it, and for what works for the jail outside (N12)."""

import socket
import subprocess

import pytest

import systemd

DENIED = ["IPAddressDeny=any"]
CONNECT = "import socket, sys; s = socket.socket(); s.settimeout(2); sys.exit(s.connect_ex(('127.0.0.1', int(sys.argv[1]))) != 0)"
SERVE = "import socket; s = socket.create_server(('127.0.0.1', 8000)); c = s.accept()[0]; c.sendall(b'here'); c.close()"


@pytest.fixture(autouse=True)
def loopback():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


@pytest.fixture(params=["root", "tester"])
def account(request):
    return [f"User={request.param}"] if request.param != "root" else []


def spec(name, text):
    """Where an ordinary user may read it."""
    systemd.SPECS.mkdir(exist_ok=True)
    file = systemd.SPECS / f"{name}.toml"
    file.write_text("[network]\n" + text)
    return file


def listens(port):
    """proc(5), /proc/net/tcp: the state of a socket that listens is 0A."""
    lines = [line.split() for line in open("/proc/net/tcp").read().splitlines()[1:]]
    return any(words[1].endswith(f":{port:04X}") and words[3] == "0A" for words in lines)


def words(properties):
    return [word for each in properties for word in ("-p", each)]


@pytest.mark.parametrize("properties, status", [([], 0), (DENIED, 1)])
def test_n12_the_hosts_network_is_the_units(binary, account, properties, status):
    file = spec("n12-host", 'mode = "host"\n')
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [binary, "run", file, "--", "/usr/bin/python3", "-c", CONNECT, str(server.getsockname()[1])]
        start = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", *words(properties + account)]
        done = subprocess.run([*start, *map(str, command)], capture_output=True, text=True, timeout=60)
    assert done.returncode == status and "immure" not in done.stderr, done


@pytest.mark.parametrize("properties", [[], DENIED])
def test_n12_what_publishes_a_port_is_held_to_the_units_rule(binary, account, properties):
    """It is a process of the launcher's, and so one of the unit's: nothing reaches its socket."""
    file = spec("n12-publish", 'publish = ["8080:8000"]\n')
    name = "immure-n12.service"
    start = ["systemd-run", "--quiet", "--collect", "--unit", name, *words(properties + account)]
    subprocess.run([*start, str(binary), "run", str(file), "--", "/usr/bin/python3", "-c", SERVE], check=True, timeout=60)
    try:
        systemd.until(lambda: listens(8080))
        answers = []

        def asked():
            with socket.socket() as s:
                s.settimeout(3)
                try:
                    s.connect(("127.0.0.1", 8080))
                    return s.recv(9)
                except OSError as error:
                    return type(error).__name__

        if properties:
            answers = [asked() for _ in range(2)]
            assert answers == ["TimeoutError"] * 2, (answers, systemd.journal(name))
        else:
            assert systemd.until(lambda: asked() == b"here")
    finally:
        subprocess.run(["systemctl", "stop", name], capture_output=True)
