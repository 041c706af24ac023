"""`immure import oci IMAGE --into DIRECTORY`: an image layout, and what `docker save` writes, unpacked by skopeo and umoci."""

import io
import os
import shlex
import shutil
import stat
import tarfile

import pytest

from harness import bundle
from harness.hints import among, as_root, hints
from harness.must import needs

SETTINGS = {"Env": ["PATH=/bin", "X=${Y} ~ a"], "Entrypoint": ["/bin/sh", "-c"], "Cmd": ['echo "$X $PWD of the image"'], "WorkingDir": "/bin"}
MAKERS = {"layout": bundle.layout, "saved": bundle.saved}


def unpack(caller, image, *words, into=None, **more):
    for program in ("skopeo", "umoci"):
        needs(shutil.which(program), program)
    into = into or caller.directory() / "made"
    return caller.verb("import", "oci", str(image), "--into", str(into), *words, env={"PATH": os.environ["PATH"]}, timeout=30, **more), into


def imported(caller, image, *words):
    """The spec of an unpacked image."""
    run, _ = unpack(caller, image, *words)
    assert run.status == 0, run
    return caller.spec(run.stdout)


@pytest.mark.parametrize("kind", MAKERS)
def test_s28_an_image_runs(caller, kind):
    run, place = unpack(caller, MAKERS[kind](caller, **SETTINGS))
    assert run.status == 0 and "the root is read-only" in run.stderr, run
    assert stat.S_IMODE(place.stat().st_mode) == 0o700 and (place / "rootfs/bin/sh").exists()
    spec = caller.spec(run.stdout)
    assert caller.verb("check", str(spec)).ok
    assert caller.verb("run", str(spec)).ok.stdout == "${Y} ~ a /bin of the image\n"
    script = "echo $UID; { echo x >/x; } 2>/dev/null || echo shut"
    assert caller.verb("run", str(spec), "--", "/bin/sh", "-c", script).ok.stdout == f"{caller.inside_uid}\nshut\n"
    script = "echo x >/x; read l </x; echo $l"
    owner = ["--set", "identity.user=0", "--set", "identity.group=0"] if caller.is_root else []
    run = caller.verb("run", str(spec), "--set", 'filesystem.changes="discard"', *owner, "--", "/bin/sh", "-c", script)
    assert run.ok.stdout == "x\n"
    assert not (place / "rootfs/x").exists()


def test_the_bundle_that_is_unpacked_is_one(user):
    """What umoci has written beside it is a bundle, too."""
    _, place = unpack(user, bundle.layout(user, **SETTINGS))
    assert user.verb("run", str(place / "config.json")).stdout == "${Y} ~ a /bin of the image\n"


def test_the_user_of_an_image(caller):
    for written, found in (("7:8", "7 8"), ("7", "7"), ("web", "33 34"), ("web:8", "33 8")):
        spec = imported(caller, bundle.layout(caller, User=written))
        script = "while read a b c; do case $a in Uid:) u=$b;; Gid:) g=$b;; esac; done </proc/self/status; echo $u $g"
        assert caller.verb("run", str(spec), "--", "/bin/sh", "-c", script).ok.stdout.startswith(found)


@pytest.mark.parametrize("name", ["", "0", "root", "0:0", "root:root", "00", "toor", "0:8"])
def test_root_of_an_image_is_not_the_host_s(root, name):
    run, _ = unpack(root, bundle.layout(root, User=name))
    assert run.status == 0 and "not root, as the image's program would be" in run.stderr and "[identity]" not in run.stdout, run


def test_words_are_the_command(caller):
    spec = imported(caller, bundle.saved(caller, **SETTINGS), "--", "/bin/sh", "-c", "echo other")
    assert caller.verb("run", str(spec)).ok.stdout == "other\n"


def test_a_name_within_the_image(caller):
    image = bundle.saved(caller, **SETTINGS)
    assert "of the image" in caller.verb("run", str(imported(caller, f"{image}:one:two"))).stdout
    assert "of the image" in caller.verb("run", str(imported(caller, f"docker-archive:{image}"))).stdout
    image = bundle.layout(caller, "name", **SETTINGS)
    assert "of the image" in caller.verb("run", str(imported(caller, f"oci:{image}:name"))).stdout
    run, place = unpack(caller, f"{image}:other")
    assert run.status == 2 and run.stdout == "" and "skopeo: " in run.stderr, run
    # What was made for it is gone, and the next call begins anew.
    assert not place.exists() and unpack(caller, f"{image}:name", into=place)[0].status == 0
    broken = caller.directory()
    shutil.copytree(image, broken, dirs_exist_ok=True)
    for blob in (broken / "blobs/sha256").iterdir():
        if blob.stat().st_size > 5000:
            blob.write_bytes(blob.read_bytes()[:-100])
    run, place = unpack(caller, broken)
    assert run.status == 2 and run.stdout == "" and not place.exists(), run


