"""Ways past the rules of a jail's network, tried from inside. Prints JSON: for each `WAY=ADDRESS,PORT` what came of it, `here` where
the service answered, else the errno; for each other word, the change of the network that bears the name.
"""

import ctypes
import errno
import fcntl
import json
import os
import socket
import struct
import sys
import time

#: How many seconds an answer is waited for.
WAIT = float(os.environ.get("WAIT", 3))
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
MSG_FASTOPEN, IPPROTO_MPTCP, IPPROTO_UDPLITE, SO_BINDTODEVICE = 0x20000000, 262, 136, 25


def made(kind, address, protocol=0):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind, protocol)
    s.settimeout(WAIT)
    return s


def asked(s, again=lambda s: s.send(b"x")):
    """A datagram is sent once a second: it may be lost on a busy machine."""
    end = time.monotonic() + WAIT
    if s.type == UDP:
        s.settimeout(1)
    while True:
        again(s)
        try:
            return s.recv(100).decode()
        except TimeoutError:
            if time.monotonic() > end:
                raise


def connected(s, address, port):
    s.connect((address, port))
    return asked(s)


def fast_open(address, port):
    s = made(TCP, address)
    # Blocking: with a time limit of Python's the call ends with EINPROGRESS, before the answer.
    s.settimeout(None)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        s.setsockopt(socket.SOL_SOCKET, option, struct.pack("=qq", int(WAIT), 0))
    s.sendto(b"x", MSG_FASTOPEN, (address, port))
    return s.recv(100).decode()


def unconnected(address, port):
    s = made(UDP, address)
    # Without IP_RECVERR such a socket is not told that nobody listens, ip(7).
    s.setsockopt(socket.IPPROTO_IP, 11, 1)
    return asked(s, lambda s: s.sendto(b"x", (address, port)))


def large(address, port):
    """Goes out in fragments wherever the interface takes less than this."""
    s = made(UDP, address)
    s.sendto(b"x" * 65507, (address, port))
    return s.recv(100).decode()


def mapped(kind):
    return lambda address, port: connected(made(kind, "::"), "::ffff:" + address, port)


def from_device(address, port):
    s = made(TCP, address)
    name = next(name for _, name in socket.if_nameindex() if name != "lo")
    s.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, name.encode())
    return connected(s, address, port)


def from_resolver_port(address, port):
    """Looks like an answer of a server of names."""
    s = made(UDP, address)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", 1024))
    return connected(s, address, port)


def from_loopback(address, port):
    s = made(TCP, address)
    s.bind(("127.0.0.1", 0))
    return connected(s, address, port)


def again(address, port):
    """From a socket that has been to a destination of the list: the same port, so that only the other end is new."""
    good, good_port = os.environ["GOOD"].split(",")
    s = made(UDP, address)
    assert connected(s, good, int(good_port)) == "here"
    return connected(s, address, port)


def without_routes(address, port):
    s = made(TCP, address)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_DONTROUTE, 1)
    return connected(s, address, port)


def source_routed(address, port):
    """By way of a destination of the list: the header names that one, the option the other."""
    good = os.environ["GOOD"].split(",")[0]
    s = made(UDP, address)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([131, 7, 4]) + socket.inet_aton(address) + b"\0")
    return connected(s, good, port)


def marked(address, port):
    s = made(TCP, address)
    s.setsockopt(socket.SOL_SOCKET, 36, 1)
    return connected(s, address, port)


def echo(address, _):
    s = made(UDP, address, socket.IPPROTO_ICMP)
    s.connect((address, 0))
    s.send(struct.pack(">BBHHH", 8, 0, 0, 0, 1))
    s.recv(100)
    return "here"


def raw_echo(family, protocol):
    """ping(8) of old: without CAP_NET_RAW there is no such socket."""

    def way(address, _):
        s = socket.socket(family, socket.SOCK_RAW, protocol)
        s.settimeout(3)
        s.sendto(struct.pack(">BBHHH", 8, 0, 0, 0, 1), (address, 0))
        s.recv(100)
        return "here"

    return way


