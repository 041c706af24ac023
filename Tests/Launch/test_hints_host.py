"""Hints of what the host, a container or a jail around the launch forbids: each is printed there, then followed."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from harness import linux
from harness.hints import among, as_root, gone, settings, told
from harness.must import needs

TRUE = "/bin/true"
ALL_SHARED = "".join(f'{kind} = "host"\n' for kind in ("mount", "pid", "net", "ipc", "uts", "cgroup"))


def within(caller, before, text=None, *command, options=(), verb=None, more=()):
    """A launch, or another verb, in a mount namespace that root has changed by the shell lines `before`."""
    argv = [caller.binary, verb] if verb else caller.line(text, command or (TRUE,), options)[0]
    drop = () if caller.is_root else ("setpriv", f"--reuid={caller.uid}", f"--regid={caller.gid}", "--init-groups")
    shell = ["unshare", "-m", *more, "--propagation", "private", "/bin/sh", "-ec", before + '\nexec "$@"', "sh"]
    return caller.finish(caller.popen([*shell, *drop, *argv], user=0, group=0, extra_groups=[]), timeout=30)


def inside(caller, outer, text=None, verb=None, options=()):
    """immure started within immure."""
    command = ["/opt/immure", *([verb] if verb else ["run", "--", TRUE])]
    return caller.run(f'[[mount]]\nsource = "{caller.binary}"\ntarget = "/opt/immure"\noptions = ["ro"]\n{outer}', *command, options=options)


def follow(launch, hint, count):
    """Each of the hint's settings by itself ends it."""
    ways = settings(hint)
    assert len(ways) == count, hint
    for way in ways:
        gone(launch(options=way))


# What covers /proc

TEMPLATE = "this container has /proc/sys read-only: start it with `{}`, or set namespaces.nested = true and filesystem.proc = false"
READ_ONLY = "mount --bind {0} {0}; mount -o remount,bind,ro {0}"


def test_a_read_only_proc_sys(user):
    def launch(options=()):
        return within(user, READ_ONLY.format("/proc/sys"), options=options)

    doctor = within(user, READ_ONLY.format("/proc/sys"), verb="doctor").stdout
    for hint in (told(launch(), TEMPLATE), among(doctor, TEMPLATE)):
        # Both: a /proc of which a part is covered is not mounted a second time.
        gone(launch([word for way in settings(hint) for word in way]))


def test_a_read_only_proc(user):
    needs(shutil.which("bwrap"), "bwrap")
    argv, _ = user.line(None, (TRUE,))

    def launch(*options):
        return user.finish(user.popen(["bwrap", "--bind", "/", "/", *options, *argv]))

    hint = told(launch("--ro-bind", "/proc", "/proc"), "/proc is read-only here, and id maps are written through it: give the outer container a procfs of its own ({})",
                "bubblewrap: --proc /proc")
    gone(launch(*hint[hint.index("--proc") :].rstrip(")").split()))
    doctor = user.finish(user.popen(["bwrap", "--bind", "/", "/", "--ro-bind", "/proc", "/proc", user.binary, "doctor"])).stdout
    assert f"remedy: {hint}\n" in doctor


def test_no_proc(user):
    needs(shutil.which("bwrap"), "bwrap")
    argv, _ = user.line(None, (TRUE,))

    def launch(*options):
        return user.finish(user.popen(["bwrap", "--ro-bind", "/usr", "/usr", "--ro-bind", "/tmp", "/tmp", "--ro-bind", "/etc", "/etc", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib",
                                       "/lib", "--symlink", "usr/lib64", "/lib64", "--dev", "/dev", *options, *argv]))

    hint = told(launch(), "immure needs procfs where it starts: {} ({})", "bubblewrap: --proc /proc")
    gone(launch(*hint[hint.index("--proc") :].rstrip(")").split()))


def test_another_file_system_on_proc(root):
    cover = "mount -t tmpfs none /proc"
    hint = told(within(root, cover), "mount it: {}", "mount -t proc proc /proc")
    gone(within(root, cover + "\n" + hint.removeprefix("mount it: ")))


# Limits on namespaces

def limited(user, before, options=()):
    argv, _ = user.line(None, (TRUE,), options)
    shell = ["unshare", "-U", "--map-current-user", "--keep-caps", "/bin/sh", "-c", before + '\nexec setpriv --ambient-caps -all --inh-caps -all "$@"', "sh"]
    return user.finish(user.popen([*shell, *argv]))


