"""Published ports and others on the same host: who has one before, during and after the launch, and what is no port."""

import json
import os
import socket
import subprocess
import sys
import textwrap
import threading

import pytest

from harness.caller import PYTHON
from harness.patience import patient

ADDRESSES = {4: ("127.0.0.1", "0.0.0.0"), 6: ("::1", "::")}
#: Another user: takes sockets as it is told, a line of JSON each, and says what came of it.
RIVAL = textwrap.dedent(
    """
    import errno, json, os, socket, sys

    os.setgroups([])
    os.setgid(int(sys.argv[1]))
    os.setuid(int(sys.argv[1]))
    kept = []
    for line in sys.stdin:
        address, port, kind, options, steps = json.loads(line)
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        for option in options:
            if option == "only": s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            elif option == "device": s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
            else: s.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_REUSE" + option), 1)
        said = "ok"
        try:
            if "bind" in steps: s.bind((address, port))
            if "listen" in steps and kind == "tcp": s.listen()
        except OSError as error:
            said = errno.errorcode[error.errno]
        kept.append(s)
        if steps == ["listen again"]:
            try:
                kept[-2].listen()
            except OSError as error:
                said = errno.errorcode[error.errno]
        print(said, flush=True)
    """
)
#: Answers at the jail's ports of the arguments, `tcp,8000` or `udp,8000`, both families.
SERVER = textwrap.dedent(
    """
    import socket, sys, threading

    def tcp(s):
        while True:
            c, _ = s.accept()
            c.sendall(b"jail")
            c.close()

    def udp(s):
        while True:
            _, peer = s.recvfrom(99)
            s.sendto(b"jail", peer)

    for word in sys.argv[1:]:
        kind, port = word.split(",")
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", int(port)))
        if kind == "tcp": s.listen(64)
        threading.Thread(target=tcp if kind == "tcp" else udp, args=(s,), daemon=True).start()
    print("up", flush=True)
    threading.Event().wait()
    """
)


