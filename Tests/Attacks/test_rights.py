"""What code in a jail makes by an idmapped mount is root's on the host: no call gives such a file a right that counts there,
neither the bits set-user-ID and set-group-ID nor a capability, whatever the spec opens beside it (C32)."""

import errno
import json
import os
import stat

import pytest

from harness import must

#: Every call that can leave a file with such a right, by as many ABIs as the machine has. Prints the errno of each, 0 where it was made.
TRY = r"""
import ctypes, json, mmap, os, struct, sys
os.chdir("/data")
os.umask(0)
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
answers = {}

def attempt(name, function):
    try: answers[name] = function() or 0
    except OSError as error: answers[name] = error.errno

def call(number, *arguments):
    ctypes.set_errno(0)
    words = [ctypes.c_char_p(each) if isinstance(each, bytes) else ctypes.c_ulong(each & (1 << 64) - 1) for each in arguments]
    return ctypes.get_errno() if libc.syscall(ctypes.c_long(number), *words) < 0 else 0

def plain(name):
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o755))
    return name.encode()

HERE, SUID, SGID = -100, 0o4755, 0o2755
NATIVE = {"open": 2, "creat": 85, "chmod": 90, "fchmod": 91, "mknod": 133, "openat": 257, "mknodat": 259, "fchmodat": 268}
NATIVE |= {"openat2": 437, "fchmodat2": 452, "io_uring_setup": 425}

def calls_of(abi, bit):
    for mode in (SUID, SGID):
        def made(name): return f"{abi}-{name}-{mode:o}"
        def n(name): return NATIVE[name] | bit
        attempt(made("chmod"), lambda: call(n("chmod"), plain(made("chmod")), mode))
        attempt(made("fchmodat"), lambda: call(n("fchmodat"), HERE, plain(made("fchmodat")), mode))
        attempt(made("fchmodat2"), lambda: call(n("fchmodat2"), HERE, plain(made("fchmodat2")), mode, 0))
        with open(plain(made("fchmod")), "rb") as file: attempt(made("fchmod"), lambda: call(n("fchmod"), file.fileno(), mode))
        attempt(made("high bits"), lambda: call(n("chmod"), plain(made("high bits")), mode | 1 << 40))
        attempt(made("creat"), lambda: call(n("creat"), made("creat").encode(), mode))
        attempt(made("open"), lambda: call(n("open"), made("open").encode(), os.O_CREAT | os.O_WRONLY, mode))
        attempt(made("openat"), lambda: call(n("openat"), HERE, made("openat").encode(), os.O_CREAT | os.O_WRONLY, mode))
        attempt(made("mknod"), lambda: call(n("mknod"), made("mknod").encode(), 0o100000 | mode, 0))
        attempt(made("mknodat"), lambda: call(n("mknodat"), HERE, made("mknodat").encode(), 0o100000 | mode, 0))
        how = ctypes.create_string_buffer(struct.pack("<QQQ", os.O_CREAT | os.O_WRONLY, mode, 0))
        attempt(made("openat2"), lambda: call(n("openat2"), HERE, made("openat2").encode(), ctypes.addressof(how), 24))
        def temporary():
            file = os.open(".", os.O_TMPFILE | os.O_WRONLY, mode)
            os.link(f"/proc/self/fd/{file}", made("tmpfile"), follow_symlinks=True, src_dir_fd=0)
        if not bit: attempt(made("tmpfile"), temporary)

def calls_of_i386():
    # The number and three arguments: push rbx; mov eax, edi; mov ebx, esi; xchg ecx, edx; int 0x80; pop rbx; ret.
    low = mmap.mmap(-1, 8192, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    low.write(bytes.fromhex("5389f889f387cacd805bc3"))
    start = ctypes.addressof(ctypes.c_char.from_buffer(low))
    made = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint)(start)
    def by(name, number, first, second):
        low[4096:4097 + len(name)] = name + b"\0"
        return max(0, -made(number, start + 4096, first, second))
    attempt("i386-chmod", lambda: by(plain("i386-chmod"), 15, SUID, 0))
    attempt("i386-open", lambda: by(b"i386-open", 5, os.O_CREAT | os.O_WRONLY, SUID))
    attempt("i386-creat", lambda: by(b"i386-creat", 8, SUID, 0))
    attempt("i386-mknod", lambda: by(b"i386-mknod", 14, 0o100000 | SUID, 0))

KEY = b"security.capability"

def set_by_descriptor(path, value, length):
    with open(path, "rb") as file: return call(190, file.fileno(), KEY, value, length, 0)

def set_at(path, value, length):
    memory = ctypes.create_string_buffer(value)
    arguments = ctypes.create_string_buffer(struct.pack("<QII", ctypes.addressof(memory), length, 0))
    return call(463, HERE, path, 0, KEY, ctypes.addressof(arguments), 16)

SETTERS = {
    "setxattr": lambda *words: call(188, words[0], KEY, *words[1:], 0), "lsetxattr": lambda *words: call(189, words[0], KEY, *words[1:], 0),
    "fsetxattr": set_by_descriptor, "setxattrat": set_at,
}

def capabilities(prefix):
    # cap_setuid, permitted and effective: VFS_CAP_REVISION_2, and 3 with the ids that a root can have; and at other lengths.
    values = {"v2": struct.pack("<5I", 0x02000001, 1 << 7, 0, 0, 0)}
    values |= {f"v3-{root}": struct.pack("<6I", 0x03000001, 1 << 7, 0, 0, 0, root) for root in (0, 65534)}
    for setter, function in SETTERS.items():
        for kind, value in values.items():
            name = f"{prefix}-{setter}-{kind}"
            attempt(name, lambda: function(plain(name), value, len(value)))
    for length in sorted({*range(1, 64)} - {20, 24}):
        for kind, value in values.items():
            name = f"{prefix}-{kind}-{length}"
            attempt(name, lambda: SETTERS["setxattr"](plain(name), value.ljust(64, b"\0"), length))

calls_of("native", 0)
if "x32" in sys.argv: calls_of("x32", 0x40000000)
if "x86" in sys.argv: calls_of_i386()
capabilities("own")
attempt("ring", lambda: call(NATIVE["io_uring_setup"], 4, ctypes.addressof(ctypes.create_string_buffer(120))))
if "nested" in sys.argv:
    ids = os.getuid(), os.getgid()
    assert libc.unshare(0x10000000) == 0
    open("/proc/self/setgroups", "w").write("deny")
    for kind, own in zip(("uid", "gid"), ids): open(f"/proc/self/{kind}_map", "w").write(f"0 {own} 1")
    capabilities("nested")
    calls_of("within", 0)
# What such a jail is for goes on.
plain("file"); os.chmod("file", 0o1770); os.mkdir("directory", 0o2755)
os.setxattr("file", "user.note", b"fifteen letters")
print(json.dumps(answers))
"""

