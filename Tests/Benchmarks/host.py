"""The place where the benchmark runs: built helpers, the ordinary user, and a stopwatch over launch.c."""

import os
import shutil
import stat
import statistics
import subprocess
from dataclasses import dataclass

import peers

HERE = os.path.dirname(os.path.abspath(__file__))
# As many as launch.c counts.
COPIES = 6


@dataclass
class User:
    """The ordinary user; without one, launches are made as whoever runs the benchmark."""

    name: str
    uid: int
    gid: int
    home: str


@dataclass
class Samples:
    """Seconds, sorted; or the reason why there are none."""

    values: list
    failure: str = ""

    @property
    def median(self):
        return statistics.median(self.values) if self.values else None

    @property
    def p90(self):
        return self.values[int(len(self.values) * 0.9)] if self.values else None


class Host:
    """Everything lives below `directory`, which the caller makes and removes."""

    def __init__(self, directory, immure):
        self.directory = directory
        self.immure = os.path.join(directory, "immure")
        self.floor, self.launch, self.empty = (self.built(name) for name in ("floor", "launch", "empty"))
        self.call = self.built("call")
        if os.path.isfile(immure):
            # An ordinary user may not reach the build directory.
            shutil.copy(immure, self.immure)
            os.chmod(self.immure, 0o755)
        self.host_spec = os.path.join(directory, "host.toml")
        with open(self.host_spec, "w", encoding="utf-8") as file:
            file.write('[filesystem]\nroot = "host"\n[seccomp]\nprofile = "none"\n')
        # The default jail without its filter, which neither the floor nor the other launchers have.
        self.plain_spec = os.path.join(directory, "plain.toml")
        with open(self.plain_spec, "w", encoding="utf-8") as file:
            file.write('[seccomp]\nprofile = "none"\n')
        self.made = 0
        self.spread = {}

    def built(self, name):
        target = os.path.join(self.directory, name)
        if not os.path.exists(target):
            source = os.path.join(HERE, name + ".c")
            subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-static", "-o", target, source], check=True)
        return target

    def copies(self, argv):
        """The same command from several copies of its program, another one each round.

        Where the page cache has put a file makes its start up to a fifth faster or slower, for as long as it stays
        there: one copy of each program would measure that luck. A set-uid program is what it is only in its place.
        """
        program = argv[0]
        if os.stat(program).st_mode & stat.S_ISUID:
            return argv
        if program not in self.spread:
            self.spread[program] = os.path.join(self.scratch("copies"), os.path.basename(program) + "-@C")
            for number in range(COPIES):
                shutil.copy(program, self.spread[program].replace("@C", str(number)))
            os.sync()  # or the disk is written to while we measure
        return [self.spread[program], *argv[1:]]

    def scratch(self, name, user=None):
        """A new directory that belongs to the one who launches."""
        self.made += 1
        path = os.path.join(self.directory, f"{name}-{self.made}")
        os.mkdir(path)
        if user:
            os.chown(path, user.uid, user.gid)
        return path

    def environment(self, user):
        words = dict(os.environ)
        if user:
            words.update(HOME=user.home, USER=user.name, LOGNAME=user.name)
            words["XDG_RUNTIME_DIR"] = self.scratch("runtime", user)
        return words

    def stopwatch(self, arguments, user, **options):
        """Starts launch.c; the same means for everything that is measured."""
        options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        head = [self.launch] + (["--user", f"{user.uid}:{user.gid}"] if user else [])
        return subprocess.Popen(
            head + arguments,
            text=True,
            stdout=subprocess.PIPE,
            env=self.environment(user),
            cwd=self.directory,
            **options,
        )

    def number_of(self, argv, user):
        """The number that a program started by the user writes."""
        settings = {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}
        run = subprocess.run(argv, check=True, capture_output=True, text=True, env=self.environment(user), **settings)
        return int(run.stdout)

    def refusal(self, argv, user, arguments=()):
        """Why this program does not do it, or nothing where it does: one launch whose messages are read."""
        process = self.stopwatch([*arguments, "--jobs", "1", "--count", "1", "--", *argv], user, stderr=subprocess.PIPE)
        output, errors = process.communicate(timeout=60)
        if output.split()[-2:-1] == ["0"]:
            return ""
        lines = [line for line in errors.splitlines() if line.strip()]
        return "cannot here: " + (lines[-1].strip() if lines else "no message")

    def namespaces(self, probe, user):
        """How many namespaces of its own the jail has: a launcher that quietly makes none must not look fast."""
        if probe.absent:
            return ""
        output, _ = self.stopwatch(["--jobs", "1", "--count", "1", "--", *probe.argv], user).communicate(timeout=60)
        inside = {line for line in output.splitlines() if ":[" in line}
        outside = {os.readlink("/proc/self/ns/" + name) for name in peers.NAMESPACES}
        return f"{len(inside - outside)} of {len(outside)}"

    def time(self, candidates, user, rounds, arguments=(), budget=1000000, trap=False):
        """Interleaved rounds over all candidates: a list of Samples in their order."""
        results = {}
        able = []
        for one in candidates:
            reason = one.absent or ("" if trap else self.refusal(one.argv, user, arguments))
            results[one.name] = Samples([], reason)
            if not reason:
                able.append(one)
        words = []
        for one in able:
            words += [*self.copies(one.argv), ";;"]
        head = ["--rounds", str(rounds), "--budget", str(budget), *arguments, *(["--trap"] if trap else []), "--"]
        output, _ = self.stopwatch(head + words[:-1], user).communicate()
        for one, line in zip(able, output.splitlines()):
            _, status, *nanoseconds = line.split()
            failure = "" if status == "0" else f"failed in between with status {status}"
            values = [] if failure else sorted(int(n) / 1e9 for n in nanoseconds)
            results[one.name] = Samples(values, failure)
        return [results[one.name] for one in candidates]
