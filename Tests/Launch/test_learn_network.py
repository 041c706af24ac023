"""`immure learn` of commands that use the network: names where they were asked for, what keeps the host from a network of the jail's own, and
ports that a server listens at."""

import os
import re
import socket

import pytest

from harness import lab, names
from harness.caller import PYTHON
from harness.names import GOOD, OTHER, network  # noqa: F401
from harness.patience import until


zone = names.zone_beside("tcp,0.0.0.0,443", "tcp,::,443", "tcp,0.0.0.0,80")


def learn(caller, code, *options):
    spec = caller.directory() / "s.toml"
    run = caller.verb("learn", *options, "-o", str(spec), "--", *PYTHON, code, cwd=caller.directory(), timeout=90)
    return run, spec


def lines(spec):
    return [line.strip() for line in spec.read_text().splitlines() if line and not line.startswith("#")]


REACH = "import socket; print(socket.create_connection(('{}', {}), 5).getpeername()[1])"


def test_a_name_that_was_asked_for_is_written(caller, zone):
    """And in the jail of the spec it is reached by that name, whatever its address is by then."""
    run, spec = learn(caller, REACH.format("good.test", 443))
    text = spec.read_text()
    assert run.status == 0 and "verified: in the jail its status and output are the same" in run.stderr, (run, text)
    assert '"good.test:443/tcp"' in text and "which it was told for that name" in text and lab.RESOLVER not in "".join(lines(spec)), text
    zone["good.test"] = {"A": [[OTHER, 5]]}
    caller.run(spec, *PYTHON, REACH.format("good.test", 443), timeout=60).ok


def test_an_alias_is_written_as_it_was_asked_for(caller, zone):
    _, spec = learn(caller, REACH.format("www.good.test", 443), "--no-verify")
    assert '"www.good.test:443/tcp"' in spec.read_text() and "cdn.other" not in spec.read_text()


def test_an_address_without_a_name_says_so(caller, zone):
    code = REACH.format("good.test", 443) + "; " + REACH.format(OTHER, 80)
    _, spec = learn(caller, code, "--no-verify")
    text = spec.read_text()
    assert '"good.test:443/tcp"' in text and f'"{OTHER}:80/tcp"' in text and f"connects to {OTHER}:80, for no name that was seen" in text, text


def test_a_name_of_a_private_network_stays_an_address(caller, zone):
    zone["inner.test"] = {"A": [[lab.GOOD, 5]]}
    run, spec = learn(caller, REACH.format("inner.test", 443))
    assert f'"{lab.GOOD}:443/tcp"' in spec.read_text() and f'"{lab.RESOLVER}:53"' in spec.read_text(), spec.read_text()
    assert run.status == 0, run


def test_names_that_are_no_hosts_are_not_written(caller, zone):
    """A program may have a server of its own, which answers what it likes."""
    code = r"""
import socket, struct
far, near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
far.bind(("127.0.0.9", 5353)); near.bind(("127.0.0.1", 0))
import os
if os.geteuid() == 0: far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); far.bind(("127.0.0.9", 53))
def name(*labels): return b"".join(bytes([len(one)]) + one for one in labels) + b"\0"
def answer(question, address=bytes([203, 0, 113, 7]), count=1, owner=b"\xc0\x0c"):
    return struct.pack(">6H", 1, 0x8180, 1, count, 0, 0) + question + struct.pack(">2H", 1, 1) + owner + struct.pack(">2HIH", 1, 1, 5, 4) + address
odd = [name(b'x"]\nrw = ["/'), name(b"a b"), name(b"*", b"test"), name(b"1", b"2"), name(b"-x"), b"\xc0\x0c", name(b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 63)]
for one in [answer(question) for question in odd] + [answer(name(b"ok", b"test"), count=9), answer(name(b"ok", b"test"))[:-2], b"", b"\0" * 4000, answer(name(b"fine", b"test"))]:
    far.sendto(one, near.getsockname()); near.recvfrom(5000)
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("203.0.113.7", 99))
"""
    _, spec = learn(caller, code, "--no-verify")
    seen = (spec.parent / "s.toml.seen").read_text()
    named = re.findall(r"^named\t(.*)$", seen, re.MULTILINE)
    # Only what comes from the port of such servers, which an ordinary user does not have.
    assert named == (["203.0.113.7\tfine.test"] if caller.is_root and os.getuid() == 0 else []), seen
    assert not [line for line in lines(spec) if line.startswith("rw")]


