"""Ways past the names of network.allow: by what servers answer, and by what a program in the jail sends (N03, N05)."""

import json
import os

import pytest

from harness import lab, names
from harness.caller import PYTHON
from harness.names import EVIL, GOOD, OTHER, network  # noqa: F401

NAMES = '[network]\nmode = "user"\nallow = ["good.test:443", "*.wild.test:443"]\n'
SERVICES = ["tcp,0.0.0.0,443", "tcp,::,443"]
REFUSED = "ConnectionRefusedError"
#: Nothing of the kind is opened by a name, whoever answers: the host, its link, private networks.
CLOSED = [
    "127.0.0.1", "0.0.0.0", lab.HOST, lab.GATEWAY, lab.BRIDGE, lab.METADATA, lab.EVIL, "192.168.1.1", "100.64.0.1", "224.0.0.1",
    "168.63.129.16", "198.18.0.1", "198.51.100.200",
]
CLOSED6 = ["::1", "::", lab.HOST6, "fe80::1", "fd00:ec2::254", "fc00::1", "2001:db8:1::77", "::ffff:203.0.113.20", "64:ff9b::7f00:1", "2002:7f00:1::1"]
#: Messages that are not the answer come first: it counts all the same.
FORGED = ["forged id", "forged name", "forged type", "a question", "short"]
#: Messages that are no answer at all.
MALFORMED = ["loop", "loop in content", "forward pointer", "cut", "count", "long name", "three bytes", "garbage", "refused"]


zone = names.zone_beside(*SERVICES)


def inside(caller, code, spec=NAMES, timeout=60):
    run = caller.run(spec, *PYTHON, names.ASK + code, timeout=timeout)
    assert run.status == 0, run.stderr[-2000:] + f"{run}"
    return json.loads(run.stdout), run


@pytest.mark.parametrize("how", FORGED)
def test_n03_a_forged_answer_does_not_count(caller, zone, tally, how):
    zone["good.test"] = {"A": [[GOOD, 5]], "how": how}
    found, _ = inside(caller, f'print(json.dumps([ask("good.test"), reach("{EVIL}"), reach("{GOOD}")]))')
    assert found == [[0, [GOOD]], REFUSED, "here"]
    tally("network: forged answers", 1)


@pytest.mark.parametrize("how", MALFORMED)
def test_n03_a_malformed_answer_is_a_failure_and_no_more(caller, zone, tally, how):
    zone["bad.wild.test"] = {"A": [[EVIL, 5]], "how": how}
    found, _ = inside(caller, f'print(json.dumps([ask("bad.wild.test")[0], reach("{EVIL}"), ask("good.test"), reach("{GOOD}")]))')
    assert found[0] in (2, 5) and found[1:] == [REFUSED, [0, [GOOD]], "here"], found
    tally("network: malformed answers", 1)


@pytest.mark.parametrize("kind, closed", [(1, CLOSED), (28, CLOSED6)], ids=["IPv4", "IPv6"])
def test_n03_a_name_that_leads_to_the_host_or_a_private_network_opens_nothing(caller, zone, tally, kind, closed):
    for number, address in enumerate(closed):
        zone.zone[f"{number}.wild.test"] = {"A" if kind == 1 else "AAAA": [[address, 5]]}
    zone["all.wild.test"] = {"A" if kind == 1 else "AAAA": [[address, 5] for address in closed] + [[OTHER if kind == 1 else names.GOOD6, 5]]}
    questions = [f"{number}.wild.test" for number in range(len(closed))] + ["all.wild.test"]
    with lab.serving("tcp,0.0.0.0,443", "tcp,::,443", inside=False):
        found, run = inside(caller, f"""
answers = [ask(name, {kind}) for name in {questions!r}]
print(json.dumps([answers, [reach(address) for address in {[one for one in closed if one not in ("0.0.0.0", "::")]!r}]]))
""")
    assert found[0] == [[0, []]] * len(closed) + [[0, [OTHER if kind == 1 else names.GOOD6]]], found
    assert "here" not in found[1], found
    assert f'"0.wild.test" refused 1 time, it leads to {closed[0]} (allow, ' in run.stderr, run
    tally("network: names that lead to closed addresses", len(closed))