def test_a_limit_that_is_reached(user):
    name = "/proc/sys/user/max_uts_namespaces"
    hold = f"echo {{}} >{name}; exec 3<&0 0</dev/null; unshare -u sleep 5 >/dev/null 2>&1 & while [ $(readlink /proc/$!/ns/uts) = $(readlink /proc/self/ns/uts) ]; do :; done"
    hint = told(limited(user, hold.format(1)), "a limit on namespaces is reached, or they are 32 deep; {} is {}, the lowest")
    assert "user.max_uts_namespaces is 1" in hint
    gone(limited(user, hold.format(1) + f"\necho 2 >{name}"))


def test_a_jail_in_a_jail(caller):
    template = "a seccomp filter that immure was started under refuses it: in a container, start that with {}, or with a profile that allows clone, clone3, unshare and mount; in a jail of immure's own, {} in its spec"
    follow(lambda options: inside(caller, "", options=options), told(inside(caller, ""), template, "set namespaces.nested = true"), 1)


def test_a_jail_in_a_jail_without_a_filter(caller):
    outer = '[seccomp]\nprofile = "none"\n'
    doctor = inside(caller, outer, verb="doctor").stdout
    for hint in (
        told(inside(caller, outer), "{} namespaces are forbidden in this container or jail; where that is immure's, {} in its spec", "set namespaces.nested = true"),
        among(doctor, "set where this container or jail is started; where that is immure's, {}"),
    ):
        follow(lambda options: inside(caller, outer, options=options), hint, 1)


# Joining

@pytest.fixture
def process():
    """Starts processes, and ends them."""
    started = []

    def start(caller, *words):
        child = caller.popen([*words, "sh", "-c", "echo; exec sleep 60"])
        child.stdout.readline()
        started.append(child)
        return child.pid

    yield start
    for child in started:
        os.killpg(child.pid, 9)
        child.communicate()


def test_a_namespace_of_another_user(root, user, process):
    pid = process(root, "unshare", "-n")
    text = f'[namespaces]\nnet = "/proc/{pid}/ns/net"'
    told(user.run(text, TRUE), "another user's process: launch as that user, or as root")
    gone(root.run(text, TRUE))
    pid = process(user, "unshare", "-Urn")
    gone(user.run(f'[namespaces]\nnet = "/proc/{pid}/ns/net"\nuser = "/proc/{pid}/ns/user"', TRUE))


def test_a_namespace_that_another_one_owns(root, user, process):
    pid = process(user, "unshare", "-Urn")
    text = f'[namespaces]\nnet = "/proc/{pid}/ns/net"\n'
    hint = told(user.run(text, TRUE), "joining needs CAP_SYS_ADMIN in the user namespace that owns it: {}, or join that one too with namespaces.user = \"/proc/PID/ns/user\"", "launch as root")
    gone(root.run(text, TRUE))
    gone(user.run(text + hint[hint.index("namespaces.user") + 11 :].replace("PID", str(pid)), TRUE))


def test_a_file_of_another_kind_of_namespace(user, process):
    pid = process(user, "unshare", "-Urn")
    text = '[namespaces]\nuser = "/proc/{0}/ns/user"\nnet = "/proc/{0}/ns/{1}"'
    template = "the file is not a namespace of that kind, or it is the caller's own user namespace"
    told(user.run(text.format(pid, "uts"), TRUE), template)
    gone(user.run(text.format(pid, "net"), TRUE))
    told(user.run('[namespaces]\nuser = "/proc/self/ns/user"', TRUE), template)
    gone(user.run(f'[namespaces]\nuser = "/proc/{pid}/ns/user"', TRUE))


def test_a_namespace_that_is_gone(root, process):
    text = '[namespaces]\nnet = "/proc/{}/ns/net"'
    told(root.run(text.format(1 << 22), TRUE), "the process has ended, or the file was never made")
    gone(root.run(text.format(process(root, "unshare", "-n")), TRUE))


# Ids

