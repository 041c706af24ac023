"""writable = true: a private root in memory, the host's tree, or a directory of its own."""

import os

import pytest

PRIVATE = 'filesystem = { root = "empty", writable = true, ro = ["/usr", "/lib", "/lib64", "/bin"] }'


@pytest.mark.parametrize("spec", ["filesystem.writable = true", PRIVATE])
def test_a_private_root_is_written_to_and_gone(caller, spec):
    script = "mkdir -p /opt/new && echo x >/opt/new/f && cat /opt/new/f && echo y >/top && cat /top"
    assert caller.shell(spec, script).ok.stdout == "x\ny\n"
    assert not os.path.exists("/opt/new") and not os.path.exists("/top")
    assert caller.shell(spec, "ls /top").status != 0
    facts = caller.facts(spec)
    assert "rw" in facts.mounts["/"] and {"nosuid", "nodev"} <= facts.mounts["/"]
    assert facts.mounts.types["/"] == "tmpfs"


def test_what_is_mounted_in_it_stays_as_it_is(caller):
    for place in ("/usr", "/etc", "/usr/bin"):
        run = caller.shell("filesystem.writable = true", f"echo x >{place}/immure-test")
        assert "Read-only" in run.stderr or "Permission" in run.stderr, run
        assert not os.path.exists(f"{place}/immure-test")
    facts = caller.facts("filesystem.writable = true")
    assert all("ro" in facts.mounts[place] for place in ("/usr", "/etc"))


def test_it_is_as_large_as_tmp(caller):
    run = caller.shell('filesystem = { writable = true, tmp = "1M" }', "head -c 3000000 /dev/zero >/f; stat -c %s /f")
    assert "No space left" in run.stderr and 0 < int(run.stdout) <= 1 << 20


def test_mount_points_in_it_cannot_be_moved(caller):
    place = caller.open_directory()
    caller.file(place / "key", "secret")
    spec = f'filesystem = {{ writable = true, ro = ["{place}:/srv/data"], hide = ["/srv/data/key"] }}'
    script = "mv /srv /other; cat /srv/data/key /other/data/key; rm -rf /srv/data; mv /other/data /x; :"
    run = caller.shell(spec, script)
    assert "secret" not in run.stdout and (place / "key").read_text() == "secret"


def test_the_hosts_tree(caller):
    place = caller.open_directory()
    spec = 'filesystem = { root = "host", writable = true, tmp = false }'
    run = caller.shell(spec, f"echo x >{place}/f && cat {place}/f")
    assert run.ok.stdout == "x\n" and (place / "f").read_text() == "x\n"
    assert "warning" in run.stderr and "can change the host's files" in run.stderr
    facts = caller.facts(spec)
    assert "rw" in facts.mounts["/"] and {"nosuid", "nodev"} <= facts.mounts["/"]
    assert "ro" in facts.mounts["/sys"]


def test_the_hosts_sys_stays_read_only(caller):
    spec = 'filesystem = { root = "host", writable = true }\nnetwork.mode = "host"'
    facts = caller.facts(spec)
    assert "ro" in facts.mounts["/sys"]
    assert all("ro" in flags for flags in facts.mounts.below("/sys").values())


def test_a_directory(caller):
    tree = caller.open_directory()
    for name in ("usr", "lib", "lib64", "bin"):
        (tree / name).mkdir()
        caller.own(tree / name)
    for name in ("proc", "dev", "tmp"):
        (tree / name).mkdir()
        caller.own(tree / name)
    spec = f'filesystem = {{ root = "{tree}", writable = true, ro = ["/usr", "/lib", "/lib64", "/bin"] }}'
    caller.shell(spec, "echo x >/f").ok
    assert (tree / "f").read_text() == "x\n"