def test_n03_a_closed_address_that_the_list_has_is_told_and_held_to_its_own_ports(caller, zone):
    zone["home.wild.test"] = {"A": [[lab.GOOD, 5]]}
    spec = NAMES.replace("[\"good", f'["{lab.GOOD}:80", "good')
    with lab.serving(f"tcp,{lab.GOOD},80"):
        found, _ = inside(caller, f'print(json.dumps([ask("home.wild.test"), reach("{lab.GOOD}", 80), reach("{lab.GOOD}")]))', spec)
    assert found == [[0, [lab.GOOD]], "here", REFUSED]


def test_n03_an_alias_into_a_closed_network_opens_nothing(caller, zone):
    zone["inner.test"] = {"A": [["127.0.0.1", 5], [lab.METADATA, 5]]}
    zone["out.wild.test"] = {"CNAME": ["inner.test", 5]}
    zone["circle.wild.test"] = {"CNAME": ["circle.wild.test", 5]}
    found, _ = inside(caller, f'print(json.dumps([ask("out.wild.test"), ask("circle.wild.test"), reach("{lab.METADATA}")]))')
    assert found == [[0, []], [2, []], REFUSED]


@pytest.mark.parametrize("length, opens", [(16, True), (17, False), (100, False)])
def test_n03_a_chain_of_aliases_has_an_end(caller, zone, length, opens):
    for number in range(length):
        zone.zone[f"c{number}.wild.test"] = {"CNAME": [f"c{number + 1}.wild.test", 0]}
    zone[f"c{length}.wild.test"] = {"A": [[OTHER, 0]]}
    found, _ = inside(caller, f'print(json.dumps([ask("c0.wild.test"), reach("{OTHER}"), ask("good.test")]))')
    assert found == [[0, [OTHER]] if opens else [2, []], "here" if opens else REFUSED, [0, [GOOD]]]


def test_n03_of_thousands_of_addresses_those_are_open_that_are_told(caller, zone, tally):
    """The last of them as well, and none that is not told."""
    lab.ip("route", "replace", "local", "20.0.0.0/16", "dev", "lo", inside=True)
    many = [f"20.0.{number // 250}.{number % 250}" for number in range(3500)]
    zone["thousands.wild.test"] = {"A": [[address, 0] for address in many]}
    found, _ = inside(caller, f"""
code, told = ask("thousands.wild.test")
untold = [a for a in {many[::50] + many[-1:]!r} if a not in told]
print(json.dumps([code, told, [reach(a) for a in told[::40] + told[-1:]], [reach(a) for a in untold]]))
""")
    code, told, reached, untold = found
    assert code == 0 and told == many[: len(told)] and 100 < len(told) < 3500 and set(reached) == {"here"} and set(untold) == {REFUSED}, found
    tally("network: addresses of one answer", len(many))


