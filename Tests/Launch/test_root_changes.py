"""`filesystem.changes`: the whole root copied on write, thrown away or kept."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.must import cannot
from test_overlay import picture, tree, writable

#: The jail's root is the host's, with the capabilities that a package manager uses: what it changes is the overlay's.
HOST_ROOT = """[identity]
user = "root"
group = "root"
uid_map = [{ inside = 0, outside = 0, count = 65536 }]
gid_map = [{ inside = 0, outside = 0, count = 65536 }]
[capabilities]
keep = ["chown", "dac_override", "fowner", "fsetid", "setgid", "setuid", "sys_chroot"]
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A package of one program, built here: nothing has to be fetched."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("no dpkg-deb")
    place = tmp_path_factory.mktemp("package")
    place.chmod(0o755)
    (place / "tree/DEBIAN").mkdir(parents=True)
    (place / "tree/usr/bin").mkdir(parents=True)
    (place / "tree/usr/bin/immure-sample").write_text("#!/bin/sh\necho sample\n")
    (place / "tree/usr/bin/immure-sample").chmod(0o755)
    (place / "tree/DEBIAN/control").write_text(
        "Package: immure-sample\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: sample\n")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", place / "tree", place / "sample.deb"], check=True, capture_output=True)
    return place / "sample.deb"


