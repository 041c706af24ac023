"""One jail launched twice: what an attacker inside plants in the first run decides nothing in the second.

Each plant is a script of the first run, and what must become of the second: it is `refused`, with the path and the cause and
nothing run, or it `works` as if nothing had been planted. Whatever happens, nothing outside changes and nothing leaks.
"""

import hashlib
import json
import os
import stat
from dataclasses import dataclass, field

import pytest

SECRET = "the-secret-of-outside"


@dataclass
class Plant:
    name: str
    #: The lines of [filesystem] beside `rw = ["WORK:/src"…]`; WORK and VICTIM are put in.
    lines: str
    #: Run 1, in /src.
    script: str
    ends: str
    #: What a refusal says, beside a path.
    says: str = "symbolic link"
    #: What run 2 does.
    probe: str = "cat /data/* /data 2>/dev/null; ls -la /data 2>/dev/null; echo x >/data/written 2>/dev/null; echo ran"
    rw: tuple = ()
    options: tuple = ()
    cwd: str = ""
    #: Whether the spec itself lies in the directory that the jail may write.
    inside: bool = False
    text: str = field(default="")


def source(name, script, ends="refused", says="symbolic link", line='ro = ["WORK/data:/data"]', **more):
    return Plant(name, line, script, ends, says, **more)


PLANTS = [
    source("a link to the victim", "mv data old; ln -s VICTIM data"),
    source("a writable source that is a link", "mv data old; ln -s VICTIM data", line="", rw=("WORK/data:/data",)),
    source("a link to the root", "mv data old; ln -s / data"),
    source("a relative link", "mv data old; ln -s ../victim data"),
    source("a chain of links", "mv data old; ln -s one data; ln -s two one; ln -s VICTIM two"),
    source("a link in a link's place further up", "mv deep old; ln -s VICTIM deep", line='ro = ["WORK/deep/er:/data"]'),
    source("a link to the root of procfs", "mv data old; ln -s /proc/self/root/ data"),
    source("a link to the root of pid 1", "mv data old; ln -s /proc/1/root data"),
    source("a loop", "mv data old; ln -s data data"),
    source("a link that leads back in", "mv data old; ln -s old data"),
    source("`..` after a link", "mv data old; ln -s VICTIM/inner data", line='ro = ["WORK/data/..:/data"]'),
    source("a link in place of a file", "mv file old; ln -s VICTIM/secret file", line='ro = ["WORK/file:/data"]'),
    source("a FIFO in place of a file", "mv file old; mkfifo file", "works", line='ro = ["WORK/file:/data"]', probe="echo ran"),
    source("a FIFO in place of a directory", "mv data old; mkfifo data", "works", probe="echo ran"),
    source("a file in place of a directory", "mv data old; echo x >data", "works"),
    source("another directory of its own", "mv data old; mkdir data", "works"),
    source("nothing at all", "mv data old", "refused", "ENOENT"),
    source("a hard link in place of a file", "rm file; ln deep/er/own file", "works", line='ro = ["WORK/file:/data"]'),
    source("an optional source that is a link", "mv data old; ln -s VICTIM data", line='', text="""
        [[mount]]
        target = "/data"
        source = "WORK/data"
        optional = true"""),
    source("a root that is a link", "mv root old; ln -s VICTIM root", line='root = "WORK/root"', probe="echo ran"),
    source("a root below a link", "mv deep old; ln -s VICTIM deep", line='root = "WORK/deep/root"', probe="echo ran"),
    source("the lower of an overlay", "mv data old; ln -s VICTIM data", line="", text="""
        [[mount]]
        target = "/data"
        type = "overlay"
        lower = ["WORK/data"]"""),
    source("the current directory", "mv data old; ln -s VICTIM data", line='ro = ["${PWD}:/data"]', cwd="data"),
    Plant("a link in place of a mount point", 'ro = ["/usr/share:/src/tools"]', "mv tools old; ln -s /src/data tools", "refused"),
    Plant("a link above a mount point", 'ro = ["/usr/share:/src/deep/er"]', "mv deep old; ln -s data deep", "refused"),
    Plant("a link above what is hidden", 'hide = ["/src/deep/er/own"]', "mv deep old; cp -a old deep; true", "works",
          probe="cat /src/deep/er/own /src/old/er/own 2>/dev/null; echo ran"),
    Plant("what is hidden has gone", 'hide = ["/src/deep/er/own"]', "rm -rf deep/er/own", "refused", "a jail may have moved it", probe="echo ran"),
    Plant("a link in place of the result's directory", "", "mv out old; ln -s VICTIM out", "refused",
          options=("--result", "WORK/out/result.json"), probe="echo ran"),
    Plant("a link in place of the result", "", "ln -sf VICTIM/precious out/result.json", "refused",
          options=("--result", "WORK/out/result.json"), probe="echo ran"),
    Plant("a FIFO in place of the result", "", "rm -f out/result.json; mkfifo out/result.json", "refused", "not a regular file",
          options=("--result", "WORK/out/result.json"), probe="echo ran"),
    Plant("a hard link in place of the result", "", "rm -f out/result.json; ln deep/er/own out/result.json", "works",
          options=("--result", "WORK/out/result.json"), probe="echo ran"),
    Plant("the spec in place of the result", "", "rm -f out/result.json; ln spec.toml out/result.json 2>/dev/null; true", "works",
          options=("--result", "WORK/out/result.json"), probe="echo ran", inside=True),
    Plant("a wider spec", "", "echo '[filesystem]\nro=[\"VICTIM:/data\"]' >wide; cat wide >spec.toml; mv wide spec.toml; true", "works",
          inside=True),
    Plant("a wider base", "", "echo '[filesystem]\nro=[\"VICTIM:/data\"]' >wide; cat wide >base.toml; mv wide base.toml; true", "works",
          inside=True),
    Plant("a link in place of the base", "", "mv base.toml old; ln -s /tmp/x base.toml; rm -f base.toml; true", "works", inside=True),
    Plant("the directory of the spec", "", "cd ..; mv src away; true", "works", inside=True),
]


