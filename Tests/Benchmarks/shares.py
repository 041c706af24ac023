#!/usr/bin/env python3
"""Which part of the instructions of a launch is spent in functions whose names have a word in them:

    shares.py .build/release/immure Network run -- /usr/bin/true

How many there are, how many of them in such functions, and those functions. A static binary that is not stripped; x86-64."""

import bisect
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def symbols(binary):
    """The functions of a binary, by address."""
    lines = subprocess.run(["nm", "-n", binary], capture_output=True, text=True, check=True).stdout.splitlines()
    found = [(int(words[0], 16), words[2]) for words in map(str.split, lines) if len(words) == 3 and words[1] in "tTwW"]
    return [address for address, _ in found], [name for _, name in found]


def counted(binary, words):
    """How many instructions each function of a launch executes."""
    with tempfile.TemporaryDirectory() as place:
        tool, places = f"{place}/instructions", f"{place}/places"
        subprocess.run(["cc", "-O2", "-o", tool, Path(__file__).with_name("instructions.c")], check=True)
        subprocess.run([tool, binary, *words], env={**os.environ, "PLACES": places}, stdout=subprocess.DEVNULL, check=True)
        lines = Path(places).read_text().splitlines()
    addresses, names = symbols(binary)
    counts = collections.Counter()
    for address, count in (line.split() for line in lines):
        counts[names[bisect.bisect_right(addresses, int(address, 16)) - 1]] += int(count)
    return counts


def readable(names):
    demangle = shutil.which("swift-demangle") or "/opt/swift/usr/bin/swift-demangle"
    text = subprocess.run([demangle, "--simplified"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    return dict(zip(names, text.splitlines()))


def main(binary, pattern, *words):
    counts = counted(binary, words)
    shown = readable(list(counts))
    found = collections.Counter({shown[name]: count for name, count in counts.items() if re.search(pattern, shown[name])})
    print(f"{counts.total():,} instructions, {found.total():,} of them there: {100 * found.total() / counts.total():.2f} %")
    for name, count in found.most_common(20):
        print(f"{count:8,} {name[:140]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