def host_state():
    found = {}
    for path in ("/var/lib/dpkg", "/var/lib/apt", "/var/cache/apt", "/usr/bin", "/usr/share/doc", "/etc"):
        for root, directories, files in os.walk(path):
            for name in files:
                state = os.lstat(os.path.join(root, name))
                found[os.path.join(root, name)] = (state.st_mode, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    found["status"] = hashlib.sha256(Path("/var/lib/dpkg/status").read_bytes()).hexdigest()
    return found


def test_the_whole_host_for_an_experiment(root, package):
    before = host_state()
    options = ["--set", 'filesystem.root="host"', "--set", 'filesystem.changes="discard"']
    shutil.copy(package, root.base / "sample.deb")
    script = f"dpkg -i {root.base}/sample.deb >/dev/null && immure-sample && dpkg -s immure-sample | grep -c installed && rm -rf /usr/share/doc"
    run = root.shell(HOST_ROOT + f'[filesystem]\nro = ["{root.base}"]\n', script, options=options, timeout=60)
    assert run.stdout == "sample\n1\n", run
    assert host_state() == before and not os.path.exists("/usr/bin/immure-sample") and os.path.isdir("/usr/share/doc")


def test_apt_get_installs_on_the_whole_host_and_nothing_stays(root, package):
    """From a repository of its own: apt fetches as its user, moves what it has fetched, and calls dpkg."""
    if not shutil.which("apt-get"):
        cannot("install a package: no apt-get")
    place = root.directory()
    shutil.copy(package, place / "sample.deb")
    fields = subprocess.run(["dpkg-deb", "-f", package], check=True, capture_output=True, text=True).stdout
    content = package.read_bytes()
    (place / "Packages").write_text(
        f"{fields}Filename: ./sample.deb\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n\n")
    (place / "sources.list").write_text(f"deb [trusted=yes] file:{place} ./\n")
    apt = f"apt-get -q -o Dir::Etc::sourcelist={place}/sources.list -o Dir::Etc::sourceparts=-"
    script = f"({apt} update && {apt} install -y immure-sample) >/tmp/log 2>&1 || cat /tmp/log; immure-sample; dpkg -s immure-sample | grep ^Status"
    options = ["--set", 'filesystem.root="host"', "--set", 'filesystem.changes="discard"']
    before = host_state()
    run = root.shell(HOST_ROOT + f'[network]\nmode = "host"\n[filesystem]\nro = ["{root.base}"]\n', script, options=options, timeout=60)
    assert run.stdout == "sample\nStatus: install ok installed\n", run
    assert host_state() == before and not os.path.exists("/usr/bin/immure-sample")


def test_by_default_the_command_is_nobody_there_as_well(root):
    before = host_state()
    run = root.shell('[filesystem]\nroot = "host"\nchanges = "discard"\n', "id -u; touch /usr/bin/x")
    assert run.stdout == "65534\n" and "Permission denied" in run.stderr, run
    assert host_state() == before


def test_the_changes_of_the_host_are_kept_and_listed(root):
    place = root.directory()
    spec = root.spec(HOST_ROOT + f'[filesystem]\nroot = "host"\nchanges = "{place}/experiment"\n')
    root.shell(spec, "echo x > /usr/bin/planted && rm /etc/hostname; find / -xdev -path '*experiment*' | wc -l").ok
    assert oct((place / "experiment").stat().st_mode) == "0o40700"
    found = root.verb("diff", spec).stdout.splitlines()
    assert "A usr/bin/planted" in found and not os.path.exists("/usr/bin/planted")
    assert root.shell(spec, "cat /usr/bin/planted").ok.stdout == "x\n"
    assert root.verb("discard", spec).status == 0 and root.verb("diff", spec).status == 0


def test_what_is_mounted_in_the_host_is_read_only(root):
    from harness import linux

    place = root.directory()
    linux.mount("tmpfs", place, "tmpfs", 0, "size=1M,mode=1777")
    try:
        (place / "file").write_text("seen\n")
        run = root.shell('[filesystem]\nroot = "host"\nchanges = "discard"\ntmp = false\n', f"cat {place}/file; echo x > {place}/new")
        assert run.stdout == "seen\n" and "Read-only" in run.stderr, run
    finally:
        linux.umount(place)


@pytest.mark.parametrize("changes", ["discard", "{}/kept"])
def test_sys_of_the_host_is_read_only_and_nobody_s_change(root, changes):
    """With the host's network it is the host's sysfs; the directory that it stands on has another mode."""
    text = HOST_ROOT + f'[network]\nmode = "host"\n[filesystem]\nroot = "host"\nchanges = "{changes.format(root.directory())}"\n'
    run = root.shell(text, "test -d /sys/class/net && touch /sys/x", options=["--changes", "-"])
    assert run.status != 0 and "Read-only" in run.stderr and "/sys" not in run.stdout, run


def test_changes_are_compared_with_what_is_below_mounts(root):
    """What the overlay has as its lower is what a mount of the host's covers."""
    from harness import linux

    place = root.directory()
    (place / "m/d").mkdir(parents=True)
    (place / "m/below").write_text("below\n")
    linux.mount("tmpfs", place / "m", "tmpfs", 0, "size=1M,mode=1700")
    try:
        (place / "m/above").write_text("above\n")
        text = writable(root) + f'[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{place}"]\noptions = ["bind"]\n'
        run = root.shell(text, "cat /src/m/below && touch /src/m/d/new && echo x > /src/m/above", options=["--changes", "-"])
        assert run.ok.stdout.replace("\t", " ") == "below\nA /src/m/above\nA /src/m/d/new\n", run
    finally:
        linux.umount(place / "m")


def test_an_ordinary_user_has_not_the_whole_host(user):
    run = user.shell('[filesystem]\nroot = "host"\nchanges = "discard"\n', "true")
    assert run.status == 125 and "/ belongs to uid 0, which is not in the jail" in run.stderr, run


@pytest.fixture
def small(caller):
    """A root that holds a static shell's worth of the host."""
    place = caller.directory()
    for name in ("usr", "etc", "proc", "dev", "tmp", "data"):
        (place / name).mkdir()
        caller.own(place / name)
    for name in ("bin", "lib", "lib64", "sbin"):
        (place / name).symlink_to(f"usr/{name}")
    caller.file(place / "data/a", "a\n")
    return place


def test_a_directory_as_the_root(caller, small):
    kept = caller.directory()
    before = picture(small / "data")
    spec = f'[filesystem]\nroot = "{small}"\nchanges = "discard"\nro = ["/usr"]\n'
    run = caller.shell(writable(caller) + spec, "echo x >> /data/a && mkdir /new && cat /data/a")
    assert run.ok.stdout == "a\nx\n" and picture(small / "data") == before and not (small / "new").exists()
    spec = caller.spec(writable(caller) + spec.replace('"discard"', f'"{kept}/changes"'))
    caller.shell(spec, "echo x >> /data/a && mkdir /new").ok
    assert {"M data/a", "A new"} <= set(caller.verb("diff", spec).stdout.splitlines())
    assert caller.verb("apply", spec, "/", "--", "data/a").status == 0 and (small / "data/a").read_text() == "a\nx\n"


def test_what_contradicts_it(root):
    text = '[filesystem]\nroot = "host"\nwritable = true\nchanges = "discard"\n'
    run = root.shell(text, "true")
    assert run.status == 125 and "writable makes the changes in fact" in run.stderr and "hint: leave one of the two out" in run.stderr
    root.shell(text.replace("writable = true\n", ""), "true").ok


def test_a_root_of_the_jails_own_has_nothing_to_copy(caller):
    run = caller.shell('[filesystem]\nchanges = "discard"\n', "true")
    assert run.status == 125 and "only a root that is a tree of the host's can be copied on write" in run.stderr, run
    caller.shell("[filesystem]\nwritable = true\n", "echo x > /new").ok
