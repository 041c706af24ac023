#!/usr/bin/python3
"""Imports every configuration of a corpus with the built binary, and says what became of each tool's.

    Tests/Import/corpus.py [TOOL…]      IMMURE=binary, IMMURE_CORPUS=directory (../shared/corpus beside the repository)

Every spec that is made must pass `immure check`. A configuration is whole where nothing is left out; one that the tool itself
refuses is counted apart, as is one that refers to a file which the corpus has not. The status is 1 where a spec does not pass, or a directive was forgotten.
"""

import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINARY = os.environ.get("IMMURE", str(ROOT / ".build/release/immure"))
CORPUS = pathlib.Path(os.environ.get("IMMURE_CORPUS", ROOT.parent / "shared/corpus"))
KINDS = {
    "bwrap": "*", "systemd": "*.service", "nsjail": "*.cfg", "oci": "*.json", "minijail": "*.conf", "firejail": "*.profile",
}  # fmt: skip


def configurations(tool):
    return sorted((CORPUS / tool).glob(KINDS[tool]))


def beside(tool, path):
    """What a configuration refers to: a profile's includes, and the policy that one of minijail names, where the corpus has them."""
    if tool == "firejail":
        return [*sorted((path.parent / "inc").glob("*.inc")), *configurations(tool)]
    if tool != "minijail":
        return []
    named = re.search(r"^S\s*=.*/([^/\s]+?)(-seccomp)?\.policy", path.read_text(), re.M)
    found = sorted((path.parent / "policies").glob(f"*_{named[1]}-*.policy")) if named else []
    return found[:1]


# Of bwrap(1)'s options, those that take no word, two or three; the others take one.
PLAIN = """--unshare-all --share-net --unshare-user --unshare-user-try --unshare-ipc --unshare-pid --unshare-net --unshare-uts
--unshare-cgroup --unshare-cgroup-try --disable-userns --assert-userns-disabled --clearenv --new-session --die-with-parent
--as-pid-1 --level-prefix""".split()
PAIRS = """--setenv --bind --bind-try --dev-bind --dev-bind-try --ro-bind --ro-bind-try --bind-fd --ro-bind-fd --file --bind-data
--ro-bind-data --symlink --chmod""".split()
NUMBERS = """--seccomp --add-seccomp-fd --block-fd --userns-block-fd --info-fd --json-status-fd --sync-fd --userns --userns2 --pidns
--uid --gid --size""".split()
SINGLE = """--args --argv0 --hostname --chdir --unsetenv --lock-file --remount-ro --overlay-src --tmp-overlay --ro-overlay
--exec-label --file-label --proc --dev --tmpfs --mqueue --dir --cap-add --cap-drop --perms""".split()
TAKES = {**dict.fromkeys(PLAIN, 0), **dict.fromkeys(SINGLE + NUMBERS, 1), **dict.fromkeys(PAIRS, 2), "--overlay": 3}
OPTION = re.compile(r"(?<![\w-])--[a-z0-9]+(?:-[a-z0-9]+)*(?![\w=-])")


def command_line(path):
    """The options that a program which calls bwrap names, in their order, whatever language it is in.

    A word that the program puts together stands as a path of its own. What such a program leaves to a condition, or says in
    two places, is here once for each of bwrap's options that only the last counts of.
    """
    text = re.sub(r"(?m)^\s*(#|//|\*).*$", "", path.read_text(errors="replace"))
    words, once = [], set()
    for found in OPTION.finditer(text):
        name = found[0]
        if name not in TAKES or name == "--args":
            continue
        rest = re.findall(r"""[^\s"',()\[\]]+""", text[found.end() :][:300])
        values = []
        for index in range(TAKES[name]):
            word = rest[index] if index < len(rest) else ""
            plain = re.fullmatch(r"/[\w./-]*|[\w-]+(/[\w.-]+)+", word) or (name == "--setenv" and re.fullmatch(r"\w+", word))
            values.append(word if plain and ".." not in word else f"/made/{len(words)}")
        if name in NUMBERS + ["--bind-fd", "--ro-bind-fd", "--file", "--bind-data", "--ro-bind-data"]:
            values[0] = "7"
        if name in ("--hostname", "--perms"):
            values = ["jail" if name == "--hostname" else "0700"]
        if name.startswith("--cap-"):
            values = [values[0] if values[0].isupper() else "ALL"]
        if name in NUMBERS + ["--chdir", "--hostname", "--argv0", "--die-with-parent", "--new-session", "--perms"]:
            if name in once and name not in ("--perms", "--size"):
                continue
            once.add(name)
        words += [name, *values]
    return words


def run(*words):
    """What specifiers of a unit stand for is set by the unit; here by the environment."""
    env = {**os.environ, "INSTANCE": "one", "INSTANCE_UNESCAPED": "one", "XAUTHORITY": "/x", "HOME": "/root"}
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"):
        env.setdefault(name, "/x")
    # As an ordinary user, as those who call bwrap do, and most who write profiles.
    who = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    return subprocess.run(
        [BINARY, *map(str, words)], capture_output=True, text=True, errors="replace", timeout=60, env=env, **who
    )


def measure(tool, spec, verbose):
    counts = collections.Counter()
    reasons = collections.Counter()
    bad = []
    for path in configurations(tool):
        if tool == "bwrap":
            words = command_line(path)
            if not words:
                continue
            made = run("import", tool, "--", *words, "/bin/true")
        else:
            made = run("import", tool, path, *beside(tool, path))
        if made.returncode == 2:
            counts["refused"] += 1
            print(f"  {path.name}: {made.stderr.strip().splitlines()[0] if made.stderr else 'no word'}")
            if "is not understood" in made.stderr:
                bad.append(path.name)
            continue
        if made.returncode not in (0, 1):
            bad.append(f"{path.name}: status {made.returncode}")
            continue
        if not re.search(r"^[a-z_]+ = ", made.stdout, re.M):
            bad.append(f"{path.name}: no spec: {made.stderr[:300]}")
            continue
        spec.write_text(made.stdout)
        check = run("check", spec)
        if check.returncode != 0:
            bad.append(f"{path.name}: {check.stdout or check.stderr}")
        missing = re.findall(r"^immure: (?:note|warning): (.*(?:: left out: |: lost, though it restricts: ).*)$", made.stderr, re.M)
        warned = re.findall(r"^immure: warning: ", made.stderr, re.M)
        counts["imported"] += 1
        if "give it as another FILE" in made.stderr:
            counts["whose files are not here"] += 1
            counts["imported"] -= 1
            continue
        counts["whole"] += not missing
        counts["with a loss that restricts"] += made.returncode
        counts["warnings"] += len(warned)
        for line in missing:
            reasons[line.split(": ", 1)[-1].split(": ", 1)[-1] if not verbose else line] += 1
    share = 100 * counts["whole"] / max(1, counts["imported"])
    print(f"{tool}: " + ", ".join(f"{value} {key}" for key, value in counts.items()) + f"; {share:.0f} % whole")
    for reason, count in reasons.most_common(200 if verbose else 25):
        print(f"  {count:4} {reason}")
    for line in bad:
        print(f"  WRONG {line}")
    return not bad


def main():
    words = [word for word in sys.argv[1:] if word != "-v"]
    if not CORPUS.is_dir():
        print(f"no corpus at {CORPUS}", file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory() as place:
        pathlib.Path(place).chmod(0o755)
        spec = pathlib.Path(place) / "made.toml"
        good = [measure(tool, spec, "-v" in sys.argv) for tool in words or KINDS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
