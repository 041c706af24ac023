"""Commands watched by immure learn and not: the ratio of the time that they take."""

import os
import shutil
import statistics
import subprocess
import time

from peers import who
from report import milliseconds


def sources(count):
    """C files that are compiled and linked, and their Makefile."""
    names = [f"part{number}" for number in range(count - 1)]
    files = {f"{name}.c": f"#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint {name}(void) {{ return rand() % 7; }}\n" for name in names}
    declared = "".join(f"int {name}(void);\n" for name in names)
    files["main.c"] = f"#include <stdio.h>\n{declared}int main(void) {{ printf(\"%d\\n\", {' + '.join(name + '()' for name in names)}); return 0; }}\n"
    files["Makefile"] = "main: main.o " + " ".join(f"{name}.o" for name in names) + "\n\tcc -o $@ $^\n"
    return files


#: Files, what is done once, the command, the rounds, and the ratio that it must not exceed.
JOBS = {
    "gcc hello.c": ({"hello.c": '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'}, None, ["gcc", "-o", "hello", "hello.c"], 41, 1.5),
    "make of 4 files": (sources(4), None, ["make", "-B"], 15, 1.4),
    "git status of 2,000 files": (
        {f"d{number // 20}/f{number}": f"{number}\n" for number in range(2000)},
        "git init -q . && git add . && git -c user.name=a -c user.email=a@b commit -qm x && sleep 1.1 && git status --short",
        ["git", "status", "--short"], 101, 2.5),
}  # fmt: skip


def timed(command, place, account):
    """Seconds of the clock and of the processor, with all that it has started."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": place, "LANG": "C.UTF-8"}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=f"{place}/tree", env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, **account)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"status {process.returncode}: {command}")
    return wall, usage.ru_utime + usage.ru_stime


def placed(host, files, prepare, user, account):
    place = host.scratch("learn", user)
    os.chmod(place, 0o755)
    for name, text in files.items():
        path = f"{place}/tree/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    if user:
        subprocess.run(["chown", "-R", f"{user.uid}:{user.gid}", place], check=True)
    if prepare:
        timed(["/bin/sh", "-ec", prepare], place, account)
    return place


def learn(host, user, report, quick):
    """Pair by pair, the first of each in turn; nothing is verified, which would be two more runs."""
    account = {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}
    rows = []
    for name, (files, prepare, command, rounds, bar) in JOBS.items():
        middle = None
        if shutil.which(command[0]) is None:
            rows.append([name, f"skipped: there is no {command[0]}"])
        else:
            place = placed(host, files, prepare, user, account)
            watched = [host.immure, "learn", "--no-verify", "-o", f"{place}/spec.toml", "--", *command]
            plain, seen = [], []
            for number in range(5 if quick else rounds):
                for one, times in ((command, plain), (watched, seen))[:: 1 if number % 2 else -1]:
                    if os.path.exists(f"{place}/spec.toml"):
                        for ending in ("", ".seen"):
                            os.unlink(f"{place}/spec.toml{ending}")
                    times.append(timed(one, place, account))
            ratios = [statistics.median(b[kind] / a[kind] for a, b in zip(plain, seen)) for kind in (0, 1)]
            middle = ratios[0]
            rows.append([name, *(milliseconds(statistics.median(each[0] for each in times)) for times in (plain, seen)),
                         *(f"{one:.2f}" for one in ratios), len(seen)])
            shutil.rmtree(place)
        report.bar(f"learn {name}, {who(user)}", bar, "x", middle)
    report.table(f"commands that immure learn watches, as {who(user)}", ["command", "plain ms", "watched ms", "/ plain", "processor", "pairs"], rows)