def test_a_caller_without_an_id(user):
    argv, _ = user.line(None, (TRUE,))
    hint = told(user.finish(user.popen(["unshare", "-U", *argv])), "the caller's uid is not mapped in its own user namespace (it shows as 65534)")
    gone(user.finish(user.popen(["unshare", "-U", "--map-current-user", *argv])))
    doctor = user.finish(user.popen(["unshare", "-U", user.binary, "doctor"]))
    print(doctor.stdout)


def test_ids_that_the_container_has_not(user):
    def launch(*unshare, options=()):
        argv, _ = user.line(None, (TRUE,), options)
        return user.finish(user.popen([*unshare, *argv]))

    hint = told(launch("unshare", "-Urm"), "this container does not have all these ids, see /proc/self/uid_map; name one that it has, as in identity.user = 0 and identity.group = 0, or give the container more")
    gone(launch("unshare", "-Urm", options=[word for way in settings(hint) for word in way]))
    gone(launch("unshare", "-Urm", "--map-auto"))


def test_root_of_a_container_without_setfcap(user):
    def launch(*drop, uid=0):
        argv, _ = user.line(f"[identity]\nuser = {uid}\ngroup = {uid}\n", (TRUE,))
        return user.finish(user.popen(["unshare", "-Ur", *drop, *argv]))

    told(launch("setpriv", "--bounding-set", "-setfcap"), "uid 0 of this container lacks CAP_SETFCAP, without which it cannot be mapped: start the container with that capability, or as another uid")
    gone(launch())
    argv, _ = user.line(None, (TRUE,))
    gone(user.finish(user.popen(["unshare", "-U", "--map-current-user", "setpriv", "--bounding-set", "-setfcap", *argv])))


def test_root_without_sys_admin(root, user):
    def launch(*drop, options=()):
        argv, _ = root.line(None, (TRUE,), options)
        return root.finish(root.popen([*drop, *argv]))

    drop = ("setpriv", "--bounding-set", "-sys_admin")
    hint = told(launch(*drop), 'launch as an ordinary user, or with the capability, which CapabilityBoundingSet=~ gives a unit; or write identity.user = "root"')
    gone(user.run(None, TRUE))
    gone(launch())
    follow(lambda options: launch(*drop, options=options), hint, 1)


def test_a_capability_that_root_has_not(root):
    def launch(*drop, options=()):
        argv, _ = root.line('[namespaces]\nuser = "host"\n[capabilities]\nkeep = ["net_raw"]', (TRUE,), options)
        return root.finish(root.popen([*drop, *argv]))

    drop = ("setpriv", "--bounding-set", "-net_raw")
    hint = told(launch(*drop), "launch with it, or {}")
    gone(launch())
    follow(lambda options: launch(*drop, options=options), hint, 1)


def test_root_without_setuid(root):
    def launch(*drop, options=()):
        argv, _ = root.line('[namespaces]\nuser = "host"', (TRUE,), options)
        return root.finish(root.popen([*drop, *argv]))

    drop = ("setpriv", "--bounding-set", "-setuid")
    told(launch(*drop), "the caller lacks CAP_SETUID or CAP_SETGID: launch with them")
    gone(launch())
    # A map of other ids than one's own takes them as well.
    told(launch(*drop, options=("--set", 'namespaces.user="new"')), "the caller lacks CAP_SETUID or CAP_SETGID: launch with them")
    gone(launch(options=("--set", 'namespaces.user="new"')))


def test_ids_of_a_joined_namespace(root, user, process):
    text = '[namespaces]\nuser = "/proc/{}/ns/user"\n[identity]\nuser = {}\ngroup = 0'
    pid = process(user, "unshare", "-Ur")
    told(root.run(text.format(pid, 0), TRUE), "setgroups(2) is denied in this user namespace: a gid map by newgidmap, or by root outside, leaves it allowed")
    pid = process(user, "unshare", "-Ur", "--map-auto")
    gone(root.run(text.format(pid, 0), TRUE))
    told(root.run(text.format(pid, 200_000), TRUE), "this user namespace does not have the id, see /proc/self/uid_map and gid_map there: name one that it has, by identity.user and identity.group")
    gone(root.run(text.format(pid, 5), TRUE))


def test_ranges_of_others(user):
    text = '[identity]\nuser = 0\ngroup = 0\ngid_map = "auto"\nuid_map = [{{ inside = 0, outside = {}, count = 10 }}]'
    told(user.run(text.format(3), TRUE), "the ranges must lie within the caller's in {}, and the program be set-user-ID root")
    start = next(line.split(":")[1] for line in Path("/etc/subuid").read_text().splitlines() if line.startswith(user.login + ":"))
    gone(user.run(text.format(start), TRUE))


