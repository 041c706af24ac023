"""Addresses that the host gets while a jail with mode "user" runs: its rules have those of its start, and learn of the others."""

import subprocess
from contextlib import contextmanager

import pytest

from harness import lab
from harness.caller import PYTHON
from harness.covered import covered
from harness.lab import network  # noqa: F401
from harness.patience import patient

USER = '[network]\nmode = "user"\n'
FOUR, SIX = "10.77.0.1", "2001:db8:77::1"
#: Asks until all are refused; says how often each was reached, and what became of the destinations that stay open.
ASK = """
import socket, sys, time

def reach(address, port):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    s.settimeout(30)
    try:
        s.connect((address, port))
        s.send(b"x")
        return s.recv(9).decode()
    except OSError as error:
        return type(error).__name__

print("up", flush=True)
sys.stdin.readline()
open_, *later = sys.argv[1:]
end = time.monotonic() + 60
while later and time.monotonic() < end and {reach(address, 7777) for address in later} != {"ConnectionRefusedError"}: time.sleep(0.01)
print(*[reach(address, 7777) for address in later], reach(open_, 80), flush=True)
sys.stdin.readline()
print(*[reach(address, 7777) for address in later])
"""


@pytest.fixture
def served(network):
    with lab.serving(f"tcp,{lab.GOOD},80"), lab.serving("tcp,0.0.0.0,7777", "tcp,::,7777", inside=False):
        yield


@contextmanager
def given(*addresses):
    """The host has these as well."""
    for address in addresses:
        lab.ip("addr", "add", address, "dev", "br0", *(["nodad"] if ":" in address else []))
    try:
        yield
    finally:
        for address in addresses:
            lab.ip("addr", "del", address, "dev", "br0")


def asking(caller, *addresses, spec=USER):
    launch = caller.start(spec, *PYTHON, ASK, lab.GOOD, *addresses, stdin=subprocess.PIPE)
    assert launch.stdout.readline() == b"up\n", launch.communicate()
    return launch


def go(launch):
    launch.stdin.write(b"go\n")
    launch.stdin.flush()


@pytest.mark.parametrize("allow", ["", 'allow = ["0.0.0.0/0", "::/0"]\n'], ids=["all", "ranges"])
def test_they_are_closed_as_they_come(caller, served, allow):
    launch = asking(caller, FOUR, SIX, spec=USER + allow)
    with given(f"{FOUR}/24", f"{SIX}/64"):
        go(launch)
        assert launch.stdout.readline() == b"ConnectionRefusedError ConnectionRefusedError here\n"
    # And stay so, whoever has them next.
    with given(f"{FOUR}/24", f"{SIX}/64"):
        out, _ = launch.communicate(b"go\n", timeout=patient(30))
    assert out == b"ConnectionRefusedError ConnectionRefusedError\n" and launch.returncode == 0


def test_local_routes_are_closed_as_they_come(caller, served):
    """Also around an address that is closed already."""
    routes = [["route", "{}", "local", "172.17.0.0/17", "dev", "lo"], ["-6", "route", "{}", "local", "2001:db8:77::/64", "dev", "lo"]]
    launch = asking(caller, "172.17.9.9", SIX)
    for words in routes:
        lab.ip(*(word.format("add") for word in words))
    try:
        go(launch)
        assert launch.stdout.readline() == b"ConnectionRefusedError ConnectionRefusedError here\n"
    finally:
        for words in routes:
            lab.ip(*(word.format("del") for word in words))
    out, _ = launch.communicate(b"go\n", timeout=patient(30))
    assert launch.returncode == 0, out


def test_a_route_around_a_closed_address_opens_none_of_them(caller, served):
    """nft(8) takes the elements within an interval out of the set and puts the whole of it in: on both sides of it and across two of them."""
    routes = [["route", "{}", "local", "172.17.0.0/16", "dev", "lo"], ["route", "{}", "local", "172.16.0.0/12", "dev", "lo"],
              ["-6", "route", "{}", "local", "2001:db8:1::2/127", "dev", "lo"]]
    probes = ["172.17.0.1", "172.17.255.255", "172.16.0.1", "172.31.255.255", lab.HOST6, "2001:db8:1::3", lab.METADATA]
    launch = asking(caller, *probes)
    for words in routes:
        lab.ip(*(word.format("add") for word in words))
    try:
        go(launch)
        assert launch.stdout.readline() == b"ConnectionRefusedError " * len(probes) + b"here\n"
    finally:
        for words in routes:
            lab.ip(*(word.format("del") for word in words))
    out, _ = launch.communicate(b"go\n", timeout=patient(30))
    assert launch.returncode == 0, out


def test_many_in_one_moment(caller, served):
    addresses = [f"10.78.{number // 200}.{number % 200 + 1}" for number in range(100)]
    launch = asking(caller, addresses[0], addresses[50], addresses[-1])
    with given(*(f"{address}/32" for address in addresses)):
        go(launch)
        assert launch.stdout.readline() == b"ConnectionRefusedError ConnectionRefusedError ConnectionRefusedError here\n"
        launch.communicate(b"go\n", timeout=patient(30))


#: nft(8), until a file is there; the launcher holds the script open from its start.
UNTIL = """[ -e {0}/over ] && {{ echo no more >&2; exit 1; }}
exec {0}/real "$@"
"""


def test_where_they_cannot_be_closed_the_jail_ends(caller, served):
    with covered("nft", UNTIL, caller) as place:
        launch = asking(caller, FOUR)
        (place / "over").touch()
        with given(f"{FOUR}/24"):
            _, err = launch.communicate(timeout=patient(10))
    assert launch.returncode == 137 and b"nft ended: no more; jail killed" in err, err


def test_a_list_says_itself_what_is_open(caller, served):
    launch = asking(caller, spec=USER + f'allow = ["{lab.GOOD}:80"]\n')
    with given(f"{FOUR}/24"):
        out, _ = launch.communicate(b"go\ngo\n", timeout=patient(30))
    assert out.split() == [b"here"] and launch.returncode == 0
