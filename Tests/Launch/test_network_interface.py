"""A network by an interface of the jail's own (root), in a closed lab: what is reached, and that nothing of it stays (N09, N10)."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import lab, linux, names
from harness.caller import PYTHON
from harness.hints import as_root, gone, told
from harness.must import needs
from harness.patience import patient, until

VETH = '[network]\nmode = "veth"\n'
ON_H0 = '[network]\nmode = "macvlan"\nparent = "h0"\naddress = ["10.50.0.77/24", "2001:db8:1::77/64"]\n'
MACVLAN = ON_H0 + f'gateway = "{lab.GATEWAY}"\n'
BRIDGE = f'[network]\nmode = "veth"\nparent = "br0"\naddress = ["172.17.0.77/16"]\ngateway = "{lab.BRIDGE}"\n'
INSIDE = [f"tcp,{lab.GOOD},80", f"udp,{lab.GOOD},5000"]
OUTSIDE = [f"tcp,{lab.EVIL},80", f"udp,{lab.EVIL},5000"]
SERVICES = INSIDE + OUTSIDE + [f"tcp,{lab.GOOD6},80", f"tcp,{lab.METADATA},80", f"tcp,{lab.GATEWAY},80", f"dns,{lab.RESOLVER},53"]
#: All that the host has, at each of its addresses, and what is at its link.
OF_THE_HOST = [
    f"tcp,{lab.METADATA},80", f"tcp,{lab.GATEWAY},80", f"tcp,{lab.BRIDGE},2375", f"udp,{lab.BRIDGE},7778",
    f"tcp,{lab.HOST},7777", "tcp,127.0.0.1,8888", "udp,127.0.0.1,8889",
]
ON_THE_HOST = ["tcp,127.0.0.1,8888", "udp,127.0.0.1,8889", f"tcp,{lab.BRIDGE},2375", f"udp,{lab.BRIDGE},7778", "tcp,0.0.0.0,7777"]
REFUSED = {"ECONNREFUSED", "EPERM", "EHOSTUNREACH", "EACCES", "ENETUNREACH"}
SERVE = """
import socket
s = socket.create_server(("127.0.0.1", 8000))
print("up", flush=True)
while True: s.accept()[0].sendall(b"here")
"""
SYSCTL = Path("/proc/sys/net/ipv4/ip_forward")


@pytest.fixture(scope="module")
def network():
    with lab.standing("nft", resolver=f"search test\nnameserver {lab.RESOLVER}\n"):
        names.up()
        # What comes back to the neighbours of macvlan and to the bridge.
        lab.ip("route", "add", "172.17.0.0/16", "via", lab.HOST, inside=True)
        SYSCTL.write_text("1")
        yield
        SYSCTL.write_text("0")


@pytest.fixture
def internet(network):
    with lab.serving(*SERVICES), lab.serving(*ON_THE_HOST, inside=False):
        yield


def reached(caller, spec, probes):
    run = caller.run(spec, *PYTHON, lab.PROBE, *probes, timeout=60)
    assert run.status == 0, run
    return dict(line.split(" ", 1) for line in run.stdout.splitlines()), run


def left():
    """What of a jail is on the host: interfaces, tables of rules, processes of nft."""
    links = [link["ifname"] for link in json.loads(subprocess.run(["ip", "-j", "link"], capture_output=True, check=True).stdout)]
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    return [link for link in links if link.startswith("immure")] + tables.split("\n")[:-1]


@pytest.mark.parametrize("spec", [VETH, VETH + 'address = ["10.9.0.2/24"]\n', MACVLAN, BRIDGE], ids=["veth", "address", "macvlan", "bridge"])
def test_the_internet_is_reached_and_the_host_is_not(root, internet, spec):
    answers, run = reached(root, spec, INSIDE + OUTSIDE)
    assert set(answers.values()) == {"here"}, answers
    assert run.stderr == ""
    answers, _ = reached(root, spec, OF_THE_HOST)
    assert set(answers.values()) <= REFUSED, answers
    until(lambda: left() == [], within=20)  # the kernel takes namespaces down one by one


@pytest.mark.parametrize("spec", [VETH, BRIDGE], ids=["veth", "bridge"])
@pytest.mark.parametrize("end", ["exit 7", "kill -9 $$", "SIGTERM"])
def test_the_pair_is_gone_when_the_launch_has_ended(root, network, spec, end):
    """Not some time later, when the kernel comes to it."""
    script = end if " " in end else "exec sleep 1000"
    before = set(socket.if_nameindex())
    launch = root.start(spec, "sh", "-c", f"echo up; read line; {script}", stdin=subprocess.PIPE)
    assert launch.stdout.readline() == b"up\n"
    (pair,) = set(socket.if_nameindex()) - before
    launch.stdin.write(b"go\n")
    launch.stdin.flush()
    if end == "SIGTERM":
        launch.send_signal(signal.SIGTERM)
    run = root.finish(launch)
    assert run.status == {"exit 7": 7, "kill -9 $$": 137, "SIGTERM": 143}[end], run
    assert pair not in socket.if_nameindex()


@pytest.mark.parametrize("allow", ["", 'allow = ["0.0.0.0/0"]\n'], ids=["all", "range"])
def test_the_hosts_end_of_the_pair_is_not_reached(root, internet, allow):
    spec = VETH + 'address = ["10.9.0.2/24"]\ngateway = "10.9.0.1"\n' + allow
    answers, _ = reached(root, spec, ["tcp,10.9.0.1,7777", "tcp,10.9.0.2,7777"])
    assert set(answers.values()) <= REFUSED, answers


@pytest.mark.parametrize("allow", ["", 'allow = ["0.0.0.0/0"]\n'], ids=["all", "range"])
def test_an_address_that_the_host_gets_later_is_not_reached(root, internet, allow):
    """The rules of the jail know those of its start; the host's end refuses what comes to the host at whatever address."""
    script = f"read line; exec /usr/bin/python3 -I -S -c '{lab.PROBE}' tcp,10.77.0.1,7777"
    launch = root.start(VETH + allow, "sh", "-c", "echo up; " + script, stdin=subprocess.PIPE)
    assert launch.stdout.readline() == b"up\n"
    lab.ip("addr", "add", "10.77.0.1/32", "dev", "lo")
    try:
        run = root.finish(launch, stdin=b"go\n", timeout=30)
    finally:
        lab.ip("addr", "del", "10.77.0.1/32", "dev", "lo")
    assert run.stdout.split()[-1] in REFUSED, run