# Calls that are refused

def test_no_keyrings(caller, compiled):
    def launch(options=()):
        return caller.run(None, TRUE, options=options)

    caller.wrapper = (compiled("shim"), "keyctl=1", "--")
    hint = told(launch(), 'keyrings are refused here, as in most containers: go without one of the jail\'s own by process.keyring = "inherit"')
    follow(launch, hint, 1)


@pytest.mark.parametrize("refused, text", [
    (["setgroups"], None), (["setresgid", "setgroups"], None), (["sethostname"], 'hostname = "a"'), (["setns", "sethostname"], 'hostname = "a"')])
def test_calls_that_a_filter_refuses(root, user, compiled, refused, text):
    """All of them in one go, also to one who has the capability that the kernel would ask for; an ordinary user sets no groups."""
    for caller in (root, *([user] if "setgroups" not in refused else [])):
        caller.wrapper = (compiled("shim"), *(f"{name}=1" for name in refused), "--")
        hint = told(caller.run(text, TRUE), "a seccomp filter that immure was started under refuses {}: let it allow them, in a container's profile, or by starting that with {}")
        assert set(hint.split("refuses ")[1].split(":")[0].split(", ")) == set(refused), hint
        caller.wrapper = ()
        gone(caller.run(text, TRUE))


def test_a_call_that_only_says_that_it_was_done(caller):
    needs(shutil.which("strace"), "strace")
    caller.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", "inject=sethostname:retval=0")
    told(caller.run('hostname = "a"', TRUE), "the call said that it was done, and the kernel shows otherwise: something between immure and the kernel (an emulated kernel, a filter, a tracer) answers in its place; launch outside of it")
    caller.wrapper = ()
    gone(caller.run('hostname = "a"', TRUE))


def test_too_few_descriptors(caller):
    caller.wrapper = ("prlimit", "--nofile=12:4096")
    told(caller.run(None, TRUE), "no descriptor is left: raise `ulimit -n` (RLIMIT_NOFILE) of the shell that starts immure, or LimitNOFILE= of its unit")
    caller.wrapper = ("prlimit", "--nofile=12:4096", "sh", "-c", 'ulimit -n 100; exec "$@"', "sh")
    gone(caller.run(None, TRUE))


def test_too_few_processes(user):
    user.wrapper = ("prlimit", "--nproc=1:4096")
    told(user.run(None, TRUE), "no process can be started: `ulimit -u` (RLIMIT_NPROC) is {} for this user, and pids.max of the cgroup may be lower")
    user.wrapper = ("prlimit", "--nproc=1:4096", "bash", "-c", 'ulimit -u 4096; exec "$@"', "sh")
    gone(user.run(None, TRUE))


def test_sixteen_layers_of_landlock(user):
    code = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
attributes = struct.pack("=QQ", 0, 1)
for _ in range(int(sys.argv[1])):
    ruleset = libc.syscall(444, attributes, len(attributes), 0)
    assert ruleset >= 0 and libc.syscall(446, ruleset, 0) == 0
    os.close(ruleset)
