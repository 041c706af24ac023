"""Names in network.allow: the jail's own resolver, in a closed lab with a name server of its own."""

import json
import os
import re
import select
import signal
import subprocess
from pathlib import Path

import pytest

from harness import lab, linux, names
from harness.caller import PYTHON
from harness.names import EVIL, EVIL6, GOOD, GOOD6, OTHER, network  # noqa: F401
from harness.patience import patient, until

USER = '[network]\nmode = "user"\n'
NAMES = USER + 'allow = ["good.test:443", "*.good.test:443"]\n'
SERVICES = ["tcp,0.0.0.0,443", "tcp,::,443", "tcp,0.0.0.0,80", f"udp,{GOOD},443"]
REFUSED = "ConnectionRefusedError"


zone = names.zone_beside(*SERVICES)


def inside(caller, spec, code, **more):
    """What a program in the jail says as JSON, and the run."""
    run = caller.run(spec, *PYTHON, names.ASK + code, timeout=60, **more)
    assert run.status == 0, run
    return json.loads(run.stdout), run


def test_a_name_of_the_list_is_answered_and_reached(caller, zone):
    code = """
before = reach("203.0.113.10")
print(json.dumps([before, ask("good.test"), reach("203.0.113.10"), ask("good.test", 28), reach("2001:db8:3::10"),
    reach("203.0.113.10", 443, "udp"), reach("203.0.113.10", 80)]))
"""
    found, run = inside(caller, NAMES, code)
    assert found == [REFUSED, [0, [GOOD]], "here", [0, [GOOD6]], "here", "here", REFUSED], run


def test_programs_find_it_by_the_c_library(caller, zone):
    run = caller.run(NAMES, "getent", "ahosts", "good.test")
    assert run.status == 0 and GOOD in run.stdout and GOOD6 in run.stdout, run
    text = caller.run(NAMES, "cat", "/etc/resolv.conf").ok.stdout
    assert text == "nameserver 127.0.0.1\n"


def test_another_name_is_refused_and_told_and_nobody_else_hears_of_it(caller, zone):
    spec = caller.spec(NAMES)
    found, run = inside(caller, spec, 'print(json.dumps([ask("evil.test"), ask("evil.test", 28), ask("nowhere.test")]))')
    assert [code for code, _ in found] == [5, 5, 5], found
    assert f'network: "evil.test" refused 1 time (allow, {spec}:3)' in run.stderr, run
    assert zone.asked == []


def test_aliases_count_by_the_name_that_was_asked_for(caller, zone):
    code = 'print(json.dumps([reach("203.0.113.30"), ask("www.good.test"), reach("203.0.113.30"), ask("cdn.other.test")]))'
    found, _ = inside(caller, NAMES, code)
    assert found == [REFUSED, [0, [OTHER]], "here", [5, []]]


def test_ports_are_those_of_the_entry(caller, zone):
    zone["two.test"] = {"A": [[OTHER, 5]]}
    spec = USER + 'allow = ["good.test:80/tcp", "two.test:443/udp", "two.test:80"]\n'
    code = """
ask("good.test"), ask("two.test")
print(json.dumps([reach("203.0.113.10", 80), reach("203.0.113.10", 443), reach("203.0.113.10", 443, "udp"),
    reach("203.0.113.30", 80), reach("203.0.113.30", 443)]))
"""
    found, _ = inside(caller, spec, code)
    assert found == ["here", REFUSED, "PermissionError", "here", REFUSED]


def test_without_a_port_it_is_https(caller, zone):
    code = 'ask("good.test"), print(json.dumps([reach("203.0.113.10", 443), reach("203.0.113.10", 80)]))'
    assert inside(caller, USER + 'allow = ["good.test"]\n', code)[0] == ["here", REFUSED]


def test_a_star_is_for_every_name_below_and_not_for_the_name(caller, zone):
    zone["a.b.good.test"] = {"A": [[OTHER, 5]]}
    code = 'print(json.dumps([ask("a.b.good.test"), ask("good.test"), ask("xgood.test"), ask("good.test.evil.test")]))'
    found, _ = inside(caller, USER + 'allow = ["*.good.test"]\n', code)
    assert found == [[0, [OTHER]], [5, []], [5, []], [5, []]]


def test_case_does_not_matter(caller, zone):
    code = 'print(json.dumps([ask("GOOD.Test"), reach("203.0.113.10")]))'
    assert inside(caller, USER + 'allow = ["Good.TEST"]\n', code)[0] == [[0, [GOOD]], "here"]


