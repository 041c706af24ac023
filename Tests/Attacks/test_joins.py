"""Namespaces that are joined by path: who may lead a launch to another one than its spec names, and what a file that is none does."""

import ctypes
import os
import signal
import threading

import pytest

from harness import linux
from harness.patience import patient, until

READ = ("/bin/readlink", "/proc/self/ns/net")


def holder(who, more=()):
    """A process in a network of its own."""
    process = who.popen(["unshare", *more, *([] if who.is_root else ["-Ur"]), "-n", "sh", "-c", "echo ready; exec sleep 1000"])
    assert process.stdout.readline() == b"ready\n", process.stderr.read()
    return process


@pytest.fixture
def held(caller):
    process = holder(caller)
    yield process.pid
    process.kill()
    process.communicate()


def joining(caller, path, pid=None, more=""):
    """A spec that joins what is at the path; an ordinary user joins the user namespace that owns it as well."""
    user = f'user = "/proc/{pid}/ns/user"\n' if pid and not caller.is_root else ""
    return f'{more}[namespaces]\n{user}net = "{path}"\n'


def refused(run, *words):
    assert run.status == 125 and run.stdout == "" and all(word in run.stderr for word in words), run
    return run


# Links


def test_root_follows_no_link_of_another_to_a_namespace(root, user, ordinary):
    work, theirs = root.directory(), holder(user)
    try:
        os.symlink(f"/proc/{theirs.pid}/ns/net", work / "ns")
        os.chown(work / "ns", ordinary.pw_uid, ordinary.pw_gid, follow_symlinks=False)
        refused(root.run(joining(root, work / "ns"), *READ), f"{work}/ns is a symbolic link of uid {ordinary.pw_uid}, and root", "spec.toml:2")
        os.chown(work / "ns", 0, 0, follow_symlinks=False)
        assert root.run(joining(root, work / "ns"), *READ).ok.stdout.strip() == os.readlink(f"/proc/{theirs.pid}/ns/net")
    finally:
        theirs.kill()
        theirs.communicate()


def test_no_link_is_followed_that_the_jail_may_have_made(caller, held):
    work = caller.open_directory()
    caller.shell(f'[filesystem]\nrw = ["{work}:/src"]', f"ln -s /proc/{held}/ns/net /src/ns").ok
    more = f'filesystem.rw = ["{work}:/src"]\n'
    refused(caller.run(joining(caller, work / "ns", held, more), *READ), f"{work}/ns is a symbolic link of uid", f"below {work}, where the jail may write")


def test_no_link_of_another_is_followed_in_a_directory_of_everybodys(caller, held, stranger):
    work = caller.directory(0o1777)
    os.symlink(f"/proc/{held}/ns/net", work / "ns")
    uid = getattr(stranger, "pw_uid", stranger)
    os.chown(work / "ns", uid, uid, follow_symlinks=False)
    refused(caller.run(joining(caller, work / "ns", held), *READ), f"{work}/ns is a symbolic link of uid {uid}")


def test_ones_own_links_are_followed(caller, held):
    work = caller.directory()
    os.symlink(f"/proc/{held}/ns", work / "all")
    os.symlink("all/net", work / "ns")
    for name in ("all", "ns"):
        os.chown(work / name, caller.uid, caller.gid, follow_symlinks=False)
    assert caller.run(joining(caller, work / "ns", held), *READ).ok.stdout.strip() == os.readlink(f"/proc/{held}/ns/net")


# Files that are none


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a device")
def test_what_is_no_namespace_is_not_opened(caller):
    """To open a device may do something: a watchdog, a tape."""
    place = caller.directory()
    os.mkfifo(place / "fifo")
    caller.file(place / "file", "x")
    os.mknod(place / "device", 0o020666, os.makedev(1, 3))
    os.chmod(place / "device", 0o666)
    for path in (place / "fifo", place / "file", place / "device", place):
        with opened(path) as seen:
            refused(caller.run(joining(caller, path), *READ), f"{path} is no namespace", "spec.toml:2")
            assert not seen(), path


