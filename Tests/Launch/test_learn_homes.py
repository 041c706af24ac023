"""`immure learn` whatever HOME says: no line shows a home whole, nor a directory of keys, nor what holds either."""

import os
import tomllib
from pathlib import Path

import pytest

from harness.must import cannot

NAMES = ("one", "two", "three", "four")
KEYS = (".ssh", ".gnupg/private")


@pytest.fixture
def people(caller):
    """Homes with files and keys, by whose they are: the caller's account, another's in /home, and another's elsewhere."""
    if os.getuid() != 0:
        cannot("make accounts")
    passwd, before = Path("/etc/passwd"), Path("/etc/passwd").read_text()
    elsewhere = caller.directory()
    homes = {"own": Path("/home/learn-own"), "mate": Path("/home/learn-mate"), "afar": elsewhere / "afar"}
    lines = before.splitlines()
    account = next(index for index, line in enumerate(lines) if line.split(":")[2] == str(caller.uid))
    fields = lines[account].split(":")
    lines[account] = ":".join([*fields[:5], str(homes["own"]), *fields[6:]])
    # A shell may be left out, and a slash may stand at the end.
    lines += [f"learn-mate:x:50998:50998::{homes['mate']}/:/bin/sh", f"learn-afar:x:50999:50999::{homes['afar']}"]
    made = []
    try:
        passwd.write_text("\n".join(lines) + "\n")
        for home in homes.values():
            for place in (home, *(home / keys for keys in KEYS), home / ".config", home / ".local/share"):
                place.mkdir(parents=True, mode=0o755)
                for name in NAMES:
                    caller.file(place / name, "x\n")
            made.append(home)
            for place in (home, *(each for each in home.rglob("*") if each.is_dir())):
                place.chmod(0o755)
                caller.own(place)
        yield homes
    finally:
        passwd.write_text(before)
        for home in made:
            for place in sorted(home.rglob("*"), reverse=True):
                place.unlink() if not place.is_dir() else place.rmdir()
            home.rmdir()


def values(caller, homes):
    """What HOME is set to."""
    link = caller.directory() / "link"
    link.symlink_to(homes["own"])
    return {
        "root": "/", "etc": "/etc", "home": "/home", "var lib": "/var/lib", "link": str(link), "own": str(homes["own"]), "slash": f"{homes['own']}/",
        "dots": f"/home/learn-mate/../{homes['own'].name}", "mate": str(homes["mate"]), "afar": str(homes["afar"]), "relative": "learn-own", "empty": "",
        "unset": None, "accent": "/home/\u0301",
    }  # fmt: skip


VALUES = ("root", "etc", "home", "var lib", "link", "own", "slash", "dots", "mate", "afar", "relative", "empty", "unset", "accent")


def shown(spec):
    """The places that a spec shows of the host."""
    tree = tomllib.loads(spec.read_text())
    lists = tree.get("filesystem", {})
    short = [path.split(":")[0] for key in ("ro", "rw", "devices") for path in lists.get(key, [])]
    return {Path(path) for path in short + [mount["source"] for mount in tree.get("mount", []) if "source" in mount]}


def opened(spec, homes):
    """What of that is somebody's home, keys, or holds one of these; single files that were named are not."""
    wrong = set()
    for path in shown(spec):
        for home in (*homes.values(), Path("/root")):
            shared = {home, *(home / name for name in (".config", ".local", ".local/share", ".cache"))}
            if path in shared or path in home.parents:
                wrong.add(path)
        if path.is_dir() and {".ssh", ".gnupg"} & set(path.parts):
            wrong.add(path)
    return wrong


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("started", ["elsewhere", "at home", "in keys", "in home"])
def test_no_line_shows_a_home_or_keys(caller, people, name, started):
    home = values(caller, people)[name]
    cwd = {"elsewhere": caller.directory(), "at home": people["own"], "in keys": people["own"] / ".ssh", "in home": Path("/home")}[started]
    places = [place for each in people.values() for place in (each, *(each / keys for keys in KEYS), each / ".config", each / ".local/share")]
    script = "".join(f"cat {place}/one {place}/two {place}/three {place}/four; ls {place} >/dev/null; " for place in places)
    script += "".join(f"for n in 1 2 3 4; do echo x >{place}/new$n; done; mv {place}/new1 {place}/new5; rm {place}/new5; " for place in places)
    script += f"mv {people['own']}/.ssh {people['own']}/.kept; mv {people['own']}/.kept {people['own']}/.ssh; ls /home / >/dev/null; cat *"
    spec = caller.directory() / "s.toml"
    for options in ((), ("--tight",)):
        run = caller.verb("learn", "--no-verify", *options, "-o", str(spec), "--", "/bin/sh", "-c", script, cwd=cwd, timeout=60, env={"HOME": home})
        assert run.status == 0, run
        assert opened(spec, people) == set(), (home, spec.read_text())
    # It is not for want of lines.
    assert people["mate"] / "one" in shown(spec) and people["mate"] / ".ssh/one" in shown(spec)


def test_the_homes_are_read_as_they_are(caller, people):
    """What is shown of a program's directory is not a home's, whoever's HOME it is."""
    spec = caller.directory() / "s.toml"
    place = people["own"] / ".config/tool"
    place.mkdir()
    caller.own(place)
    caller.file(place / "set", "x\n")
    caller.verb("learn", "--no-verify", "-o", str(spec), "--", "cat", str(place / "set"), cwd=caller.directory(), timeout=60).ok
    assert shown(spec) == {place}


@pytest.mark.parametrize("name", [name for name in VALUES if name not in ("unset", "accent")])
def test_what_is_read_by_it_is_read_in_the_jail(caller, people, name):
    """A HOME that is not the account's leads elsewhere, also to what every jail has, or below the root; to enter it is enough."""
    home = values(caller, people)[name]
    file = {"root": "etc/hostname", "etc": "hostname", "empty": "etc/hostname", "home": None, "var lib": None}.get(name, "one")
    script, spec = (f"cat ~/{file} && " if file else "") + "cd && pwd", caller.directory() / "s.toml"
    plain = caller.finish(caller.popen(["/bin/sh", "-c", script], cwd="/home", env={"HOME": home})).ok.stdout
    run = caller.verb("learn", "-o", str(spec), "--", "/bin/sh", "-c", script, cwd="/home", timeout=60, env={"HOME": home})
    assert run.status == 0 and "note: verified: in the jail its status and output are the same" in run.stderr, run
    assert caller.run(spec, cwd="/home", env={"HOME": home}, timeout=60).ok.stdout == plain
