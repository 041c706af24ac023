"""The sections of the benchmark: each measures one thing, prints one table and hands its bars to the report."""

import os
import shutil
import stat
import subprocess
import time

import learning
import memory
import peers
import projects
from peers import who
from report import milliseconds, ratio

HELD = ("/usr/bin/sh", "-c", "echo; exec sleep 600")


def named(candidates, samples):
    return {one.name: result for one, result in zip(candidates, samples)}


def quotient(one, base):
    return one.median / base.median if one.median and base.median else None


def launch(host, user, report, quick):
    """The default jail, against the floor and bubblewrap."""
    candidates = peers.everyone(host, user)
    own = [host.namespaces(one, user) for one in peers.everyone(host, user, peers.PROBE)]
    samples = host.time(candidates, user, 20 if quick else 900, budget=500 if quick else 9000)
    by = named(candidates, samples)
    floor, bubblewrap = by["floor"], by["bubblewrap"]
    rows = []
    for (name, one), count in zip(by.items(), own):
        if one.values:
            ratios = [ratio(one.median, floor.median), ratio(one.median, bubblewrap.median)]
            rows.append([name, milliseconds(one.median), milliseconds(one.p90), *ratios, count, len(one.values)])
        else:
            rows.append([name, one.failure])
    columns = ["launch", "median ms", "p90 ms", "/ floor", "/ bubblewrap", "namespaces", "runs"]
    report.table(f"launch of the default jail, as {who(user)}", columns, rows)
    report.bar(f"launch / floor, {who(user)}", 1.25, "x", quotient(by["immure"], floor))
    report.bar(f"launch / bubblewrap, {who(user)}", 0.70, "x", quotient(by["immure"], bubblewrap))


def mounts(host, user, report, quick):
    """Host trees of many mounts, root = "host"; the mounts are made in a namespace of the stopwatch's own."""
    candidates = peers.host_root(host, user)
    if os.geteuid() != 0:
        report.table("host trees of many mounts", ["", ""], [["all", "skipped: making the mounts needs root"]])
        return
    levels = (10, 500, 2000)
    rows = [[one.name] for one in candidates]
    for count in levels:
        tree = ["--mounts", f"{count}:{host.scratch('tree')}"]
        samples = host.time(candidates, user, 3 if quick else 30, tree, budget=1000 if quick else 5000)
        by = named(candidates, samples)
        for row, one in zip(rows, samples):
            if one.values and len(row) == 1 + 2 * levels.index(count):
                row += [milliseconds(one.median), ratio(one.median, by["bubblewrap"].median)]
            elif len(row) == 1:
                row.append(one.failure)
    columns = ["root = host"] + [text for count in levels for text in (f"{count} ms", "/ bubblewrap")]
    report.table(f"host trees of many mounts, as {who(user)}", columns, rows)
    report.bar(f"2000 mounts / bubblewrap, {who(user)}", 0.15, "x", quotient(by["immure"], by["bubblewrap"]))


def pins(host, user, report, quick):
    """2,000 mounts below a directory that can be written to, where 500 directories between keep their names, and below one that
    cannot, where none has to."""
    place = host.scratch("pins", user)
    targets = []
    for number in range(500):
        for name in "abcd":
            os.makedirs(os.path.join(place, str(number), "x", name))
            targets.append(f'"/usr:/src/{number}/x/{name}"')
    mounted = ", ".join(targets)
    specs = {
        "without": f'[filesystem]\nro = ["{place}:/src", {mounted}]\n',
        "with 500 pins": f'[filesystem]\nrw = ["{place}:/src"]\nro = [{mounted}]\n',
    }
    candidates = launches(host, host.scratch("specs"), specs)
    by = named(candidates, host.time(candidates, user, 5 if quick else 20, ["--cpu"], budget=5000))
    plain, pinned = by["without"], by["with 500 pins"]
    rows = [[name, milliseconds(one.median), ratio(one.median, plain.median)] if one.values else [name, one.failure] for name, one in by.items()]
    report.table(f"2,000 mounts, as {who(user)}", ["directories between", "processor ms", "/ without"], rows)
    report.bar(f"2000 mounts with pins / without, {who(user)}", 1.3, "x", quotient(pinned, plain))


