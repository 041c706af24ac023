"""`apply` where a name that was compared is another one's before it is changed: between two of its calls."""

import shutil

import pytest

from kit.calls import NUMBER
from test_changes_places import spec_of


def applied_with(root, built, spec, call, script, *options):
    """An apply in which that is done before the first such call, when all has been compared."""
    report = root.directory() / "report"
    root.wrapper = (built("inject"), report, "do", NUMBER[call], script, "--")
    try:
        run = root.verb("apply", spec, *options)
    finally:
        root.wrapper = ()
    assert "hit" in report.read_text() and "status=0" in report.read_text(), (run, report.read_text())
    return run


@pytest.mark.parametrize("made, call", [("echo EVIL >", "syncfs"), ("mkdir ", "mkdirat"), ("mkfifo ", "mkdirat"), ("ln -s nowhere ", "mkdirat")])
def test_what_comes_to_a_new_name_meanwhile_stays(root, user, built, made, call):
    lower, place = root.directory(), root.directory()
    (lower / "tmp").mkdir()
    (lower / "tmp").chmod(0o1777)
    spec, name = root.spec(spec_of(place, lower, user)), lower / "tmp/zz"
    root.run(spec, "/bin/sh", "-c", f"{made}/src/tmp/zz").ok
    comes = f"mkdir -m 700 {name}" if made == "mkdir " else f"umask 077; echo theirs >{name}"
    run = applied_with(root, built, spec, call, f"{comes}; chown 49999 {name}")
    assert run.status == 125 and "tmp/zz: something has come there meanwhile" in run.stderr, run
    assert name.stat().st_uid == 49999 and (made == "mkdir " or name.read_text() == "theirs\n")
    run = root.verb("apply", spec)
    assert run.status == 1 and "conflict: tmp/zz: " in run.stderr, run


@pytest.mark.parametrize("script", ["echo EVIL >zz", "rm -f zz; echo EVIL >zz", "chmod 600 zz", "rm -f zz; mkdir zz; echo EVIL >zz/y", "rm -f zz"])
@pytest.mark.parametrize("mode", [0o755, 0o1777])
def test_what_comes_to_a_name_that_was_compared_stays(root, user, built, mode, script):
    lower, place = root.directory(), root.directory()
    (lower / "tmp").mkdir()
    name, call = lower / "tmp/zz", "mkdirat" if "mkdir" in script else "syncfs"
    for each in (name, lower / "tmp/a"):
        user.file(each, "old\n")
    (lower / "tmp").chmod(0o777)
    spec = root.spec(spec_of(place, lower, user))
    # A file that waits for the disk, so that there is a call between what is compared and what is done.
    root.run(spec, "/bin/sh", "-c", f"cd /src/tmp; {script}" + ("; echo new >a" if call == "syncfs" else "")).ok
    (lower / "tmp").chmod(mode)  # a conflict of its own, which is left out
    run = applied_with(root, built, spec, call, f"umask 077; rm {name}; echo theirs >{name}; chown 49999 {name}", "--skip-conflicts")
    assert run.status == 125 and "tmp/zz: " in run.stderr, run
    assert (name.stat().st_uid, name.read_text()) == (49999, "theirs\n")
    run = root.verb("apply", spec)
    assert run.status == 1 and "conflict: tmp/zz: changed in the original since the launch" in run.stderr, run


@pytest.mark.parametrize("script", ["rm -r d", "rm -r d; echo new >d"])
@pytest.mark.parametrize("comes", ["mv box d/box", "echo more >d/other", "echo more >>d/x"])
def test_what_comes_into_a_directory_that_is_to_go_stays(root, user, built, script, comes):
    """A directory that somebody has moved in is not his to remove, and a file that was written meanwhile is nobody's to lose."""
    lower, place = root.directory(), root.directory()
    for name in ("a/d", "a/box/priv"):
        (lower / name).mkdir(parents=True)
    user.file(lower / "a/d/x", "x\n")
    (lower / "a/box/priv/key").write_text("secret\n")
    for path in (lower / "a", lower / "a/d"):
        user.own(path)
    spec = root.spec(spec_of(place, lower, user))
    replaced = "new" in script
    root.run(spec, "/bin/sh", "-c", f"cd /src/a; {script}" + ("" if replaced else "; echo new >b")).ok
    run = applied_with(root, built, spec, "syncfs", f"cd {lower}/a; {comes}")
    assert run.status == 125 and "a/d: it is not what was compared, or has changed since: openat: EBUSY" in run.stderr, run
    assert (lower / "a/d/x").read_text() == ("x\nmore\n" if ">>" in comes else "x\n")
    assert len([path for path in (lower / "a").rglob("*") if path.name == "key"]) == 1
    assert (lower / "a/d/other").exists() == comes.endswith("other") and (lower / "a/d/box").exists() == comes.endswith("box")
    run = root.verb("apply", spec)
    assert run.status == 1 and "conflict: a/d: changed in the original since the launch" in run.stderr, run


