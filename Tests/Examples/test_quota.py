"""quota.toml: what may be written is bounded everywhere."""

import pytest


def test_what_is_changed_is_thrown_away(caller, work):
    caller.file(work / "a", "a\n")
    done = caller.jail("quota.toml", "bash", "-c", "echo more >> a; cat a; df --output=size,itotal . | tail -1", cwd=work)
    assert done.stdout.split() == ["a", "more", "8192", "1000"] and done.stderr == ""
    assert [path.name for path in work.iterdir()] == ["a"] and (work / "a").read_text() == "a\n"


@pytest.mark.parametrize("place, line", [(".", "full (8M of 8M)"), ("/tmp", "filesystem.tmp: full (4M of 4M)"), ("/dev/shm", "filesystem.shm: full (1M of 1M)")])
def test_it_ends_where_it_is_full(caller, work, place, line):
    done = caller.jail("quota.toml", "bash", "-c", f"cat /dev/zero > {place}/x", cwd=work, status=1)
    assert "No space left on device" in done.stderr and line in done.stderr


def test_so_many_files(caller, work):
    done = caller.jail("quota.toml", "bash", "-c", "for i in {1..1100}; do : > f$i || exit 3; done", cwd=work, status=3)
    assert "No space left on device" in done.stderr