def test_what_has_no_line_is_listed(caller):
    run, _ = unpack(caller, bundle.layout(caller, **SETTINGS, Volumes={"/data": {}}, ExposedPorts={"80/tcp": {}}, StopSignal="SIGQUIT", Labels={"a": "b"}))
    assert run.status == 0 and "config.Volumes: left out" in run.stderr and 'stop_signal = "SIGQUIT"' in run.stdout, run


# Hostile ones


def test_nothing_is_unpacked_out_of_the_directory(caller):
    """The layer of the image specification's own warnings: a link out of the root and a file through it, and `..`."""
    place = caller.directory()
    target = caller.open_directory()
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, link in (("out", str(target)), ("up", "../../../../../../" + str(target))):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
        for name in ("out/a", "up/b", "../../c", "../rootfs/d", str(target / "e")):
            info = tarfile.TarInfo(name)
            info.size = 2
            archive.addfile(info, io.BytesIO(b"x\n"))
    run, made = unpack(caller, bundle.layout(caller, layer=data.getvalue()), into=place / "made")
    assert run.status in (0, 2), run
    assert os.listdir(target) == [] and os.listdir(place) == (["made"] if run.status == 0 else []) and not (made / "c").exists() and not (made / "d").exists()


@pytest.mark.parametrize("settings", [{"Cmd": "sh"}, {"Env": {"A": "b"}}, {"Env": ["=x"]}, {"WorkingDir": "relative"}, {"Cmd": ["a\0b"]}, {"User": "a\nb"}, {"WorkingDir": ["/"]}])
def test_a_configuration_that_is_wrong(caller, settings):
    run, _ = unpack(caller, bundle.layout(caller, **settings))
    assert run.status == 2 and run.stdout == "" and run.stderr, run


def test_a_directory_that_is_there(caller):
    place = caller.directory()
    run, _ = unpack(caller, bundle.layout(caller, **SETTINGS), into=place)
    assert run.status == 2 and "EEXIST" in run.stderr and os.listdir(place) == [], run


def test_a_way_that_others_can_bend(root):
    """What goes by its name to skopeo and umoci must be nobody else's to replace."""
    place = root.directory()
    image = bundle.layout(root, **SETTINGS)
    elsewhere = root.directory()
    (place / "link").symlink_to(elsewhere)
    os.chown(place / "link", 12345, 12345, follow_symlinks=False)
    run, _ = unpack(root, image, into=place / "link/made")
    assert run.status == 2 and "a symbolic link of uid 12345, and root follows only those that root made" in run.stderr, run
    (place / "d/e").mkdir(parents=True)
    (place / "d").chmod(0o777)
    run, _ = unpack(root, image, into=place / "d/e/made")
    assert run.status == 2 and f"{place}/d may be written by everyone" in run.stderr, run
    (place / "d").chmod(0o755)
    os.chown(place / "d", 12345, 0)
    run, _ = unpack(root, image, into=place / "d/e/made")
    assert run.status == 2 and f"{place}/d belongs to uid 12345" in run.stderr, run
    assert os.listdir(place / "d/e") == [] and os.listdir(elsewhere) == []
    os.chown(place / "d", 0, 0)
    assert unpack(root, image, into=f"{place}/d/e/made/")[0].status == 0 and (place / "d/e/made/rootfs/bin/sh").exists()


def test_what_is_no_image(caller):
    image = bundle.layout(caller, **SETTINGS)
    run, _ = unpack(caller, image.parent / "nowhere")
    assert run.status == 2 and among(run.stderr, "give the directory of an image layout, or the file that docker save has written")
    assert unpack(caller, image)[0].status == 0
    empty = caller.directory()
    run, _ = unpack(caller, empty)
    assert run.status == 2 and "skopeo: " in run.stderr, run
    hint = among(caller.verb("import", "oci", str(image)).stderr, "an image is unpacked: immure import oci {} --into DIRECTORY")
    words = shlex.split(hint.split(": ", 1)[1].replace("DIRECTORY", str(caller.directory() / "d")))
    assert caller.verb(*words[1:], env={"PATH": os.environ["PATH"]}, timeout=30).status == 0
    assert caller.verb("import", "bwrap", str(image), "--into", str(empty / "x")).status == 2


def test_programs_that_are_not_installed(user):
    """What is missing is named before anything is made."""
    into = user.directory() / "made"
    here = user.directory()
    if any(os.path.exists(f"{place}/{name}") for place in ("/usr/bin", "/bin", "/usr/sbin", "/sbin") for name in ("skopeo", "umoci")):
        pytest.skip("the system's own directories have them")
    run = user.verb("import", "oci", str(bundle.layout(user)), "--into", str(into), env={"PATH": str(here)})
    assert run.status == 2 and "skopeo and umoci are not installed" in run.stderr and not into.exists(), run
    assert as_root(hints(run.stderr)[0]) == "apt install skopeo umoci"
    assert "apt install skopeo umoci" in user.verb("doctor", env={"PATH": str(here)}, timeout=30).stdout