@pytest.mark.parametrize("spec", [VETH, MACVLAN, BRIDGE], ids=["veth", "macvlan", "bridge"])
def test_the_list_is_all_that_is_reached(root, internet, spec):
    answers, run = reached(root, spec + f'allow = ["{lab.GOOD}:80/tcp", "{lab.GOOD}:5000/udp"]\n', INSIDE + OUTSIDE + OF_THE_HOST)
    assert {answers.pop(one) for one in INSIDE} == {"here"}
    assert set(answers.values()) <= REFUSED, answers
    assert f"network: {lab.EVIL}:80/tcp refused 1 time" in run.stderr, run


def test_the_host_where_the_list_has_it(root, internet):
    answers, _ = reached(root, VETH + f'allow = ["{lab.HOST}:7777"]\n', [f"tcp,{lab.HOST},7777", f"tcp,{lab.BRIDGE},2375"])
    assert answers == {f"tcp,{lab.HOST},7777": "here", f"tcp,{lab.BRIDGE},2375": "ECONNREFUSED"}


@pytest.mark.parametrize("spec", [VETH, MACVLAN, BRIDGE], ids=["veth", "macvlan", "bridge"])
def test_a_range_of_the_list_does_not_open_the_host(root, internet, spec):
    answers, _ = reached(root, spec + 'allow = ["0.0.0.0/0"]\n', INSIDE + [one for one in OF_THE_HOST if lab.GATEWAY not in one])
    assert {answers.pop(one) for one in INSIDE} == {"here"}
    assert set(answers.values()) <= REFUSED, answers


def test_names_are_asked_of_the_hosts_server(root, internet):
    assert lab.GOOD in root.run(VETH, "getent", "hosts", "good.test").ok.stdout


