"""A root or a bind must not lead the launcher astray while it sets up; run again where openat2 answers ENOSYS (C11)."""

import ctypes
import os
import threading

import pytest

from harness.tree import photograph, rooted, tree


@pytest.fixture(params=["openat2", "no openat2", "openat2 EPERM"], autouse=True)
def resolver(request, caller, compiled):
    """The same verdicts must come from the walk by descriptors that stands in for openat2."""
    errno = {"openat2": None, "no openat2": 38, "openat2 EPERM": 1}[request.param]
    if errno:
        caller.wrapper = (compiled("shim"), f"openat2={errno}", "--")


@pytest.fixture
def victim(caller):
    place = caller.directory()
    place.chmod(0o777)
    caller.file(place / "file", "untouched")
    return place


KINDS = {
    "dir": 'type="dir"',
    "file": 'type="file"\ncontent="evil"',
    "tmpfs": 'type="tmpfs"',
    "bind": 'type="bind"\nsource="/usr/share"',
    "symlink": 'type="symlink"\nto="evil"',
}
ESCAPES = {
    "absolute": lambda victim: str(victim),
    "up": lambda victim: "../" * 12 + str(victim)[1:],
    "old root": lambda victim: "/oldroot" + str(victim),
    "proc root": lambda victim: "/proc/1/root" + str(victim),
    "proc cwd": lambda victim: "/proc/self/cwd/" + "../" * 12 + str(victim)[1:],
    "proc fd": lambda victim: "/proc/self/fd/3",
}


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_c01_t02_a_parent_that_is_a_symlink_does_not_lead_outside(caller, victim, kind, escape):
    place = tree(caller)
    (place / "data").symlink_to(ESCAPES[escape](victim))
    before = photograph(victim)
    spec = rooted(place, "writable = true", f'[[mount]]\ntarget="/data/x"\n{KINDS[kind]}')
    run = caller.run(spec, "/bin/true")
    assert photograph(victim) == before
    assert run.status in (0, 125), run


@pytest.mark.parametrize("kind", KINDS)
def test_c01_a_target_that_is_a_symlink_does_not_lead_outside(caller, victim, kind):
    place = tree(caller)
    (place / "data").symlink_to(victim)
    (place / "one").symlink_to(victim / "file")
    before = photograph(victim)
    for target in ("data", "one"):
        run = caller.run(rooted(place, "writable = true", f'[[mount]]\ntarget="/{target}"\n{KINDS[kind]}'), "/bin/true")
        assert run.status in (0, 125), run
    assert photograph(victim) == before


def test_c02_t03_a_dev_that_is_a_symlink_does_not_lead_outside(caller, victim):
    for form in (str(victim), "../" * 12 + str(victim)[1:]):
        place = tree(caller)
        (place / "dev").rmdir()
        (place / "dev").symlink_to(form)
        caller.file(victim / "ptmx", "marker")
        before = photograph(victim)
        for more in ("", "writable = true"):
            run = caller.run(rooted(place, more), "/bin/true")
            assert photograph(victim) == before and run.status in (0, 125), run


@pytest.mark.parametrize("name", ["proc", "tmp", "etc", "usr"])
def test_c02_no_other_mount_point_of_ours_leads_outside(caller, victim, name):
    place = tree(caller)
    if name == "etc":
        (place / "etc/hostname").unlink()
    (place / name).rmdir()
    (place / name).symlink_to(victim)
    before = photograph(victim)
    run = caller.run(rooted(place, "writable = true"), "/bin/true")
    assert photograph(victim) == before and run.status in (0, 125, 126, 127), run


def test_c12_t04_symlinks_of_a_tree_are_followed_inside_it(caller):
    place = tree(caller)
    (place / "var/run").symlink_to("/run")
    (place / "var/spool").symlink_to("../run")
    data = caller.directory()
    caller.file(data / "file", "seen\n")
    spec = rooted(place, f'rw = ["{data}:/var/run/x", "{data}:/var/spool//y/", "{data}:/./run/z"]')
    run = caller.shell(spec, "cat /run/x/file /var/run/x/file /run/y/file /var/spool/y/file /run/z/file")
    assert run.ok.stdout == "seen\n" * 5


