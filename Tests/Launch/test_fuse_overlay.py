"""An ordinary user's overlay that shows all as the jail's: fuse-overlayfs makes it, outside of the jail, shut in as far as the kernel can."""

import json
import os
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from harness import linux
from harness.fuse import open_to_all
from harness.hints import as_root, gone, told
from harness.must import needs
from harness.patience import patient, until


@pytest.fixture(autouse=True)
def fuse(base):
    needs(shutil.which("fuse-overlayfs", path="/usr/bin"), "fuse-overlayfs")
    with open_to_all(base):
        yield


def overlay(lower, more="", target="/src"):
    return f'[[mount]]\ntarget = "{target}"\ntype = "overlay"\nlower = {json.dumps([str(each) for each in lower])}\nidmap = true\n{more}\n'


@pytest.fixture
def running(user):
    place = user.open_directory()
    launch = user.start(overlay(["/usr/share"]) + f'[filesystem]\nrw = ["{place}:/w"]', "/bin/sh", "-c", "ls /src >/w/began; sleep 1000")
    until(lambda: (place / "began").exists() and (place / "began").read_text())
    return launch, linux.server(launch.pid, "fuse-overlayfs")


def test_files_of_root_can_be_changed_and_stay_as_they_are(user):
    before = sorted(os.listdir("/usr/share"))
    script = (
        "cd /src && stat -c '%u:%g' . misc && touch new && echo x >>misc/magic.none && rm -r keyrings && mkdir keyrings && ls -A keyrings"
        " && mv debconf moved && chmod 700 moved && grep ' /src ' /proc/self/mountinfo && id -u && ls -d keyrings moved new"
    )
    run = user.shell(overlay(["/usr/share"]), script)
    lines = run.ok.stdout.splitlines()
    assert lines[0] == lines[1] and lines[0].split(":")[0] == lines[3] and lines[-3:] == ["keyrings", "moved", "new"], run
    assert " - fuse.fuse-overlayfs " in lines[2] and "nosuid,nodev" in lines[2]
    assert sorted(os.listdir("/usr/share")) == before and linux.survivors(0.5) == {}


def test_what_belongs_to_another_group(user):
    """S12: what the kernel's own overlay cannot copy."""
    if os.getuid() != 0:
        pytest.skip("needs a file of a foreign group")
    place = user.directory()
    user.file(place / "a", "a\n")
    os.chown(place, user.uid, 12345)
    os.chown(place / "a", user.uid, 12345)
    run = user.shell(overlay([place]), "cd /src && echo b >>a && cat a && echo c >new && cat new")
    assert run.ok.stdout == "a\nb\nc\n" and (place / "a").read_text() == "a\n" and not (place / "new").exists()


def test_several_lowers_with_names_of_any_kind(user):
    place = user.directory()
    lowers = []
    for name in ("a:b", "a,b", "back\\slash", 'quo"te', "new\nline"):
        lower = place / name
        lower.mkdir()
        user.own(lower)
        user.file(lower / "same", name)
        user.file(lower / f"only{len(lowers)}", name)
        lowers.append(lower)
    run = user.shell(overlay(lowers), "cd /src && ls | wc -l && cat same && rm same only4 && ls")
    assert run.ok.stdout == "6\na:bonly0\nonly1\nonly2\nonly3\n"


def test_the_whole_of_usr(user):
    """Root's tree as the jail's own: a package manager's work, thrown away."""
    run = user.shell(overlay(["/usr"], target="/usr"), "echo '#!/bin/sh\necho changed' >/usr/bin/true && chmod 755 /usr/bin/true && /usr/bin/true && rm -r /usr/share/debconf && ls /usr")
    assert run.ok.stdout.splitlines()[0] == "changed"


def test_a_quota_ends_in_enospc_and_df_shows_it(user):
    run = user.shell(overlay(["/usr/share"], 'quota = "8M"'), "cd /src && df -k --output=size . | tail -1 && head -c 9437184 /dev/zero >big; stat -c %s big")
    assert run.stdout.split()[0] == "8192" and "No space left" in run.stderr, run
    assert 7 << 20 < int(run.stdout.split()[1]) <= 8 << 20


def test_what_was_full_is_told(user):
    """By a line where the command failed, and in the result however it ended."""
    result = user.directory() / "result"
    fill = "head -c 9437184 /dev/zero >/src/big"
    run = user.shell(overlay(["/usr/share"], 'quota = "8M"'), fill)
    assert run.status == 1 and "mount /src: full (8M of 8M)" in run.stderr, run
    user.shell(overlay(["/usr/share"], 'quota = "8M"'), f"{fill} 2>/dev/null; true", options=["--result", str(result)]).ok
    hit, = json.loads(result.read_text())["limits_hit"]
    assert (hit["limit"], hit["value"], hit["count"]) == ("mount /src", "8M", 1)
    run = user.shell(overlay(["/usr/share"], 'quota = "8M"\ninodes = 20'), "i=0; while echo >/src/f$i; do i=$((i + 1)); done; exit 1")
    assert "mount /src: no file is left of 20" in run.stderr, run
    assert user.shell(overlay(["/usr/share"], 'quota = "8M"'), "exit 1").stderr == ""


