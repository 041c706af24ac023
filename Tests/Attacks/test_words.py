"""Words of a spec that others passed on to the kernel as they were, and files of /proc that are not procfs (C07, C33, C34)."""

import json
import os

import pytest

from harness.tree import photograph

OPTIONS = ["nodev,context=system_u:object_r:x", "rw,suid", "lowerdir=/etc", "remount", "bind", "shared", "", "ro\nrw", "ro,"]
TYPES = ["xfs", "ext4", "fuse.sshfs", "nfs", "binfmt_misc", "debugfs", "securityfs", "cgroup1", "", "tmpfs,ro"]


@pytest.mark.parametrize("option", OPTIONS)
def test_c34_an_option_is_one_of_a_closed_list(caller, option):
    text = f'[[mount]]\ntarget = "/x"\ntype = "tmpfs"\noptions = [{json.dumps(option)}]\n'
    run = caller.run(text, "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:4:" in run.stderr, run


@pytest.mark.parametrize("kind", TYPES)
def test_c34_a_type_is_one_of_a_closed_list(caller, kind):
    """A type that the kernel does not know yet would have it load a module."""
    run = caller.run(f'[[mount]]\ntarget = "/x"\ntype = {json.dumps(kind)}\nsource = "/etc"\n', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:3:" in run.stderr, run


@pytest.mark.parametrize("name", ["a:b", "a,b", "a\\b", 'a"b', "a\nb", "a b", "lowerdir=x"])
def test_c33_a_name_of_a_source_is_no_option(caller, name):
    """New mounts are configured key by key: a name with the separators of an option string is a name."""
    place = caller.directory() / name
    place.mkdir()
    caller.own(place)
    caller.file(place / "file", "content\n")
    text = f'[[mount]]\ntarget = {json.dumps("/data/" + name)}\nsource = {json.dumps(str(place))}\noptions = ["ro"]\n'
    run = caller.run(text, "/bin/cat", f"/data/{name}/file")
    assert run.ok.stdout == "content\n"
    assert photograph(place)


def test_c07_what_is_planted_at_proc_is_never_written_to(root):
    """runc CVE-2019-16884 and its kin: a /proc that is none is found by its magic, before anything is written to it."""
    fake = root.directory()
    for name in ("self", "1", "sys/user"):
        (fake / name).mkdir(parents=True)
    for name in ("self/uid_map", "self/gid_map", "self/setgroups", "sys/user/max_user_namespaces"):
        root.file(fake / name, "planted\n", 0o666)
    before = photograph(fake)
    words = 'mount --bind "$1" /proc && shift && exec "$@"'
    argv, _ = root.line(None, ["/bin/echo", "ran"])
    line = ["unshare", "-m", "--propagation", "private", "/bin/sh", "-c", words, "sh", fake, *argv]
    run = root.finish(root.popen(line))
    assert run.status == 125 and run.stdout == "" and "procfs" in run.stderr, run
    assert photograph(fake) == before and os.path.exists("/proc/self/status")
