"""Strict: every fault of a spec names file, line and column, all in one go, and nothing is touched (C53, T40)."""

import json
import os
import re
import time

import pytest

from harness.patience import Spent, patient
from harness.toml import line_of

# What is wrong, and what the message must show besides its line. `@` marks the line of the fault.
TABLE = {
    "unknown key": ("comand = ['x'] # @", ["comand", "command"]),
    "unknown table": ("[filesystm] # @\nro = []", ["filesystm", "filesystem"]),
    "unknown key in a table": ("[process]\nno_new_priv = true # @", ["no_new_priv", "no_new_privs"]),
    "unknown capability": ("[capabilities]\nkeep = ['net_bindservice'] # @", ["net_bindservice", "net_bind_service"]),
    "unknown namespace": ("[namespaces]\nnetwork = 'new' # @", ["network", "net"]),
    "unknown rlimit": ("[rlimits]\nnfile = 3 # @", ["nfile", "nofile"]),
    "unknown mount option": ("[[mount]]\ntarget='/x'\ntype='tmpfs'\noptions=['nosuidd'] # @", ["nosuidd", "nosuid"]),
    "unknown mount type": ("[[mount]]\ntarget='/x'\ntype='xfs' # @", ["xfs"]),
    "c34 fuse is no mount type": ("[[mount]]\ntarget='/x'\ntype='fuse.sshfs' # @", ["fuse.sshfs"]),
    "c34 options are no free text": (
        "[[mount]]\ntarget='/x'\ntype='tmpfs'\noptions=['nodev,context=x'] # @",
        ["nodev,context=x"],
    ),
    "unknown unit": ("[[mount]]\ntarget='/x'\ntype='tmpfs'\nsize='3Q' # @", ["3Q"]),
    "unknown dev": ("[filesystem]\ndev = 'full' # @", ["full", "minimal"]),
    "unknown tty": ("[process]\ntty = 'automatic' # @", ["automatic", "auto"]),
    "unknown syscall": ("[seccomp]\nallow = ['opennat'] # @", ["opennat"]),
    "a string for a number": ("[process]\nnice = 'high' # @", ["nice"]),
    "a number for a string": ("hostname = 3 # @", ["hostname"]),
    "a number for a boolean": ("[process]\ninit = 1 # @", ["init"]),
    "a string for a list": ("command = 'make -j4' # @", ["command"]),
    "a list with a number": ("command = ['make', 4] # @", ["command"]),
    "a table for a list": ("[command] # @", ["command"]),
    "size empty": ("[filesystem]\ntmp = '' # @", ["tmp"]),
    "size with rubbish": ("[filesystem]\ntmp = '123bogus' # @", ["123bogus"]),
    "size negative": ("[filesystem]\ntmp = '-12345678' # @", ["-12345678"]),
    "size with a space": ("[filesystem]\ntmp = ' 12345678' # @", ["12345678"]),
    "size 2^64": ("[filesystem]\ntmp = '18446744073709551616' # @", ["18446744073709551616"]),
    "size over 2^64 by its unit": ("[filesystem]\ntmp = '99999999999999T' # @", ["99999999999999T"]),
    "size over 2^63": ("[filesystem]\ntmp = '9223372036854775809' # @", ["9223372036854775809"]),
    "integer beyond TOML": ("[process]\nnice = 99999999999999999999 # @", []),
    "nice out of range": ("[process]\nnice = 20 # @", ["nice"]),
    "oom_score_adj out of range": ("[process]\noom_score_adj = -1001 # @", ["oom_score_adj"]),
    "duration without a unit": ("timeout = '10' # @", ["timeout"]),
    "duration negative": ("timeout = '-1s' # @", ["timeout"]),
    "duration beyond reason": ("timeout = '99999999999999999999h' # @", ["timeout"]),
    "rlimit soft over hard": ("[rlimits]\nnofile = '20:10' # @", ["nofile"]),
    "rlimit rubbish": ("[rlimits]\ncore = 'lots' # @", ["lots"]),
    "rlimit negative": ("[rlimits]\ncore = -1 # @", ["core"]),
    "umask not octal": ("[identity]\numask = '0928' # @", ["umask"]),
    "umask too large": ("[identity]\numask = '1777777' # @", ["umask"]),
    "mode not octal": ("[[mount]]\ntarget='/x'\ntype='dir'\nmode='rwx' # @", ["mode"]),
    "cpus rubbish": ("[process]\ncpus = '0-' # @", ["cpus"]),
    "cpus backwards": ("[process]\ncpus = '3-1' # @", ["cpus"]),
    "descriptor negative": ("[process]\nfds = [-1] # @", ["fds"]),
    "cwd relative": ("cwd = 'src' # @", ["cwd"]),
    "target relative": ("[[mount]]\ntarget='x' # @\ntype='tmpfs'", ["target"]),
    "target with ..": ("[[mount]]\ntarget='/x/../../y' # @\ntype='tmpfs'", [".."]),
    "target missing": ("[[mount]] # @\ntype='tmpfs'", ["target"]),
    "source missing": ("[[mount]] # @\ntarget='/x'\ntype='bind'", ["source"]),
    "size on a bind": ("[[mount]]\ntarget='/x'\ntype='bind'\nsource='/usr'\nsize='1M' # @", ["size"]),
    "content on a tmpfs": ("[[mount]]\ntarget='/x'\ntype='tmpfs'\ncontent='a' # @", ["content"]),
    "root relative word": ("[filesystem]\nroot = 'sytem' # @", ["sytem", "system"]),
    "unset variable": ("[filesystem]\nro = ['${IMMURE_NO_SUCH}/x:/x'] # @", ["IMMURE_NO_SUCH"]),
    "NUL in a string": ("hostname = 'a\\u0000b' # @".replace("'", '"'), ["hostname"]),
    "NUL in an argument": ('command = ["a\\u0000b"] # @', ["command"]),
    "NUL in a path": ('[filesystem]\nro = ["/usr\\u0000/x"] # @', []),
    "empty path": ("[filesystem]\nro = [''] # @", ["ro"]),
    "path too long": (f"[filesystem]\nro = ['/{'x/' * 2100}'] # @", []),
    "hostname too long": (f"hostname = '{'h' * 65}' # @", ["hostname"]),
    "environment name with =": ("[environment]\nset = { 'A=B' = 'c' } # @", ["A=B"]),
    "environment name empty": ("[environment]\nset = { '' = 'c' } # @", []),
    "uid -1": ("[identity]\nuser = '-1' # @", ["user"]),
    "uid 2^32-1": ("[identity]\nuser = '4294967295' # @", ["user"]),
    "uid integer 2^32-1": ("[identity]\nuser = 4294967295 # @", ["user"]),
    "uid hex": ("[identity]\nuser = '0x1' # @", ["0x1"]),
    "uid with a space": ("[identity]\nuser = '1 ' # @", ["user"]),
    "uid empty": ("[identity]\nuser = '' # @", ["user"]),
    "map count 0": ("[identity]\nuid_map = [{inside=0, outside=1000, count=0}] # @", ["count"]),
    "map negative": ("[identity]\nuid_map = [{inside=-1, outside=1000, count=1}] # @", ["inside"]),
    "map beyond 2^32": ("[identity]\nuid_map = [{inside=0, outside=4294967295, count=2}] # @", []),
    "map overlapping": (
        "[identity]\nuid_map = [{inside=0, outside=1000, count=5}, {inside=3, outside=9000, count=5}] # @",
        [],
    ),
    "map key unknown": ("[identity]\nuid_map = [{inside=0, outside=1000, size=1}] # @", ["size"]),
    "duplicate key": ("cwd = '/'\ncwd = '/tmp' # @", []),
    "duplicate table": ("[process]\nnice = 1\n[process] # @\ninit = true", []),
    "unclosed string": ("cwd = '/tmp # @", []),
    "unclosed list": ("command = ['a', # @", []),
    "no value": ("cwd = # @", []),
    "not TOML at all": ("this is not toml # @", []),
}


