"""The config.json of an OCI bundle in the place of a spec."""

import json
import os
import re
import shlex
import shutil
import subprocess

import pytest

from harness.bundle import bundle, config, tree
from harness.hints import told


def refused(run, *words):
    assert run.status == 125 and run.stdout == "" and all(word in run.stderr for word in words), run


def test_the_program_of_the_bundle_runs(caller):
    run = caller.verb("run", str(bundle(caller))).ok
    assert (run.stdout, run.stderr) == ("of the bundle\n", "")
    assert caller.verb(str(bundle(caller))).ok.stdout == "of the bundle\n"


def test_it_is_as_its_file_says(caller):
    path = bundle(caller, hostname="h", process__cwd="/bin", process__rlimits=[{"type": "RLIMIT_NOFILE", "soft": 9, "hard": 10}], mounts=[*config(caller)["mounts"], {"destination": "/data", "type": "bind", "source": "shown", "options": ["rbind", "ro"]}])
    (path.parent / "shown").mkdir()
    (path.parent / "shown/f").write_text("within\n")
    script = "echo $A $PWD $UID $HOSTNAME; ulimit -n; ulimit -Hn; echo /*; read l </data/f; echo $l; { echo x >/x; } 2>/dev/null || echo shut"
    run = caller.verb("run", str(path), "--", "/bin/sh", "-c", script).ok
    assert run.stdout.splitlines() == ["1 /bin 0 h", "9", "10", "/bin /data /dev /etc /proc", "within", "shut"]


def test_it_is_found_from_anywhere(caller):
    path = bundle(caller)
    assert caller.verb("run", "config.json", cwd=path.parent).ok.stdout == "of the bundle\n"
    assert caller.verb("run", f"{path.parent.name}/config.json", cwd=path.parent.parent).ok.stdout == "of the bundle\n"
    other = path.rename(path.parent / "spec")
    assert caller.verb("run", str(other)).ok.stdout == "of the bundle\n"


def test_a_bundle_by_its_directory(caller):
    path = bundle(caller)
    hint = told(caller.verb("run", str(path.parent)), "a bundle is launched by its config.json: immure run {}")
    assert caller.verb(*shlex.split(hint.split(": immure ")[1])).ok.stdout == "of the bundle\n"
    run = caller.verb("run", str(path.parent / "rootfs"))
    assert run.status == 125 and "a directory" in run.stderr and "hint" not in run.stderr, run


def test_a_spec_within_reach_of_the_jail(root):
    """A bundle whose root is itself can write its own config.json."""
    path = bundle(root, root__path=".", root__readonly=False, process__args=["/rootfs/bin/sh", "-c", "echo ran"])
    refused(root.verb("run", str(path)), "the next launch would go by what it wrote")


def test_a_root_that_can_be_written_to(caller):
    path = bundle(caller, root__readonly=False)
    caller.verb("run", str(path), "--", "/bin/sh", "-c", "echo kept >/new").ok
    assert (path.parent / "rootfs/new").read_text() == "kept\n"


def test_a_spec_goes_on_from_it(caller):
    path = bundle(caller)
    spec = caller.file(path.parent / "more.toml", 'extends = ["config.json"]\nhostname = "more"\n[environment]\nset = { B = "2" }\n')
    assert caller.verb("run", str(spec), "--", "/bin/sh", "-c", "echo $A $B $HOSTNAME").ok.stdout == "1 2 more\n"
    assert caller.verb("run", str(path), "--set", 'hostname="set"', "--", "/bin/sh", "-c", "echo $HOSTNAME").ok.stdout == "set\n"


def test_every_verb_takes_it(caller):
    path = bundle(caller)
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if '"rootfs"' in text)
    assert caller.verb("check", str(path)).status == 0
    plan = caller.verb("plan", str(path))
    assert plan.status == 0 and f"[{path}:{line}:3]" in plan.stdout, plan
    assert "[oci:" not in plan.stdout
    assert caller.verb("score", str(path)).status == 0
    assert f"run {path}" in caller.verb("unit", str(path)).ok.stdout


