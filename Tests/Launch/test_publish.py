"""Ports of the host that lead into a jail: they answer there and nowhere else, and are gone with it (N07)."""

import json
import os
import select
import signal
import socket
import subprocess
import textwrap
import time
from pathlib import Path

import pytest

from harness import lab, linux
from harness.hints import gone, told
from harness.must import needs
from harness.patience import FACTOR, patient

FOUR, SIX = "127.0.0.1", "::1"

#: Serves `tcp,ADDRESS,PORT` and `udp,…` of its arguments: an echo of all that comes until its end, then `end`.
SERVER = textwrap.dedent(
    """
    import socket, sys, threading

    def serve(s):
        with s:
            while block := s.recv(65536):
                s.sendall(block)
            s.sendall(b"end")

    def tcp(s):
        while True:
            threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()

    def udp(s):
        while True:
            block, peer = s.recvfrom(65536)
            s.sendto(block, peer)

    for word in sys.argv[1:]:
        kind, address, port = word.split(",")
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, int(port)))
        if kind == "tcp":
            s.listen(1024)
        threading.Thread(target=tcp if kind == "tcp" else udp, args=(s,), daemon=True).start()
    print("up", flush=True)
    threading.Event().wait()
    """
)


def network(*ports, more=""):
    return "[network]\npublish = [" + ", ".join(f'"{port}"' for port in ports) + f"]\n{more}"


class Served:
    """A jail in which something listens, while the block runs."""

    def __init__(self, caller, spec, *services, options=(), script=SERVER):
        self.caller, self.spec, self.options = caller, spec, options
        self.words = [script, *services]

    def __enter__(self):
        self.launch = self.caller.start(self.spec, "/usr/bin/python3", "-I", "-S", "-c", *self.words, options=self.options)
        line = self.launch.stdout.readline()
        if line != b"up\n":
            raise AssertionError(self.caller.finish(self.launch))
        return self.launch

    def __exit__(self, *_):
        self.launch.kill()
        self.launch.communicate(timeout=patient(10))


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def connected(address, port, kind=socket.SOCK_STREAM):
    s = socket.socket(family(address), kind)
    s.settimeout(patient(5))
    s.connect((address, port))
    return s


def answer(address, port, text=b"x"):
    with connected(address, port) as s:
        s.sendall(text)
        s.shutdown(socket.SHUT_WR)
        found = b""
        while block := s.recv(65536):
            found += block
        return found


def datagram(address, port, text=b"x"):
    with connected(address, port, socket.SOCK_DGRAM) as s:
        s.send(text)
        return s.recv(65536)


def publisher(launch):
    """The launcher's child that has the ports."""
    own = os.readlink("/proc/self/ns/pid")
    for child in Path(f"/proc/{launch.pid}/task/{launch.pid}/children").read_text().split():
        if linux.seen(child, "ns/pid") == own and any("socket:" in os.readlink(file) for file in Path(f"/proc/{child}/fd").iterdir()):
            return int(child)
    raise AssertionError("no publisher")