@pytest.mark.parametrize("name", TABLE)
def test_t40_a_fault_names_its_line_and_what_is_wrong(user, name):
    text, words = TABLE[name]
    spec = user.spec("# first line\n" + text.replace(" # @", "  "))
    line = 1 + line_of(text, "# @")
    begin = time.monotonic()
    run = user.verb("check", str(spec))
    assert time.monotonic() - begin < patient(1)
    assert run.status == 2 and run.stdout == "" or run.status == 2, run
    # The parser may see what is left open only at the end of the line, or of the file.
    lines = [line, line + 1] if name.startswith(("unclosed", "no value")) else [line]
    assert any(re.search(rf"spec\.toml:{number}:\d+: ", run.stderr) for number in lines), run
    for word in words:
        assert word in run.stderr, run


@pytest.mark.parametrize(
    "name", ["unknown key", "size with rubbish", "NUL in an argument", "not TOML at all", "unset variable"]
)
def test_t40_run_refuses_what_check_refuses(caller, name):
    spec = caller.spec(TABLE[name][0].replace(" # @", ""))
    checked = caller.verb("check", str(spec))
    run = caller.run(spec, "/bin/echo", "ran")
    assert checked.status == 2 and run.status == 125 and run.stdout == ""
    assert re.search(r"spec\.toml:\d+:\d+: ", run.stderr)


