"""Debian's packages, fetched and unpacked where only a test finds them: nothing of the machine is changed."""

import os
import subprocess
from pathlib import Path

from .must import cannot

#: A run's own network leads nowhere: that of whoever has started it.
OUTSIDE = ["nsenter", f"--net=/proc/{os.getppid()}/ns/net"] if os.getuid() == 0 else []


def unpacked(names, place):
    """The packages of these names as one tree, `place`."""
    place.mkdir(mode=0o755)
    store = place.parent / f"{place.name}.debs"
    store.mkdir()
    done = subprocess.run([*OUTSIDE, "apt-get", "download", "-qq", *names], cwd=store, capture_output=True, text=True)
    if done.returncode != 0:
        cannot(f"download {' '.join(names)}: {done.stderr}")
    for package in sorted(store.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, place], check=True)
    return place


def source(name, place):
    """The source of a package as its authors have released it, of the release of Debian's that the machine has."""
    place.mkdir(mode=0o755)
    for part in ("lists/partial", "cache/archives/partial", "tree"):
        (place / part).mkdir(parents=True)
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)["VERSION_CODENAME"]
    known = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"], capture_output=True, text=True)
    mirrors = [line for line in known.stdout.splitlines() if line.rstrip("/").endswith("/debian")]
    if not mirrors:
        cannot(f"fetch the source of {name}: apt knows no mirror of Debian")
    (place / "sources").write_text(f"deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirrors[0]} {release} main\n")
    options = {
        "Dir::Etc::SourceList": place / "sources", "Dir::Etc::SourceParts": "-", "Dir::State::Lists": place / "lists",
        "Dir::Cache": place / "cache", "APT::Sandbox::User": "", "Acquire::Retries": "0",
    }  # fmt: skip
    apt = [*OUTSIDE, "apt-get", "-qq", *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    for words in (["update"], ["source", "--download-only", name]):
        done = subprocess.run([*apt, *words], cwd=place, capture_output=True, text=True)
        if done.returncode != 0:
            cannot(f"fetch the source of {name}: {done.stderr}")
    subprocess.run(["tar", "-xf", next(place.glob("*.orig.tar.*")), "--strip-components=1", "-C", place / "tree"], check=True)
    return place / "tree"
