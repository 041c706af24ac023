"""A directory that can become the root of a jail."""

import os
import stat

LINKS = ("bin", "sbin", "lib", "lib64")


def tree(caller, *directories):
    """An own tree with merged /usr: the host's /usr is to be bound into it, so that a shell runs there."""
    place = caller.directory()
    for name in ("usr", "etc", "dev", "proc", "tmp", "var", "run", *directories):
        path = place / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)
    for name in LINKS:
        (place / name).symlink_to("usr/" + name)
    (place / "etc/hostname").write_text("tree\n")
    for path in place.rglob("*"):
        caller.own(path)
    return place


def rooted(place, more="", mounts=""):
    """The spec of a jail in that tree. `more` are lines of [filesystem], `mounts` whatever comes after."""
    return f'[filesystem]\nroot = "{place}"\nro = ["/usr"]\n{more}\n{mounts}\n'


def files(place):
    """Names, kinds, modes and content below a directory; None for what has no content."""
    found = {}
    for root, directories, names in os.walk(place):
        for name in directories + names:
            path = os.path.join(root, name)
            state = os.lstat(path)
            content = None
            if stat.S_ISREG(state.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
            elif stat.S_ISLNK(state.st_mode):
                content = os.readlink(path)
            found[os.path.relpath(path, place)] = (oct(state.st_mode), content)
    return found


def photograph(place):
    """Everything below a directory: kind, mode, owner, content, change time."""
    found = {}
    for directory, names, files in os.walk(place):
        for name in [".", *names, *files]:
            path = os.path.join(directory, name)
            about = os.lstat(path)
            content = os.readlink(path) if os.path.islink(path) else None
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    content = file.read()
            found[path] = (
                about.st_mode,
                about.st_uid,
                about.st_gid,
                about.st_ino,
                about.st_mtime_ns,
                about.st_ctime_ns,
                content,
            )
    return found
