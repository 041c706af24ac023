"""A worktree of git: .git is a file that leads to the main repository (C124)."""

import shutil

import pytest

from harness.must import cannot


@pytest.fixture
def worktree(caller):
    if not shutil.which("git"):
        cannot("git is not installed")
    folder = caller.open_directory()
    script = """
        cd "$1" && git init -q main && cd main && git -c user.name=x -c user.email=x commit -q --allow-empty -m x &&
        git worktree add -q ../tree && git rev-parse --git-common-dir && chmod -R a+rwX ..
    """
    caller.finish(caller.popen(["sh", "-ec", script, "sh", folder])).ok
    return folder


@pytest.mark.parametrize("key", ["hide", "ro"])
def test_hooks_of_a_worktree_are_those_of_the_main_repository(caller, worktree, key):
    tree, main = worktree / "tree", worktree / "main"
    line = f'hide = ["{tree}/.git/hooks"]' if key == "hide" else f'ro = ["{tree}/.git/hooks"]'
    run = caller.run(f'[filesystem]\nrw = ["{tree}"]\n{line}', "true")
    assert run.status == 125 and "hint: .git is a file there, as in a worktree" in run.stderr, run
    found = caller.finish(caller.popen(["git", "-C", tree, "rev-parse", "--git-common-dir"])).ok.stdout.strip()
    assert found == f"{main}/.git"
    spec = f'[filesystem]\nrw = ["{tree}", "{found}"]\n{key} = ["{found}/hooks"]\n[environment]\nset = {{ GIT_CONFIG_COUNT = "1", ' \
        'GIT_CONFIG_KEY_0 = "safe.directory", GIT_CONFIG_VALUE_0 = "*" }'
    run = caller.shell(spec, f"cd {tree} && git status --short && (echo x >{found}/hooks/post-commit) 2>&1; echo $?")
    assert run.ok.stdout.endswith("\n2\n") or run.stdout.endswith("1\n") or "annot create" in run.stdout, run
