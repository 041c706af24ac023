"""Every hint that the sources can print has a row in the catalogue, which names the test that follows it, or why none can."""

import ast
import re
from pathlib import Path

from cases import CASES
from templates import templates

TESTS = Path(__file__).resolve().parent.parent

#: Why a hint is not followed by any test of a machine like CI's; each with what is missing there.
REASONS = {
    "cannot: other kernel": "it needs a kernel of another version or configuration than any that the tests have",
    "cannot: boot": "it needs a boot with other parameters",
    "cannot: hardware": "it needs a device that no virtual machine of the tests has",
    "cannot: AppArmor": "it needs Ubuntu's AppArmor",
    "cannot: engine": "it needs docker or podman, which the tests do not install",
    "cannot: exhaustion": "it needs memory that has run out, which ends the test as well as the launch",
}


def rows(path=TESTS / "Hints/catalogue"):
    """template -> what follows it."""
    found, current = {}, None
    for line in path.read_text().splitlines():
        if line.startswith("    "):
            found[current].append(line.strip())
        elif line and not line.startswith("#"):
            current = line.removeprefix(r"\ ")
            assert current not in found, f"{current} comes twice"
            found[current] = []
    return found


def test_each_hint_of_the_sources_has_a_row():
    assert sorted(set(templates()) - set(rows())) == []


def test_each_row_is_a_hint_of_the_sources():
    assert sorted(set(rows()) - set(templates())) == []


def test_each_row_says_what_follows_it():
    wrong = []
    for template, tests in rows().items():
        for test in tests:
            path, _, function = test.partition("::")
            file = TESTS / path
            if test not in REASONS and not (
                function and file.is_file() and re.search(rf"^def {function}\(", file.read_text(), re.M)
            ):
                wrong.append(f"{template}: {test}")
        if not tests or len(tests) > 1 and any(test in REASONS for test in tests):
            wrong.append(f"{template}: {tests}")
    assert wrong == []


def test_a_test_that_follows_hints_names_them_as_they_are():
    """What it looks for in the messages is the template: a hint that is worded anew is not passed over."""
    wrong = []
    for template, tests in rows().items():
        for file in {test.partition("::")[0] for test in tests if "_hints" in test.partition("::")[0]}:
            constants = {node.value for node in ast.walk(ast.parse((TESTS / file).read_text())) if isinstance(node, ast.Constant)}
            if template not in constants:
                wrong.append(f"{template}: not in {file}")
    assert wrong == []


def test_a_row_that_names_the_table_has_a_case_of_it():
    table = "Hints/test_written.py::test_what_the_hint_says_ends_the_fault"
    named = {template for template, tests in rows().items() if table in tests}
    assert named == {case[0] for case in CASES}
