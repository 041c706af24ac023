"""The name server of the closed network (`lab`): it answers from a zone that a test may change at any time, notes what it was asked,
and misbehaves where the zone says so."""

import json
import subprocess
import sys
import tempfile
import textwrap
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from . import lab
from .patience import patient

GOOD, EVIL, OTHER = "203.0.113.10", "203.0.113.20", "203.0.113.30"
GOOD6, EVIL6 = "2001:db8:3::10", "2001:db8:3::20"
#: A name: its records by type, each with its TTL; `how` is what its server does instead of answering.
ZONE = {
    "good.test": {"A": [[GOOD, 5]], "AAAA": [[GOOD6, 5]]},
    "evil.test": {"A": [[EVIL, 5]], "AAAA": [[EVIL6, 5]]},
    "www.good.test": {"CNAME": ["cdn.other.test", 5]},
    "cdn.other.test": {"A": [[OTHER, 5]]},
}


@contextmanager
def standing():
    """The lab with addresses that belong to nobody's private network, for the tests of a module."""
    with lab.standing("pasta", "nft"):
        up()
        yield


@pytest.fixture(scope="module")
def network():
    """The lab while the tests of a module run."""
    with standing():
        yield


def zone_beside(*services):
    """A fixture: the server of names, and these services of the lab, while a test runs."""

    @pytest.fixture
    def zone(network):
        with lab.serving(*services) if services else nullcontext(), serving() as zone:
            yield zone

    return zone


def up():
    """After `lab.up`."""
    lab.ip("addr", "add", "203.0.113.1/24", "dev", "lo", inside=True)
    for number in (10, 20):
        lab.ip("-6", "addr", "add", f"2001:db8:3::{number}/128", "dev", "lo", inside=True)


class Zone:
    """What the server answers, and what it was asked."""

    def __init__(self, place):
        self.place = Path(place)
        self.zone = dict(ZONE)
        self.log = self.place / "asked"
        self.log.touch()
        self.write()

    def write(self):
        fresh = self.place / "new"
        fresh.write_text(json.dumps(self.zone))
        fresh.rename(self.place / "zone")

    def __setitem__(self, name, records):
        self.zone[name] = records
        self.write()

    @property
    def asked(self):
        """Each question as `NAME TYPE TRANSPORT LENGTH`."""
        return self.log.read_text().splitlines()