@pytest.mark.parametrize("spec", [VETH, MACVLAN, BRIDGE], ids=["veth", "macvlan", "bridge"])
def test_names_of_the_list_are_answered_and_reached_and_no_others(root, network, spec):
    spec += 'allow = ["good.test:80", "*.good.test:80"]\n'
    with lab.serving("tcp,0.0.0.0,80"), names.serving() as zone, lab.serving("tcp,0.0.0.0,80", inside=False):
        zone["home.good.test"] = {"A": [[lab.HOST, 5], [lab.GATEWAY, 5], [lab.METADATA, 5]]}
        code = f"""
before = reach("{names.GOOD}", 80)
print(json.dumps([before, ask("good.test"), reach("{names.GOOD}", 80), reach("{names.GOOD}", 443), ask("evil.test"), reach("{names.EVIL}", 80),
    ask("home.good.test"), reach("{lab.HOST}", 80), ask("good.test", server="{lab.RESOLVER}", seconds=1)[0]]))
"""
        run = root.run(spec, *PYTHON, names.ASK + code, timeout=60)
        refused = "ConnectionRefusedError"
        assert run.status == 0, run
        assert json.loads(run.stdout) == [
            refused, [0, [names.GOOD]], "here", refused, [5, []], refused, [0, []], refused, "PermissionError"], run
        assert '"evil.test" refused 1 time (allow, ' in run.stderr
        assert not any("evil" in line for line in zone.asked)
    until(lambda: left() == [], within=20)  # the kernel takes namespaces down one by one


def test_a_name_does_not_lead_to_the_hosts_end_of_the_pair(root, network):
    """Whatever its address is: here one that would be of the internet."""
    spec = VETH + 'address = ["198.51.100.2/24"]\ngateway = "198.51.100.1"\nallow = ["good.test:7777"]\n'
    with lab.serving("tcp,0.0.0.0,7777", inside=False), names.serving() as zone:
        zone["good.test"] = {"A": [["198.51.100.1", 5]]}
        run = root.run(spec, *PYTHON, names.ASK + 'print(json.dumps([ask("good.test"), reach("198.51.100.1", 7777)]))', timeout=30)
    assert run.status == 0 and json.loads(run.stdout) == [[0, []], "ConnectionRefusedError"], run


def test_ipv6_of_macvlan(root, internet):
    spec = ON_H0 + 'gateway = "2001:db8:1::1"\n'
    answers, _ = reached(root, spec, [f"tcp,{lab.GOOD6},80"])
    assert answers == {f"tcp,{lab.GOOD6},80": "here"}


def test_two_at_once_do_not_reach_each_other(root, internet):
    listening = "import socket; s = socket.create_server(('0.0.0.0', 9000)); print(socket.gethostbyname('localhost'), flush=True); s.accept()"
    address = "import fcntl, socket, struct; s = socket.socket(); print(socket.inet_ntoa(fcntl.ioctl(s, 0x8915, struct.pack('256s', b'eth0'))[20:24]), flush=True);"
    first = root.start(VETH, *PYTHON, address + listening)
    inner = first.stdout.readline().decode().strip()
    assert first.stdout.readline()
    try:
        answers, _ = reached(root, VETH, [f"tcp,{inner},9000", f"tcp,{lab.GOOD},80"])
        assert answers[f"tcp,{lab.GOOD},80"] == "here" and answers[f"tcp,{inner},9000"] in REFUSED, answers
    finally:
        first.kill()
        first.communicate(timeout=patient(10))
    until(lambda: left() == [], within=20)  # the kernel takes namespaces down one by one


def test_a_port_is_published(root, network):
    spec = VETH + 'publish = ["8080:8000"]\n'
    serve = "import socket; s = socket.create_server(('0.0.0.0', 8000)); print('up', flush=True); c, _ = s.accept(); c.sendall(b'here')"
    launch = root.start(spec, *PYTHON, serve)
    assert launch.stdout.readline() == b"up\n"
    import socket

    with socket.create_connection(("127.0.0.1", 8080), patient(5)) as s:
        assert s.recv(10) == b"here"
    assert root.finish(launch).status == 0


# Ends


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_stays_whatever_ends_the_launcher(root, network, end):
    for _ in range(5):
        launch = root.start(VETH, "sh", "-c", "echo up; exec sleep 100")
        assert launch.stdout.readline() == b"up\n"
        assert len(left()) == 2, left()
        launch.send_signal(end)
        launch.communicate(timeout=patient(10))
        until(lambda: left() == [], within=20)  # the kernel takes namespaces down one by one


