"""`immure learn` of commands that use strange names, very many of them, very many processes, or that end badly: what is written is a spec,
it says what was used, and no more."""

import os
import signal
import tomllib
import unicodedata

import pytest

#: Each is the name of a directory.
NAMES = [
    "\u0301accent", "quote'\u0301", "\u202eright to left", "\u2028line", "\u0085next", "del\x7f", " lead", "trail ", "-dash", "~", "~root", "%s%n", "..two", "...",
    "n" * 255, "$(id)", "`id`", "{a,b}", "a,b", "new\nline", "\ttab", "'single'", '"double"', "\\", "[x]", "*", "?", "!", "#", "${PWD}", ":ro", "=",
]  # fmt: skip


def learn(caller, spec, *words, options=(), timeout=90, **more):
    return caller.verb("learn", *options, "-o", str(spec), "--", *map(str, words), timeout=timeout, **more)


def shown(spec):
    """The places that a spec shows of the host, with whether they can be written to."""
    tree = tomllib.loads(spec.read_text())
    lists = tree.get("filesystem", {})
    found = {path: False for path in lists.get("ro", [])} | {path: True for path in lists.get("rw", [])}
    return found | {each["source"]: "ro" not in each.get("options", []) for each in tree.get("mount", []) if "source" in each}


def printable(text):
    return all(sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cf", "Zl", "Zp") for sign in text)


@pytest.mark.parametrize("options", [(), ("--tight",)], ids=["default", "tight"])
def test_strange_names_are_shown_as_they_are(caller, options):
    place, spec = caller.directory(), caller.directory() / "s.toml"
    # No three of them in one directory, which would stand for them.
    places = [place / str(number) / name for number, name in enumerate(NAMES)]
    for one in places:
        one.mkdir(mode=0o755, parents=True)
        caller.own(one)
        caller.file(one / "f", "x\n")
    script = 'for d in "$@"; do cat "$d/f"; echo y >"$d/new"; cat "$d/new"; rm "$d/new"; done'
    run = learn(caller, spec, "/bin/sh", "-c", script, "sh", *places, options=options, cwd=caller.directory())
    assert run.status == 0 and "verified: in the jail its status and output are the same" in run.stderr, run
    assert printable(run.stderr) and printable(spec.read_text())
    # A dollar is doubled where a variable would begin.
    assert {path.replace("$${", "${") for path in shown(spec)} == set(map(str, places))


def test_two_spellings_of_one_letter_are_two_names(caller):
    place, spec = caller.directory(), caller.directory() / "s.toml"
    for name in ("\u00e9", "e\u0301"):
        (place / name).mkdir(mode=0o755)
        caller.file(place / name / "f", name)
    run = learn(caller, spec, "cat", place / "\u00e9/f", place / "e\u0301/f", cwd=caller.directory())
    assert run.status == 0 and set(shown(spec)) == {f"{place}/\u00e9/f", f"{place}/e\u0301/f"}, (run, spec.read_text())


def test_a_name_that_is_not_text_is_told(caller):
    place, spec = caller.directory(), caller.directory() / "s.toml"
    with open(os.fsencode(place) + b"/\xff\xfe", "w") as file:
        file.write("x\n")
    code = f"import os; print(open(os.fsencode({str(place)!r}) + b'/\\xff\\xfe').read(), end='')"
    run = learn(caller, spec, "/usr/bin/python3", "-I", "-S", "-c", code, options=["--no-verify"], cwd=caller.directory())
    assert run.status == 0 and "which is not text" in run.stderr and run.stdout == "x\n", run
    caller.run(spec, "true").ok


#: Makes directories of that depth below the first argument, step by step, and reads a file in the last.
DEEP = """
import os, sys
os.chdir(sys.argv[1])
for _ in range(int(sys.argv[2])):
    if not os.path.isdir("n" * 100): os.mkdir("n" * 100)
    os.chdir("n" * 100)
with open("f", "w") as file: file.write("x")
with open("f") as file: print(file.read())
"""


@pytest.mark.parametrize("depth", [35, 39, 41, 60])
def test_very_long_paths(caller, depth):
    """PATH_MAX is 4,096 bytes, and no call names more at once."""
    place, spec = caller.directory(), caller.directory() / "s.toml"
    run = learn(caller, spec, "/usr/bin/python3", "-I", "-S", "-c", DEEP, place, depth, cwd=caller.directory())
    assert run.stdout == "x\n" and "wrote " in run.stderr, run
    assert all(path == str(place) or path.startswith(f"{place}/n") for path in shown(spec)), spec.read_text()
    caller.verb("check", str(spec)).ok


def test_dots_and_links_name_what_they_lead_to(caller):
    place, spec = caller.directory(), caller.directory() / "s.toml"
    for name in ("a", "b", "b/c"):
        (place / name).mkdir(mode=0o755)
        caller.own(place / name)
    caller.file(place / "b/f", "x\n")
    (place / "a/up").symlink_to("../" * 40)
    (place / "a/loop").symlink_to("loop")
    script = f"cat {place}/a/../b/c/../f {place}/a/up/{place}/b/f {place}/a/./../b//f; cat {place}/a/loop {place}/a/up/../../nothing 2>/dev/null; true"
    run = learn(caller, spec, "/bin/sh", "-c", script, cwd=caller.directory())
    assert run.stdout == "x\n" * 3, run
    # A directory is shown for what is in it, or made to stand in; the link is one in the jail as well.
    assert set(shown(spec)) == {f"{place}/b/f"}, spec.read_text()


@pytest.mark.parametrize("options", [(), ("--tight",)], ids=["default", "tight"])
def test_very_many_places(caller, options):
    """Of which no three are in one directory."""
    place, spec = caller.directory(), caller.directory() / "s.toml"
    count = 8000
    for number in range(count):
        (place / str(number)).mkdir(mode=0o755)
        (place / str(number) / "f").write_text("")
    code = f"for n in range({count}): open('{place}/%d/f' % n).close()"
    run = learn(caller, spec, "/usr/bin/python3", "-I", "-S", "-c", code, options=[*options, "--no-verify"], cwd=caller.directory())
    assert run.status == 0, run
    assert len(shown(spec)) == count
    # The next run reads it all again.
    run = learn(caller, spec, "true", options=["--no-verify"], cwd=caller.directory())
    assert run.status == 0 and len(shown(spec)) == count, run


def test_very_many_files_of_a_directory_are_the_directory(caller):
    place, spec = caller.directory(), caller.directory() / "s.toml"
    code = f"for n in range(5000): open('{place}/f%d' % n, 'w').close()\nfor n in range(5000): open('{place}/f%d' % n).close()"
    run = learn(caller, spec, "/usr/bin/python3", "-I", "-S", "-c", code, options=["--no-verify"], cwd=caller.directory())
    assert run.status == 0 and shown(spec) == {str(place): True}, run


def test_very_many_children(caller):
    """Each is at work for a moment, in a directory of its own, and its id may be the next one's."""
    place, spec = caller.directory(), caller.directory() / "s.toml"
    for number in range(3):
        (place / str(number)).mkdir(mode=0o755)
        caller.file(place / str(number) / "f", "x\n")
    code = f"""
import os
for n in range(1500):
    if os.fork() == 0:
        os.chdir("{place}/%d" % (n % 3))
        os.close(os.open("f", os.O_RDONLY))
        os._exit(0)
    if n % 20 == 19:
        for _ in range(20): os.wait()
print("done")
"""
    run = learn(caller, spec, "/usr/bin/python3", "-I", "-S", "-c", code, cwd=caller.directory())
    assert run.status == 0 and run.stdout == "done\n", run
    assert set(shown(spec)) <= {f"{place}/{number}/f" for number in range(3)} | {f"{place}/{number}" for number in range(3)}
    seen = (spec.parent / "s.toml.seen").read_text()
    assert all(f"read\t{place}/{number}/f\t" in seen for number in range(3))


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
def test_a_command_that_ends_by_a_signal(caller, number):
    spec, work = caller.directory() / "s.toml", caller.directory()
    caller.file(work / "in", "x\n")
    run = learn(caller, spec, "/bin/sh", "-c", f"cat in; kill -{int(number)} $$", cwd=work)
    assert run.status == 0 and "note: verified: in the jail its status and output are the same" in run.stderr, run
    assert shown(spec) == {str(work): False}


def test_a_command_that_ends_who_watches_it(caller):
    """Its parent: what was seen until then is written, and nothing is called verified."""
    spec, one = caller.directory() / "s.toml", caller.directory()
    caller.file(one / "f", "x\n")
    run = learn(caller, spec, "/bin/sh", "-c", f"cat {one}/f; kill -9 $PPID; sleep 1; cat {one}/f", cwd=caller.directory())
    assert run.status == 0 and "warning: who watched the command was ended: not all that it did was seen" in run.stderr, run
    assert "warning: not verified: not all was seen" in run.stderr and f"{one}/f" in shown(spec), run
