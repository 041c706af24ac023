"""`nested`: whether the command may make namespaces of its own; masks cannot be taken away (C24, C29, T17)."""

import pytest

from harness.maps import zero

CALLS = """
import ctypes, errno, json, os, struct
libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUSER = 0x20000, 0x10000000
def attempt(function):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        ctypes.set_errno(0)
        result = function()
        os.write(write, ("ok" if result != -1 else errno.errorcode.get(ctypes.get_errno(), "?")).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    return os.read(read, 64).decode()
def clone(flags):
    pid = libc.syscall(56, flags | 17, 0, 0, 0, 0)
    if pid == 0: os._exit(0)
    return pid
def clone3(flags):
    size = 88
    args = ctypes.create_string_buffer(struct.pack("=11Q", flags, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), size)
    pid = libc.syscall(435, args, size)
    if pid == 0: os._exit(0)
    return pid
print(json.dumps({
    "unshare user": attempt(lambda: libc.unshare(NEWUSER)), "unshare mount": attempt(lambda: libc.unshare(NEWNS)),
    "clone user": attempt(lambda: clone(NEWUSER)), "clone mount": attempt(lambda: clone(NEWNS)),
    "clone3 user": attempt(lambda: clone3(NEWUSER)), "clone3 mount": attempt(lambda: clone3(NEWNS)),
}))
"""


@pytest.mark.parametrize("spec", [None, "[identity]\nuid_map = [{ inside = 0, outside = OUT, count = 1 }]\nuser = 0"])
def test_c29_t17_no_namespace_can_be_made(caller, spec):
    if spec:
        spec = spec.replace("OUT", str(caller.inside_uid))
    answers = caller.python(spec, CALLS)
    assert {answer for answer in answers.values()} <= {"EPERM", "ENOSPC", "ENOSYS"}, answers


def test_c29_the_lock_cannot_be_undone(caller):
    run = caller.shell(None, "echo 1000 > /proc/sys/user/max_user_namespaces; unshare -U true")
    assert run.status != 0


def test_c29_root_inside_cannot_undo_it_either(caller):
    spec = f'[identity]\nuser = 0\nuid_map = [{{ inside = 0, outside = {caller.inside_uid}, count = 1 }}]\n[capabilities]\nkeep = ["sys_admin", "sys_resource"]'
    run = caller.shell(spec, "echo 1000 > /proc/sys/user/max_user_namespaces; unshare -U true")
    assert run.status != 0


def test_nested_lets_the_command_make_namespaces(caller):
    answers = caller.python("[namespaces]\nnested = true", CALLS)
    assert answers["unshare user"] == "ok" and answers["clone user"] == "ok"
    assert caller.shell("[namespaces]\nnested = true", "unshare -Ur id -u").ok.stdout == "0\n"


def test_immure_runs_inside_immure(caller):
    spec = f'[namespaces]\nnested = true\n[filesystem]\nro = ["{caller.binary}:/opt/immure"]'
    run = caller.shell(spec, "/opt/immure run -- /bin/sh -c 'echo inner; exit 5'")
    assert (run.status, run.stdout) == (5, "inner\n"), run


def test_immure_runs_three_deep(caller):
    nested = "[namespaces]\nnested = true\n[filesystem]\n"
    file = caller.spec(nested + 'ro = ["/opt/immure"]\n')
    outer = nested + f'ro = ["{caller.binary}:/opt/immure", "{file}:/opt/spec"]\n'
    run = caller.run(outer, "/opt/immure", "run", "/opt/spec", "--", "/opt/immure", "run", "--", "/bin/echo", "deep")
    assert run.ok.stdout == "deep\n"


def test_a_jail_that_may_not_nest_says_why(caller):
    spec = f'[filesystem]\nro = ["{caller.binary}:/opt/immure"]'
    run = caller.run(spec, "/opt/immure", "run", "--", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "" and "hint:" in run.stderr
    assert "ENOSYS" in run.stderr and "nested = true" in run.stderr


UMOUNT = """
import ctypes, errno, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
answers = {}
for path in sys.argv[1:]:
    result = libc.umount2(path.encode(), 2)
    answers[path] = "ok" if result == 0 else errno.errorcode[ctypes.get_errno()]
print(json.dumps(answers))
"""


def test_c24_masks_and_mounts_cannot_be_taken_away(caller):
    spec = '[filesystem]\nhide = ["/proc/keys", "/etc/ssl"]\n'
    for text in (spec, spec + zero(caller)):
        answers = caller.python(text, UMOUNT, "/proc/keys", "/etc/ssl", "/proc", "/etc", "/usr", "/tmp", "/dev")
        assert set(answers.values()) <= {"EPERM", "EINVAL"}, answers


def test_c24_t21_masks_hold_against_sys_admin_or_the_launch_is_refused(caller):
    spec = '[filesystem]\nhide = ["/proc/keys", "/etc/ssl"]\n[capabilities]\nkeep = ["sys_admin"]\n' + zero(caller)
    run = caller.run(spec, "/usr/bin/python3", "-I", "-S", "-c", UMOUNT, "/proc/keys", "/etc/ssl")
    if run.status == 125:
        assert "sys_admin" in run.stderr or "mask" in run.stderr or "hide" in run.stderr
        return
    assert '"ok"' not in run.stdout or "sys_admin" in run.stderr, run


def test_c24_a_nested_user_namespace_cannot_take_them_away(caller):
    spec = '[namespaces]\nnested = true\n[filesystem]\nhide = ["/proc/keys", "/etc/ssl", "/etc/hostname"]\n'
    script = "unshare -Urm sh -c 'umount -l /proc/keys; umount -l /etc/ssl; umount -l /etc/hostname; cat /etc/hostname; ls -A /etc/ssl; mount -t proc proc /mnt 2>/dev/null || mount -t proc proc /tmp && cat /tmp/keys'"
    run = caller.shell(spec, script)
    assert run.stdout == "", run


def test_c24_a_nested_pid_namespace_cannot_get_a_full_proc(caller):
    spec = '[namespaces]\nnested = true\n[filesystem]\nhide = ["/proc/keys"]\n'
    run = caller.shell(spec, "unshare -Urmpf --mount-proc cat /proc/keys")
    assert run.stdout == "", run
