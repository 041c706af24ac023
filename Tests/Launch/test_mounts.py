"""`ro`, `rw` and every type of [[mount]]: what the kernel shows at the target."""

import json

import pytest

from harness import linux


def entry(target, kind, more=""):
    return f'[[mount]]\ntarget = "{target}"\ntype = "{kind}"\n{more}\n'


# Short forms


def test_ro_binds_a_directory_and_a_file(caller):
    place = caller.directory()
    caller.file(place / "file", "seen\n")
    spec = f'[filesystem]\nro = ["{place}:/opt/dir", "{place}/file:/opt/file", "/var/lib:/var/lib"]'
    assert caller.shell(spec, "cat /opt/dir/file /opt/file").ok.stdout == "seen\nseen\n"
    mounts = caller.facts(spec).mounts
    assert "ro" in mounts["/opt/dir"] and "ro" in mounts["/opt/file"] and "ro" in mounts["/var/lib"]


def test_rw_binds_can_be_written(caller):
    place = caller.open_directory()
    caller.shell(f'[filesystem]\nrw = ["{place}:/out"]', "echo x > /out/x").ok
    assert (place / "x").read_text() == "x\n"


def test_what_the_command_writes_belongs_to_it_on_the_host(caller):
    place = caller.open_directory()
    caller.shell(f'[filesystem]\nrw = ["{place}:/out"]', "echo x > /out/x").ok
    assert (place / "x").stat().st_uid == caller.inside_uid


def test_a_source_without_a_target_keeps_its_path(caller):
    place = caller.directory()
    caller.file(place / "file", "seen\n")
    spec = f'[filesystem]\nro = ["{place}"]'
    assert caller.shell(spec, f"cat {place}/file").ok.stdout == "seen\n"


def test_home_and_variables_expand(caller):
    place = caller.directory()
    caller.file(place / "file", "seen\n")
    spec = '[filesystem]\nro = ["~/file:/opt/a", "${PLACE}/file:/opt/b"]'
    run = caller.shell(spec, "cat /opt/a /opt/b", env={"HOME": str(place), "PLACE": str(place)})
    assert run.ok.stdout == "seen\nseen\n"


def test_a_relative_source_is_meant_from_the_specs_directory(caller):
    spec = caller.spec(entry("/opt/x", "bind", 'source = "data"'))
    (spec.parent / "data").mkdir()
    caller.file(spec.parent / "data/file", "seen\n")
    assert caller.shell(spec, "cat /opt/x/file", cwd="/").ok.stdout == "seen\n"


@pytest.mark.parametrize(
    "name", ["a b", "comma,semi;", "quote'", 'double"quote', "back\\slash", "ü", "new\nline", "tab\t", "x=y", "-o"]
)
def test_names_are_taken_literally(caller, name):
    place = caller.directory()
    (place / name).mkdir()
    caller.file(place / name / "file", "seen\n")
    import json

    source, target = json.dumps(str(place / name)), json.dumps(f"/opt/{name}")
    spec = f'[[mount]]\ntype = "bind"\nsource = {source}\ntarget = {target}\n'
    run = caller.run(spec, "/bin/cat", f"/opt/{name}/file")
    assert run.ok.stdout == "seen\n"


# The long form, type by type


def test_a_bind_can_be_written_unless_ro(caller):
    place = caller.open_directory()
    run = caller.shell(entry("/out", "bind", f'source = "{place}"'), "echo x > /out/x")
    assert run.ok and (place / "x").exists()
    run = caller.shell(entry("/out", "bind", f'source = "{place}"\noptions = ["ro"]'), "echo x > /out/y")
    assert run.status != 0 and not (place / "y").exists()


def test_tmpfs_has_its_size_inodes_and_mode(caller):
    spec = entry("/scratch", "tmpfs", 'size = "1M"\ninodes = 10\nmode = "1770"')
    mounts = caller.facts(spec).mounts
    assert (
        mounts.types["/scratch"] == "tmpfs" and {"size=1024k", "nr_inodes=10", "mode=1770"} <= mounts.super["/scratch"]
    )


def test_the_size_of_a_tmpfs_is_enforced(caller):
    spec = entry("/scratch", "tmpfs", 'size = "1M"\nmode = "1777"')
    run = caller.shell(spec, "head -c 2000000 /dev/zero > /scratch/x; stat -c %s /scratch/x")
    assert int(run.stdout) == 1 << 20 and "No space left" in run.stderr


