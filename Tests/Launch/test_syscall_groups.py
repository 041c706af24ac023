"""The groups are systemd's: name by name what `systemd-analyze syscall-filter` of the installed systemd lists."""

import shutil
import subprocess

from harness.must import cannot

# systemd 253 made a group of the calls by which a program confines itself, and took it into @default.
SINCE_252 = {"@default": {"@sandbox"}}
NEW_GROUPS = {"@sandbox"}


def groups_of_systemd():
    if shutil.which("systemd-analyze") is None:
        cannot("ask systemd: systemd-analyze is not installed")
    listing = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True)
    found, members = {}, None
    for line in listing.stdout.splitlines():
        if line.startswith("@"):
            members = found.setdefault(line.strip(), set())
        elif line and not line.startswith(" "):
            # What follows are calls of the running kernel that are in no group.
            members = None
        elif members is not None and line.strip() and not line.strip().startswith("#"):
            members.add(line.strip())
    return found


def test_groups_are_those_of_systemd(user):
    theirs = groups_of_systemd()
    ours = {name: set(user.verb("syscalls", name).ok.stdout.split()) for name in user.verb("syscalls").ok.stdout.split()}
    assert set(ours) - set(theirs) <= NEW_GROUPS and set(theirs) <= set(ours)
    differences = {}
    # @known is every call there is: ours are those of the two architectures, theirs those of all.
    for name in set(theirs) - {"@known"}:
        added, missing = ours[name] - theirs[name] - SINCE_252.get(name, set()), theirs[name] - ours[name]
        if added or missing:
            differences[name] = (added, missing)
    assert differences == {} and len(theirs) > 25
