"""A tree without the caller's name gets a line of passwd(5) and group(5) for it."""

import pytest

ASK = "import json, os, pwd, grp; u = pwd.getpwuid(os.getuid()); print(json.dumps([u.pw_name, u.pw_dir, grp.getgrgid(os.getgid()).gr_name, os.environ.get('USER'), os.environ['HOME'], os.path.isdir(u.pw_dir)]))"


@pytest.fixture
def tree(caller):
    tree = caller.directory()
    for name in ("usr", "lib", "lib64", "bin", "etc", "proc", "dev", "tmp"):
        (tree / name).mkdir()
        caller.own(tree / name)
    caller.file(tree / "etc/passwd", "root:x:0:0::/root:/bin/sh")
    caller.file(tree / "etc/group", "root:x:0:\n")
    return tree


def test_a_tree_of_ones_own(caller, tree):
    spec = f'filesystem = {{ root = "{tree}", ro = ["/usr", "/lib", "/lib64", "/bin"] }}'
    name = "nobody" if caller.is_root else caller.login
    assert caller.python(spec, ASK) == [name, "/tmp", name, name, "/tmp", True]
    assert caller.shell(spec, "cat /etc/passwd").ok.stdout.startswith("root:x:0:0::/root:/bin/sh\n" + name)
    assert (tree / "etc/passwd").read_text() == "root:x:0:0::/root:/bin/sh"


def test_a_tree_that_knows_the_caller_stays(caller, tree):
    line = f"me:x:{caller.inside_uid}:{caller.inside_gid}::/:/bin/sh\n"
    caller.file(tree / "etc/passwd", line)
    spec = f'filesystem = {{ root = "{tree}", ro = ["/usr", "/lib", "/lib64", "/bin"] }}'
    assert caller.shell(spec, "cat /etc/passwd").ok.stdout == line


def test_a_user_without_a_line_on_the_host(root, stranger):
    """As DynamicUser= has it: an id without a name, and the name in the environment."""
    run = root.popen
    argv = [root.binary, "run", "--", "/usr/bin/python3", "-I", "-S", "-c", ASK]
    process = run(argv, user=stranger, group=stranger, extra_groups=[], env={"USER": "dynamic", "HOME": "/"}, cwd="/")
    assert root.finish(process).ok.stdout == '["dynamic", "/tmp", "dynamic", "dynamic", "/tmp", true]\n'
    at_home = run(argv, user=stranger, group=stranger, extra_groups=[], env={"USER": "dynamic", "HOME": "/home/dynamic"}, cwd="/")
    said = '["dynamic", "/home/dynamic", "dynamic", "dynamic", "/home/dynamic", true]\n'
    assert root.finish(at_home).ok.stdout == said