@pytest.mark.parametrize("known", [True, False])
def test_a_name_opens_no_private_network_that_the_network_translates_to(caller, zone, known):
    """The servers say by which prefix, where they know one; they are asked for it once."""
    lab.ip("-6", "route", "add", "local", "2001:db8:64::/64", "dev", "lo", inside=True)
    inner, outer = "2001:db8:64:0:a:3700:1400:0", "2001:db8:64:0:cb:71:a00:0"
    zone["inner.good.test"] = {"AAAA": [[inner, 5]]}
    zone["outer.good.test"] = {"AAAA": [[outer, 5]]}
    if known: zone["ipv4only.arpa"] = {"AAAA": [["2001:db8:64:0:c0:0:aa00:0", 5]]}
    code = f"""
print(json.dumps([ask("inner.good.test", 28), reach("{inner}"), ask("outer.good.test", 28), reach("{outer}"), ask("good.test", 28), ask("good.test")]))
"""
    try:
        found, run = inside(caller, NAMES, code)
    finally:
        lab.ip("-6", "route", "del", "local", "2001:db8:64::/64", "dev", "lo", inside=True)
    assert found[2:] == [[0, [outer]], "here", [0, [GOOD6]], [0, [GOOD]]], found
    assert found[:2] == ([[0, []], REFUSED] if known else [[0, [inner]], "here"])
    assert [line for line in zone.asked if "arpa" in line] == ["ipv4only.arpa AAAA udp 42"], zone.asked
    if known: assert f'"inner.good.test" refused 1 time, it leads to {inner}' in run.stderr, run


def test_the_network_s_translators_are_not_waited_for_for_long(caller, zone):
    zone["ipv4only.arpa"] = {"how": "silent"}
    assert inside(caller, NAMES, 'print(json.dumps([ask("good.test", 28, seconds=4), ask("good.test", 28, seconds=1)]))')[0] == [[0, [GOOD6]]] * 2


def test_what_is_not_there_is_said(caller, zone):
    zone["empty.good.test"] = {}
    code = 'print(json.dumps([ask("nowhere.good.test"), ask("empty.good.test"), ask("good.test", 16), ask("good.test", 255), ask("good.test", 252)]))'
    assert inside(caller, NAMES, code)[0] == [[3, []], [0, []], [0, []], [4, []], [4, []]]


def test_other_records_pass(caller, zone):
    zone["good.test"] = {"A": [[GOOD, 5]], "TXT": ["hello"]}
    assert inside(caller, NAMES, 'print(json.dumps(ask("good.test", 16)))')[0] == [0, ["hello"]]


def test_a_large_answer_comes_whole_and_all_of_it_is_reached(caller, zone):
    many = [f"203.0.113.{number}" for number in range(40, 240)]
    zone["many.good.test"] = {"A": [[address, 5] for address in many]}
    code = 'found = ask("many.good.test"); print(json.dumps([found, [reach(a) for a in found[1]]]))'
    found, _ = inside(caller, NAMES, code)
    assert found == [[0, many], ["here"] * len(many)]
    assert {line.split()[2] for line in zone.asked} == {"udp", "tcp"}


def test_answers_change_while_the_jail_runs(caller, zone):
    """N04: a new address is reached, and a connection that is there lives."""
    code = """
import time
ask("good.test")
s = socket.create_connection(("203.0.113.10", 443))
print("first", flush=True)
while ask("good.test")[1] != ["203.0.113.30"]: time.sleep(0.05)
s.send(b"x")
print(json.dumps([reach("203.0.113.30"), s.recv(10).decode(), reach("203.0.113.10")]))
"""
    launch = caller.start(NAMES, *PYTHON, names.ASK + code)
    assert launch.stdout.readline() == b"first\n"
    zone["good.test"] = {"A": [[OTHER, 5]]}
    run = caller.finish(launch)
    assert json.loads(run.stdout) == ["here", "here", "here"], run


def test_what_is_refused_is_in_the_result(caller, zone):
    result = caller.directory() / "result.json"
    zone["home.good.test"] = {"A": [["127.0.0.1", 5]]}
    code = 'print(json.dumps([ask("evil.test"), ask("evil.test"), ask("evil.test", 28), ask("home.good.test")]))'
    _, run = inside(caller, NAMES, code, options=["--result", str(result)])
    assert json.loads(result.read_text())["refused_connections"] == [
        {"destination": "evil.test", "count": 2, "leads_to": None},
        {"destination": "home.good.test", "count": 1, "leads_to": "127.0.0.1"},
    ]
    assert '"home.good.test" refused 1 time, it leads to 127.0.0.1 (allow, ' in run.stderr, run


