"""An error names its line, the call, the errno and the cause, and a remedy where there is one."""

import re

import pytest

HINT = re.compile(r"^(immure: )?hint: \S", re.M)


def test_a_missing_interpreter_is_told_apart(caller):
    spec = '[[mount]]\ntarget = "/opt/script"\ntype = "file"\nmode = "755"\ncontent = "#!/no/such/interpreter\\n"'
    run = caller.run(spec, "/opt/script")
    assert run.status == 126 and "ENOENT" in run.stderr and "/no/such/interpreter" in run.stderr, run


def test_a_missing_loader_is_told_apart(caller):
    spec = '[filesystem]\nroot = "empty"\nro = ["/bin/true:/bin/true"]'
    run = caller.run(spec, "/bin/true")
    assert run.status == 126 and "ENOENT" in run.stderr and HINT.search(run.stderr) and "ld-linux" in run.stderr, run


def test_a_noexec_mount_is_told_apart(caller):
    spec = '[[mount]]\ntarget = "/opt/x"\ntype = "bind"\nsource = "/usr/bin"\noptions = ["ro", "noexec"]'
    run = caller.run(spec, "/opt/x/true")
    assert run.status == 126 and "EACCES" in run.stderr and "noexec" in run.stderr and HINT.search(run.stderr), run


# Every cause by its words

WORDS = {
    "a missing source": ('[filesystem]\nro = ["/no/such/place:/opt/x"]', 3, ["/no/such/place", "ENOENT"], True),
    "a missing root": ('[filesystem]\nroot = "/no/such/tree"', 3, ["/no/such/tree", "ENOENT"], False),
    "a missing cwd": ('cwd = "/no/such/cwd"', 2, ["/no/such/cwd", "ENOENT"], False),
    "a namespace that is gone": (
        '[namespaces]\nnet = "/proc/999999999/ns/net"',
        3,
        ["/proc/999999999/ns/net", "ENOENT"],
        False,
    ),
    "a file that is no namespace": ('[namespaces]\nnet = "/etc/passwd"', 3, ["/etc/passwd"], False),
    "a descriptor that is not open": ("[process]\nfds = [55]", 3, ["55", "not open"], False),
    "no such user": ('[identity]\nuser = "no-such-user"', 3, ["no-such-user"], False),
}


@pytest.mark.parametrize("name", WORDS)
def test_an_error_names_line_call_errno_and_cause(caller, name):
    text, line, words, hinted = WORDS[name]
    run = caller.run("\n" + text, "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == "", run
    assert re.search(rf"spec\.toml:{line}:\d+: \S", run.stderr), run
    for word in words:
        assert word in run.stderr, run
    assert HINT.search(run.stderr) or not hinted, run
    first = run.stderr.splitlines()[0]
    assert first.startswith("immure: ") and not first.endswith("."), run


@pytest.mark.parametrize(
    "text, line",
    [
        ('[namespaces]\nuser = "host"', 3),
        ("[identity]\nuser = 0\nuid_map = [{ inside = 0, outside = 0, count = 1 }]", 4),
    ],
)
def test_a_lack_of_privilege_names_its_line_and_a_remedy(user, text, line):
    run = user.run("\n" + text, "/bin/echo", "ran")
    assert (
        run.status == 125
        and ("EPERM" in run.stderr or "newuidmap" in run.stderr)
        and re.search(rf"spec\.toml:{line}:\d+: ", run.stderr)
        and HINT.search(run.stderr)
    ), run


def test_a_file_target_on_a_directory_names_its_line(caller):
    run = caller.run('\n[filesystem]\nro = ["/etc/hostname:/usr/share"]', "/bin/echo", "ran")
    assert run.status == 125 and re.search(r"spec\.toml:3:\d+: ", run.stderr), run
    # move_mount(2) says no more than EINVAL: the cause is for the launcher to name.
    assert "directory" in run.stderr, run
