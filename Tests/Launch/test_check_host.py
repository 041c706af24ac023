"""What a launch here would be refused for, `immure check --host` says beforehand, with the launch's own words and status 2.

The table of hints is one of such specs: each of them that ends with 125 is refused by `check --host`, or stands in EXCEPTIONS with
the reason why nobody can know it without a launch.
"""

import fcntl
import json
import os
import re
import resource
import socket
import subprocess

import pytest
import test_hints_command
import test_hints_spec
import test_hints_tree

from harness.must import needs
from harness.toml import toml

# Each with what the message names; `{place}` is a directory of the caller's. `who` for those that only one is refused.
REFUSED = {
    "no root": ('[filesystem]\nroot = "{place}/nope"', "/nope"),
    "a root that is a file": ('[filesystem]\nroot = "{place}/spec.toml"', "it is a file"),
    "changes of no root": ('[filesystem]\nroot = "{place}/nope"\nchanges = "discard"', "/nope"),
    "no source": ('[filesystem]\nro = ["{place}/nope:/x"]', "/nope"),
    "no lower": ('[[mount]]\ntarget = "/x"\ntype = "overlay"\nlower = ["{place}/nope"]', "/nope"),
    "a lower that is a file": ('[[mount]]\ntarget = "/x"\ntype = "overlay"\nlower = ["{place}/spec.toml"]', "not a directory"),
    "no place for an upper": ('[[mount]]\ntarget = "/x"\ntype = "overlay"\nlower = ["{place}/low"]\nupper = "{place}/a/b/c"\nwork = "{place}/w"', "upper"),
    "no image": ('[[mount]]\ntarget = "/x"\ntype = "image"\nsource = "{place}/nope"', "/nope"),
    "no namespace": ('[namespaces]\nnet = "/nope"', "/nope"),
    "a file that is no namespace": ('[namespaces]\nnet = "{place}/spec.toml"', "is no namespace"),
    "a namespace of another kind": ('[namespaces]\nnet = "/proc/self/ns/ipc"', "/proc/self/ns/ipc"),
    "one processor too many": ('[process]\ncpus = "0-{last}"', "no processor"),
    "no such processor": ('[process]\ncpus = "990"', "EINVAL"),
    "more files than the kernel has": ("[rlimits]\nnofile = {files}", "nofile"),
    "no such directory": ('cwd = "/nowhere"', "/nowhere"),
    "a directory that is not shown": ('cwd = "{place}"', "not in the jail"),
    "a directory that is a file": ('cwd = "/etc/passwd"', "is a file"),
    "a directory of a private tmpfs": ('cwd = "/tmp/x"', "/tmp/x"),
    "a directory on a file": ('[filesystem]\nro = ["/usr:/etc/passwd"]', "/etc/passwd"),
    "a file on a directory": ('[filesystem]\nro = ["/etc/passwd:/usr/share"]', "/usr/share"),
    "a path of Landlock's": ('[landlock]\nrx = ["/usr"]\nro = ["/nowhere"]', "/nowhere"),
    "a lock": ('[process]\nlocks = ["/nowhere"]', "/nowhere"),
    "a port that is taken": ('[network]\npublish = ["127.0.0.1:{port}:80/tcp"]', "the port is taken"),
}
OF_A_USER = {
    "nice": ("[process]\nnice = -5", "EACCES"),
    "oom score": ("[process]\noom_score_adj = -900", "EACCES"),
    "the hard limit": ("[rlimits]\nnofile = {above}", "CAP_SYS_RESOURCE"),
    "ranges of others": (
        "[identity]\nuid_map = [{{ inside = 0, outside = 0, count = 9 }}]\ngid_map = [{{ inside = 0, outside = 0, count = 9 }}]\nuser = 0\ngroup = 0",
        "newuidmap",
    ),
    "a low port": ('[network]\npublish = ["127.0.0.1:1:80/tcp"]', "ports below"),
}
OF_ROOT = {
    "an interface": ('[network]\nmode = "macvlan"\nparent = "nope0"\naddress = ["10.9.0.2/24"]', "no interface nope0"),
}

OF_DESCRIPTORS = "it is about descriptors, which are those of whoever launches"
OF_MODES = "whether the command's user may pass a directory of the jail is for the jail to find out"
OF_LINKS = "where a link leads inside is not known without the tree"
OF_COMMAND = "what the command is, is no matter of the spec's"
# By what the hint begins with.
EXCEPTIONS = {
    "write it after --": OF_COMMAND,
    "a symbolic link of the root is on the way": OF_LINKS,
    "a symbolic link leads it below": OF_LINKS,
    "name what is not in /proc/self": OF_LINKS,
    "{} leads through a symbolic link": OF_LINKS,
    "it leads through too many symbolic links": OF_LINKS,
    "the file system that it is on has no files that last": "a procfs of the jail's own is not there yet",
    "a new /sys shows a network": "the file system is made in namespaces of the jail's own",
    "the launch opens files of its own": "how many are open at once is seen by opening them",
    "this kernel does not know the option": "the file system is made in namespaces of the jail's own",
}