ROOT = """[identity]
user = 0
group = 0
uid_map = [{ inside = 0, outside = 200000, count = 2000 }]
gid_map = [{ inside = 0, outside = 300000, count = 2000 }]
[capabilities]
keep = ["setfcap", "fowner", "fsetid", "chown"]
"""
NAMES = '"chmod", "fchmod", "fchmodat", "openat", "openat2", "setxattr", "setxattrat", "io_uring_setup"'
NESTED = "[namespaces]\nnested = true\n"
JAILS = {
    "default": ("", []), "no profile": ('[seccomp]\nprofile = "none"\n', []),
    "names": (f"[seccomp]\nallow = [{NAMES}]\n", []),
    "root": (ROOT, []), "root, no profile": (ROOT + '[seccomp]\nprofile = "none"\n', []),
    "i386": ('[seccomp]\narchitectures = ["x86"]\n', ["x86"]), "x32": ('[seccomp]\narchitectures = ["x32"]\n', ["x32"]),
    "no no_new_privs": ("[process]\nno_new_privs = false\n", []),
}


def tried(root, jail, options='"rw"'):
    """The answers, and whatever has a right on the host: its name and what it is."""
    place = root.directory(0o755)
    more, words = (NESTED, ["nested"]) if jail == "nested" else JAILS[jail]
    mount = f'[[mount]]\ntarget = "/data"\nsource = "{place}"\noptions = [{options}]\nidmap = true\n'
    must.needs(os.uname().machine == "x86_64", "make calls by their numbers on x86-64")
    run = root.run(more + mount, "/usr/bin/python3", "-I", "-S", "-c", TRY, *words)
    assert run.status == 0, run
    found = {}
    for path in place.iterdir():
        about = path.lstat()
        assert about.st_uid == 0, "whose it is on the host decides: nothing was tried"
        if about.st_mode & 0o6000:
            found[path.name] = oct(about.st_mode)
        elif "security.capability" in os.listxattr(path):
            found[path.name] = os.getxattr(path, "security.capability").hex()
    return json.loads(run.stdout), found


@pytest.mark.parametrize("jail", JAILS)
def test_c32_no_file_of_roots_gets_a_right(root, jail, tally):
    answers, found = tried(root, jail)
    tally("rights for files of root's", len(answers), len(found))
    assert not found, found
    made = {name for name, number in answers.items() if not number}
    # x32 is an ABI that most kernels lack; what they do not know is refused in another way.
    assert not made, made
    assert len(answers) >= 200, answers


@pytest.mark.parametrize("jail", ["nested", "root"])
def test_suid_on_the_mount_lets_it(root, jail):
    """The attempts are real, and the word is the one that lifts it."""
    answers, found = tried(root, jail, '"rw", "suid"')
    assert {"native-chmod-4755", "native-creat-2755", "native-mknodat-4755", "native-openat2-4755"} <= set(found), (answers, found)
    assert "native-tmpfile-4755" in found, (answers, found)
    # Since Linux 6.6.
    assert "native-fchmodat2-2755" in found or answers["native-fchmodat2-2755"] == errno.ENOSYS, (answers, found)
    # A capability that the host goes by: of the second revision, or of the third for the root of the host.
    for call in ("setxattr", "lsetxattr", "fsetxattr"):
        given = found[f"{'nested' if jail == 'nested' else 'own'}-{call}-v2"]
        assert given.startswith("01000002") or given.startswith("01000003") and given.endswith("00000000"), given
    # No other length is one of the kernel's.
    assert all("xattr" in name for name in found if "-v" in name), found


