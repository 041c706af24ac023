"""Each block of README.md ends with status 0 and prints what the README says it prints."""

import pytest
from conftest import CHECKOUT, blocks

TOUR = [block for block in blocks() if block.section != "Install"]


def test_install(installed):
    assert installed.returncode == 0, installed.stdout
    assert installed.stdout.splitlines()[-1].strip(), "the version is printed last"


def test_installed_files(installed, base):
    for path in (
        "bin/immure", "share/man/man1/immure.1", "share/man/man5/immure.toml.5",
        "share/bash-completion/completions/immure", "share/zsh/site-functions/_immure",
        "share/fish/vendor_completions.d/immure.fish",
    ):  # fmt: skip
        assert (base / ".local" / path).stat().st_size > 0, path


@pytest.mark.parametrize("block", TOUR, ids=lambda block: block.name)
def test_block(tour, block):
    status, output = tour[block.name]
    assert status == 0, f"{block.script}\n-- printed\n{output}"
    if block.expected is not None:
        assert output == block.expected


def test_links_lead_somewhere():
    import re

    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", (CHECKOUT / "README.md").read_text()):
        assert (CHECKOUT / target).exists(), target


def test_each_claim_names_tests_that_exist():
    """The table of the section on security: what holds a claim is a file of this checkout, and holds tests."""
    import re

    text = (CHECKOUT / "README.md").read_text()
    section = text[text.index("## Security") :].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert len(rows) > 8
    for row in rows:
        named = re.findall(r"\]\(([^)]+)\)", row)
        assert named, f"nothing holds: {row}"
        for path in named:
            place = CHECKOUT / path
            files = sorted(place.glob("*Tests.swift")) if place.is_dir() else [place]
            content = "".join(file.read_text() for file in files)
            marks = {".py": "def test_", ".swift": "@Test"}
            assert marks.get(files[0].suffix, "LLVMFuzzer" if "Fuzz.swift" in path else "#!") in content, path
