"""What the manual says of what is shared with the host all the same, and of what closes it."""

import fcntl
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from harness.must import needs


def test_a_hard_link_of_a_hidden_file_is_not_covered(caller):
    place = caller.directory()
    (place / "a").mkdir()
    (place / "b").mkdir()
    caller.file(place / "a/key", "secret", 0o644)
    os.link(place / "a/key", place / "b/key")
    run = caller.shell(f'[filesystem]\nro = ["{place}:/w"]\nhide = ["/w/a/key"]', "cat /w/a/key; cat /w/b/key")
    assert run.stdout == "secret" and "/w/a/key" in run.stderr, run
    run = caller.shell(f'[filesystem]\nro = ["{place}:/w"]\nhide = ["/w/a/key", "/w/b/key"]', "cat /w/a/key /w/b/key")
    assert run.stdout == "", run


def test_a_single_file_can_be_written_to_and_not_replaced(caller):
    file = caller.file(caller.directory() / "file", "old\n", 0o666)
    text = f'[filesystem]\nrw = ["{file}:/w/file"]'
    run = caller.shell(text, "echo new >/w/file; sed -i s/new/newer/ /w/file")
    assert run.status != 0 and file.read_text() == "new\n", run
    moved = caller.python(text, "import errno, json, os\nos.chdir('/tmp'); open('x', 'w')\ntry: os.rename('/w/file', '/w/other')\nexcept OSError as e: print(json.dumps(errno.errorcode[e.errno]))")
    assert moved in ("EBUSY", "EROFS")


def test_what_landlock_does_not_keep_from_being_executed(caller):
    place = caller.directory()
    shutil.copy("/usr/bin/echo", place / "echo")
    (place / "echo").chmod(0o755)
    landlock = '[landlock]\nrx = ["/usr", "/lib64"]\nrw = ["/dev", "/tmp"]\nro = ["/w"]\n'
    text = f'[[mount]]\nsource = "{place}"\ntarget = "/w"\noptions = ["ro"{{}}]\n' + landlock
    loader = ("/lib64/ld-linux-x86-64.so.2", "/w/echo", "ran")
    assert caller.run(text.format(""), "/w/echo", "ran").status == 126
    assert caller.run(text.format(""), *loader).ok.stdout == "ran\n"
    assert caller.run(text.format(', "noexec"'), *loader).status == 127
    memfd = "import os\nfd = os.memfd_create('x')\nos.write(fd, open('/w/echo', 'rb').read())\nos.execv(f'/proc/self/fd/{fd}', ['echo', 'ran'])"
    run = caller.run(text.format(', "noexec"').replace('ro = ["/w"]', 'ro = ["/w", "/proc"]'), "/usr/bin/python3", "-I", "-S", "-c", memfd)
    assert run.ok.stdout == "ran\n"


def test_others_can_be_watched_and_locked_out(user):
    """By files that both see: a host's program of /usr, and a file of /etc."""
    code = """
import ctypes, fcntl, os, sys
libc = ctypes.CDLL(None)
watch = libc.inotify_init1(0)
assert libc.inotify_add_watch(watch, b"/usr/bin/true", 0x20) >= 0
lock = open("/etc/hostname")
fcntl.flock(lock, fcntl.LOCK_EX)
print("ready", flush=True)
os.read(watch, 4096)
print("seen", flush=True)
"""
    process = user.start(None, "/usr/bin/python3", "-I", "-S", "-c", code)
    try:
        assert process.stdout.readline() == b"ready\n"
        with open("/etc/hostname") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        subprocess.run(["/usr/bin/true"], check=True)
        assert process.stdout.readline() == b"seen\n"
    finally:
        user.finish(process)


def test_what_proc_shows_of_the_machine(caller):
    script = "cat /proc/cmdline >/dev/null && cat /proc/sys/kernel/random/boot_id"
    assert caller.shell(None, script).ok.stdout == Path("/proc/sys/kernel/random/boot_id").read_text()
    for name in ("interrupts", "acpi", "asound", "scsi"):
        if not os.path.exists(f"/proc/{name}"):
            continue
        for text in ("", "[identity]\nuser = 0\n", '[[mount]]\ntype = "proc"\ntarget = "/p"\n'):
            place = "/p" if "/p" in text else "/proc"
            if os.path.isdir(f"/proc/{name}"):
                assert caller.shell(text, f"ls -A {place}/{name}").stdout == ""
            else:
                run = caller.shell(text, f"cat {place}/{name}")
                assert run.status != 0 and run.stdout == "" and "Permission denied" in run.stderr, run
    # Where jails are to nest nothing of proc is covered, and where the spec shows it, it is there.
    needs(os.path.exists("/proc/interrupts"), "see interrupts")
    if not caller.is_root:
        assert caller.shell("[namespaces]\nnested = true", "cat /proc/interrupts").ok.stdout
    assert caller.shell('[filesystem]\nro = ["/proc/interrupts"]', "cat /proc/interrupts").ok.stdout


def test_what_a_new_sysfs_shows_of_the_machine(caller):
    text = '[[mount]]\ntype = "sysfs"\ntarget = "/sys"\n'
    for name in ("firmware", "devices/virtual/powercap"):
        if os.path.exists(f"/sys/{name}"):
            assert caller.shell(text, f"ls -A /sys/{name}").stdout == ""
            assert caller.shell('[filesystem]\nroot = "host"', f"ls -A /sys/{name}").stdout == ""


def test_ssh_takes_no_file_of_nobodys(user):
    needs(shutil.which("ssh") and os.path.ismount("/etc"), "change /etc/ssh, or run ssh")
    place = Path("/etc/ssh/ssh_config.d")
    place.mkdir(parents=True, exist_ok=True)
    Path("/etc/ssh/ssh_config").write_text("Include /etc/ssh/ssh_config.d/*.conf\n")
    (place / "hints.conf").write_text("Host *\n")
    try:
        run = user.run(None, "ssh", "-G", "example.org")
        assert run.status != 0 and "Bad owner or permissions" in run.stderr, run
        for text, options in (('[filesystem]\nhide = ["/etc/ssh/ssh_config.d"]', ()), ("", ("-F", "/dev/null"))):
            assert "hostname example.org" in user.run(text, "ssh", *options, "-G", "example.org").ok.stdout
    finally:
        (place / "hints.conf").unlink()
