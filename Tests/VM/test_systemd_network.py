"""A unit's own rule about addresses holds for the jail in it, and for what works for the jail outside (N12)."""

import os
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness import lab, names

import systemd

DENIED = ["IPAddressDeny=any"]
CONNECT = "import socket, sys; s = socket.socket(); s.settimeout(2); sys.exit(s.connect_ex(('127.0.0.1', int(sys.argv[1]))) != 0)"
SERVE = """
import socket
s = socket.create_server(("127.0.0.1", 8000))
while True:
    c = s.accept()[0]
    c.sendall(b"here")
    c.close()
"""


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


# Networks that lead out, on a kernel with nft(8)'s inet tables: Debian's own, not the User-Mode one.

USER = 'mode = "user"\n'
WAYS = {
    "pasta": USER,
    "slirp4netns": USER,
    "resolver": USER + 'allow = ["good.test:80"]\n',
    "veth": 'mode = "veth"\n',
}
ASKED = {
    "resolver": names.ASK + 'print(json.dumps([ask("good.test", seconds=3)[1], reach("203.0.113.10", 80)]))',
    None: names.ASK + f'print(json.dumps([[], reach("{lab.GOOD}", 80)]))',
}
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")


@pytest.fixture(scope="module")
def internet():
    if subprocess.run(["nft", "add table inet asked; delete table inet asked"], capture_output=True).returncode != 0:
        pytest.skip("this kernel has no inet tables of nft")
    resolver = Path("/etc/resolv.conf")
    resolver.unlink(missing_ok=True)
    with lab.standing("nft", "pasta", "slirp4netns"):
        names.up()
        FORWARD.write_text("1")
        with lab.serving(f"tcp,{lab.GOOD},80", "tcp,203.0.113.10,80"), names.serving() as zone:
            yield zone


@contextmanager
def only(way):
    """Without pasta the other of the two is taken."""
    if way != "slirp4netns":
        yield
        return
    os.rename("/usr/bin/pasta", "/usr/bin/pasta.aside")
    try:
        yield
    finally:
        os.rename("/usr/bin/pasta.aside", "/usr/bin/pasta")


@pytest.mark.slow
@pytest.mark.parametrize("properties", [[], DENIED, [*DENIED, "IPAddressAllow=localhost"]], ids=["open", "any", "any but localhost"])
@pytest.mark.parametrize("way", WAYS)
def test_n12_a_network_that_leads_out_is_held_to_the_units_rule(binary, account, internet, way, properties):
    """Whoever leads out for the jail is a process of the unit."""
    if way == "veth" and account:
        pytest.skip("an interface is root's")
    file = spec("n12-" + way, WAYS[way])
    asked = len(internet.asked)
    command = [binary, "run", file, "--", "/usr/bin/python3", "-I", "-S", "-c", ASKED.get(way, ASKED[None])]
    start = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", *words(properties + account)]
    with only(way):
        done = subprocess.run([*start, *map(str, command)], capture_output=True, text=True, timeout=120)
    print(done)
    if not properties:
        assert done.returncode == 0 and done.stdout.rstrip().endswith('"here"]'), done
        return
    assert '"here"' not in done.stdout and "203.0.113" not in done.stdout, done
    # What the launcher asks for, to see that its own rules hold, is not answered where the unit may not hear itself.
    assert done.returncode in (0, 125), done
    assert len(internet.asked) == asked
