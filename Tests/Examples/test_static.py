"""static.toml: one file, and nothing else."""

import subprocess

import pytest

LOOK = r"""
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <net/if.h>
#include <unistd.h>
int main(int argc, char **argv) {
    DIR *root = opendir("/");
    if (!root) return 1;
    for (struct dirent *entry; (entry = readdir(root));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) printf("/%s\n", entry->d_name);
    printf("create: %s\n", open("/new", O_CREAT | O_WRONLY, 0600) < 0 ? strerror(errno) : "done");
    printf("change: %s\n", open("/program", O_WRONLY) < 0 ? strerror(errno) : "done");
    char name[IF_NAMESIZE];
    for (unsigned i = 1; i < 64; i++) if (if_indextoname(i, name)) printf("interface: %s\n", name);
    printf("uid: %d pid: %d arguments: %d\n", (int)getuid(), (int)getpid(), argc - 1);
    return 0;
}
"""


@pytest.fixture
def program(caller, work):
    caller.file(work / "program.c", LOOK)
    subprocess.run(["gcc", "-static", "-o", work / "program", work / "program.c"], check=True)
    caller.own(work / "program")
    return work


def test_alone(caller, program):
    lines = caller.jail("static.toml", cwd=program).stdout.splitlines()
    entries = [line for line in lines if line.startswith("/")]
    assert entries == ["/program"]
    assert "create: Read-only file system" in lines
    assert "change: Read-only file system" in lines or "change: Text file busy" in lines
    assert [line for line in lines if line.startswith("interface")] == ["interface: lo"]
    assert f"uid: {caller.inside} pid: " in lines[-1]


def test_arguments(caller, program):
    done = caller.jail("static.toml", "/program", "one", "two", cwd=program)
    assert done.stdout.endswith("arguments: 2\n")


def test_a_shell_from_debian(caller, work, tool):
    """A static bash finds nothing in the root but itself."""
    subprocess.run(["cp", tool("bash-static"), work / "program"], check=True)
    done = caller.jail("static.toml", "/program", "-c", "echo /*; /usr/bin/id", cwd=work, status=127)
    assert done.stdout == "/program\n"


def test_no_shell(caller, program):
    caller.jail("static.toml", "/bin/sh", "-c", "true", cwd=program, status=127)
