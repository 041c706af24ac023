"""seccomp.log and kill tell the paths and addresses that calls lead to, once for each (C126)."""

import re

OPEN = """
import os, socket, sys
for name in ("/etc/passwd", "/etc/hostname", "/etc/passwd", "/nonexistent/\\u00fc\\n", "/etc/" + "x" * 300):
    try: os.close(os.open(name, os.O_RDONLY))
    except OSError: pass
def reach(family, address):
    with socket.socket(family, socket.SOCK_DGRAM if family != socket.AF_UNIX else socket.SOCK_STREAM) as s:
        try: s.connect(address)
        except OSError: pass
reach(socket.AF_INET, ("127.0.0.1", 4711))
reach(socket.AF_INET, ("127.0.0.1", 4711))
reach(socket.AF_INET6, ("::1", 80))
reach(socket.AF_UNIX, "/run/x.sock")
reach(socket.AF_UNIX, "\\0abstract")
"""


def told(run):
    return re.findall(r"^immure: note: logged by seccomp: (.*?): .*?spec\.toml:\d+:\d+, seccomp", run.stderr, re.M)


def test_paths_and_addresses_are_shown_once_each(caller):
    run = caller.run('[seccomp]\nlog = ["openat", "connect"]', "/usr/bin/python3", "-I", "-S", "-c", OPEN)
    assert run.status == 0, run
    lines = told(run)
    assert len([line for line in lines if '"/etc/passwd"' in line]) == 1, run
    assert 'openat(AT_FDCWD, "/etc/passwd", O_CLOEXEC, 0)' in lines, run
    assert any('"/etc/hostname"' in line for line in lines)
    assert any('"/nonexistent/ü\\n"' in line or '"/nonexistent/ü\\\\n"' in line for line in lines), run
    long = [line for line in lines if "/etc/xxx" in line]
    assert len(long) == 1 and "…" in long[0] and len(long[0]) < 200
    connects = [re.sub(r"connect\(\d+, (.*), \d+\)", r"\1", line) for line in lines if line.startswith("connect(")]
    assert connects == ["127.0.0.1:4711", "[0:0:0:0:0:0:0:1]:80", '"/run/x.sock"', '"@abstract"'], run
    assert re.search(r"connect\(\d, 127\.0\.0\.1:4711, 16\): .*spec\.toml:2:\d+: 1 more times", run.stderr), run


def test_it_is_bounded(caller):
    code = "import os\nfor i in range(600):\n try: os.stat(f'/tmp/{i}')\n except OSError: pass"
    run = caller.run('[seccomp]\nlog = ["newfstatat", "stat"]', "/usr/bin/python3", "-I", "-S", "-c", code, timeout=30)
    assert run.status == 0 and len(told(run)) == 256 and re.search(r"logged by seccomp: \d+ calls of other kinds", run.stderr), run.stderr[-500:]


def test_a_killed_call_shows_its_path(caller):
    run = caller.run('[seccomp]\nkill = ["mkdir"]', "/usr/bin/python3", "-I", "-S", "-c", "import os; os.mkdir('/tmp/here')")
    assert run.status == 159 and 'killed by seccomp: mkdir("/tmp/here", 511)' in run.stderr, run


def test_what_cannot_be_read_stays_a_number(caller):
    code = "import ctypes; ctypes.CDLL(None).syscall(83, ctypes.c_void_p(0x10), 0o700)"
    run = caller.run('[seccomp]\nlog = ["mkdir"]', "/usr/bin/python3", "-I", "-c", code)
    assert run.status == 0 and "mkdir(16, 448)" in run.stderr, run
