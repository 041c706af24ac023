"""[network]: "none" has a loopback of its own, "host" is the host's; the rest is refused by name."""

import os
import socket

LOOPBACK = """
import json, socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname()[:2], timeout=30)
print(json.dumps("connected"))
"""


def test_loopback_is_up(caller):
    assert caller.python(None, LOOPBACK) == "connected"


def test_loopback_has_ipv6_where_the_host_has(caller):
    if os.path.exists("/proc/net/if_inet6"):
        assert (
            caller.python(None, LOOPBACK.replace('("127.0.0.1", 0)', '("::1", 0), family=socket.AF_INET6'))
            == "connected"
        )


def test_the_hosts_loopback_is_not_the_jails(caller):
    server = socket.create_server(("127.0.0.1", 0))
    code = f"import json, socket\ntry: socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=30); print(json.dumps('reached'))\nexcept OSError as error: print(json.dumps(error.errno))"
    assert caller.python(None, code) == 111
    assert caller.python('[network]\nmode = "host"', code) == "reached"
    server.close()


def test_the_hosts_network_where_the_spec_says_so(caller):
    for spec in ('[network]\nmode = "host"', '[namespaces]\nnet = "host"'):
        assert caller.facts(spec)["ns"]["net"] == os.readlink("/proc/self/ns/net")


def test_c22_abstract_sockets_of_the_host_are_not_reachable(caller):
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"\0immure-test-{os.getpid()}")
    server.listen()
    code = f"import json, socket\ns = socket.socket(socket.AF_UNIX)\ntry: s.connect('\\0immure-test-{os.getpid()}'); print(json.dumps('reached'))\nexcept OSError as error: print(json.dumps(error.errno))"
    assert caller.python(None, code) == 111
    server.close()


def test_contradictory_networks_are_refused(caller):
    run = caller.run('[namespaces]\nnet = "host"\n[network]\nmode = "none"', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:" in run.stderr


def test_no_address_but_loopback(caller):
    run = caller.shell(None, "cat /proc/net/route | tail -n +2; cat /proc/net/fib_trie | grep -c 'host LOCAL'")
    assert run.stdout.splitlines()[:-1] == [] or "lo" in run.stdout
