"""A network of the jail's own that leads out, in a closed lab: what is reached, and what the rules keep out of reach."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness import lab, linux
from harness.caller import PYTHON
from harness.patience import patient, until
from test_boot import boot  # noqa: F401

USER = '[network]\nmode = "user"\n'
INSIDE = [f"tcp,{lab.GOOD},80", f"udp,{lab.GOOD},5000", f"tcp,{lab.GOOD6},80"]
OUTSIDE = [f"tcp,{lab.EVIL},80", f"udp,{lab.EVIL},5000", f"tcp,{lab.EVIL6},80", f"tcp,{lab.GOOD},443"]
SERVICES = INSIDE + OUTSIDE + [f"tcp,{lab.METADATA},80", f"tcp,{lab.GATEWAY},80", f"dns,{lab.RESOLVER},53"]
OF_THE_HOST = [
    f"tcp,{lab.METADATA},80", f"tcp,{lab.GATEWAY},80", f"tcp,{lab.BRIDGE},2375", f"udp,{lab.BRIDGE},7778",
    f"tcp,{lab.HOST},7777", "tcp,127.0.0.1,8888", "udp,127.0.0.1,8889",
]
ON_THE_HOST = ["tcp,127.0.0.1,8888", "udp,127.0.0.1,8889", f"tcp,{lab.BRIDGE},2375", f"udp,{lab.BRIDGE},7778", "tcp,0.0.0.0,7777"]


@pytest.fixture(scope="module")
def network():
    with lab.standing("pasta", "slirp4netns", "nft", resolver=f"search test\nnameserver {lab.RESOLVER}\n"):
        yield


@pytest.fixture
def internet(network):
    with lab.serving(*SERVICES):
        yield


@pytest.fixture
def slirp(network, base):
    """A host where pasta is not installed."""
    place = Path(tempfile.mkdtemp(dir=base))
    (place / "upper").mkdir()
    (place / "work").mkdir()
    os.mknod(place / "upper/pasta", 0o020000, 0)
    linux.mount("overlay", "/usr/bin", "overlay", data=f"lowerdir=/usr/bin,upperdir={place}/upper,workdir={place}/work")
    yield
    linux.umount("/usr/bin")


#: apt with nothing of the host's: one list, from that address.
APT = """
mkdir -p /tmp/apt/lists/partial /tmp/apt/cache/archives/partial && cd /tmp/apt && : >status &&
echo 'deb [trusted=yes] http://{}/deb ./' >sources &&
apt-get -qq -o Dir::Etc::SourceList=/tmp/apt/sources -o Dir::Etc::SourceParts=- -o Dir::State::Lists=/tmp/apt/lists -o Dir::Cache=/tmp/apt/cache \\
    -o Dir::State::status=/tmp/apt/status -o APT::Sandbox::User= -o Acquire::Retries=0 -o Acquire::GzipIndexes=false update &&
