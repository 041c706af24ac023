"""check, plan, doctor, help, version, completions."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.must import needs
from harness.patience import patient

SPEC = """hostname = "cell"
[filesystem]
ro = ["/usr/share:/opt/share"]
hide = ["/etc/ssl"]

[[mount]]
target = "/scratch"
type = "tmpfs"

[rlimits]
core = 0
"""


def test_the_help_lists_the_manual(caller):
    assert re.search(r"^  manual .*man -l -", caller.verb("--help").ok.stdout, re.MULTILINE)
    assert "immure manual 1|5" in caller.verb("manual", "1").ok.stdout.replace("\\fB", "").replace("\\fR", "")


def test_plan_lists_operations_with_the_lines_they_come_from(caller):
    run = caller.verb("plan", str(caller.spec(SPEC)), "--", "/bin/true").ok
    for line in (1, 3, 4, 7, 11):
        assert re.search(rf"spec\.toml:{line}\b", run.stdout), (line, run)
    for word in ("cell", "/opt/share", "/etc/ssl", "/scratch", "core", "root", "/bin/true"):
        assert word in run.stdout, word


def test_plan_json_is_json_with_the_lines(caller):
    run = caller.verb("plan", "--json", str(caller.spec(SPEC)), "--", "/bin/true").ok
    plan = json.loads(run.stdout)
    text = json.dumps(plan)
    operations = plan if isinstance(plan, list) else next(value for value in plan.values() if isinstance(value, list))
    assert len(operations) > 10 and "spec.toml" in text and "/scratch" in text
    assert {1, 3, 7, 11} <= {
        value for value in re.findall(r'"line": (\d+)', text) for value in [int(value)]
    } or re.search(r"spec\.toml:7", text)


def test_plan_works_without_a_spec(caller):
    assert "/bin/true" in caller.verb("plan", "--", "/bin/true").ok.stdout


def test_plan_is_the_same_each_time(caller):
    spec = caller.spec(SPEC)
    assert len({caller.verb("plan", str(spec), "--", "/bin/true").ok.stdout for _ in range(3)}) == 1


def test_plan_of_a_faulty_spec_is_refused(caller):
    run = caller.verb("plan", str(caller.spec("wat = 1")), "--", "/bin/true")
    assert run.status in (2, 125) and "spec.toml:1:1" in run.stderr


@pytest.mark.parametrize("verb", ["plan", "check", "doctor"])
def test_verbs_that_only_tell_touch_nothing(caller, verb):
    needs(shutil.which("strace"), "use strace")
    words = {
        "plan": ["plan", str(caller.spec(SPEC)), "--", "/bin/true"],
        "check": ["check", str(caller.spec(SPEC))],
        "doctor": ["doctor"],
    }[verb]
    log = caller.open_directory() / "log"
    calls = "mount,umount2,move_mount,fsopen,fsmount,open_tree,mount_setattr,pivot_root,setns,chroot,sethostname,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,rename,renameat2,symlink,symlinkat,setresuid,capset,kill"
    if verb != "doctor":
        calls += ",unshare,clone,clone3,fork,vfork,execve"
    run = caller.finish(
        caller.popen(["strace", "-f", "-qq", "-o", log, "-e", "trace=" + calls, caller.binary, *words]), timeout=20
    )
    assert run.status == 0, run
    seen = [line for line in log.read_text().splitlines() if "execve(" not in line or caller.binary not in line]
    seen = [line for line in seen if "SIG" not in line.split("(")[0] and "+++" not in line and "---" not in line]
    if verb == "doctor":
        # It may try in a child what it has to know; nothing of the host may be changed.
        seen = [line for line in seen if re.search(r"(mkdir|mknod|unlink|rename|symlink|sethostname)", line)]
    assert seen == []
    written = [line for line in log.read_text().splitlines() if re.search(r"O_(CREAT|TRUNC)", line)]
    assert written == []


def test_plan_needs_no_privilege(user, compiled):
    user.wrapper = (compiled("shim"), "userns=1", "mount=1", "open_tree=1", "fsopen=1", "--")
    user.verb("plan", str(user.spec(SPEC)), "--", "/bin/true").ok


def test_the_plan_of_root_and_of_a_user_name_the_same_targets(root, user):
    targets = [
        set(
            re.findall(
                r"/(?:opt/share|scratch|etc/ssl|proc|tmp|dev)\b",
                who.verb("plan", str(who.spec(SPEC)), "--", "/bin/true").ok.stdout,
            )
        )
        for who in (root, user)
    ]
    assert targets[0] == targets[1]


def test_t42_c55_what_the_plan_says_is_what_the_jail_shows(caller):
    spec = caller.spec(SPEC)
    plan = caller.verb("plan", str(spec), "--", "/bin/true").ok.stdout
    facts = caller.facts(spec)
    for target in ("/opt/share", "/scratch", "/etc/ssl", "/proc", "/tmp"):
        assert target in plan and target in facts.mounts
    assert facts["hostname"] == "cell" and facts.limit("Max core file size") == ("0", "0")


def test_doctor_answers_section_by_section(caller):
    run = caller.verb("doctor", timeout=20)
    assert run.status in (0, 1)
    for word in ("user", "mount", "cgroup", "seccomp", "landlock", "overlay", "newuidmap"):
        assert word in run.stdout.lower(), word
    assert "\x1b" not in run.stdout


def test_doctor_json_is_json(caller):
    assert json.loads(caller.verb("doctor", "--json", timeout=20).stdout)


def test_doctor_sees_that_user_namespaces_are_refused(user, compiled):
    plain = user.verb("doctor").stdout
    user.wrapper = (compiled("shim"), "userns=1", "--")
    refused = user.verb("doctor").stdout
    assert refused != plain and re.search("EPERM|seccomp", refused)


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"], ["help", "run"], ["run", "--help"]])
def test_help_goes_to_standard_output(caller, words):
    run = caller.verb(*words).ok
    assert "immure" in run.stdout and ("run" in run.stdout) and run.stderr == ""


def test_the_version_is_a_number(caller):
    assert re.fullmatch(r"(immure )?\d+\.\d+\.\d+\S*\n", caller.verb("--version").ok.stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions(caller, shell):
    run = caller.verb("--generate-completion-script", shell).ok
    assert "doctor" in run.stdout and "plan" in run.stdout
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=run.stdout, text=True).returncode == 0


ASK_BASH = """
source /dev/stdin
COMP_WORDS=(%s "$@"); COMP_CWORD=$#; COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
_immure immure "${@: -1}" "${@: -2:1}"
printf '%%s\\n' "${COMPREPLY[@]}"
"""


def completions(caller, *words):
    script = caller.verb("completion", "bash").ok.stdout
    ask = ["bash", "-c", ASK_BASH % caller.binary, "bash", *words]
    return subprocess.run(ask, input=script, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("verb", ["run", "plan", "score"])
def test_keys_are_completed_after_set(user, verb):
    assert completions(user, verb, "--set", "process.t") == ["process.tty="]
    for key in ("command=", "filesystem.root=", "namespaces.time.boottime=", "mount=", "limits.io="):
        assert completions(user, verb, "--set", key[:-1]).count(key) == 1, key
    for key in ("extends", "mount.target", "seccomp.rule.call"):
        assert completions(user, verb, "--set", key) == []


def test_verbs_are_completed(user):
    assert completions(user, "sch") == ["schema"] and completions(user, "sysc") == ["syscalls"]


def test_nothing_at_all_is_answered_with_the_usage(caller):
    run = caller.verb()
    assert run.status in (0, 125) and "run" in run.stdout + run.stderr


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}])
def test_no_colour_where_there_is_no_terminal(caller, env):
    for words in (["doctor"], ["check", str(caller.spec("wat = 1"))], ["plan", "--", "/bin/true"]):
        run = caller.verb(*words, env={"TERM": "xterm-256color", **env}, timeout=20)
        assert "\x1b" not in run.stdout + run.stderr


def test_both_parsers_give_the_same_answer(caller):
    spec = caller.spec('[environment]\nset = { X = "1" }')
    ways = [
        [str(spec), "--", "/bin/sh", "-c", "echo $X-$0-$1", "a", "--b"],
        [str(spec), "--set", 'hostname="x"', "--", "/bin/sh", "-c", "echo $X-$0-$1", "a", "--b"],
        ["--set", 'hostname="x"', str(spec), "--", "/bin/sh", "-c", "echo $X-$0-$1", "a", "--b"],
    ]
    assert {caller.verb("run", *way).ok.stdout for way in ways} == {"1-a---b\n"}


def test_a_spec_named_like_a_verb_can_be_run_by_its_path(caller):
    place = caller.directory()
    caller.file(place / "plan", 'command = ["/bin/echo", "by path"]')
    run = caller.finish(caller.popen([caller.binary, "./plan"], cwd=place))
    assert run.ok.stdout == "by path\n"


def test_a_full_output_is_an_error(caller):
    with open("/dev/full", "w") as full:
        process = caller.popen([caller.binary, "plan", "--", "/bin/true"], stdout=full)
        _, err = process.communicate(timeout=patient(10))
    assert process.returncode != 0


def test_the_binary_is_static_and_not_setuid(binary):
    out = (
        subprocess.run(["file", "-L", str(binary)], capture_output=True, text=True).stdout
        if shutil.which("file")
        else ""
    )
    with open(binary, "rb") as file:
        head = file.read(64)
    assert head[:4] == b"\x7fELF"
    assert b"/ld-linux" not in open(binary, "rb").read(4096), "the binary asks for a loader"
    assert "dynamically" not in out


OVERLAY = 'command = ["/bin/ls", "/src"]\n[[mount]]\ntarget = "/src"\ntype = "overlay"\nlower = ["{}"]\n'


def test_c123_check_says_of_this_host_what_a_launch_would(caller):
    """Where it says nothing the launch succeeds, and what it says the launch says."""
    place = caller.directory()
    caller.file(place / "a")
    for path, words in ((place, None), (f"{place}/none", f"{place}/none "), ("/usr/share", "/usr/share belongs to uid 0")):
        if path == "/usr/share" and caller.is_root:
            words = None
        spec = caller.spec(OVERLAY.format(path))
        caller.verb("check", spec).ok
        check, run = caller.verb("check", "--host", spec), caller.run(spec)
        assert (check.status, run.status) == ((2, 125) if words else (0, 0)), (check, run)
        assert words is None or words in check.stderr and words in run.stderr and "spec.toml:" in check.stderr, check
    spec = caller.spec(OVERLAY.format(f"{place}/none") + "optional = true\n[network]\nmode = 'host'\n")
    assert caller.verb("check", "--host", "--json", spec).ok.stdout == "[]\n"


def test_c123_the_doctor_says_of_this_host_what_a_launch_would(caller, compiled):
    """Where the kernel refuses overlays, and where not."""
    place = caller.directory()
    for wrapper, state, status in (((), "ok", 0), ((compiled("shim"), "fsopen=19", "--"), "absent", 125)):
        caller.wrapper = wrapper
        findings = json.loads(caller.verb("doctor", "--json", timeout=30).stdout)
        [overlay] = [each for each in findings if each["name"] == "overlay"]
        run = caller.run(caller.spec(OVERLAY.format(place)))
        assert (overlay["state"], run.status) == (state, status), (overlay, run)
        assert not wrapper or "ENODEV" in overlay["detail"] and "modprobe overlay" in overlay["remedy"], overlay
    caller.wrapper = ()


def test_check_takes_what_a_launch_is_given(caller):
    """Settings and variables, for each of the files; a spec of a service refers to what its manager sets."""
    spec = caller.spec('[filesystem]\nrw = ["${STATE_DIRECTORY}:/data"]\n')
    first = caller.verb("check", spec)
    assert first.status == 2 and "STATE_DIRECTORY is not set" in first.stderr and "--env STATE_DIRECTORY=DIRECTORY" in first.stderr, first
    assert caller.verb("check", "--env", "STATE_DIRECTORY=/tmp", spec).ok.stderr == ""
    caller.verb("check", "--host", "--env", "STATE_DIRECTORY=/tmp", spec).ok
    lost = caller.verb("check", "--host", "--env", "STATE_DIRECTORY=/tmp/immure-none", spec)
    assert lost.status == 2 and "/tmp/immure-none" in lost.stderr, lost
    assert caller.verb("check", "--env", "STATE_DIRECTORY", spec).status == 2
    plain = caller.spec("", "plain.toml")
    assert caller.verb("check", "--set", 'hostname="a b"', plain).status == 2 and "--set:1" in caller.verb("check", "--set", 'hostname="a b"', plain).stderr
    caller.verb("check", "--set", 'hostname="ab"', plain, plain).ok
    both = caller.verb("check", "--set", 'seccomp.profile="none"', "--set", "limits.wrong=1", "--json", plain, plain)
    assert both.status == 2 and both.stdout.count("unknown key") == 2, both


def test_check_of_the_services_of_the_examples(caller):
    given = [word for name in ("STATE", "RUNTIME", "CACHE", "LOGS") for word in ("--env", f"{name}_DIRECTORY=/var/lib/x")]
    specs = [caller.file(caller.base / path.name, path.read_text()) for path in sorted((Path(__file__).parents[2] / "Examples/systemd").glob("*.toml"))]
    assert len(specs) > 3
    caller.verb("check", *given, "--env", "INSTANCE=one", *map(str, specs)).ok


def test_a_sentence_with_full_stops_within_is_told_whole(caller):
    run = caller.verb("check")
    assert (run.status, run.stderr) == (2, "immure: missing expected argument '<spec> ...'\nhint: see immure help\n"), run