def test_n05_odd_questions_get_an_answer_and_nothing_of_them_leaves(caller, zone, tally):
    """Options of every kind, other classes, types that ask for no records, names by pointers; each by a datagram and by a stream."""
    found, _ = inside(caller, r"""
import struct
def opt(size=1232, code=0, version=0, flags=0, data=b"", name=b"\0"): return name + struct.pack(">HHBBHH", 41, size, code, version, flags, len(data)) + data
def sent(name=wire("good.test"), kind=1, family=1, more=b"", counts=(1, 0, 0, 0), flags=0x0100):
    return b"ab" + struct.pack(">5H", flags, *counts) + name + struct.pack(">2H", kind, family) + more
one = (1, 0, 0, 1)
odd = [
    sent(more=opt(), counts=one), sent(more=opt(0), counts=one), sent(more=opt(65535), counts=one), sent(more=opt(version=1), counts=one),
    sent(more=opt(flags=0x8000), counts=one), sent(more=opt(data=struct.pack(">HH", 8, 7) + b"\0\1\x18\0\7\7\7"), counts=one),
    sent(more=opt(data=struct.pack(">HH", 10, 60000)), counts=one), sent(more=opt() * 2, counts=(1, 0, 0, 2)), sent(more=opt()[:-3], counts=one),
    sent(more=opt(name=wire("evil.test")), counts=one), sent(more=opt(), counts=(1, 0, 0, 65535)), sent(more=opt(), counts=(1, 1, 0, 0)),
    sent(family=3), sent(family=255), sent(family=0), sent(kind=0), sent(kind=41), sent(kind=249), sent(kind=250), sent(kind=251), sent(kind=252), sent(kind=255),
    sent(kind=65535), sent(name=b"\xc0\x0c"), sent(name=b"\xc0\0"), sent(name=b"\4good\xc0\2"), sent(name=b"\x40" + b"a" * 64 + b"\0"),
    sent(name=b"\1a" * 127 + b"\0"), sent(name=b"\1a" * 128 + b"\0"), sent(counts=(0, 0, 0, 0)), sent(counts=(2, 0, 0, 0), more=wire("good.test") + b"\0\1\0\1"),
    sent(flags=0x2800), sent(flags=0x7900), sent(flags=0x0000), sent(flags=0x03ff),
]
def stream(question):
    c = socket.create_connection(("127.0.0.1", 53))
    c.settimeout(60)
    c.sendall(struct.pack(">H", len(question)) + question)
    head = c.recv(2, socket.MSG_WAITALL)
    return c.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL) if len(head) == 2 else b""
def datagram(question):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(60)
    s.connect(("127.0.0.1", 53))
    s.send(question)
    return s.recv(65535)
codes = []
for question in odd:
    answers = [datagram(question), stream(question)]
    codes.append([(a[:2] == b"ab" and a[2] >> 7, a[3] & 15) for a in answers])
print(json.dumps([codes, ask("good.test")]))
""")
    codes, last = found
    assert last == [0, [GOOD]]
    for by_datagram, by_stream in codes:
        assert by_datagram == by_stream and by_datagram[0] == 1 and by_datagram[1] in (0, 1, 3, 4, 5), codes
    assert {line.split()[0] for line in zone.asked} == {"good.test"}, zone.asked
    tally("network: odd questions", 2 * len(codes))


def test_n03_records_of_names_that_were_not_asked_for_open_nothing(caller, zone):
    zone["good.test"] = {"A": [[GOOD, 5]], "extra": [["evil.test", EVIL, 5], ["wild.test", OTHER, 5]]}
    found, _ = inside(caller, f'print(json.dumps([ask("good.test"), reach("{EVIL}"), reach("{OTHER}")]))')
    assert found == [[0, [GOOD]], REFUSED, REFUSED]


def test_n03_no_other_server_is_asked(caller, zone):
    servers = [lab.RESOLVER, lab.GATEWAY, "127.0.0.53", "127.0.0.2"]
    found, _ = inside(caller, f"print(json.dumps([ask('evil.test', server=s, tcp=t, seconds=1)[0] for s in {servers!r} for t in (False, True)]))")
    assert set(found) <= {REFUSED, "PermissionError", "TimeoutError"}, found
    assert zone.asked == []


def test_n05_no_question_for_another_name_leaves_the_host(caller, zone, tally):
    found, run = inside(caller, """
import base64
data = [base64.b32encode(os.urandom(30)).decode().rstrip("=").lower() for _ in range(500)]
tried = [f"{d}.evil.test" for d in data] + [f"{d}.good.test" for d in data[:400]] + [f"{d[:20]}.wild.test.evil.test" for d in data[:100]]
print(json.dumps([ask(name, kind)[0] for name, kind in zip(tried, [1, 16, 28, 15, 5] * 200)]))
""")
    assert found == [5] * 1000
    assert zone.asked == []
    assert "more destinations refused" in run.stderr
    tally("network: questions that did not leave", 1000)


