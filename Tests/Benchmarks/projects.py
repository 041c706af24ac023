"""Whole builds in the jail of Examples/build.toml and outside of it: the ratio of the processor's time."""

import os
import shutil
import statistics
import subprocess
from dataclasses import dataclass, field

from host import HERE
from peers import who
from report import milliseconds

SPEC = os.path.join(os.path.dirname(os.path.dirname(HERE)), "Examples/build.toml")
# What the example sets for its command, for the build outside as well.
SETTINGS = {"GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local", "LANG": "C.UTF-8"}
BAR = 1.05


@dataclass
class Project:
    """Files, the command that builds them, and what must be installed for it."""

    name: str
    command: str
    tools: tuple
    files: dict = field(default_factory=dict)
    shown: tuple = ()  # directories of tools that are not below /usr


def c_files(count):
    """Sources that a compiler is busy with, and the headers of the C library in each."""
    body = "#include <math.h>\n#include <pthread.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n"
    for number in range(12):
        body += (
            f"static int f{number}(int *a, int n) {{\n    int s = 0;\n    for (int i = 0; i < n; i++)\n"
            f"        for (int j = i; j < n; j++) if (a[i] > a[j] + {number}) {{ int t = a[i]; a[i] = a[j]; a[j] = t; s += t % 7; }}\n"
            "    return s;\n}\n"
        )
    calls = " + ".join(f"f{number}(a, n)" for number in range(12))
    files = {f"part{number}.c": f"{body}int part{number}(int *a, int n) {{ return {calls}; }}\n" for number in range(count)}
    names = " + ".join(f"part{number}(a, 3)" for number in range(count))
    declared = "".join(f"int part{number}(int *, int);\n" for number in range(count))
    files["main.c"] = f"#include <stdio.h>\n{declared}int main(void) {{ int a[] = {{3, 1, 2}}; printf(\"%d\\n\", {names}); return 0; }}\n"
    return files


def c_project(name, command, tools, **more):
    files = c_files(30)
    objects = " ".join(path.replace(".c", ".o") for path in files)
    files["Makefile"] = f"CFLAGS = -O2\nmain: {objects}\n\t$(CC) -o $@ $^ -lm\n"
    return Project(name, command, tools, files, **more)


def autotools():
    checks = "\n".join(f"AC_CHECK_FUNCS([f{number}])\nAC_CHECK_HEADERS([h{number}.h])" for number in range(20))
    configure = f"AC_INIT([main], [1])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\n{checks}\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n"
    files = {
        "configure.ac": configure,
        "Makefile.am": "bin_PROGRAMS = main\nmain_SOURCES = main.c\n",
        "main.c": "int main(void) { return 0; }\n",
    }
    return Project("autoreconf, configure", "autoreconf -i && ./configure && make", ("autoreconf", "gcc"), files)


def shell_of_many_programs():
    """What a configure script is: programs that are over at once."""
    return Project("2,000 programs of a shell", "i=0; while [ $i -lt 2000 ]; do /bin/true; i=$((i + 1)); done", ("sh",))


def cargo():
    files = {
        "Cargo.toml": '[package]\nname = "main"\nversion = "1.0.0"\nedition = "2021"\n\n[workspace]\n\n[dependencies]\n'
        + "".join(f'part{number} = {{ path = "part{number}" }}\n' for number in range(6)),
        "src/main.rs": "fn main() { println!(\"{}\", " + " + ".join(f"part{n}::get()" for n in range(6)) + "); }\n",
    }
    body = "use std::collections::{BTreeMap, HashMap};\npub fn get() -> usize {\n    let mut m: HashMap<String, BTreeMap<usize, String>> = HashMap::new();\n"
    body += "    for n in 0..100usize { m.entry(format!(\"{}\", n % 7)).or_default().insert(n, format!(\"{n:?}\")); }\n"
    body += "    let mut v: Vec<_> = m.into_iter().collect();\n    v.sort();\n    v.iter().map(|(k, t)| k.len() + t.len()).sum()\n}\n"
    for number in range(6):
        files[f"part{number}/Cargo.toml"] = f'[package]\nname = "part{number}"\nversion = "1.0.0"\nedition = "2021"\n'
        files[f"part{number}/src/lib.rs"] = body
    return Project("cargo", "cargo build -q --offline --release", ("cargo", "rustc", "gcc"), files)


