"""What a line closes stays closed, by whatever name it is reached: links in the tree, two names of one place (C01, C06, C12).

Mounts used to be made in the order of their targets as written. A line that went through a symbolic link could come first, and
what another line mounted then covered it: the jail ran, and what was hidden could be read.
"""

import os
import socket

import pytest

from harness.must import needs
from harness.tree import rooted, tree


@pytest.fixture
def linked(caller):
    """A tree in which /app leads to /var/lib/app: with a secret below it, and a directory to be mounted over it."""
    place = tree(caller, "var/lib/app/conf", "var/lib/app/secret")
    (place / "app").symlink_to("var/lib/app")
    caller.file(place / "var/lib/app/secret/key", "topsecret\n")
    data = caller.open_directory()
    for name in ("conf", "secret"):
        (data / name).mkdir()
        (data / name).chmod(0o777)
        caller.own(data / name)
    caller.file(data / "secret/key", "topsecret\n")
    caller.file(data / "conf/file", "as it was\n", mode=0o666)
    return place, data


def ran_closed(run, *words):
    """Refused with the line, or run with nothing of the words shown."""
    if run.status == 125:
        assert run.stdout == "" and "leads to another mount" in run.stderr and ".toml:" in run.stderr, run
    assert not any(word in run.stdout for word in words), run
    return run.status == 125


def test_c06_what_is_hidden_by_a_link_is_hidden_in_what_another_line_mounts(caller, linked):
    place, data = linked
    spec = rooted(place, f'rw = ["{data}:/var/lib/app"]\nhide = ["/app/secret"]')
    for name in ("/app", "/var/lib/app"):
        ran_closed(caller.shell(spec, f"cat {name}/secret/key"), "topsecret")
        assert caller.shell(spec, f"cat {name}/conf/file").ok.stdout == "as it was\n"


def test_c06_what_is_read_only_by_a_link_is_not_covered_by_a_writable_mount(caller, linked):
    place, data = linked
    spec = rooted(place) + f'[[mount]]\ntarget = "/app/conf"\nsource = "{data}/conf"\noptions = ["ro"]\n'
    spec += f'[[mount]]\ntarget = "/var/lib/app"\nsource = "{data}"\n'
    run = caller.shell(spec, "echo changed >/app/conf/file; echo ran")
    line = spec.split("\n").index('target = "/app/conf"')
    assert ran_closed(run, "ran") and f"spec.toml:{line + 1}:1: mount" in run.stderr, run
    assert (data / "conf/file").read_text() == "as it was\n"


def test_c06_two_names_of_one_place_are_refused(caller, linked):
    place, data = linked
    spec = rooted(place, f'rw = ["{data}:/var/lib/app"]') + f'[[mount]]\ntarget = "/app"\nsource = "{data}"\noptions = ["ro"]\n'
    assert ran_closed(caller.shell(spec, "echo changed >/var/lib/app/conf/file; echo ran"), "ran")
    assert (data / "conf/file").read_text() == "as it was\n"


@pytest.mark.parametrize("root", ["system", "host"])
def test_c06_a_link_of_the_host_is_followed_to_where_it_leads(caller, root):
    needs(os.path.islink("/lib") and os.path.isdir("/usr/lib/python3/dist-packages"), "hide a directory of Debian's python3")
    head = f'[filesystem]\nroot = "{root}"\n'
    spec = head + 'ro = ["/usr/lib/python3"]\nhide = ["/lib/python3/dist-packages", "/sbin"]'
    run = caller.shell(spec, "ls /usr/lib/python3/dist-packages /usr/sbin; ls /usr/lib/python3 >/dev/null && echo end")
    assert run.stdout == "end\n" and "does not exist" not in run.stderr, run
    data = caller.directory()
    caller.file(data / "file", "text\n")
    spec = head + f'ro = ["{data}:/lib/python3/dist-packages", "/usr/lib/python3"]'
    run = caller.shell(spec, "cat /usr/lib/python3/dist-packages/file")
    assert ran_closed(run) or run.ok.stdout == "text\n"
    assert root == "host" or run.status == 0, run


def test_c06_what_is_mounted_at_the_name_of_a_link_is_another_place_than_where_the_link_leads(caller):
    """No link is on the way in the jail, where the mount stands: what is hidden below it shows below the other."""
    place = caller.open_directory()
    data, link = place / "data", place / "link"
    for each in (data, data / "secret"):
        each.mkdir()
        caller.own(each)
    caller.file(data / "secret/key", "topsecret\n")
    link.symlink_to("data")
    spec = f'[filesystem]\nro = ["{link}", "{data}"]\nhide = ["{link}/secret"]\n'
    run = caller.shell(spec, f"cat {data}/secret/key {link}/secret/key; echo ran")
    assert run.status == 125 and run.stdout == "", run
    assert f"{data}/secret shows what {link}/secret hides" in run.stderr, run