class Rival:
    def __init__(self, uid):
        self.process = subprocess.Popen([sys.executable, "-c", RIVAL, str(uid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def take(self, address, port, kind="tcp", options=(), steps=("bind", "listen")):
        self.process.stdin.write(json.dumps([address, port, kind, list(options), list(steps)]) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def rival(caller, user, stranger):
    made = Rival(user.uid if caller.is_root else getattr(stranger, "pw_uid", stranger))
    yield made
    made.close()


def spec(*ports):
    return "[network]\npublish = [" + ", ".join(f'"{port}"' for port in ports) + "]\n"


def outer(address, port, kind):
    return (f"[{address}]" if ":" in address else address) + f":{port}:8000/{kind}"


def answer(address, port, kind):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as s:
        s.settimeout(patient(5))
        s.connect((address, port))
        if kind == "udp":
            s.send(b"x")
        return s.recv(99)


class Served:
    def __init__(self, caller, text, *services):
        self.caller, self.text, self.services = caller, text, services

    def __enter__(self):
        self.launch = self.caller.start(self.text, *PYTHON, SERVER, *self.services)
        line = self.launch.stdout.readline()
        assert line == b"up\n", self.caller.finish(self.launch)
        return self.launch

    def __exit__(self, *_):
        self.launch.kill()
        self.launch.communicate(timeout=patient(10))


SHARING = [(), ("ADDR",), ("PORT",), ("ADDR", "PORT")]


@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("family", [4, 6])
def test_a_port_of_another_user_is_not_shared(caller, rival, family, kind):
    """Whatever its owner allows, and at whichever of the host's addresses it is."""
    port = 8100
    for options in SHARING:
        for theirs in ADDRESSES[family]:
            for ours in ADDRESSES[family]:
                port += 1
                assert rival.take(theirs, port, kind, [*options, "only"] if family == 6 else options) == "ok"
                run = caller.run(spec(outer(ours, port, kind)), "/bin/echo", "ran")
                assert run.status == 125 and run.stdout == "" and "the port is taken" in run.stderr, (options, theirs, ours, run)


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_socket_for_both_families_has_the_port_of_ipv4_as_well(caller, rival, kind):
    assert rival.take("::", 8200, kind, ("ADDR", "PORT")) == "ok"
    for ours in ("127.0.0.1", "0.0.0.0"):
        run = caller.run(spec(outer(ours, 8200, kind)), "/bin/echo", "ran")
        assert run.status == 125 and run.stdout == "" and "the port is taken" in run.stderr, run


@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("family", [4, 6])
def test_nobody_takes_a_published_port_over(caller, rival, family, kind):
    """Neither a narrower address, nor a wider one, nor one interface, with any leave to share."""
    loopback, every = ADDRESSES[family]
    for port, ours in ((8300, loopback), (8301, every)):
        with Served(caller, spec(outer(ours, port, kind)), f"{kind},8000"):
            for options in SHARING:
                for theirs in (loopback, every):
                    for more in ([], ["device"]):
                        words = [*options, *more, *(["only"] if family == 6 else [])]
                        assert rival.take(theirs, port, kind, words) == "EADDRINUSE", (ours, theirs, words)
            assert answer(loopback, port, kind) == b"jail"


def test_a_socket_that_waits_at_the_port_does_not_get_it_later(caller, rival):
    """One that is bound, and shares, may be listened at later: not while the jail has the port."""
    for theirs, port in (("127.0.0.1", 8400), ("0.0.0.0", 8401)):
        assert rival.take(theirs, port, "tcp", ("ADDR",), ("bind",)) == "ok"
        with Served(caller, spec(f"127.0.0.1:{port}:8000"), "tcp,8000"):
            assert rival.take(theirs, port, steps=("listen again",)) == "EADDRINUSE"
            assert answer("127.0.0.1", port, "tcp") == b"jail"


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_who_takes_and_leaves_it_all_the_time(caller, kind):
    """The launch has the port, or says that it has not: no third."""
    over, turn = threading.Event(), [0]

    def take():
        while not over.is_set():
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                try:
                    s.bind(("127.0.0.1", 8500 + turn[0]))
                    if kind == "tcp":
                        s.listen()
                except OSError:
                    pass

    other = threading.Thread(target=take)
    other.start()
    had = 0
    try:
        for turn[0] in range(25):
            port = 8500 + turn[0]
            launch = caller.start(spec(f"{port}:8000/{kind}"), *PYTHON, SERVER, f"{kind},8000")
            if launch.stdout.readline() == b"up\n":
                had += 1
                assert answer("127.0.0.1", port, kind) == b"jail"
                launch.kill()
                launch.communicate(timeout=patient(10))
            else:
                run = caller.finish(launch)
                assert run.status == 125 and "the port is taken" in run.stderr, run
    finally:
        over.set()
        other.join()
    print(f"{kind}: {had} of 25 launches had the port")


def test_the_same_port_in_both_families_and_protocols_are_four(caller):
    ports = [outer(address, 8600, kind) for address in ("127.0.0.1", "::1") for kind in ("tcp", "udp")]
    with Served(caller, spec(*ports), "tcp,8000", "udp,8000"):
        for address in ("127.0.0.1", "::1"):
            for kind in ("tcp", "udp"):
                assert answer(address, 8600, kind) == b"jail"


def test_one_port_of_many_that_is_taken_leaves_none_open(caller, rival):
    assert rival.take("127.0.0.1", 8710) == "ok"
    run = caller.run(spec(*(f"{port}:8000" for port in range(8700, 8720))), "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "127.0.0.1:8710/tcp" in run.stderr, run
    for port in (8700, 8709, 8719):
        with pytest.raises(ConnectionRefusedError):
            answer("127.0.0.1", port, "tcp")


def test_many_ports(caller):
    with Served(caller, spec(*(f"{port}:8000" for port in range(9000, 9200))), "tcp,8000"):
        for port in (9000, 9100, 9199):
            assert answer("127.0.0.1", port, "tcp") == b"jail"


def test_more_ports_than_descriptors(caller):
    caller.wrapper = ("prlimit", "--nofile=100:100")
    try:
        run = caller.run(spec(*(f"{port}:8000" for port in range(9000, 9200))), "/bin/echo", "ran")
    finally:
        caller.wrapper = ()
    assert run.status == 125 and run.stdout == "" and "EMFILE" in run.stderr and "spec.toml:" in run.stderr, run


@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "::"])
def test_privileged_ports_of_an_ordinary_user(user, root, address, kind):
    run = user.run(spec(outer(address, 1023, kind)), "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "this user may not have ports below 1024" in run.stderr, run
    user.run(spec(outer(address, 1024, kind)), "/bin/true").ok
    root.run(spec(outer(address, 1, kind)), "/bin/true").ok
    root.run(spec(outer(address, 65535, kind)), "/bin/true").ok


def test_where_ports_begin_lower(user):
    setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
    with open(setting) as file:
        before = file.read()
    try:
        with open(setting, "w") as file:
            file.write("100")
        run = user.run(spec("99:8000"), "/bin/echo", "ran")
        assert run.status == 125 and "this user may not have ports below 100\n" in run.stderr, run
        user.run(spec("100:8000"), "/bin/true").ok
    finally:
        with open(setting, "w") as file:
            file.write(before)
