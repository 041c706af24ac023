"""build.toml: whole builds without network, with a cache that the next build uses."""

import os
import subprocess

import pytest
from inside import closed, look

ANSWER = "int answer(void) { return 42; }\n"
MAIN = '#include <stdio.h>\nint answer(void);\nint main(void) { printf("%d\\n", answer()); return answer() != 42; }\n'


def output(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def source(caller, work):
    caller.file(work / "answer.c", ANSWER)
    caller.file(work / "main.c", MAIN)
    return work


def test_ccache_hits_at_the_second_run(caller, source, tool):
    tool("ccache")
    caller.file(source / "Makefile", "main: main.o answer.o\n\t$(CC) -o $@ $^\nclean:\n\trm -f main *.o\n")
    zero, statistics = ["ccache", "-z"], ["ccache", "--print-stats"]
    for hits in (0, 2):
        caller.jail("build.toml", *zero, cwd=source)
        caller.jail("build.toml", "make", "CC=ccache cc", "clean", "main", cwd=source)
        told = caller.jail("build.toml", *statistics, cwd=source).stdout
        counts = dict(line.split("\t") for line in told.splitlines())
        found = int(counts["direct_cache_hit"]) + int(counts["preprocessed_cache_hit"])
        if hits:
            assert found == hits, told
        assert output(source / "main") == "42\n"
    assert os.stat(caller.home / ".cache/immure-build").st_uid == caller.inside


CONFIGURE = """AC_INIT([answer], [1])
AM_INIT_AUTOMAKE([foreign])
AC_PROG_CC
AC_CHECK_FUNCS([getrandom])
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
"""
AUTOMAKE = "bin_PROGRAMS = main\nmain_SOURCES = main.c answer.c\ncheck_PROGRAMS = main\nTESTS = main\n"


def test_autotools_with_ccache(caller, source, tool):
    """From autoreconf to a release that builds from its own archive; ccache is asked for by CC, as configure takes it."""
    tool("autoreconf")
    tool("ccache")
    caller.file(source / "configure.ac", CONFIGURE)
    caller.file(source / "Makefile.am", AUTOMAKE)
    command = "autoreconf -i && ./configure CC='ccache cc' && make -j2 && make check && make distcheck && ls answer-1.tar.gz"
    done = caller.jail("build.toml", "sh", "-ec", command, cwd=source)
    assert "# PASS:  1" in done.stdout and done.stdout.endswith("\nanswer-1.tar.gz\n"), done
    assert output(source / "main") == "42\n"
    caller.jail("build.toml", "ccache", "-z", cwd=source)
    caller.jail("build.toml", "make", "clean", "main", cwd=source)
    told = caller.jail("build.toml", "ccache", "--print-stats", cwd=source).stdout
    counts = dict(line.split("\t") for line in told.splitlines())
    assert int(counts["direct_cache_hit"]) + int(counts["preprocessed_cache_hit"]) == 2, told


def test_rust(caller, work, tool):
    rustc = tool("rustc")
    caller.file(work / "main.rs", 'fn main() { println!("{}", (1..=6).sum::<i32>() * 2); }\n')
    caller.jail("build.toml", rustc, "-O", "main.rs", cwd=work)
    assert output(work / "main") == "42\n"


def test_node(caller, work, tool):
    """Modules, a worker, a child process, and a server that answers itself: what a build's tools do."""
    node = tool("node")
    caller.file(work / "answer.mjs", "export const answer = () => 42\n")
    text = """import { answer } from './answer.mjs'
import { execFileSync } from 'node:child_process'
import { createServer, request } from 'node:http'
import { Worker } from 'node:worker_threads'
const child = execFileSync(process.execPath, ['-p', '6*7']).toString().trim()
const server = createServer((_, reply) => reply.end(child)).listen(0, '127.0.0.1', () =>
  request({ port: server.address().port }, (reply) => reply.on('data', (data) =>
    new Worker(`require('node:worker_threads').parentPort.postMessage(${answer()})`, { eval: true }).on('message', (told) => {
      console.log(`${data} ${told}`)
      server.close()
    }))).end())
"""
    caller.file(work / "main.mjs", text)
    assert caller.jail("build.toml", node, "main.mjs", cwd=work).stdout == "42 42\n"


def test_a_worktree_of_git(caller, source, tool):
    """The main repository is elsewhere, and closed: what git says inside is that it is missing, and the build goes on."""
    tool("git")
    git = "git -c user.name=x -c user.email=x"
    script = f"git init -q main && cd main && {git} commit -q --allow-empty -m x && git tag one && git worktree add -q ../tree"
    caller.run("sh", "-ec", script, cwd=source)
    tree = source / "tree"
    for place in [tree, *source.rglob("*")]:
        caller.own(place)
    caller.file(tree / "Makefile", "version: .git\n\tgit describe --always --all >$@ || echo none >$@\n")
    caller.jail("build.toml", cwd=tree)
    assert (tree / "version").read_text() == "none\n"
    (tree / "version").unlink()
    # As the example says: the repository to read.
    opened = f'filesystem.ro=["{source}/main/.git"]'
    caller.run("immure", "run", "--set", opened, caller.spec("build.toml"), cwd=tree)
    assert (tree / "version").read_text() == "tags/one\n"


def test_cmake_and_ctest(caller, source, tool):
    tool("cmake")
    text = "cmake_minimum_required(VERSION 3.10)\nproject(answer C)\nenable_testing()\n"
    text += "add_executable(main main.c answer.c)\nadd_test(NAME answer COMMAND main)\n"
    caller.file(source / "CMakeLists.txt", text)
    command = "cmake -B out >/dev/null && cmake --build out >/dev/null && cd out && ctest"
    done = caller.jail("build.toml", "sh", "-ec", command, cwd=source)
    assert "100% tests passed, 0 tests failed out of 1" in done.stdout
    assert output(source / "out/main") == "42\n"


def test_go_with_the_net_package(caller, work, tool):
    """Without VCS stamping and without a module proxy; the second build takes its packages from the cache."""
    tool("go")
    caller.file(work / "go.mod", "module answer\n\ngo 1.19\n")
    text = 'package main\n\nimport (\n\t"fmt"\n\t"net/http"\n)\n\nfunc main() { fmt.Println(http.StatusText(418)) }\n'
    caller.file(work / "main.go", text)
    caller.jail("build.toml", "go", "build", "-o", "answer", ".", cwd=work)
    assert output(work / "answer") == "I'm a teapot\n"
    done = caller.jail("build.toml", "go", "build", "-x", "-o", "again", ".", cwd=work)
    assert "/compile " not in done.stderr and "http" in done.stderr


SETUP = """from setuptools import Extension, setup
setup(name="answer", version="1", py_modules=[], ext_modules=[Extension("answer", ["module.c"])])
"""

MODULE = """#include <Python.h>
static PyObject *get(PyObject *self, PyObject *none) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"get", get, METH_NOARGS, ""}, {0}};
static struct PyModuleDef answer = {PyModuleDef_HEAD_INIT, "answer", "", -1, methods};
PyMODINIT_FUNC PyInit_answer(void) { return PyModule_Create(&answer); }
"""


def test_python_sdist_with_an_extension(caller, work, tool):
    """From the sdist that it made itself, with the host's setuptools: nothing is fetched."""
    python = tool("python3")
    caller.file(work / "setup.py", SETUP)
    caller.file(work / "module.c", MODULE)
    command = f"{python} setup.py -q sdist && cd dist && tar -xf answer-1.tar.gz && cd answer-1 && {python} setup.py -q build"
    caller.jail("build.toml", "sh", "-ec", command, cwd=work)
    [built] = (work / "dist/answer-1/build").glob("lib.*")
    assert output(python, "-c", f"import sys; sys.path.insert(0, {str(built)!r}); import answer; print(answer.get())") == "42\n"


def test_java_archive(caller, work, tool):
    tool("javac")
    text = 'public class Answer { public static void main(String[] words) { System.out.println(42); } }\n'
    caller.file(work / "Answer.java", text)
    caller.jail("build.toml", "sh", "-ec", "javac Answer.java && jar cfe answer.jar Answer Answer.class", cwd=work)
    assert output("java", "-jar", work / "answer.jar") == "42\n"


def test_a_build_cannot_plant_a_hook(caller, work):
    caller.directory(work / ".git")
    caller.directory(work / ".git/hooks")
    caller.file(work / "Makefile", "all:\n\t-touch .git/hooks/pre-commit\n\t-mv .git aside\n\techo x >made\n")
    for spec in ("build.toml", "c-build.toml"):
        done = caller.jail(spec, cwd=work)
        assert done.stderr.count("ignored") == 2, done.stderr
        assert list((work / ".git").iterdir()) == [work / ".git/hooks"] and not any((work / ".git/hooks").iterdir())
        (work / "made").unlink()


def test_closed(caller, work):
    closed(look(caller, "build.toml", work), caller, writable={str(work), "/cache"})
