"""Names that a jail, or another user, may have changed: sources, roots, results and specs (A02, A03, A13)."""

import json
import os

import pytest


def place(caller):
    """A directory in which the command, whoever it is, may write."""
    return caller.open_directory()


def link(caller, path, to, owner=None):
    """A symbolic link that belongs to the caller, or to `owner`."""
    path.symlink_to(to)
    if os.getuid() == 0:
        uid = caller.uid if owner is None else owner
        os.chown(path, uid, uid, follow_symlinks=False)
    return path


def refused(run, *words):
    assert run.status == 125 and run.stdout == "", run
    for word in words:
        assert str(word) in run.stderr, run
    return run


# A13: the result is never the spec


def test_a13_the_spec_as_its_own_result_is_refused_and_stays(caller):
    spec = caller.spec('hostname = "kept"\n')
    run = caller.run(spec, "/bin/echo", "ran", options=["--result", str(spec)])
    refused(run, spec, "which the spec is read from")
    assert spec.read_text() == 'hostname = "kept"\n'


@pytest.mark.parametrize("alias", ["hard link", "descriptor", "base", "profile"])
def test_a13_by_another_name_it_is_the_spec_all_the_same(caller, alias):
    directory = caller.directory()
    base = caller.file(directory / "base.toml", 'hostname = "kept"\n')
    profile = caller.file(directory / "p.json", '{"defaultAction": "SCMP_ACT_ALLOW"}')
    spec = caller.file(directory / "spec.toml", 'extends = ["base.toml"]\n[seccomp]\nprofile = "./p.json"\n')
    before = {path: path.read_text() for path in (base, profile, spec)}
    if alias == "hard link":
        os.link(spec, directory / "result.json")
        run = caller.run(spec, "/bin/echo", "ran", options=["--result", str(directory / "result.json")])
    elif alias == "descriptor":
        with open(spec, "r+b") as file:
            options = ["--result", f"FD:{file.fileno()}"]
            run = caller.run(spec, "/bin/echo", "ran", options=options, pass_fds=(file.fileno(),))
    else:
        target = {"base": base, "profile": profile}[alias]
        run = caller.run(spec, "/bin/echo", "ran", options=["--result", str(target)])
    refused(run, "which the spec is read from")
    assert {path: path.read_text() for path in before} == before


@pytest.mark.parametrize("text", ["nonsense = 1\n", "[", "x" * (2 << 20)], ids=["unknown", "broken", "large"])
def test_a13_a_spec_that_cannot_be_read_is_not_overwritten_either(caller, text):
    spec = caller.spec(text)
    refused(caller.run(spec, "/bin/echo", "ran", options=["--result", str(spec)]), spec)
    assert spec.read_text() == text


def test_a13_what_a_broken_spec_would_have_extended_is_not_overwritten(caller):
    directory = caller.directory()
    base = caller.file(directory / "b.toml", 'hostname = "kept"\n')
    spec = caller.file(directory / "a.toml", 'extends = ["b.toml"\n')
    refused(caller.run(spec, "/bin/echo", "ran", options=["--result", str(base)]), "a.toml", "not replaced")
    assert base.read_text() == 'hostname = "kept"\n'


def test_a13_a_broken_spec_is_told_where_a_result_stood(caller):
    directory = caller.directory()
    file = caller.file(directory / "result.json", '{"status": 0}\n')
    run = caller.run("nonsense = 1", "/bin/echo", "ran", options=["--result", str(file)])
    refused(run, "nonsense")
    assert "nonsense" in file.read_text() and json.loads(file.read_text())


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a13_the_commands_own_descriptors_are_no_place_for_it(caller, number):
    refused(caller.run(None, "/bin/echo", "ran", options=["--result", f"FD:{number}"]), f"FD:{number}")


def test_a13_the_hint_gives_a_descriptor_of_its_own(caller):
    run = refused(caller.run(None, "/bin/true", options=["--result", "FD:1"]), "--result FD:3 3>&1")
    script = f"{caller.binary} run --result FD:3 -- /bin/true 3>&1"
    answer = caller.finish(caller.popen(["/bin/sh", "-c", script])).ok
    assert json.loads(answer.stdout)["exit"] == 0, run


# A03: the result is written where it was asked for, or not at all


