"""[identity]: who the command is, inside and outside (C17, C28)."""

import os
import pwd
import grp

import pytest

from harness.maps import zero
from harness.must import needs
from harness.tree import rooted, tree


def host_uid(caller, spec):
    """The uid that a command of this jail has on the host, by /proc and by a file it makes."""
    place = caller.open_directory()
    caller.shell(f'{spec}\n[[mount]]\ntarget = "/out"\ntype = "bind"\nsource = "{place}"', "echo x > /out/x").ok
    about = (place / "x").stat()
    return about.st_uid, about.st_gid


def test_root_becomes_nobody_and_a_user_stays(caller):
    facts = caller.facts()
    assert facts["uid"] == [caller.inside_uid] * 3 and facts["gid"] == [caller.inside_gid] * 3


def test_the_hosts_uid_0_is_never_used_by_default(caller):
    assert host_uid(caller, "") == (caller.inside_uid, caller.inside_gid)


def test_only_one_id_is_mapped_by_default(caller):
    facts = caller.facts()
    assert facts["uid_map"] == [str(caller.inside_uid)] * 2 + ["1"]
    assert facts["gid_map"] == [str(caller.inside_gid)] * 2 + ["1"]


def test_t10_root_gives_up_its_groups(root):
    groups = {"extra_groups": [0, 1234]}
    assert root.facts(**groups)["groups"] == []
    assert root.facts('[namespaces]\nuser = "host"', **groups)["groups"] == []


def test_t10_c17_a_file_of_a_dropped_group_is_not_readable(root):
    place = root.directory()
    for mode in (0o640, 0o604):
        path = root.file(place / f"{mode:o}", "secret")
        os.chown(path, 0, 1234)
        path.chmod(mode)
    run = root.shell(f'[filesystem]\nro = ["{place}:/opt/x"]', "cat /opt/x/640", extra_groups=[0, 1234])
    assert "secret" not in run.stdout and "Permission denied" in run.stderr


def test_t11_a_user_cannot_drop_groups_and_is_told(user):
    needs(os.getuid() == 0, "give a user another group")
    more = {"extra_groups": [user.gid, 1234]}
    run = user.run("\n[identity]\ngroups = []", "/bin/echo", "ran", **more)
    assert run.status == 125 and run.stdout == "" and "spec.toml:3" in run.stderr and "group" in run.stderr


def test_t11_where_groups_are_not_written_the_plan_tells(user):
    needs(os.getuid() == 0, "give a user another group")
    more = {"extra_groups": [user.gid, 1234]}
    user.run(None, "/bin/true", **more).ok
    plan = user.verb("plan", "--", "/bin/true", **more)
    assert "groups" in plan.stdout + plan.stderr


def test_c17_setgroups_is_denied_for_a_user(user):
    assert user.facts()["setgroups"] == "deny"


def test_c17_setgroups_of_a_root_that_has_groups_works(root):
    spec = (
        "[identity]\ngroups = [0, 7]\n"
        + "uid_map = [{ inside = 0, outside = 100000, count = 100 }]\ngid_map = [{ inside = 0, outside = 100000, count = 100 }]\nuser = 5\ngroup = 6\n"
    )
    facts = root.facts(spec)
    assert (facts["uid"], facts["gid"], sorted(facts["groups"])) == ([5] * 3, [6] * 3, [0, 7])


@pytest.mark.parametrize(
    "user, uid",
    [
        ('"nobody"', 65534),
        ("65534", 65534),
        ('"65534"', 65534),
        ('"daemon"', 1),
        ("1", 1),
        ('"1"', 1),
        ("12345", 12345),
    ],
)
def test_t27_users_by_name_and_number(root, user, uid):
    facts = root.facts(f"[identity]\nuser = {user}")
    assert facts["uid"] == [uid] * 3
    assert host_uid(root, f"[identity]\nuser = {user}")[0] == uid