@pytest.mark.parametrize("kind", ["host", "tree"])
@pytest.mark.parametrize("key, target", [("proc = false", "/proc"), ('dev = "none"', "/dev")])
def test_c31_none_means_none_whatever_the_tree_brings(caller, kind, key, target):
    """A tree of the host's comes with its mounts: the host's processes were in sight without a proc of the jail's own."""
    place = tree(caller)
    caller.file(place / "proc/planted")
    caller.file(place / "dev/planted")
    spec = f'[filesystem]\nroot = "host"\n{key}\n' if kind == "host" else rooted(place, key)
    run = caller.shell(spec, f"ls -A {target}; echo $?")
    assert run.stdout.split() == ["2"] and "Permission denied" in run.stderr, run
    assert target in caller.run(spec, "/bin/true", options=["--explain"]).ok.stderr


def test_c30_no_process_of_the_same_user_is_entered_by_procfs(root):
    """With the host's users and processes: /proc/PID/root, environ and fd of a process with the command's ids."""
    accomplice = root.popen(["/usr/bin/sleep", "60"], env={"TOKEN": "topsecret"}, user=65534, group=65534, extra_groups=[])
    try:
        pid = accomplice.pid
        spec = '[namespaces]\nuser = "host"\npid = "host"\n'
        script = f"id -u; cat /proc/{pid}/environ; ls /proc/{pid}/root/ /proc/{pid}/fd; readlink /proc/{pid}/exe"
        for more in ("", '[filesystem]\nroot = "host"\n', '[filesystem]\nroot = "host"\nproc = false\n'):
            run = root.shell(spec + more, script)
            assert run.stdout == "65534\n", run
    finally:
        accomplice.kill()
        accomplice.wait()


def test_c22_a_network_that_is_joined_gives_no_abstract_sockets(root):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"\0immure-test-joined-{os.getpid()}")
    listener.listen()
    code = f'import socket; s = socket.socket(socket.AF_UNIX); s.connect("\\0immure-test-joined-{os.getpid()}"); print("connected")'
    run = root.run('namespaces.net = "/proc/self/ns/net"', "/usr/bin/python3", "-c", code)
    assert run.stdout == "" and "Operation not permitted" in run.stderr, run


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o701])
def test_a_mount_point_in_a_closed_directory_does_not_open_it(root, mode):
    """The copy of a directory that takes the mount point belongs to whom the directory does."""
    place = root.directory(mode)
    root.file(place / "file", "closed by mode\n")
    spec = f'[namespaces]\nuser = "host"\n[filesystem]\nroot = "host"\nro = ["/opt:{place}/made"]\ntmp = false\n'
    run = root.shell(spec, f"id -u; ls {place}; cat {place}/file")
    assert run.status == 125 or run.stdout == ("65534\n" if mode != 0o701 else "65534\nclosed by mode\n"), run