def test_n05_what_is_written_beside_a_question_does_not_leave(caller, zone):
    found, _ = inside(caller, r"""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(60)
s.connect(("127.0.0.1", 53))
secret = os.urandom(300)
codes = []
for more, tail in ((b"\0\0\x29\x10\0\0\0\0\0" + struct.pack(">HHH", 304, 65001, 300) + secret, b""), (b"", secret)):
    s.send(query("good.test", 1)[:10] + struct.pack(">H", bool(more)) + query("good.test", 1)[12:] + more + tail)
    codes.append(read(s.recv(4096))[0] & 15)
print(json.dumps(codes))
""")
    assert found == [0, 0]
    # Header, name, type and class, and what a datagram may have; nothing else.
    assert {line.split()[3] for line in zone.asked} == {str(12 + 11 + 4 + 11)}, zone.asked


def test_a_name_of_odd_bytes_is_told_in_plain_letters(caller, zone):
    found, run = inside(caller, r"""
print(json.dumps([ask(name)[0] for name in ("\x1b[31mred\x1b[0m.test", "a\nimmure: forged.test", "quote\".test", "\u0000.test", "\x9b1m.test")]))
""")
    assert found == [5] * 5
    assert r'"\027\09131mred\027\0910m.test" refused 1 time' in run.stderr and r'"a\010immure\058\032forged.test"' in run.stderr, run
    assert all(line.startswith("immure: ") and line.isprintable() for line in run.stderr.splitlines()), run


def test_a_label_with_a_dot_in_it_is_another_name(caller, zone):
    found, _ = inside(caller, r"""
def raw(*labels):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(60)
    s.connect(("127.0.0.1", 53))
    s.send(query("", 1)[:12] + b"".join(bytes([len(l)]) + l for l in labels) + b"\0\0\1\0\1")
    return read(s.recv(4096))[0] & 15
print(json.dumps([raw(b"good.test"), raw(b"a.wild", b"test"), raw(b"a", b"wild.test"), raw(b"a.b", b"wild", b"test")]))
""")
    assert found == [5, 5, 5, 3]


def test_a_flood_loses_no_rule(caller, zone, tally):
    """Whatever was answered is reached, at once, while two programs ask as fast as they can; and the resolver lives."""
    many = [f"203.0.113.{number}" for number in range(40, 240)]
    for number, address in enumerate(many):
        zone.zone[f"{number}.wild.test"] = {"A": [[address, 0]]}
    zone.write()
    found, _ = inside(caller, r"""
import time
def flood(names):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("127.0.0.1", 53))
    s.setblocking(False)
    end, sent = time.monotonic() + 5, 0
    while time.monotonic() < end:
        for name in names:
            try: s.send(query(name, 1)); sent += 1
            except OSError: pass
        try:
            while True: s.recv(4096)
        except OSError: pass
    print(sent, file=sys.stderr)
    os._exit(0)
children = []
for names in ([f"{n}.wild.test" for n in range(200)], [f"{n}.evil.test" for n in range(200)]):
    child = os.fork()
    if not child: flood(names)
    children.append(child)
seen, end = {}, time.monotonic() + 4
while time.monotonic() < end or (not seen and time.monotonic() < end + 60):
    for number in range(200):
        # The queue of datagrams is full.
        code, found = ask(f"{number}.wild.test", seconds=1, tcp=number % 4 > 0)
        for address in found: seen[address] = reach(address)
        if seen and time.monotonic() > end: break
for child in children: os.waitpid(child, 0)
# Questions that have no answer yet take all places for some seconds.
end = time.monotonic() + 100
while time.monotonic() < end:
    last = ask("good.test")
    if last[0] == 0: break
    time.sleep(0.1)
print(json.dumps([len(seen), sorted(set(seen.values())), last]))
""", timeout=120)
    assert found[0] > 0 and found[1:] == [["here"], [0, [GOOD]]], found
    tally("network: addresses reached in a flood", found[0])