@pytest.mark.parametrize("inside", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_a_port_leads_into_the_jail(caller, inside):
    with Served(caller, network("8080:8000", "[::1]:8081:8000"), f"tcp,{inside},8000"):
        assert answer(FOUR, 8080, b"abc") == b"abcend"
        assert answer(SIX, 8081, b"abc") == b"abcend"


@pytest.mark.parametrize("inside", ["127.0.0.1", "::1"])
def test_datagrams(caller, inside):
    with Served(caller, network("8080:8000/udp", "[::1]:8080:8000/udp"), f"udp,{inside},8000"):
        for address in (FOUR, SIX):
            assert datagram(address, 8080, b"abc") == b"abc"
            assert datagram(address, 8080, b"y" * 9000) == b"y" * 9000
            assert datagram(address, 8080, b"") == b""


def test_peers_of_udp_are_told_apart(caller):
    with Served(caller, network("8080:8000/udp"), "udp,127.0.0.1,8000"):
        peers = [connected(FOUR, 8080, socket.SOCK_DGRAM) for _ in range(600)]
        # More than are remembered at a time.
        for round in range(2):
            for number, peer in enumerate(peers):
                peer.send(b"%d %d" % (round, number))
                assert peer.recv(100) == b"%d %d" % (round, number)
        for peer in peers:
            peer.close()


def test_without_an_address_it_is_the_hosts_loopback(caller):
    with Served(caller, network("8080:8000"), "tcp,0.0.0.0,8000"):
        assert answer(FOUR, 8080) == b"xend"
        with pytest.raises(ConnectionRefusedError):
            answer("127.0.0.2", 8080)
        with pytest.raises(ConnectionRefusedError):
            answer(SIX, 8080)


def test_every_address(caller):
    with Served(caller, network("0.0.0.0:8080:8000", "[::]:8080:8000", "0.0.0.0:8080:8000/udp"), "tcp,127.0.0.1,8000", "udp,127.0.0.1,8000"):
        assert answer(FOUR, 8080) == answer("127.0.0.2", 8080) == answer(SIX, 8080) == b"xend"
        # A connected socket takes an answer from no other address than the one that it has asked.
        assert datagram("127.0.0.2", 8080) == b"x"


def test_a_low_port_of_the_jail_needs_no_capability(caller):
    with Served(caller, network("8080:80"), "tcp,0.0.0.0,80"):
        assert answer(FOUR, 8080) == b"xend"


def test_each_way_ends_by_itself(caller):
    block = os.urandom(1 << 20)
    with Served(caller, network("8080:8000"), "tcp,127.0.0.1,8000"):
        with connected(FOUR, 8080) as s:
            found = bytearray()
            sent = 0
            s.setblocking(False)
            while sent < 8 * len(block) or len(found) < 8 * len(block):
                readable, writable, _ = select.select([s], [s] if sent < 8 * len(block) else [], [], patient(5))
                assert readable or writable
                if readable:
                    found += s.recv(1 << 16)
                if writable:
                    sent += s.send(block[sent % len(block) :])
            assert bytes(found) == block * 8
            s.settimeout(patient(5))
            s.shutdown(socket.SHUT_WR)
            assert s.recv(10) == b"end" and s.recv(10) == b""


#: Two listeners: 8000, and 8001, at which somebody says that they may go on.
LATE = textwrap.dedent(
    """
    import socket

    s, door = socket.create_server(("127.0.0.1", 8000), backlog=0), socket.create_server(("127.0.0.1", 8001))
    print("up", flush=True)
    """
)


def test_who_is_asked_may_speak_first(caller):
    """As servers of mail and SSH do."""
    script = LATE + "c = s.accept()[0]; c.sendall(b'hello'); c.sendall(c.recv(10)); c.close(); door.accept()"
    with Served(caller, network("8080:8000"), script=script):
        with connected(FOUR, 8080) as s:
            assert s.recv(5) == b"hello"
            s.sendall(b"x")
            assert s.recv(5) == b"x" and s.recv(5) == b""


def test_connections_wait_for_a_server_that_is_busy(caller):
    """Its queue is full, so that the kernel answers nothing to who connects, and asks once more a second later."""
    script = LATE + "door.accept()\nfor _ in range(5): c = s.accept()[0]; c.sendall(c.recv(10) + b'end'); c.close()\ndoor.accept()"
    with Served(caller, network("8080:8000", "8081:8001"), script=script):
        many = [connected(FOUR, 8080) for _ in range(5)]
        for s in many:
            s.sendall(b"x")
        connected(FOUR, 8081).close()
        for s in many:
            s.settimeout(patient(10))
            assert s.recv(10) == b"xend" and s.recv(10) == b""
            s.close()


def test_all_comes_where_both_have_ended(caller):
    """The server has ended its way before the peer has begun, and reads when the peer's is over as well."""
    script = LATE + textwrap.dedent(
        """
        c = s.accept()[0]
        c.shutdown(socket.SHUT_WR)
        door.accept()
        count = 0
        while block := c.recv(1 << 16): count += len(block)
        print(count, flush=True)
        """
    )
    with Served(caller, network("8080:8000", "8081:8001"), script=script) as launch:
        with connected(FOUR, 8080) as s:
            assert s.recv(1) == b""
            s.setblocking(False)
            sent = 0
            while sent < 1 << 25 and select.select([], [s], [], 0.3)[1]:
                sent += s.send(b"z" * 65536)
            s.shutdown(socket.SHUT_WR)
            connected(FOUR, 8081).close()
            assert int(launch.stdout.readline()) == sent


def test_a_peer_that_does_not_read_holds_nobody_up(caller):
    with Served(caller, network("8080:8000"), "tcp,127.0.0.1,8000"):
        with connected(FOUR, 8080) as slow:
            slow.setblocking(False)
            sent = 0
            while select.select([], [slow], [], 0.3)[1]:
                sent += slow.send(b"z" * 65536)
            assert answer(FOUR, 8080) == b"xend"
            found = 0
            slow.settimeout(patient(5))
            while found < sent:
                found += len(slow.recv(1 << 20))


def test_nobody_listens_in_the_jail(caller):
    with Served(caller, network("8080:8001"), "tcp,127.0.0.1,8000"):
        for _ in range(3):
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                answer(FOUR, 8080)
                raise AssertionError("answered")


def test_a_reset_reaches_the_other_end(caller):
    with Served(caller, network("8080:8000"), "tcp,127.0.0.1,8000") as launch:
        child = publisher(launch)
        open_before = len(os.listdir(f"/proc/{child}/fd"))
        for _ in range(50):
            s = connected(FOUR, 8080)
            s.sendall(b"x")
            assert s.recv(1) == b"x"
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.close()
        assert answer(FOUR, 8080) == b"xend"
        deadline = time.monotonic() + patient(5)
        while len(os.listdir(f"/proc/{child}/fd")) > open_before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(os.listdir(f"/proc/{child}/fd")) == open_before


def test_more_connections_than_descriptors_wait(root, monkeypatch):
    monkeypatch.setattr(root, "wrapper", ("prlimit", "--nofile=120:120"))
    with Served(root, network("8080:8000"), "tcp,127.0.0.1,8000"):
        many = [connected(FOUR, 8080) for _ in range(300)]
        for s in many:
            s.sendall(b"x")
        # As those that were first end, the others come to their turn.
        for s in many:
            s.shutdown(socket.SHUT_WR)
            found = b""
            while block := s.recv(10):
                found += block
            assert found == b"xend"
            s.close()


def test_a_thousand_connections(caller):
    def seconds(port):
        begin = time.monotonic()
        for _ in range(1000):
            assert answer(FOUR, port) == b"xend"
        return time.monotonic() - begin

    server = subprocess.Popen(["/usr/bin/python3", "-c", SERVER, "tcp,127.0.0.1,8000"], stdout=subprocess.PIPE)
    try:
        assert server.stdout.readline() == b"up\n"
        with Served(caller, network("8080:8000"), "tcp,127.0.0.1,8000"):
            # The better of three of each, in turns: others use this machine.
            pairs = [(seconds(8000), seconds(8080)) for _ in range(3)]
    finally:
        server.kill()
        server.communicate()
    direct, carried = (min(column) for column in zip(*pairs))
    print(f"1,000 connections: {direct:.3f} s direct, {carried:.3f} s published, {carried / direct:.2f}")
    assert carried < 3 * FACTOR * direct


def test_the_host_sees_no_process_of_the_jail_at_the_port(caller):
    """The launcher's child has it; neither the command nor anything else in the jail does."""
    script = "import json,os; print(json.dumps([os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}')] + open('/proc/net/tcp').read().splitlines()))"
    lines = caller.python(network("8080:8000"), script)
    assert not any("socket:" in line or ":1F90" in line for line in lines), lines


def test_the_way_leads_in_only(caller):
    """What the host has at its loopback stays out of reach, the published port's own host side included."""
    with socket.create_server((FOUR, 8082)):
        script = textwrap.dedent(
            """
            import errno, json, socket
            found = []
            for address in ("127.0.0.1", "::1"):
                for port in (8080, 8082):
                    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
                    found.append(errno.errorcode.get(s.connect_ex((address, port)), "connected"))
            print(json.dumps(found))
            """
        )
        assert caller.python(network("8080:8000"), script) == ["ECONNREFUSED"] * 4


# Why not


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_port_that_is_taken(caller, kind):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == "tcp")
        other.bind((FOUR, 8080))
        if kind == "tcp":
            other.listen()
        refused = caller.run(network(f"8080:8000/{kind}"), "/bin/echo", "ran")
        assert refused.status == 125 and refused.stdout == "" and f"listen at 127.0.0.1:8080/{kind}: the port is taken" in refused.stderr, refused
        told(refused, "publish another port of the host: `ss -lntup` shows which are taken, and by whom")
        assert ":8080" in subprocess.run(["ss", "-lntup"], capture_output=True, text=True, check=True).stdout
        gone(caller.run(network(f"8083:8000/{kind}"), "/bin/true"))