@contextmanager
def serving(address=lab.RESOLVER, inside=True):
    """The server while the block runs, in the internet of the lab or on its host."""
    with tempfile.TemporaryDirectory() as place:
        zone = Zone(place)
        front = ["ip", "netns", "exec", lab.INTERNET] if inside else []
        process = subprocess.Popen(
            [*front, sys.executable, "-c", SERVER, address, place], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout.readline() == "up\n"
            zone.process = process
            yield zone
        finally:
            process.kill()
            process.wait(patient(5))


SERVER = textwrap.dedent(
    r"""
    import json, os, socket, struct, sys, threading

    address, place = sys.argv[1:]
    TYPES = {1: "A", 5: "CNAME", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 255: "ANY"}

    def wire(name):
        return b"".join(bytes([len(label)]) + label for label in name.encode("latin-1").split(b".") if label) + b"\0"

    def record(owner, kind, ttl, content, family=1):
        return owner + struct.pack(">HHIH", kind, family, ttl, len(content)) + content

    def addresses(owner, records, kind):
        pack = (lambda a: socket.inet_aton(a)) if kind == 1 else (lambda a: socket.inet_pton(socket.AF_INET6, a))
        return [record(owner, kind, ttl, pack(a)) for a, ttl in records.get(TYPES.get(kind), [])]

    stamp, zone = None, {}

    def answers(question, transport):
        # All messages that are sent to that question, in their order.
        global stamp, zone
        at, labels = 12, []
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]])
            at += 1 + question[at]
        (kind,) = struct.unpack(">H", question[at + 1 : at + 3])
        asked = question[12 : at + 5]
        name = b".".join(labels).lower().decode("latin-1")
        with open(place + "/asked", "a") as log:
            log.write(f"{ascii(name)[1:-1]} {TYPES.get(kind, kind)} {transport} {len(question)}\n")
        now = os.stat(place + "/zone").st_ino
        if now != stamp:
            zone, stamp = json.load(open(place + "/zone")), now
        records = zone.get(name)
        if records is None:
            parent = "*." + name.split(".", 1)[-1]
            records = zone.get(parent)
        found, owner, code = [], b"\xc0\x0c", 0 if records is not None else 3
        while records and "CNAME" in records and kind != 5:
            target, ttl = records["CNAME"]
            found.append(record(owner, 5, ttl, wire(target)))
            owner, records = wire(target), zone.get(target)
            if len(found) > 20: break
        if records and kind in (1, 28): found += addresses(owner, records, kind)
        if records and kind == 16: found += [record(owner, 16, 5, bytes([len(t)]) + t.encode()) for t in records.get("TXT", [])]
        extra = zone.get(name, {}).get("extra", [])
        found += [record(wire(other), 1, ttl, socket.inet_aton(a)) for other, a, ttl in extra]

        def message(found, id=question[:2], flags=0x8180 | code, asked=asked, count=None):
            return id + struct.pack(">5H", flags, 1, len(found) if count is None else count, 0, 0) + asked + b"".join(found)

        how = (zone.get(name) or {}).get("how")
        whole = message(found)
        # A server of RFC 1035, or what stands before one: the last number of the header counts the options.
        bare = {"no options": [message([], flags=0x8181)], "header": [question[:2] + struct.pack(">5H", 0x8184, 0, 0, 0, 0)], "lost": []}
        if how in bare and question[10:12] != b"\0\0": return bare[how]
        if how in bare: how = None
        forged = [record(b"\xc0\x0c", 1, 5, socket.inet_aton("203.0.113.20"))]
        loop = b"\xc0" + bytes([len(asked) + 12])
        strange = {
            "silent": [],
            "forged id": [message(forged, id=bytes([question[0] ^ 255, question[1]])), whole],
            "forged name": [message(forged, asked=wire("evil.test") + asked[-4:]), whole],
            "forged type": [message(forged, asked=asked[:-4] + b"\0\x10\0\1"), whole],
            "a question": [message(forged, flags=0x0100), whole],
            "short": [whole[:7], b"", whole],
            "loop": [message([record(loop, 1, 5, b"\1\2\3\4")])],
            "loop in content": [message([record(b"\xc0\x0c", 5, 5, b"\xc0" + bytes([len(asked) + 12 + 12]))])],
            "forward pointer": [message([record(b"\xc1\xff", 1, 5, b"\1\2\3\4")])],
            "cut": [whole[:-3]],
            "count": [message(found, count=65535)],
            "long name": [message([record(b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63) * 3 + b"\x3f" + b"c" * 63 + b"\0", 1, 5, b"\1\2\3\4")])],
            "three bytes": [message([record(b"\xc0\x0c", 1, 5, b"\1\2\3")])],
            "garbage": [os.urandom(400)],
            "refused": [message([], flags=0x8185)],
        }
        if how: return strange[how]
        if transport == "udp" and len(whole) > 512: return [message([], flags=0x8380)]
        return [whole]

    def udp(s):
        while True:
            question, peer = s.recvfrom(4096)
            for answer in answers(question, "udp"): s.sendto(answer, peer)

    def stream(connection):
        length = connection.recv(2, socket.MSG_WAITALL)
        if len(length) == 2:
            for answer in answers(connection.recv(struct.unpack(">H", length)[0], socket.MSG_WAITALL), "tcp")[-1:]:
                connection.sendall(struct.pack(">H", len(answer)) + answer)
        connection.close()

    def tcp(s):
        s.listen(64)
        while True: threading.Thread(target=stream, args=(s.accept()[0],), daemon=True).start()

    for kind, serve in ((socket.SOCK_DGRAM, udp), (socket.SOCK_STREAM, tcp)):
        s = socket.socket(socket.AF_INET, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, 53))
        threading.Thread(target=serve, args=(s,), daemon=True).start()
    print("up", flush=True)
    threading.Event().wait()
    """
)

#: Asks, of the jail's resolver, each `NAME,TYPE` of its arguments, and says for each: the code, then the addresses.
ASK = textwrap.dedent(
    r"""
    import json, os, socket, struct, sys, time

    def wire(name):
        return b"".join(bytes([len(label)]) + label for label in name.encode("latin-1").split(b".") if label) + b"\0"

    def query(name, kind, id=None, flags=0x0100):
        head = (os.urandom(2) if id is None else id) + struct.pack(">5H", flags, 1, 0, 0, 0)
        return head + wire(name) + struct.pack(">2H", kind, 1)

    def skip(bytes, at):
        while bytes[at]:
            if bytes[at] >= 192: return at + 2
            at += 1 + bytes[at]
        return at + 1

    def read(answer):
        flags, _, count = struct.unpack(">3H", answer[2:8])
        at, found = skip(answer, 12) + 4, []
        for _ in range(count):
            at = skip(answer, at)
            kind, _, ttl, length = struct.unpack(">HHIH", answer[at : at + 10])
            content = answer[at + 10 : at + 10 + length]
            at += 10 + length
            if kind == 1: found.append(socket.inet_ntoa(content))
            if kind == 28: found.append(socket.inet_ntop(socket.AF_INET6, content))
            if kind == 16: found.append(content[1:].decode())
        return flags, found

    def ask(name, kind=1, server="127.0.0.1", seconds=30, tcp=False, **more):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        s.settimeout(seconds)
        try:
            s.connect((server, 53))
            question = query(name, kind, **more)
            s.send(struct.pack(">H", len(question)) + question if tcp else question)
            answer = s.recv(65535)
            if tcp:
                while len(answer) < 2 + struct.unpack(">H", answer[:2])[0]: answer += s.recv(65535)
                answer = answer[2:]
            flags, found = read(answer)
            if flags & 0x200 and not tcp: return ask(name, kind, server, seconds, True)
            return [flags & 15, found]
        except OSError as error:
            return [type(error).__name__, []]

    def reach(address, port=443, kind="tcp"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        s.settimeout(30)
        try:
            s.connect((address, port))
            s.send(b"x")
            return s.recv(100).decode()
        except OSError as error:
            return type(error).__name__
    """
)