def go():
    text = 'package main\n\nimport (\n\t"fmt"\n\t"net/http"\n)\n\nfunc main() { fmt.Println(http.StatusText(418)) }\n'
    return Project("go", "go build -o main .", ("go",), {"go.mod": "module main\n\ngo 1.19\n", "main.go": text})


def java():
    def text(number):
        methods = "".join(f"    static int m{n}(int x) {{ return java.util.stream.IntStream.range(0, x).map(y -> y * {n}).sum(); }}\n"
                          for n in range(40))
        return f"public class C{number} {{\n{methods}}}\n"
    return Project("javac", "javac -d out *.java", ("javac",), {f"C{number}.java": text(number) for number in range(40)})


def maven():
    pom = ('<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>a</groupId>'
           "<artifactId>a</artifactId><version>1</version><properties><maven.compiler.source>17</maven.compiler.source>"
           "<maven.compiler.target>17</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>"
           "</properties></project>\n")
    files = {"pom.xml": pom} | {f"src/main/java/{path}": text for path, text in java().files.items()}
    plugins = "/usr/share/maven-repo/org/apache/maven/plugins/maven-surefire-plugin"
    command = "mvn -o -B -q -Dmaven.repo.local=/usr/share/maven-repo package"
    return Project("Maven", command, ("mvn", "javac", plugins), files)


def swift():
    found = shutil.which(os.environ.get("SWIFT", "swift")) or shutil.which("/opt/swift/usr/bin/swift") or "swift"
    home = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(found))))
    package = "// swift-tools-version:5.9\nimport PackageDescription\nlet package = Package(name: \"main\", targets: [.executableTarget(name: \"main\")])\n"
    parts = {
        f"Sources/main/Part{n}.swift": f"func part{n}() -> [String: Int] {{ Dictionary(grouping: (0..<100).map {{ \"\\($0 % {n + 2})\" }}, by: {{ $0 }}).mapValues {{ $0.count }} }}\n"
        for n in range(12)}
    main = "print(" + " + ".join(f"part{n}().count" for n in range(4)) + ")\n"
    return Project("SwiftPM", f"{home}/usr/bin/swift build", (found,), {"Package.swift": package, "Sources/main/main.swift": main, **parts},
                   shown=(home,) if home != "/" else ())


def python():
    files = {"setup.py": "from setuptools import Extension, setup\nsetup(name='main', version='1', py_modules=[], ext_modules=["
             + ", ".join(f"Extension('part{n}', ['part{n}.c'])" for n in range(6)) + "])\n"}
    for n in range(6):
        files[f"part{n}.c"] = (f"#include <Python.h>\nstatic struct PyModuleDef d = {{PyModuleDef_HEAD_INIT, \"part{n}\", \"\", -1, 0}};\n"
                               f"PyMODINIT_FUNC PyInit_part{n}(void) {{ return PyModule_Create(&d); }}\n")
    return Project("setuptools", "/usr/bin/python3 setup.py -q build", ("/usr/include/python3.11/Python.h", "gcc"), files)


def node():
    text = "let s = 0\nfor (let i = 0; i < 300; i++) s += new Function('x', `return ${'x*'.repeat(900)}1`)(i) % 7\nconst fs = require('fs')\n"
    text += "for (let i = 0; i < 8000; i++) { fs.writeFileSync('f' + i % 50, 'x'.repeat(1000)); s += fs.readFileSync('f' + i % 50).length; fs.statSync('f' + i % 50) }\nconsole.log(s)\n"
    return Project("node, files", "node main.js", ("node",), {"main.js": text})


def git():
    """Files, many, each looked at: what a build's tools ask of a tree."""
    files = {f"d{n % 40}/f{n}": f"{n}\n" for n in range(2000)}
    command = "git init -q . && git add . && git -c user.name=x -c user.email=x commit -qm x && git status && git gc -q"
    return Project("git of 2,000 files", command, ("git",), files)


