"""agent.toml: a project may be changed, but nothing that git executes outside."""

import os
import subprocess

import pytest
from inside import closed, look


@pytest.fixture
def project(caller, work, tool):
    def git(*words):
        own = {} if os.getuid() != 0 else {"user": caller.inside, "group": caller.inside, "extra_groups": []}
        names = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
        subprocess.run([tool("git"), *names, *words], cwd=work, check=True, env={"HOME": "/nonexistent"}, **own)

    caller.file(work / "main.py", "print('old')\n")
    git("init", "-q")
    git("add", "main.py")
    git("commit", "-q", "-m", "old")
    return work


def test_changes_the_code_and_git_shows_it(caller, project):
    command = "echo \"print('new')\" >main.py && git diff --name-only && git log --format=%s && python3 main.py"
    done = caller.jail("agent.toml", "sh", "-ec", command, cwd=project)
    assert done.stdout == "main.py\nold\nnew\n"
    assert (project / "main.py").read_text() == "print('new')\n"


@pytest.mark.parametrize(
    "attempt",
    [
        "echo x >.git/hooks/pre-commit",
        "git config core.fsmonitor ./evil",
        "echo ../evil >.git/commondir",
        "mv .git aside",
        "rm -r .git/hooks",
        "chmod 777 .git",
        "ln -sfn evil .git/hooks",
    ],
)
def test_what_git_executes_stays(caller, project, attempt):
    def tree():
        return sorted((str(path), path.lstat().st_mode) for path in (project / ".git").rglob("*"))

    before, config = tree(), (project / ".git/config").read_text()
    done = caller.jail("agent.toml", "sh", "-c", attempt, cwd=project, status=None)
    # 125 would be immure's own: the attempt must have been made, and refused by the kernel.
    assert done.returncode not in (0, 125), done.stderr
    assert "Read-only file system" in done.stderr or "busy" in done.stderr
    assert tree() == before and (project / ".git/config").read_text() == config


def test_without_git(caller, work):
    """None can be made, and what stays is an empty directory that is not a repository."""
    caller.jail("agent.toml", "sh", "-c", "echo x >made; ! git init -q && ! rmdir .git && ! mv .git y", cwd=work)
    assert (work / "made").read_text() == "x\n"
    assert list((work / ".git").iterdir()) == []


def test_closed(caller, project):
    closed(look(caller, "agent.toml", project), caller, writable={str(project)})