def test_the_protocol_that_was_used_is_the_one_that_is_opened(user, zone):
    code = f"""
import socket
socket.create_connection(("{OTHER}", 80), 5)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as d: d.sendto(b"x", ("{OTHER}", 5000)); d.connect(("{OTHER}", 5001))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as d: d.connect(("{OTHER}", 80))
"""
    _, spec = learn(user, code, "--no-verify")
    text = "".join(lines(spec))
    for target in (f'"{OTHER}:80/tcp"', f'"{OTHER}:5000/udp"', f'"{OTHER}:5001/udp"'):
        assert target in text, text


@pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200", "169.254.7.7"])
def test_an_address_of_metadata_is_warned_of(user, zone, address):
    code = f"import socket\nwith socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as d: d.sendto(b'x', ('{address}', 80))"
    run, spec = learn(user, code, "--no-verify")
    assert f"warning: network.allow has {address}:80: it is of the link or a cloud's metadata" in run.stderr, run
    assert f'"{address}:80/udp"' in "".join(lines(spec)) and "which may hold credentials of this machine" in spec.read_text()
    again, _ = learn(user, code.replace(address, OTHER), "--no-verify")
    assert "metadata" not in again.stderr, again


def test_what_is_asked_in_vain_needs_no_network(caller, zone):
    code = "import socket\ntry: socket.getaddrinfo('nowhere.test', 80)\nexcept socket.gaierror: print('none')"
    run, spec = learn(caller, code)
    assert run.status == 0 and "[network]" not in spec.read_text(), (run, spec.read_text())
    assert f"asks {lab.RESOLVER}:53 for names and is told of none" in spec.read_text()


def test_the_host_s_network_is_warned_of_with_what_is_missing(user, zone):
    os.chmod("/dev/net/tun", 0o600)
    try:
        run, spec = learn(user, REACH.format("good.test", 443), "--no-verify")
    finally:
        os.chmod("/dev/net/tun", 0o666)
    reason = "which takes the host's whole network, as this user cannot open /dev/net/tun: immure doctor"
    assert 'warning: network.mode = "host": the command connects to ' in run.stderr and reason in run.stderr, run
    assert reason in spec.read_text() and 'mode = "host"' in lines(spec)


SERVER = """
import socket, sys
s = socket.create_server(("{}", {}))
if len(sys.argv) > 1: print("up", flush=True); s.accept()[0].sendall(b"served")
"""


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_port_that_a_server_listens_at_is_proposed(caller, network, address):
    run, spec = learn(caller, SERVER.format(address, 8123))
    assert run.status == 0 and "[network]" not in "".join(lines(spec)), run
    told = f'listens at {address}:8123: only the jail itself reaches it; network.publish = ["8123:8123"] lets this host in'
    assert told in run.stderr and told in spec.read_text(), run
    serving = caller.popen([caller.binary, "run", "--set", 'network.publish = ["8123:8123"]', spec, "--", *PYTHON, SERVER.format(address, 8123), "serve"])
    assert serving.stdout.readline() == b"up\n"
    until(lambda: ask(8123) == b"served")
    caller.finish(serving, 30)


def test_a_port_is_proposed_although_a_route_was_asked_for_before(user, network):
    """getaddrinfo(3) connects a datagram socket to each address to sort them, and undoes that by an address of no family: the port
    counted as the command's own, and that call as one that could not be read."""
    code = """
import socket
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW) as n: n.bind((0, 0)); n.sendto(bytes([16, 0, 0, 0] + [0] * 12), (0, 0))
import ctypes
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as d:
    d.connect(("0.0.0.0", 8131))
    assert ctypes.CDLL(None).connect(d.fileno(), bytes(16), 16) == 0
    d.connect(("127.0.0.1", 8131))
s = socket.create_server(("0.0.0.0", 8131))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 8132))
"""
    run, spec = learn(user, code)
    assert run.status == 0 and "[network]" not in lines(spec), (run, spec.read_text())
    assert 'network.publish = ["8131:8131"]' in run.stderr and 'network.publish = ["8132:8132/udp"]' in run.stderr, run
    assert "could not be read" not in run.stderr and "no line opens" not in run.stderr, run


def test_the_port_of_http_server_is_proposed(user, network):
    code = """
import http.server, sys
class Once(http.server.ThreadingHTTPServer):
    def serve_forever(self): pass
http.server.test(ServerClass=Once, port=8131)
"""
    run, spec = learn(user, code)
    assert run.status == 0 and 'network.publish = ["8131:8131"]' in run.stderr and "could not be read" not in run.stderr, run


def test_a_family_that_no_line_opens_is_named(user):
    code = """
import ctypes, socket
with socket.socket() as s: ctypes.CDLL(None).connect(s.fileno(), bytes([40] + [0] * 15), 16)
"""
    run, _ = learn(user, code, "--no-verify")
    assert "uses addresses that no line opens: AF_VSOCK" in run.stderr and "could not be read" not in run.stderr, run


def ask(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            return connection.recv(100)
    except OSError:
        return None