def test_the_inodes_of_a_tmpfs_are_enforced(caller):
    spec = entry("/scratch", "tmpfs", 'inodes = 10\nmode = "1777"')
    run = caller.shell(
        spec, "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do touch /scratch/$i 2>/dev/null; done; ls /scratch | wc -l"
    )
    assert 0 < int(run.stdout) < 12


def test_a_tmpfs_without_words_is_nosuid_and_nodev(caller):
    assert {"nosuid", "nodev"} <= caller.facts(entry("/scratch", "tmpfs")).mounts["/scratch"]


def test_a_tmpfs_starts_empty_and_is_gone_after(caller):
    spec = entry("/scratch", "tmpfs", 'mode = "1777"')
    for _ in range(2):
        assert caller.shell(spec, "ls -A /scratch; echo x > /scratch/x").ok.stdout == ""


def test_a_file_has_its_content_and_mode(caller):
    spec = entry("/etc/immure.conf", "file", 'content = "one\\ntwo\\n"\nmode = "0640"')
    run = caller.shell(spec, "stat -c %a /etc/immure.conf; cat /etc/immure.conf 2>/dev/null")
    assert run.stdout.startswith("640\n")
    spec = entry("/etc/immure.conf", "file", 'content = "one\\ntwo\\n"')
    assert caller.shell(spec, "cat /etc/immure.conf").ok.stdout == "one\ntwo\n"


def test_a_file_replaces_one_of_the_system(caller):
    before = open("/etc/hostname").read()
    assert (
        caller.shell(entry("/etc/hostname", "file", 'content = "mine\\n"'), "cat /etc/hostname").ok.stdout == "mine\n"
    )
    assert open("/etc/hostname").read() == before


def test_a_large_file_is_whole(caller):
    text = "0123456789abcdef" * 20000
    run = caller.shell(entry("/opt/big", "file", f'content = "{text}"'), "cat /opt/big")
    assert run.ok.stdout == text


def test_an_executable_file_runs(caller):
    spec = entry("/opt/script", "file", 'content = "#!/bin/sh\\necho ran\\n"\nmode = "755"')
    assert caller.run(spec, "/opt/script").ok.stdout == "ran\n"


def test_a_directory_has_its_mode(caller):
    spec = entry("/opt/a/b", "dir", 'mode = "0751"')
    assert caller.shell(spec, "stat -c '%a %F' /opt/a/b").ok.stdout == "751 directory\n"


def test_a_symlink_points_where_it_should(caller):
    run = caller.shell(
        entry("/opt/link", "symlink", 'to = "../usr/bin"'), "readlink /opt/link; [ -x /opt/link/env ] && echo good"
    )
    assert run.ok.stdout == "../usr/bin\ngood\n"


def test_a_dangling_symlink_is_no_error(caller):
    assert (
        caller.shell(entry("/opt/link", "symlink", 'to = "/no/such"'), "readlink /opt/link").ok.stdout == "/no/such\n"
    )


def test_a_second_proc(caller):
    run = caller.shell(entry("/opt/proc", "proc"), "ls -d /opt/proc/1 && head -c 1 /opt/proc/self/stat >/dev/null")
    assert run.ok
    assert caller.facts(entry("/opt/proc", "proc")).mounts.types["/opt/proc"] == "proc"


def test_sysfs_shows_only_the_jails_network(caller):
    run = caller.shell(entry("/sys", "sysfs"), "ls /sys/class/net")
    assert run.ok.stdout.split() == ["lo"]
    assert {"ro", "nosuid", "nodev", "noexec"} <= caller.facts(entry("/sys", "sysfs")).mounts["/sys"]


def test_a_second_devpts_is_new(caller):
    mounts = caller.facts(entry("/opt/pts", "devpts")).mounts
    assert mounts.types["/opt/pts"] == "devpts"
    assert set(caller.shell(entry("/opt/pts", "devpts"), "ls /opt/pts").ok.stdout.split()) <= {"ptmx"}


def test_mqueue_is_of_the_jails_ipc_namespace(caller):
    assert caller.facts(entry("/dev/mqueue", "mqueue")).mounts.types["/dev/mqueue"] == "mqueue"
    assert caller.shell(entry("/dev/mqueue", "mqueue"), "ls -A /dev/mqueue").ok.stdout == ""


def test_cgroup_is_read_only_and_of_the_jails_namespace(caller):
    run = caller.run(entry("/sys/fs/cgroup", "cgroup"), "/bin/true")
    if run.status == 125:
        # Said by name is enough where cgroup v2 is not available.
        assert "cgroup" in run.stderr and "spec.toml" in run.stderr
        return
    mounts = caller.facts(entry("/sys/fs/cgroup", "cgroup")).mounts
    assert mounts.types["/sys/fs/cgroup"] == "cgroup2"
    for place in ("/sys/fs/cgroup/x",):
        assert caller.shell(entry("/sys/fs/cgroup", "cgroup"), f"mkdir {place}").status != 0


