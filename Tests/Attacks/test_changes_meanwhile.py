"""`apply` where a name that was compared is another one's before it is changed: between two of its calls."""

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
    (lower / "tmp").chmod(mode)
    run = applied_with(root, built, spec, call, f"umask 077; rm {name}; echo theirs >{name}; chown 49999 {name}")
    assert run.status == 125 and "tmp/zz: " in run.stderr, run
    assert (name.stat().st_uid, name.read_text()) == (49999, "theirs\n")
    run = root.verb("apply", spec)
    assert run.status == 1 and "conflict: tmp/zz: changed in the original since the launch" in run.stderr, run
