"""Thirty programs, watched: in the jail of the spec that was learned, with and without Landlock, they do what they did outside."""

import shutil
import subprocess

import pytest

from harness.must import cannot

#: What is prepared outside, and what is learned.
PROGRAMS = {
    "cat": ("printf 'b\\na\\n' > in", "cat in"),
    "cp": ("mkdir a; echo x > a/f", "cp -a a b; cat b/f; rm -r b"),
    "sed": ("echo one > f", "sed -i s/one/two/ f; cat f; sed -i s/two/one/ f"),
    "awk": ("printf '1 2\\n3 4\\n' > in", "awk '{ s += $2 } END { print s }' in"),
    "grep": ("mkdir d; echo needle > d/f", "grep -r needle d"),
    "diff": ("echo a > a; echo b > b", "diff a b"),
    "sort": ("seq 2000 > in", "sort -rn in -o out; head -1 out; rm out"),
    "find": ("mkdir -p a/b/c; touch a/b/f", "find . -name f -o -type d | sort"),
    "xargs": ("touch a b", "ls | xargs -n1 echo got"),
    "tee": ("echo x > in", "cat in | tee out; rm out"),
    "gzip": ("seq 100 > in", "gzip -k -n in; gzip -dc in.gz | tail -1; rm in.gz"),
    "tar": ("mkdir d; echo x > d/f", "tar cf d.tar d; tar tf d.tar; rm d.tar"),
    "mktemp": ("echo x > in", "f=$(mktemp); cat in > $f; echo $f; cat $f; rm $f; echo $$"),
    "mkdir": ("true", "mkdir -p a/b; touch a/b/c; mv a/b/c a/d; find a; rm -r a"),
    "links": ("echo x > f; ln -s f l", "cat l; ln -s l m; readlink m; cat m; rm m"),
    "bash": ("echo x > in", "bash -c 'while read -r l; do echo \"$l\" >> log; done < in; cat log; rm log; exit 3'"),
    "perl": ("echo x > in", "perl -ne 'print uc' in"),
    "python3": ("echo 'import json, ssl, sqlite3; print(json.dumps([1]))' > p.py", "/usr/bin/python3 -B p.py"),
    "python3 -m": ("echo '{}' > in.json", "/usr/bin/python3 -B -m json.tool in.json"),
    "python3 sqlite": ("true", "/usr/bin/python3 -B -c \"import sqlite3; c = sqlite3.connect('db'); c.execute('create table t(a)'); c.commit(); print(1)\"; rm db"),
    "python3 servers": ("true", "/usr/bin/python3 -B -c \"import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()); print('met')\""),
    "python3 pool": ("true", "/usr/bin/python3 -B -c \"import multiprocessing as m; print(sum(m.Pool(2).map(abs, range(9))))\""),
    "gcc": ("printf '#include <stdio.h>\\nint main(void){puts(\"h\");return 7;}' > h.c", "gcc -o h h.c; ./h; echo $?; rm h"),
    "make": ("printf 'out: in\\n\\tcp in out\\n' > Makefile; echo x > in", "make; cat out; rm out"),
    "git status": ("git init -q . && echo x > f && git add f && echo y >> f", "git status --short"),
    "git commit": ("git init -q . && echo x > f && git add f", "git -c user.name=a -c user.email=a@b commit -qm x; git log --format=%s; git update-ref -d HEAD"),
    "git clone": ("git init -q a && cd a && echo x > f && git add f && git -c user.name=a -c user.email=a@b commit -qm x", "git clone -q a b; cat b/f; rm -rf b"),
    "node": ("echo 'console.log(require(\"fs\").readFileSync(\"in\",\"utf8\"))' > n.js; echo x > in", "node n.js"),
    "locale": ("true", "LC_ALL=C.UTF-8 date -d @0 -u; getent passwd root; nproc > /dev/null"),
    "home": ("mkdir -p .config/tool && echo x > .config/tool/set && echo y > .toolrc", "cat ~/.config/tool/set ~/.toolrc; mkdir -p ~/.cache/tool; echo z > ~/.cache/tool/c; cat ~/.cache/tool/c"),
}  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--tight",)], ids=["default", "tight"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_what_was_learned_is_enough(caller, program, options):
    first = program.split()[0]
    if first in ("gcc", "make", "git", "node", "perl") and not shutil.which(first, path="/usr/local/bin:/usr/bin:/bin"):
        cannot(f"run {first}: it is not installed")
    prepare, script = PROGRAMS[program]
    work, spec = caller.directory(), caller.directory() / "learned.toml"
    env = {"HOME": str(work)} if program == "home" else {}
    caller.finish(caller.popen(["/bin/sh", "-c", prepare], cwd=work, stderr=subprocess.STDOUT), 60).ok
    cwd = caller.directory() if program == "home" else work
    learned = caller.verb("learn", *options, "-o", str(spec), "--", "/bin/sh", "-c", script, cwd=cwd, timeout=60, env=env)
    assert learned.status == 0 and "note: verified: in the jail its status and output are" in learned.stderr, (learned, spec.read_text())
    assert ("[landlock]" in spec.read_text()) == bool(options)