def group(address, port):
    """To everybody on the link: whoever answers is no destination of the list."""
    s = made(UDP, address)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.sendto(b"x", (address, port))
    return s.recv(100).decode()


def fragments(address, port):
    """Two packets of one datagram: the second has no port."""
    s = made(UDP, address)
    s.setsockopt(socket.IPPROTO_IP, 10, 0)
    s.connect((address, port))
    s.send(b"x" * 3, 0x8000)
    s.send(b"y" * 60000)
    return s.recv(100).decode()


def scoped(address, port):
    """By the link that leads out, whatever routes say."""
    s = made(TCP, address)
    s.connect((address, port, 0, index()))
    return asked(s)


def of_other_family(family, kind, protocol=0):
    """Sockets of families that no rule of IPv4 or IPv6 sees."""
    return lambda *_: socket.socket(family, kind, protocol) and "made"


def vsock(address, port):
    """The hypervisor, 2, and this machine, 1: neither is in a network namespace."""
    s = socket.socket(40, TCP)
    s.settimeout(3)
    s.connect((int(address), port))
    return asked(s)


WAYS = {
    "raw_echo": raw_echo(socket.AF_INET, socket.IPPROTO_ICMP),
    "raw_echo6": raw_echo(socket.AF_INET6, 58),
    "raw_udp": raw_echo(socket.AF_INET, socket.IPPROTO_UDP),
    "group": group,
    "fragments": fragments,
    "scoped": scoped,
    "vsock": vsock,
    "sctp": lambda address, port: connected(made(TCP, address, 132), address, port),
    "dccp": lambda address, port: connected(made(6, address, 33), address, port),
    "can": of_other_family(29, socket.SOCK_RAW, 1),
    "tipc": of_other_family(30, socket.SOCK_SEQPACKET),
    "rds": of_other_family(21, socket.SOCK_SEQPACKET),
    "alg": of_other_family(38, socket.SOCK_SEQPACKET),
    "bluetooth": of_other_family(31, socket.SOCK_RAW, 1),
    "smc": of_other_family(43, TCP),
    "phonet": of_other_family(35, UDP),
    "x25": of_other_family(9, socket.SOCK_SEQPACKET),
    "packet_datagram": of_other_family(17, UDP, 8),
    "tcp": lambda address, port: connected(made(TCP, address), address, port),
    "udp": lambda address, port: connected(made(UDP, address), address, port),
    "mptcp": lambda address, port: connected(made(TCP, address, IPPROTO_MPTCP), address, port),
    "udplite": lambda address, port: connected(made(UDP, address, IPPROTO_UDPLITE), address, port),
    "fast_open": fast_open,
    "unconnected": unconnected,
    "large": large,
    "mapped_tcp": mapped(TCP),
    "mapped_udp": mapped(UDP),
    "from_device": from_device,
    "from_resolver_port": from_resolver_port,
    "from_loopback": from_loopback,
    "again": again,
    "without_routes": without_routes,
    "source_routed": source_routed,
    "marked": marked,
    "echo": echo,
}


def netlink(protocol, kind, body, flags=5):
    """The kernel's answer to one request that asks to be acknowledged."""
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    s.settimeout(3)
    s.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
    answer = s.recv(4096)
    code = struct.unpack_from("=i", answer, 16)[0]
    if code:
        raise OSError(-code, os.strerror(-code))


def rules(kind, more=b""):
    """One message of nf_tables within the two that make a transaction."""

    def message(number, flags, body):
        return struct.pack("=IHHII", 16 + len(body), number, flags, 1, 0) + body

    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    s.settimeout(3)
    frame = struct.pack(">BBH", 0, 0, 10)
    s.send(message(16, 1, frame) + message(10 << 8 | kind, 5, struct.pack("=BBH", 1, 0, 0) + more) + message(17, 1, frame))
    code = struct.unpack_from("=i", s.recv(4096), 16)[0]
    if code:
        raise OSError(-code, os.strerror(-code))


