"""What the tests of [limits] share: a launch with its result, and the cgroups that are there."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from harness.patience import patient

CGROUPS = Path("/sys/fs/cgroup")


class Jail:
    """A spec, how to launch it, and what became of it."""

    def __init__(self, binary):
        self.binary = binary
        # Not pytest's own folder, into which an ordinary user cannot look.
        self.folder = Path(tempfile.mkdtemp(dir="/srv"))
        self.folder.chmod(0o755)

    def arguments(self, spec, *command):
        number = len(list(self.folder.iterdir()))
        path = self.folder / f"{number}.toml"
        path.write_text(spec)
        path.chmod(0o644)
        return [str(self.binary), "run", str(path), "--", *command]

    def run(self, spec, *command, user=False, timeout=60):
        """The finished process, with `result`."""
        words = self.arguments(spec, *command)
        result = self.folder / f"{len(list(self.folder.iterdir()))}.json"
        result.touch()
        result.chmod(0o666)
        words[2:2] = ["--result", str(result)]
        if user:
            words = ["setpriv", "--reuid=1000", "--regid=1000", "--init-groups", *words]
        done = subprocess.run(words, capture_output=True, text=True, timeout=patient(timeout))
        done.result = json.loads(result.read_text() or "null")
        return done

    def sh(self, spec, script, **options):
        return self.run(spec, "sh", "-c", script, **options)


def groups(is_meant, below=CGROUPS):
    """The groups of immure whose names are meant; others may come and go meanwhile."""
    found = []
    for folder, names, _ in os.walk(below, onerror=lambda error: None):
        found += [f"{folder}/{name}" for name in names if name.startswith("immure-") and is_meant(name)]
    return sorted(found)


def leaves(below=CGROUPS):
    """The groups of jails, wherever they are."""
    return groups(lambda name: not name.endswith(".scope"), below)


def own_group():
    return Path("/proc/self/cgroup").read_text().split("::")[1].strip()


def hits(done):
    return {hit["limit"]: hit for hit in done.result["limits_hit"]}


def alive(process):
    return os.path.exists(f"/proc/{process}")
