"""redis.toml: reached over a socket from outside, over loopback from inside, over no network."""

import signal
import subprocess
import time

import pytest

from harness.patience import patient
from inside import closed, look


@pytest.fixture
def data(caller, work, tool):
    tool("redis-server")
    caller.directory(work / "redis")
    return work


def cli(work, *words):
    command = ["/usr/bin/redis-cli", "-s", work / "redis/redis.sock", *words]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def wait_for(work, process, seconds=10):
    end = time.monotonic() + patient(seconds)
    while cli(work, "ping") != "PONG":
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"no answer; status {process.returncode}\n{out}\n{err}")
        time.sleep(0.05)


def test_keeps_data(caller, data):
    for turn in ("first", "second"):
        server = caller.start("immure", "run", caller.spec("redis.toml"), cwd=data)
        try:
            wait_for(data, server)
            if turn == "first":
                assert cli(data, "set", "where", "in a jail") == "OK"
            assert cli(data, "get", "where") == "in a jail"
            assert cli(data, "save") == "OK"
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=patient(20)) == 0
        finally:
            server.kill()
            server.communicate()
    assert (data / "redis/dump.rdb").stat().st_uid == caller.inside


def test_loopback_inside(caller, data):
    command = r"""
redis-server --bind 127.0.0.1 --port 6379 --dir /redis --save '' >/dev/null &
for turn in $(seq 100); do
    redis-cli -h 127.0.0.1 ping 2>/dev/null | grep PONG && exit
    sleep 0.05
done
exit 1
"""
    assert caller.jail("redis.toml", "sh", "-c", command, cwd=data).stdout == "PONG\n"


def test_closed(caller, data):
    closed(look(caller, "redis.toml", data), caller, writable={"/redis"})