def test_an_attempt_by_the_c_library_counts_once(caller, zone):
    run = caller.run(NAMES, "getent", "ahosts", "evil.test")
    assert run.status == 2 and '"evil.test" refused 1 time ' in run.stderr, run


def test_a_stub_on_the_hosts_loopback_is_asked(caller, network):
    before = Path("/etc/resolv.conf").read_text()
    with names.serving("127.0.0.53", inside=False) as zone:
        Path("/etc/resolv.conf").write_text("nameserver 127.0.0.53\n")
        try:
            found, _ = inside(caller, NAMES, 'print(json.dumps([ask("good.test"), ask("good.test", server="127.0.0.53")]))')
        finally:
            Path("/etc/resolv.conf").write_text(before)
        assert found == [[0, [GOOD]], ["ConnectionRefusedError", []]]
        assert len(zone.asked) == 1


@pytest.mark.parametrize("server", ["127.0.0.77", "0.0.0.0"])
def test_a_server_of_the_spec_on_the_hosts_loopback_is_asked(caller, network, server):
    """From the host's network, as dns says: not from the jail, which reaches nothing of the kind."""
    code = 'print(json.dumps([ask("good.test"), ask("good.test", server="127.0.0.77", seconds=1), ask("evil.test")]))'
    with names.serving("127.0.0.77" if server == "127.0.0.77" else "127.0.0.1", inside=False) as zone:
        found, _ = inside(caller, NAMES + f'dns = ["{server}"]\n', code)
        assert found == [[0, [GOOD]], [REFUSED, []], [5, []]] and len(zone.asked) == 1


def test_servers_of_the_spec_are_asked_one_after_the_other(caller, zone):
    found, _ = inside(caller, NAMES + f'dns = ["{lab.GOOD}", "{lab.RESOLVER}"]\n', 'print(json.dumps(ask("good.test")))')
    assert found == [0, [GOOD]]


def test_without_a_server_there_is_nobody_to_ask(caller, network):
    before = Path("/etc/resolv.conf").read_text()
    Path("/etc/resolv.conf").write_text("")
    try:
        refused = caller.run(NAMES, "true")
        assert refused.status == 125 and "need a server to ask" in refused.stderr and 'network.dns = ["10.0.0.53"] names one' in refused.stderr
        caller.run(NAMES, "true", options=["--set", 'network.dns = ["10.0.0.53"]']).ok
    finally:
        Path("/etc/resolv.conf").write_text(before)


@pytest.mark.parametrize("how", ["no options", "header", "lost"])
def test_a_server_that_knows_no_options_is_asked_without_them(caller, zone, how):
    """Large answers of it come by a stream."""
    many = [f"203.0.113.{number}" for number in range(40, 240)]
    zone["old.good.test"] = {"A": [[GOOD, 5]], "how": how}
    zone["many.good.test"] = {"A": [[address, 5] for address in many], "how": how}
    found, _ = inside(caller, NAMES, 'print(json.dumps([ask("old.good.test"), reach("203.0.113.10"), ask("many.good.test", seconds=20)]))')
    assert found == [[0, [GOOD]], "here", [0, many]]


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_a_program_would(caller, zone):
    zone["slow.good.test"] = {"how": "silent"}
    code = """
import time
took = []
for _ in range(20):
    start = time.monotonic()
    slow = ask("slow.good.test")
    took.append(time.monotonic() - start)
    if took[-1] < 6: break
print(json.dumps([slow, 3 < took[-1] < 6, ask("good.test")]))
"""
    assert inside(caller, NAMES, code)[0] == [[2, []], True, [0, [GOOD]]]


def resolver(launcher):
    """The launcher's child that answers: no program of its own, and not the jail's first process."""
    for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        status = linux.seen(child, "status")
        if all(linux.seen(child, name) == linux.seen(launcher, name) for name in ("ns/mnt", "cmdline")):
            return int(child), dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    raise AssertionError("no resolver")


WAITS = """
print(json.dumps(ask("good.test")), flush=True)
sys.stdin.readline()
print(json.dumps([reach("203.0.113.10"), ask("cdn.good.test", seconds=1), reach("203.0.113.30")]), flush=True)
sys.stdin.readline()
"""


def started(caller):
    launch = caller.start(NAMES, *PYTHON, names.ASK + WAITS, stdin=subprocess.PIPE)
    assert launch.stdout.readline() == b'[0, ["203.0.113.10"]]\n'
    return launch, *resolver(launch.pid)


def test_the_jail_ends_with_its_resolver(caller, zone):
    launch, process, _ = started(caller)
    os.kill(process, signal.SIGKILL)
    # Before its standard input ends, and with it the command.
    launch.wait(patient(5))
    run = caller.finish(launch)
    assert run.status == 137 and "resolver ended: SIGKILL; jail killed" in run.stderr, run