os.execv(sys.argv[2], sys.argv[2:])
"""
    text = '[landlock]\nrx = ["/usr"]\n'
    user.wrapper = ("/usr/bin/python3", "-c", code, "16")
    told(user.run(text, TRUE), "immure was started below as many Landlock layers as the kernel stacks (16)")
    user.wrapper = (*user.wrapper[:3], "0")
    gone(user.run(text, TRUE))


def test_a_privileged_program(root, user):
    place = root.directory()
    binary = place / "immure"
    shutil.copy(root.binary, binary)
    argv = [binary, *user.line(None, (TRUE,))[0][1:]]
    subprocess.run(["chmod", "u+s", binary], check=True)
    hint = told(user.finish(user.popen(argv)), "take the bits off; immure needs none: chmod u-s,g-s, setcap -r")
    subprocess.run(["chmod", "u-s,g-s", binary], check=True)
    gone(user.finish(user.popen(argv)))
    subprocess.run(["setcap", "cap_setuid+ep", binary], check=True)
    told(user.finish(user.popen(argv)), "take the bits off; immure needs none: chmod u-s,g-s, setcap -r")
    subprocess.run(["setcap", "-r", binary], check=True)
    gone(user.finish(user.popen(argv)))


# Devices

MAKE = ("as root: {}", "rm -f {} && mknod -m 666 {} c {} {}", ", or {}", 'set filesystem.dev = "none"')


def test_a_device_that_is_missing(root):
    cover = "mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3; mknod -m 666 /dev/tty c 5 0"
    doctor = within(root, cover, verb="doctor").stdout
    for hint in (told(within(root, cover), "the host has no {}: {}", *MAKE), among(doctor, *MAKE)):
        follow(lambda options: within(root, cover, options=options), hint, 1)
    gone(within(root, f"{cover}\n{as_root(hint)}"))


@pytest.mark.parametrize("name, number", [("null", 3), ("zero", 5)])
def test_a_device_that_is_another(root, name, number):
    nodes = {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9, name: 11}
    cover = "mount -t tmpfs none /dev; mknod -m 666 /dev/tty c 5 0; " + "; ".join(f"mknod -m 666 /dev/{each} c 1 {minor}" for each, minor in nodes.items())
    hint = told(within(root, cover), *MAKE[1:2])
    assert as_root(hint) == f"rm -f /dev/{name} && mknod -m 666 /dev/{name} c 1 {number}"
    gone(within(root, f"{cover}\n{as_root(hint)}"))
    # What is hidden is covered by /dev/null.
    follow(lambda options: within(root, cover, options=options), hint, 0 if name == "null" else 1)


# Mounts

def test_c120_what_covers_proc(user):
    cover = "mount -t tmpfs none /proc/fs; mount -t tmpfs none /proc/bus"
    hint = told(within(user, cover), "a new {} is refused while parts of the old one are covered (mount_too_revealing): as root: umount {}, in a container by starting it with `{}`; or {} to go without",
                "set filesystem.proc = false")
    command = hint[hint.index("umount") : hint.index(", in a")]
    assert command.split()[-2:] == ["/proc/bus", "/proc/fs"]
    gone(within(user, f"{cover}\n{command}"))
    follow(lambda options: within(user, cover, options=options), hint, 1)


def test_c120_what_covers_sys(user):
    cover = "mount -t tmpfs none /sys/kernel"
    text = '[[mount]]\ntype = "sysfs"\ntarget = "/sys"'
    hint = told(within(user, cover, text), "a new {} is refused while parts of the old one are covered (mount_too_revealing): as root: umount {}, in a container by starting it with `{}`; or {} to go without", "remove the entry")
    command = hint[hint.index("umount") : hint.index(", in a")]
    gone(within(user, f"{cover}\n{command}", text))
    gone(within(user, cover, ""))


FUSE = """
import ctypes, os, struct, sys
place, uid = sys.argv[1], int(sys.argv[2])
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id={uid},group_id={uid}{sys.argv[3]}"
libc = ctypes.CDLL(None, use_errno=True)
assert libc.mount(b"immure", place.encode(), b"fuse.test", 0, options.encode()) == 0, os.strerror(ctypes.get_errno())
print(flush=True)
attributes = struct.pack("=6Q3I7I", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, uid, uid, 0, 4096, 0)
while True:
    try:
        request = os.read(device, 1 << 20)
    except OSError:
        sys.exit()
    _, code, unique, node = struct.unpack("=IIQQ", request[:24])
    answer, error = b"", 0
    if code == 26: answer = struct.pack("=IIIIHHIIHHI7I", 7, 31, 65536, 0, 12, 10, 65536, 1, 0, 0, 0, *[0] * 7)
    elif code == 3: answer = struct.pack("=QII", 1, 0, 0) + attributes
    elif code in (27, 28): answer = struct.pack("=QII", 0, 0, 0)
    elif code == 17: answer = struct.pack("=10Q", *[0] * 10)
    elif code in (2, 36, 42): continue
    else: error = -2 if code == 1 else -38
    os.write(device, struct.pack("=IiQ", 16 + len(answer), error, unique) + answer)
