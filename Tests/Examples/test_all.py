"""Every example: it is documented, tested, and a spec without fault."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "Examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_says_how_it_is_run_and_is_tested(name):
    text = (EXAMPLES / name).read_text()
    head = text.partition("command")[0]
    assert "immure" in head and head.count("\n#") >= 4
    assert any(f'"{name}"' in test.read_text() for test in Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_checks(caller, work, name):
    done = caller.run("immure", "check", caller.spec(name), cwd=work)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("name", NAMES)
def test_plans(caller, work, name):
    """Printed with the lines of the example, and nothing is touched: the places it names are not there."""
    # Ranges in /etc/subuid are an ordinary user's: root seldom has any, and is told so.
    text = (EXAMPLES / name).read_text()
    auto = ('uid_map = "auto"' in text or "boot = true" in text) and caller.name == "root"
    ranges = any(line.startswith("root:") for line in open("/etc/subuid"))
    status = 125 if auto and not ranges else 0
    if "[limits]" in (EXAMPLES / name).read_text():
        status = None  # what this host's cgroups cannot do is refused: see test_limited.py
    if "[network]" in (EXAMPLES / name).read_text():
        status = None  # nor is a network without a route, or the programs that it takes: see test_fetch.py, test_veth.py
    done = caller.run("immure", "plan", caller.spec(name), cwd=work, status=status)
    assert f"{name}:" in done.stdout + done.stderr
    assert list(work.iterdir()) == []
