"""chown to owners that the jail does not map: EPERM, which programs know, not the kernel's EINVAL (C103)."""

import shutil

import pytest

from harness.must import cannot

CHOWN = """
import ctypes, json, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    libc.syscall.restype = ctypes.c_long
    return 0 if libc.syscall(ctypes.c_long(number), *arguments) == 0 else ctypes.get_errno()
path = b"/tmp/owned"
fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
os.symlink("owned", "/tmp/link")
keep = ctypes.c_uint(0xffffffff)
own = (ctypes.c_uint(os.getuid()), ctypes.c_uint(os.getgid()))
found = {}
calls = {"chown": (92, ctypes.c_char_p(path)), "lchown": (94, ctypes.c_char_p(b"/tmp/link")), "fchown": (93, ctypes.c_int(fd)),
         "fchownat": (260, ctypes.c_int(-100), ctypes.c_char_p(path))}
for name, (number, *first) in calls.items():
    last = [ctypes.c_int(0)] if name == "fchownat" else []
    pairs = {"own": own, "keep": (keep, keep), "own user": (own[0], keep), "own group": (keep, own[1]),
             "high bits": (ctypes.c_ulong(os.getuid() | 1 << 32), ctypes.c_ulong(os.getgid() | 5 << 32)),
             "user": (ctypes.c_uint(4321), keep), "group": (keep, ctypes.c_uint(4321)),
             "high bits of another": (ctypes.c_ulong(4321 | 1 << 32), keep)}
    found[name] = {what: call(number, *first, *pair, *last) for what, pair in pairs.items()}
print(json.dumps(found))
"""

EXPECTED = {"own": 0, "keep": 0, "own user": 0, "own group": 0, "high bits": 0, "user": 1, "group": 1, "high bits of another": 1}


@pytest.mark.parametrize("spec", ["", "[seccomp]\nallow = [\"@system-service\"]", "[identity]\nuser = 4320\ngroup = 7"])
def test_other_owners_are_not_permitted_and_ones_own_are(caller, spec):
    found = caller.python(spec, CHOWN)
    assert found == {name: EXPECTED for name in ("chown", "lchown", "fchown", "fchownat")}


def test_without_the_filter_the_kernel_answers(caller):
    found = caller.python('[seccomp]\nprofile = "none"', CHOWN)
    assert found["chown"] == {**EXPECTED, "user": 22, "group": 22, "high bits of another": 22}


def test_fakeroot_runs(caller):
    if not shutil.which("fakeroot"):
        cannot("fakeroot is not installed")
    script = """
        cd /tmp
        touch a && chown root:root a && mkdir d && cp a d/b && chown -R 12:34 d && tar -cf t.tar a d && mkdir out
        tar -C out -xpf t.tar && install -o root -g root a installed
        stat -c '%u:%g' a out/d/b installed
    """
    run = caller.run("", "fakeroot", "sh", "-ec", script, timeout=30)
    assert run.ok.stdout.split() == ["0:0", "12:34", "0:0"], run


def test_a_package_is_built(caller):
    if not shutil.which("dpkg-deb") or not shutil.which("fakeroot"):
        cannot("fakeroot or dpkg-deb is not installed")
    script = r"""
        cd /tmp && mkdir -p p/DEBIAN p/usr/share/x && echo hello >p/usr/share/x/f && chown -R root:root p
        printf 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' >p/DEBIAN/control
        dpkg-deb --build p x.deb >/dev/null && dpkg-deb -c x.deb
    """
    run = caller.run("", "fakeroot", "sh", "-ec", script, timeout=30)
    assert all(" root/root " in line for line in run.ok.stdout.splitlines()), run
