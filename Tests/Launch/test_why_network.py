"""`immure run --why` in a network with rules: what they refused, with the line that opens it, which is followed here."""

import pytest

from harness import lab, names
from harness.caller import PYTHON
from harness.names import EVIL, GOOD, network  # noqa: F401
from test_why import NOTHING, reasons


zone = names.zone_beside("tcp,0.0.0.0,443", "tcp,0.0.0.0,80")


def connect(caller, spec, host, port, *options):
    code = f"import socket; socket.create_connection(('{host}', {port}), 5).close()"
    return caller.run(spec, *PYTHON, code, options=["--why", *options], timeout=60)


def test_an_address_that_is_not_on_the_list(caller, zone):
    spec = caller.spec(f'[network]\nmode = "user"\nallow = ["{GOOD}:443"]\n')
    run = connect(caller, spec, EVIL, 80)
    assert run.status == 1 and NOTHING not in run.stderr and "on the host as well" not in run.stderr, run
    [(words, line)] = reasons(run)
    assert words.startswith(f"{EVIL}:80/tcp is out of the jail's network, and the line goes beside what {spec}:3:") and words.endswith("(connect, python3)"), run
    assert line == f'network.allow=["{EVIL}:80/tcp"]'
    connect(caller, spec, EVIL, 80, "--set", line).ok


def test_what_is_closed_without_a_list(caller, zone):
    spec = caller.spec('[network]\nmode = "user"\n')
    for host in (lab.METADATA, lab.BRIDGE):
        run = connect(caller, spec, host, 80)
        assert run.status == 1 and NOTHING not in run.stderr, run
        [(words, line)] = reasons(run)
        assert "closed by default, and this line closes all that it does not name (connect, python3)" in words, run
        assert line == f'network.allow=["{host}:80/tcp"]'
        again = connect(caller, spec, host, 80, "--set", line)
        # The lab's host has nobody there: what answers then is no rule.
        assert again.status == 0 if host == lab.METADATA else "out of the jail's network" not in again.stderr, again


def test_a_name_that_is_not_on_the_list(caller, zone):
    spec = caller.spec('[network]\nmode = "user"\nallow = ["good.test"]\n')
    run = connect(caller, spec, "evil.test", 443)
    assert run.status == 1 and NOTHING not in run.stderr, run
    assert f'immure: note: why: evil.test is out of the jail\'s network, and the line goes beside what {spec}:3:' in run.stderr, run
    assert 'network.allow = ["evil.test"]' in run.stderr
    connect(caller, spec, "evil.test", 443, "--set", 'network.allow=["evil.test"]').ok


def test_a_name_is_proposed_and_not_its_server(caller, zone):
    """A question that never leaves names nothing: what the program was called with may, and where it does not, no address is proposed."""
    code = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)"
    run = caller.run(None, *PYTHON, code, "http://good.test/", options=["--why"], timeout=60)
    assert run.status == 1 and reasons(run)[0][1] == 'network={ mode = "user", allow = ["good.test:80"] }', run
    run = caller.run(None, *PYTHON, "import socket; socket.getaddrinfo('good.test', 443)", options=["--why"], timeout=60)
    assert run.status == 1 and reasons(run) == [] and "which it asks for a name" in run.stderr and "network.allow" in run.stderr, run
    # Where only addresses are on the list the server of names is refused by the rules.
    spec = caller.spec(f'[network]\nmode = "user"\nallow = ["{EVIL}:443"]\n')
    run = caller.run(spec, *PYTHON, code, "http://good.test/", options=["--why"], timeout=60)
    assert run.status == 1 and [line for _, line in reasons(run)] == ['network.allow=["good.test:80"]'], run


@pytest.mark.parametrize("listed", ["good.test", "{server}:53"])
def test_an_address_of_a_name_is_opened_by_the_name(caller, zone, listed):
    server = next(line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver"))
    spec = caller.spec(f'[network]\nmode = "user"\nallow = ["{listed.format(server=server)}"]\n')
    run = connect(caller, spec, "good.test", 80)
    assert run.status == 1 and reasons(run)[0][1] == 'network.allow=["good.test:80"]', run
    connect(caller, spec, "good.test", 80, "--set", reasons(run)[0][1]).ok
