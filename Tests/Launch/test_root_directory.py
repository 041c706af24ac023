"""root = "/a/directory": that directory becomes /, read-only unless `writable = true`."""

import os
import threading
import time

import pytest

from harness.patience import patient
from harness.tree import photograph, rooted, tree


def test_it_becomes_the_root(caller):
    place = tree(caller)
    assert caller.shell(rooted(place), "cat /etc/hostname; ls /").ok.stdout.splitlines()[0] == "tree"


def test_it_is_read_only(caller):
    place = tree(caller)
    place.chmod(0o777)
    run = caller.shell(rooted(place), "echo x > /x")
    assert run.status != 0 and "Read-only" in run.stderr and not (place / "x").exists()
    assert "ro" in caller.facts(rooted(place)).mounts["/"]


def test_it_can_be_written_where_the_spec_says_so(caller):
    place = tree(caller)
    place.chmod(0o777)
    caller.shell(rooted(place, "writable = true"), "echo x > /x").ok
    assert (place / "x").read_text() == "x\n"
    assert {"nosuid", "nodev"} <= caller.facts(rooted(place, "writable = true")).mounts["/"]


def test_missing_mount_points_are_made_without_touching_it(caller):
    place = tree(caller)
    before = photograph(place)
    data = caller.directory()
    caller.file(data / "file", "seen\n")
    spec = rooted(place, f'rw = ["{data}:/srv/a/b/data", "{data}/file:/etc/a/file"]')
    run = caller.shell(spec, "cat /srv/a/b/data/file /etc/a/file")
    assert run.ok.stdout == "seen\nseen\n"
    assert photograph(place) == before


def test_missing_mount_points_below_a_read_only_bind_are_made_without_touching_it(caller):
    data, inner = caller.directory(), caller.directory()
    caller.file(data / "outer", "outer\n")
    caller.file(inner / "inner", "inner\n")
    before = photograph(data)
    spec = f'[filesystem]\nro = ["{data}:/opt/data", "{inner}:/opt/data/deep/er"]'
    assert caller.shell(spec, "cat /opt/data/outer /opt/data/deep/er/inner").ok.stdout == "outer\ninner\n"
    assert photograph(data) == before


def test_what_stood_beside_a_made_mount_point_is_still_there(caller):
    place = tree(caller)
    for name in ("one", "two"):
        caller.file(place / "etc" / name, name)
    (place / "etc/link").symlink_to("one")
    spec = rooted(place, mounts='[[mount]]\ntarget="/etc/made"\ntype="dir"')
    run = caller.shell(spec, "cat /etc/one /etc/two /etc/link; ls -d /etc/made")
    assert run.ok.stdout == "onetwoone/etc/made\n"


def test_a_missing_directory_is_named(caller):
    run = caller.run('\n[filesystem]\nroot = "/no/such/tree"', "/bin/true")
    assert (
        run.status == 125 and "/no/such/tree" in run.stderr and "spec.toml:3" in run.stderr and "ENOENT" in run.stderr
    )


def test_a_file_is_no_root(caller):
    file = caller.file(caller.directory() / "file")
    run = caller.run(f'[filesystem]\nroot = "{file}"', "/bin/true")
    assert run.status == 125 and "it is a file" in run.stderr, run


def test_c56_a_root_that_is_a_symlink_is_followed_once_by_the_launcher_or_refused(caller):
    place = tree(caller)
    link = caller.directory() / "link"
    link.symlink_to(place)
    run = caller.shell(rooted(link), "cat /etc/hostname")
    assert (run.status, run.stdout) == (0, "tree\n") or (
        run.status == 125 and "symlink" in run.stderr + "symbolic link"
    ), run


def test_c56_a_root_that_is_swapped_while_starting_is_one_or_the_other(caller):
    place, other = tree(caller), tree(caller)
    (other / "etc/hostname").write_text("other\n")
    stop = threading.Event()

    def swap():
        aside = str(place) + ".aside"
        while not stop.is_set():
            os.rename(place, aside)
            os.rename(other, place)
            os.rename(place, other)
            os.rename(aside, place)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(15):
            run = caller.shell(rooted(place), "cat /etc/hostname")
            assert run.status == 125 or run.stdout in ("tree\n", "other\n"), run
    finally:
        stop.set()
        thread.join()


def test_c09_account_files_that_are_fifos_do_not_hang(caller):
    place = tree(caller)
    for name in ("passwd", "group"):
        os.mkfifo(place / "etc" / name)
    begin = time.monotonic()
    run = caller.run(rooted(place, mounts='[identity]\nuser = "someone"'), "/bin/echo", "ran", timeout=5)
    assert time.monotonic() - begin < patient(2)
    assert run.status == 125 and run.stdout == ""
    caller.run(rooted(place), "/bin/true", timeout=5).ok


def test_c09_account_files_that_are_devices_or_huge_do_not_hang(caller):
    place = tree(caller)
    (place / "etc/passwd").symlink_to("/dev/zero")
    (place / "etc/group").write_text("")
    run = caller.run(rooted(place, mounts='[identity]\nuser = "someone"'), "/bin/echo", "ran", timeout=5)
    assert run.status == 125 and run.stdout == ""


def test_c08_names_are_not_resolved_by_what_the_tree_holds(caller):
    place = tree(caller)
    (place / "etc/nsswitch.conf").write_text("passwd: evil\n")
    (place / "etc/ld.so.preload").write_text("/evil.so\n")
    run = caller.shell(rooted(place), "cat /etc/hostname")
    # ld.so of the command names the missing library; the launcher itself loads nothing.
    assert (run.status, run.stdout) == (0, "tree\n")
    assert "immure" not in run.stderr


def test_a_tree_that_is_not_readable_is_named(user):
    place = tree(user)
    place.chmod(0)
    run = user.run(rooted(place), "/bin/true")
    place.chmod(0o755)
    assert run.status in (125, 126, 127) and run.stderr != ""


def test_a_root_of_nothing_still_takes_mounts(caller):
    place = caller.directory()
    spec = rooted(
        place,
        mounts='[[mount]]\ntarget="/bin"\ntype="symlink"\nto="usr/bin"\n[[mount]]\ntarget="/lib64"\ntype="symlink"\nto="usr/lib64"\n[[mount]]\ntarget="/lib"\ntype="symlink"\nto="usr/lib"',
    )
    assert caller.shell(spec, "echo /*").ok.stdout.split() == [
        "/bin",
        "/dev",
        "/lib",
        "/lib64",
        "/proc",
        "/tmp",
        "/usr",
    ]
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("root", [".", "./", ".."])
def test_c56_a_relative_root_is_refused_or_meant_from_the_spec(caller, root):
    run = caller.run(f'[filesystem]\nroot = "{root}"', "/bin/true")
    assert run.status in (125, 127) and "spec.toml:2" in run.stderr or run.status == 127
