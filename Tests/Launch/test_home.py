"""The command's home directory: HOME, passwd(5) and the tree of the jail name the same place."""

import os

import pytest

ASK = """
import json, os, pwd
try: home = pwd.getpwuid(os.getuid()).pw_dir
except KeyError: home = None
path = os.environ.get("HOME")
print(json.dumps([path, home, os.path.isdir(path), os.access(path, os.W_OK)]))
"""


def test_home_passwd_and_tree_agree(user):
    assert user.python(None, ASK) == [user.home, user.home, True, True]


@pytest.mark.parametrize("root", ["system", "empty"])
def test_it_is_private_and_bounded(user, root):
    more = 'ro = ["/usr", "/etc", "/lib", "/lib64", "/bin"]\n' if root == "empty" else ""
    facts = user.facts(f'[filesystem]\nroot = "{root}"\nhome = "1M"\n{more}')
    assert facts.mounts.types[user.home] == "tmpfs" and {"nosuid", "nodev"} <= facts.mounts[user.home]
    run = user.shell('[filesystem]\nhome = "1M"', "cd; head -c 2000000 /dev/zero >x; stat -c %s x; ls -A; stat -c '%a %u' .")
    lines = run.stdout.split("\n")
    assert "No space left" in run.stderr and int(lines[0]) <= 1 << 20 and lines[1:3] == ["x", f"755 {user.uid}"]


def test_named_users_of_root_have_theirs(root, user):
    spec = f'identity.user = "{user.login}"'
    assert root.python(spec, ASK) == [user.home, user.home, True, True]


def test_nobody_is_at_home_in_tmp(root):
    assert root.python(None, ASK)[0] == "/tmp"


@pytest.mark.parametrize("spec", [None, 'filesystem.rw = ["~/.cache"]', 'filesystem.root = "host"'])
def test_a_caller_that_passwd_does_not_know_is_at_home_where_home_says(root, spec):
    """Containers run with such ids; `~` of the spec and of the command are the same place."""
    home = root.open_directory()
    (home / ".cache").mkdir()
    os.chown(home / ".cache", 65533, 65533)
    root.wrapper = ("setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups", "env", f"HOME={home}")
    try:
        assert root.python(spec, ASK)[0] == str(home)
        if spec != 'filesystem.root = "host"':
            root.shell(spec, "mkdir -p ~/.cache && echo x >~/.cache/x").ok
        root.wrapper = (*root.wrapper[:-1], "HOME=/")
        assert root.python("", ASK)[0] == "/tmp"
    finally:
        root.wrapper = ()
    assert (home / ".cache/x").exists() is (spec == 'filesystem.rw = ["~/.cache"]')


def test_no_home_where_the_spec_says_so(user):
    spec = "filesystem.home = false"
    assert user.home not in user.facts(spec).mounts
    assert user.python(spec, ASK)[0] == "/tmp"


@pytest.mark.parametrize("target", ["", ":~/.cache/ccache", ":${HOME}/.cache/ccache"])
def test_a_cache_in_it_is_found(user, target):
    cache = user.home + "/.cache/ccache"
    os.makedirs(cache, exist_ok=True)
    for place in (user.home + "/.cache", cache):
        user.own(place)
    spec = f'[filesystem]\nrw = ["~/.cache/ccache{target}"]\n'
    user.shell(spec, 'echo hit > "$HOME/.cache/ccache/entry"; echo lost > "$HOME/lost"').ok
    assert open(cache + "/entry").read() == "hit\n" and not os.path.exists(user.home + "/lost")
    assert user.shell(spec, "cat ~/.cache/ccache/entry; ls ~").ok.stdout == "hit\n"


def test_a_mount_in_full_names_it_alike(user):
    spec = '[[mount]]\ntarget = "~/.config/a"\ntype = "file"\ncontent = "x"\n'
    assert user.shell(spec, 'cat "$HOME/.config/a"').ok.stdout == "x"


def test_what_is_shown_of_the_hosts_stays(user):
    user.file(user.home + "/note", "mine")
    assert user.shell('filesystem.ro = ["~"]', "cat ~/note").ok.stdout == "mine"
    assert user.shell('filesystem.root = "host"', "cat ~/note").ok.stdout == "mine"
    run = user.shell('filesystem = { root = "host", home = "1M" }', "ls -A ~; echo x >~/x && cat ~/x").ok
    assert run.stdout == "x\n" and not os.path.exists(user.home + "/x")


def test_var_tmp_leads_to_tmp(caller):
    assert caller.shell(None, "echo x >/var/tmp/a; cat /tmp/a; readlink /var/tmp").ok.stdout == "x\n../tmp\n"
    assert caller.shell("filesystem.tmp = false", "ls -d /var/tmp").status != 0


def test_a_tilde_that_is_not_the_account_s_home_is_said(caller):
    """`~` is what HOME says, the command's home what passwd(5) does."""
    elsewhere = caller.directory()
    (elsewhere / "in").mkdir()
    spec = caller.spec('[filesystem]\nro = ["~/in"]\n')
    note = f'~ is "{elsewhere}", as HOME says, and passwd(5) has "{caller.home}" for the caller'
    run = caller.run(spec, "/bin/true", env={"HOME": str(elsewhere)}).ok
    assert f"immure: note: {spec}:2:7: {note}" in run.stderr, run
    assert "as HOME says" not in caller.run('[filesystem]\nro = ["/etc"]\n', "/bin/true", env={"HOME": str(elsewhere)}).stderr
    assert "as HOME says" not in caller.run('[[mount]]\nsource = "~/none"\ntarget = "/x"\noptional = true\n', "/bin/true").stderr
