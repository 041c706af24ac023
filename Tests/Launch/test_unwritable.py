"""Writable mounts that the command cannot write to, and flags that their source has already."""

import os
import subprocess

import pytest

from harness import linux


def test_roots_jail_on_the_directory_of_another(root, user):
    place = user.directory()
    run = root.shell(f'filesystem.rw = ["{place}:/src"]', "touch /src/x")
    assert run.status != 0 and not (place / "x").exists()
    assert f"it belongs to {user.login}" in run.stderr and f'hint: set identity.user = "{user.login}"' in run.stderr
    assert "spec.toml:1:" in run.stderr
    # As the hint says.
    run = root.shell(f'filesystem.rw = ["{place}:/src"]\nidentity.user = "{user.login}"', "touch /src/x")
    assert run.ok.stderr == "" and (place / "x").stat().st_uid == user.uid


def test_roots_jail_on_a_directory_of_roots(root):
    place = root.directory()
    os.chown(place, 0, 0)
    line = f'filesystem.rw = ["{place}:/src"]'
    run = root.shell(line, "touch /src/x")
    assert run.status != 0 and "it belongs to root" in run.stderr
    assert "hint: give it to the command's user by chown, or by a [[mount]] with idmap = true" in run.stderr, run.stderr
    # As the hint says, either way.
    mapped = f'[[mount]]\ntarget = "/src"\nsource = "{place}"\noptions = ["rw"]\nidmap = true'
    assert root.shell(mapped, "touch /src/x").ok.stderr == "" and (place / "x").stat().st_uid == 0
    subprocess.run(["chown", "nobody", place], check=True)
    assert root.shell(line, "touch /src/y").ok.stderr == ""


def test_roots_jail_on_an_overlay_over_a_directory_of_roots(root):
    """Its files are root's as in a bind; one of them is opened, and the directory itself stays as it is."""
    place, kept = root.directory(), root.directory()
    os.chown(place, 0, 0)
    root.file(place / "a", "a\n", 0o644)
    text = f'[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{place}"]\n'
    said = f"spec.toml:2:1: overlay on /src: the command's user may not write there: it belongs to root\nhint: give it to the command's user by chown"
    run = root.shell(text, "echo b >> /src/a")
    assert run.status != 0 and said + ", or by a [[mount]] with idmap = true\n" in run.stderr, run.stderr
    # Changes that are kept have no other ids than what they change.
    kept = f'upper = "{kept}/upper"\nwork = "{kept}/work"\n'
    assert said + "\n" in root.shell(text + kept, "true").ok.stderr
    # As the hint says.
    run = root.shell(text + "idmap = true\n", "echo b >> /src/a && cat /src/a")
    assert run.ok.stdout == "a\nb\n" and run.stderr == "" and (place / "a").read_text() == "a\n"
    assert root.shell(text + 'options = ["ro"]\n', "true").ok.stderr == ""
    subprocess.run(["chown", "-R", "nobody", place], check=True)
    assert root.shell(text, "echo b >> /src/a").ok.stderr == "" and (place / "a").read_text() == "a\n"


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_nothing_is_said_where_the_command_may_write(root, mode):
    place = root.directory(mode)
    assert root.shell(f'filesystem.rw = ["{place}"]', f"touch {place}/x").ok.stderr == ""


def test_nothing_is_said_of_what_is_read_only(root):
    assert root.shell(f'filesystem.ro = ["{root.directory()}"]', "true").ok.stderr == ""


def test_an_ordinary_users_own(user):
    place = user.directory()
    assert user.shell(f'filesystem.rw = ["{place}:/x"]', "touch /x/y").ok.stderr == ""
    run = user.shell('filesystem.rw = ["/usr/share:/x"]', "true")
    assert "the command's user may not write there" in run.ok.stderr and "hint" not in run.stderr


def test_auto_keeps_the_callers_own_id(user):
    place = user.directory()
    spec = f'identity = {{ uid_map = "auto", gid_map = "auto" }}\nfilesystem.rw = ["{place}:/x"]'
    run = user.shell(spec, "touch /x/y && stat -c '%u %g' /x /x/y && id -u && cat /proc/self/uid_map")
    lines = run.ok.stdout.splitlines()
    assert run.stderr == "" and lines[:3] == [f"{user.uid} {user.gid}"] * 2 + [f"{user.uid}"]
    assert [f"{user.uid}", f"{user.uid}", "1"] in [line.split() for line in lines[3:]]
    assert (place / "y").stat().st_uid == user.uid


def test_auto_and_another_user(user):
    place = user.directory()
    spec = f'identity = {{ user = 1, group = 1, uid_map = "auto", gid_map = "auto" }}\nfilesystem.rw = ["{place}:/x"]'
    assert "the command's user may not write there" in user.shell(spec, "true").ok.stderr


@pytest.fixture
def locked(root):
    """A tmpfs with every flag against its use, in the run's own mount namespace."""
    place = root.directory()
    linux.mount("tmpfs", place, "tmpfs", data="mode=0777")
    (place / "f").write_text("x")
    linux.mount("none", place, flags=linux.MS_BIND | 32 | 1 | 2 | 4 | 8)
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("options, flag", [
    ('["rw"]', "ro"), ("[]", "ro"), ('["ro", "exec"]', "noexec"), ('["ro", "suid"]', "nosuid"), ('["ro", "dev"]', "nodev"),
])
def test_a_flag_that_the_source_has(caller, locked, options, flag):
    run = caller.shell(f'[[mount]]\ntarget = "/x"\nsource = "{locked}"\noptions = {options}', "echo ran")
    assert run.status == 125 and "ran" not in run.stdout
    assert f"{locked} is on a mount that is " in run.stderr and flag in run.stderr


def test_what_nobody_asked_to_open_stays_closed(caller, locked):
    assert caller.shell(f'filesystem.ro = ["{locked}:/x"]', "cat /x/f").ok.stdout == "x"