def test_the_files_of_the_runtimes(caller):
    """The mounts and the paths that `crun spec` and `runc spec` write."""
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]},
    ]
    masked = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/timer_stats", "/sys/firmware", "/proc/scsi"]
    path = bundle(caller, mounts=mounts, linux__maskedPaths=masked, linux__readonlyPaths=["/proc/bus", "/proc/sys"])
    run = caller.verb("run", str(path), "--", "/bin/sh", "-c", "echo /sys/firmware/* /sys/fs/cgroup/cgroup.procs; { echo x >/proc/sys/kernel/hostname; } 2>/dev/null || echo shut").ok
    assert (run.stdout, run.stderr) == ("/sys/firmware/* /sys/fs/cgroup/cgroup.procs\nshut\n", ""), run


def test_a_read_only_path_within_a_writable_mount(caller):
    mounts = [*config(caller)["mounts"], {"destination": "/data", "type": "bind", "source": "shown", "options": ["rbind", "rw"]}]
    path = bundle(caller, mounts=mounts, linux__readonlyPaths=["/data/conf", "/data/none"])
    for name in ("shown", "shown/conf"):
        (path.parent / name).mkdir()
        caller.own(path.parent / name)
    script = "echo x >/data/open; { echo x >/data/conf/f; } 2>/dev/null || echo shut"
    run = caller.verb("run", str(path), "--", "/bin/sh", "-c", script).ok
    assert run.stdout == "shut\n" and sorted(os.listdir(path.parent / "shown")) == ["conf", "open"] and not os.listdir(path.parent / "shown/conf"), run


def test_a_mount_whose_whole_is_read_only(caller):
    mounts = [*config(caller)["mounts"], {"destination": "/data", "type": "tmpfs"}, {"destination": "/dev/shm", "type": "tmpfs", "options": ["ro", "noexec"]}]
    path = bundle(caller, mounts=mounts, linux__readonlyPaths=["/data"])
    run = caller.verb("run", str(path), "--", "/bin/sh", "-c", "for d in /data /dev/shm; do { echo x >$d/f; } 2>/dev/null || echo shut; done").ok
    assert run.stdout == "shut\nshut\n", run


@pytest.mark.parametrize("mount", [{"destination": "/data", "type": "tmpfs"}, {"destination": "/data", "type": "bind", "source": "shown", "options": ["rbind"]}])
def test_a_read_only_path_that_cannot_be_had(caller, mount):
    """In a tmpfs it comes later; through a link it may lie anywhere."""
    path = bundle(caller, mounts=[*config(caller)["mounts"], mount], linux__readonlyPaths=["/data/conf"])
    (path.parent / "shown").mkdir()
    (path.parent / "shown/conf").symlink_to("/etc")
    refused(caller.verb("run", str(path)), "it restricts", "linux.readonlyPaths /data/conf")


# Devices


def device(caller, path, major, minor, kind="c"):
    return bundle(caller, linux__devices=[{"path": path, "type": kind, "major": major, "minor": minor}])


def test_a_device_out_of_dev(caller):
    place = caller.directory()
    refused(caller.verb("run", str(device(caller, str(place), 1, 3))), "is not below /dev")
    refused(caller.verb("run", str(device(caller, f"/dev/../{place}", 1, 3))), "is not below /dev")


def test_a_device_by_its_numbers(caller):
    numbers = os.stat("/dev/kmsg").st_rdev
    path = device(caller, "/dev/kmsg", os.major(numbers), os.minor(numbers))
    run = caller.verb("run", str(path), "--", "/bin/sh", "-c", "[ -c /dev/kmsg ] && echo there").ok
    assert run.stdout == "there\n" and "linux.devices /dev/kmsg: the host's is bound" in run.stderr, run
    refused(caller.verb("run", str(device(caller, "/dev/kmsg", 1, 3))), "/dev/kmsg is not the character device 1:3")
    refused(caller.verb("run", str(device(caller, "/dev/kmsg", 1, 11, "b"))), "/dev/kmsg is not the block device 1:11")


def test_no_directory_is_bound_for_a_device(caller):
    refused(caller.verb("run", str(device(caller, "/dev/net", 1, 3))), "/dev/net is not the character device 1:3")
    spec = caller.spec('[[mount]]\ntarget = "/dev/x"\nsource = "/dev/net"\ndevice = "any"\n')
    refused(caller.run(spec, "/bin/true"), "/dev/net is not a device node")


# What has no line


