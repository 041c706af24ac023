"""Namespaces and id maps that a host refuses: each cause is told apart."""

import os
import re
import shutil

import pytest

from harness import linux
from harness.must import needs

HINT = re.compile(r"^(immure: )?hint: \S", re.M)


def test_user_namespaces_refused_by_a_filter_are_hinted_at(user, compiled):
    user.wrapper = (compiled("shim"), "userns=1", "--")
    run = user.run(None, "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and HINT.search(run.stderr), run
    # Containers' filters hide clone3 with ENOSYS and refuse the rest with EPERM.
    assert re.search("EPERM|ENOSYS", run.stderr) and re.search("namespace|seccomp", run.stderr), run


def without(user, kind):
    """A launch in a user namespace of the test's own that has none of that kind left: the host's limit is not touched."""
    argv, _ = user.line(None, ["/bin/echo", "ran"])
    # Capabilities for the write, and none for the launcher.
    words = f'echo 0 > /proc/sys/user/max_{kind}_namespaces && exec setpriv --ambient-caps -all --inh-caps -all "$@"'
    shell = ["unshare", "-U", "--map-current-user", "--keep-caps", "/bin/sh", "-c", words, "sh"]
    return user.finish(user.popen([*shell, *argv]))


def test_uid_0_of_a_user_namespace_alone_is_no_privilege(user):
    # `unshare -Ur` makes a root that owns no mount namespace: it is to be launched for as an ordinary user is.
    argv, _ = user.line(None, ["/bin/echo", "ran"])
    assert user.finish(user.popen(["unshare", "-Ur", *argv])).ok.stdout == "ran\n"


def test_no_user_namespaces_left_is_told_apart(user):
    run = without(user, "user")
    assert run.status == 125 and run.stdout == "" and "ENOSPC" in run.stderr and HINT.search(run.stderr), run
    assert re.search(r"hint: .*(max_user_namespaces|user namespaces)", run.stderr), run


@pytest.mark.parametrize("kind", ["mnt", "pid", "net", "uts", "ipc", "cgroup"])
def test_no_other_namespaces_left_is_told_apart(user, kind):
    run = without(user, kind)
    assert run.status == 125 and run.stdout == "" and "ENOSPC" in run.stderr and HINT.search(run.stderr), run
    assert re.search(rf"hint: .*(max_{kind}_namespaces|{kind.replace('mnt', 'mount')} namespaces)", run.stderr), run


def test_a_chroot_is_told_apart(root):
    # unshare(CLONE_NEWUSER) in a chroot is EPERM, user_namespaces(7).
    needs(shutil.which("chroot"), "chroot")
    place = root.directory()
    linux.mount("/", place, flags=linux.MS_BIND | linux.MS_REC)
    linux.mount("none", place, flags=linux.MS_REC | linux.MS_PRIVATE)
    try:
        argv, _ = root.line(None, ["/bin/echo", "ran"])
        run = root.finish(root.popen(["chroot", place, *argv]))
        assert run.status == 125 and "EPERM" in run.stderr and HINT.search(run.stderr) and "chroot" in run.stderr, run
    finally:
        linux.umount(place)


def test_a_covered_proc_is_told_apart(user):
    needs(os.getuid() == 0, "cover a part of /proc")
    # A container's masks make every new proc mount EPERM ("mount too revealing"), for whoever is not the first root.
    argv, _ = user.line(None, ["/bin/echo", "ran"])
    words = f'mount -t tmpfs tmpfs /proc/scsi 2>/dev/null || mount -t tmpfs tmpfs /proc/fs || exit 77; exec setpriv --reuid {user.uid} --regid {user.gid} --clear-groups "$@"'
    process = user.popen(
        ["unshare", "-m", "--propagation", "private", "/bin/sh", "-c", words, "sh", *argv], user=0, group=0
    )
    run = user.finish(process)
    needs(run.status != 77, "cover a part of /proc")
    assert (
        run.status == 125
        and run.stdout == ""
        and "proc" in run.stderr
        and "EPERM" in run.stderr
        and HINT.search(run.stderr)
    ), run


# newuidmap

AUTO = '\n[identity]\nuser = 0\ngroup = 0\nuid_map = "auto"\ngid_map = "auto"\n'


def test_no_newuidmap_is_told_apart(user):
    run = user.run(AUTO, "/bin/echo", "ran", env={"PATH": "/nowhere"})
    # Looked for where it belongs whatever PATH says, or named as missing.
    assert (
        run.status == 0
        or run.status == 125
        and "newuidmap" in run.stderr
        and "uidmap" in run.stderr
        and HINT.search(run.stderr)
    ), run


def test_a_newuidmap_of_the_callers_path_is_no_danger_to_root(root):
    place = root.directory()
    root.file(place / "newuidmap", "#!/bin/sh\ntouch " + str(place / "ran"), mode=0o755)
    root.run(AUTO, "/bin/true", env={"PATH": f"{place}:/usr/bin:/bin"})
    assert not (place / "ran").exists()
