"""Servers of names that do not answer are told, whoever asks them: the jail's programs themselves, or its resolver."""

import json
from pathlib import Path

import pytest

from harness import lab, names
from harness.caller import PYTHON
from harness.names import network  # noqa: F401

USER = '[network]\nmode = "user"\n'
LIST = USER + 'allow = ["good.test:80", "*.good.test:80"]\n'
DEAD = "10.55.0.10"
NOBODY = "10.55.0.99"


zone = names.zone_beside()


@pytest.fixture
def silent(network):
    """A server that takes questions and says nothing."""
    with lab.running(SILENT, DEAD):
        yield


SILENT = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53))
print("up", flush=True)
while True: s.recv(4096)
"""


def asked(caller, spec, *questions):
    """What comes of questions, each the arguments of one, and what is told of the servers."""
    result = caller.directory() / "result.json"
    code = f"print(json.dumps([ask(*words) for words in {questions!r}]))"
    run = caller.run(spec, *PYTHON, names.ASK + code, options=["--result", str(result)], timeout=60)
    assert run.status == 0, run
    return json.loads(run.stdout), json.loads(result.read_text())["name_servers"], run.stderr


def servers(*addresses):
    return "dns = [" + ", ".join(f'"{address}"' for address in addresses) + "]\n"


def test_one_that_answers_is_not_told(caller, zone):
    answers, told, words = asked(caller, USER, ("good.test", 1, lab.RESOLVER), ("none.test", 1, lab.RESOLVER))
    assert answers == [[0, [names.GOOD]], [3, []]]
    assert told == [{"address": lab.RESOLVER, "asked": 2, "answered": 2}] and words == ""


def test_one_that_does_not_answer(caller, zone, silent):
    answers, told, words = asked(caller, USER + servers(DEAD), ("good.test", 1, DEAD, 1), ("good.test", 1, DEAD, 1))
    assert answers == [["TimeoutError", []]] * 2
    assert told == [{"address": DEAD, "asked": 2, "answered": 0}]
    assert f"network: {DEAD} did not answer 2 questions for names (dns, " in words and "spec.toml:3)" in words, words


def test_one_on_the_list_that_does_not_answer(caller, zone, silent):
    _, told, words = asked(caller, USER + f'allow = ["{DEAD}:53"]\n' + servers(DEAD), ("good.test", 1, DEAD, 1))
    assert told == [{"address": DEAD, "asked": 1, "answered": 0}]
    assert f"network: {DEAD} did not answer 1 question for names (dns, " in words, words


def test_one_that_may_not_be_asked(caller, zone, silent):
    """It is refused, and never asked."""
    _, told, words = asked(caller, USER + "allow = []\n" + servers(DEAD), ("good.test", 1, DEAD, 1))
    assert told == [{"address": DEAD, "asked": 0, "answered": 0}]
    assert f"network: {DEAD}:53/udp refused" in words and "did not answer" not in words, words


def test_one_of_the_hosts_that_does_not_answer(caller, network, silent):
    before = Path("/etc/resolv.conf").read_text()
    Path("/etc/resolv.conf").write_text(f"nameserver {DEAD}\noptions timeout:1 attempts:2\n")
    try:
        run = caller.run(USER, "getent", "hosts", "good.test", timeout=60)
    finally:
        Path("/etc/resolv.conf").write_text(before)
    assert run.status == 2 and f"network: {DEAD} did not answer " in run.stderr, run
    assert "questions for names (of the host's resolv.conf)" in run.stderr, run


def test_the_resolvers_server_does_not_answer(caller, zone, silent):
    answers, told, words = asked(caller, LIST + servers(DEAD), ("good.test",))
    assert answers == [[2, []]]
    assert told == [{"address": DEAD, "asked": 1, "answered": 0}], "asked three times, which is one question"
    assert f"network: {DEAD} did not answer 1 question for names (dns, " in words, words


def test_nobody_is_there(caller, zone):
    answers, told, words = asked(caller, LIST + servers(NOBODY), ("good.test",))
    assert answers == [[2, []]]
    assert told == [{"address": NOBODY, "asked": 1, "answered": 0}] and f"network: {NOBODY} did not answer 1 question" in words


def test_one_of_two_answers(caller, zone, silent):
    answers, told, words = asked(caller, LIST + servers(DEAD, lab.RESOLVER), ("good.test",))
    assert answers == [[0, [names.GOOD]]]
    assert told == [
        {"address": DEAD, "asked": 1, "answered": 0}, {"address": lab.RESOLVER, "asked": 1, "answered": 1}]
    assert f"network: {DEAD} did not answer 1 question for names" in words and lab.RESOLVER not in words, words


def test_the_command_gave_up_first(caller, zone, silent):
    answers, told, words = asked(caller, LIST + servers(DEAD), ("good.test", 1, "127.0.0.1", 0.3))
    assert answers == [["TimeoutError", []]] and told[0]["asked"] == 1
    assert f"network: {DEAD} did not answer 1 question" in words, words


@pytest.mark.parametrize("how", ["no options", "lost"])
def test_one_that_answers_when_it_is_asked_once_more(caller, zone, how):
    zone["good.test"] = {"A": [[names.GOOD, 5]], "how": how}
    answers, told, words = asked(caller, LIST, ("good.test",))
    assert answers == [[0, [names.GOOD]]] and words == ""
    assert told == [{"address": lab.RESOLVER, "asked": 1, "answered": 1}]


def test_most_are_answered(caller, zone):
    zone["slow.good.test"] = {"how": "silent"}
    questions = [("good.test",)] * 3 + [("slow.good.test",)]
    answers, told, words = asked(caller, LIST, *questions)
    assert [answer[0] for answer in answers] == [0, 0, 0, 2] and words == ""
    assert told == [{"address": lab.RESOLVER, "asked": 4, "answered": 3}]


def test_why_names_it(caller, zone, silent):
    code = names.ASK + f'ask("good.test", 1, "{DEAD}", 0.5); sys.exit(1)'
    run = caller.run(USER + servers(DEAD), *PYTHON, code, options=["--why"], timeout=60)
    assert run.status == 1 and f"network: {DEAD} did not answer 1 question" in run.stderr, run