class opened:
    """Whether a file was opened while the block runs, inotify(7)."""

    def __init__(self, path):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.path = str(path)

    def __enter__(self):
        self.number = self.libc.inotify_init1(os.O_NONBLOCK)
        assert self.libc.inotify_add_watch(self.number, self.path.encode(), 0x20) >= 0
        return self.seen

    def seen(self):
        try:
            # Of a directory: itself, not what is in it.
            block = os.read(self.number, 4096)
        except BlockingIOError:
            return False
        return int.from_bytes(block[12:16], "little") == 0

    def __exit__(self, *_):
        os.close(self.number)


def test_a_process_is_no_namespace(caller, held):
    """setns(2) takes a pidfd for the namespaces of its process."""
    handle = os.pidfd_open(held)
    os.set_inheritable(handle, True)
    try:
        path = f"/proc/self/fd/{handle}"
        run = refused(caller.finish(caller.start(joining(caller, path, held), *READ, pass_fds=[handle])), "is no namespace")
        assert "not in force" not in run.stderr, run
    finally:
        os.close(handle)


def test_a_namespace_of_another_kind(caller, held):
    refused(caller.run(joining(caller, f"/proc/{held}/ns/uts", held), *READ), f"/proc/{held}/ns/uts", "setns")


# Owners


def test_a_namespace_of_another_user(user, root, stranger):
    """Neither that of the host's root, by a file that everybody may open, nor one that another user's user namespace owns."""
    theirs = holder(root)
    try:
        place = root.directory()
        (place / "ns").touch()
        linux.mount(f"/proc/{theirs.pid}/ns/net", str(place / "ns"), flags=linux.MS_BIND)
        try:
            refused(user.run(joining(user, place / "ns"), *READ), "setns", "EPERM", f"{place}/ns")
            assert root.run(joining(root, place / "ns"), *READ).ok.stdout.strip() == os.readlink(f"/proc/{theirs.pid}/ns/net")
        finally:
            linux.umount(str(place / "ns"))
        refused(user.run(joining(user, f"/proc/{theirs.pid}/ns/net"), *READ), "EACCES")
    finally:
        theirs.kill()
        theirs.communicate()


# Races


def test_a_path_that_changes_all_the_time(caller):
    """It leads to one of two namespaces, to a file or to nothing: the one that was opened is joined, or none."""
    first, second = holder(caller), holder(caller)
    work = caller.directory()
    numbers = {os.readlink(f"/proc/{process.pid}/ns/net") for process in (first, second)}
    targets = [f"/proc/{first.pid}/ns/net", f"/proc/{second.pid}/ns/net", "/etc/passwd", "/proc/self/ns/uts", "nothing"]
    over = threading.Event()

    def change():
        count = 0
        while not over.is_set():
            os.symlink(targets[count % len(targets)], work / "next")
            os.chown(work / "next", caller.uid, caller.gid, follow_symlinks=False)
            os.rename(work / "next", work / "ns")
            count += 1

    rival = threading.Thread(target=change)
    rival.start()
    try:
        until(lambda: (work / "ns").is_symlink())
        found = []
        for _ in range(40):
            run = caller.run(joining(caller, work / "ns", first.pid), *READ)
            assert run.status in (0, 125), run
            if run.status == 0:
                found.append(run.stdout.strip())
            else:
                assert run.stdout == "" and "spec.toml:" in run.stderr, run
        assert set(found) <= numbers
    finally:
        over.set()
        rival.join()
        for process in (first, second):
            process.kill()
            process.communicate()


def test_a_holder_that_ends_as_it_is_joined(caller):
    """Its /proc entry may be gone, or another process's, between two looks: a namespace of the spec's, or none."""
    for _ in range(20):
        process = holder(caller)
        number = os.readlink(f"/proc/{process.pid}/ns/net")
        launch = caller.start(joining(caller, f"/proc/{process.pid}/ns/net", process.pid), *READ)
        process.send_signal(signal.SIGKILL)
        run = caller.finish(launch)
        process.communicate(timeout=patient(5))
        assert (run.status, run.stdout.strip()) == (0, number) or run.status == 125 and run.stdout == "", run
