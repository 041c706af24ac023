"""Memory of launchers: PSS over every process between the harness and the command, the command itself left out."""

import os

COMMANDS = ("sleep", "sh", "dash", "bash")


def children():
    """Every process's children, from /proc/*/stat (the name in brackets may hold spaces)."""
    tree = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            tree.setdefault(parent, []).append(int(name))
    return tree


def is_command(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) in COMMANDS
    except OSError:
        return False


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def launchers(pids):
    """(bytes, processes) of these processes and all below them; bytes is None where the kernel does not tell us."""
    tree = children()
    total, count, waiting = 0, 0, list(pids)
    while waiting:
        pid = waiting.pop()
        waiting += tree.get(pid, [])
        if is_command(pid):
            continue
        count += 1
        try:
            total = None if total is None else total + pss(pid)
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            total = None
    return total, count
