"""Command lines of bubblewrap's run by bubblewrap itself and, as import makes a spec of them, by immure: the same probe looks around.

Nothing may be more open than it was, and whatever else differs is what import has announced.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.facts import SOURCE, SETS
from harness.must import cannot
from harness.patience import patient

LOADER = ["--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]
SYSTEM = ["--ro-bind", "/usr", "/usr", *LOADER]
HOST = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
FRESH = ["--proc", "/proc", "--dev", "/dev"]

#: As programs in use call it, by what they are for: WORK is a directory of the caller's, HOME one that stands for the home.
LINES = {
    "converter of documents": [*HOST, "--tmpfs", "/home", "--tmpfs", "/run", "--tmpfs", "/tmp", "--tmpfs", "/root", "--dir", "/root/.config", "--bind", "WORK", "WORK", "--chdir", "/", "--unshare-pid", "--unshare-net", "--die-with-parent"],
    "viewer of pictures": [*SYSTEM, *FRESH, "--ro-bind-try", "HOME/.config", "HOME/.config", "--ro-bind-try", "WORK", "WORK", "--unshare-all", "--new-session"],
    "thumbnailer": [*SYSTEM, *FRESH, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--tmpfs", "/tmp", "--setenv", "GIO_USE_VFS", "local", "--unshare-all", "--die-with-parent", "--chdir", "/", "--ro-bind", "WORK", "/tmp/in", "--bind", "WORK", "/tmp/out"],
    "validator of icons": [*SYSTEM, *FRESH, "--unshare-ipc", "--unshare-net", "--unshare-pid", "--tmpfs", "/tmp", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--chdir", "/", "--setenv", "GIO_USE_VFS", "local", "--unsetenv", "TMPDIR", "--die-with-parent", "--ro-bind", "WORK", "WORK"],
    "builder of packages": ["--unshare-net", "--new-session", "--unshare-ipc", "--unshare-uts", "--unshare-pid", "--unshare-user", "--die-with-parent", "--uid", "1000", "--gid", "1000", *SYSTEM, *FRESH, "--bind", "WORK", "/home/user", "--hostname", "build", "--chdir", "/home/user", "--clearenv", "--setenv", "CBUILD", "x"],
    "builder of opam": [*SYSTEM, *FRESH, "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--bind", "WORK", "/tmp", "--setenv", "TMPDIR", "/tmp", "--setenv", "HOME", "/home", "--dir", "/home", "--unshare-net", "--unshare-pid", "--die-with-parent", "--chdir", "/tmp"],
    "agent": ["--unshare-all", "--share-net", "--new-session", "--die-with-parent", *HOST, "--tmpfs", "/tmp", "--bind", "WORK", "WORK", "--chdir", "WORK"],
    "shell of a demo": [*SYSTEM, "--dir", "/tmp", "--dir", "/var", "--symlink", "../tmp", "var/tmp", *FRESH, "--ro-bind", "/etc/resolv.conf", "/etc/resolv.conf", "--chdir", "/", "--unshare-all", "--share-net", "--die-with-parent", "--dir", "/run/user/1000", "--setenv", "XDG_RUNTIME_DIR", "/run/user/1000"],
    "scriptlets of packages": ["--dev", "/dev", "--proc", "/proc", "--dir", "/run", "--dir", "/tmp", "--chdir", "/", "--die-with-parent", "--unshare-pid", "--unshare-uts", "--unshare-ipc", "--unshare-cgroup-try", *SYSTEM, "--ro-bind", "/etc", "/etc"],
    "all of the host": ["--dev-bind", "/", "/"],
    "all of the host, read-only": ["--ro-bind", "/", "/"],
    "without user namespaces": [*HOST, "--unshare-user", "--disable-userns", "--unshare-pid", "--tmpfs", "/tmp"],
    "some capabilities": [*HOST, "--unshare-user", "--unshare-pid", "--uid", "0", "--gid", "0", "--cap-drop", "ALL", "--cap-add", "CAP_SYS_CHROOT"],
    "closed directories": [*SYSTEM, *FRESH, "--perms", "0700", "--dir", "/closed", "--perms", "0555", "--tmpfs", "/still", "--unshare-pid", "--size", "65536", "--tmpfs", "/small", "--remount-ro", "/"],
}  # fmt: skip

LOOK = """
def look():
    found = {}
    for path in PLACES:
        if not os.path.lexists(path):
            found[path] = "-"
            continue
        try:
            number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            found[path] = "shown"
            continue
        flags = os.fstatvfs(number).f_flag
        name = path + "/written-by-the-probe"
        can = False
        if os.path.isdir(path):
            try:
                os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                os.unlink(name)
                can = True
            except OSError:
                pass
        os.close(number)
        found[path] = "writable" if can else "read"
    return found

def refused(call, *arguments):
    import ctypes
    ctypes.CDLL(None, use_errno=True).syscall(call, *arguments)
    return ctypes.get_errno()

