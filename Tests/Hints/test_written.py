"""Each hint about what is written is printed, then followed: the fault is gone."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from cases import CASES

BINARY = Path(os.environ.get("IMMURE", Path(__file__).resolve().parents[2] / ".build/release/immure"))


def matches(template, hint):
    """Whether a printed hint was made of the template."""
    return re.fullmatch(".*".join(re.escape(part) for part in template.split("{}")), hint, re.S) is not None


def check(folder, text):
    text, *profile = (text,) if isinstance(text, str) else text
    (folder / "spec.toml").write_text(text + "\n")
    if profile:
        (folder / "profile.json").write_text(*profile)
    (folder / "base.toml").touch()
    done = subprocess.run([BINARY, "check", "spec.toml"], cwd=folder, capture_output=True, text=True, timeout=30)
    return done, [line[6:] for line in done.stderr.splitlines() if line.startswith("hint: ")]


@pytest.mark.parametrize("template, before, after, words", CASES, ids=[f"{index}-{case[0]}" for index, case in enumerate(CASES)])
def test_what_the_hint_says_ends_the_fault(tmp_path, template, before, after, words):
    done, hints = check(tmp_path, before)
    assert done.returncode == 2, done
    printed = [hint for hint in hints if matches(template, hint)]
    assert printed, (template, done.stderr)
    # What the spec got is what the hint said.
    assert all(words in hint for hint in printed) and words in "".join(after), (words, printed)
    done, hints = check(tmp_path, after)
    assert not hints and done.returncode == 0, done
