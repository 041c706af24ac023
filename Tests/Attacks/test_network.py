"""Ways past the rules of a network in mode "user", tried from inside (N02, N03, N11, N14)."""

import ipaddress
import json
import os
import random
from pathlib import Path

import pytest

from harness import lab
from harness.lab import network  # noqa: F401
from harness.patience import patient

PROBE = Path(__file__).resolve().parent / "probes/network.py"
USER = '[network]\nmode = "user"\n'
LIST = USER + f'allow = ["{lab.GOOD}:80/tcp", "{lab.GOOD}:5000/udp", "[{lab.GOOD6}]:80/tcp"]\n'
#: All there is, by ranges: what is the host's, its link's or a cloud's is in them, and stays closed.
RANGES = USER + 'allow = ["0.0.0.0/0", "::/0"]\n'
NESTED = "[namespaces]\nnested = true\n"
SERVICES = [
    f"{kind},{address},{port}"
    for address in (lab.GOOD, lab.EVIL, lab.GOOD6, lab.EVIL6, lab.METADATA)
    for kind, port in (("tcp", 80), ("udp", 5000))
]
OF_THE_HOST = [
    f"tcp,{lab.BRIDGE},2375", f"udp,{lab.BRIDGE},7778", f"tcp,{lab.HOST},7777", f"udp,{lab.HOST},7776", f"tcp,{lab.HOST6},7777",
    "tcp,127.0.0.1,8888", "udp,127.0.0.1,8889", "tcp,::1,8888",
]
#: At once, and so that the program is told. ENETUNREACH, EADDRNOTAVAIL: there is nothing of the kind in the jail.
REFUSED = {"ECONNREFUSED", "EPERM", "EACCES", "ENETUNREACH", "EADDRNOTAVAIL"}
#: Ways that reach a destination of the list, so that their refusal elsewhere is the rules' doing; with the port they are tried at.
WAYS = {
    "tcp": 80, "udp": 5000, "mptcp": 80, "fast_open": 80, "unconnected": 5000, "mapped_tcp": 80, "mapped_udp": 5000,
    "from_device": 80, "from_resolver_port": 5000, "again": 5000,
}
#: Ways that lead nowhere in a jail: what they are refused with says why.
NOWHERE = {
    "udplite": 5000, "large": 5000, "from_loopback": 80, "without_routes": 80, "source_routed": 5000, "marked": 80, "echo": 0,
}
#: Where clouds serve their metadata, and what leads there by a translator or a tunnel, or to the host: all of it answers.
CLOUDS = [
    "fd00:ec2::254", "fd20:ce::254", "fd00:42::42", "168.63.129.16", "100.100.100.200", "192.0.0.192", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe",
    "2001:db8:2::a9fe:a9fe", "2001:db8:2::200:5efe:a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1", "2001:0:1:1::5601:5601", "64:ff9b::a83f:8110",
    "64:ff9b::a32:2", "64:ff9b::7f00:1",
    # Behind prefixes of 64, 56, 48, 40 and 32 bits.
    "2001:db8:2:64:a9:fea9:fe00:7", "2001:db8:2:a9:fe:a9fe::", "2001:db8:2:a9fe:a9:fe00::", "2001:db8:a:3200:2::", "2001:db8:a9fe:a9fe::7",
]
#: Services of the host's by addresses that are others' in the jail, or nobody's: loopback's, the bridge's and the link's.
HOSTS_OWN = [
    "tcp=127.0.0.2,8888", "udp=127.0.0.2,8889", "tcp=127.255.255.254,8888", "tcp=0.0.0.0,8888", "tcp=::,8888", "mapped_tcp=127.0.0.1,8888",
    f"tcp={lab.GATEWAY},8888", f"udp={lab.GATEWAY},8889", "tcp=10.0.2.2,8888", "tcp=169.254.1.53,8888", "udp=169.254.1.53,53",
    "tcp=169.254.169.254,7777", "scoped=fe80::1,80", "tcp=::ffff:172.17.0.1,2375", f"tcp=64:ff9b::{lab.BRIDGE},2375",
    "tcp=2002:ac11:1::1,2375", "group=172.17.255.255,7778", "group=255.255.255.255,7778", "group=224.0.0.1,7778", "group=ff02::1,7778",
    f"fragments={lab.BRIDGE},7778", f"fragments={lab.HOST},7776", f"sctp={lab.BRIDGE},2375", f"dccp={lab.BRIDGE},2375",
    *(f"tcp={address},80" for address in CLOUDS), "mapped_tcp=100.100.100.200,80",
]
#: Refused, or nothing that answers: no program of the host's has been reached.
NOTHING = REFUSED | {"timeout", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EHOSTUNREACH", "EINVAL", "EMSGSIZE"}
#: Sockets that the jail's rules do not see, and the destination that each is tried with.
OTHER_FAMILIES = {
    "vsock": "2,1024", "can": "0,0", "tipc": "0,0", "rds": "0,0", "alg": "0,0", "bluetooth": "0,0", "smc": "0,0", "phonet": "0,0", "x25": "0,0",
    "packet_datagram": "0,0", "raw_echo": f"{lab.GOOD},0", "raw_echo6": f"{lab.GOOD6},0", "raw_udp": f"{lab.EVIL},5000",
}
#: Nothing of the kind is a capability of the command's, and no file or call of it is in reach.
KEPT = {"EPERM", "EACCES", "EROFS", "ENOENT", "ENXIO", "EAFNOSUPPORT", "ENOSYS"}
CHANGES = [
    "link_down", "link_new", "link_gone", "link_moved", "address_new", "route_new", "route_gone", "neighbour_new", "policy_new",
    "tables_gone", "rules_gone", "conntrack_gone", "ioctl_down", "ioctl_address", "ioctl_mtu", "tunnel", "sysctl_forward",
    "sysctl_route_localnet", "raw", "packet", "xdp", "joined",
]


@pytest.fixture(scope="module")
def clouds(network):
    for address in CLOUDS:
        lab.ip("addr", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo", *(["nodad"] if ":" in address else []), inside=True)


@pytest.fixture
def served(clouds):
    """What listens, for one test only: no process may outlive a test."""
    with lab.serving(*SERVICES, *(f"tcp,{address},80" for address in CLOUDS)), lab.serving(*OF_THE_HOST, inside=False):
        yield


def tried(caller, spec, *words, front=(), wait=3):
    """What comes of these, by the probe; each is waited for that many seconds, where nothing answers."""
    facts = {"HOST_NETWORK": os.readlink("/proc/self/ns/net"), "GOOD": f"{lab.GOOD},5000", "WAIT": str(wait)}
    settings = "[environment]\nset = { " + ", ".join(f'{name} = "{value}"' for name, value in facts.items()) + " }\n"
    command = [*front, "/usr/bin/python3", "-I", "-S", "-c", PROBE.read_text(), *words]
    return json.loads(caller.run(spec + settings, *command, timeout=60).ok.stdout)


@pytest.mark.parametrize("way", WAYS)
def test_n03_a_way_leads_to_the_list_and_not_past_it(caller, served, tally, way):
    port = WAYS[way]
    answers = tried(caller, LIST, f"{way}={lab.GOOD},{port}", f"{way}={lab.EVIL},{port}", f"{way}={lab.METADATA},{port}", wait=patient(3))
    assert answers.pop(f"{way}={lab.GOOD},{port}") == "here", answers
    assert set(answers.values()) <= REFUSED, answers
    tally("network: ways past the list", len(answers))


def entries(chance):
    """A list as nobody would write it: ranges within ranges, with and without ports, some of them twice."""
    four = ["0.0.0.0/0", "10.0.0.0/8", "10.55.0.13/28", "10.55.0.0/27", "10.55.0.20/30", lab.GOOD, f"{lab.EVIL}/32", "10.55.0.11/31", "192.0.2.0/24"]
    six = ["::/0", "2001:db8::/32", "2001:db8:2::/64", "2001:db8:2::17/123", "2001:db8:2::20/127", lab.GOOD6, f"{lab.EVIL6}/128", "2001:db8:9::/48"]
    ports = [(1, 65535), (80, 80), (79, 81), (81, 90), (5000, 5000), (443, 5000), (4999, 5001), (1, 80)]
    found = []
    for _ in range(chance.randrange(1, 12)):
        target = chance.choice(four + six)
        if chance.random() < 0.25:
            found.append((f"{target}/128" if ":" in target and "/" not in target else target, target, None, None))
            continue
        first, last = chance.choice(ports)
        kind = chance.choice([None, "tcp", "udp"])
        words = f"[{target}]" if ":" in target else target
        found.append((f"{words}:{first}-{last}" + (f"/{kind}" if kind else ""), target, (first, last), kind))
    return found + chance.sample(found, len(found) // 3)


@pytest.mark.parametrize("seed", range(12))
def test_n03_a_list_of_overlapping_entries_opens_what_it_says(caller, served, tally, seed):
    chosen = entries(random.Random(seed))
    probes = [one for one in SERVICES if lab.METADATA not in one]
    expected = {}
    for probe in probes:
        kind, address, port = probe.split(",")
        expected[f"{kind}={address},{port}"] = any(
            ipaddress.ip_address(address) in ipaddress.ip_network(target, strict=False)
            and (ports is None or ports[0] <= int(port) <= ports[1]) and by in (None, kind)
            for _, target, ports, by in chosen)
    spec = USER + "allow = [" + ", ".join(f'"{words}"' for words, *_ in chosen) + "]\n"
    answers = tried(caller, spec, *expected, wait=patient(3))
    assert {probe: said == "here" for probe, said in answers.items()} == expected, (spec, answers)
    assert set(answers.values()) <= {"here"} | REFUSED, answers
    tally("network: lists of overlapping entries", len(answers))


@pytest.mark.parametrize("way", NOWHERE)
def test_n03_a_way_that_programs_seldom_take_leads_nowhere(caller, served, tally, way):
    answers = tried(caller, LIST, f"{way}={lab.EVIL},{NOWHERE[way]}")
    assert "here" not in answers.values(), answers
    tally("network: ways past the list", len(answers))


def test_n03_ipv6_and_other_ports_are_held_to_the_list(caller, served):
    good = [f"tcp={lab.GOOD6},80"]
    other = [f"tcp={lab.EVIL6},80", f"udp={lab.EVIL6},5000", f"udp={lab.GOOD6},5000", f"tcp={lab.GOOD},5000", f"udp={lab.GOOD},80"]
    answers = tried(caller, LIST, *good, *other, wait=patient(3))
    assert answers.pop(good[0]) == "here", answers
    assert set(answers.values()) <= REFUSED, answers


@pytest.mark.parametrize("spec", [USER, LIST, RANGES], ids=["all", "list", "ranges"])
@pytest.mark.parametrize("probe", HOSTS_OWN)
def test_n02_no_other_name_of_the_host_leads_to_it(caller, served, tally, spec, probe):
    answers = tried(caller, spec, probe)
    assert set(answers.values()) <= NOTHING, answers
    tally("network: other addresses of the host", len(answers))


@pytest.mark.parametrize("spec", [USER, LIST], ids=["all", "list"])
@pytest.mark.parametrize("family", OTHER_FAMILIES)
def test_n03_no_socket_of_another_family_leads_anywhere(caller, served, tally, spec, family):
    answers = tried(caller, spec, f"{family}={OTHER_FAMILIES[family]}")
    assert set(answers.values()) <= KEPT | {"EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "ENODEV", "EINVAL"}, answers
    tally("network: other families", len(answers))


@pytest.mark.parametrize("spec", [USER, LIST, RANGES], ids=["all", "list", "ranges"])
@pytest.mark.parametrize("service", [*OF_THE_HOST, f"tcp,{lab.METADATA},80", f"udp,{lab.METADATA},5000"])
def test_n02_what_the_host_serves_is_out_of_reach(caller, served, tally, spec, service):
    kind, address, port = service.split(",")
    ways = ["tcp", "mptcp", "fast_open"] if kind == "tcp" else ["udp", "unconnected"]
    if ":" not in address:
        ways.append(f"mapped_{kind}")
    answers = tried(caller, spec, *(f"{way}={address},{port}" for way in ways))
    assert set(answers.values()) <= REFUSED, answers
    tally("network: services of the host", len(answers))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("more", ["", NESTED], ids=["plain", "nested"])
def test_n14_the_command_changes_nothing_of_its_network(caller, served, tally, change, more):
    before, after = f"tcp={lab.EVIL},80", f"tcp={lab.EVIL},080"
    answers = tried(caller, LIST + more, before, change, after)
    if change == "joined" and answers[change] == "done":
        # The namespace that it is in already.
        answers[change] = "EPERM"
    assert answers[change] in KEPT, answers
    assert {answers[before], answers[after]} <= REFUSED, answers
    tally("network: changes", 1)


@pytest.mark.parametrize("change", CHANGES)
def test_n11_root_of_a_user_namespace_within_changes_nothing_of_the_jails_network(caller, served, tally, change):
    """It holds every capability, but over a namespace of users that the network does not belong to."""
    before, after = f"tcp={lab.EVIL},80", f"tcp={lab.EVIL},080"
    answers = tried(caller, LIST + NESTED, before, change, after, front=["/usr/bin/unshare", "--user", "--map-root-user"])
    if change == "joined" and answers[change] == "done":
        answers[change] = "EPERM"
    assert answers[change] in KEPT, answers
    assert {answers[before], answers[after]} <= REFUSED, answers
    tally("network: changes as root within", 1)


def test_n11_a_network_within_leads_nowhere(caller, served):
    front = ["/usr/bin/unshare", "--user", "--map-root-user", "--net"]
    answers = tried(caller, LIST + NESTED, f"tcp={lab.GOOD},80", f"tcp={lab.EVIL},80", f"udp={lab.EVIL},5000", front=front)
    assert set(answers.values()) == {"ENETUNREACH"}, answers
