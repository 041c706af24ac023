"""The answer of the facts probe, with the readings that tests ask for most."""

import json
import re
from pathlib import Path

from .linux import Mounts

SOURCE = (Path(__file__).parent / "probes" / "facts.py").read_text()
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


class Facts(dict):
    """What the kernel says of one process."""

    def __init__(self, text):
        super().__init__(json.loads(text))
        self.mounts = Mounts(self["mountinfo"])
        self.environ = dict(line.split("=", 1) for line in self["environ"] if "=" in line)
        self.fds = {int(number): target for number, target in self["fds"].items()}

    @property
    def capabilities(self):
        """The five sets as numbers."""
        return {name: int(self["status"][name], 16) for name in SETS}

    def limit(self, row):
        """Soft and hard of one row of proc_pid_limits(5), as text."""
        match = re.search(rf"^{re.escape(row)}\s+(\S+)\s+(\S+)", self["limits"], re.M)
        return match[1], match[2]


def status(text):
    """The fields of a /proc/PID/status."""
    return {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