cat lists/*Packages
"""


def reached(caller, spec, probes):
    run = caller.run(spec, *PYTHON, lab.PROBE, *probes, timeout=30)
    assert run.status == 0, run
    return dict(line.split(" ", 1) for line in run.stdout.splitlines()), run


def test_the_internet_is_reached(caller, internet):
    answers, run = reached(caller, USER, INSIDE + OUTSIDE)
    assert set(answers.values()) == {"here"}, answers
    assert run.stderr == ""


def test_the_host_and_its_link_are_not_reached(caller, internet):
    with lab.serving(*ON_THE_HOST, inside=False):
        answers, _ = reached(caller, USER, OF_THE_HOST)
    assert set(answers.values()) <= {"ECONNREFUSED", "EPERM"}, answers


def test_an_address_of_the_hosts_loopback_and_a_group_lead_to_nothing_of_it(caller, internet):
    """The loopback interface may have addresses of any kind; what is sent to a group comes from the host, where others listen."""
    probes = ["tcp,10.77.0.1,7779", "udp,10.77.0.1,7780", "tcp,2001:db8:77::1,7779", "udp,224.0.0.1,7780", "udp,255.255.255.255,7780"]
    lab.ip("addr", "add", "10.77.0.1/32", "dev", "lo")
    lab.ip("-6", "addr", "add", "2001:db8:77::1/128", "dev", "lo")
    try:
        with lab.serving("tcp,0.0.0.0,7779", "tcp,2001:db8:77::1,7779", "udp,0.0.0.0,7780", inside=False):
            answers, _ = reached(caller, USER, probes)
    finally:
        lab.ip("addr", "del", "10.77.0.1/32", "dev", "lo")
        lab.ip("-6", "addr", "del", "2001:db8:77::1/128", "dev", "lo")
    assert set(answers.values()) <= {"ECONNREFUSED", "EPERM", "EACCES"}, answers


@pytest.fixture
def own_routes(network):
    """The host takes more for its own than its interfaces have addresses, ip-route(8)."""
    routes = [["route", "{}", "local", "10.79.0.0/16", "dev", "lo"], ["-6", "route", "{}", "local", "2001:db8:79::/64", "dev", "lo"],
              # Of a transparent proxy, for marked packets: nothing is the host's by it.
              ["route", "{}", "local", "default", "dev", "lo", "table", "100"]]
    for words in routes:
        lab.ip(*(word.format("add") for word in words))
    yield
    for words in routes:
        lab.ip(*(word.format("del") for word in words))


EVERYWHERE = 'allow = ["0.0.0.0/0", "::/0"]\n'


@pytest.mark.parametrize("allow", ["", EVERYWHERE], ids=["all", "ranges"])
def test_what_the_host_takes_for_its_own_by_a_route_is_not_reached(caller, internet, own_routes, allow):
    probes = ["tcp,10.79.3.4,7779", "udp,10.79.3.4,7780", "tcp,2001:db8:79::5,7779"]
    with lab.serving("tcp,0.0.0.0,7779", "tcp,::,7779", "udp,0.0.0.0,7780", inside=False):
        answers, _ = reached(caller, USER + allow, [*probes, INSIDE[0]])
    assert answers.pop(INSIDE[0]) == "here", answers
    assert set(answers.values()) <= {"ECONNREFUSED", "EPERM"}, answers


def test_a_range_opens_neither_the_host_nor_its_link(caller, internet):
    """Unless an entry names them; the host's gateway is another machine, and its server of names is asked."""
    gateway = f"tcp,{lab.GATEWAY},80"
    with lab.serving(*ON_THE_HOST, inside=False):
        answers, run = reached(caller, USER + EVERYWHERE, OF_THE_HOST + INSIDE + OUTSIDE)
        assert {answers.pop(one) for one in INSIDE + OUTSIDE + [gateway]} == {"here"}
        assert set(answers.values()) <= {"ECONNREFUSED", "EPERM"}, answers
        assert f"network: {lab.BRIDGE}:2375/tcp refused 1 time (closed unless network.allow names it itself)" in run.stderr, run
        link = EVERYWHERE.replace("]", ', "169.254.0.0/16", "fe80::/10"]')
        answers, run = reached(caller, USER + link, [f"tcp,{lab.METADATA},80"])
        assert set(answers.values()) <= {"ECONNREFUSED", "EPERM"}, answers
        assert f"network: {lab.METADATA}:80/tcp refused 1 time (closed unless network.allow names it itself)" in run.stderr, run
        named = EVERYWHERE.replace("]", f', "{lab.BRIDGE}:2375", "169.254.169.0/24"]')
        probes = [f"tcp,{lab.METADATA},80", f"tcp,{lab.BRIDGE},2375", f"udp,{lab.BRIDGE},7778"]
        answers, _ = reached(caller, USER + named, probes)
    assert answers.pop(probes[2]) in ("ECONNREFUSED", "EPERM") and set(answers.values()) == {"here"}, answers
    assert lab.GOOD in caller.run(USER + EVERYWHERE, "getent", "hosts", "good.test").ok.stdout


@pytest.fixture
def translated(network):
    """The internet of the lab answers at addresses of IPv6 that have others of IPv4 in them."""
    given = ["64:ff9b::a9fe:a9fe", "2001:db8:2:64::a9fe:a9fe", "2002:a9fe:a9fe::1", "64:ff9b::ac11:1",
             # Behind prefixes of a network's own: 64, 56, 48, 40 and 32 bits before the metadata address, the bridge's or the host's.
             "2001:db8:2:64:a9:fea9:fe00::", "2001:db8:2:ac:11:1::", "2001:db8:2:a9fe:a9:fe00::7", "2001:db8:a:3200:2::", "2001:db8:a9fe:a9fe::",
             "64:ff9b::a37:a"]
    for address in given:
        lab.ip("-6", "addr", "add", f"{address}/128", "dev", "lo", "nodad", inside=True)
    with lab.serving(*(f"tcp,{address},80" for address in given)):
        yield [f"tcp,{address},80" for address in given]
    for address in given:
        lab.ip("-6", "addr", "del", f"{address}/128", "dev", "lo", inside=True)


@pytest.mark.parametrize("allow", ["", 'allow = ["::/0"]\n'], ids=["all", "ranges"])
def test_what_translates_to_a_closed_address_is_not_reached(caller, translated, allow):
    answers, _ = reached(caller, USER + allow, translated)
    assert answers.pop(translated[-1]) == "here", answers
    assert set(answers.values()) <= {"ECONNREFUSED", "EPERM", "EACCES"}, answers
    named = allow.replace("]", ', "64:ff9b::a9fe:a9fe"]') or 'allow = ["64:ff9b::a9fe:a9fe"]\n'
    answers, _ = reached(caller, USER + named, translated[:2])
    assert answers.pop(translated[0]) == "here" and answers[translated[1]] != "here", answers


def test_the_hosts_own_address_is_the_host_where_it_is_named(caller, internet):
    """pasta gives the jail the host's addresses otherwise."""
    four, six, good = f"tcp,{lab.HOST},7777", f"tcp,{lab.HOST6},7777", INSIDE[0]
    others = [f"tcp,{lab.HOST},7776", f"tcp,{lab.BRIDGE},7777", f"tcp,{lab.HOST6},7776"]
    with lab.serving("tcp,0.0.0.0,7777", "tcp,::,7777", "tcp,0.0.0.0,7776", "tcp,::,7776", inside=False):
        for allow, open_ in (([f"{lab.HOST}:7777"], [four]), ([f"[{lab.HOST6}]:7777"], [six]), ([f"{lab.HOST}:7777", f"[{lab.HOST6}]:7777"], [four, six])):
            allow = ", ".join(f'"{entry}"' for entry in [*allow, f"{lab.GOOD}:80", f"[{lab.GOOD6}]:80"])
            answers, run = reached(caller, USER + f"allow = [{allow}]\n", [four, six, good, INSIDE[2], *others])
            assert {answers.pop(one) for one in [*open_, good, INSIDE[2]]} == {"here"}, (answers, run)
            assert "here" not in answers.values(), answers


#: Answers a connection once there is another.
LATE = f"""
import socket
def one(address, port):
    return socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
first, second = one("{lab.GOOD6}", 81), one("{lab.GOOD}", 82)
print("up", flush=True)
while True:
    asked, _ = first.accept()
    asked.recv(1)
    second.accept()[0].sendall(b"now")
    asked.sendall(b"here")
"""
#: Until the jail's link has an address that is not tentative (IFA_F_TENTATIVE), which is asked for in the second after the start.
ASKED_EARLY = f"""
import socket, sys, time
early = socket.create_connection(("{lab.GOOD6}", 81), float(sys.argv[1]))
early.send(b"x")
def settled():
    rows = [line.split() for line in open("/proc/net/if_inet6")]
    return any(row[3] == "20" and not int(row[4], 16) & 0x40 for row in rows)
while not settled(): time.sleep(0.01)
assert socket.create_connection(("{lab.GOOD}", 82), float(sys.argv[1])).recv(3) == b"now"
print(early.recv(4).decode())
"""


def test_an_answer_comes_to_who_asked_before_the_link_had_its_addresses(caller, network):
    """A pasta(1) that answers at the last source it has seen must not see the `::` from which addresses are asked for."""
    with lab.running(LATE):
        for allow in ("", f'allow = ["[{lab.GOOD6}]:81", "{lab.GOOD}:82"]\n'):
            assert caller.run(USER + allow, *PYTHON, ASKED_EARLY, str(patient(3)), timeout=30).ok.stdout == "here\n"


def test_a_server_of_names_at_the_hosts_own_address_is_asked(caller, network):
    before = Path("/etc/resolv.conf").read_text()
    Path("/etc/resolv.conf").write_text(f"nameserver {lab.HOST}\n")
    try:
        with lab.serving(f"dns,{lab.HOST},53", inside=False):
            for allow in ("", EVERYWHERE):
                assert lab.GOOD in caller.run(USER + allow, "getent", "hosts", "good.test").ok.stdout
    finally:
        Path("/etc/resolv.conf").write_text(before)


def test_the_list_is_all_that_is_reached(caller, internet):
    allow = f'allow = ["{lab.GOOD}:80/tcp", "{lab.GOOD}:5000/udp", "[{lab.GOOD6}]:80"]\n'
    answers, run = reached(caller, USER + allow, INSIDE + OUTSIDE + [f"udp,{lab.RESOLVER},53"])
    assert {answers.pop(one) for one in INSIDE} == {"here"}
    assert set(answers.values()) <= {"ECONNREFUSED", "EPERM"}, answers
    for line in (f"network: {lab.EVIL}:80/tcp refused 1 time (allow, ", f"network: [{lab.EVIL6}]:80/tcp refused 1 time"):
        assert line in run.stderr, run
    assert "169.254.169.254" not in run.stderr and "192.0.2.1" not in run.stderr, "what immure asked for itself is not the command's"


def test_the_result_has_what_was_refused(caller, internet):
    result = caller.directory() / "result.json"
    run = caller.run(USER + "allow = []\n", *PYTHON, lab.PROBE, f"tcp,{lab.EVIL},80", options=["--result", str(result)])
    assert run.status == 0, run
    refused = json.loads(result.read_text())["refused_connections"]
    assert refused == [{"destination": f"{lab.EVIL}:80/tcp", "count": 1, "leads_to": None}]


def test_what_is_refused_without_a_list_is_told(caller, internet):
    """The host's own addresses and those of the link; what passes is not counted, nor what immure asks for itself."""
    result = caller.directory() / "result.json"
    probes = [f"tcp,{lab.METADATA},80", f"tcp,{lab.BRIDGE},2375", f"tcp,{lab.BRIDGE},2375", f"tcp,{lab.GOOD},80"]
    run = caller.run(USER, *PYTHON, lab.PROBE, *probes, options=["--result", str(result)], timeout=30)
    assert run.status == 0 and run.stdout.count("ECONNREFUSED") == 3, run
    for address, count in ((f"{lab.METADATA}:80", "1 time"), (f"{lab.BRIDGE}:2375", "2 times")):
        assert f"network: {address}/tcp refused {count} (closed unless network.allow names it)" in run.stderr, run
    assert run.stderr.count("refused") == 2, run
    told = {one["destination"]: one["count"] for one in json.loads(result.read_text())["refused_connections"]}
    assert told == {f"{lab.METADATA}:80/tcp": 1, f"{lab.BRIDGE}:2375/tcp": 2}
    opened = caller.run(USER + f'allow = ["{lab.METADATA}:80"]\n', *PYTHON, lab.PROBE, probes[0], timeout=30)
    assert opened.stdout.endswith(" here\n") and "refused" not in opened.stderr, opened


def test_without_pasta_slirp4netns_does_it(caller, internet, slirp):
    answers, _ = reached(caller, USER, [f"tcp,{lab.GOOD},80", f"udp,{lab.GOOD},5000", *OF_THE_HOST])
    assert [answers.pop(f"{kind},{lab.GOOD},{port}") for kind, port in (("tcp", 80), ("udp", 5000))] == ["here"] * 2
    assert set(answers.values()) <= {"ECONNREFUSED", "EPERM"}, answers


@pytest.mark.parametrize("end", [
    "exit 0", "echo no tunnel >&2; exec sleep 0.05",
    'for word; do case $word in --ready-fd=*) eval "echo 1 >&${word#*=}";; esac; done; exit 0',
    # Lives, and will never say it.
    'for word; do case $word in --ready-fd=*) eval "exec ${word#*=}>&-";; esac; done; exec sleep 1000',
])
def test_a_stack_that_ends_without_a_word_is_not_taken_for_ready(caller, network, slirp, end):
    """It closes the descriptor by which it would have told before anybody can see that it has ended."""
    Path("/usr/bin/slirp4netns").unlink()
    Path("/usr/bin/slirp4netns").write_text(f"#!/bin/bash\n{end}\n")
    Path("/usr/bin/slirp4netns").chmod(0o755)
    run = caller.run(USER, "echo", "ran")
    assert run.status == 125 and run.stdout == "" and "slirp4netns" in run.stderr, run


def test_with_neither_of_them_there_is_no_network(caller, network, slirp):
    Path("/usr/bin/slirp4netns").unlink()
    refused = caller.run(USER, "echo", "ran")
    assert refused.status == 125 and refused.stdout == "", refused
    assert "needs pasta(1) or slirp4netns(1), and neither is installed" in refused.stderr and "apt install passt" in refused.stderr, refused


def test_what_a_stack_says_that_cannot_start_is_passed_on(caller, network, slirp):
    Path("/usr/bin/pasta").write_text("#!/bin/sh\necho no tunnel for you >&2\nexit 1\n")
    Path("/usr/bin/pasta").chmod(0o755)
    refused = caller.run(USER, "echo", "ran")
    assert refused.status == 125 and refused.stdout == "" and "pasta" in refused.stderr and "no tunnel for you" in refused.stderr, refused


def test_what_nft_says_first_is_passed_on(caller, network):
    """Below it are the line that it means and a mark; and the reason is none of ids."""
    place = Path(tempfile.mkdtemp(dir=caller.base))
    (place / "nft").write_text("#!/bin/sh\nprintf 'Error: Operation not supported\\nadd table\\n^^^^^\\n' >&2\nexit 1\n")
    (place / "nft").chmod(0o755)
    linux.mount(str(place / "nft"), "/usr/sbin/nft", flags=linux.MS_BIND)
    try:
        refused = caller.run(USER, "echo", "ran")
    finally:
        linux.umount("/usr/sbin/nft")
    assert refused.status == 125 and refused.stdout == "" and "nft: Error: Operation not supported" in refused.stderr, refused
    assert "subuid" not in refused.stderr, refused


def test_a_host_without_ipv6(caller, internet):
    """What it has leads out all the same, and nobody waits for what it has not."""
    switch = Path("/proc/sys/net/ipv6/conf/h0/disable_ipv6")
    switch.write_text("1")
    try:
        answers, run = reached(caller, USER, [f"tcp,{lab.GOOD},80", f"tcp,{lab.GOOD6},80"])
    finally:
        switch.write_text("0")
        lab.ip("-6", "addr", "add", f"{lab.HOST6}/64", "dev", "h0", "nodad")
        lab.ip("-6", "route", "add", "default", "via", "2001:db8:1::1")
    assert answers[f"tcp,{lab.GOOD},80"] == "here" and answers[f"tcp,{lab.GOOD6},80"] in ("ENETUNREACH", "EADDRNOTAVAIL"), (answers, run)


def test_a_repository_is_cloned_and_a_list_of_packages_fetched(caller, network, base):
    """By git and by apt, over HTTP, from servers that a list names by their address; elsewhere both are refused."""
    place = Path(tempfile.mkdtemp(dir=base))
    place.chmod(0o755)
    for words in (["init", "-q", "w"], ["-C", "w", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "one"],
                  ["clone", "-q", "--bare", "w", "r.git"], ["-C", "r.git", "update-server-info"]):
        subprocess.run(["git", *words], cwd=place, check=True, env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]})
    (place / "deb").mkdir()
    (place / "deb/Packages").write_text("Package: demo\nVersion: 1\nArchitecture: all\nFilename: demo.deb\nSize: 1\n\n")
    front = ["ip", "netns", "exec", lab.INTERNET]
    server = subprocess.Popen([*front, sys.executable, "-m", "http.server", "80", "--bind", "0.0.0.0", "--directory", str(place)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    spec = USER + f'allow = ["{lab.GOOD}:80"]\n'
    try:
        until(lambda: subprocess.run([*front, "curl", "-s", f"http://{lab.GOOD}/"], stdout=subprocess.DEVNULL).returncode == 0)
        clone = "cd /tmp && git clone -q http://{}/r.git r && git -C r log --format=%s"
        run = caller.shell(spec, clone.format(lab.GOOD), timeout=30)
        assert run.status == 0 and run.stdout == "one\n", run
        run = caller.shell(spec, clone.format(lab.EVIL), timeout=30)
        assert run.status == 128 and f"{lab.EVIL}:80/tcp refused" in run.stderr, run
        run = caller.shell(spec, APT.format(lab.GOOD), timeout=60)
        assert run.status == 0 and "Package: demo" in run.stdout, run
        run = caller.shell(spec, APT.format(lab.EVIL), timeout=60)
        assert "Package: demo" not in run.stdout and f"{lab.EVIL}:80/tcp refused" in run.stderr, run
    finally:
        server.kill()
        server.wait()


def test_names_are_asked_of_the_hosts_server(caller, internet):
    run = caller.run(USER, "getent", "hosts", "good")
    assert run.status == 0 and lab.GOOD in run.stdout, run


@pytest.fixture
def stub(internet):
    """The host's own server of names, at its loopback."""
    before = Path("/etc/resolv.conf").read_text()
    Path("/etc/resolv.conf").write_text("nameserver 127.0.0.53\n")
    with lab.serving("dns,127.0.0.53,53", inside=False):
        yield
    Path("/etc/resolv.conf").write_text(before)


def test_a_stub_on_the_hosts_loopback_is_reached(caller, stub):
    run = caller.run(USER, "getent", "hosts", "good.test")
    assert run.status == 0 and lab.GOOD in run.stdout, run


def test_a_stub_that_answers_by_ipv6_alone_is_reached(caller, internet):
    before = Path("/etc/resolv.conf").read_text()
    Path("/etc/resolv.conf").write_text("nameserver ::1\n")
    try:
        # Another server has the port by IPv4, and is not asked.
        with lab.serving("dns,::1,53", "udp,127.0.0.1,53", inside=False):
            run = caller.run(USER, "getent", "hosts", "good.test")
    finally:
        Path("/etc/resolv.conf").write_text(before)
    assert run.status == 0 and lab.GOOD in run.stdout, run


def test_a_server_on_the_hosts_loopback_is_asked_where_no_key_names_it(caller, stub):
    """In the jail's resolv.conf it would be the jail's own loopback."""
    for server in ("127.0.0.53", "0.0.0.0", "::1", "::ffff:7f00:35"):
        refused = caller.run(USER + f'dns = ["{server}"]\n', "true")
        assert refused.status == 125 and f"{server} is the jail's own loopback, where no server is" in refused.stderr, refused
        assert "leave network.dns out: the host's own server is asked" in refused.stderr, refused
    assert lab.GOOD in caller.run(USER, "getent", "hosts", "good.test").ok.stdout


def test_dns_of_the_spec(caller, internet):
    run = caller.run(USER + 'dns = ["10.55.0.10", "2001:db8::5"]\n', "cat", "/etc/resolv.conf").ok
    assert run.stdout == "nameserver 10.55.0.10\nnameserver 2001:db8::5\nsearch test\n"


CHANGES = """
import json, socket, struct
def ask(protocol, kind, body, flags=5):
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    s.settimeout(30)
    s.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
    answer = s.recv(4096)
    return struct.unpack_from("=i", answer, 16)[0]
print(json.dumps({
    # RTM_SETLINK of loopback down, RTM_NEWLINK of a dummy, RTM_DELROUTE of all.
    "link": ask(0, 19, struct.pack("=BxHiII", 0, 0, 1, 0, 1)),
    "route": ask(0, 25, struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 0, 0, 1, 0)),
    # NFT_MSG_DELTABLE of all tables, in a batch of its own.
    "rules": ask(12, (10 << 8) | 2, struct.pack("=BBH", 1, 0, 0)),
}))
"""


@pytest.mark.parametrize("identity", ["", "[identity]\nuser = 0\n"])
def test_the_command_changes_nothing_of_its_network(caller, network, identity):
    if identity and not caller.is_root:
        pytest.skip("an ordinary user maps its own id only")
    answers = caller.python(USER + identity, CHANGES)
    assert answers["link"] == -1 and answers["route"] == -1 and answers["rules"] in (-1, -22), answers


def started(caller):
    launch = caller.start(USER, "sh", "-c", "echo up; exec sleep 100")
    assert launch.stdout.readline() == b"up\n"
    return launch, linux.server(launch.pid, "pasta")


def test_the_jail_ends_with_its_network(caller, network):
    launch, pasta = started(caller)
    os.kill(pasta, signal.SIGKILL)
    run = caller.finish(launch)
    assert run.status == 137 and "pasta ended" in run.stderr and "jail killed" in run.stderr, run


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_network_ends_with_the_launcher(caller, network, end):
    launch, pasta = started(caller)
    handle = os.pidfd_open(pasta)
    launch.send_signal(end)
    launch.communicate(timeout=patient(10))
    assert select.select([handle], [], [], patient(0.5))[0], "pasta is still there"
    os.close(handle)


def test_fifty_at_once(caller, internet):
    launches = [caller.start(USER, *PYTHON, lab.PROBE, f"tcp,{lab.GOOD},80") for _ in range(50)]
    for launch in launches:
        run = caller.finish(launch, timeout=60)
        assert run.status == 0 and run.stdout.endswith("here\n"), run


def test_what_the_plan_says(caller, network):
    text = caller.verb("plan", caller.spec(USER + f'allow = ["{lab.GOOD}:80"]\n'), "--", "true").stdout
    assert "provide_network" in text and "start pasta for the jail's network (1 destination allowed)" in text
    assert "await_network" in text and "IPv4,IPv6" in text


def test_the_tunnel_is_opened_as_the_hint_says(user, network):
    os.chmod("/dev/net/tun", 0o600)
    refused = user.run(USER, "true")
    assert refused.status == 125 and "/dev/net/tun, which this user cannot open: EACCES" in refused.stderr, refused
    command = re.search("as root: (chmod 666 /dev/net/tun)", refused.stderr)[1]
    subprocess.run(["sh", "-c", command], check=True)
    user.run(USER, "true").ok


def test_without_a_route_there_is_no_network_to_lead_to(caller, network):
    routes = (["route", "{}", "default", "via", lab.GATEWAY], ["-6", "route", "{}", "default", "via", "2001:db8:1::1"])
    for words in routes:
        lab.ip(*(word.format("del") for word in words))
    try:
        refused = caller.run(USER, "true")
        line = re.search('hint: (network.mode = "none") launches without a network', refused.stderr)
        assert refused.status == 125 and "no default route" in refused.stderr and line, refused
        caller.run(USER, "true", options=["--set", line[1]]).ok
    finally:
        for words in routes:
            lab.ip(*(word.format("add") for word in words))


@pytest.mark.parametrize("capability", ["net_admin", "net_raw"])
def test_a_capability_that_reaches_past_the_rules(caller, network, capability):
    refused = caller.run(USER + f'[capabilities]\nkeep = ["{capability}"]\n', "true")
    assert refused.status == 125 and f"take {capability} out of [capabilities]" in refused.stderr, refused
    caller.run(USER + "[capabilities]\nkeep = []\n", "true").ok


def test_an_init_gets_none_that_reaches_past_the_rules(caller, network, boot):  # noqa: F811
    run = caller.run(boot + '[network]\nmode = "user"\n', "/bin/grep", "CapEff", "/proc/self/status", timeout=30)
    assert run.status == 0, run
    held = int(run.stdout.split()[-1], 16)
    assert held >> 21 & 1 and not held >> 12 & 1 and not held >> 13 & 1  # sys_admin, net_admin, net_raw


def test_what_why_prints_opens_the_one_address(caller, internet):
    code = f"import socket, sys; socket.create_connection((sys.argv[1], 80), {patient(3)})"
    shut = caller.run(None, *PYTHON, code, lab.GOOD, options=["--why"])
    found = re.search(r"the jail's network \(connect, python3\): (network) = (.*)$", shut.stderr, re.M)
    assert shut.status == 1 and found, shut
    line = f"{found[1]}={found[2]}"
    assert line == f'network={{ mode = "user", allow = ["{lab.GOOD}:80"] }}'
    assert caller.run(None, *PYTHON, code, lab.GOOD, options=["--set", line], timeout=30).status == 0
    assert caller.run(None, *PYTHON, code, lab.EVIL, options=["--set", line], timeout=30).status == 1


def test_what_learn_writes_opens_the_addresses_that_were_seen(caller, internet):
    code = f"import socket, sys; socket.create_connection((sys.argv[1], 80), {patient(3)})"
    spec = caller.directory() / "s.toml"
    learned = caller.verb("learn", "-o", str(spec), "--", *PYTHON, code, lab.GOOD, cwd=caller.directory(), timeout=60)
    assert learned.status == 0 and "note: verified" in learned.stderr, learned
    text = spec.read_text()
    assert 'mode = "user"' in text and f'allow = ["{lab.GOOD}:80/tcp"]' in text, text
    assert caller.run(spec, *PYTHON, code, lab.EVIL, timeout=30).status == 1