facts["places"] = look()
facts["interfaces"] = sorted(line.split(":")[0].strip() for line in read("/proc/self/net/dev").splitlines() if ":" in line)
facts["userns"] = refused(272, 0x10000000) if os.uname().machine == "x86_64" else 0
print(json.dumps(facts))
"""
PLACES = ["/", "/usr", "/usr/bin", "/etc", "/etc/passwd", "/etc/shadow", "/home", "/root", "/run", "/tmp", "/var", "/var/lib", "/dev", "/dev/shm", "/dev/null", "/sys", "/proc/1", "/proc/sys", "/closed", "/still", "/small", "/tmp/in", "/tmp/out", "/home/user"]
#: Which of them a warning is about.
ANNOUNCED = {
    "/dev is read-only": ["/dev"],
    "what the root has in /dev is not seen": ["/dev", "/dev/shm", "/dev/null"],
}
DEGREES = ["-", "shown", "read", "writable"]


def probe(places):
    """The probe of facts, and what can be done at some places."""
    head, tail = SOURCE.rsplit("print(\n    json.dumps(", 1)
    facts = tail.rsplit(")\n)", 1)[0]
    return head + f"PLACES = {places!r}\nfacts = {facts.strip()}\n" + LOOK


def line_of(caller, words):
    work, home = caller.open_directory(), caller.open_directory()
    caller.file(work / "file", "text")
    words = [word.replace("WORK", str(work)).replace("HOME/", f"{home}/") for word in words]
    return words, [*PLACES, str(work), f"{work}/file"], home


def look(caller, argv, home):
    run = caller.finish(caller.popen(argv, env={"HOME": str(home), "KEPT": "k", "TMPDIR": None}, cwd="/usr"), 30)
    return json.loads(run.ok.stdout)


@pytest.fixture(scope="module", autouse=True)
def bubblewrap():
    if shutil.which("bwrap") is None:
        cannot("compare with bubblewrap: it is not installed")


def shared(facts):
    return {kind for kind, name in facts["ns"].items() if name == os.readlink(f"/proc/self/ns/{kind}")}


def hold_no_more(ours, theirs):
    """What no jail of ours may have more of: rights, and what is the host's."""
    for name in SETS:
        assert int(ours["status"][name], 16) & ~int(theirs["status"][name], 16) == 0, name
    assert int(ours["status"]["NoNewPrivs"]) >= int(theirs["status"]["NoNewPrivs"])
    assert int(ours["status"]["Seccomp"]) >= int(theirs["status"]["Seccomp"])
    assert shared(ours) <= shared(theirs)
    assert set(ours["interfaces"]) <= set(theirs["interfaces"])


@pytest.mark.parametrize("words", LINES.values(), ids=LINES.keys())
def test_a_line_of_bubblewrap_means_the_same(caller, words):
    words, places, home = line_of(caller, words)
    command = ["/usr/bin/python3", "-I", "-S", "-c", probe(places)]
    theirs = look(caller, ["bwrap", *words, *command], home)
    made = caller.verb("import", "bwrap", "--", *words, *command, env={"HOME": str(home)}, cwd="/usr")
    assert made.status == 0, made
    spec = caller.spec(made.stdout)
    ours = look(caller, [caller.binary, "run", str(spec)], home)

    # Nothing is more open.
    hold_no_more(ours, theirs)
    assert set(ours["fds"]) <= set(theirs["fds"])
    assert set(ours["groups"]) <= set(theirs["groups"])
    assert theirs["userns"] == 0 or ours["userns"] != 0
    opened = {path: (theirs["places"][path], found) for path, found in ours["places"].items() if DEGREES.index(found) > DEGREES.index(theirs["places"][path])}
    if "/etc" in opened and "has it as well" in made.stderr:
        del opened["/etc"]  # of the jail's own root
    assert not opened

    # And nothing else differs that was not announced.
    for name in ("uid", "gid", "cwd", "hostname", "interfaces", "umask", "nice"):
        assert ours[name] == theirs[name], name
    assert (ours["userns"] == 0) == (theirs["userns"] == 0)
    assert shared(ours) == shared(theirs)
    assert set(ours["fds"]) == set(theirs["fds"])
    assert set(ours["environ"]) == set(theirs["environ"])
    sets = [name for name in SETS if name != "CapBnd" or "not in its bounding set" not in made.stderr]
    assert {name: ours["status"][name] for name in sets} == {name: theirs["status"][name] for name in sets}
    closed = {path: (theirs["places"][path], found) for path, found in ours["places"].items() if DEGREES.index(found) < DEGREES.index(theirs["places"][path])}
    announced = {path for words, paths in ANNOUNCED.items() if words in made.stderr for path in paths}
    assert set(closed) <= announced, f"{closed}\n{made.stderr}"


# firejail