def test_nothing_stays_of_a_launcher_killed_on_its_way(root, network):
    for number in range(40):
        launch = root.start(VETH, "/bin/true")
        time.sleep(number / 1000)
        launch.kill()
        launch.communicate(timeout=patient(10))
    until(lambda: left() == [], within=10)


def test_an_interface_of_somebody_else_s_with_the_number_of_the_pair_stays(root, network):
    """The pair may go before the jail does, and its number is then anybody's to take."""
    before = set(socket.if_nameindex())
    launch = root.start(VETH, "sh", "-c", "echo up; read line", stdin=subprocess.PIPE)
    assert launch.stdout.readline() == b"up\n"
    ((index, name),) = set(socket.if_nameindex()) - before
    lab.ip("link", "del", name)
    lab.ip("link", "add", "stranger", "index", str(index), "type", "veth", "peer", "name", "strange")
    try:
        assert (index, "stranger") in socket.if_nameindex()
        root.finish(launch, stdin=b"go\n", timeout=30)
        assert (index, "stranger") in socket.if_nameindex()
    finally:
        if "stranger" in [name for _, name in socket.if_nameindex()]:
            lab.ip("link", "del", "stranger")


def test_the_jail_ends_with_its_rules(root, network):
    launch = root.start(VETH, "sh", "-c", "echo up; exec sleep 100")
    assert launch.stdout.readline() == b"up\n"
    (nft,) = [pid for pid in linux.descendants(launch.pid) if "--interactive" in (linux.seen(pid, "cmdline") or "")]
    os.kill(nft, signal.SIGKILL)
    run = root.finish(launch)
    assert run.status == 137 and "nft ended: SIGKILL; jail killed" in run.stderr, run
    until(lambda: left() == [], within=20)  # the kernel takes namespaces down one by one


# Why not


@pytest.mark.parametrize("mode", ["veth", "macvlan", "ipvlan"])
def test_an_ordinary_user_is_shown_the_way(user, network, mode):
    needs(subprocess.run(["which", "pasta"], capture_output=True).returncode == 0, "pasta")
    more = 'parent = "h0"\naddress = ["10.50.0.77/24"]\n' if mode != "veth" else ""
    refused = user.run(f'[network]\nmode = "{mode}"\n{more}', "/bin/echo", "ran")
    assert refused.status == 125 and refused.stdout == "" and "which only root may" in refused.stderr, refused
    told(refused, 'network.mode = "user", or {}')
    gone(user.run('[network]\nmode = "user"\n', "/bin/true"))


def test_a_host_that_does_not_forward(root, network):
    SYSCTL.write_text("0")
    try:
        refused = root.run(VETH, "/bin/echo", "ran")
        assert refused.status == 125 and refused.stdout == "", refused
        assert re.search("as root: sysctl net.ipv4.ip_forward=1", refused.stderr), refused
    finally:
        subprocess.run(["sysctl", "-q", "net.ipv4.ip_forward=1"], check=True)
    gone(root.run(VETH, "/bin/true"))


DROP = """table ip filter {
    chain OTHER { %s; }
    chain FORWARD { type filter hook forward priority 0; policy drop; %s; }
}"""
#: What a host's rules are where containers, or a firewall of zones, have made them.
FIREWALLS = {
    "policy": DROP % ("", ""),
    "containers": DROP % (
        'counter return comment "accept"',
        'counter jump OTHER; oifname "docker0" ct state related,established accept; iifname "docker0" oifname != "docker0" accept'),
    "zones": """table inet firewalld {
        chain of_h0 { icmp type echo-request accept; }
        chain of_others { meta l4proto icmp accept; }
        chain zones { iifname "h0" goto of_h0; goto of_others; }
        chain forward {
            type filter hook forward priority 10; policy accept;
            ct state { established, related } accept; ct status dnat accept; iifname "lo" accept; jump zones; ct state invalid drop
            reject with icmpx admin-prohibited
        }
    }""",
    "one way": DROP % ("", 'iifname "immure*" accept'),
}