def test_a_resolver_that_stands_still_opens_nothing(caller, zone):
    zone["cdn.good.test"] = {"A": [[OTHER, 5]]}
    launch, process, _ = started(caller)
    os.kill(process, signal.SIGSTOP)
    launch.stdin.write(b"\n")
    launch.stdin.flush()
    assert json.loads(launch.stdout.readline()) == ["here", ["TimeoutError", []], REFUSED]
    handle = os.pidfd_open(process)
    launch.stdin.write(b"\n")
    launch.stdin.flush()
    assert caller.finish(launch).status == 0
    assert select.select([handle], [], [], patient(2))[0], "the resolver is still there"
    os.close(handle)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_resolver_ends_with_the_launcher(caller, zone, end):
    launch, process, _ = started(caller)
    handle = os.pidfd_open(process)
    launch.send_signal(end)
    launch.communicate(timeout=patient(10))
    assert select.select([handle], [], [], patient(2))[0], "the resolver is still there"
    os.close(handle)


def test_the_resolver_can_do_little(caller, zone):
    launch, process, status = started(caller)
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    # CAP_NET_ADMIN, which root has over the jail's network by nothing else.
    assert int(status["CapEff"], 16) == (1 << 12 if caller.is_root else 0)
    assert os.readlink(f"/proc/{process}/ns/net") == os.readlink("/proc/self/ns/net"), "the servers are in the host's network"
    kept = sorted(os.readlink(f"/proc/{process}/fd/{number}").split(":")[0] for number in os.listdir(f"/proc/{process}/fd"))
    assert kept == ["/memfd", "pipe", "pipe", "pipe", "socket", "socket", "socket"], kept
    launch.kill()
    launch.communicate()


def test_what_the_plan_says(caller, network):
    spec = caller.spec(NAMES)
    text = caller.verb("plan", spec, "--", "true").stdout
    assert "2 destinations allowed, names by a resolver of its own" in text
    plan = json.loads(caller.verb("plan", "--json", spec, "--", "true").stdout)
    step = next(step for step in plan if step["operation"] == "provide_network")
    assert step["arguments"]["names"] == {"answers_at": "127.0.0.1:53", "asks": [lab.RESOLVER], "for": ["good.test:443", "*.good.test:443"]}


# How long an address is open


ASKS = """
held = None
for line in sys.stdin:
    word, *more = line.split()
    if word == "ask": said = ask(*more)
    if word == "reach": said = [reach(one) for one in more]
    if word == "hold":
        held = socket.create_connection((more[0], 80))
        said = "held"
    if word == "held":
        held.send(b"x")
        said = held.recv(10).decode()
    print(json.dumps(said), flush=True)
"""


