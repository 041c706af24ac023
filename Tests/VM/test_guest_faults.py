"""The sweeps of Tests/Attacks over launches that set project quotas: many a host's kernel has none (CONFIG_QFMT_V2)."""

import os
import subprocess

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("sweep", ["each_call", "faked", "partial"])
def test_a_call_of_a_launch_with_project_quotas_fails_or_lies(binary, sweep):
    words = ["-q", "-rs", "-p", "no:cacheprovider", f"Tests/Attacks/test_fault_{sweep}.py", "-k", "limited and root"]
    done = subprocess.run(["/usr/bin/python3", "-m", "pytest", *words], capture_output=True, text=True, env={**os.environ, "IMMURE": str(binary)})
    assert done.returncode == 0 and " passed" in done.stdout and "SKIPPED" not in done.stdout, done.stdout[-6000:]
