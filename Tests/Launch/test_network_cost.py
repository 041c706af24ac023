"""What a jail's network costs, in the closed lab: -s prints the figures. What is asserted holds on a busy machine."""

import json
import os
import select
import signal
import statistics
import subprocess
import sys
import textwrap
import time

import pytest

from harness import lab, names
from harness.caller import PYTHON
from harness.patience import FACTOR, patient

USER = '[network]\nmode = "user"\n'
ROUNDS = 5

#: Sends to whoever connects.
SOURCE = textwrap.dedent(
    """
    import socket, sys, threading

    def send(c):
        try:
            while True: c.sendall(bytes(1 << 20))
        except OSError: pass

    s = socket.create_server((sys.argv[1], int(sys.argv[2])))
    print("up", flush=True)
    while True: threading.Thread(target=send, args=(s.accept()[0],), daemon=True).start()
    """
)
#: Gbit/s of one stream from there, within a second.
SINK = textwrap.dedent(
    """
    import socket, sys, time

    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 30)
    count, begin, room = 0, time.monotonic(), bytearray(1 << 20)
    while (spent := time.monotonic() - begin) < 1: count += s.recv_into(room)
    print(count * 8 / spent / 1e9)
    """
)
#: Milliseconds of connections by name, the first of each name, and directly.
FIRST = """
import json, socket, time
found = []
for number in range(20):
    for name in (f"n{number}.good.test", "203.0.113.10"):
        begin = time.monotonic()
        address = socket.gethostbyname(name)
        socket.create_connection((address, 443), 30).close()
        found.append((time.monotonic() - begin) * 1000)
print(json.dumps([found[0::2], found[1::2]]))
"""


@pytest.fixture(scope="module")
def network():
    with names.standing():
        yield


def rate(caller, spec, *words):
    return float(caller.run(spec, *PYTHON, SINK, *words, timeout=60).ok.stdout)


def test_a_list_of_a_thousand_entries_slows_nothing(caller, network):
    entries = [f"10.{number // 250}.{number % 250}.7:443" for number in range(999)] + [f"{lab.GOOD}:80"]
    listed = USER + "allow = [" + ", ".join(f'"{entry}"' for entry in entries) + "]\n"
    with lab.running(SOURCE, lab.GOOD, "80"):
        pairs = [(rate(caller, USER, lab.GOOD, "80"), rate(caller, listed, lab.GOOD, "80")) for _ in range(ROUNDS)]
    without, with_list = (max(column) for column in zip(*pairs))
    print(f"{caller}: one stream {without:.2f} Gbit/s without a list, {with_list:.2f} with 1,000 entries: {with_list / without:.2f}")
    assert with_list > without / FACTOR


def test_a_first_connection_by_name(caller, network):
    spec = USER + 'allow = ["*.good.test", "203.0.113.10:443"]\n'
    with lab.serving("tcp,0.0.0.0,443"), names.serving() as zone:
        zone["*.good.test"] = {"A": [[names.GOOD, 5]]}
        run = caller.run(spec, *PYTHON, FIRST, timeout=60).ok
    # The least of each: what others on this machine do comes on top of the rest.
    by_name, direct = (min(column) for column in json.loads(run.stdout))
    print(f"{caller}: first connection {by_name:.2f} ms by name, {direct:.2f} direct: +{by_name - direct:.2f}")
    assert by_name - direct < 2 * FACTOR


def test_a_stream_through_a_published_port(caller):
    launch = caller.start('[network]\npublish = ["8080:8000"]\n', *PYTHON, SOURCE, "127.0.0.1", "8000")
    assert launch.stdout.readline() == b"up\n"
    try:
        rates = [float(subprocess.run([sys.executable, "-c", SINK, "127.0.0.1", "8080"], capture_output=True, check=True).stdout) for _ in range(ROUNDS)]
    finally:
        launch.kill()
        launch.communicate(timeout=patient(5))
    print(f"{caller}: published, one stream {max(rates):.2f} Gbit/s")
    assert max(rates) > 5 / FACTOR


#: Answers every question at once, the address made of the number in the name; it forks, so that it is not what is measured.
ANSWERING = textwrap.dedent(
    """
    import os, socket, sys

    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    s.bind((sys.argv[1], 53))
    print("up", flush=True)
    while True:
        question, peer = s.recvfrom(512)
        number = int(question[14 : 13 + question[12]])
        end = question.index(0, 12) + 5
        answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4" + bytes([20, 0, number >> 8, number & 255])
        s.sendto(question[:2] + b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0" + question[12:end] + answer, peer)
    """
)
#: Asks for so many names, some at a time; says how long that took, which were not answered with their address, and what is reached then.
ASKING = names.ASK + textwrap.dedent(
    """
    count, window = int(sys.argv[1]), 128
    import time
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    s.connect(("127.0.0.1", 53))
    s.settimeout(10)
    questions = [query(f"n{number}.good.test", 1, id=struct.pack(">H", number)) for number in range(count)]
    found, sent, begin = {}, 0, time.monotonic()
    while len(found) < count:
        while sent < count and sent - len(found) < window:
            s.send(questions[sent])
            sent += 1
        answer = s.recv(512)
        found[answer[:2]] = answer
    spent = time.monotonic() - begin
    wrong = [n for n in range(count) if found[struct.pack(">H", n)][-4:] != bytes([20, 0, n >> 8, n & 255])]
    some = [*range(0, count, count // 200), count - 1]
    reached = {reach(f"20.0.{n >> 8}.{n & 255}") for n in some}
    print(json.dumps([spent, wrong, sorted(reached), reach(f"20.0.{count >> 8}.{count & 255}")]))
    """
)


