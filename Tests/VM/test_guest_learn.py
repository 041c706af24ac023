"""`immure learn` on kernels other than the host's: Debian 12's own, 6.1, cannot have who waits and who answers run on one processor.
What is learned is enough all the same."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

TESTER = ["setpriv", "--reuid=1000", "--regid=1000", "--init-groups"]

#: What is prepared outside, and what is learned.
PROGRAMS = {
    "cat": ("printf 'b\\na\\n' > in", "cat in"),
    "sort": ("printf 'b\\na\\n' > in", "sort in -o out; cat out; rm out"),
    "files": ("true", "mkdir -p a/b; echo x > a/b/c; mv a/b/c a/d; ln -s d a/l; cat a/l; find a | sort; rm -r a"),
    "python3": ("echo 'import json; print(json.dumps([1]))' > p.py", "/usr/bin/python3 -B p.py"),
    # As gcc does: programs of programs, and files with names that come and go.
    "pipeline": ("seq 100 > in", "f=$(mktemp); sed s/1/2/ in | tee $f | sort -n | tail -1; cat $f | wc -l; rm $f"),
    "gcc": ("printf 'int main(void){return 7;}' > h.c", "gcc -o h h.c; ./h; echo $?; rm h"),
}  # fmt: skip


@pytest.fixture(params=["root", "user"])
def who(request):
    return TESTER if request.param == "user" else []


@pytest.fixture
def work(who):
    places = [Path(tempfile.mkdtemp(dir="/srv")) for _ in range(2)]
    for place in places:
        place.chmod(0o755)
        if who:
            os.chown(place, 1000, 1000)
    return places


def run(who, *words, cwd):
    # HOME as a login has it: setpriv(1) leaves that of root.
    environment = {**os.environ, "HOME": "/home/tester"} if who else dict(os.environ)
    return subprocess.run([*who, *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=240, env=environment)


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_was_learned_is_enough(binary, who, work, program):
    if program == "gcc" and not shutil.which("gcc"):
        pytest.skip("the guest has no gcc")
    prepare, script = PROGRAMS[program]
    cwd, specs = work
    assert run(who, "sh", "-c", prepare, cwd=cwd).returncode == 0
    plain = run(who, "sh", "-c", script, cwd=cwd)
    learned = run(who, binary, "learn", "-o", specs / "s.toml", "--", "sh", "-c", script, cwd=cwd)
    assert learned.returncode == 0 and "note: verified: in the jail its status and output are" in learned.stderr, learned
    inside = run(who, binary, "run", specs / "s.toml", cwd=cwd)
    assert (inside.returncode, inside.stdout, inside.stderr) == (plain.returncode, plain.stdout, plain.stderr)


def test_calls_are_seen(binary, who, work):
    cwd, specs = work
    (cwd / "in").write_text("x\n")
    learned = run(who, binary, "learn", "--no-verify", "-o", specs / "s.toml", "--", "sh", "-c", "cat in > /dev/null; cat nowhere", cwd=cwd)
    assert learned.returncode == 0, learned
    assert f"read\t{cwd}/in\t" in (specs / "s.toml.seen").read_text()
    # A call for each of three programs at the least.
    assert int(learned.stderr.split(" calls seen")[0].split()[-1]) > 10


def test_another_root_is_followed(binary, who, work):
    if who:
        pytest.skip("only root has chroot(2)")
    cwd, specs = work
    (cwd / "etc").mkdir(exist_ok=True)
    (cwd / "etc/hostname").write_text("x\n")
    code = "import os, sys; os.chroot(sys.argv[1]); open('/etc/hostname').close()"
    learned = run([], binary, "learn", "--no-verify", "-o", specs / "s.toml", "--", "/usr/bin/python3", "-c", code, cwd, cwd=specs)
    assert learned.returncode == 0, learned
    seen = (specs / "s.toml.seen").read_text()
    assert f"read\t{cwd}/etc/hostname\t" in seen and "\t/etc/hostname\t" not in seen
