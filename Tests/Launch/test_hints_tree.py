"""Hints of the tree that cannot be built: each is printed, then followed."""

import os
import subprocess

import pytest

from harness import linux
from harness.hints import Case, gone, obey, told

TRUE = "/bin/true"

ROOT = '[filesystem]\nroot = "./tree"\nro = ["/usr"{}]\n'


def tree(*more):
    """Makes a small root, and in it what each function of `more` makes."""

    def setup(place):
        root = place / "tree"
        for name in ("usr", "etc", "proc", "dev", "tmp"):
            (root / name).mkdir(parents=True)
        for name in ("bin", "lib", "lib64"):
            (root / name).symlink_to(f"usr/{name}")
        for each in more:
            each(root)

    return setup


def link(name, to):
    return lambda root: (root / name).symlink_to(to)


def file(name):
    return lambda root: (root / name).write_text("")


def mount(target, type, more=""):
    return f'[[mount]]\ntarget = "{target}"\ntype = "{type}"\n{more}'


CASES = [
    Case(("a file of the root is on the way to the target, or a directory is put on a file",), ROOT.format(', "/etc/hostname:/file/x"'), setup=tree(file("file")),
         after=(ROOT.format(', "/etc/hostname:/other/x"'),)),
    Case(("a symbolic link of the root is on the way to the target: name the place that it leads to",), ROOT.format(', "/etc/hostname:/a/x"'), setup=tree(link("a", "a")),
         after=(ROOT.format(', "/etc/hostname:/b/x"'),)),
    Case(("something on the way to {} is a file",), '[filesystem]\nro = ["/etc/hostname/x:/x"]', ('[filesystem]\nro = ["/etc/hostname:/x"]',)),
    Case(('{} does not exist on the host: make it, or write a [[mount]] with create = true ("file" for a file) or with optional = true',), '[filesystem]\nro = ["./new:/x"]',
         ('[[mount]]\nsource = "./new"\ntarget = "/x"\noptional = true', '[[mount]]\nsource = "./made"\ntarget = "/x"\ncreate = true', '[[mount]]\nsource = "./file"\ntarget = "/x"\ncreate = "file"'), mend=lambda place: (place / "new").mkdir()),
    Case(("{} does not exist on the host: take it out, or write a [[mount]] with optional = true",), '[filesystem]\ndevices = ["/dev/none"]',
         ("", '[[mount]]\nsource = "/dev/none"\ntarget = "/dev/none"\noptional = true')),
    Case(("{} leads through too many symbolic links, or one that may not be followed",), '[filesystem]\nro = ["./a:/x"]', setup=lambda place: (place / "a").symlink_to("a"),
         mend=lambda place: ((place / "a").unlink(), (place / "a").mkdir())),
    Case(("make the directory, or set filesystem.root to another",), '[filesystem]\nroot = "./tree"\nro = ["/usr"]', mend=tree()),
    Case(('name a directory; an image becomes the root by a [[mount]] with type = "image" and target = "/"',), '[filesystem]\nroot = "./spec.toml"\nro = ["/usr"]',
         setup=tree(), after=('[filesystem]\nroot = "./tree"\nro = ["/usr"]',)),
    Case(('name a directory; an image becomes the root by a [[mount]] with type = "image" and target = "/"',),
         '[filesystem]\nroot = "./spec.toml"\nchanges = "discard"\nro = ["/usr"]', setup=tree(), after=('[filesystem]\nroot = "./tree"\nro = ["/usr"]',)),
    Case(("{} is not in the jail: mount it (ro or rw), or set another cwd",), f'cwd = "/w"', ('cwd = "/w"\n[filesystem]\nro = [".:/w"]', 'cwd = "/tmp"')),
    Case(("{} is a file",), 'cwd = "/etc/hostname"', ('cwd = "/etc"',)),
    Case(("{} leads through a symbolic link that may not be followed",), 'cwd = "/a"\n' + ROOT.format(""), setup=tree(link("a", "a")), after=('cwd = "/etc"\n' + ROOT.format(""),)),
    Case(("leave mode out, and it stays as it is; or mount a tmpfs, which has a mode of its own",), mount("/usr/share", "dir", 'mode = "0700"'),
         (mount("/usr/share", "dir"), mount("/usr/share", "tmpfs", 'mode = "0700"'))),
    Case(("a file of the root is on the way to the target, or a directory is put on a file",), mount("/etc/hostname", "dir"), (mount("/etc/other", "dir"),)),
    Case(('a new /sys shows a network, which whoever mounts it must own: set network.mode = "none", or show the host\'s by ro = ["/sys"] in place of this entry',),
         '[network]\nmode = "host"\n' + mount("/sys", "sysfs"), ('[network]\nmode = "none"\n' + mount("/sys", "sysfs"), '[network]\nmode = "host"\n[filesystem]\nro = ["/sys"]')),
    Case(("paths under [landlock] are those inside the jail, where this one is not: mount it (ro or rw), or take the line out",), '[landlock]\nrx = ["/usr"]\nro = ["/w"]',
         ('[filesystem]\nro = [".:/w"]\n[landlock]\nrx = ["/usr"]\nro = ["/w"]', '[landlock]\nrx = ["/usr"]')),
    Case(("something on the way to it is a file",), '[landlock]\nrx = ["/usr"]\nro = ["/etc/hostname/x"]', ('[landlock]\nrx = ["/usr"]\nro = ["/etc/hostname"]',)),
    Case(("it leads through too many symbolic links",), '[landlock]\nrx = ["/usr"]\nro = ["/w/a"]\n[filesystem]\nro = [".:/w"]', setup=lambda place: (place / "a").symlink_to("a"),
         mend=lambda place: ((place / "a").unlink(), (place / "a").mkdir())),
    Case(("the file system that it is on has no files that last (nsfs, …)",), '[landlock]\nrx = ["/usr"]\nro = ["/proc/self/ns/net"]', ('[landlock]\nrx = ["/usr"]\nro = ["/proc/self"]',)),
    Case(("the root has a file or another link there; choose another target or remove the entry",), mount("/etc/hostname", "symlink", 'to = "x"'),
         (mount("/etc/other", "symlink", 'to = "x"'), "")),
    Case(("a symbolic link leads it below or onto what another line mounts: write both targets without links",),
         ROOT.format(', "/etc:/x", "/usr/share:/b/c"'), setup=tree(link("x", "b/c"), lambda root: (root / "b/c").mkdir(parents=True)),
         after=(ROOT.format(', "/etc:/b/d", "/usr/share:/b/c"'),)),
    Case(("name what is not in /proc/self; filesystem.proc = false leaves the whole of /proc out",), ROOT.format("") + 'hide = ["/a/maps"]', setup=tree(link("a", "proc/self")),
         after=(ROOT.format("") + 'hide = ["/etc"]',)),
    Case(("this kernel does not know the option {} of {}, or not this value of it",), mount("/x", "tmpfs", 'inodes = 9223372036854775807'), (mount("/x", "tmpfs", "inodes = 100"),)),
]