def values():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = int(open("/proc/sys/fs/nr_open").read())
    return {"last": os.cpu_count() + 40, "above": hard + 1, "files": files + 1}


def refused_alike(caller, text, words, **more):
    place = caller.directory()
    (place / "low").mkdir()
    caller.own(place / "low")
    spec = caller.file(place / "spec.toml", "\n" + text.format(place=place, **values(), **more))
    ran = caller.run(spec, "/bin/echo", "ran")
    assert ran.status == 125 and ran.stdout == "" and words in ran.stderr, ran
    checked = caller.verb("check", "--host", spec)
    assert checked.status == 2 and checked.stdout == "", checked
    # The launch's own message, but for who says it.
    message = next(line for line in ran.stderr.splitlines() if "spec.toml:" in line and "warning" not in line)
    assert message.removeprefix("immure: ") in checked.stderr, (ran, checked)
    return checked


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_known_beforehand(caller, name):
    text, words = REFUSED[name]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused_alike(caller, text, words, port=taken.getsockname()[1])


@pytest.mark.parametrize("name", OF_A_USER)
def test_what_a_user_may_not_is_known_beforehand(user, name):
    refused_alike(user, *OF_A_USER[name])


@pytest.mark.parametrize("name", OF_ROOT)
def test_what_root_may_not_is_known_beforehand(root, name):
    refused_alike(root, *OF_ROOT[name])


def test_a_spec_of_another_users_is_refused_to_root(root, user):
    spec = user.spec("")
    assert root.run(spec, "/bin/echo", "ran").status == 125
    run = root.verb("check", "--host", spec)
    assert run.status == 2 and "spec.toml" in run.stderr, run
    assert root.verb("check", spec).ok.stderr == "", "whose it is, is no matter of the spec's"
    assert user.verb("check", "--host", spec).ok.stderr == ""


CASES = test_hints_spec.CASES + test_hints_tree.CASES + test_hints_command.CASES


@pytest.mark.parametrize("case", CASES, ids=[f"{index}-{case.templates[0][:40]}" for index, case in enumerate(CASES)])
def test_what_has_a_hint_is_known_beforehand(root, user, case):
    caller = {"root": root, "user": user}[case.who]
    place = caller.directory()
    if case.setup:
        case.setup(place)
        for path in place.rglob("*"):
            caller.own(path)
    spec = caller.file(place / "spec.toml", "\n" + case.before)
    ran = caller.run(spec, *case.command, options=case.options, cwd=place)
    if ran.status != 125:
        pytest.skip("the launch is not refused: the command is not executed")
    why = next((why for start, why in EXCEPTIONS.items() if case.templates[0].startswith(start)), None)
    checked = caller.verb("check", "--host", *case.options, spec, cwd=place)
    if why:
        assert checked.status == 0, ("no exception any more", why, checked)
        return
    assert checked.status == 2, (ran, checked)
    message = next(line for line in ran.stderr.splitlines() if re.search(r"spec\.toml:\d", line) and "warning" not in line)
    assert message.removeprefix("immure: ") in checked.stderr, (ran, checked)


MANY = """cwd = "/nowhere0"
[filesystem]
ro = ["{place}/no1:/x1", "{place}/no2:/x2", "/etc/passwd:/usr/share"]
[process]
cpus = "990"
locks = ["/nowhere3", "/nowhere4"]
[landlock]
rx = ["/usr", "/nowhere5"]
[namespaces]
ipc = "{place}/no6"
[[mount]]
target = "/x3"
type = "overlay"
lower = ["{place}/no7", "{place}/low", "{place}/no8"]
upper = "{place}/no9/a/upper"
work = "{place}/work"
"""


@pytest.mark.parametrize("more", ["", '[seccomp]\ndeny = ["no_such_call"]\n', '[identity]\nuser = "nobody_of_that_name"\n'], ids=["host", "policy", "name"])
def test_no_fault_hides_another(caller, more):
    place = caller.directory()
    (place / "low").mkdir()
    caller.own(place / "low")
    spec = caller.file(place / "spec.toml", MANY.format(place=place) + more)
    checked = caller.verb("check", "--host", spec)
    assert checked.status == 2, checked
    named = [*(f"/nowhere{one}" for one in (0, 3, 4, 5)), *(f"{place}/no{one}" for one in (1, 2, 6, 7, 8)), f"{place}/no9", "/usr/share", "EINVAL"]
    named += [word for word in ("no_such_call", "nobody_of_that_name") if word in more]
    lines = [line for line in checked.stderr.splitlines() if re.search(r"spec\.toml:\d", line)]
    assert [word for word in named if not any(word in line for line in lines)] == [], checked
    assert len(set(lines)) == len(lines), checked


