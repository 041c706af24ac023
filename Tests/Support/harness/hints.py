"""Hints as they are printed: found by their template, and followed."""

import re
import shlex
from dataclasses import dataclass

import pytest

#: What a hint sets: `filesystem.proc = false`, a TOML value of one line.
SETTING = re.compile(r'(?<![\w.])(r[ow]|[a-z]+(?:\.[a-z_]+)+) = ("[^"]*"|\[[^\]]*\]|true|false|\d+)')


def pattern(template):
    """What matches a hint, or a part of one, that was made of the template; each {} is a group."""
    return re.compile("(.*?)".join(re.escape(part) for part in template.split("{}")) + ("$" if template.endswith("{}") else ""))


def hints(text):
    """The hints of messages, and the remedies of `immure doctor`, in the order in which they are printed."""
    return re.findall(r"^(?:immure: |\s*)?(?:hint|remedy): (.*)$", text, re.M)


def told(run, *templates):
    """The one hint of a launch that failed before the command ran, which has all the templates in it."""
    assert run.status in (125, 126, 127) and run.stdout == "", run
    return among(run.stderr, *templates)


def among(text, *templates):
    """The first hint of a text that has all the templates in it."""
    for hint in hints(text):
        if all(pattern(template).search(hint) for template in templates):
            return hint
    pytest.fail(f"no hint of {templates} in:\n{text}")


def settings(hint):
    """The options for what the hint sets, each setting by itself: they are alternatives."""
    return [("--set", f"{'filesystem.' * (key in ('ro', 'rw'))}{key}={value}") for key, value in SETTING.findall(hint)]


def added(text, hint):
    """The text of a spec with what the hint shows added to its own list."""
    [(key, paths)] = [(key, value[1:-1]) for key, value in SETTING.findall(hint) if key in ("ro", "rw")]
    if f"{key} = [" in text:
        return text.replace(f"{key} = [", f"{key} = [{paths}, ", 1)
    return text.replace("[filesystem]\n", f"[filesystem]\n{key} = [{paths}]\n", 1)


def as_root(hint):
    """The command that follows "as root: ", or None."""
    found = re.search(r"as root: (.*?)(?:, or set |, or \[|; or |$)", hint)
    return found and found.group(1)


def gone(run, status=0):
    """The launch works, and no hint is left."""
    assert run.status == status and hints(run.stderr) == [], run


@dataclass
class Case:
    """A launch that fails with a hint, and what the hint leads to."""

    #: The templates that the hint is made of.
    templates: tuple
    #: The spec, which lies in a directory of the caller's; paths are relative to that.
    before: str
    #: The specs that follow the hint; None: only what it sets is given by --set.
    after: tuple = ()
    command: tuple = ("/bin/true",)
    #: Who launches.
    who: str = "user"
    #: Makes what the spec names: takes the directory.
    setup: callable = None
    #: Does as the hint says outside of the spec: takes the directory.
    mend: callable = None
    #: Whether root can launch it as it is.
    root: bool = False
    #: Whether each of the hint's settings by --set ends it; how many there are.
    sets: int = 0
    #: What else is given.
    options: tuple = ()

    def __str__(self):
        return f"{self.who}: {self.templates[-1]}"


def obey(case, callers, make):
    """Launches before, does as the hint says in each of its ways, and launches after."""
    caller = callers[case.who]

    def place(who):
        directory = who.directory()
        if case.setup:
            case.setup(directory)
            for path in directory.rglob("*"):
                who.own(path)
        return directory

    def launch(who, directory, text, options=()):
        spec = who.file(directory / "spec.toml", "\n" + text)
        return who.run(spec, *case.command, options=[*case.options, *options], cwd=directory)

    directory = place(caller)
    hint = told(launch(caller, directory, case.before), *case.templates)
    ways = settings(hint) if case.sets else []
    assert len(ways) == case.sets, (hint, ways)
    assert ways or case.after or case.mend or case.root, "nothing follows the hint"
    for way in ways:
        gone(launch(caller, place(caller), case.before, way))
    for text in case.after:
        gone(launch(caller, place(caller), text))
    if case.root:
        gone(launch(callers["root"], place(callers["root"]), case.before))
    if case.mend:
        case.mend(directory)
        gone(launch(caller, directory, case.before))
    return hint


def words(hint, start):
    """The words of the command line that follows `start` in a hint."""
    return shlex.split(hint[hint.index(start) :])