@pytest.mark.parametrize("script", ["echo EVIL >zz", "echo EVIL >>zz", "rm zz", "chmod 600 zz"])
@pytest.mark.parametrize("mode", [0o755, 0o1777])
def test_what_is_written_to_a_file_that_was_compared_stays(root, user, built, mode, script):
    """In place: it is the same file, with another text."""
    lower, place = root.directory(), root.directory()
    (lower / "tmp").mkdir()
    name = lower / "tmp/zz"
    for each in (name, lower / "tmp/a"):
        user.file(each, "old\n")
    (lower / "tmp").chmod(0o777)
    spec = root.spec(spec_of(place, lower, user))
    root.run(spec, "/bin/sh", "-c", f"cd /src/tmp; {script}; echo new >a").ok
    (lower / "tmp").chmod(mode)  # a conflict of its own, which is left out
    run = applied_with(root, built, spec, "syncfs", f"echo theirs >>{name}", "--skip-conflicts")
    assert run.status == 125 and "tmp/zz: it is not what was compared, or has changed since" in run.stderr, run
    for _ in range(2):
        assert name.read_text() == "old\ntheirs\n"
        run = root.verb("apply", spec)
        assert run.status == 1 and "conflict: tmp/zz: changed in the original since the launch" in run.stderr, run


@pytest.mark.parametrize("comes", ["mv box $taken/box", "echo more >$taken/other"])
def test_what_comes_into_a_directory_that_was_taken_stays(root, user, built, comes):
    """Whoever has it open still comes to it where it is removed."""
    lower, place = root.directory(), root.directory()
    for name in ("a/d/deep", "a/box/priv"):
        (lower / name).mkdir(parents=True)
    (lower / "a/box/priv/key").write_text("secret\n")
    user.file(lower / "a/d/deep/x", "x\n")
    for path in (lower / "a", lower / "a/d", lower / "a/d/deep"):
        user.own(path)
    spec = root.spec(spec_of(place, lower, user))
    root.run(spec, "/bin/sh", "-c", "cd /src/a; rm -r d; echo new >d").ok
    run = applied_with(root, built, spec, "unlinkat", f'cd {lower}/a; for taken in .immure.apply*/.immure.apply*; do test -d "$taken" || exit 1; {comes}; done')
    assert run.status == 125 and "a/d: it is not what was compared, or has changed since" in run.stderr, run
    key = "d/box/priv/key" if "box" in comes else "box/priv/key"
    assert (lower / "a" / key).read_text() == "secret\n" and (lower / "a/d/other").exists() == comes.endswith("other")
    run = root.verb("apply", spec)
    assert run.status == 1 and "conflict: a/d: changed in the original since the launch" in run.stderr, run
    assert (lower / "a" / key).read_text() == "secret\n"


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("script", ["mkfifo p", "cp d/x n", "ln -s x n", "cp -r d n", "ln d/x n"])
def test_a_killed_apply_for_the_owner_of_a_tree_is_finished(root, user, script):
    """What it has put in has another owner than in the upper: that is no change of anybody's."""
    lower, place = root.directory(), root.directory()
    (lower / "d").mkdir()
    for name in ("a", "d/x"):
        user.file(lower / name, "old\n").chmod(0o666)
    for path in (lower, lower / "d"):
        user.own(path)
        path.chmod(0o777)
    spec = root.spec(spec_of(place, lower, user).replace(f"user = {user.uid}", "user = 65534"))
    root.run(spec, "/bin/sh", "-c", f"cd /src; {script}; echo jail >a").ok
    root.wrapper = ("strace", "-f", "-o", "/dev/null", "-e", "trace=renameat2", "-e", "inject=renameat2:signal=KILL:when=2")
    try:
        assert root.verb("apply", spec).status in (-9, 137)
    finally:
        root.wrapper = ()
    run = root.verb("apply", spec)
    assert run.status == 0 and (lower / "a").read_text() == "jail\n" and root.verb("diff", spec).ok.stdout == "", run