@pytest.mark.parametrize("target", ["/proc/self/environ", "/proc/self", "/proc/thread-self", "/proc/mounts", "/proc/1/maps", "/dev/fd"])
def test_what_each_process_has_of_its_own_cannot_be_hidden_for_all(caller, target):
    run = caller.run(f'[filesystem]\nhide = ["{target}"]', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "spec.toml:2:9: " in run.stderr and "for each process" in run.stderr


def test_c24_a_capability_that_undoes_the_protection_of_proc_is_warned_of_at_each_launch(root):
    spec = '[capabilities]\nkeep = ["sys_admin"]\n[identity]\nuser = 0\n'
    run = root.run(spec, "/bin/true")
    assert run.status == 0 and "immure: warning: " in run.stderr and "spec.toml:2:8: " in run.stderr and "/proc" in run.stderr
    assert root.run(spec + "[filesystem]\nproc = false\n", "/bin/true").ok.stderr == ""


@pytest.mark.parametrize("link", ["/proc/self/environ", "/proc/mounts", "../proc/self/status"])
def test_a_link_to_what_each_process_has_of_its_own_is_refused(caller, link):
    place = tree(caller)
    (place / "etc/link").symlink_to(link)
    for line in ('hide = ["/etc/link"]\n', '[[mount]]\ntarget = "/etc/link"\ntype = "file"\ncontent = "fake"\n'):
        run = caller.run(rooted(place) + line if line[0] == "[" else rooted(place, line), "/bin/echo", "ran")
        assert run.status == 125 and run.stdout == "" and "one process" in run.stderr and ".toml:" in run.stderr, run


@pytest.mark.parametrize("target", ["/p/self/status", "/p/1/environ", "/p/thread-self"])
def test_another_procfs_is_held_to_the_same(caller, target):
    spec = f'[filesystem]\nhide = ["{target}"]\n[[mount]]\ntype = "proc"\ntarget = "/p"\n'
    run = caller.run(spec, "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "one process" in run.stderr and "spec.toml:2:9: " in run.stderr, run
    caller.run('[filesystem]\nhide = ["/p/kcore"]\n[[mount]]\ntype = "proc"\ntarget = "/p"\n', "/bin/true").ok


@pytest.mark.parametrize("kind", ["host", "tree", "bare tree"])
def test_what_is_mounted_below_dev_or_proc_stands_on_an_empty_directory(caller, kind):
    place = tree(caller)
    if kind == "tree":
        caller.file(place / "dev/null")
    head = '[filesystem]\nroot = "host"\n' if kind == "host" else rooted(place)
    spec = head + 'dev = "none"\nproc = false\nrw = ["/dev/null"]\n[[mount]]\ntarget = "/proc/cpuinfo"\ntype = "file"\ncontent = "none\\n"\n'
    run = caller.shell(spec, "ls -A /dev /proc; cat /proc/cpuinfo; touch /dev/planted 2>/dev/null && echo planted; true")
    assert run.ok.stdout == "/dev:\nnull\n\n/proc:\ncpuinfo\nnone\n", run


def test_what_is_mounted_below_a_hidden_directory_is_refused(caller):
    data = caller.directory()
    run = caller.run(f'[filesystem]\nhide = ["/home"]\nrw = ["{data}:/home/me"]', "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == ""
    assert "spec.toml:3:7: /home/me is below /home, which is hidden at " in run.stderr and "spec.toml:2:9" in run.stderr, run


def test_a_copied_directory_forbids_what_its_mount_forbids(caller):
    data = caller.directory()
    (data / "link").symlink_to("/etc/hostname")
    mount = f'[[mount]]\ntarget = "/m"\nsource = "{data}"\noptions = ["ro", "nosymfollow", "noexec"]\n'
    for line in ("", '[filesystem]\nro = ["/srv:/m/new"]\n'):
        run = caller.shell(line + mount, "cat /m/link; grep ' /m ' /proc/self/mountinfo | tail -n 1")
        assert "symbolic links" in run.stderr and "nosymfollow" in run.stdout and "noexec" in run.stdout, run


def test_a_mount_point_in_a_directory_of_the_callers_group(user):
    """Whose owner has no name in the jail: the group's rights are the group's, and the owner's nobody's."""
    needs(os.getuid() == 0, "make a directory of root and a group")
    place = user.directory()
    os.chown(place, 0, user.gid)
    place.chmod(0o750)
    (place / "file").write_text("of the group\n")
    spec = f'[filesystem]\nroot = "host"\nro = ["/srv:{place}/new"]\ntmp = false\n'
    run = user.shell(spec, f"cat {place}/file; stat -c '%a %g' {place}; touch {place}/x 2>/dev/null && echo made; true")
    assert run.ok.stdout == f"of the group\n550 {user.gid}\n", run


def test_one_source_under_two_names_of_one_place_is_refused(caller, linked):
    place, data = linked
    spec = rooted(place, f'rw = ["{data}/conf:/app/conf"]')
    spec += f'[[mount]]\ntarget = "/var/lib/app/conf"\nsource = "{data}/conf"\noptions = ["ro"]\n'
    assert ran_closed(caller.shell(spec, "echo changed >/app/conf/file; echo ran"), "ran")


def elsewhere(caller):
    """A directory, one below it, and a link to that; each with a file that says which it is."""
    parent = caller.directory()
    sub = parent / "sub"
    sub.mkdir()
    caller.own(sub)
    (parent / "link").symlink_to("sub")
    caller.file(parent / "name", "parent")
    caller.file(sub / "name", "sub")
    return parent, sub


PWD_SPEC = '[filesystem]\nro = ["${PWD}:/src"]\n[environment]\nset = { HERE = "${PWD}" }'


@pytest.mark.parametrize("stale", ["parent", "unset", "dots", "nothing"])
def test_pwd_is_the_current_directory_whatever_the_variable_says(caller, stale):
    """As under make -C, env -C, subprocess's cwd= and find -execdir, which leave PWD as it was."""
    parent, sub = elsewhere(caller)
    pwd = {"parent": str(parent), "unset": None, "dots": f"{sub}/../sub", "nothing": "/nowhere"}[stale]
    run = caller.shell(PWD_SPEC, 'cat /src/name; echo " $HERE"', cwd=sub, env={"PWD": pwd}).ok
    assert run.stdout == f"sub {sub}\n"


def test_pwd_is_spelt_as_the_variable_says_where_that_is_the_same_directory(caller):
    parent, sub = elsewhere(caller)
    run = caller.shell(PWD_SPEC, 'cat /src/name; echo " $HERE"', cwd=sub, env={"PWD": f"{parent}/link"}).ok
    assert run.stdout == f"sub {parent}/link\n"


def test_pwd_under_env_c(caller):
    parent, sub = elsewhere(caller)
    caller.wrapper = ("/usr/bin/env", "-C", sub)
    assert caller.shell(PWD_SPEC, "cat /src/name", cwd=parent, env={"PWD": str(parent)}).ok.stdout == "sub"


def test_a_removed_current_directory_is_refused(caller):
    gone = caller.directory()
    caller.wrapper = ("/bin/sh", "-c", 'rmdir "$0" && exec "$@"', gone)
    run = caller.run(PWD_SPEC, "/bin/true", cwd=gone, env={"PWD": str(gone)})
    assert run.status == 125 and "PWD, the current directory, is not known" in run.stderr, run


@pytest.mark.parametrize("word", [".:/src", "etc:/src", "../x:/src", "./*/passwd"])
def test_nothing_is_relative_to_a_removed_current_directory(caller, word):
    """It was the root of the host that was shown."""
    gone = caller.directory()
    caller.wrapper = ("/bin/sh", "-c", 'rmdir "$0" && exec "$@"', gone)
    run = caller.run(None, "/bin/ls", "/src", cwd=gone, options=["--set", f'filesystem.ro=["{word}"]'])
    assert run.status == 125 and run.stdout == "" and "has no path any more" in run.stderr, run


def asked(caller, spec, name):
    """What getent(1) says of a name, within the jail."""
    return caller.run(spec, "/usr/bin/getent", "hosts", name)


@pytest.mark.parametrize("root", ["system", "host"])
def test_a_name_of_the_jails_own_has_an_address(caller, root):
    before = open("/etc/hosts").read() if os.path.exists("/etc/hosts") else None
    spec = f'hostname = "build.jail"\nfilesystem.root = "{root}"'
    for name in ("build.jail", "build"):
        assert asked(caller, spec, name).ok.stdout.startswith("127.0.1.1 ")
    assert caller.run(spec, "/bin/hostname", "-f").ok.stdout == "build.jail\n"
    assert "localhost" in asked(caller, spec, "localhost").ok.stdout
    assert caller.shell(spec, "echo x >>/etc/hosts").status != 0
    assert (open("/etc/hosts").read() if os.path.exists("/etc/hosts") else None) == before


@pytest.mark.parametrize("hosts", ["there", "absent", "link", "empty"])
def test_hosts_of_a_tree(caller, hosts):
    place = tree(caller)
    if hosts == "there":
        caller.file(place / "etc/hosts", "192.0.2.7 other")
    if hosts == "empty":
        caller.file(place / "etc/hosts", "")
    if hosts == "link":
        caller.file(place / "etc/names", "192.0.2.7 other\n")
        (place / "etc/hosts").symlink_to("names")
    spec = 'hostname = "build"\n' + rooted(place)
    listed = sorted(os.listdir(place / "etc"))
    seen = caller.shell(spec, "cat /etc/hosts /etc/hostname").ok.stdout
    assert "127.0.1.1\tbuild\n" in seen and seen.endswith("tree\n")
    assert ("192.0.2.7 other\n" in seen) == (hosts in ("there", "link")) != ("localhost" in seen)
    assert sorted(os.listdir(place / "etc")) == listed


def test_nothing_stays_in_a_writable_tree_without_hosts(caller):
    place = tree(caller)
    spec = 'hostname = "build"\n' + rooted(place, "writable = true")
    assert caller.shell(spec, "test ! -e /etc/hosts && hostname").ok.stdout == "build\n"
    assert not (place / "etc/hosts").exists()


def test_written_hosts_stay(caller):
    spec = 'hostname = "build"\n[[mount]]\ntarget = "/etc/hosts"\ntype = "file"\ncontent = "written"'
    assert caller.run(spec, "/bin/cat", "/etc/hosts").ok.stdout == "written"
