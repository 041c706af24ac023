"""veth.toml: in a network of the test's own, which plays the host's."""

import os
import subprocess

from harness.must import needs

HOST = """
set -e
ip link set lo up
ip link add outer type veth peer name far
ip addr add 192.0.2.1/24 dev outer && ip link set outer up && ip link set far up
ip route add default via 192.0.2.10
sysctl -q net.ipv4.ip_forward=1
{immure} run {spec} -- bash -c '
    ip -o -4 addr show eth0 | grep -o "10.9.0.2/30"
    for port in 192.0.2.1/7777 10.9.0.1/7777 127.0.0.1/8080; do (exec 9<>/dev/tcp/$port) 2>/dev/null || echo "$port closed"; done
    python3 -c "import socket; s = socket.create_server((\\"0.0.0.0\\", 80)); c, _ = s.accept(); c.sendall(b\\"served\\")"' &
server=$!
python3 -c '
import socket, time
other = socket.create_server(("0.0.0.0", 7777))
while True:
    try:
        found = socket.create_connection(("127.0.0.1", 8080), 5).recv(10)
    except OSError:
        found = b""
    if found:
        break
    time.sleep(0.05)
print(found.decode(), flush=True)'
wait $server
# The kernel takes a network down after the last process in it has ended.
for try in $(seq 1000); do ip -br link | grep -q immure || break; sleep 0.1; done
ip -br link | grep -c immure || true
"""


def test_what_it_reaches_and_leaves(base):
    needs(os.getuid() == 0, "make an interface: only root may")
    script = HOST.format(immure=base / "immure", spec=base / "Examples" / "veth.toml")
    done = subprocess.run(["unshare", "-n", "bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert sorted(done.stdout.split("\n")) == sorted(
        ["10.9.0.2/30", "10.9.0.1/7777 closed", "127.0.0.1/8080 closed", "192.0.2.1/7777 closed", "served", "0", ""]
    ), done
