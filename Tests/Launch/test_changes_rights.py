"""What a new name lets somebody do afterwards is in the list of changes: its kind, its mode, its owner and its access control lists."""

import json
import shutil

import pytest

from test_changes import changing, diff, spec_of
from test_overlay import tree
from test_overlay_kept import kept

LIST = "access control list"


@pytest.fixture
def place(caller):
    return changing(caller)


def rows(caller, spec):
    """The letter and the notes of each path, the same in words and as JSON."""
    found = {row["path"]: (row["change"], row["notes"]) for row in json.loads(diff(caller, spec, "--json", status=1))}
    words = diff(caller, spec, status=1).splitlines()
    assert words == [f"{kind} {path}" + (f"\t({', '.join(notes)})" if notes else "") for path, (kind, notes) in found.items()]
    return found


@pytest.mark.parametrize("made, notes", [
    ("echo 1 >n", []), ("mkdir n", []), ("ln -s a n", ["-> a"]), ("echo 1 >n; chmod 0755 n", []), ("echo 1 >n; chmod 0400 n", []),
    ("mkdir -m 0700 n", []), ("echo 1 >n; chmod 0777 n", ["mode 0777"]), ("echo 1 >n; chmod 0664 n", ["mode 0664"]),
    ("mkdir n; chmod 1777 n", ["mode 01777"]), ("mkdir n; chmod 0775 n", ["mode 0775"]), ("echo 1 >n; chmod 4755 n", ["mode 04755"]),
    ("mkfifo n", ["fifo"]), ("mkfifo n; chmod 0666 n", ["fifo", "mode 0666"]),
])
@pytest.mark.parametrize("name", ["new", "d/new", "out/new"])
def test_the_kind_and_the_mode_of_a_new_name(caller, place, name, made, notes):
    _, changed = place
    spec = changed(f"umask 022; mkdir -p out; ( cd $(dirname {name}); {made}; mv n new )")
    assert rows(caller, spec)[name] == ("A", notes)


@pytest.mark.parametrize("script, path, notes", [
    ("rm a; mkfifo a; chmod 0666 a", "a", ["regular to fifo", "mode 0666"]), ("rm a; mkdir a", "a", ["regular to directory"]),
    ("rm a; mkdir a; chmod 1777 a", "a", ["regular to directory", "mode 01777"]),
    ("rm -r d; echo 1 >d; chmod 0777 d", "d", ["directory to regular", "3 entries", "mode 0777"]),
])
def test_the_mode_of_a_name_of_another_kind(caller, place, script, path, notes):
    _, changed = place
    assert rows(caller, changed(f"umask 022; {script}"))[path] == ("T", notes)


def test_a_mode_that_a_renamed_file_gets_is_said(caller, place):
    _, changed = place
    assert rows(caller, changed("mv a b; chmod 0666 b")) == {"a": ("D", []), "b": ("A", ["mode 0666"])}


# An access control list as the kernel has it, acl(5): no machine needs setfacl(1).
ACL = "import os, struct; value = struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *row) for row in [(1, 7, 2**32 - 1), (2, 7, {user}), (4, 5, 2**32 - 1), (16, 7, 2**32 - 1), (32, 5, 2**32 - 1)]); "


@pytest.mark.parametrize("made, which, notes", [
    ("open('/src/n', 'w').close()", "access", [LIST]), ("os.mkdir('/src/n')", "access", [LIST]),
    ("os.mkdir('/src/n')", "default", [f"default {LIST}"]), ("os.unlink('/src/a'); os.mkdir('/src/a'); os.rename('/src/a', '/src/n')", "default", [f"default {LIST}"]),
])
def test_the_access_control_lists_of_a_new_name(caller, place, made, which, notes):
    _, changed = place
    spec = changed("true")
    code = ACL.format(user=caller.uid) + f"os.umask(0o022); {made}; os.setxattr('/src/n', 'system.posix_acl_{which}', value)"
    caller.python(spec, code)
    # The mask of a list stands in the group's bits of the mode: acl(5).
    mode = ["mode 0775"] if which == "access" else []
    assert rows(caller, spec)["n"] == ("A", mode + notes)


