"""What stands below a mount that the jail may write in keeps its name and its place (A04, A05, A06, A14)."""

import json
import os
import time

import pytest

from harness.hints import told
from harness.patience import patient
from test_names import link, place, refused


def repository(caller):
    """A directory that the command may write in, with .git/hooks and a key in it."""
    work = place(caller)
    for name in (".git", ".git/hooks", "sub", "sub/deep"):
        (work / name).mkdir()
        (work / name).chmod(0o777)
        caller.own(work / name)
    caller.file(work / ".git/hooks/pre-commit", "#!/bin/sh\n", mode=0o755)
    caller.file(work / "key", "secret", mode=0o644)
    caller.file(work / "sub/deep/key", "secret", mode=0o644)
    return work


# A04: the files of the spec


def test_a04_the_jail_does_not_write_the_spec_of_the_next_launch(caller):
    work = place(caller)
    caller.file(work / "base.toml", 'hostname = "base"\n', mode=0o644)
    caller.file(work / "p.json", '{"defaultAction": "SCMP_ACT_ALLOW"}', mode=0o644)
    (work / "specs").mkdir()
    (work / "specs").chmod(0o777)
    spec = caller.file(
        work / "specs/build.toml",
        f'extends = ["../base.toml"]\n[seccomp]\nprofile = "../p.json"\n[filesystem]\nrw = ["{work}:/src"]\n',
    )
    before = {path: path.read_bytes() for path in (work / "base.toml", work / "p.json", spec)}
    script = """cd /src
        for file in specs/build.toml base.toml p.json; do
            for call in "echo x >>$file" "mv $file moved" "rm -f $file" "ln -sf /etc/passwd $file" "echo x >other; mv other $file"; do
                sh -c "$call" 2>/dev/null && echo "$call"
            done
        done
        mv specs gone 2>/dev/null && echo moved
        echo end"""
    run = caller.shell(spec, script)
    assert run.stdout == "end\n", run
    assert {path: path.read_bytes() for path in before} == before


def test_a04_the_plan_says_so(caller):
    work = place(caller)
    spec = caller.file(work / "build.toml", f'[filesystem]\nrw = ["{work}:/src"]\n')
    listing = caller.verb("plan", str(spec), "--", "/bin/true").ok.stdout
    assert "protect /src/build.toml" in listing
    assert "note: " in listing and "is read-only at /src/build.toml" in listing


def test_a04_the_spec_itself_is_no_source_for_writing(caller):
    spec = caller.spec("")
    text = f'[filesystem]\nrw = ["{spec}:/there"]\n'
    spec.write_text(text)
    run = refused(caller.run(spec, "/bin/echo", "ran"), "is opened for writing", "show it with filesystem.ro")
    spec.write_text(text.replace("\nrw =", "\nro ="))
    assert caller.run(spec, "/bin/cat", "/there").ok.stdout == text.replace("\nrw =", "\nro ="), run


def test_a04_as_the_hosts_root_the_jail_is_not_launched(root):
    work = place(root)
    spec = root.file(work / "build.toml", f'[identity]\nuser = 0\n[namespaces]\nuser = "host"\n[filesystem]\nrw = ["{work}:/src"]\n')
    run = refused(root.run(spec, "/bin/echo", "ran"), "build.toml", "as the host's root", 'identity.user = "nobody"')
    spec.write_text(f'[identity]\nuser = "nobody"\n[filesystem]\nrw = ["{work}:/src"]\n')
    assert root.run(spec, "/bin/echo", "ran").ok.stdout == "ran\n", run


def test_a04_a_link_to_the_spec_that_the_jail_made_is_not_followed(user):
    work, other = place(user), user.directory()
    text = f'[filesystem]\nrw = ["{work}:/src"]\n'
    (work / "specs").mkdir()
    user.own(work / "specs")
    user.file(work / "specs/build.toml", text)
    user.file(other / "build.toml", text)
    (work / "specs").rename(work / "old")
    link(user, work / "specs", other)
    refused(user.run(work / "specs/build.toml", "/bin/echo", "ran"), f"{work}/specs is a symbolic link of uid")


# A05: covers keep their place


@pytest.mark.parametrize("how", ["mv .git g", "mv .git/hooks g", "rm -rf .git", "mv .git ../g", "mv -T .git g", "rmdir .git/hooks"])
def test_a05_what_is_read_only_keeps_its_name(caller, how):
    work = repository(caller)
    spec = caller.spec(f'[filesystem]\nrw = ["{work}:/src"]\nro = ["{work}/.git/hooks:/src/.git/hooks"]')
    run = caller.shell(spec, f"cd /src; {how} 2>/dev/null && echo done; echo evil >.git/hooks/pre-commit; echo end")
    assert run.stdout == "end\n", run
    assert (work / ".git/hooks/pre-commit").read_text() == "#!/bin/sh\n"


