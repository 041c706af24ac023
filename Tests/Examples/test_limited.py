"""limited.toml: in force where this host has the controllers, else refused by its lines. Tests/VM has what it does."""

import re


def test_in_force_or_refused(caller, work):
    (work / "test_it.py").write_text("import unittest\nclass T(unittest.TestCase):\n def test(self): print('ran')\n")
    caller.own(work / "test_it.py")
    words = ["immure", "run", caller.spec("limited.toml")]
    done = caller.run(*words, cwd=work, status=None)
    if done.returncode == 0:
        assert "ran\n" in done.stdout and "OK" in done.stderr
    else:
        assert done.returncode == 125 and done.stdout == ""
        assert re.search(r"limited\.toml:\d+:\d+: (limits\.\w+|\[limits\]): .*(not available|cgroup)", done.stderr)
        assert "hint: " in done.stderr