@pytest.fixture
def callers(root, user):
    return {"root": root, "user": user}


@pytest.mark.parametrize("case", CASES, ids=[f"{index}-{case.templates[0][:40]}" for index, case in enumerate(CASES)])
def test_what_the_hint_says_ends_the_fault(callers, case):
    obey(case, callers, None)


def test_a_directory_that_the_caller_may_not_search(root, user):
    place = root.directory(mode=0o700)
    (place / "x").mkdir()
    spec = user.spec(f'[filesystem]\nro = ["{place}/x:/x"]')
    hint = told(user.run(spec, "/bin/true"), "the caller may not search a directory on the way to {}: see `namei -l {}`")
    shown = subprocess.run(["sh", "-c", hint.split("`")[1]], capture_output=True, text=True, check=True).stdout
    assert f"drwx------ root root {place.name}" in shown
    place.chmod(0o711)
    gone(user.run(spec, "/bin/true"))


def test_a_source_of_another_mount_namespace(root):
    process = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        spec = root.spec(f'[filesystem]\nro = ["/proc/{process.pid}/root/usr/share:/x"]')
        told(root.run(spec, "/bin/true"), "the source is in another mount namespace, or below an unbindable mount")
        gone(root.run(root.spec('[filesystem]\nro = ["/usr/share:/x"]'), "/bin/true"))
    finally:
        process.kill()
        process.wait()


def test_a_cwd_outside_of_the_root(caller):
    place = caller.directory()
    descriptor = os.open(place, os.O_PATH | os.O_DIRECTORY)
    try:
        text = f'cwd = "{{}}"\n[process]\nfds = [{descriptor}]'
        told(caller.run(text.format(f"/proc/self/fd/{descriptor}"), TRUE, pass_fds=[descriptor]), "give a cwd inside the jail")
        gone(caller.run(text.format("/tmp"), TRUE, pass_fds=[descriptor]))
    finally:
        os.close(descriptor)


