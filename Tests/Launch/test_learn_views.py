"""`immure learn` where the command looks paths up otherwise than whoever watches it: from another directory, below another root, among
other mounts, in another network. Each line names what the command used, by the name that the host has for it."""

import os

import pytest

from harness.must import cannot


@pytest.fixture
def learn(caller):
    def run(code, *arguments, cwd=None, options=("--no-verify",)):
        spec = caller.directory() / "s.toml"
        words = ["/usr/bin/python3", "-B", "-c", code, *map(str, arguments)]
        said = caller.verb("learn", *options, "-o", str(spec), "--", *words, cwd=cwd or caller.directory(), timeout=60)
        assert said.status == 0, said
        return said, spec.read_text(), (spec.parent / "s.toml.seen").read_text()

    return run


@pytest.fixture
def places(caller):
    found = [caller.directory() for _ in range(3)]
    for place in found:
        caller.file(place / "f", "x\n")
    return found


#: What makes namespaces of its own: root needs no user namespace for that.
APART = "import ctypes, os, sys\nlibc = ctypes.CDLL(None, use_errno=True)\ndef apart(flags):\n if libc.unshare(flags | (0 if os.geteuid() == 0 else 0x10000000)) != 0: sys.exit(77)\ndef mount(*words):\n if libc.mount(*words) != 0: sys.exit(78)\n"


def test_relative_paths_start_where_the_thread_is(learn, places):
    one, two, three = places
    code = """
import os, sys, threading
one, two, three = sys.argv[1:]
def read(): os.close(os.open("f", os.O_RDONLY))
os.chdir(one); read(); read()
there = os.open(two, os.O_PATH)
os.fchdir(there); read()
mover = threading.Thread(target=os.chdir, args=(three,)); mover.start(); mover.join(); read()
"""
    _, _, seen = learn(code, one, two, three)
    for place in places:
        assert f"read\t{place}/f\t" in seen


def test_a_directory_that_is_renamed_has_its_new_name(learn, places):
    code = """
import os, sys
place = sys.argv[1]
os.mkdir(place + "/d"); os.chdir(place + "/d"); os.close(os.open("../f", os.O_RDONLY))
os.rename(place + "/d", place + "/e")
os.symlink(sys.argv[2], place + "/l"); os.close(os.open(place + "/l/f", os.O_RDONLY))
os.unlink(place + "/l"); os.symlink(sys.argv[3], place + "/l"); os.close(os.open(place + "/l/f", os.O_RDONLY))
"""
    _, _, seen = learn(code, *places)
    for place in places:
        assert f"read\t{place}/f\t" in seen


@pytest.mark.parametrize("call", ["openat", "openat2"])
def test_a_file_that_takes_the_place_of_one_that_was_read(learn, places, call):
    """What was found once is looked up again when it has another file."""
    code = f"""
import ctypes, os, sys
one, two, three = sys.argv[1:]
def read():
    how = (ctypes.c_uint64 * 3)(0, 0, 0)
    if "{call}" == "openat2": os.close(ctypes.CDLL(None).syscall(437, -100, (one + "/f").encode(), how, 24))
    else: os.close(os.open(one + "/f", os.O_RDONLY))
read(); read()
os.unlink(one + "/f"); os.symlink(two + "/f", one + "/f"); read(); read()
os.symlink(three + "/f", one + "/g"); os.rename(one + "/g", one + "/f"); read()
"""
    _, _, seen = learn(code, *places)
    for place in places:
        assert f"read\t{place}/f\t" in seen