def test_a_low_port_of_the_host(user, root):
    refused = user.run(network("80:8000"), "/bin/echo", "ran")
    assert refused.status == 125 and refused.stdout == "" and "this user may not have ports below 1024" in refused.stderr, refused
    told(refused, "publish a port from {} on, or {}")
    gone(user.run(network("1024:8000"), "/bin/true"))
    gone(root.run(network("80:8000"), "/bin/true"))


def test_an_address_of_nobody(caller):
    refused = caller.run(network("192.0.2.1:8080:8000"), "/bin/echo", "ran")
    assert refused.status == 125 and refused.stdout == "" and "no interface of this host has the address" in refused.stderr, refused
    told(refused, "publish at an address of this host, or at 0.0.0.0 or [::] for all of them")
    for address in (FOUR, "0.0.0.0", "[::]"):
        gone(caller.run(network(f"{address}:8080:8000"), "/bin/true"))


# Ends


def listens(port):
    with socket.socket() as s:
        return s.connect_ex((FOUR, port)) == 0


def test_the_port_ends_with_the_command(caller):
    caller.run(network("8080:8000"), "/bin/true").ok
    assert not listens(8080)
    caller.run(network("8080:8000"), "/bin/true").ok


def test_the_jail_ends_with_its_publisher(caller):
    with Served(caller, network("8080:8000"), "tcp,127.0.0.1,8000") as launch:
        os.kill(publisher(launch), signal.SIGKILL)
        run = caller.finish(launch)
        assert run.status == 137 and "publisher ended: SIGKILL; jail killed" in run.stderr, run


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_publisher_ends_with_the_launcher(caller, end, stopped):
    with Served(caller, network("8080:8000"), "tcp,127.0.0.1,8000") as launch:
        child = publisher(launch)
        handle = os.pidfd_open(child)
        held = connected(FOUR, 8080)
        if stopped:
            os.kill(child, signal.SIGSTOP)
        launch.send_signal(end)
        launch.communicate(timeout=patient(10))
        assert select.select([handle], [], [], patient(0.5))[0], "the publisher is still there"
        os.close(handle)
        held.close()
        assert not listens(8080)


