"""watch.toml: sockets and programs are told, tracing ends whoever tries it."""

import json

SOCKETS = """
import socket
for _ in range(3):
    try: socket.create_connection(("127.0.0.1", 1))
    except OSError as error: print(type(error).__name__)
"""

TRACE = "import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0); print('went on')"


def test_what_is_logged(caller, work):
    done = caller.jail(
        "watch.toml", "sh", "-c", 'python3 -c "$0"', SOCKETS, cwd=work
    )
    assert done.stdout == "ConnectionRefusedError\n" * 3
    assert "logged by seccomp: socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 6): " in done.stderr
    assert "watch.toml:" in done.stderr and "(python3, pid " in done.stderr
    assert "logged by seccomp: connect(3, 127.0.0.1:1, 16): " in done.stderr and "2 more times" in done.stderr


def test_the_result_counts(caller, work):
    caller.run(
        "immure", "run", "--result", "result.json", caller.spec("watch.toml"), "--", "sh", "-c", "ls; ls; ls", cwd=work
    )
    logged = [call for call in json.loads((work / "result.json").read_text())["logged"] if call["call"] == "execve"]
    assert sum(call["count"] for call in logged) >= 4


def test_who_traces_ends(caller, work):
    done = caller.jail("watch.toml", "python3", "-c", TRACE, cwd=work, status=159)
    assert done.stdout == ""
    assert "killed by seccomp: ptrace(PTRACE_TRACEME): " in done.stderr and "watch.toml:" in done.stderr