@pytest.mark.parametrize("more, words", [({"hooks__prestart": [{"path": "/bin/hook"}]}, "hooks are not run: /bin/hook"), ({"linux__intelRdt": {}}, "shares of caches"), ({"linux__resources": {"unified": {"io.weight": "50"}}}, "files of cgroups by their names"), ({"linux__resources": {"hugepageLimits": [{"pageSize": "2MB", "limit": 9}]}}, "huge pages")])
def test_what_restricts_and_is_lost_is_refused(caller, more, words):
    path = bundle(caller, **more)
    for verb in ("run", "plan"):
        run = caller.verb(verb, str(path))
        refused(run, words, f"{path}:")
    assert caller.verb("check", str(path)).status == 2
    hint = told(caller.verb("run", str(path)), "immure import oci {} prints a spec without it")
    made = subprocess.run(hint.split(" prints")[0].replace("immure", caller.binary, 1), shell=True, capture_output=True, text=True, **caller.account())
    spec = caller.file(path.parent / "made.toml", made.stdout)
    assert caller.verb("run", str(spec)).ok.stdout == "of the bundle\n"


def test_what_opens_and_is_lost_is_told(caller):
    path = bundle(caller, linux__sysctl={"net.core.somaxconn": "9"}, linux__netDevices={"eth9": {"name": "eth0"}}, domainname="d")
    run = caller.verb("run", str(path))
    assert run.status == 0 and run.stdout == "of the bundle\n"
    assert f"{path}:" in run.stderr and 'linux.sysctl.net.core.somaxconn: "9": left out' in run.stderr and "domainname" in run.stderr
    assert "linux.netDevices: left out" in run.stderr and "interfaces that are moved into the jail" in run.stderr, run


# Hostile ones


@pytest.mark.parametrize("root", ["../../..", "..", "rootfs/../../x", "./../x"])
def test_a_root_out_of_the_bundle(caller, root):
    path = bundle(caller, root__path=root)
    refused(caller.verb("run", str(path)), "leads out of the bundle", f"{path}:")
    assert "write the path from / on" in caller.verb("run", str(path)).stderr


def test_the_way_out_that_the_hint_names(caller):
    path = bundle(caller, root__path="../elsewhere")
    other = tree(caller.directory() / "elsewhere")
    hint = told(caller.verb("run", str(path)), "write the path from / on, if it is meant")
    path.write_text(path.read_text().replace("../elsewhere", str(other)))
    assert hint and caller.verb("run", str(path)).ok.stdout == "of the bundle\n"


@pytest.mark.parametrize("written", ["rootfs", "a/rootfs"])
def test_a_root_that_is_a_link(caller, written):
    path = bundle(caller, root__path=written)
    place = path.parent / written
    if written == "rootfs":
        place.rename(path.parent / "kept")
        place.symlink_to("/")
    else:
        place.parent.symlink_to("/usr")
    refused(caller.verb("run", str(path)), "is a symbolic link", f"{path}:")


@pytest.mark.parametrize("source", ["../../../etc", "link/passwd", "link"])
def test_a_source_out_of_the_bundle(caller, source):
    path = bundle(caller, mounts=[{"destination": "/x", "type": "bind", "source": source, "options": ["bind"]}])
    (path.parent / "link").symlink_to("/etc")
    refused(caller.verb("run", str(path)), "out of the bundle", f"{path}:")