def test_what_cannot_be_read_is_said_to_hide_the_host(caller):
    spec = caller.spec('cwd = "/nowhere"\n[rlimits]\nnofile = true')
    checked = caller.verb("check", "--host", spec)
    assert checked.status == 2 and "nofile" in checked.stderr and "/nowhere" not in checked.stderr, checked
    assert "note: " in checked.stderr and "is looked for once the file can be read" in checked.stderr, checked
    assert "note: " not in caller.verb("check", spec).stderr


def kept(caller):
    """A spec with an overlay whose changes stay, and where they are."""
    place = caller.directory()
    (place / "low").mkdir()
    (place / "low/f").write_text("x\n")
    for path in (place / "low", place / "low/f"):
        caller.own(path)
        # The command of root's jail is nobody.
        path.chmod(0o777)
    text = f"""[[mount]]
target = "/src"
type = "overlay"
lower = [{toml(place / "low")}]
upper = {toml(place / "changes")}
work = {toml(place / "changes.work")}
"""
    return caller.file(place / "spec.toml", text), place


def alike(caller, spec, words):
    ran = caller.run(spec, "/bin/echo", "ran")
    assert ran.status == 125 and ran.stdout == "" and words in ran.stderr, ran
    checked = caller.verb("check", "--host", spec)
    message = next(line for line in ran.stderr.splitlines() if "spec.toml:" in line and "warning" not in line)
    assert checked.status == 2 and message.removeprefix("immure: ") in checked.stderr, (ran, checked)


def test_changes_that_no_launch_goes_on_with_are_known_beforehand(caller):
    spec, place = kept(caller)
    caller.shell(spec, "echo y >/src/f").ok
    assert caller.verb("check", "--host", spec).ok.stderr == ""
    path = place / "changes.work/immure.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "applying": True}))
    alike(caller, spec, "an apply of these changes was not finished")
    path.write_text(json.dumps({**record, "lowers": [[1, 1]]}))
    alike(caller, spec, "over other directories than these")
    path.unlink()
    alike(caller, spec, "upper is not empty")
    (place / "changes/f").unlink()
    assert caller.verb("check", "--host", spec).ok.stderr == ""
    caller.run(spec, "/bin/true").ok


def test_changes_that_another_launch_has_are_known_beforehand(caller):
    spec, place = kept(caller)
    caller.run(spec, "/bin/true").ok
    work = os.open(place / "changes.work", os.O_RDONLY)
    try:
        fcntl.flock(work, fcntl.LOCK_EX)
        alike(caller, spec, "work: in use by")
    finally:
        os.close(work)
    assert caller.verb("check", "--host", spec).ok.stderr == ""


@pytest.mark.parametrize("options", ['["ro"]', '["rw"]'], ids=["read", "written"])
def test_an_image_that_another_jail_has_is_known_beforehand(root, options):
    needs(os.path.exists("/dev/loop-control"), "loop devices")
    place = root.directory()
    image = place / "image"
    subprocess.run(["mkfs.ext4", "-q", image, "8M"], check=True, env={"PATH": "/usr/sbin:/sbin"}, capture_output=True)
    text = f'[[mount]]\ntarget = "/i"\ntype = "image"\nsource = {toml(image)}\noptions = {options}\n'
    spec = root.file(place / "spec.toml", text)
    before = (image.stat().st_mtime_ns, image.stat().st_blocks)
    with open(image, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        alike(root, spec, "is mounted by another jail")
    assert root.verb("check", "--host", spec).ok.stderr == ""
    assert (image.stat().st_mtime_ns, image.stat().st_blocks) == before


def test_nothing_is_left_of_it(caller):
    place, kept = caller.directory(), caller.directory()
    text = f"""cwd = "/src"
[process]
nice = 3
oom_score_adj = 300
cpus = "0"
[rlimits]
nofile = "64:64"
[[mount]]
target = "/src"
type = "overlay"
lower = [{toml(kept)}]
upper = {toml(kept / "changes")}
work = {toml(kept / "changes.work")}
[[mount]]
target = "/made"
source = {toml(place / "new/made")}
create = true
"""
    spec = caller.file(place / "spec.toml", text)
    run = caller.verb("check", "--host", spec)
    assert run.status == 0 and run.stderr == "", run
    assert os.listdir(place) == ["spec.toml"] and os.listdir(kept) == []


TAKEN = [
    "",
    '[filesystem]\nroot = "host"',
    'cwd = "/deep"\n[filesystem]\nro = ["/usr/share:/deep/er/y"]',
    'cwd = "/proc"',
    'cwd = "/lib"',
    '[[mount]]\ntarget = "/x"\nsource = "/nope"\noptional = true',
    '[[mount]]\ntarget = "/usr/share/new/x"\ntype = "tmpfs"',
]


@pytest.mark.parametrize("text", TAKEN)
def test_what_can_be_launched_passes(caller, text):
    spec = caller.spec(text)
    caller.run(spec, "/bin/true").ok
    assert caller.verb("check", "--host", spec).ok.stderr == ""