@contextmanager
def firewall(rules):
    """Rules of the host's own while the block runs, in the run's own network."""
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "flush", "ruleset"], check=True)


@pytest.mark.parametrize("rules", FIREWALLS.values(), ids=FIREWALLS)
def test_a_host_whose_rules_let_nothing_through(root, internet, rules):
    words = "as root: nft '{}'"
    with firewall(rules):
        refused = root.run(VETH, "/bin/echo", "ran")
        assert "its own rules, chain " in refused.stderr and "let nothing through" in refused.stderr, refused
        hint = told(refused, words, 'insert rule {} {} "immure*" accept')
        doctor = root.verb("doctor").stdout
        assert f"remedy: {hint}\n" in doctor and "let nothing of a jail's interface through" in doctor
        subprocess.run(["sh", "-c", as_root(hint)], check=True)
        answers, run = reached(root, VETH, INSIDE)
        assert set(answers.values()) == {"here"} and run.stderr == "", run
        assert "let nothing" not in root.verb("doctor").stdout
    until(lambda: left() == [], within=20)  # the kernel takes namespaces down one by one


def legacy(*words):
    subprocess.run(["iptables-legacy", *words], check=True)


@pytest.fixture
def older(internet):
    """The kernel's older tables, of which nft(8) shows nothing; as Docker leaves them."""
    needs(shutil.which("iptables-legacy") is not None, "iptables-legacy(8)")
    legacy("-P", "FORWARD", "DROP")
    legacy("-A", "FORWARD", "-i", "docker0", "-j", "ACCEPT")
    legacy("-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT")
    yield
    legacy("-P", "FORWARD", "ACCEPT")
    legacy("-F", "FORWARD")


def test_a_host_whose_older_tables_let_nothing_through(root, older):
    refused = root.run(VETH, "/bin/echo", "ran")
    assert "its own rules, chain FORWARD of iptables-legacy, let nothing through" in refused.stderr, refused
    hint = told(refused, "as root: iptables-legacy -I {} -i immure+ -j ACCEPT && iptables-legacy -I {} -o immure+ -j ACCEPT")
    assert f"remedy: {hint}\n" in root.verb("doctor").stdout
    subprocess.run(["sh", "-c", as_root(hint)], check=True)
    answers, run = reached(root, VETH, INSIDE)
    assert set(answers.values()) == {"here"} and run.stderr == "", run


def test_published_ports_of_a_host_with_older_tables(root, older):
    """They are carried by a process: nothing is forwarded."""
    legacy("-P", "INPUT", "DROP")
    legacy("-A", "INPUT", "-i", "lo", "-j", "ACCEPT")
    try:
        launch = root.start('[network]\npublish = ["127.0.0.1:8080:8000"]\n', *PYTHON, SERVE)
        assert launch.stdout.readline() == b"up\n"
        with socket.create_connection(("127.0.0.1", 8080), patient(5)) as connection:
            assert connection.recv(10) == b"here"
        launch.kill()
        launch.communicate(timeout=patient(5))
    finally:
        legacy("-P", "INPUT", "ACCEPT")
        legacy("-F", "INPUT")


@pytest.mark.parametrize("rule", ["ip saddr 10.128.0.0/9 accept; ct state established accept", "accept", "jump OTHER"])
def test_a_host_whose_rules_let_some_through(root, internet, rule):
    with firewall(DROP % ("ct state vmap { established : accept, related : accept }; oifname h0 tcp dport 80 accept", rule)):
        answers, run = reached(root, VETH, INSIDE[:1])
        assert set(answers.values()) == {"here"} and run.stderr == "", run


def test_the_hosts_rules_are_nothing_to_other_networks(root, internet):
    """Its forward chain is asked only for a pair of the jail's own."""
    with firewall(DROP % ("", "")):
        answers, run = reached(root, MACVLAN, INSIDE)
        assert set(answers.values()) == {"here"} and run.stderr == "", run