# What is missing, optional, doubled, nested


def test_a_missing_source_is_named_with_its_line(caller):
    run = caller.run(entry("/opt/x", "bind", 'source = "/no/such/place"'), "/bin/true")
    assert (
        run.status == 125 and "/no/such/place" in run.stderr and "ENOENT" in run.stderr and "spec.toml:" in run.stderr
    )


def test_an_optional_missing_source_is_skipped_and_reported(caller):
    spec = entry("/opt/x", "bind", 'source = "/no/such/place"\noptional = true')
    run = caller.shell(spec, "ls /opt/x 2>/dev/null; echo ran")
    assert run.status == 0 and run.stdout == "ran\n"
    plan = caller.verb("plan", str(run.spec), "--", "/bin/true")
    assert "/no/such/place" in run.stderr + plan.stdout + plan.stderr


@pytest.mark.parametrize("shape", ["", 'grace = "1s"\n'], ids=["direct", "supervised"])
def test_many_that_are_missing_are_counted_and_the_result_has_each(caller, shape):
    """The profile of another tool names hundreds of paths that a host may have."""
    mounts = "".join(entry(f"/opt/x{number}", "bind", f'source = "/no/such/{number}"\noptional = true') for number in range(10, 30))
    hides = "".join(entry(f"/usr/no-such-{number}", "hide", "optional = true") for number in range(9))
    run = caller.shell(shape + mounts + hides, "echo ran")
    assert run.status == 0 and run.stdout == "ran\n" and run.stderr.count("\n") == 2, run
    assert "note: 20 optional mounts are skipped, as what they show does not exist: /opt/x10, /opt/x11, /opt/x12 and 17 more; --result FILE has each\n" in run.stderr, run
    assert "note: 9 paths to hide do not exist, and what is made there is seen: /usr/no-such-0, /usr/no-such-1, /usr/no-such-2 and 6 more; --result FILE has each\n" in run.stderr, run
    result = caller.directory() / "result"
    assert caller.shell(shape + mounts + hides, "true", options=["--result", str(result)]).status == 0
    assert len([note for note in json.loads(result.read_text())["degraded"] if "skipped, it does not exist" in note["message"]]) == 29


def test_what_was_skipped_is_said_where_the_launch_fails_by_it(caller):
    run = caller.run('cwd = "/opt/x"\n' + entry("/opt/x", "bind", 'source = "/no/such/place"\noptional = true'), "/bin/true")
    assert run.status == 125 and "mount /no/such/place on /opt/x: skipped, it does not exist" in run.stderr and "enter /opt/x" in run.stderr, run


def test_optional_excuses_nothing_but_a_missing_source(caller):
    place = caller.directory()
    place.chmod(0o755)
    spec = entry("/etc/hostname/below", "bind", f'source = "{place}"\noptional = true')
    assert caller.run(spec, "/bin/true").status == 125


def test_a_child_stands_on_its_parent_whatever_the_order(caller):
    one, two = caller.directory(), caller.directory()
    caller.file(one / "one", "1")
    caller.file(two / "two", "2")
    (one / "in").mkdir()
    a, b = entry("/opt", "bind", f'source = "{one}"'), entry("/opt/in", "bind", f'source = "{two}"')
    for spec in (a + b, b + a):
        assert caller.shell(spec, "cat /opt/one /opt/in/two").ok.stdout == "12"


def test_the_same_target_twice_is_refused_or_told(caller):
    spec = entry("/opt", "tmpfs") + entry("/opt/", "dir")
    run = caller.run(spec, "/bin/echo", "ran")
    assert run.status == 125 and "/opt" in run.stderr, run


def test_the_root_as_a_target_is_refused_by_name(caller):
    run = caller.run(entry("/", "tmpfs"), "/bin/echo", "ran")
    assert run.status == 125 and "spec.toml:" in run.stderr


def test_many_mounts(caller):
    spec = "".join(entry(f"/opt/{i}", "bind", 'source = "/usr/share"\noptions = ["ro"]') for i in range(200))
    assert caller.shell(spec, "ls /opt | wc -l", timeout=20).ok.stdout.strip() == "200"


def test_a_source_the_caller_may_not_reach_is_refused(user):
    run = user.run('[filesystem]\nro = ["/root/.bashrc:/opt/x"]', "/bin/true")
    assert run.status == 125 and "EACCES" in run.stderr


