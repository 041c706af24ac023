"""A closed network for the tests: the session's own network namespace plays a host with two interfaces, another namespace plays the
internet. Nothing in it reaches the machine's network."""

import os
import shutil
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

import pytest

from . import linux
from .must import needs
from .patience import patient

INTERNET = "immure-internet"
GOOD, EVIL, RESOLVER = "10.55.0.10", "10.55.0.20", "10.55.0.53"
GOOD6, EVIL6 = "2001:db8:2::10", "2001:db8:2::20"
HOST, HOST6, GATEWAY, BRIDGE = "10.50.0.2", "2001:db8:1::2", "10.50.0.1", "172.17.0.1"
METADATA = "169.254.169.254"


def ip(*words, inside=False):
    subprocess.run(["ip", *(["-n", INTERNET] if inside else []), *words], check=True)


def up():
    """As root, in a network namespace of the run's own."""
    with open("/proc/net/dev") as lines:
        needs(len(lines.readlines()) == 3, "make a network: the namespace has interfaces already")
    Path("/run/netns").mkdir(exist_ok=True)
    linux.mount("tmpfs", "/run/netns", "tmpfs")
    Path("/dev/net").mkdir(exist_ok=True)
    # udev lets everybody open it.
    linux.mount("tmpfs", "/dev/net", "tmpfs", data="mode=0755")
    os.mknod("/dev/net/tun", 0o020666, os.makedev(10, 200))
    os.chmod("/dev/net/tun", 0o666)
    ip("netns", "add", INTERNET)
    # No time in which an address of the link is tentative, and who asks for it hears nothing: ip-sysctl, accept_dad.
    Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0")
    subprocess.run(["ip", "netns", "exec", INTERNET, "sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad"], check=True)
    ip("link", "add", "h0", "type", "veth", "peer", "name", "i0", "netns", INTERNET)
    ip("addr", "add", f"{HOST}/24", "dev", "h0")
    ip("-6", "addr", "add", f"{HOST6}/64", "dev", "h0", "nodad")
    ip("addr", "add", f"{GATEWAY}/24", "dev", "i0", inside=True)
    ip("-6", "addr", "add", "2001:db8:1::1/64", "dev", "i0", "nodad", inside=True)
    for number in (10, 20, 53):
        ip("addr", "add", f"10.55.0.{number}/32", "dev", "lo", inside=True)
        ip("-6", "addr", "add", f"2001:db8:2::{number}/128", "dev", "lo", inside=True)
    ip("addr", "add", f"{METADATA}/32", "dev", "lo", inside=True)
    for link in ("lo", "i0"):
        ip("link", "set", link, "up", inside=True)
    ip("link", "set", "h0", "up")
    ip("route", "add", "default", "via", GATEWAY)
    ip("-6", "route", "add", "default", "via", "2001:db8:1::1")
    # The host's other interface: a bridge of containers.
    ip("link", "add", "br0", "type", "bridge")
    ip("addr", "add", f"{BRIDGE}/16", "dev", "br0")
    # Addresses of the internet's may be a link's own.
    ip("addr", "add", "198.51.100.129/25", "dev", "br0")
    ip("link", "set", "br0", "up")


def down():
    for link in ("h0", "br0"):
        ip("link", "del", link)
    ip("netns", "del", INTERNET)
    linux.umount("/run/netns")
    linux.umount("/dev/net")


@contextmanager
def standing(*programs, resolver=f"nameserver {RESOLVER}\n"):
    """The lab for the tests of a module, which take these programs; `resolver` is what the host's resolv.conf says."""
    needs(os.getuid() == 0, "make a network: only root may")
    for program in programs:
        needs(shutil.which(program) is not None, program)
    up()
    try:
        Path("/etc/resolv.conf").write_text(resolver)
        yield
    finally:
        down()


@pytest.fixture(scope="module")
def network():
    """The same while the tests of a module run, with what a network of mode "user" takes."""
    with standing("pasta", "nft"):
        yield


@contextmanager
def running(program, *words, inside=True):
    """A Python program while the block runs, which says `up` once it is ready; `inside` is in the lab's internet."""
    front = ["ip", "netns", "exec", INTERNET] if inside else []
    process = subprocess.Popen([*front, sys.executable, "-c", program, *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "up\n"
        yield
    finally:
        process.kill()
        process.wait(patient(5))


def serving(*services, inside=True):
    """Services while the block runs: `tcp,ADDRESS,PORT`, `udp,…`, or `dns,ADDRESS,53`, which answers good.test and evil.test."""
    return running(SERVER, *services, inside=inside)


SERVER = textwrap.dedent(
    """
    import socket, struct, sys, threading

    def family(address):
        return socket.AF_INET6 if ":" in address else socket.AF_INET

    def bound(kind, address, port):
        s = socket.socket(family(address), kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family(address) == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((address, port))
        return s

    def tcp(s):
        s.listen(64)
        while True:
            connection, _ = s.accept()
            connection.recv(100)
            connection.sendall(b"here")
            connection.close()

    def udp(s):
        while True:
            _, peer = s.recvfrom(4096)
            s.sendto(b"here", peer)

    def dns(s):
        zone = {b"good.test": "10.55.0.10", b"evil.test": "10.55.0.20"}
        while True:
            question, peer = s.recvfrom(4096)
            place, labels = 12, []
            while question[place]:
                labels.append(question[place + 1 : place + 1 + question[place]])
                place += 1 + question[place]
            (kind,) = struct.unpack(">H", question[place + 1 : place + 3])
            address = zone.get(b".".join(labels).lower())
            found = address is not None and kind == 1
            answer = question[:2] + (b"\\x81\\x80" if address else b"\\x81\\x83") + struct.pack(">4H", 1, found, 0, 0)
            answer += question[12 : place + 5]
            if found:
                answer += struct.pack(">HHHIH", 0xC00C, 1, 1, 5, 4) + socket.inet_aton(address)
            s.sendto(answer, peer)

    for service in sys.argv[1:]:
        kind, address, port = service.split(",")
        s = bound(socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM, address, int(port))
        threading.Thread(target={"tcp": tcp, "udp": udp, "dns": dns}[kind], args=(s,), daemon=True).start()
    print("up", flush=True)
    threading.Event().wait()
    """
)


def probe(seconds):
    """A program that says for each `tcp,ADDRESS,PORT` or `udp,…` of its arguments what comes of it: `here`, the errno, or `timeout` where
    nothing has come within `seconds`. A datagram is sent once a second until then: it may be lost on a busy machine."""
    return f"WAIT = {seconds}\n" + ASK


ASK = textwrap.dedent(
    """
    import errno, socket, sys, time

    def asked(s):
        end = time.monotonic() + WAIT
        if s.type == socket.SOCK_DGRAM:
            s.settimeout(1)
        while True:
            s.send(b"x")
            try:
                return s.recv(100).decode()
            except socket.timeout:
                if time.monotonic() > end:
                    raise

    for one in sys.argv[1:]:
        kind, address, port = one.split(",")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        s.settimeout(WAIT)
        try:
            s.connect((address, int(port)))
            said = asked(s)
        except socket.timeout:
            said = "timeout"
        except OSError as error:
            said = errno.errorcode[error.errno]
        print(one, said)
    """
)

#: What answers or is refused does so at once, unless the machine has others to serve.
PROBE = probe(patient(5))
#: Where packets vanish.
BRIEF_PROBE = probe(5)
