"""Every remedy is done as it is printed, on a host that already has users: the launch then works, and nobody else's ids are
given away."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from harness.must import needs

AUTO = '[identity]\nuser = 0\ngroup = 0\nuid_map = "auto"\ngid_map = "auto"\n'
FILES = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
OTHERS = {"subuid": "bob:100000:65536\neve:296608:65536\n", "subgid": "eve:165536:65536\nbob:100000:65536\n"}


@pytest.fixture
def etc():
    """The run's own /etc, put back afterwards with what usermod(8) keeps of the files before."""
    needs(os.getuid() == 0 and os.path.ismount("/etc"), "change /etc: not the run's own")
    paths = [Path("/etc") / name for name in FILES]
    paths += [path.with_name(path.name + "-") for path in paths]
    before = {path: (path.read_bytes(), path.stat()) for path in paths if path.exists()}
    for name, text in OTHERS.items():
        Path("/etc", name).write_text(text)
    yield Path("/etc")
    for path in paths:
        path.unlink(missing_ok=True)
        if path in before:
            content, status = before[path]
            path.write_bytes(content)
            path.chmod(status.st_mode & 0o7777)
            os.chown(path, status.st_uid, status.st_gid)


def commands(text):
    """What stands after "as root: ", each once, in the order in which it is printed."""
    return list(dict.fromkeys(re.findall(r"as root: (.*)", text)))


def obey(text):
    """Does as root what the messages say; they must say something."""
    found = commands(text)
    assert found, text
    for command in found:
        subprocess.run(["sh", "-ec", command], check=True, cwd="/", timeout=60)
    return found


def lines(name):
    return [line.split(":") for line in Path("/etc", name).read_text().splitlines() if line]


def assert_nothing_shared(name, accounts):
    """No two ranges have an id in common, and none has that of an account."""
    ranges = sorted((int(start), int(start) + int(count)) for _, start, count in lines(name))
    for (_, end), (start, _) in zip(ranges, ranges[1:]):
        assert end <= start, ranges
    for line in lines(accounts):
        assert not any(start <= int(line[2]) < end for start, end in ranges), (line, ranges)


def launch(user, uid=None, gid=None):
    who = {} if uid is None else {"user": uid, "group": gid or uid, "extra_groups": []}
    spec = user.spec("\n" + AUTO)
    spec.parent.chmod(0o755)
    argv = [user.binary, "run", spec, "--", "/bin/cat", "/proc/self/uid_map", "/proc/self/gid_map"]
    return user.finish(user.popen(argv, cwd="/", **who))


def assert_works(run, uid=None, gid=None):
    """The range of each file is what the jail has from 0 upwards, and nobody else's; the caller's own id is itself there."""
    rows = [[int(word) for word in line.split()] for line in run.ok.stdout.splitlines()]
    second = [at for at, row in enumerate(rows) if row[0] == 0][1]
    for name, accounts, own, found in (
        ("subuid", "passwd", uid, rows[:second]), ("subgid", "group", gid, rows[second:]),
    ):
        assert_nothing_shared(name, accounts)
        start = found[0][1]
        assert [str(start), "65536"] in [line[1:] for line in lines(name)]
        # Root's own id the jail has only where a spec says so.
        if not own:
            assert found == [[0, start, 65536]]
        elif own < 65536:
            parts = [[0, start, own], [own, own, 1], [own + 1, start + own + 1, 65535 - own]]
            assert found == [part for part in parts if part[2]]
        else:
            assert found == [[0, start, 65536], [own, own, 1]]


def test_c110_a_user_without_a_range_gets_the_first_free_one(user, etc):
    run = launch(user)
    assert run.status == 125 and "no range for" in run.stderr
    assert f"usermod --add-subuids 165536-231071 {user.login}" in run.stderr
    assert f"usermod --add-subgids 231072-296607 {user.login}" in run.stderr
    obey(run.stderr)
    assert_works(launch(user), user.uid, user.gid)


def test_c110_root_gets_one_too(root, etc):
    run = launch(root)
    assert run.status == 125
    obey(run.stderr)
    assert_works(launch(root))


def test_c110_no_account_has_an_id_of_the_range(user, etc):
    with open("/etc/passwd", "a") as file:
        file.write("carol:x:200000:200000::/:/bin/sh\n")
    with open("/etc/group", "a") as file:
        file.write("carol:x:231080:\n")
    run = launch(user)
    assert "--add-subuids 200001-265536 " in run.stderr and "--add-subgids 231081-296616 " in run.stderr
    obey(run.stderr)
    assert_works(launch(user), user.uid, user.gid)


def test_c110_only_the_file_that_lacks_it_is_changed(user, etc):
    with open("/etc/subuid", "a") as file:
        file.write(f"{user.login}:500000:65536\n")
    run = launch(user)
    assert len(obey(run.stderr)) == 1 and "subuids" not in run.stderr
    assert_works(launch(user), user.uid, user.gid)


def test_c110_files_that_are_missing_are_made(user, etc):
    for name in OTHERS:
        (etc / name).unlink()
    run = launch(user)
    assert run.status == 125
    obey(run.stderr)
    for name in OTHERS:
        assert lines(name) == [[user.login, "100000", "65536"]]
    assert_works(launch(user), user.uid, user.gid)


def test_c110_a_uid_without_a_name_gets_lines_to_append(user, etc, stranger):
    run = launch(user, stranger)
    assert run.status == 125 and f"echo '{stranger}:165536:65536' >>/etc/subuid" in run.stderr
    obey(run.stderr)
    assert_works(launch(user, stranger), stranger, stranger)


def test_c110_the_last_line_of_a_file_stays_what_it_is(user, etc, stranger):
    for name, text in OTHERS.items():
        (etc / name).write_text(text.rstrip("\n"))
    obey(launch(user, stranger).stderr)
    for name, text in OTHERS.items():
        assert (etc / name).read_text().startswith(text)
    assert_works(launch(user, stranger), stranger, stranger)


def test_a_uid_with_a_range_and_without_a_name_gets_one(user, etc, stranger):
    for name, start in (("subuid", 165536), ("subgid", 231072)):
        with open(etc / name, "a") as file:
            file.write(f"{stranger}:{start}:65536\n")
    run = launch(user, stranger)
    assert run.status == 125 and "asks for a name" in run.stderr
    obey(run.stderr)
    assert_works(launch(user, stranger), stranger, stranger)


def test_the_doctor_has_the_same_remedy(user, etc):
    run = launch(user)
    doctor = user.verb("doctor", timeout=60).stdout
    for command in commands(run.stderr):
        assert command in doctor
    section = doctor[doctor.index("identity") : doctor.index("\nprocess")]
    obey(section)
    assert_works(launch(user), user.uid, user.gid)


def test_where_no_range_is_left_that_is_said(user, etc):
    for name in OTHERS:
        (etc / name).write_text("bob:100000:4294867294\n")
    run = launch(user)
    assert run.status == 125 and "no 65536 ids in a row are free in /etc/subuid" in run.stderr
    assert commands(run.stderr) == []
    for name in OTHERS:
        (etc / name).write_text("")
    obey(launch(user).stderr)
    assert_works(launch(user), user.uid, user.gid)