def startup(host, user, report, quick):
    """From execve to the first namespace call, which a filter turns into the end of the program."""
    candidates = [
        peers.candidate("empty static program", host.empty, [], []),
        peers.candidate("floor", host.floor, [], [peers.COMMAND]),
        peers.candidate("immure", host.immure, ["run", "--"], [peers.COMMAND]),
        peers.candidate("immure, with a spec", host.immure, ["run", host.host_spec, "--"], [peers.COMMAND]),
        peers.candidate("bubblewrap", "bwrap", peers.bubblewrap(peers.is_root(user)), [peers.COMMAND]),
    ]
    by = named(candidates, host.time(candidates, user, 50 if quick else 1000, budget=5000, trap=True))
    empty = by["empty static program"]
    rows = []
    for name, one in by.items():
        if one.values and empty.values:
            extra = milliseconds(one.median - empty.median)
            rows.append([name, milliseconds(one.median), milliseconds(one.p90), extra])
        else:
            rows.append([name, one.failure])
    columns = ["start-up", "median ms", "p90 ms", "over empty, ms"]
    report.table(f"start to the first namespace call, as {who(user)}", columns, rows)
    one = by["immure"]
    got = (one.median - empty.median) * 1000 if one.values and empty.values else None
    report.bar(f"start-up over an empty program, {who(user)}", 1.0, "ms", got)


def held(host, user, argv, count):
    """`count` jails at once: (seconds until all run, launcher bytes per jail, processes per jail) or a reason."""
    process = host.stopwatch(["--hold", str(count), "--", *argv], user, stdin=subprocess.PIPE)
    try:
        running, nanoseconds, *pids = (int(word) for word in process.stdout.readline().split())
        if running < count:
            return f"only {running} of {count} ran"
        time.sleep(0.5)  # idle: nothing has happened for a while
        size, processes = memory.launchers(pids)
        return int(nanoseconds) / 1e9, size and size / count, processes / count
    except ValueError:
        return "no answer"
    finally:
        process.stdin.close()
        process.wait(timeout=120)
        process.stdout.close()


def idle(host, user, report, quick):
    """What the launchers of one idle jail keep in memory."""
    rows, got = [], None
    for one in peers.light(host, user, HELD):
        result = one.absent or host.refusal(one.argv[:-2] + ["-c", "true"], user)
        result = result or held(host, user, one.argv, 1)
        if isinstance(result, str):
            rows.append([one.name, result])
            continue
        _, size, processes = result
        rows.append([one.name, f"{size / 1024:.0f}" if size else "unreadable", f"{processes:.0f}"])
        if one.name == "immure" and size:
            got = size / 2**20
    columns = ["idle jail", "PSS KiB", "launcher processes"]
    report.table(f"launcher memory of one idle jail, as {who(user)}", columns, rows)
    report.bar(f"idle launcher memory, {who(user)}", 2.0, "MB", got)