def test_the_group_of_a_named_user_is_the_one_of_passwd(root):
    assert root.facts('[identity]\nuser = "games"')["gid"] == [pwd.getpwnam("games").pw_gid] * 3


def test_groups_by_name_and_number(root):
    assert root.facts('[identity]\nuser = "daemon"\ngroup = "tty"')["gid"] == [grp.getgrnam("tty").gr_gid] * 3
    assert root.facts('[identity]\nuser = "daemon"\ngroup = 77')["gid"] == [77] * 3


@pytest.mark.parametrize(
    "user",
    [
        '"01"',
        '"-1"',
        '"4294967295"',
        '"1 "',
        '"0x1"',
        '""',
        "-1",
        "4294967295",
        "4294967296",
        '"no-such-user"',
        '"+1"',
        '"1\\n"',
        "1.0",
        "true",
    ],
)
def test_t27_c28_a_user_that_is_none_is_refused(caller, user):
    run = caller.run(f"\n[identity]\nuser = {user}", "/usr/bin/id", "-u")
    if user == '"01"' and run.status == 0:
        assert run.stdout.strip() == "1"
    else:
        assert run.status == 125 and run.stdout == "" and "spec.toml:3" in run.stderr, run


def test_the_hosts_uid_0_where_the_spec_says_so(root):
    assert host_uid(root, "[identity]\nuser = 0") == (0, 0)
    facts = root.facts("[identity]\nuser = 0")
    assert facts["uid"] == [0, 0, 0] and facts.capabilities["CapEff"] == 0


@pytest.mark.parametrize("uid", [0, 1, 4242])
def test_a_user_may_be_any_one_id_inside(user, uid):
    spec = f"[identity]\nuser = {uid}\nuid_map = [{{ inside = {uid}, outside = {user.uid}, count = 1 }}]\n"
    assert user.facts(spec)["uid"] == [uid] * 3
    assert host_uid(user, spec)[0] == user.uid


def test_a_user_named_without_a_map_is_the_user_outside(user):
    run = user.run("\n[identity]\nuser = 0", "/usr/bin/id", "-u")
    # One own id is all an ordinary user has: it is given that name inside, or the launch is refused with the line.
    assert (run.status, run.stdout) == (0, "0\n") or run.status == 125 and "spec.toml:3" in run.stderr, run