@pytest.mark.parametrize("path, kind", [("a", "access"), ("d", "access"), ("d", "default"), (".", "access"), (".", "default")])
def test_an_access_control_list_that_a_name_gets_is_told_from_other_attributes(caller, place, path, kind):
    _, changed = place
    spec = changed("true")
    code = ACL.format(user=caller.uid) + f"path = '/src/{path}'; os.setxattr(path, 'system.posix_acl_{kind}', value)"
    caller.python(spec, code)
    words = LIST if kind == "access" else f"default {LIST}"
    found = rows(caller, spec)[path]
    assert found[0] == "m" and [note for note in found[1] if not note.startswith("mode ")] == [words], found
    caller.python(spec, f"import os; os.setxattr('/src/{path}', 'user.note', b'1')")
    assert rows(caller, spec)[path][1] == found[1] + ["extended attributes"]


def host_ids(place, lower):
    ids = "[{ inside = 0, outside = 0, count = 65536 }]"
    keep = '["chown", "dac_override", "fowner", "fsetid", "setgid", "setuid"]'
    return f"[identity]\nuser = 0\ngroup = 0\nuid_map = {ids}\ngid_map = {ids}\n[capabilities]\nkeep = {keep}\n" + kept(place, lower)


def test_as_root_whom_a_new_name_is_given_to_is_said(root, user):
    lower, place = tree(root), root.directory()
    (lower / "a").chmod(0o600)
    spec = root.spec(host_ids(place, lower))
    who = f"{user.uid}:{user.gid}"
    root.shell(spec, f"cd /src; umask 022; echo 1 >mine; echo 1 >o; chown {who} o; mkdir od; chown {user.uid} od; mv a b; chown {who} b; ln -s x l; chown -h {who} l; rm -r d; echo 1 >d; chown {who} d").ok
    both = [f"uid {user.uid}", f"gid {user.gid}"]
    assert rows(root, spec) == {
        "a": ("D", []), "b": ("A", both), "d": ("T", ["directory to regular", "3 entries", *both]), "l": ("A", ["-> x", *both]),
        "mine": ("A", []), "o": ("A", both), "od": ("A", both[:1])}
    assert root.verb("apply", spec).status == 0
    assert [(lower / name).lstat().st_uid for name in ("b", "d", "l", "o", "od", "mine")] == [user.uid] * 5 + [0]


def test_as_root_an_owner_that_apply_gives_by_itself_is_not_said(root, user):
    lower, place = tree(user), root.directory()
    lower.chmod(0o777)
    spec = spec_of(root, place, lower)
    root.shell(spec, "umask 022; echo x >/src/new; mkdir /src/dir").ok
    assert rows(root, spec) == {"dir": ("A", []), "new": ("A", [])}


@pytest.mark.skipif(not shutil.which("newuidmap"), reason="needs newuidmap")
def test_whom_a_jail_of_subordinate_ids_has_given_a_name_to_is_said_as_the_jail_has_it(user):
    lower, place = tree(user), user.directory()
    with open("/etc/subuid") as file:
        start = next(int(line.split(":")[1]) for line in file if line.startswith(user.login + ":"))
    ids = "[{{ inside = 0, outside = {0}, count = 1 }}, {{ inside = 1, outside = {1}, count = 1000 }}]"
    maps = f'[identity]\nuser = "root"\ngroup = "root"\nuid_map = {ids.format(user.uid, start)}\ngid_map = {ids.format(user.gid, start)}\n'
    spec = user.spec(maps + '[capabilities]\nkeep = ["chown", "dac_override", "fowner"]\n' + kept(place, lower))
    user.shell(spec, "cd /src; umask 022; echo 1 >mine; mkdir n; echo 1 >n/x; chown 33:34 n/x; chown 33 n").ok
    assert rows(user, spec) == {"mine": ("A", []), "n": ("A", ["uid 33"]), "n/x": ("A", ["uid 33", "gid 34"])}
