"""What a command that `immure learn` runs more than once reads on its standard input, and what is left of it for the caller."""

import os

import pytest


class Bench:
    """A directory to work in, and another one for the spec."""

    def __init__(self, caller):
        self.caller, self.work = caller, caller.directory()
        self.spec = caller.directory() / "learned.toml"
        self.five = caller.file(self.work / "five", "1\n2\n3\n4\n5\n")

    def line(self, script):
        return [*self.caller.wrapper, self.caller.binary, "learn", "-o", str(self.spec), "--", "/bin/sh", "-c", script]

    def learn(self, script, stdin):
        return self.caller.finish(self.caller.popen(self.line(script), cwd=self.work, stdin=stdin), 90)

    @property
    def seen(self):
        """What each run has read."""
        return (self.work / "seen").read_text().splitlines()


@pytest.fixture
def bench(caller):
    return Bench(caller)


#: Says something else each time, so that it is run three times: outside, in the jail, outside.
READS = 'read line; echo "$line" >>seen; cat seen'


def opened(path, way):
    """The file, open for reading, in one of the ways that a caller can have it."""
    flags = {"both": os.O_RDWR, "append": os.O_RDWR | os.O_APPEND}.get(way, os.O_RDONLY)
    file = os.open(path, flags)
    if way == "closed to it":
        path.chmod(0)
    if way == "removed":
        path.unlink()
    return file


@pytest.mark.parametrize("way", ["read", "both", "append", "closed to it", "removed"])
def test_each_run_reads_a_file_from_where_it_stood(bench, way):
    file = opened(bench.five, way)
    try:
        os.lseek(file, 2, os.SEEK_SET)
        learned = bench.learn(READS, file)
        assert learned.status == 0 and learned.stdout == "2\n", learned
        assert bench.seen == ["2", "2", "2"], learned
        # The first run has left it there: the descriptor is that of the caller, who reads on.
        assert os.read(file, 2) == b"3\n"
    finally:
        os.close(file)


def test_what_the_command_leaves_alone_is_there_for_the_caller(bench):
    line = " ".join(f"'{word}'" for word in bench.line("true"))
    script = f"{{ read a; {line}; read b; echo $a $b; }} <five"
    run = bench.caller.finish(bench.caller.popen(["/bin/sh", "-c", script], cwd=bench.work), 90)
    assert run.stdout == "1 2\n" and "note: verified: " in run.stderr, run


def test_a_loop_over_the_lines_of_a_file_ends(bench):
    bench.five.write_text("1\n2\n")
    line = " ".join(f"'{word}'" for word in bench.line("true"))
    run = bench.caller.finish(
        bench.caller.popen(["/bin/sh", "-c", f"while read a; do {line}; echo $a; done <five"], cwd=bench.work), 90
    )
    assert run.stdout == "1\n2\n", run


def test_a_pipe_is_read_once_and_nothing_is_verified(bench):
    reading, writing = os.pipe()
    try:
        os.write(writing, b"1\n2\n")
        os.close(writing)
        learned = bench.learn(READS, reading)
        assert learned.status == 0 and "warning: not verified: its standard input cannot be read a second time" in learned.stderr, learned
        assert bench.seen == ["1"] and os.read(reading, 9) == b"2\n", learned
    finally:
        os.close(reading)