def test_below_another_root(root):
    """chroot(2): the names are those of the host, and links lead below the root."""
    place = root.directory()
    (place / "etc").mkdir()
    root.file(place / "etc/hostname", "x\n")
    (place / "link").symlink_to("/etc/hostname")
    root.file(place / "rel", "x\n")
    code = """
import os, sys
os.chroot(sys.argv[1]); os.chdir("/")
for name in ("/etc/hostname", "/link", "rel", "../rel"): os.close(os.open(name, os.O_RDONLY))
for name in ("/etc/made", "etc/made.too"): os.close(os.open(name, os.O_WRONLY | os.O_CREAT))
os.rename("/etc/made", "/etc/moved"); os.unlink("/etc/moved")
try: os.open("/etc/passwd", os.O_RDONLY)
except FileNotFoundError: print("not there")
"""
    spec = root.directory() / "s.toml"
    said = root.verb("learn", "--no-verify", "-o", str(spec), "--", "/usr/bin/python3", "-B", "-c", code, str(place), cwd=root.directory(), timeout=60)
    assert said.status == 0 and said.stdout == "not there\n", said
    seen = (spec.parent / "s.toml.seen").read_text()
    for line in (f"read\t{place}/etc/hostname\t", f"read\t{place}/rel\t", f"make\t{place}/etc/made\t", f"make\t{place}/etc/made.too\t"):
        assert line in seen, seen
    for name in ("/etc/hostname", "/etc/passwd", "/etc/made", "/link", "/rel"):
        assert f"\t{name}\t" not in seen, seen
    assert "of a root, mounts or a network of its own" not in said.stderr


def test_among_other_mounts(learn, places):
    """What another mount covers is not what the host has there; what none covers is."""
    one, two, three = places
    code = APART + """
one, two, three = (word.encode() for word in sys.argv[1:])
apart(0x20000); mount(None, b"/", None, 0x44000, None)
mount(two, one, None, 0x1000, None); mount(b"none", two, b"tmpfs", 0, None)
for name in (one + b"/f", three + b"/f"): os.close(os.open(name, os.O_RDONLY))
os.chdir(one); os.close(os.open("f", os.O_RDONLY))
os.close(os.open(two + b"/new", os.O_WRONLY | os.O_CREAT))
"""
    said, text, seen = learn(code, one, two, three)
    assert f"read\t{three}/f\t" in seen
    assert f"\t{one}/f\t" not in seen and f"\t{two}/new\t" not in seen and f'"{two}"' not in text.partition("[filesystem]")[2], seen
    assert "warning: python3: 4 of its paths and addresses are of a root, mounts or a network of its own" in said.stderr, said


def test_a_clone_with_mounts_of_its_own(learn, places):
    """By clone(2), as clone3(2) is not there: what its child mounts is its child's."""
    one, two, three = places
    code = APART + """
one, two, three = (word.encode() for word in sys.argv[1:])
flags = 0x20000 | 17 | (0 if os.geteuid() == 0 else 0x10000000)
if libc.syscall(435, ctypes.create_string_buffer(88), 88) != -1 or ctypes.get_errno() != 38: sys.exit(79)
child = libc.syscall(56, flags, 0, 0, 0, 0)
if child == 0:
    mount(None, b"/", None, 0x44000, None); mount(two, one, None, 0x1000, None)
    os.close(os.open(one + b"/f", os.O_RDONLY)); os._exit(0)
if child < 0 or os.waitpid(child, 0)[1] != 0: sys.exit(80)
os.close(os.open(three + b"/f", os.O_RDONLY))
"""
    said, _, seen = learn(code, one, two, three)
    assert f"read\t{three}/f\t" in seen and f"\t{one}/f\t" not in seen and "1 of its paths and addresses" in said.stderr, (said, seen)


def test_in_another_network(learn):
    code = APART + """
import socket
apart(0x40000000)
try: socket.create_connection(("192.0.2.1", 80))
except OSError: print("cut off")
"""
    said, text, _ = learn(code)
    assert said.stdout == "cut off\n" and "[network]" not in text and "1 of its paths and addresses" in said.stderr, (said, text)


def test_a_message_without_an_address_is_not_asked_about(learn):
    """sendto(2) of a connected socket, as send(3) makes it, names nothing; with an address it does."""
    code = """
import socket
one, other = socket.socketpair()
for _ in range(1000): one.send(b"x"); other.recv(1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
    far.sendto(b"x", ("127.0.0.1", 9))
"""
    said, text, _ = learn(code)
    calls = int(said.stderr.split(" calls seen")[0].split()[-1])
    assert calls < 900 and "connects to 127.0.0.1:9" in text, said