@pytest.mark.parametrize(
    "option", ["nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime", "nosymfollow", "ro"]
)
def test_option_words_reach_the_kernel(caller, option):
    place = caller.open_directory()
    spec = entry("/opt/x", "bind", f'source = "{place}"\noptions = ["{option}"]')
    run = caller.run(spec, "/bin/true")
    if run.status == 125 and not caller.is_root and "atime" in option:
        # The kernel locks the access-time flags of what a user namespace inherits, mount_namespaces(7).
        assert "EPERM" in run.stderr and "spec.toml:" in run.stderr
        return
    assert option in caller.facts(spec).mounts["/opt/x"]


def test_strictatime_reaches_the_kernel(caller):
    spec = entry("/opt/x", "tmpfs", 'options = ["strictatime"]')
    assert not {"noatime", "relatime"} & caller.facts(spec).mounts["/opt/x"]


def test_suid_and_dev_are_kept_where_they_are_written(root):
    place = root.directory()
    flags = root.facts(entry("/opt/x", "bind", f'source = "{place}"\noptions = ["suid", "dev"]')).mounts["/opt/x"]
    assert not {"nosuid", "nodev"} & flags


def test_noexec_forbids_execution(caller, compiled):
    spec = entry("/opt/x", "bind", f'source = "{compiled("hello").parent}"\noptions = ["noexec"]')
    run = caller.run(spec, "/opt/x/hello")
    assert run.status == 126 and "EACCES" in run.stderr and "noexec" in run.stderr


def test_contradictory_words_are_refused_or_the_stricter_wins(caller):
    place = caller.open_directory()
    spec = entry("/opt/x", "bind", f'source = "{place}"\noptions = ["rw", "ro"]')
    run = caller.shell(spec, "echo x > /opt/x/x")
    assert run.status != 0 and not (place / "x").exists()


def test_a_bind_that_is_not_recursive_leaves_submounts_out(root):
    place = root.directory()
    (place / "sub").mkdir()
    linux.mount("tmpfs", place / "sub", "tmpfs")
    try:
        (place / "sub/file").write_text("")
        spec = entry("/opt/x", "bind", f'source = "{place}"\noptions = ["bind"]')
        assert root.shell(spec, "ls /opt/x/sub").ok.stdout == ""
        spec = entry("/opt/x", "bind", f'source = "{place}"\noptions = ["rbind"]')
        assert root.shell(spec, "ls /opt/x/sub").ok.stdout == "file\n"
    finally:
        linux.umount(place / "sub")


# Directories


def test_a_directory_on_a_file_is_refused(caller):
    run = caller.run(entry("/etc/passwd", "dir"), "/bin/true")
    assert run.status == 125 and "ENOTDIR" in run.stderr and "spec.toml:2:" in run.stderr, run


def test_a_directory_that_is_there_must_have_the_mode_that_is_written(caller):
    run = caller.run(entry("/usr/lib", "dir", 'mode = "0700"'), "/bin/true")
    assert run.status == 125 and "0755" in run.stderr and "spec.toml:2:" in run.stderr, run
    caller.run(entry("/usr/lib", "dir", 'mode = "0755"'), "/bin/true").ok
    caller.run(entry("/usr/lib", "dir"), "/bin/true").ok


@pytest.mark.parametrize("mode", ["0700", "1777", "2755", "0000", "0555"])
def test_a_directory_that_is_made_has_exactly_its_mode(caller, mode):
    run = caller.run(entry("/tmp/made/here", "dir", f'mode = "{mode}"'), "stat", "-c", "%04a", "/tmp/made/here").ok
    assert run.stdout == mode + "\n"


@pytest.mark.parametrize("kind, word", [("sysfs", "rw"), ("proc", "exec"), ("mqueue", "dev"), ("devpts", "suid")])
def test_an_option_without_effect_is_refused(caller, kind, word):
    run = caller.run(entry("/opt/x", kind, f'options = ["{word}"]'), "/bin/true")
    assert run.status == 125 and f'"{word}"' in run.stderr and "spec.toml:4:" in run.stderr, run


# The line of the root


def test_a_root_that_the_default_tree_cannot_be_put_in_is_named(caller):
    run = caller.run('[filesystem]\nroot = "/proc"\nwritable = true', "/bin/true")
    assert run.status == 125 and "spec.toml:2:" in run.stderr, run


def test_a_writable_root_of_somebody_else_is_named(root):
    place = root.directory()
    run = root.run(f'[filesystem]\nroot = "{place}"\nwritable = true', "/bin/true")
    assert run.status == 125 and "EACCES" in run.stderr and "spec.toml:2:" in run.stderr, run
