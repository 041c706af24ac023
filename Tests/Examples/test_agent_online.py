"""agent-online.toml: the jail of agent.toml, and the names of its list, in a closed network that has servers of these names."""

import os
import subprocess

import pytest
from harness import lab, linux, names
from harness.must import needs

LIST = ["api.anthropic.com", "api.openai.com", "pypi.org", "files.pythonhosted.org", "registry.npmjs.org"]
SPEC = "agent-online.toml"


@pytest.fixture(scope="module")
def network():
    needs(os.getuid() == 0, "make a network: only root may")
    for program in ("pasta", "nft", "curl"):
        needs(subprocess.run(["which", program], capture_output=True).returncode == 0, program)
    with linux.network_of_its_own():
        lab.up()
        names.up()
        before = open("/etc/resolv.conf").read()
        open("/etc/resolv.conf", "w").write(f"nameserver {lab.RESOLVER}\n")
        try:
            with lab.running(PAGE, "0.0.0.0", "443"), lab.running(PAGE, "0.0.0.0", "443", inside=False), names.serving() as zone:
                zone.zone |= {name: {"A": [[names.GOOD, 60]]} for name in LIST}
                zone["evil.example"] = {"A": [[names.EVIL, 60]]}
                yield zone
        finally:
            open("/etc/resolv.conf", "w").write(before)
            lab.down()


PAGE = """
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["Host"].split(":")[0].encode())

server = http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
print("up", flush=True)
server.serve_forever()
"""


@pytest.fixture
def project(caller, network, work, tool):
    own = {} if os.getuid() != 0 else {"user": caller.inside, "group": caller.inside, "extra_groups": []}
    subprocess.run([tool("git"), "init", "-q"], cwd=work, check=True, env={"HOME": "/nonexistent"}, **own)
    return work


def test_each_name_of_the_list_is_reached(caller, project):
    urls = [f"http://{name}:443/" for name in LIST]
    done = caller.jail(SPEC, "curl", "-sS", "-f", "-w", "\n", *urls, cwd=project)
    assert done.stdout.split() == LIST and done.stderr == "", done


@pytest.mark.parametrize("url", ["http://evil.example:443/", f"http://{names.EVIL}:443/", "http://pypi.org/", "http://api.anthropic.com.evil.example:443/", f"http://{lab.BRIDGE}:443/"])
def test_nothing_else_is(caller, project, network, url):
    asked = len(network.asked)
    done = caller.jail(SPEC, "curl", "-sS", url, cwd=project, status=None)
    assert done.returncode in (6, 7) and " refused 1 time (allow, " in done.stderr, done
    assert not any("evil" in line for line in network.asked[asked:])


def test_a_key_is_given_and_nothing_else_of_the_environment(caller, project):
    done = caller.jail(SPEC, "env", cwd=project, env={"ANTHROPIC_API_KEY": "one", "AWS_SECRET_ACCESS_KEY": "two"})
    assert {"ANTHROPIC_API_KEY=one", "LANG=C.UTF-8"} <= set(done.stdout.splitlines()) and "two" not in done.stdout, done


def test_code_is_changed_and_what_git_executes_stays(caller, project):
    done = caller.jail(SPEC, "sh", "-c", "echo x >made && ! echo x >.git/hooks/pre-commit", cwd=project)
    assert (project / "made").read_text() == "x\n" and "Read-only file system" in done.stderr