def test_ten_thousand_questions_lose_no_rule(caller, network):
    """Each has another name and another address, and each of these is open once it was told."""
    count = 10_000
    lab.ip("route", "replace", "local", "20.0.0.0/16", "dev", "lo", inside=True)
    with lab.serving("tcp,0.0.0.0,443"), lab.running(ANSWERING, lab.RESOLVER):
        run = caller.run(USER + 'allow = ["*.good.test"]\n', *PYTHON, ASKING, str(count), timeout=120).ok
    spent, wrong, reached, other = json.loads(run.stdout)
    print(f"{caller}: {count / spent:,.0f} questions a second, each for a new name and address; {len(wrong)} lost")
    assert wrong == [] and reached == ["here"] and other == "ConnectionRefusedError", run


#: Waits for the default routes of both protocols, which a launch waits for, and says how long after the line on its input they came.
READY = textwrap.dedent(
    """
    import socket, sys, time

    def both():
        four = any(line.split()[1] == "00000000" for line in open("/proc/self/net/route").readlines()[1:])
        return four and any(line.split()[1] == "00" and line.split()[-1] != "lo" for line in open("/proc/self/net/ipv6_route"))

    # NETLINK_ROUTE, groups RTNLGRP_IPV4_ROUTE and RTNLGRP_IPV6_ROUTE: who looks all the time takes a processor from who is measured.
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    s.bind((0, 1 << 6 | 1 << 10))
    print("up", flush=True)
    sys.stdin.readline()
    begin = time.monotonic()
    while not both(): s.recv(1 << 16)
    print(time.monotonic() - begin, flush=True)
    """
)
#: The words that immure gives pasta, but that it is to stay in the foreground.
PASTA = "pasta --quiet --config-net --no-map-gw --mtu 65520 -t none -u none -T none -U none --runas 0 --netns".split()


def ready_seconds(place):
    """How long pasta takes by itself until it says that it is ready: it goes on in the background then, and its first process ends."""
    file = place / "pasta.pid"
    holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo up; exec sleep 1000"], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"up\n"
    try:
        with open(f"/proc/{holder.pid}/ns/net") as made:
            begin = time.monotonic()
            words = [*PASTA, f"/proc/self/fd/{made.fileno()}", "--pid", file]
            subprocess.run(words, stderr=subprocess.DEVNULL, pass_fds=[made.fileno()], timeout=patient(5), check=True)
            return time.monotonic() - begin
    finally:
        holder.kill()
        holder.communicate()
        if file.exists():
            os.kill(int(file.read_text()), signal.SIGKILL)
            file.unlink()


def route_seconds():
    """How long pasta takes by itself, from its start until there is a route, which is some time before it is ready."""
    holder = subprocess.Popen(["unshare", "-n", sys.executable, "-c", READY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert holder.stdout.readline() == b"up\n"
    holder.stdin.write(b"go\n")
    with open(f"/proc/{holder.pid}/ns/net") as made:
        words = [*PASTA, f"/proc/self/fd/{made.fileno()}", "--foreground"]
        pasta = subprocess.Popen(words, stderr=subprocess.DEVNULL, pass_fds=[made.fileno()])
    try:
        ready = select.select([holder.stdout], [], [], patient(5))[0]
        assert ready, "pasta made no route"
        return float(holder.stdout.readline())
    finally:
        for process in (pasta, holder):
            process.kill()
            process.wait(patient(5))


def launch_seconds(caller, spec):
    """From the start of immure until the command says a word."""
    begin = time.monotonic()
    launch = caller.start(spec, "/bin/echo", "ran")
    assert launch.stdout.readline() == b"ran\n"
    spent = time.monotonic() - begin
    launch.communicate(timeout=patient(5))
    return spent


def test_a_launch_takes_little_longer_than_its_helper(root, network, tmp_path):
    """The rest is done beside. Starting a process costs Python as much in each."""
    rounds = [(ready_seconds(tmp_path), route_seconds(), launch_seconds(root, USER), launch_seconds(root, "")) for _ in range(30)]
    ready, route, launch, without = (statistics.median(column) * 1000 for column in zip(*rounds))
    print(
        f"until the command runs {launch:.1f} ms; pasta by itself until it is ready {ready:.1f}: {launch / ready:.2f}, "
        f"until its routes {route:.1f}: {launch / route:.2f}; without a network {without:.1f} ms"
    )
    assert launch < 1.25 * FACTOR * ready


def test_no_launch_waits_until_tcp_asks_again(root, network):
    """The rules are asked whether they hold in a network that has just come up: what is lost there is asked for again at once, not after
    the second that TCP waits."""
    found = [launch_seconds(root, USER) for _ in range(60)]
    usual = statistics.median(found)
    slow = [seconds for seconds in found if seconds > usual + 0.9]
    print(f"60 launches: {usual * 1000:.0f} ms, the slowest {max(found) * 1000:.0f} ms")
    assert len(slow) < 3, slow
