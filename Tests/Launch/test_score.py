"""score: how far a spec opens the jail, with its status for CI."""

import json
import re
import shutil
import subprocess

import pytest

from harness.must import needs

OPEN = """[filesystem]
rw = ["/srv/data"]
[network]
mode = "host"
"""


def test_the_empty_spec_is_closed(caller):
    assert caller.verb("score").ok.stdout == "the empty spec: 0.0 of 10, closed\n"
    spec = caller.spec("")
    assert caller.verb("score", str(spec), "--threshold", "0").ok.stdout == f"{spec}: 0.0 of 10, closed\n"


def test_each_exposure_has_its_weight_line_and_remedy(caller):
    lines = caller.verb("score", str(caller.spec(OPEN))).ok.stdout.splitlines()
    assert re.fullmatch(r".*spec\.toml: 2\.[0-9] of 10, ok", lines[0])
    assert re.fullmatch(r"  2\.0  .*spec\.toml:4:8: network\.mode: .*", lines[1])
    assert re.fullmatch(r"       narrower: \"none\".*", lines[2])
    assert re.fullmatch(r"  0\.5  .*spec\.toml:2:7: mount\.rw: /srv/data can be written to", lines[3])
    assert any(re.match(r" +4%  default: limits\.memory could narrow: ", line) for line in lines[5:])


@pytest.mark.parametrize(
    ("threshold", "status"), [("0", 1), ("2", 1), ("2.4", 0), ("2.3", 1), ("3", 0), ("10", 0), ("10.0", 0)]
)
def test_a_threshold_is_a_status(caller, threshold, status):
    run = caller.verb("score", "--threshold", threshold, str(caller.spec(OPEN)))
    assert run.status == status and run.stderr == "", run


@pytest.mark.parametrize("threshold", ["", "x", "-1", "10.1", "11", "1.55", "1.", ".5", "1e1", "NaN", "+1"])
def test_a_threshold_that_is_none(caller, threshold):
    run = caller.verb("score", f"--threshold={threshold}", str(caller.spec(OPEN)))
    assert run.status == 2 and "threshold" in run.stderr and run.stdout == "", run


def test_json(caller):
    spec = caller.spec(OPEN)
    (score,) = json.loads(caller.verb("score", "--json", str(spec)).ok.stdout)
    assert score["spec"] == str(spec) and score["score"] == 2.4 and score["word"] == "ok"
    assert [exposure["id"] for exposure in score["exposures"]] == ["network.mode", "mount.rw"]
    for exposure in score["exposures"]:
        assert set(exposure) == {"id", "weight", "what", "position", "narrower"} and exposure["weight"] > 0
    assert score["exposures"][0]["position"]["line"] == 4
    assert {narrowing["in_force"] for narrowing in score["narrowings"]} == {False}


def test_many_specs_and_one_that_is_wrong(caller):
    good, wrong = caller.spec(OPEN), caller.file(caller.directory() / "wrong.toml", "wat = 1\n")
    run = caller.verb("score", "--threshold", "0", str(good), str(wrong))
    assert run.status == 2 and "2.4 of 10" in run.stdout and "wrong.toml:1:1" in run.stderr, run
    run = caller.verb("score", "--json", str(wrong), str(good))
    assert run.status == 2 and len(json.loads(run.stdout)) == 1


def test_overrides_count(caller):
    spec = str(caller.spec(OPEN))
    run = caller.verb("score", spec, "--set", 'network.mode="none"', "--set", "filesystem.rw=[]").ok
    assert "0.0 of 10, closed" in run.stdout
    assert "--set:1:" in caller.verb("score", "--set", 'filesystem.dev="host"').ok.stdout


@pytest.mark.parametrize("line", ['filesystem.rw = ["~"]', 'filesystem.rw = ["~/.ssh:/ssh"]'])
def test_the_home_is_more_than_a_directory(user, line):
    (score,) = json.loads(user.verb("score", "--json", str(user.spec(line))).ok.stdout)
    assert score["score"] >= 3


def test_it_needs_nothing_and_touches_nothing(user):
    needs(shutil.which("strace"), "use strace")
    log = user.open_directory() / "log"
    calls = "mount,unshare,clone,clone3,fork,vfork,setns,mkdir,mkdirat,unlink,unlinkat,rename,renameat2,symlinkat"
    words = ["strace", "-f", "-qq", "-o", log, "-e", f"trace={calls},openat", user.binary, "score", str(user.spec(OPEN))]
    assert user.finish(user.popen(words), timeout=20).status == 0
    seen = [line for line in log.read_text().splitlines() if "openat(" not in line or re.search(r"O_(CREAT|WR|RDW)", line)]
    assert seen == []


def test_the_examples_have_scores_that_can_be_defended(caller, binary):
    from pathlib import Path

    examples = sorted((Path(__file__).resolve().parents[2] / "Examples").glob("*.toml"))
    scores = {
        score["spec"].rsplit("/", 1)[-1]: score["score"]
        for score in json.loads(
            subprocess.run(
                [binary, "score", "--json", *examples], cwd="/srv", stdout=subprocess.PIPE, text=True, check=True
            ).stdout
        )
    }
    assert len(scores) == len(examples)
    assert scores["static.toml"] < scores["c-build.toml"] < scores["nginx.toml"] < scores["landlock.toml"]
    # The whole host with root's own ids is what that example is for, and says.
    assert scores.pop("whole-host.toml") > 9
    # An init takes what a machine has: namespaces, mounts, users and groups of its own.
    assert 7.5 < scores.pop("boot.toml") < 8.5
    assert scores["static.toml"] < 1 and max(scores.values()) < 7.5


def test_it_is_told_of(caller):
    for shell in ("bash", "zsh", "fish"):
        script = caller.verb("completion", shell).ok.stdout
        assert "score" in script and "threshold" in script, shell
    page = caller.verb("manual", "1").ok.stdout
    assert "score [SPEC" in page and "threshold N" in page
    assert "score" in caller.verb("help").ok.stdout and "threshold" in caller.verb("help", "score").ok.stdout


def rated(caller, *lines):
    (score,) = json.loads(caller.verb("score", "--json", *(word for line in lines for word in ("--set", line))).ok.stdout)
    return score


@pytest.mark.parametrize(
    ("line", "least"),
    [
        ('identity.group="disk"', 5), ("identity.groups=[6]", 5), ('identity.group="shadow"', 2.5),
        ('identity.user="immure-test"', 1), ("identity.user=1001", 1), ('filesystem.root="host"', 8),
        ('namespaces.net="/proc/1/ns/net"', 2),
    ],
)  # fmt: skip
def test_what_is_the_hosts_weighs_however_it_is_written(caller, line, least):
    assert rated(caller, line)["score"] >= least


@pytest.mark.parametrize(
    ("opening", "more"),
    [
        ('namespaces.mount="host"', ['landlock.rwx=["/"]']),
        (
            'network.mode="host"',
            ['landlock.rwx=["/"]', 'limits.memory="8000G"', "limits.pids=4000000", 'filesystem.hide=["/nonexistent"]'],
        ),
        ('filesystem.root="host"', ["filesystem.proc=false"]),
    ],
)
def test_a_line_that_narrows_nothing_takes_nothing_off(caller, opening, more):
    assert rated(caller, opening, *more)["score"] == rated(caller, opening)["score"]


def test_processes_of_the_host_give_their_files_away(caller):
    alone = rated(caller, 'namespaces.pid="host"')
    both = rated(caller, 'namespaces.pid="host"', 'namespaces.user="host"')
    assert both["score"] > alone["score"] + 3 and "/proc/PID/root" in both["exposures"][0]["what"]