"""


@pytest.mark.parametrize("below", ["", "/x"])
def test_c120_a_fuse_of_another_user(root, user, below):
    needs(os.path.exists("/dev/fuse"), "/dev/fuse")

    def launch(who, options=""):
        place = user.directory()
        server = subprocess.Popen(["/usr/bin/python3", "-c", FUSE, place, str(user.uid), options], stdout=subprocess.PIPE)
        server.stdout.readline()
        try:
            return who.run(f'[filesystem]\nro = ["{place}{below}:/x"]', TRUE)
        finally:
            linux.umount(place)
            server.wait()

    template = "{} is a FUSE file system of uid {}, and nobody else may enter it, root neither: launch as that user, or mount it with -o allow_other"
    assert f"of uid {user.uid}," in told(launch(root), template)
    if not below:
        gone(launch(user))
        gone(launch(root, ",allow_other"))


# A chroot

CHROOTS = {
    "a directory": ("for name in usr etc proc dev tmp; do mkdir $P/$name; mount --rbind /$name $P/$name; done; for name in bin lib lib64; do ln -s usr/$name $P/$name; done",
                    "the caller is in a chroot, where user namespaces cannot be made; enter it by pivot_root instead"),
    "a mount": ("mount --rbind / $P; mount --make-rprivate $P",
                "the kernel refuses user namespaces in a chroot (also one whose root is itself a mount) and to callers whose ids are not mapped: start immure outside of it"),
}


@pytest.mark.parametrize("kind", CHROOTS)
def test_c120_the_doctor_in_a_chroot_has_one_remedy(root, user, kind):
    build, template = CHROOTS[kind]
    place = root.directory()
    drop = f"setpriv --reuid={user.uid} --regid={user.gid} --init-groups " + '"$@"'

    def start(enter, *argv):
        shell = ["unshare", "-m", "--propagation", "private", "/bin/sh", "-ec", f"P={place}; {build}; {enter} {drop}", "sh"]
        run = user.finish(user.popen([*shell, *argv], user=0, group=0, extra_groups=[]), timeout=30)
        for name in ("bin", "lib", "lib64"):
            (place / name).unlink(missing_ok=True)
        for each in place.iterdir():
            each.rmdir()
        return run

    argv = user.line(None, (TRUE,))[0]
    told(start("exec chroot $P", *argv), template)
    doctor = start("exec chroot $P", user.binary, "doctor").stdout
    broken = [line.split()[1] for line in doctor.splitlines() if line.strip().startswith("broken")]
    assert "user" in broken and "mounts" in broken and sum("remedy" in line and "chroot" in line for line in doctor.splitlines()) == 1, doctor
    # In by pivot_root, or out of it.
    gone(start("mount --rbind $P $P; cd $P; mkdir tmp/old; pivot_root . tmp/old; umount -l tmp/old; rmdir tmp/old; exec", *argv))


def test_a_group_that_is_not_mapped(user):
    argv, _ = user.line(None, (TRUE,))
    told(user.finish(user.popen(["unshare", "-U", f"--map-user={user.uid}", *argv])),
         "the kernel refuses user namespaces in a chroot (also one whose root is itself a mount) and to callers whose ids are not mapped: start immure outside of it")
    gone(user.run(None, TRUE))


# Packages

@pytest.fixture
def hidden(root):
    """Takes a file of /usr/bin away; what it returns puts the files of a package back, as apt would."""
    begun = []

    def hide(name):
        place = root.directory()
        for each in ("upper", "work", "lower"):
            (place / each).mkdir()
        linux.mount("/usr/bin", place / "lower", flags=linux.MS_BIND)
        os.mknod(place / "upper" / name, 0o20000, 0)
        linux.mount("overlay", "/usr/bin", "overlay", data=f"lowerdir=/usr/bin,upperdir={place}/upper,workdir={place}/work")
        begun.append(place)

        def install(command):
            words = command.split()
            assert words[:2] == ["apt", "install"], command
            depends = subprocess.run(["dpkg-query", "-W", "-f", "${Depends}, ${Pre-Depends}", words[2]], capture_output=True, text=True, check=True).stdout
            packages = [words[2], *(each.split()[0] for each in depends.split(",") if each.strip())]
            files = subprocess.run(["dpkg", "-L", *packages], capture_output=True, text=True).stdout.splitlines()
            for file in files:
                if file.startswith("/usr/bin/") and not os.path.exists(file):
                    shutil.copy2(place / "lower" / file.removeprefix("/usr/bin/"), file)
            os.chmod(f"/usr/bin/{name}", os.stat(place / "lower" / name).st_mode)

        return install

    yield hide
    for place in reversed(begun):
        linux.umount("/usr/bin")
        linux.umount(place / "lower")


@pytest.mark.parametrize("name", ["newuidmap", "newgidmap"])
def test_a_package_that_maps_ids(user, hidden, name):
    text = '[identity]\nuser = 0\ngroup = 0\nuid_map = "auto"\ngid_map = "auto"'
    gone(user.run(text, TRUE))
    install = hidden(name)
    hint = told(user.run(text, TRUE), "as root: apt install {}")
    assert as_root(hint) in user.verb("doctor", timeout=30).stdout
    install(as_root(hint))
    gone(user.run(text, TRUE))


def test_a_package_that_has_an_interpreter(user, hidden):
    place = user.directory()
    user.file(place / "run", "#!/usr/bin/perl\n", 0o755)
    text = f'[filesystem]\nro = ["{place}:/w"]'
    gone(user.run(text, "/w/run"))
    install = hidden("perl")
    hint = told(user.run(text, "/w/run"), "it is not on the host either; {}", "as root: apt install {}")
    install(as_root(hint))
    gone(user.run(text, "/w/run"))
    # The same name at another place is in no package.
    user.file(place / "run", "#!/usr/local/bin/perl\n", 0o755)
    assert "apt" not in told(user.run(text, "/w/run"), "it is not on the host either")


def test_no_subuid_file(user):
    text = '[identity]\nuser = 0\ngroup = 0\ngid_map = "auto"\nuid_map = [{ inside = 0, outside = 1000000, count = 10 }]'
    moved = Path("/etc/subuid").rename("/etc/subuid.moved")
    try:
        hint = told(user.run(text, TRUE), "{} is missing; {}")
        subprocess.run(["sh", "-ec", as_root(hint)], check=True)
        start = Path("/etc/subuid").read_text().split(":")[1]
        gone(user.run(text.replace("1000000", start), TRUE))
    finally:
        moved.rename("/etc/subuid")


# Whoever is killed by the filter

def test_a_call_of_another_architecture(user):
    needs(os.uname().machine == "x86_64", "make a call of i386")
    # getpid(2) of i386 by int 0x80: mov eax, 20; int 0x80; ret.
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""

    def launch(*options):
        return user.run(None, "/usr/bin/python3", "-c", code, options=options)

    run = launch()
    hint = among(run.stderr, 'seccomp.architectures = ["x86"] opens those of i386; other ABIs are closed by every filter, and with any call in seccomp.kill the launcher names the one it was')
    assert run.status == 159
    gone(launch(*settings(hint)[0]))
    named = launch("--set", 'seccomp.kill=["acct"]')
    assert named.status == 159 and "getpid" in named.stderr or "i386" in named.stderr, named


# X11

def test_c115_a_display_on_the_hosts_network(user):
    place = Path("/tmp/.X11-unix")
    place.mkdir(exist_ok=True)
    sockets = []
    for name in (str(place / "X77"), "\0" + str(place / "X77")):
        each = socket.socket(socket.AF_UNIX)
        each.bind(name)
        each.listen()
        sockets.append(each)
    os.chmod(place / "X77", 0o666)
    # As libxcb does: the abstract socket, and the one in the file system where nobody listens there.
    code = """
import errno, socket
client = socket.socket(socket.AF_UNIX)
try:
    client.connect("\\0/tmp/.X11-unix/X77")
except OSError as error:
    if error.errno not in (errno.ENOENT, errno.ECONNREFUSED): raise SystemExit(3)
    client = socket.socket(socket.AF_UNIX)
    client.connect("/tmp/.X11-unix/X77")
"""
    try:
        text = '[network]\nmode = "host"\n[filesystem]\nrw = ["/tmp/.X11-unix"]'

        def launch(options=()):
            return user.run(text, "/usr/bin/python3", "-c", code, options=options)

        run = launch()
        assert run.status == 3
        hint = among(run.stderr, 'set network.mode = "none", or landlock.scope = []')
        follow(launch, hint, 2)
        assert "warning" not in user.run('[network]\nmode = "host"', TRUE).stderr
    finally:
        for each in sockets:
            each.close()
        (place / "X77").unlink()
        place.rmdir()