def test_c12_t04_a_file_at_a_symlinked_lib_lands_in_usr_lib(caller):
    place = tree(caller)
    (place / "opt").mkdir()
    (place / "opt/lib").mkdir()
    (place / "mylib").symlink_to("opt/lib")
    run = caller.shell(
        rooted(place, mounts='[[mount]]\ntarget="/mylib/b"\ntype="file"\ncontent="b"'), "cat /mylib/b /opt/lib/b"
    )
    assert run.ok.stdout == "bb"


def test_c12_the_system_roots_own_symlinks_are_followed(caller):
    run = caller.shell('[[mount]]\ntarget="/lib/immure-test"\ntype="file"\ncontent="b"', "cat /usr/lib/immure-test")
    assert run.ok.stdout == "b"
    assert not os.path.exists("/usr/lib/immure-test")


def test_a_symlink_loop_is_refused_by_name(caller):
    place = tree(caller)
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    run = caller.run(rooted(place, mounts='[[mount]]\ntarget="/a/x"\ntype="dir"'), "/bin/true")
    assert run.status == 125 and "ELOOP" in run.stderr and "spec.toml:" in run.stderr


def test_a_dangling_symlink_is_made_inside_or_refused(caller, victim):
    place = tree(caller)
    (place / "gone").symlink_to(victim / "not-there")
    run = caller.run(rooted(place, "writable = true", '[[mount]]\ntarget="/gone"\ntype="dir"'), "/bin/true")
    assert run.status in (0, 125) and not (victim / "not-there").exists(), run


def test_c03_a_target_swapped_during_the_launch_does_not_lead_outside(caller, victim):
    place = tree(caller)
    (place / "slot").mkdir()
    (place / "evil").symlink_to(victim)
    before = photograph(victim)
    stop, libc = threading.Event(), ctypes.CDLL(None)

    def swap():
        while not stop.is_set():
            # RENAME_EXCHANGE: at no moment is there nothing.
            libc.renameat2(-100, str(place / "slot").encode(), -100, str(place / "evil").encode(), 2)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(12):
            for kind in ("dir", "file", "bind"):
                run = caller.run(
                    rooted(place, "writable = true", f'[[mount]]\ntarget="/slot/x"\n{KINDS[kind]}'), "/bin/true"
                )
                assert run.status in (0, 125), run
    finally:
        stop.set()
        thread.join()
    assert photograph(victim) == before


def test_c04_a_source_swapped_during_the_launch_is_one_or_the_other(caller):
    place = caller.directory()
    for name in ("good", "evil"):
        (place / name).mkdir()
        (place / name / "name").write_text(name)
    os.symlink("evil", place / "link")
    stop, libc = threading.Event(), ctypes.CDLL(None)

    def swap():
        while not stop.is_set():
            libc.renameat2(-100, str(place / "good").encode(), -100, str(place / "link").encode(), 2)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(10):
            run = caller.shell(f'[filesystem]\nro = ["{place}/good:/opt/x"]', "cat /opt/x/name; echo x > /opt/x/new")
            assert run.status == 125 or (run.stdout in ("good", "evil") and "Read-only" in run.stderr), run
    finally:
        stop.set()
        thread.join()


def test_c05_a_null_device_of_the_tree_is_not_used_to_hide(caller, victim):
    place = tree(caller, "secret")
    caller.file(place / "secret/file", "secret")
    (place / "dev/null").symlink_to(victim / "file")
    (place / "dev/pts").symlink_to(victim)
    before = photograph(victim)
    spec = rooted(place, 'hide = ["/secret/file"]')
    run = caller.shell(spec, "cat /secret/file; echo evil > /secret/file; echo evil > /dev/null; true")
    assert run.status == 125 or "secret" not in run.stdout, run
    assert photograph(victim) == before and (place / "secret/file").read_text() == "secret"


def test_a_target_below_a_file_is_refused_by_name(caller):
    place = tree(caller)
    run = caller.run(rooted(place, mounts='[[mount]]\ntarget="/etc/hostname/x"\ntype="dir"'), "/bin/true")
    assert run.status == 125 and "ENOTDIR" in run.stderr


def test_a_file_bound_on_a_directory_is_refused_by_name(caller):
    run = caller.run('[filesystem]\nro = ["/etc/hostname:/usr/share"]', "/bin/true")
    assert run.status == 125 and "/usr/share" in run.stderr and "spec.toml:2" in run.stderr