def test_a_user_cannot_map_an_id_of_another(user):
    run = user.run("[identity]\nuser = 0\nuid_map = [{ inside = 0, outside = 0, count = 1 }]", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:" in run.stderr


def test_a_user_that_no_map_holds_is_refused(caller):
    run = caller.run(
        f"[identity]\nuser = 5\nuid_map = [{{ inside = 0, outside = {caller.inside_uid}, count = 1 }}]",
        "/bin/echo",
        "ran",
    )
    assert run.status == 125 and run.stdout == "" and "spec.toml:" in run.stderr


def test_explicit_maps_of_root(root):
    spec = "[identity]\nuser = 3\ngroup = 4\nuid_map = [{ inside = 0, outside = 200000, count = 10 }, { inside = 50, outside = 300000, count = 5 }]\ngid_map = [{ inside = 0, outside = 400000, count = 10 }]"
    facts = root.facts(spec)
    assert facts["uid_map"] == "0 200000 10 50 300000 5".split() and facts["gid_map"] == "0 400000 10".split()
    assert host_uid(root, spec) == (200003, 400004)


def test_c28_a_map_with_many_lines(root):
    lines = ", ".join(f"{{ inside = {i * 2}, outside = {1000 + i * 2}, count = 1 }}" for i in range(340))
    facts = root.facts(f"[identity]\nuser = 2\ngroup = 2\nuid_map = [{lines}]\ngid_map = [{lines}]")
    assert len(facts["uid_map"]) == 340 * 3


def test_c28_a_map_with_too_many_lines_is_refused(root):
    lines = ", ".join(f"{{ inside = {i * 2}, outside = {100000 + i * 2}, count = 1 }}" for i in range(341))
    run = root.run(f"[identity]\nuser = 2\nuid_map = [{lines}]", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:" in run.stderr


# "auto": the ranges in /etc/subuid


def ranges(caller, file="/etc/subuid"):
    with open(file) as text:
        rows = [line.strip().split(":") for line in text if line.startswith((f"{caller.login}:", f"{caller.uid}:"))]
    return [(int(start), int(count)) for _, start, count in rows]


AUTO = '[identity]\nuser = 0\ngroup = 0\nuid_map = "auto"\ngid_map = "auto"\n'


def test_auto_maps_the_ranges_of_the_caller(user):
    needs(ranges(user), "find a range for the test user in /etc/subuid")
    facts = user.facts(AUTO)
    assert facts["uid"] == [0] * 3
    total = sum(int(count) for count in facts["uid_map"][2::3])
    assert total >= sum(count for _, count in ranges(user))
    assert facts["uid_map"][0] == "0"


def test_auto_a_tree_of_subids_belongs_to_its_own_users_inside(user):
    needs(ranges(user) and os.getuid() == 0, "own files by subids")
    mapped = user.facts(AUTO)["uid_map"]
    rows = [tuple(map(int, mapped[i : i + 3])) for i in range(0, len(mapped), 3)]
    outside = lambda inside: next(out + inside - first for first, out, count in rows if first <= inside < first + count)
    place = tree(user)
    caller_file = user.file(place / "etc/of-33", "x")
    os.chown(caller_file, outside(33), user.gid)
    run = user.shell(rooted(place, mounts=AUTO), "stat -c %u /etc/of-33")
    assert run.ok.stdout == "33\n"


def test_auto_the_root_of_a_tree_may_give_files_away(user):
    needs(ranges(user), "find a range for the test user in /etc/subuid")
    place = user.open_directory()
    spec = AUTO + f'[capabilities]\nkeep = ["chown"]\n[filesystem]\nrw = ["{place}:/out"]'
    run = user.shell(spec, "touch /out/x && chown 33:33 /out/x && stat -c %u:%g /out/x && rm /out/x")
    assert run.ok.stdout == "33:33\n"


def test_auto_without_a_range_says_so(user):
    needs(os.getuid() == 0, "make a user")
    spec = user.spec("\n" + AUTO)
    process = user.popen([user.binary, "run", spec, "--", "/bin/echo", "ran"], user=54321, group=54321, extra_groups=[])
    run = user.finish(process)
    assert run.status == 125 and run.stdout == "" and "hint:" in run.stderr and "/etc/subuid" in run.stderr


@pytest.mark.parametrize("umask", ["022", "077", "0027", "000"])
def test_the_umask_is_the_specs(caller, umask):
    assert caller.facts(f'[identity]\numask = "{umask}"')["umask"] == int(umask, 8)


def test_c21_the_callers_umask_does_not_matter(caller):
    assert caller.facts(umask=0)["umask"] == 0o022
    assert caller.facts(umask=0o777)["umask"] == 0o022


def test_what_the_launcher_makes_is_not_of_the_callers_umask(caller):
    spec = '[[mount]]\ntarget = "/opt/deep/dir"\ntype = "dir"\n[[mount]]\ntarget = "/opt/file"\ntype = "file"\ncontent = "x"'
    run = caller.shell(spec, "ls /opt/deep/dir && cat /opt/file && ls -ld /opt /opt/deep | cut -c1-10", umask=0o777)
    assert run.ok.stdout == "xdrwxr-xr-x\ndrwxr-xr-x\n"


def test_uid_0_inside_is_no_one_outside(caller):
    spec = zero(caller)
    assert caller.facts(spec)["uid"] == [0] * 3
    assert host_uid(caller, spec) == (caller.inside_uid, caller.inside_gid)
    assert caller.facts(spec).capabilities == dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0)


def foreign(caller, passwd="app:x:0:0::/:/bin/sh\n", group="app:x:42:\n"):
    """A tree of somebody else's making, with its own idea of who "app" is."""
    place = tree(caller)
    (place / "etc/passwd").write_text(passwd)
    (place / "etc/group").write_text(group)
    return place


@pytest.mark.parametrize("identity, line, what", [
    ('user = "app"', 1, "uid 0 of the host"), ('user = 65534\ngroup = "app"', 2, "gid 42 of the host"),
    ('user = 65534\ngroup = 65534\ngroups = ["app"]', 3, "gid 42 of the host")])
@pytest.mark.parametrize("users", ["new", "host"])
def test_a07_a_name_of_anothers_tree_is_no_id_of_the_host(root, identity, line, what, users):
    place = foreign(root)
    text = rooted(place, mounts=f'[namespaces]\nuser = "{users}"\n[identity]\n{identity}')
    run = root.run(text, "/bin/echo", "ran")
    number = text.splitlines().index("[identity]") + 1 + line
    assert run.status == 125 and run.stdout == "" and f"spec.toml:{number}:" in run.stderr and what in run.stderr, run
    assert str(place / "etc") in run.stderr and "hint: write the number, identity." in run.stderr


def test_a07_the_hints_of_a_name_of_anothers_tree(root):
    place = foreign(root, "app:x:7:8::/:/bin/sh\n", "app:x:8:\n")
    run = root.run(rooted(place, mounts='[identity]\nuser = "app"'), "/usr/bin/id", "-u")
    hints = [line.partition(", identity.")[2] for line in run.stderr.splitlines() if line.startswith("hint:")]
    assert run.status == 125 and len(hints) == 2
    # The number, for both.
    numbers = [hint.partition(",")[0] for hint in hints]
    facts = root.facts(rooted(place, mounts="\n".join(["[identity]", *numbers])))
    assert (facts["uid"], facts["gid"]) == ([7] * 3, [8] * 3)
    # A map, for both: other ids of the host.
    maps = "\n".join(hint.rpartition("identity.")[2] for hint in hints)
    assert maps == 'uid_map = "auto"\ngid_map = "auto"' and os.path.ismount("/etc")
    before = {name: open(name).read() for name in ("/etc/subuid", "/etc/subgid")}
    try:
        for name in before:
            with open(name, "a") as file:
                file.write("root:1900000000:65536\n")
        facts = root.facts(rooted(place, mounts=f'[identity]\nuser = "app"\n{maps}'))
    finally:
        for name, text in before.items():
            open(name, "w").write(text)
    assert (facts["uid"], facts["gid"]) == ([7] * 3, [8] * 3) and "1900000000" in facts["uid_map"]


def test_a07_names_that_stand_for_the_caller(user):
    """An ordinary user's jail has the caller's own id under whatever number: nobody gains one."""
    place = foreign(user, "app:x:7:8::/:/bin/sh\n")
    facts = user.facts(rooted(place, mounts='[identity]\nuser = "app"'))
    assert facts["uid"] == [7] * 3 and facts["uid_map"] == ["7", str(user.uid), "1"]


def test_a07_the_plan_says_which_id_of_the_host_a_name_is(caller):
    text = '[identity]\nuser = "games"\ngroup = "tty"\n'
    path = caller.file(caller.directory() / "spec.toml", text)
    lines = caller.verb("plan", path, "--", "true").ok.stdout
    games, tty = pwd.getpwnam("games").pw_uid, grp.getgrnam("tty").gr_gid
    outside = (games, tty) if caller.is_root else (caller.uid, caller.gid)
    assert f'user "games": uid {games}, uid {outside[0]} of the host' in lines
    assert f'group "tty": gid {tty}, gid {outside[1]} of the host' in lines