def test_a05_what_is_hidden_keeps_its_name(caller):
    work = repository(caller)
    spec = caller.spec(f'[filesystem]\nrw = ["{work}:/src"]\nhide = ["/src/sub/deep/key"]')
    caller.shell(spec, "cd /src; mv sub s; mv sub/deep s; mv sub/deep/key k")
    assert (work / "sub/deep/key").read_text() == "secret"
    run = caller.shell(spec, "cat /src/sub/deep/key /src/s/deep/key /src/k 2>/dev/null; echo end")
    assert run.stdout == "end\n", run


def test_a05_a_link_in_place_of_what_is_covered_is_refused(caller):
    work = repository(caller)
    open_spec = caller.spec(f'[filesystem]\nrw = ["{work}:/src"]')
    caller.shell(open_spec, "cd /src; mv .git g; ln -s g .git").ok
    link = "/src/.git is a symbolic link below what the jail may write"
    for line, words in (
        ('ro = ["/usr:/src/.git/hooks"]', link),
        # The link shows what is to be hidden under its own name as well; with that hidden, the link itself is in the way.
        ('hide = ["/src/.git/hooks"]', "/src/g/hooks shows what /src/.git/hooks hides"),
        ('hide = ["/src/.git/hooks", "/src/g/hooks"]', link),
    ):
        spec = caller.spec(f'[filesystem]\nrw = ["{work}:/src"]\n{line}')
        refused(caller.run(spec, "/bin/echo", "ran"), words)


def test_a05_what_is_to_be_hidden_must_be_there(caller):
    work = repository(caller)
    spec = caller.spec(f'[filesystem]\nrw = ["{work}:/src"]\nhide = ["/src/key"]')
    (work / "key").rename(work / "moved")
    run = refused(caller.run(spec, "/bin/echo", "ran"), "hide /src/key", "a jail may have moved it")
    assert 'type = "hide" and optional = true' in run.stderr
    optional = f'[filesystem]\nrw = ["{work}:/src"]\n[[mount]]\ntarget = "/src/key"\ntype = "hide"\noptional = true\n'
    assert caller.run(optional, "/bin/echo", "ran").stdout == "ran\n"
    (work / "moved").rename(work / "key")
    assert caller.run(spec, "/bin/echo", "ran").ok.stdout == "ran\n"
    assert caller.shell(optional, "cat /src/key || echo shut").stdout == "shut\n"


@pytest.mark.parametrize("init", ["true", "false"])
@pytest.mark.parametrize("how", ["replaced", "removed"])
def test_a05_a_cover_that_goes_away_ends_the_jail(caller, how, init):
    work = repository(caller)
    spec = caller.spec(f'[process]\ninit = {init}\n[filesystem]\nrw = ["{work}:/src"]\nhide = ["/src/key"]')
    process = caller.start(spec, "/bin/sh", "-c", "echo up; exec sleep 60")
    assert process.stdout.readline() == b"up\n"
    if how == "replaced":
        caller.file(work / "new", "secret")
        os.replace(work / "new", work / "key")
    else:
        (work / "key").unlink()
    run = caller.finish(process, timeout=5)
    assert run.status == 137 and "the jail was killed: " in run.stderr and "/src/key is gone" in run.stderr, run


def test_a05_the_result_says_why_the_jail_ended(caller):
    work, out = repository(caller), place(caller)
    spec = caller.spec(f'[filesystem]\nrw = ["{work}:/src"]\nhide = ["/src/key"]')
    process = caller.start(
        spec, "/bin/sh", "-c", "echo up; exec sleep 60", options=["--result", f"{out}/result.json"])
    assert process.stdout.readline() == b"up\n"
    (work / "key").unlink()
    caller.finish(process, timeout=5)
    assert "/src/key is gone" in json.loads((out / "result.json").read_text())["lost"]["message"]


def test_a05_other_changes_outside_end_nothing(caller):
    work = repository(caller)
    spec = caller.spec(f'[filesystem]\nrw = ["{work}:/src"]\nhide = ["/src/key"]')
    process = caller.start(spec, "/bin/sh", "-c", "echo up; read line; echo still", stdin=-1)
    assert process.stdout.readline() == b"up\n"
    for number in range(50):
        caller.file(work / "other", f"{number}")
        os.replace(work / "other", work / "another")
    process.stdin.write(b"go\n")
    run = caller.finish(process)
    assert run.status == 0 and run.stdout == "still\n", run