def test_ten_thousand_questions_are_answered_each_and_open_what_they_may(caller, zone, tally):
    """As fast as answers come: names of the list and others in turns. What is asked for a second time is told the same."""
    many = [f"203.0.113.{number}" for number in range(40, 240)]
    for number, address in enumerate(many):
        zone.zone[f"{number}.wild.test"] = {"A": [[address, 0]]}
    zone.write()
    found, _ = inside(caller, r"""
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", 53))
s.settimeout(60)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
def name(n): return f"{n // 2 % 200}.wild.test" if n % 2 else f"{n}.evil.test"
waiting, said, wrong = set(), {}, []
for n in range(10000 + 100):
    if n < 10000:
        s.send(query(name(n), 1, id=struct.pack(">H", n)))
        waiting.add(n)
    while len(waiting) >= 100 or (n >= 10000 and waiting):
        answer = s.recv(4096)
        (id,) = struct.unpack(">H", answer[:2])
        flags, found = read(answer)
        waiting.discard(id)
        if id % 2 == 0 and [flags & 15, found] != [5, []]: wrong.append([name(id), flags & 15, found])
        if id % 2 and [flags & 15, found] != [0, [f"203.0.113.{40 + id // 2 % 200}"]]: wrong.append([name(id), flags & 15, found])
        for address in found: said.setdefault(address, reach(address))
print(json.dumps([wrong[:10], len(said), sorted(set(said.values())), [reach(f"203.0.113.{n}") for n in (20, 30, 250)]]))
""", timeout=120)
    assert found == [[], 200, ["here"], [REFUSED] * 3], found
    assert not any("evil" in line for line in zone.asked)
    tally("network: questions that were answered", 10_000)


def test_nothing_that_a_program_sends_ends_the_resolver(caller, zone, tally):
    found, _ = inside(caller, r"""
import random
random.seed(5)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", 53))
good = query("good.test", 1)
for _ in range(20000):
    sent = bytearray(good + os.urandom(random.choice((0, 0, 11, 40, 500))))
    for _ in range(random.randrange(6)): sent[random.randrange(len(sent))] = random.randrange(256)
    try: s.send(sent[: random.randrange(len(sent) + 1)])
    except OSError: pass
for size in (0, 1, 11, 4096, 4097, 65000):
    try: s.send(os.urandom(size))
    except OSError: pass
streams = []
for number in range(300):
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    c.setblocking(False)
    try: c.connect(("127.0.0.1", 53))
    except OSError: pass
    streams.append(c)
for number, c in enumerate(streams):
    try: c.send([b"", b"\0", b"\xff\xff" + b"x" * 9000, b"\0\0" * 500, struct.pack(">H", 40) + os.urandom(40), struct.pack(">H", len(good)) + good][number % 6])
    except OSError: pass
for c in streams: c.close()
# Questions that have no answer yet take all places for some seconds.
end = time.monotonic() + 100
while time.monotonic() < end:
    last = ask("good.test")
    if last[0] == 0: break
    time.sleep(0.1)
print(json.dumps([last, ask("good.test", tcp=True), reach("203.0.113.10")]))
""", timeout=120)
    assert found == [[0, [GOOD]], [0, [GOOD]], "here"]
    tally("network: messages to the resolver", 20306)


def test_several_questions_on_one_connection_are_answered_each(caller, zone):
    found, _ = inside(caller, r"""
c = socket.create_connection(("127.0.0.1", 53))
c.settimeout(60)
question = [query(name, 1) for name in ("good.test", "evil.test", "good.test", "a.wild.test")]
c.sendall(b"".join(struct.pack(">H", len(q)) + q for q in question))
codes = []
while len(codes) < 4:
    (length,) = struct.unpack(">H", c.recv(2, socket.MSG_WAITALL))
    codes.append(read(c.recv(length, socket.MSG_WAITALL))[0] & 15)
print(json.dumps(codes))
""")
    assert found == [0, 5, 0, 3]


def test_the_address_of_the_resolver_cannot_be_taken_from_it(caller, zone):
    """As root of the jail a program binds ports below 1024; the one of the resolver is taken, and stays so."""
    found, _ = inside(caller, r"""
def bound(address):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try: s.bind((address, 53))
    except OSError as error: return type(error).__name__ + str(error.errno)
    return "bound"
print(json.dumps([bound("127.0.0.1"), bound("0.0.0.0"), ask("good.test")]))
""")
    assert all(one in ("OSError98", "PermissionError13") for one in found[:2]) and found[2] == [0, [GOOD]], found