def test_a_directory_of_device_nodes(root):
    place = root.directory() / "dev/dri"
    place.mkdir(parents=True)
    os.mknod(place / "card0", 0o20666, os.makedev(1, 3))
    (place / "card0").chmod(0o666)
    told(root.run(f'[filesystem]\nrw = ["{place}"]', TRUE), 'write it in filesystem.devices, or, for what else is in it, as a [[mount]] with options = ["dev"]')
    write = ("/bin/sh", "-c", f"echo x >{place}/card0")
    gone(root.run(f'[filesystem]\ndevices = ["{place}"]', *write))
    gone(root.run(f'[[mount]]\nsource = "{place}"\ntarget = "{place}"\noptions = ["dev"]', *write))


# What only root can set up

def root_tree(root, *more):
    """A root whose owner is root, as it is for an ordinary user."""
    place = root.directory()
    tree(*more)(place)
    return place / "tree"


def closed(mode):
    def make(root):
        (root / "closed").mkdir()
        (root / "closed").chmod(mode)

    return make


def test_a_target_where_the_user_may_make_nothing(root, user):
    directory = root_tree(root)
    text = f'[filesystem]\nroot = "{directory}"\nro = ["/usr", "/etc:/new"]\n'
    hint = "it is missing in the root, and the jail's user may not make it there: make it there beforehand, or leave filesystem.writable and filesystem.changes out, so that the root is overlaid"
    told(user.run(text + "writable = true", TRUE), hint)
    gone(user.run(text, TRUE))
    # A root that takes changes belongs to who it belongs to outside: root's jail makes nothing in root's as nobody.
    told(root.run(text + 'changes = "discard"', TRUE), hint)
    gone(root.run(text, TRUE))
    (directory / "new").mkdir()
    gone(user.run(text + "writable = true", TRUE))
    gone(root.run(text + 'changes = "discard"', TRUE))


@pytest.mark.parametrize("text, template", [
    ('ro = ["/usr", "/etc:/closed/x"]', "the jail's user may not enter a directory on the way to the target"),
    ('ro = ["/usr"]\n[landlock]\nrx = ["/usr"]\nro = ["/closed/x"]', "the jail's user may not search a directory on the way to it"),
])
def test_a_directory_that_the_jails_user_may_not_enter(root, user, text, template):
    directory = root_tree(root, closed(0o755))
    (directory / "closed/x").mkdir()
    (directory / "closed").chmod(0o700)
    text = f'[filesystem]\nroot = "{directory}"\n{text}'
    told(user.run(text, TRUE), template)
    (directory / "closed").chmod(0o711)
    gone(user.run(text, TRUE))


def test_a_cwd_that_the_jails_user_may_not_enter(root):
    place = root.directory(mode=0o700)
    text = f'cwd = "/w"\n[filesystem]\nro = ["{place}:/w"]\n'
    told(root.run(text, TRUE), "the jail's user may not enter it: look at its owner and mode, and at identity.user")
    gone(root.run(text + '[identity]\nuser = 0', TRUE))
    place.chmod(0o711)
    gone(root.run(text, TRUE))


def test_a_full_file_system(root):
    place = root.directory()
    linux.mount("tmpfs", place, "tmpfs", data="nr_inodes=20,mode=0777")
    try:
        tree()(place)
        for number in range(20):
            try:
                (place / f"tree/{number}").write_text("")
            except OSError:
                break
        text = f'[filesystem]\nroot = "{place}/tree"\nwritable = true\nro = ["/usr", "/etc:/new"]\n[identity]\nuser = 0'
        told(root.run(text, TRUE), "the file system that would hold the mount point is full")
        for number in range(3):
            (place / f"tree/{number}").unlink()
        gone(root.run(text, TRUE))
    finally:
        linux.umount(place)


def test_access_times_that_a_namespace_around_has_locked(user):
    place = user.directory()
    linux.mount("tmpfs", place, "tmpfs", data="mode=0755")
    try:
        spec = '[[mount]]\nsource = "{}"\ntarget = "/x"\noptions = [{}]'
        told(user.run(spec.format(place, '"noatime"'), TRUE), "how it keeps access times is locked by the namespace that made the mount: leave the word out of options")
        gone(user.run(spec.format(place, ""), TRUE))
    finally:
        linux.umount(place)