def test_a05_a_jail_with_pins_is_not_much_slower(root):
    """2,000 mounts with 500 directories pinned, by the processor's time."""
    work = place(root)
    targets = []
    for number in range(500):
        (work / f"{number}/x").mkdir(parents=True)
        for name in "abcd":
            (work / f"{number}/x/{name}").mkdir()
        targets += [f"/src/{number}/x/{name}" for name in "abcd"]
    with_pins = root.spec(
        f'[filesystem]\nrw = ["{work}:/src"]\nro = [' + ", ".join(f'"/usr:{target}"' for target in targets) + "]")
    without = root.spec(
        f'[filesystem]\nro = ["{work}:/src", ' + ", ".join(f'"/usr:{target}"' for target in targets) + "]")

    def spent(spec):
        best = []
        for _ in range(3):
            before = os.times()
            root.run(spec, "/bin/true", timeout=60).ok
            after = os.times()
            best.append(after.children_user + after.children_system - before.children_user - before.children_system)
        return min(best)

    plain, pinned = spent(without), spent(with_pins)
    print(f"without pins {plain:.3f} s, with {pinned:.3f} s")
    assert pinned <= 2 * plain + 0.05


# A06: nothing shows what is hidden


@pytest.mark.parametrize("line", ["{work}/key:/copy", "{work}/sub/..:/copy", "{work}:/copy"])
@pytest.mark.parametrize("key", ["rw", "ro"])
def test_a06_another_line_that_shows_what_is_hidden_is_refused(caller, line, key):
    work = repository(caller)
    other = line.format(work=work)
    lines = [f"{work}:/src", other] if key == "rw" else [f"{work}:/src"]
    spec = f'[filesystem]\nrw = {json.dumps(lines)}\nhide = ["/src/key"]\n'
    if key == "ro":
        spec += f"ro = {json.dumps([other])}\n"
    run = refused(caller.shell(spec, "cat /copy /copy/key"), "shows what /src/key hides at")
    if "/key:" in line:  # a target has one line
        told(run, "leave this line out")
        assert "hide /copy" not in run.stderr
        followed = spec.replace(json.dumps(other), "").replace('", ]', '"]')
    else:
        told(run, "hide {} as well, or leave this line out")
        assert "hide /copy/key as well" in run.stderr
        followed = spec.replace('"/src/key"', '"/src/key", "/copy/key"')
    answer = caller.shell(followed, "cat /src/key /copy/key /copy 2>/dev/null; echo end")
    assert answer.stdout == "end\n", answer


def test_a06_a_part_of_what_is_hidden_is_not_shown_elsewhere(caller):
    work = repository(caller)
    spec = f'[filesystem]\nrw = ["{work}:/src"]\nro = ["{work}/sub/deep:/copy"]\nhide = ["/src/sub"]\n'
    refused(caller.shell(spec, "cat /copy/key"), "/copy shows what /src/sub hides")


def test_a06_of_the_host_and_of_the_system(caller):
    for root, hidden, source in (("host", "/usr/share", "/usr/share/doc"), ("system", "/etc", "/etc/passwd")):
        spec = f'[filesystem]\nroot = "{root}"\nro = ["{source}:/opt/copy"]\nhide = ["{hidden}"]\n'
        run = caller.shell(spec, "echo ran")
        refused(run, f"/opt/copy shows what {hidden} hides")


def test_a06_what_shows_other_files_is_no_matter(caller):
    work = repository(caller)
    spec = f'[filesystem]\nrw = ["{work}:/src", "{work}/sub:/copy"]\nhide = ["/src/key"]\n'
    assert caller.shell(spec, "cat /copy/deep/key").ok.stdout == "secret"


# A14: cgroups by another way


@pytest.mark.parametrize("source", ["/sys/fs/cgroup:/cg", "/sys:/s", "/sys/fs:/s"])
@pytest.mark.parametrize("more", ['[namespaces]\ncgroup = "host"\n', ""])
def test_a14_the_hosts_groups_are_not_shown_writable_beside_limits(caller, source, more):
    if not os.path.ismount("/sys/fs/cgroup"):
        pytest.skip("no cgroups are mounted")
    spec = f'[filesystem]\nrw = ["{source}"]\n[limits]\npids = 8\n{more}'
    run = caller.run(spec, "/bin/echo", "ran")
    refused(run, "has the host's cgroups")
    assert 'type = "cgroup"' in run.stderr


def test_a14_read_only_they_are_shown(caller):
    if not os.path.ismount("/sys/fs/cgroup"):
        pytest.skip("no cgroups are mounted")
    caller.run('[filesystem]\nro = ["/sys/fs/cgroup:/cg"]', "/bin/ls", "/cg").ok