class Told:
    """A jail that does what it is told, and the set of addresses that names have opened in it, seen and changed from outside."""

    def __init__(self, caller, zone):
        self.caller, self.zone = caller, zone

    def __enter__(self):
        spec = USER + 'allow = ["good.test:80-443/tcp", "*.good.test:80-443/tcp"]\n'
        self.launch = self.caller.start(spec, *PYTHON, names.ASK + ASKS, stdin=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        self.launch.kill()
        self.launch.communicate(timeout=patient(10))

    def __call__(self, line):
        self.launch.stdin.write(line.encode() + b"\n")
        self.launch.stdin.flush()
        return json.loads(self.launch.stdout.readline())

    def nft(self, *words, check=True, stdin=None):
        ours = os.readlink("/proc/self/ns/net")
        target = next(pid for pid in linux.descendants(self.launch.pid) if linux.seen(pid, "ns/net") not in (ours, None))
        line = ["nsenter", "-t", str(target), "-n", "nft", *words]
        return subprocess.run(line, capture_output=True, text=True, check=check, input=stdin).stdout

    def held(self, ttl):
        """How long GOOD stays open after an answer that says `ttl`."""
        self.zone["good.test"] = {"A": [[GOOD, ttl]]}
        assert self("ask good.test") == [0, [GOOD]]
        return re.search(rf"{GOOD} timeout (\S+) ", self.nft("list", "set", "inet", "immure", "names4_0"))[1]


def test_an_address_is_held_for_a_minute_at_least_and_as_long_as_the_answer_says(caller, zone):
    with Told(caller, zone) as jail:
        # Half a minute more, so that not every question changes the rules.
        assert jail.held(5) == "1m30s"
        assert jail.held(300) == "5m30s"
        assert jail.held(5) == "5m30s"


def test_many_addresses_that_leave_in_one_moment_are_opened_anew(caller, zone):
    """The kernel has a message for each: together more than are read at once."""
    many = [f"203.0.113.{number}" for number in range(20, 220)] + [f"203.0.114.{number}" for number in range(200)]
    zone["many.good.test"] = {"A": [[address, 5] for address in many]}
    with Told(caller, zone) as jail:
        assert jail("ask many.good.test") == [0, many]
        jail.nft("delete", "element", "inet", "immure", "names4_0", "{ %s }" % ", ".join(many[:399]))
        assert jail(f"reach {many[30]}") == [REFUSED]
        zone["many.good.test"] = {"A": [[address, 300] for address in many]}
        assert jail("ask many.good.test") == [0, many]
        held = re.findall(r"(203\.0\.11[34]\.\d+) timeout (\S+) ", jail.nft("list", "set", "inet", "immure", "names4_0"))
        assert sorted(held) == sorted((address, "5m30s") for address in many)
        assert jail(f"reach {many[30]}") == ["here"]


def test_an_address_is_closed_when_its_time_is_over_and_a_connection_goes_on(caller, zone):
    with Told(caller, zone) as jail:
        assert jail("ask good.test") == [0, [GOOD]]
        assert jail(f"hold {GOOD}") == "held"
        # A minute and a half is too long for a test: the same clock of the kernel's, set to a second.
        jail.nft(f"delete element inet immure names4_0 {{ {GOOD} }}; add element inet immure names4_0 {{ {GOOD} timeout 1s }}")
        assert jail(f"reach {GOOD}") == ["here"]
        until(lambda: jail(f"reach {GOOD}") == [REFUSED], within=5)
        assert jail("held x") == "here"


# Want


def test_an_answer_that_the_rules_have_no_room_for_opens_none_of_its_addresses(caller, zone):
    many = ["203.0.113.41", "203.0.113.42", "203.0.113.43"]
    zone["few.good.test"] = {"A": [[address, 5] for address in many]}
    with Told(caller, zone) as jail:
        assert jail("ask few.good.test") == [0, many]
        place = "inet immure names4_0"
        filling = [f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(65_540)]
        # Two of them have left, and there is room for one.
        jail.nft("delete", "element", *place.split(), "{ %s }" % ", ".join(many[:2]))
        jail.nft("-f", "-", stdin=f"add element {place} {{ {', '.join(filling[:65_532])} }}\n")
        for address in filling[65_532:]:
            jail.nft("add", "element", *place.split(), f"{{ {address} }}", check=False)
        jail.nft("delete", "element", *place.split(), "{ %s }" % filling[0])
        zone["few.good.test"] = {"A": [[address, 300] for address in many]}
        assert jail("ask few.good.test") == [2, []]
        assert jail("reach " + " ".join(many)) == [REFUSED, REFUSED, "here"]
        assert jail("ask evil.test") == [5, []]


def test_a_resolver_that_is_out_of_descriptors_answers_what_it_can_and_recovers(caller, zone):
    code = """
print("up", flush=True)
sys.stdin.readline()
streams = []
for number in range(60):
    s = socket.socket()
    s.settimeout(60)
    s.connect(("127.0.0.1", 53))
    streams.append(s)
print("connected", flush=True)
sys.stdin.readline()
print(json.dumps([ask("evil.test"), ask("good.test", seconds=20), reach("203.0.113.10")]), flush=True)
for s in streams: s.close()
sys.stdin.readline()
while ask("good.test")[0] != 0: pass
print(json.dumps([ask("good.test"), ask("good.test", tcp=True), reach("203.0.113.10")]), flush=True)
"""
    launch = caller.start(NAMES, *PYTHON, names.ASK + code, stdin=subprocess.PIPE)
    assert launch.stdout.readline() == b"up\n"
    process, _ = resolver(launch.pid)
    taken = len(os.listdir(f"/proc/{process}/fd"))
    subprocess.run(["prlimit", "--pid", str(process), f"--nofile={taken + 20}:{taken + 20}"], check=True, **caller.account())
    launch.stdin.write(b"\n")
    launch.stdin.flush()
    assert launch.stdout.readline() == b"connected\n"
    until(lambda: len(os.listdir(f"/proc/{process}/fd")) == taken + 20)
    launch.stdin.write(b"\n")
    launch.stdin.flush()
    assert json.loads(launch.stdout.readline()) == [[5, []], [2, []], REFUSED]
    run = caller.finish(launch, stdin=b"\n", timeout=30)
    assert run.status == 0 and json.loads(run.stdout) == [[0, [GOOD]], [0, [GOOD]], "here"], run