def test_a03_a_link_in_place_of_the_results_directory_is_refused(caller):
    work, victim = place(caller), caller.open_directory()
    precious = caller.file(victim / "result.json", "precious")
    spec = caller.spec(f'[filesystem]\nrw = ["{work}:/work"]')
    caller.shell(spec, f"rmdir /work/out; ln -s {victim} /work/out").ok
    run = caller.run(spec, "/bin/echo", "ran", options=["--result", f"{work}/out/result.json"])
    refused(run, f"{work}/out is a symbolic link of uid", f"below {work}")
    assert precious.read_text() == "precious" and os.listdir(victim) == ["result.json"]


def test_a03_as_the_jail_runs_a_planted_link_is_replaced_and_not_followed(caller):
    work, victim = place(caller), caller.open_directory()
    precious = caller.file(victim / "precious", "precious")
    spec = caller.spec(f'[filesystem]\nrw = ["{work}:/work"]')
    script = f"ln -s {precious} /work/result.json"
    caller.shell(spec, script, options=["--result", f"{work}/result.json"]).ok
    assert precious.read_text() == "precious"
    assert not (work / "result.json").is_symlink() and json.loads((work / "result.json").read_text())["exit"] == 0


def test_a03_the_directory_is_held_whatever_becomes_of_its_name(caller):
    work, victim = place(caller), caller.open_directory()
    out = work / "out"
    out.mkdir()
    out.chmod(0o777)
    spec = caller.spec(f'[filesystem]\nrw = ["{work}:/work"]')
    script = f"mv /work/out /work/moved; ln -s {victim} /work/out"
    caller.shell(spec, script, options=["--result", f"{out}/result.json"]).ok
    assert os.listdir(victim) == []
    assert json.loads((work / "moved/result.json").read_text())["exit"] == 0


def test_a03_nothing_but_the_result_is_left(caller):
    work = place(caller)
    caller.run(None, "/bin/true", options=["--result", f"{work}/result.json"]).ok
    assert os.listdir(work) == ["result.json"]


def test_a03_the_mode_is_that_of_the_file_that_stood_there(caller):
    work = place(caller)
    file = caller.file(work / "result.json", "{}", mode=0o600)
    caller.run(None, "/bin/true", options=["--result", str(file)]).ok
    assert file.stat().st_mode & 0o777 == 0o600 and json.loads(file.read_text())["exit"] == 0


def test_a03_a_file_in_a_directory_that_is_not_the_callers_is_written_to(user, root):
    directory = root.directory()
    file = user.file(directory / "result.json", "old and longer than the new one" * 100)
    inode = file.stat().st_ino
    user.run(None, "/bin/true", options=["--result", str(file)]).ok
    assert json.loads(file.read_text())["exit"] == 0 and file.stat().st_ino == inode


def test_a03_root_follows_no_link_of_another_to_the_result(root, ordinary):
    work, victim = root.directory(), root.directory()
    link(root, work / "out", victim, ordinary.pw_uid)
    run = root.run(None, "/bin/echo", "ran", options=["--result", f"{work}/out/result.json"])
    refused(run, f"{work}/out is a symbolic link of uid {ordinary.pw_uid}", "root follows only those")
    assert os.listdir(victim) == []


def test_a03_a_link_of_ones_own_is_followed(caller):
    work, other = caller.directory(), caller.directory()
    link(caller, work / "out", other)
    caller.run(None, "/bin/true", options=["--result", f"{work}/out/result.json"]).ok
    assert json.loads((other / "result.json").read_text())["exit"] == 0


# A02: sources and roots


@pytest.mark.parametrize("key", ["rw", "ro"])
def test_a02_a_link_that_the_first_run_left_is_not_followed_by_the_second(caller, key):
    work = place(caller)
    (work / "data").mkdir()
    spec = caller.file(caller.directory() / "s.toml", f'[filesystem]\nrw = ["{work}:/src"]\n{key} = ["{work}/data:/data"]\n')
    if key == "rw":
        spec.write_text(f'[filesystem]\nrw = ["{work}:/src", "{work}/data:/data"]\n')
    caller.shell(spec, "mv /src/data /src/x; ln -s / /src/data").ok
    run = refused(caller.shell(spec, "echo ran; ls /data"), f"{work}/data is a symbolic link of uid", f"below {work}")
    assert "hint: " in run.stderr and "s.toml:" in run.stderr