def test_a_bridge_of_a_host_whose_rules_let_nothing_through(root, internet):
    """What is on the bridge is there all the same: the launch goes on, and says why the rest is not."""
    probes = [*INSIDE[:1], f"tcp,{lab.BRIDGE},2375"]
    words = "network.gateway is this host, which lets nothing of what comes from br0 through: its own rules, chain ip filter FORWARD"
    allowed = BRIDGE + f'allow = ["{lab.BRIDGE}:2375", "{lab.GOOD}:80"]\n'
    with firewall(DROP % ("", "")):
        run = root.run(allowed, *PYTHON, lab.BRIEF_PROBE, *probes, timeout=60)
        assert words in run.stderr and "spec.toml:5" in run.stderr, run
        assert run.stdout.splitlines()[1] == f"{probes[1]} here" and " here" not in run.stdout.splitlines()[0], run
    with firewall(DROP % ("", 'iifname "br0" accept; oifname "br0" accept')):
        run = root.run(allowed, *PYTHON, lab.PROBE, *probes, timeout=60)
        assert words not in run.stderr and [line.split()[1] for line in run.stdout.splitlines()] == ["here", "here"], run
    until(lambda: left() == [], within=20)  # the kernel takes namespaces down one by one


def test_a_bridge_of_a_host_that_does_not_forward(root, network):
    SYSCTL.write_text("0")
    try:
        run = root.run(BRIDGE, "/bin/true")
    finally:
        SYSCTL.write_text("1")
    assert run.status == 0 and "network.gateway is this host, which does not forward what comes from br0: net.ipv4.ip_forward is 0" in run.stderr, run
    # A gateway that is another machine's is no matter of this host's.
    assert "network.gateway" not in root.run(MACVLAN, "/bin/true").ok.stderr


def test_ipv6_of_a_pair(root, network):
    refused = root.run(VETH + 'address = ["2001:db8:9::2/64"]\n', "/bin/true")
    assert refused.status == 125, refused
    told(refused, "network.parent names a bridge that has IPv6")
    gone(root.run('[network]\nmode = "veth"\nparent = "br0"\naddress = ["2001:db8:9::2/64"]\n', "/bin/true"))


def test_no_such_interface(root, network):
    refused = root.run(MACVLAN.replace("h0", "h9"), "/bin/true")
    assert refused.status == 125 and "this host has no interface h9" in refused.stderr, refused
    told(refused, "`ip -br link` shows which it has")
    shown = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
    assert "h0" in shown and "h9" not in shown
    gone(root.run(MACVLAN, "/bin/true"))


def test_no_bridge(root, network):
    refused = root.run(BRIDGE.replace("br0", "h0"), "/bin/true")
    assert refused.status == 125 and "h0 is not a bridge" in refused.stderr, refused
    told(refused, "`ip -br link show type bridge` shows which are")
    assert "br0" in subprocess.run(["ip", "-br", "link", "show", "type", "bridge"], capture_output=True, text=True, check=True).stdout
    gone(root.run(BRIDGE, "/bin/true"))
    until(lambda: left() == [], within=20)  # the kernel takes namespaces down one by one


def test_ipvlan(root, internet):
    """Where this kernel has it."""
    spec = MACVLAN.replace("macvlan", "ipvlan")
    run = root.run(spec, *PYTHON, lab.PROBE, f"tcp,{lab.GOOD},80", f"tcp,{lab.METADATA},80", timeout=30)
    if "this kernel has no ipvlan" in run.stderr:
        assert run.status == 125 and run.stdout == "" and "as root: modprobe ipvlan" in run.stderr, run
        return
    assert run.stdout.split()[1::2] == ["here", "ECONNREFUSED"], run


def test_a_stub_resolver_of_the_host(root, network):
    before = Path("/etc/resolv.conf").read_text()
    Path("/etc/resolv.conf").write_text("nameserver 127.0.0.53\n")
    try:
        refused = root.run(VETH, "/bin/true")
        assert refused.status == 125 and "answers at its own loopback" in refused.stderr, refused
        told(refused, 'network.dns = ["10.0.0.53"] names one')
        gone(root.run(VETH + 'dns = ["10.55.0.53"]\n', "/bin/true"))
    finally:
        Path("/etc/resolv.conf").write_text(before)


def test_what_the_plan_says(root, network):
    text = root.verb("plan", str(root.spec(MACVLAN)), "--", "true").ok.stdout
    assert "make an interface of macvlan on h0 for the jail's network" in text
    assert "make a pair of interfaces for the jail's network" in root.verb("plan", str(root.spec(VETH)), "--", "true").ok.stdout