COPY = """
mkdir /w/up /w/work /tmp/m
exec $0 sh -c 'mount -t overlay o -o userxattr,lowerdir=/own,upperdir=/w/up,workdir=/w/work /tmp/m && touch /tmp/m/prog'
"""


@pytest.mark.parametrize("more, word, enter", [
    (NESTED, "namespaces.nested", "unshare -Urm"), (ROOT.replace("setfcap", "sys_admin\", \"dac_override\", \"mknod\", \"setfcap"), "the capability sys_admin", "env"),
], ids=["nested", "sys_admin"])
def test_who_could_mount_an_overlay_has_no_such_mount(root, more, word, enter):
    """overlayfs copies a set-user-ID file of the jail's own up, and no filter sees that. The copy is real where `suid` lets it."""
    own, place = root.open_directory(), root.directory(0o755)
    ids = (200000, 300000) if "user = 0" in more else (65534, 65534)
    root.file(own / "prog", "#!/bin/sh\n", mode=0o755)
    os.chown(own / "prog", *ids)
    os.chmod(own / "prog", 0o4755)
    mounts = f'[filesystem]\nro = ["{own}:/own"]\n[[mount]]\ntarget = "/w"\nsource = "{place}"\nidmap = true\noptions = [%s]\n'
    refused = root.run(more + mounts % '"rw"', "/bin/true")
    assert refused.status == 125 and f"with {word} the command could mount an overlay over it" in refused.stderr, refused
    assert f'hint: take {word} out, or make the mount "ro"; "suid" among its options lets the command give such bits' in refused.stderr
    root.run(more + mounts % '"ro"', "/bin/true").ok
    root.run(mounts % '"rw"', "/bin/true").ok
    root.run(more + mounts % '"rw", "suid"', "/bin/sh", "-c", COPY.replace("$0", enter)).ok
    copy = (place / "up/prog").lstat()
    assert copy.st_uid == 0 and copy.st_mode & 0o4000, oct(copy.st_mode)


def test_a_mount_that_is_not_written_to_closes_nothing(root):
    """And neither does one whose files are the command's own on the host."""
    place = root.directory(0o777)
    os.chown(place, 65534, 65534)
    for line in ('options = ["ro"]\nidmap = true', 'options = ["rw"]'):
        spec = f'[[mount]]\ntarget = "/data"\nsource = "{place}"\n{line}\n'
        root.shell(spec, "echo >/tmp/own; chmod 6755 /tmp/own").ok
    assert stat.S_IMODE(place.stat().st_mode) == 0o777


SEND = """
import os, socket, time
file = os.open("/data/given", os.O_CREAT | os.O_RDWR, 0o755)
there = socket.socket(socket.AF_UNIX)
while there.connect_ex("/shared/socket"): time.sleep(.02)
socket.send_fds(there, [b"x"], [file])
there.recv(1)
"""
RECEIVE = """
import os, socket
here = socket.socket(socket.AF_UNIX)
here.bind("/shared/socket")
os.chmod("/shared/socket", 0o777)
here.listen()
there = here.accept()[0]
file = socket.recv_fds(there, 1, 1)[1][0]
try: print(os.fchmod(file, 0o4755) or 0)
except OSError as error: print(error.errno)
"""


@pytest.mark.parametrize("own", [True, False], ids=["ids of its own", "nobody's, as the manual says"])
def test_an_accomplice_who_is_another_on_the_host_has_no_right_over_the_file(root, own):
    """The filter holds one jail. Who is the same user on the host owns the file by the mount that a descriptor leads through."""
    place, shared = root.directory(0o755), root.open_directory()
    rw = f'[filesystem]\nrw = ["{shared}:/shared"]\n'
    mount = f'[[mount]]\ntarget = "/data"\nsource = "{place}"\noptions = ["rw"]\nidmap = true\n'
    ids = "".join(f"{kind}_map = [{{ inside = 65534, outside = 300000, count = 1 }}]\n" for kind in ("uid", "gid"))
    accomplice = root.start(rw, "/usr/bin/python3", "-I", "-S", "-c", RECEIVE)
    root.run((f"[identity]\nuser = 65534\ngroup = 65534\n{ids}" if own else "") + rw + mount, "/usr/bin/python3", "-I", "-S", "-c", SEND).ok
    assert root.finish(accomplice).ok.stdout == ("1\n" if own else "0\n")
    assert (place / "given").lstat().st_uid == 0
    assert bool((place / "given").lstat().st_mode & 0o4000) == (not own)