def attribute(kind, body):
    return struct.pack("=HH", 4 + len(body), kind) + body + b"\0" * (-len(body) % 4)


def index():
    return next(number for number, name in socket.if_nameindex() if name != "lo")


def ioctl(request, tail):
    name = socket.if_indextoname(index()).encode()
    fcntl.ioctl(made(UDP, ""), request, struct.pack("16s", name) + tail)


def inet(address):
    return struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))


def tunnel():
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"out", 0x1002))


def written(path, text):
    with open(path, "w") as file:
        file.write(text)


def table_of_iptables():
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 255)


def joined():
    """The network of pid 1, which is the jail's own: joining it anew leads nowhere else."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(os.open("/proc/1/ns/net", os.O_RDONLY), 0x40000000) < 0:
        raise OSError(ctypes.get_errno(), "setns")


LINK = "=BxHiII"
CHANGES = {
    "link_down": lambda: netlink(0, 16, struct.pack(LINK, 0, 0, index(), 0, 1)),
    "link_new": lambda: netlink(0, 16, struct.pack(LINK, 0, 0, 0, 0, 0) + attribute(18, attribute(1, b"veth\0")), 0x605),
    "link_gone": lambda: netlink(0, 17, struct.pack(LINK, 0, 0, index(), 0, 0)),
    "link_moved": lambda: netlink(0, 16, struct.pack(LINK, 0, 0, index(), 0, 0) + attribute(19, struct.pack("=I", 1))),
    "address_new": lambda: netlink(
        0, 20, struct.pack("=BBBBI", 2, 24, 0, 0, index()) + attribute(2, socket.inet_aton("10.9.9.9")), 0x605
    ),
    "route_new": lambda: netlink(
        0,
        24,
        struct.pack("=BBBBBBBBI", 2, 32, 0, 0, 254, 4, 0, 1, 0)
        + attribute(1, socket.inet_aton("10.55.0.20"))
        + attribute(4, struct.pack("=I", index())),
        0x605,
    ),
    "route_gone": lambda: netlink(0, 25, struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 0, 0, 1, 0)),
    "neighbour_new": lambda: netlink(
        0,
        28,
        struct.pack("=BxxxiHBB", 2, index(), 128, 0, 0)
        + attribute(1, socket.inet_aton("10.50.0.1"))
        + attribute(2, b"\2\0\0\0\0\1"),
        0x605,
    ),
    "policy_new": lambda: netlink(0, 32, struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 0, 0, 1, 0), 0x605),
    "tables_gone": lambda: rules(2),
    "rules_gone": lambda: rules(8, attribute(1, b"immure\0")),
    "conntrack_gone": lambda: netlink(12, 1 << 8 | 2, struct.pack("=BBH", 2, 0, 0)),
    "ioctl_down": lambda: ioctl(0x8914, struct.pack("=H22x", 0)),
    "ioctl_address": lambda: ioctl(0x8916, inet("10.9.9.9")),
    "ioctl_mtu": lambda: ioctl(0x8922, struct.pack("=i20x", 1400)),
    "tunnel": tunnel,
    "sysctl_forward": lambda: written("/proc/sys/net/ipv4/ip_forward", "1"),
    "sysctl_route_localnet": lambda: written("/proc/sys/net/ipv4/conf/all/route_localnet", "1"),
    "raw": table_of_iptables,
    "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)),
    "xdp": lambda: socket.socket(44, socket.SOCK_RAW, 0),
    "joined": joined,
}


def outcome(word):
    way, _, destination = word.partition("=")
    try:
        if not destination:
            CHANGES[way]()
            return "done"
        address, port = destination.rsplit(",", 1)
        return WAYS[way](address, int(port))
    except TimeoutError:
        return "timeout"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


if __name__ == "__main__":
    if os.readlink("/proc/self/ns/net") == os.environ["HOST_NETWORK"]:
        sys.exit("this probe is not jailed")
    print(json.dumps({word: outcome(word) for word in sys.argv[1:]}))