WRONG = {
    "process.args": ("sh", "a string"),
    "root.readonly": ("true", "a string"),
    "process.noNewPrivileges": (1, ""),
    "linux.maskedPaths": ("/proc/kcore", ""),
    "linux.namespaces": ({"pid": {}}, ""),
    "mounts": ({"/proc": 1}, ""),
    "process.capabilities": (["CAP_KILL"], ""),
    "process.user.uid": ("0", ""),
    "linux.resources": ({"pids": {"limit": "9"}}, ""),
    "linux.resources.memory": ({"limt": 9}, ""),
    "linux.seccomp": ({"syscalls": []}, ""),
    "process.rlimits": ([{"type": "RLIMIT_NOFILE", "soft": 9}], ""),
    "hooks": ([], ""),
    "root.wat": (1, ""),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_value_of_another_kind_is_never_passed_over(caller, key):
    """What a word or a number in the wrong place restricts must not be lost in silence."""
    path = bundle(caller, **{key.replace(".", "__"): WRONG[key][0]})
    run = caller.verb("run", str(path))
    assert run.status == 125 and run.stdout == "" and re.search(rf"{re.escape(str(path))}:\d+:\d+: .*{key.split('.')[-1]}", run.stderr), run
    assert caller.verb("check", str(path)).status == 2


def deep(caller):
    return '{"annotations": ' + '{"a": ' * 100_000 + "1" + "}" * 100_000 + "}"


def nul(caller):
    text = config(caller)
    text["process"]["args"] = ["/bin/sh", "-c", "echo a\0b"]
    return json.dumps(text)


def many(caller):
    text = config(caller)
    text["process"]["env"] = [f"A{number}=" for number in range(90_000)]
    return json.dumps(text)


TEXTS = {
    "many": (many, "lists more than 4096 things"),
    "a long path": (lambda caller: json.dumps({"root": {"path": "a/" * 200_000}}), "longer than the 4095 bytes"),
    "deep": (deep, "deep"),
    "huge": (lambda caller: '{"a": "' + "x" * (2 << 20) + '"}', "larger than 1 MiB"),
    "twice": (lambda caller: '{"root": {"path": "rootfs"}, "root": {"path": "/"}}', "stands twice"),
    "nul in a word": (nul, "NUL"),
    "not UTF-8": (lambda caller: json.dumps(config(caller)).encode().replace(b"of the bundle", b"of \xff"), "UTF-8"),
    "cut": (lambda caller: json.dumps(config(caller))[:-1], "not JSON"),
    "nothing": (lambda caller: "", "not JSON"),
    "no object": (lambda caller: "[]", "must be an object"),
    "no root": (lambda caller: json.dumps({"process": {"args": ["sh"]}}), "root: missing"),
    "no root path": (lambda caller: '{"root": {}}', "root.path: missing"),
    "an empty root path": (lambda caller: '{"root": {"path": ""}}', "root.path: empty"),
}


@pytest.mark.parametrize("what", TEXTS)
def test_texts_of_no_good_will(caller, what):
    make, word = TEXTS[what]
    refused(caller.verb("run", str(bundle(caller, make(caller)))), word)


def test_odd_bytes_arrive_as_they_are(caller):
    word = "a\n\t$HOME ${X} ~ \u2028 'x' \"y\""
    path = bundle(caller, process__args=["/bin/sh", "-c", 'printf "%s" "$1" "$E"', "-", word], process__env=["PATH=/bin", f"E={word}"])
    assert caller.verb("run", str(path)).ok.stdout == word * 2


def test_a_bundle_that_others_can_write(caller):
    path = bundle(caller)
    path.parent.chmod(0o777)
    run = caller.verb("run", str(path))
    if caller.is_root:
        hint = told(run, "chmod go-w {}")
        subprocess.run(hint, shell=True, check=True)
        assert caller.verb("run", str(path)).ok.stdout == "of the bundle\n"
        os.chown(path.parent, 12345, 0)
        hint = told(caller.verb("run", str(path)), "chown root {}")
        subprocess.run(hint, shell=True, check=True)
        assert caller.verb("run", str(path)).ok.stdout == "of the bundle\n"
        path.chmod(0o664)
        refused(caller.verb("run", str(path)), "may be written by its group")
    else:
        assert run.status == 0 and "the bundle may be written by everyone" in run.stderr, run
    path.parent.chmod(0o1777)
    path.chmod(0o644)
    assert caller.verb("run", str(path)).ok.stdout == "of the bundle\n"


def test_a_bundle_below_what_others_can_write(root):
    """Who can rename a directory above the bundle can put another bundle there."""
    place = root.directory()
    path = bundle(root)
    (place / "a/b").mkdir(parents=True)
    shutil.move(path.parent, place / "a/b/c")
    path = place / "a/b/c/config.json"
    assert root.verb("run", str(path)).ok.stdout == "of the bundle\n"
    (place / "a").chmod(0o777)
    refused(root.verb("run", str(path)), "the bundle may be written by everyone", f"{place}/a:1:1: ")
    (place / "a").chmod(0o755)
    os.chown(place / "a", 12345, 0)
    refused(root.verb("run", str(path)), "the bundle belongs to uid 12345", f"{place}/a:1:1: ")
    link = root.directory() / "link"
    link.symlink_to(place / "a/b/c")
    refused(root.verb("run", f"{link}/config.json"), "the bundle belongs to uid 12345", f"{place}/a:1:1: ")


def test_a_toml_spec_is_no_json(caller):
    run = caller.run(caller.spec('command = ["/bin/echo", "toml"]\n', name="spec.toml"))
    assert run.ok.stdout == "toml\n"
