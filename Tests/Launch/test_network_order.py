"""What of a network comes before what: rules before the interface, the interface before the command. pasta starts beside nft(8), and is held
back in the call that makes its interface."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from harness import linux
from harness.covered import covered
from harness.lab import network  # noqa: F401
from harness.must import needs
from harness.patience import patient, until

USER = '[network]\nmode = "user"\n'
TUNNEL = "/dev/net/tun"


def holders(path):
    """The descendants that have it open."""
    found = []
    for pid in linux.descendants():
        try:
            if any(os.readlink(f"/proc/{pid}/fd/{number}") == path for number in os.listdir(f"/proc/{pid}/fd")):
                found.append(pid)
        except OSError:
            pass
    return found


def links(pid):
    """The interfaces of the network that a process is in."""
    words = ["nsenter", "-t", str(pid), "-n", "ip", "-br", "link"]
    return {line.split()[0].split("@")[0] for line in subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()}


def inside():
    """A descendant in a network of its own, and in a mount namespace of its own: the jail's first process."""
    own = os.readlink("/proc/self/ns/net")
    for pid, (_, line) in linux.descendants().items():
        try:
            if "immure" in line and os.readlink(f"/proc/{pid}/ns/net") != own:
                return pid
        except OSError:
            pass
    return None


@contextlib.contextmanager
def held(program, script, caller):
    """A program of the host that reads a word from `fifo`, in the place that is given, as the script says."""
    with covered(program, script, caller) as place:
        os.mkfifo(place / "fifo")
        (place / "fifo").chmod(0o644)
        yield place


def ends(caller, end, condition):
    """A launch that a signal comes to once that is so: nothing of the command has run, and nobody is left."""
    launch = caller.start(USER, "echo", "ran")
    until(condition)
    launch.send_signal(end)
    out, _ = launch.communicate(timeout=patient(10))
    assert out == b"" and linux.survivors(1) == {}


@pytest.mark.parametrize("end", ["go", "fail"])
def test_no_interface_before_the_rules(caller, network, end):
    with held("nft", '[ "$1" = -f ] || exec {0}/real "$@"\nread word <{0}/fifo\n[ $word = go ] && exec {0}/real "$@"\necho no rules >&2\nexit 1\n', caller) as place:
        launch = caller.start(USER, "echo", "ran")
        # pasta has come as far as it can.
        until(lambda: holders(TUNNEL) and inside())
        assert links(inside()) == {"lo"}
        (place / "fifo").write_text(end + "\n")
        out, err = launch.communicate(timeout=patient(10))
    if end == "go":
        assert (launch.returncode, out, err) == (0, b"ran\n", b"")
    else:
        assert launch.returncode == 125 and out == b"" and b"nft: no rules" in err, err
        assert linux.survivors(1) == {}


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_launch_ends_while_the_interface_waits(caller, network, end):
    with held("nft", "read word <{0}/fifo\n", caller):
        ends(caller, end, lambda: holders(TUNNEL))


def test_what_was_started_ends_where_the_namespaces_cannot_be_made(caller, network):
    """pasta and what becomes nft(8) are started before them."""
    caller.wrapper = ("unshare", "-Ur", "sh", "-c", 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"', "sh")
    try:
        refused = caller.run(USER, "echo", "ran")
    finally:
        caller.wrapper = ()
    assert refused.status == 125 and refused.stdout == "" and "create namespaces" in refused.stderr and "ENOSPC" in refused.stderr, refused
    assert linux.survivors(1) == {}


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_launch_ends_while_pasta_has_not_come_to_its_namespaces(caller, network, end):
    """A pasta that is slow: the rules hold by then, and the launch waits for it alone."""
    with held("pasta", "read word <{0}/fifo\nexec {0}/real \"$@\"\n", caller):
        ends(caller, end, inside)


def test_a_slow_pasta_is_given_its_namespaces_when_it_comes(caller, network):
    with covered("pasta", "", caller) as place:
        # It goes by its name.
        (place / "named").mkdir()
        (place / "real").rename(place / "named/pasta")
        (place / "pasta").write_text(f'#!/bin/sh\nsleep 0.3\nexec {place}/named/pasta "$@"\n')
        run = caller.run(USER, "sh", "-c", "grep -c . /proc/net/route")
    assert run.status == 0 and int(run.stdout) > 1, run


@pytest.mark.parametrize("mode, content", [(0o644, None), (0o755, "#!/bin/sh\necho variant >&2\nexit 3\n")], ids=["not executable", "executable"])
def test_pasta_for_another_processor_is_what_pasta_itself_would_be(caller, network, mode, content):
    """It executes the file beside it where that can be, and goes on as it is where not."""
    variant = os.path.realpath(shutil.which("pasta")) + ".avx2"
    needs(os.path.exists(variant) and " avx2 " in Path("/proc/cpuinfo").read_text(), "a pasta for AVX2, and AVX2")
    cover = Path(tempfile.mkdtemp(dir=caller.base)) / "variant"
    cover.write_text(content) if content else shutil.copy(variant, cover)
    cover.chmod(mode)
    linux.mount(str(cover), variant, flags=linux.MS_BIND)
    try:
        run = caller.run(USER, "sh", "-c", "grep -c . /proc/net/route")
    finally:
        linux.umount(variant)
    if content:
        assert run.status == 125 and "pasta ended: variant" in run.stderr, run
    else:
        assert run.status == 0 and int(run.stdout) > 1, run


def test_a_stack_that_ends_before_its_interface(caller, network):
    with covered("pasta", "echo not today >&2\nexit 3\n", caller):
        refused = caller.run(USER, "echo", "ran")
    assert refused.status == 125 and refused.stdout == "" and "pasta" in refused.stderr and "not today" in refused.stderr, refused


def test_a_stack_that_never_asks_for_an_interface_is_not_waited_for_beyond_the_deadline(caller, network):
    with covered("pasta", "exec sleep 1000\n", caller):
        run = caller.run('timeout = "500ms"\n' + USER, "echo", "ran", timeout=20)
    assert run.status == 124 and run.stdout == "" and "timeout" in run.stderr and linux.survivors(1) == {}, run


#: Starts a program whose system calls somebody may be asked about: no further filter that asks can be installed then.
LISTENED = textwrap.dedent(
    """
    import ctypes, os, struct, sys

    libc = ctypes.CDLL(None, use_errno=True)
    allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
    program = struct.pack("HxxxxxxP", 1, ctypes.addressof(allow))
    libc.prctl(38, 1, 0, 0, 0)
    listener = libc.syscall({"x86_64": 317, "aarch64": 277}[os.uname().machine], 1, 8, program)
    assert listener >= 0, os.strerror(ctypes.get_errno())
    child = os.fork()
    if child == 0: os.execv(sys.argv[1], sys.argv[1:])
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
)


def test_where_no_filter_can_ask_pasta_starts_after_the_rules(caller, network):
    caller.wrapper = (sys.executable, "-c", LISTENED)
    try:
        with held("nft", '[ "$1" = -f ] || exec {0}/real "$@"\nread word <{0}/fifo\nexec {0}/real "$@"\n', caller) as place:
            launch = caller.start(USER, "sh", "-c", "grep -c . /proc/net/route")
            until(inside)
            assert links(inside()) == {"lo"} and not holders(TUNNEL)
            (place / "fifo").write_text("go\n")
            out, err = launch.communicate(timeout=patient(10))
    finally:
        caller.wrapper = ()
    assert launch.returncode == 0 and int(out) > 1, err