def fill(text, work, victim):
    return text.replace("WORK", str(work)).replace("VICTIM", str(victim))


def tree(path):
    """Every name below a directory with its kind, mode, owner and content."""
    found = {}
    for where, names, files in os.walk(path):
        for name in [".", *names, *files]:
            entry = os.path.join(where, name)
            status = os.lstat(entry)
            content = ""
            if stat.S_ISREG(status.st_mode):
                with open(entry, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            found[entry] = (status.st_mode, status.st_uid, status.st_gid, status.st_size if content else 0, content)
    return found


def world(caller):
    base = caller.directory()
    work, victim = base / "work", base / "victim"
    for path in (work, victim, victim / "inner", work / "data", work / "deep", work / "deep/er", work / "root", work / "deep/root",
                 work / "out", work / "tools"):
        path.mkdir()
        path.chmod(0o777)
        caller.own(path)
    caller.file(victim / "secret", SECRET, mode=0o644)
    caller.file(victim / "precious", "precious", mode=0o666)
    for path in (work / "file", work / "deep/er/own", work / "data/own"):
        caller.file(path, "the jail's own\n", mode=0o666)
    return work, victim


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name.replace(" ", "-"))
def test_what_the_first_run_plants_decides_nothing_in_the_second(caller, plant):
    work, victim = world(caller)
    where = work if plant.inside else caller.directory()
    caller.file(where / "base.toml", "# nothing\n")
    sources = json.dumps([f"{work}:/src", *(fill(line, work, victim) for line in plant.rw)])
    first = caller.file(where / "first.toml", f'extends = ["base.toml"]\n[filesystem]\nrw = ["{work}:/src"]\n')
    spec = caller.file(
        where / "spec.toml",
        f'extends = ["base.toml"]\n[filesystem]\nrw = {sources}\n{fill(plant.lines, work, victim)}\n'
        + "\n".join(line.strip() for line in fill(plant.text, work, victim).splitlines()) + "\n")
    cwd = str(work / plant.cwd) if plant.cwd else str(caller.base)
    options = [fill(option, work, victim) for option in plant.options]

    # Run 1: of the spec itself where it lies in the jail's reach, else of one that opens the directory alone.
    planted = caller.shell(spec if plant.inside else first, "cd /src\n" + fill(plant.script, work, victim))
    assert planted.status == 0, planted
    before = tree(victim)

    run = caller.shell(spec, plant.probe, options=options, cwd=cwd, env={"PWD": cwd}, timeout=20)
    assert SECRET not in run.stdout and SECRET not in run.stderr, run
    assert tree(victim) == before, run
    if plant.ends == "refused":
        assert run.status == 125 and "ran" not in run.stdout, run
        assert plant.says in run.stderr and "/" in run.stderr, run
    else:
        assert run.status == 0 and run.stdout.endswith("ran\n"), run


def test_there_are_plants_enough():
    assert len(PLANTS) >= 20 and len({plant.name for plant in PLANTS}) == len(PLANTS)
