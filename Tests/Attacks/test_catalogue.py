"""The table of all classes of failures names tests that are there, and misses none of the classes."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
IDS = [f"C{n:02}" for n in range(1, 57)] + [f"T{n:02}" for n in range(1, 45)] + [f"L{n}" for n in range(1, 10)]


def rows():
    """id -> the tests below it."""
    found, current = {}, None
    for line in (TESTS / "Attacks/catalogue").read_text().splitlines():
        if line.startswith("    "):
            found[current].append(line.strip())
        elif line and not line.startswith("#"):
            current = line.split(":")[0]
            assert current not in found, f"{current} comes twice"
            found[current] = []
    return found


def test_every_class_has_its_tests():
    assert list(rows()) == IDS
    assert [name for name, tests in rows().items() if not tests] == []


def test_every_test_of_the_table_is_there():
    missing = []
    for name, tests in rows().items():
        for test in tests:
            path, _, function = test.partition("::")
            file = TESTS / path
            if not file.is_file() or function and not re.search(rf"^def {function}\(", file.read_text(), re.M):
                missing.append(f"{name}: {test}")
    assert missing == []


def test_every_id_in_the_name_of_a_test_is_one_of_the_table():
    strange = set()
    for path in TESTS.glob("*/test_*.py"):
        for function in re.findall(r"^def (test_\w+)", path.read_text(), re.M):
            for word in function.split("_"):
                if re.fullmatch(r"[ct]\d\d|l\d", word) and word.upper() not in IDS:
                    strange.add(f"{path.name}: {word}")
    assert strange == set()
