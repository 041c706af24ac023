"""unpack.toml: archives made to do harm."""

import io
import os
import stat
import tarfile

import pytest
from inside import closed, look


@pytest.fixture
def archive(caller, work):
    """Names that lead out, a link out and a file through it, a set-user-id program and a good file."""
    with tarfile.open(work / "thing.tar", "w") as tar:

        def add(name, text="planted\n", mode=0o755, **fields):
            info = tarfile.TarInfo(name)
            info.mode = mode
            for field, value in fields.items():
                setattr(info, field, value)
            info.size = 0 if fields else len(text)
            tar.addfile(info, None if fields else io.BytesIO(text.encode()))

        add("good.txt", "good\n", 0o644)
        add(f"{work}/absolute")
        add("../../../../../../../../tmp/immure-dots")
        add("link", type=tarfile.SYMTYPE, linkname=str(work))
        add("link/through")
        add("suid", "#!/bin/sh\necho executed\n", 0o4755)
    caller.own(work / "thing.tar")
    caller.directory(work / "unpacked")
    return work


def test_lands_in_one_directory(caller, archive):
    # -P: tar's own protections are off, so that what holds is the jail.
    command = "tar -P -xf /in/thing.tar; ls; ./suid; cp /in/thing.tar /in/copy"
    done = caller.jail("unpack.toml", "bash", "-c", command, cwd=archive, status=1)
    assert "good.txt" in done.stdout and "executed" not in done.stdout
    assert "Read-only file system" in done.stderr and "Permission denied" in done.stderr
    assert (archive / "unpacked/good.txt").read_text() == "good\n"
    assert sorted(os.listdir(archive)) == ["thing.tar", "unpacked"]
    assert not os.path.exists("/tmp/immure-dots")
    # umask 077 is the spec's.
    assert stat.S_IMODE(os.stat(archive / "unpacked/good.txt").st_mode) & 0o077 in (0, 0o044)


def test_device_file(caller, archive):
    done = caller.jail("unpack.toml", "mknod", "/out/disk", "b", "8", "0", cwd=archive, status=1)
    assert "Operation not permitted" in done.stderr


def test_endless_file(caller, archive):
    """RLIMIT_FSIZE ends a file at 1 GB: SIGXFSZ. The hole before it costs no space."""
    command = ["dd", "if=/dev/zero", "of=/out/big", "bs=1M", "seek=1023", "count=2"]
    caller.jail("unpack.toml", *command, cwd=archive, status=128 + 25)
    assert os.path.getsize(archive / "unpacked/big") == 1 << 30


def test_closed(caller, archive):
    facts = look(caller, "unpack.toml", archive)
    closed(facts, caller, writable={"/out"})
    out = [line.split() for line in facts["mounts"] if line.split()[4] == "/out"]
    assert {"nosuid", "nodev", "noexec"} <= set(out[-1][5].split(","))