def test_what_the_publisher_may_do(caller):
    """Nothing that a program of the same user may not, and it holds nothing of the host's but its ports."""
    with Served(caller, network("8080:8000"), "tcp,127.0.0.1,8000") as launch:
        child = publisher(launch)
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{child}/status").read_text().splitlines() if ":\t" in line)
        assert [int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Amb")] == [0] * 4
        assert status["NoNewPrivs"] == "1"
        opened = [os.readlink(file) for file in Path(f"/proc/{child}/fd").iterdir()]
        assert all(file.startswith(("socket:", "pipe:", "anon_inode:[eventpoll]")) for file in opened), opened


# With a network that leads out


@pytest.fixture(scope="module")
def internet():
    needs(os.getuid() == 0, "make a network: only root may")
    for program in ("pasta", "nft"):
        needs(subprocess.run(["which", program], capture_output=True).returncode == 0, program)
    lab.up()
    yield
    lab.down()


@pytest.mark.parametrize("list", ["", "allow = []\n"])
def test_beside_a_network_that_leads_out(caller, internet, list):
    spec = network("0.0.0.0:8080:8000", "8080:8001/udp".replace("8080", "8084"), more='mode = "user"\n' + list)
    with Served(caller, spec, "tcp,0.0.0.0,8000", "udp,127.0.0.1,8001"):
        assert answer(FOUR, 8080) == answer(lab.HOST, 8080) == answer(lab.BRIDGE, 8080) == b"xend"
        assert datagram(FOUR, 8084) == b"x"
        # From another machine.
        probe = f"import socket; s = socket.create_connection(('{lab.HOST}', 8080), 5); s.send(b'x'); print(s.recv(9))"
        run = subprocess.run(["ip", "netns", "exec", lab.INTERNET, "/usr/bin/python3", "-c", probe], capture_output=True, text=True)
        assert run.stdout == "b'x'\n", run


def test_it_opens_nothing_else(caller, internet):
    """A list of nothing stays one: not the published port by the host's address, nor what the publisher's peers have."""
    with lab.serving(f"tcp,{lab.GOOD},80"), lab.serving("tcp,127.0.0.1,8888", inside=False):
        probes = [f"tcp,{lab.GOOD},80", f"tcp,{lab.HOST},8080", "tcp,127.0.0.1,8888", "tcp,127.0.0.1,8080"]
        spec = network("0.0.0.0:8080:8000", more='mode = "user"\nallow = []\n')
        run = caller.run(spec, "/usr/bin/python3", "-I", "-S", "-c", lab.PROBE, *probes, timeout=30)
        answers = dict(line.split(" ", 1) for line in run.stdout.splitlines())
        assert set(answers) == set(probes) and set(answers.values()) == {"ECONNREFUSED"}, run


def test_what_the_plan_says(caller):
    text = caller.verb("plan", str(caller.spec(network("8080:80", "[::1]:53:53/udp"))), "--", "true").ok.stdout
    assert "listen at 127.0.0.1:8080/tcp" in text and "listen at [::1]:53/udp" in text
    assert "publish 2 ports (127.0.0.1:8080/tcp to 80, [::1]:53/udp to 53)" in text
    steps = json.loads(caller.verb("plan", str(caller.spec(network("8080:80"))), "--json", "--", "true").ok.stdout)
    assert [step["actor"] for step in steps if step["operation"] in ("open_port", "publish")] == ["launcher", "outside"]
