"""fetch.toml: packages come from their registries, by name, in a closed network that has servers of these names."""

import io
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from base64 import b64encode
from contextlib import contextmanager
from hashlib import sha512

import pytest
from harness import lab, linux, names
from harness.must import needs
from harness.patience import patient

REGISTRIES = ["pypi.org", "files.pythonhosted.org", "registry.npmjs.org", "index.crates.io", "static.crates.io", "proxy.golang.org", "sum.golang.org"]
ADDRESS, EVIL = "203.0.113.40", "203.0.113.50"

SERVER = textwrap.dedent(
    """
    import http.server, ssl, sys
    from pathlib import Path
    place, address = sys.argv[1:]
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            file = Path(place) / self.headers["Host"].split(":")[0] / self.path.strip("/").replace("/", "+").split("?")[0]
            found = file.is_file()
            self.send_response(200 if found else 404)
            if file.name.startswith("simple"): self.send_header("Content-Type", "text/html")
            content = file.read_bytes() if found else b""
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
    server = http.server.ThreadingHTTPServer((address, 443), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place + "/server.pem", place + "/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("up", flush=True)
    server.serve_forever()
    """
)


def openssl(*words, cwd):
    subprocess.run(["openssl", *words], check=True, cwd=cwd, capture_output=True)


def archive(files):
    """A zip file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in files.items():
            made.writestr(name, text)
    return content.getvalue()


def tarball(place, text):
    (place / "package").mkdir()
    (place / "package/package.json").write_text(text)
    subprocess.run(["tar", "-czf", "made.tgz", "package"], check=True, cwd=place)
    return (place / "made.tgz").read_bytes()


def fill(place):
    """One package in each registry, at the paths that its programs ask for, `+` in place of `/`."""

    def put(host, path, content):
        (place / host).mkdir(exist_ok=True)
        (place / host / path.replace("/", "+")).write_bytes(content if isinstance(content, bytes) else content.encode())

    put("pypi.org", "simple/demo", '<a href="https://files.pythonhosted.org/demo-1.0-py3-none-any.whl">demo-1.0-py3-none-any.whl</a>')
    info = {"METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n", "WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n", "RECORD": ""}
    wheel = {"demo.py": "", **{f"demo-1.0.dist-info/{name}": text for name, text in info.items()}}
    put("files.pythonhosted.org", "demo-1.0-py3-none-any.whl", archive(wheel))
    package = {"name": "demo", "version": "1.0.0"}
    packed = tarball(place, json.dumps(package))
    whole = "sha512-" + b64encode(sha512(packed).digest()).decode()
    version = {**package, "dist": {"tarball": "https://registry.npmjs.org/demo/-/demo-1.0.0.tgz", "integrity": whole}}
    put("registry.npmjs.org", "demo", json.dumps({"name": "demo", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}))
    put("registry.npmjs.org", "demo/-/demo-1.0.0.tgz", packed)
    put("index.crates.io", "config.json", '{"dl": "https://static.crates.io/crates"}')
    put("static.crates.io", "crates", "crate")
    go = "module example.org/demo\n"
    put("proxy.golang.org", "example.org/demo/@v/v1.0.0.mod", go)
    put("proxy.golang.org", "example.org/demo/@v/v1.0.0.info", '{"Version": "v1.0.0"}')
    put("proxy.golang.org", "example.org/demo/@v/v1.0.0.zip", archive({"example.org/demo@v1.0.0/go.mod": go, "example.org/demo@v1.0.0/demo.go": "package demo\n"}))
    put("sum.golang.org", "latest", "tree")


@contextmanager
def internet(place):
    """Servers of all the registries at one address, with certificates of an authority of their own."""
    fill(place)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=lab", "-days", "2", cwd=place)
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=registry", cwd=place)
    (place / "names").write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in [*REGISTRIES, "evil.example"]) + "\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem", "-days", "2", "-extfile", "names", cwd=place)
    servers = []
    try:
        for address in (ADDRESS, EVIL):
            words = ["ip", "netns", "exec", lab.INTERNET, sys.executable, "-c", SERVER, str(place), address]
            servers.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
            assert servers[-1].stdout.readline() == "up\n"
        with names.serving() as zone:
            zone.zone |= {name: {"A": [[ADDRESS, 60]]} for name in REGISTRIES}
            zone["evil.example"] = {"A": [[EVIL, 60]]}
            yield zone
    finally:
        for server in servers:
            server.kill()
            server.wait(patient(5))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    needs(os.getuid() == 0, "make a network: only root may")
    for program in ("pasta", "nft", "openssl", "curl"):
        needs(subprocess.run(["which", program], capture_output=True).returncode == 0, program)
    with linux.network_of_its_own():
        lab.up()
        names.up()
        before = open("/etc/resolv.conf").read()
        open("/etc/resolv.conf", "w").write(f"nameserver {lab.RESOLVER}\n")
        place = tmp_path_factory.mktemp("internet")
        with internet(place) as zone:
            zone.authority = (place / "ca.pem").read_text()
            yield zone
        open("/etc/resolv.conf", "w").write(before)
        lab.down()


@pytest.fixture
def project(caller, network, work):
    caller.file(work / "ca.pem", network.authority)
    return work


def test_every_registry_is_reached(caller, project):
    urls = [word for name, path in zip(REGISTRIES, ("simple/demo/", "demo-1.0-py3-none-any.whl", "demo", "config.json", "crates", "example.org/demo/@v/v1.0.0.info", "latest")) for word in ("-o", "/dev/null", f"https://{name}/{path}")]
    done = caller.jail("fetch.toml", "curl", "--cacert", "ca.pem", "-sS", "-f", "-w", "%{http_code}\n", *urls, cwd=project)
    assert done.stdout.split() == ["200"] * len(REGISTRIES), done


@pytest.mark.parametrize("words", [["https://evil.example/"], ["https://pypi.org.evil.example/"], ["-k", f"https://{EVIL}/"], ["http://pypi.org/"]])
def test_nothing_else_is(caller, project, words):
    done = caller.jail("fetch.toml", "curl", "--cacert", "ca.pem", "-sS", *words, cwd=project, status=None)
    assert done.returncode in (6, 7), done
    assert " refused 1 time (allow, " in done.stderr, done


def test_pip(caller, project, tool):
    done = caller.jail("fetch.toml", tool("python3"), "-m", "pip", "--cert", "ca.pem", "--disable-pip-version-check", "download", "demo", "-d", "wheels", cwd=project)
    assert (project / "wheels/demo-1.0-py3-none-any.whl").exists(), done


def test_npm(caller, project, tool):
    tool("npm")
    caller.file(project / "package.json", '{"name": "x", "version": "1.0.0", "dependencies": {"demo": "1.0.0"}}')
    command = "npm install --cafile=ca.pem --no-audit --no-fund --no-update-notifier"
    done = caller.jail("fetch.toml", "sh", "-ec", command, cwd=project)
    assert (project / "node_modules/demo/package.json").exists(), done


def test_go(caller, project, tool):
    tool("go")
    caller.file(project / "go.mod", "module example.org/x\n\nrequire example.org/demo v1.0.0\n")
    # The lab has no key of the database of sums.
    command = "SSL_CERT_FILE=$PWD/ca.pem GONOSUMDB=* GOFLAGS=-mod=mod go mod download example.org/demo && find /tmp/go/pkg/mod -name demo.go"
    done = caller.jail("fetch.toml", "sh", "-ec", command, cwd=project)
    assert done.stdout.strip().endswith("demo@v1.0.0/demo.go"), done


def test_what_git_executes_stays(caller, project, tool):
    subprocess.run([tool("git"), "init", "-q"], cwd=project, check=True)
    done = caller.jail("fetch.toml", "sh", "-c", "echo x >.git/hooks/pre-commit", cwd=project, status=None)
    assert "Read-only file system" in done.stderr
