"""What was changed before the launch of an overlay is no conflict of `immure apply`, and what was changed after it always is one, though
the clock that files are stamped with goes by ticks."""

import subprocess
import time

import pytest

from test_apply_deleted import DELETED, UNKNOWN
from test_changes import spec_of
from test_overlay import tree

CONFLICT = "changed in the original since the launch"

#: Each round makes the original, launches and applies, with nothing between them.
ROUNDS = """
for round in $(seq 40); do
    [ ! -e changes.work ] || chmod 700 changes.work/work
    rm -rf lower changes changes.work
    mkdir lower lower/d lower/old
    echo a >lower/a; echo b >lower/b; echo x >lower/d/x; rmdir lower/old
    "$I" run spec.toml -- sh -c 'cd /src; rm a; echo more >>b; rm -r d; echo new >n' || exit 2
    "$I" apply spec.toml || failed="$failed $round"
    [ "$(ls lower)" = "b
n" ] || [ -n "$failed" ] || exit 3
done
echo "failed:$failed"
"""


def test_what_was_written_right_before_the_launch_is_no_conflict(caller):
    place = caller.directory()
    spec = spec_of(caller, place, place / "lower")
    spec.rename(place / "spec.toml")
    run = caller.finish(caller.popen(["/bin/sh", "-c", ROUNDS], env={"I": caller.binary}, cwd=place), 60)
    assert (run.status, run.stdout, run.stderr) == (0, "failed:\n", ""), run


class Running:
    """A launch whose command says by its first act that it runs, and goes on when it is told."""

    def __init__(self, caller, spec, before, after):
        self.caller = caller
        script = f"cd /src; {before}; echo up; read x; {after}"
        self.process = caller.start(spec, "/bin/sh", "-c", script, stdin=subprocess.PIPE)
        assert self.process.stdout.readline() == b"up\n"

    def end(self):
        run = self.caller.finish(self.process, stdin=b"\n")
        assert run.status == 0, run


CHANGES = {
    "a file is written to": (":", "echo more >>a", lambda lower: (lower / "a").write_text("mine\n"), 1, f"a: {CONFLICT}"),
    "a file is replaced": (":", "rm a", lambda lower: (lower / "e/f/g").rename(lower / "a"), 1, f"a: {CONFLICT}"),
    "a file comes into a directory": (":", "rm -r d", lambda lower: (lower / "d/new").write_text("mine\n"), 1, f"d: {CONFLICT}"),
    "a file is deleted": ("echo more >>a", ":", lambda lower: (lower / "a").unlink(), 1, f"a: {DELETED}"),
    "a file that was made anew is deleted": ("echo new >t; mv t a", ":", lambda lower: (lower / "a").unlink(), 0, f"{UNKNOWN}: a"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_right_after_the_command_has_begun_is_a_conflict(caller, name):
    before, after, change, status, told = CHANGES[name]
    for _ in range(8):
        lower, place = tree(caller), caller.directory()
        spec = spec_of(caller, place, lower)
        running = Running(caller, spec, before, after)
        change(lower)
        running.end()
        run = caller.verb("apply", spec, "--check")
        assert run.status == status and told in run.stderr, run


def test_a_file_system_that_notes_whole_seconds(caller, root, tmp_path_factory):
    """There a change after the launch has a time before it."""
    disk, lower = tmp_path_factory.mktemp("seconds"), caller.directory()
    with open(disk / "image", "wb") as image:
        image.truncate(8 << 20)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-I", "128", disk / "image"], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", disk / "image", lower], check=True)
    try:
        caller.own(lower)
        caller.file(lower / "a", "a\n")
        place = caller.directory()
        spec = spec_of(caller, place, lower)
        while not 0.1 < time.time() % 1 < 0.3:
            time.sleep(0.01)
        running = Running(caller, spec, ":", "echo more >>a")
        (lower / "a").write_text("mine\n")
        assert (lower / "a").stat().st_ctime_ns % 1_000_000_000 == 0
        running.end()
        run = caller.verb("apply", spec)
        assert run.status == 1 and f"a: {CONFLICT}" in run.stderr and (lower / "a").read_text() == "mine\n", run
    finally:
        subprocess.run(["umount", lower], check=True)