PROFILES = {
    "nothing": "",
    "without network": "caps.drop all\nnonewprivs\nnet none\nprivate-tmp\nprivate-dev\nseccomp\nipc-namespace\nrestrict-namespaces\n",
    "private": "private\nprivate-dev\ncaps.drop all\nnonewprivs\nnoroot\nnogroups\nseccomp !chroot\nnosound\nno3d\n",
    "a home of chosen files": "whitelist ${HOME}/shown\nread-only ${HOME}/shown\nblacklist /usr/share\nnet none\nnonewprivs\n",
    "closed": "blacklist ${HOME}/shown\nprivate-etc passwd,group,ld.so.cache,alternatives\nprivate-tmp\nprotocol unix\nnet none\nseccomp\nnonewprivs\nmemory-deny-write-execute\n",
    "read-only": "read-only ${HOME}\nnoexec /tmp\nprivate-opt none\nprivate-srv none\ndisable-mnt\nnet none\n",
    "parts of the home": "tmpfs ${HOME}/hidden\nblacklist ${HOME}/shown\ncaps.keep net_raw\nnonewprivs\nnoroot\nprotocol unix,inet\n",
}
HOMES = ["shown", "hidden"]
SETUP = """
set -e
place=$1 home=$2 uid=$3; shift 3
mount -t tmpfs -o mode=0755 tmpfs "$place/run"
mkdir "$place/run/upper" "$place/run/work"
mount -t overlay overlay -o "lowerdir=$place/usr:/usr" /usr
cp -a /etc "$place/run/etc"
mount --bind "$place/run/etc" /etc
cp -a "$place/etc/firejail" /etc/
rm -f /etc/firejail/firejail.users
mount -t tmpfs -o mode=0755 tmpfs /run
cd "$home"
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups -- env -i HOME="$home" PATH=/usr/bin:/bin "$@"
"""


@pytest.fixture(scope="module")
def firejail(base):
    """Debian's package, unpacked where nobody else comes to: what is set-user-id in it is there for the test only."""
    if os.getuid() != 0:
        cannot("unpack what is set-user-id: the tests were started by an ordinary user")
    place = base / "firejail"
    place.mkdir(mode=0o700)
    # The run's own network leads nowhere: that of whoever has started it.
    download = ["nsenter", f"--net=/proc/{os.getppid()}/ns/net", "apt-get", "download", "-qq", "firejail"]
    done = subprocess.run(download, cwd=place, capture_output=True, text=True)
    if done.returncode != 0:
        cannot(f"download firejail's package: {done.stderr}")
    subprocess.run(["dpkg-deb", "-x", next(place.glob("*.deb")), place], check=True)
    (place / "run").mkdir()
    return place


@pytest.fixture
def home(user):
    """The one that passwd(5) has, which is where firejail looks."""
    home = Path(user.home)
    for name in HOMES:
        (home / name).mkdir()
        user.own(home / name)
    yield home
    for name in HOMES:
        (home / name).rmdir()


@pytest.mark.parametrize("text", PROFILES.values(), ids=PROFILES.keys())
def test_a_profile_of_firejail_opens_no_more(user, firejail, text, home):
    profile = user.file(user.directory() / "a.profile", text)
    places = [*PLACES, "/usr/share", "/opt", "/srv", str(home), *(f"{home}/{name}" for name in HOMES)]
    command = ["/usr/bin/python3", "-I", "-S", "-c", probe(places)]
    words = ["unshare", "-m", "--propagation", "private", "bash", "-c", SETUP, "bash", firejail, home, user.uid]
    run = subprocess.run(
        [*map(str, words), "firejail", "--quiet", f"--profile={profile}", *command],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=patient(60))  # fmt: skip
    assert run.returncode == 0 and run.stdout, run
    theirs = json.loads(run.stdout[run.stdout.index("{") :])
    made = user.verb("import", "firejail", str(profile), "--", *command, env={"HOME": str(home)})
    assert made.status == 0, made
    ours = json.loads(user.run(user.spec(made.stdout), env={"HOME": str(home)}, timeout=30).ok.stdout)

    hold_no_more(ours, theirs)
    assert set(ours["fds"]) <= set(theirs["fds"]) and set(ours["groups"]) <= set(theirs["groups"]) | {user.gid}
    opened = {path: (theirs["places"][path], found) for path, found in ours["places"].items() if DEGREES.index(found) > DEGREES.index(theirs["places"][path])}
    assert not opened

    assert (ours["uid"], ours["gid"]) == (theirs["uid"], theirs["gid"])
    closed = {path for path, found in ours["places"].items() if DEGREES.index(found) < DEGREES.index(theirs["places"][path])}
    beside = {path for path in closed if not path.startswith(("/usr", "/etc", "/tmp", "/dev", str(home)))}
    assert not beside or "of the host only /usr, /etc and what the profile names is seen" in made.stderr
    assert not closed - beside, {path: (theirs["places"][path], ours["places"][path]) for path in closed}