def test_all_faults_come_in_one_go(caller):
    text = "\n".join(
        TABLE[name][0].replace(" # @", "") for name in ("unknown key", "a number for a string", "duration negative")
    )
    text += "\n[process]\nnice = 'high'\ninnit = true\n[rlimits]\nnfile = 3\n"
    run = caller.verb("check", str(caller.spec(text)))
    lines = sorted({int(number) for number in re.findall(r"spec\.toml:(\d+):\d+: ", run.stderr)})
    assert run.status == 2 and lines == [1, 2, 3, 5, 6, 8]


def test_the_column_is_the_columns_of_the_fault(caller):
    run = caller.verb("check", str(caller.spec("   wat = 1\n[process]\n  nice =    'x'")))
    assert re.search(r"spec\.toml:1:4: ", run.stderr)
    assert re.search(r"spec\.toml:3:(3|13): ", run.stderr), run


def test_messages_are_lower_case_and_hold_one_line_each(caller):
    run = caller.verb("check", str(caller.spec("wat = 1\nhostname = 3")))
    for line in run.stderr.splitlines():
        assert re.match(r"(immure: )?(\S+:\d+:\d+: [^A-Z]|hint: )", line), line
        assert not line.endswith("."), line


def test_a_good_spec_passes_without_a_word(caller):
    spec = caller.spec('hostname = "x"\n[filesystem]\nro = ["/usr/share"]\n')
    run = caller.verb("check", str(spec)).ok
    assert run.stderr == ""


def test_several_specs_are_checked_at_once(caller):
    good, bad, worse = caller.spec(""), caller.spec("wat = 1", "bad.toml"), caller.spec("wit = 1", "worse.toml")
    run = caller.verb("check", str(good), str(bad), str(worse))
    assert run.status == 2 and "bad.toml:1:1" in run.stderr and "worse.toml:1:1" in run.stderr


def test_check_json_is_json(caller):
    run = caller.verb("check", "--json", str(caller.spec("wat = 1\nhostname = 3", "j.toml")))
    answer = json.loads(run.stdout)
    assert run.status == 2 and "j.toml" in json.dumps(answer) and "wat" in json.dumps(answer)
    good = caller.verb("check", "--json", str(caller.spec(""))).ok
    json.loads(good.stdout)


# Hostile files