def test_read_only_takes_mount_points(user):
    place = user.directory()
    spec = overlay([place], 'options = ["ro"]') + '[[mount]]\ntarget = "/src/new/place"\ntype = "tmpfs"\n'
    run = user.shell(spec, "touch /src/z; echo x >/src/new/place/x && echo ok")
    assert "Read-only" in run.stderr and run.stdout == "ok\n" and not (place / "new").exists()


def test_the_command_s_own_end_is_the_end(user):
    for status in [0, 3] * 5:
        run = user.shell(overlay(["/usr/share"]), f"ls -d /src; exit {status}")
        assert run.status == status and run.stderr == "" and run.stdout == "/src\n", run


# What ends it


def test_a_server_that_ends_takes_the_jail_with_it(user, running):
    launch, pid = running
    os.kill(pid, signal.SIGKILL)
    run = user.finish(launch)
    assert run.status == 137 and "fuse-overlayfs ended: SIGKILL; jail killed" in run.stderr, run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_server_outlives_the_launch(user, running, number):
    launch, pid = running
    handle = os.pidfd_open(pid)
    os.kill(launch.pid, number)
    user.finish(launch)
    assert select.select([handle], [], [], patient(0.5))[0], "fuse-overlayfs is still there"


# How it is shut in


@pytest.mark.skipif(os.getuid() != 0, reason="looks into a process of another user namespace")
def test_what_the_server_has(user, running):
    launch, pid = running
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and int(status["CapPrm"], 16) == 0
    assert Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")[:-1] == [b"PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    for kind in ("user", "mnt", "pid", "net"):
        assert os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
    mounts = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
    assert any(line.split()[4] == "/lower0" and "ro" in line.split()[5].split(",") for line in mounts), mounts
    launch.terminate()
    user.finish(launch)


# What is refused


@pytest.mark.skipif(os.getuid() != 0, reason="mounts")
def test_fuse_overlayfs_that_is_not_installed(user, base):
    place = Path(base) / "no-fuse-overlayfs"
    for name in ("upper", "work"):
        (place / name).mkdir(parents=True, exist_ok=True)
    os.mknod(place / "upper/fuse-overlayfs", 0o020000, 0)
    linux.mount("overlay", "/usr/bin", "overlay", data=f"lowerdir=/usr/bin,upperdir={place}/upper,workdir={place}/work")
    try:
        hint = told(user.run(overlay(["/usr/share"]), "/bin/true"), "as root: apt install {}")
        assert as_root(hint) == "apt install fuse-overlayfs" and hint in user.verb("doctor", timeout=30).stdout
    finally:
        linux.umount("/usr/bin")
    gone(user.run(overlay(["/usr/share"]), "/bin/true"))


@pytest.mark.skipif(os.getuid() != 0, reason="changes /dev/fuse")
def test_fuse_that_cannot_be_opened(user):
    os.chmod("/dev/fuse", 0o600)
    try:
        hint = told(user.run(overlay(["/usr/share"]), "/bin/true"), "open it to every user, who may then mount by FUSE, as under udev's own rules; as root: chmod 666 /dev/fuse")
        subprocess.run(["sh", "-c", as_root(hint)], check=True)
        gone(user.run(overlay(["/usr/share"]), "/bin/true"))
    finally:
        os.chmod("/dev/fuse", 0o666)


def test_what_belongs_to_another_is_named_with_the_way(user):
    plain = overlay(["/usr/share"]).replace("idmap = true\n", "")
    run = user.run(plain, "/bin/true")
    assert run.status == 125 and "launch as root, or set idmap = true, for fuse-overlayfs to make it" in run.stderr, run
    gone(user.run(overlay(["/usr/share"]), "/bin/true"))


def test_the_way_for_changes_that_stay_is_another(user):
    place = user.directory()
    plain = overlay(["/usr/share"]).replace("idmap = true\n", "")
    kept = f'upper = "{place}/up"\nwork = "{place}/work"\n'
    run = user.run(plain + kept, "/bin/true")
    told(run, "launch as root; or leave upper and work out, and set idmap = true, for fuse-overlayfs to make it")
    gone(user.run(plain + "idmap = true\n", "/bin/true"))
    run = user.run('[filesystem]\nroot = "host"\nchanges = "discard"\n', "/bin/true")
    assert run.status == 125 and "hint: launch as root\n" in run.stderr, run


def test_its_changes_are_not_listed(user):
    run = user.shell(overlay(["/usr/share"]), "true", options=["--changes", "-"])
    assert run.status == 125 and "what is changed through fuse-overlayfs cannot be listed" in run.stderr, run
    assert "hint: leave --changes out, or idmap = true\n" in run.stderr
    user.shell(overlay(["/usr/share"]), "true").ok
    place = user.directory()
    assert "A /src/new" in user.shell(overlay([place]).replace("idmap = true\n", ""), "touch /src/new", options=["--changes", "-"]).ok.stdout.replace("\t", " ")


def test_the_jail_does_not_see_the_server(user):
    run = user.shell(overlay(["/usr/share"]), "ls -d /src; for p in /proc/[0-9]*; do cat $p/comm 2>/dev/null; done").ok
    assert "fuse-overlayfs" not in run.stdout