def scale(host, user, report, quick):
    """Many jails at once: how fast they come, and what each costs."""
    levels = (1, 10, 100) if quick else (1, 10, 100, 1000)
    rows = []
    for one in peers.light(host, user, HELD):
        reason = one.absent or host.refusal(one.argv[:-2] + ["-c", "true"], user)
        row = [one.name]
        for count in () if reason else levels:
            best = [held(host, user, one.argv, count) for _ in range(3 if count < 100 and not quick else 1)]
            failures = [result for result in best if isinstance(result, str)]
            if failures:
                reason = failures[0]
                break
            seconds, size, _ = sorted(best)[len(best) // 2]
            row += [f"{count / seconds:.0f}", f"{size / 1024:.0f}" if size else "-"]
        rows.append([one.name, reason] if reason else row)
    columns = ["at once"] + [text for count in levels for text in (f"{count}: /s", "KiB each")]
    report.table(f"jails at once: launches a second and PSS of the launchers, as {who(user)}", columns, rows)


def throughput(host, user, report, quick):
    """Launches a second with several in flight: what a build server or a judge sees."""
    rows = []
    levels, count = ((1, 8), 100) if quick else ((1, 2, 8, 32), 500)
    for one in peers.light(host, user):
        reason = one.absent or host.refusal(one.argv, user)
        row = [one.name]
        for jobs in () if reason else levels:
            words = ["--jobs", str(jobs), "--count", str(count), "--", *one.argv]
            failures, nanoseconds = host.stopwatch(words, user).communicate()[0].split()
            row.append(f"{count / int(nanoseconds) * 1e9:.0f}" if failures == "0" else "failed")
        rows.append([one.name, reason] if reason else row)
    columns = ["in flight", *(str(jobs) for jobs in levels)]
    report.table(f"launches a second, as {who(user)}", columns, rows)


def size(host, user, report, quick):
    """The binary: static, and how large without symbols."""
    if not os.path.exists(host.immure):
        report.table("binary", ["", ""], [["immure", "skipped: not built"]])
        report.bar("binary, stripped", 20, "MB", None)
        return
    stripped = host.scratch("binary") + "/immure"
    subprocess.run(["strip", "-o", stripped, host.immure], check=True)
    headers = subprocess.run(["readelf", "-lW", stripped], check=True, capture_output=True, text=True).stdout
    static = "INTERP" not in headers
    megabytes = os.stat(stripped)[stat.ST_SIZE] / 2**20
    report.table("binary", ["", "MB stripped", "static"], [["immure", f"{megabytes:.1f}", "yes" if static else "NO"]])
    report.bar("binary, stripped", 20, "MB", megabytes)
    report.bar("binary needs a loader", 0, "", 0 if static else 1)


def launches(host, directory, specs):
    """A candidate for each spec, by name."""
    made = []
    for name, text in specs.items():
        path = os.path.join(directory, name.replace(" ", "-") + ".toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        made.append(peers.candidate(name, host.immure, ["run", path, "--"], [peers.COMMAND]))
    return made


def overlay(host, user, report, quick):
    """What a thrown-away overlay of the directory that the command works in adds to a launch, in the processor's time."""
    place, directory = host.scratch("source", user), host.scratch("specs")
    os.chmod(directory, 0o755)
    if peers.is_root(user):
        os.chown(place, 65534, 65534)  # the command's user: nothing has to be told
    mounted = f'cwd = "{place}"\n[[mount]]\ntarget = "{place}"\n'
    specs = {
        "without": 'cwd = "/usr"\n',
        "bind": f'{mounted}source = "{place}"\n',
        "overlay": f'{mounted}type = "overlay"\nlower = ["{place}"]\n',
    }
    candidates = launches(host, directory, specs)
    by = named(candidates, host.time(candidates, user, 50 if quick else 500, ["--cpu"], budget=20000))
    plain = by["without"]
    rows = [[name, milliseconds(one.median), milliseconds(one.median - plain.median)] if one.values and plain.values else [name, one.failure] for name, one in by.items()]
    report.table(f"an overlay of the current directory, as {who(user)}", ["", "processor ms", "more ms"], rows)
    got = (by["overlay"].median - plain.median) * 1000 if by["overlay"].values and plain.values else None
    report.bar(f"thrown-away overlay over none, {who(user)}", 0.25, "ms", got)


def landlock(host, user, report, quick):
    """What rules of Landlock add to a launch."""
    directory = host.scratch("landlock")
    os.chmod(directory, 0o755)
    specs = {
        "none": "",
        "a rule": '[landlock]\nrx = ["/"]\n',
        "six rules": '[landlock]\nrx = ["/usr", "/etc"]\nro = ["/proc", "/dev"]\nrw = ["/tmp", "/dev/null"]\n',
    }
    candidates = launches(host, directory, specs)
    by = named(candidates, host.time(candidates, user, 50 if quick else 500, budget=20000))
    plain = by["none"]
    rows = []
    for name, one in by.items():
        if one.values and plain.values:
            rows.append([name, milliseconds(one.median), milliseconds(one.p90), milliseconds(one.median - plain.median)])
        else:
            rows.append([name, one.failure])
    report.table(f"Landlock, as {who(user)}", ["rules", "launch ms", "p90 ms", "over none"], rows)


def seccomp(host, user, report, quick):
    """What the filter adds to a launch, and to a call that it allows; all in one run against the jail without it."""
    names = subprocess.run([host.immure, "syscalls", "@known"], check=True, capture_output=True, text=True)
    directory = host.scratch("seccomp")
    os.chmod(directory, 0o755)
    # Nearly all that is known, so that the command runs: the first 300 of it, and what it cannot do without.
    needed = ["read", "write", "rt_sigreturn", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "pread64", "openat"]
    listed = list(dict.fromkeys(needed + names.stdout.split()))[:300]
    specs = {
        "none": '[seccomp]\nprofile = "none"\n',
        "default": "",
        "allow list of 300": '[seccomp]\nprofile = "none"\ndefault = "EPERM"\nallow = ' + str(listed).replace("'", '"') + "\n",
    }
    candidates = launches(host, directory, specs)
    by = named(candidates, host.time(candidates, user, 50 if quick else 500, budget=20000))
    plain = by["none"]
    # Without a filter and with one of a single instruction: the kernel's own price, which no filter can go below.
    inside = [*candidates, peers.candidate("one instruction", host.immure, candidates[0].argv[1:], ["filter"])]
    costs = {}
    for _ in range(1 if quick else 5):
        for one in inside:
            for kind in ("call", "read"):
                words = (["read"] if kind == "read" else []) + (["filter"] if one.name == "one instruction" else [])
                argv = [host.immure, "run", "--set", f'filesystem.ro=["{host.call}:/opt/call"]', one.argv[2], "--", "/opt/call"]
                cost = host.number_of(argv + words, user)
                costs[one.name, kind] = min(cost, costs.get((one.name, kind), float("inf")))
    rows = []
    for one in inside:
        result = by.get(one.name)
        launch = ["-", "-"]
        if result and result.values and plain.values:
            launch = [milliseconds(result.median), milliseconds(result.median - plain.median)]
        cells = []
        for kind in ("call", "read"):
            cost, least = costs[one.name, kind], costs["none", kind]
            cells += [f"{cost / 1000:.1f}", ratio(cost, least)]
        rows.append([one.name, *launch, *cells])
    columns = ["profile", "launch ms", "over none", "getppid ns", "/ none", "a page ns", "/ none"]
    report.table(f"the filter of system calls, as {who(user)}", columns, rows)
    for name, bar in (("default", 0.15), ("allow list of 300", 0.4)):
        got = (by[name].median - plain.median) * 1000 if by[name].values and plain.values else None
        report.bar(f"filter {name} on the launch, {who(user)}", bar, "ms", got)
    for kind, words in (("call", "getppid"), ("read", "reading a page")):
        report.bar(f"an allowed call, {words}, {who(user)}", 1.05, "x", costs["default", kind] / costs["none", kind])
    least = costs["one instruction", "call"]
    report.bar(f"an allowed call over a filter of one instruction, {who(user)}", 1.05, "x", costs["default", "call"] / least)


def verify(host, user, report, quick):
    """What it costs to read everything back: against a launcher that is built without it, here and for nothing else."""
    project = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    static = subprocess.run(["make", "-s", "-C", project, "flags"], capture_output=True, text=True, check=True).stdout
    flags = [*static.split(), "-Xswiftc", "-DIMMURE_UNVERIFIED"]
    scratch = os.path.join(project, ".build-unverified")
    built = subprocess.run(["swift", "build", "--package-path", project, "--scratch-path", scratch, *flags],
                           capture_output=True, text=True, check=False)
    unverified = os.path.join(host.directory, "unverified")
    if built.returncode != 0:
        report.table(f"verification of a launch, as {who(user)}", ["", ""], [["", "skipped: " + built.stderr[-200:].strip()]])
        report.bar(f"verification of a launch, {who(user)}", 0.15, "ms", None)
        return
    if not os.path.exists(unverified):
        shutil.copy(os.path.join(scratch, "release/immure"), unverified)
        os.chmod(unverified, 0o755)
    candidates = [
        peers.candidate("verified", host.immure, ["run", "--"], [peers.COMMAND]),
        peers.candidate("not verified", unverified, ["run", "--"], [peers.COMMAND]),
    ]
    by = named(candidates, host.time(candidates, user, 100 if quick else 2000, budget=20000))
    plain, rows = by["not verified"], []
    for name, one in by.items():
        if one.values and plain.values:
            rows.append([name, milliseconds(one.median), milliseconds(one.p90), milliseconds(one.median - plain.median)])
        else:
            rows.append([name, one.failure])
    columns = ["launch", "median ms", "p90 ms", "over not verified"]
    report.table(f"verification of a launch, as {who(user)}", columns, rows)
    got = (by["verified"].median - plain.median) * 1000 if by["verified"].values and plain.values else None
    report.bar(f"verification of a launch, {who(user)}", 0.15, "ms", got)


# In the order in which they run; the last column says whether it is repeated as an ordinary user.
ALL = {
    "launch": (launch, True),
    "startup": (startup, True),
    "seccomp": (seccomp, True),
    "landlock": (landlock, True),
    "verify": (verify, True),
    "mounts": (mounts, True),
    "pins": (pins, True),
    "overlay": (overlay, True),
    "idle": (idle, True),
    "throughput": (throughput, True),
    "size": (size, False),
    "scale": (scale, True),
    "projects": (projects.projects, True),
    "learn": (learning.learn, True),
}