ALL = (
    lambda: c_project("make, C", "make -s -j2", ("make", "gcc")),
    lambda: c_project("make, ccache that is empty", "make -s -j2 CC='ccache cc'", ("make", "gcc", "ccache")),
    autotools, shell_of_many_programs, cargo, go, java, maven, swift, python, node, git,
)


def missing(project):
    """The tools that are not there; one with a slash is a file."""
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    return [tool for tool in project.tools if not (os.path.exists(tool) if "/" in tool else shutil.which(tool, path=path))]


def owner(user):
    """Whose files the command can write: where root launches, it is nobody's."""
    return (user.uid, user.gid) if user else (65534, 65534) if os.getuid() == 0 else (os.getuid(), os.getgid())


def placed(host, project, user):
    """A new directory with the project's files, and one for its caches and its home, all of the command's user."""
    place = host.scratch("project")
    for name in ("tree", "home", "home/.cache", "cache"):
        os.mkdir(f"{place}/{name}")
    for name, text in project.files.items():
        path = f"{place}/tree/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    for root, folders, files in os.walk(place):
        for name in (*folders, *files):
            os.chown(f"{root}/{name}", *owner(user))
    os.chmod(place, 0o755)
    return place


def spent(host, project, user, jailed):
    """Seconds of the processor that one build takes, from a clean tree with empty caches, with all that it has started."""
    place = placed(host, project, user)
    tree, home, cache = (f"{place}/{name}" for name in ("tree", "home", "cache"))
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, "PWD": tree, "LANG": "C.UTF-8"}
    command = ["/bin/sh", "-ec", project.command]
    if jailed:
        shown = ["--set", "filesystem.ro=[" + ", ".join(f'"{path}"' for path in project.shown) + "]"] if project.shown else []
        # The cache where the example has it, of the caller's home, which is this one for the measurement.
        command = [host.immure, "run", *shown, SPEC, "--", *command]
    else:
        environment |= SETTINGS | {"XDG_CACHE_HOME": cache}
    uid, gid = owner(user) if not jailed else (user.uid, user.gid) if user else (os.getuid(), os.getgid())
    account = {"user": uid, "group": gid, "extra_groups": []} if os.getuid() == 0 else {}
    process = subprocess.Popen(command, cwd=tree, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, **account)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    shutil.rmtree(place)
    if process.returncode:
        raise RuntimeError(f"status {process.returncode}: " + "".join(errors.splitlines()[-1:]))
    return usage.ru_utime + usage.ru_stime


def paired(host, project, user, quick):
    """Seconds outside and inside, pair by pair, the first of each in turn: three pairs, and of short builds as many as fit in
    20 s, since one git of 2 s in ten takes 1.5 s where nothing else runs on the other half of its core."""
    spent(host, project, user, False)  # the page cache
    outside, inside = [], []
    while len(inside) < 3 or not quick and len(inside) < 15 and sum(outside + inside) < 20:
        for jailed in (False, True) if len(inside) % 2 else (True, False):
            (inside if jailed else outside).append(spent(host, project, user, jailed))
    return outside, inside


def projects(host, user, report, quick):
    """The median of the pairs' ratios: the least of each compares one quiet moment with the want of one."""
    rows = []
    for make in ALL:
        project = make()
        absent = missing(project)
        middle = None
        if absent:
            rows.append([project.name, "skipped: there is no " + ", ".join(absent)])
        else:
            try:
                outside, inside = paired(host, project, user, quick)
            except RuntimeError as failure:
                rows.append([project.name, str(failure)])
            else:
                middle = statistics.median(within / without for without, within in zip(outside, inside))
                times = [milliseconds(statistics.median(each)) for each in (outside, inside)]
                rows.append([project.name, *times, f"{middle:.2f}", len(inside)])
        report.bar(f"build by {project.name}, {who(user)}", BAR, "x", middle)
    report.table(f"builds in a jail, as {who(user)}", ["build", "outside ms", "inside ms", "/ outside", "pairs"], rows)