HOSTILE = {
    "empty": (b"", True),
    "only a comment": (b"# nothing", True),
    "CRLF": (b'hostname = "x"\r\n[process]\r\nnice = 1\r\n', True),
    "BOM": (b'\xef\xbb\xbfhostname = "x"\n', True),
    "UTF-16": ('hostname = "x"\n'.encode("utf-16"), False),
    "NUL": (b'hostname = "x"\n\0\n', False),
    "bad UTF-8": (b'hostname = "\xff\xfe"\n', False),
    "only 0xFF": (b"\xff" * 4096, False),
    "surrogate": (b'hostname = "\xed\xa0\x80"\n', False),
    "depth 100000": (b"a = " + b"[" * 100_000 + b"]" * 100_000, False),
    "inline depth 100000": (b"a = " + b"{a=" * 100_000 + b"1" + b"}" * 100_000, False),
    "dotted depth 100000": (b".".join([b"a"] * 100_000) + b" = 1", False),
    "header depth 100000": (b"[" + b".".join([b"a"] * 100_000) + b"]", False),
    "many unknown keys": (b"".join(b"key%d = 1\n" % i for i in range(20_000)), False),
    "64 MB of comment": (b"#" * (64 << 20), False),
    "64 MB of string": (b'hostname = "' + b"x" * (64 << 20) + b'"', False),
    "10 MB of tables": (b"[[mount]]\n" * (1 << 20), False),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_t40_l8_a_hostile_file_is_answered_in_a_second_and_little_memory(user, name):
    content, good = HOSTILE[name]
    spec = user.spec(content)
    spent = Spent()
    begin = time.monotonic()
    process = user.popen([user.binary, "check", spec])
    peak = 0
    while process.poll() is None and time.monotonic() - begin < patient(5):
        try:
            peak = max(
                peak, *(int(n) for n in re.findall(r"VmHWM:\s+(\d+)", open(f"/proc/{process.pid}/status").read())), 0
            )
        except OSError:
            pass
        time.sleep(0.02)
    run = user.finish(process)
    seconds = spent.until_now()
    run.stderr = run.stderr[:500]
    assert run.status == (0 if good else 2), run
    assert good or "spec.toml" in run.stderr, run
    assert seconds < 2, f"{seconds:.1f} s of a processor"
    assert peak < 256 << 10, f"{peak >> 10} MB"


@pytest.mark.parametrize(
    "where", ["/dev/zero", "/dev/random", "/usr", "/dev/null/x", "/no/such/spec.toml", "x" * 300, "/" + "y/" * 3000, ""]
)
def test_l8_a_path_that_is_no_spec_is_named(user, where):
    begin = time.monotonic()
    run = user.verb("check", where)
    assert run.status == 2 and run.stderr != "", run
    assert time.monotonic() - begin < patient(1)
    ran = user.verb("run", where, "--", "/bin/echo", "ran")
    assert ran.status == 125 and ran.stdout == ""


def test_l8_a_fifo_is_refused_and_not_waited_for(caller):
    fifo = caller.directory() / "spec.toml"
    os.mkfifo(fifo)
    caller.own(fifo)
    begin = time.monotonic()
    assert caller.verb("check", str(fifo)).status == 2
    assert caller.run(fifo, "/bin/echo", "ran").status == 125
    assert time.monotonic() - begin < patient(2)


def test_l8_a_spec_that_may_not_be_read_is_named(user):
    spec = user.spec("")
    spec.chmod(0)
    run = user.verb("check", str(spec))
    assert run.status == 2 and "EACCES" in run.stderr and "spec.toml" in run.stderr


def test_l8_a_symlink_loop_is_named(user):
    place = user.directory()
    (place / "spec.toml").symlink_to("spec.toml")
    run = user.verb("check", str(place / "spec.toml"))
    assert run.status == 2 and "ELOOP" in run.stderr


# extends


def test_extends_merges_tables_appends_arrays_and_replaces_scalars(caller):
    place = caller.directory()
    caller.file(place / "base.toml", 'hostname = "base"\n[environment]\nset = { A = "1", B = "1" }\nkeep = ["KEPT"]\n')
    spec = caller.file(
        place / "spec.toml", 'extends = ["base.toml"]\n[environment]\nset = { B = "2" }\nkeep = ["KEPT2"]\n'
    )
    facts = caller.facts(spec, env={"KEPT": "k", "KEPT2": "l"})
    assert facts["hostname"] == "base"
    assert {name: facts.environ.get(name) for name in ("A", "B", "KEPT", "KEPT2")} == {
        "A": "1",
        "B": "2",
        "KEPT": "k",
        "KEPT2": "l",
    }


def test_a_fault_in_an_extended_file_names_that_file(caller):
    place = caller.directory()
    caller.file(place / "base.toml", "\n\nwat = 1")
    spec = caller.file(place / "spec.toml", 'extends = ["base.toml"]')
    assert re.search(r"base\.toml:3:1: ", caller.verb("check", str(spec)).stderr)


def test_a_missing_base_hides_no_other_fault(caller):
    place = caller.directory()
    caller.file(place / "base.toml", "wit = 1")
    text = """hostnam = "a"
extends = ["nope.toml", "base.toml", "gone.toml"]
[filesytem]
[limits]
memory = "lots"
[[seccomp.rule]]
call = "sockett"
action = "EPERM"
"""
    spec = caller.file(place / "spec.toml", text)
    for run, status in ((caller.verb("check", spec), 2), (caller.run(spec, "/bin/echo", "ran"), 125)):
        assert run.status == status and run.stdout == "", run
        for line in (1, 3, 5, 7):
            assert f"spec.toml:{line}:" in run.stderr, run
        assert "nope.toml" in run.stderr and "gone.toml" in run.stderr and "base.toml:1:1: " in run.stderr, run


def test_what_a_missing_base_may_have_is_not_missed(caller):
    text = """extends = ["nope.toml"]
[network]
allow = ["10.0.0.0/8:443/tcp"]
gateway = "10.9.0.1"
[capabilities]
effective = ["chown"]
[environment]
unset = ["LANG"]
[seccomp]
default = "allow"
allow = ["read"]
"""
    run = caller.verb("check", caller.spec(text))
    assert run.status == 2 and len(re.findall(r"spec\.toml:", run.stderr)) == 1 and "nope.toml" in run.stderr, run


RULES = """[[seccomp.rule]]
call = "sockett"
action = "EFOO"
args = [{index = 9, op = "~", value = "AF_NOPE"}]
[[seccomp.rule]]
call = "socket"
action = "EPERM"
args = [{index = 0, op = "==", value = "AF_NO"}, {index = 1, op = "==", value = "SOCK_NO"}]
[[seccomp.rule]]
call = "opennat"
action = "EPERM"
args = [{index = 2, op = "==", value = "O_NO"}]
[[seccomp.rule]]
call = "socket"
args = [{index = 1, op = "==", value = "SOCK_NEIN"}, {index = 1, op = "==", value = 99999999999}]
"""


def test_all_faults_of_a_rule_come_in_one_go(caller):
    run = caller.verb("check", caller.spec(RULES))
    assert run.status == 2, run
    for words in ("sockett", "EFOO", "index", '"~"', "AF_NOPE", "AF_NO", "SOCK_NO", "opennat", "O_NO", "has no action", "SOCK_NEIN", "99999999999"):
        assert words in run.stderr, (words, run)


@pytest.mark.parametrize("cycle", [["spec.toml"], ["a.toml"]])
def test_t40_a_cycle_of_extends_is_named(caller, cycle):
    place = caller.directory()
    caller.file(place / "a.toml", 'extends = ["spec.toml"]')
    spec = caller.file(place / "spec.toml", f'extends = ["{cycle[0]}"]')
    begin = time.monotonic()
    run = caller.verb("check", str(spec))
    assert run.status == 2 and re.search("circle|cycle", run.stderr) and re.search(r"\.toml:1:\d+", run.stderr), run
    assert time.monotonic() - begin < patient(1)


def test_t40_extends_that_doubles_at_each_step_stays_small(user):
    place = user.directory()
    user.file(place / "0.toml", 'command = ["x"]')
    for i in range(1, 26):
        user.file(place / f"{i}.toml", f'extends = ["{i - 1}.toml", "{i - 1}.toml"]')
    begin = time.monotonic()
    user.verb("check", str(place / "25.toml"))
    assert time.monotonic() - begin < patient(2)


def test_extends_of_a_missing_file_names_the_line(caller):
    run = caller.verb("check", str(caller.spec('\nextends = ["gone.toml"]')))
    assert run.status == 2 and re.search(r"spec\.toml:2:\d+: .*gone\.toml", run.stderr), run


def test_extends_of_a_device_is_refused(caller):
    begin = time.monotonic()
    assert caller.verb("check", str(caller.spec('extends = ["/dev/zero"]'))).status == 2
    assert time.monotonic() - begin < patient(1)


def test_the_order_of_the_file_means_nothing(caller):
    data = caller.directory()
    (data / "inner").mkdir()
    one = '[[mount]]\ntarget="/opt/a/b"\ntype="dir"\n[[mount]]\ntarget="/opt/a"\ntype="tmpfs"\n'
    two = '[[mount]]\ntarget="/opt/a"\ntype="tmpfs"\n[[mount]]\ntarget="/opt/a/b"\ntype="dir"\n'
    for text in (one, two):
        assert caller.shell(text, "ls -d /opt/a/b").ok.stdout == "/opt/a/b\n"