def test_a02_a_link_further_up_is_not_followed_either(caller):
    work = place(caller)
    (work / "a/b").mkdir(parents=True)
    (work / "a").chmod(0o777)
    spec = caller.spec(f'[filesystem]\nrw = ["{work}:/src"]\nro = ["{work}/a/b:/data"]\n')
    caller.shell(spec, "mv /src/a /src/x; ln -s / /src/a").ok
    refused(caller.shell(spec.with_name("spec.toml"), "echo ran"), f"{work}/a is a symbolic link of uid")


def test_a02_a_root_is_not_led_elsewhere(caller):
    work = place(caller)
    tree = work / "vol/rootfs"
    tree.mkdir(parents=True)
    for path in (work / "vol", tree):
        path.chmod(0o777)
    first = caller.spec(f'[filesystem]\nrw = ["{work}:/src"]')
    second = caller.spec(f'[filesystem]\nroot = "{tree}"\nrw = ["{work}:/src"]')
    caller.shell(first, "mv /src/vol/rootfs /src/x; ln -s / /src/vol/rootfs").ok
    refused(caller.shell(second, "echo ran"), f"{tree} is a symbolic link of uid", f"below {work}")


def test_a02_the_hint_is_followed(caller):
    work, other = place(caller), caller.directory()
    caller.file(other / "file", "there")
    link(caller, work / "data", other)
    run = refused(
        caller.run(f'[filesystem]\nrw = ["{work}:/src"]\nro = ["{work}/data:/data"]', "/bin/cat", "/data/file"),
        "hint: write the path that it leads to in its place",
    )
    written_out = f'[filesystem]\nrw = ["{work}:/src"]\nro = ["{other}:/data"]'
    assert caller.run(written_out, "/bin/cat", "/data/file").ok.stdout == "there", run


def test_a02_a_link_of_ones_own_elsewhere_is_followed(caller):
    other, work = caller.directory(), caller.directory()
    caller.file(other / "file", "there")
    link(caller, work / "data", other)
    assert caller.run(f'[filesystem]\nro = ["{work}/data:/data"]', "/bin/cat", "/data/file").ok.stdout == "there"


def test_a02_links_of_the_system_are_followed(caller):
    for path in ("/bin", "/var/run", "/etc/alternatives/awk"):
        if os.path.exists(path):
            caller.run(f'[filesystem]\nro = ["{path}:/there"]', "/bin/ls", "-d", "/there").ok


def test_a02_root_follows_no_link_of_another(root, ordinary):
    work, other = root.directory(), root.directory()
    link(root, work / "data", other, ordinary.pw_uid)
    spec = f'[filesystem]\nro = ["{work}/data:/data"]'
    run = refused(root.run(spec, "/bin/ls", "/data"), f"{work}/data is a symbolic link of uid {ordinary.pw_uid}, and root")
    assert f"chown -h" in run.stderr
    os.chown(work / "data", 0, 0, follow_symlinks=False)
    root.run(spec, "/bin/ls", "/data").ok


def test_a02_a_link_in_a_directory_of_everybodys_is_not_followed(caller, stranger):
    if os.getuid() != 0:
        pytest.skip("only root can make the link of another user")
    work, other = caller.directory(), caller.directory()
    work.chmod(0o1777)
    link(caller, work / "data", other, getattr(stranger, "pw_uid", stranger))
    refused(caller.run(f'[filesystem]\nro = ["{work}/data:/data"]', "/bin/ls", "/data"), "symbolic link of")


def test_a02_root_reads_no_spec_through_a_link_of_another(root, ordinary):
    work = root.directory()
    spec = root.spec("")
    link(root, work / "dir", spec.parent, ordinary.pw_uid)
    run = refused(root.run(work / "dir/spec.toml", "/bin/echo", "ran"), f"{work}/dir is a symbolic link of uid")
    os.chown(work / "dir", 0, 0, follow_symlinks=False)
    assert root.run(work / "dir/spec.toml", "/bin/echo", "ran").ok.stdout == "ran\n", run


def test_a02_a_source_by_a_descriptor_of_procfs_is_that_file(caller):
    """Such a link is the kernel's, and its text need not be a path."""
    directory = caller.directory()
    caller.file(directory / "file", "there")
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        spec = f'[filesystem]\nro = ["/proc/{os.getpid()}/fd/{descriptor}:/data"]'
        if caller.is_root:
            assert caller.run(spec, "/bin/cat", "/data/file").ok.stdout == "there"
        else:
            refused(caller.run(spec, "/bin/cat", "/data/file"), "EACCES")
    finally:
        os.close(descriptor)
