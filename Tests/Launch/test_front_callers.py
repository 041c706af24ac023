"""Programs of Debian's that call bubblewrap, by `bwrap` as immure has it: they are unpacked, and no other bwrap is there."""

import hashlib
import os
import subprocess

import pytest

from harness import packages
from harness.must import cannot

PACKAGES = {
    "flatpak": ["flatpak"],
    "mat2": ["mat2"],
    "opam": ["opam", "libglpk40", "libamd2", "libcolamd2", "libsuitesparseconfig5", "libltdl7", "libgomp1", "rsync", "unzip"],
    "gnome-desktop": [
        "gir1.2-gdkpixbuf-2.0", "gir1.2-gdesktopenums-3.0", "gir1.2-glib-2.0", "gir1.2-gnomedesktop-4.0", "gsettings-desktop-schemas",
        "libgdk-pixbuf-2.0-0", "libgdk-pixbuf2.0-bin", "libgdk-pixbuf2.0-common", "libgirepository-1.0-1", "libglib2.0-0",
        "libgnome-desktop-4-2", "libxkbregistry0", "python3-gi", "shared-mime-info",
    ],
}  # fmt: skip

#: /usr with the package's files, and without bubblewrap's program.
SETUP = """
set -e
usr=$1 uid=$2; shift 2
mount -t overlay overlay -o "lowerdir=$usr:/usr" /usr
exec setpriv --reuid "$uid" --regid "$uid" --clear-groups -- "$@"
"""


@pytest.fixture(scope="module")
def trees(base):
    """What unpacks a package, once."""
    if os.getuid() != 0:
        cannot("mount packages over /usr: the tests were started by an ordinary user")
    made = {}

    def tree(name):
        if name not in made:
            made[name] = usr = packages.unpacked(PACKAGES[name], base / f"package-{name}") / "usr"
            (usr / "bin").mkdir(exist_ok=True)
            os.mknod(usr / "bin/bwrap", 0o020000, 0)  # a whiteout: overlayfs shows nothing there
            schemas = usr / "share/glib-2.0/schemas"
            if schemas.is_dir():
                subprocess.run([next(usr.rglob("glib-compile-schemas")), schemas], check=True, capture_output=True)
            if (usr / "share/mime").is_dir():
                subprocess.run([usr / "bin/update-mime-database", usr / "share/mime"], check=True, capture_output=True)
        return made[name]

    return tree


class Program:
    """Calls a program of a package as some caller, whose PATH has the front first."""

    def __init__(self, caller, usr):
        self.caller, self.usr = caller, usr
        self.home = caller.directory()
        self.path = caller.open_directory()
        os.link(caller.binary, self.path / "bwrap")

    def __call__(self, *words, env=None, timeout=60, **more):
        line = ["unshare", "-m", "--propagation", "private", "bash", "-c", SETUP, "bash", self.usr, self.caller.uid, *words]
        env = {"PATH": f"{self.path}:/usr/bin:/bin", "HOME": str(self.home), **(env or {})}
        settings = {"user": 0, "group": 0, "extra_groups": [], "cwd": self.home, **more}
        return self.caller.finish(self.caller.popen(line, env=env, **settings), timeout)


@pytest.fixture
def program(caller, trees):
    return lambda name: Program(caller, trees(name))


def test_no_other_is_there(program):
    run = program("mat2")("bash", "-c", "type -a -p bwrap")
    assert len(run.ok.stdout.splitlines()) == 1, run


def test_flatpak_validates_an_icon(program):
    """flatpak runs itself again in the jail, where it sees the picture and nothing of the home."""
    flatpak = program("flatpak")
    validator = next(flatpak.usr.rglob("flatpak-validate-icon"))
    words = [f"/usr/{validator.relative_to(flatpak.usr)}", "--sandbox", "64", "64", str(flatpak.home / "picture.png")]
    env = {"FLATPAK_BWRAP": str(flatpak.path / "bwrap"), "TMPDIR": "/nowhere"}
    flatpak("convert", "-size", "48x48", "gradient:red-blue", "picture.png").ok
    run = flatpak(*words, env=env)
    assert run.status == 0, run
    words[3] = "32"
    large = flatpak(*words, env=env)
    assert large.status == 1 and "too large" in large.stderr, large
    words[4] = str(flatpak.home / "none.png")
    missing = flatpak(*words, env=env)
    assert missing.status == 1 and "Can't find source path" in missing.stderr, missing


MAT2 = """
import sys
from libmat2 import bubblewrap
def run(*words, **more):
    done = bubblewrap.run(list(words), stdout=bubblewrap.PIPE, stderr=bubblewrap.PIPE, **more)
    print(done.returncode, done.stdout.decode().strip(), done.stderr.decode().strip())
run("/usr/bin/sha1sum", "given", input_filename="given")
run("/usr/bin/cp", "given", "out/made", input_filename="given", output_filename="out/made")
run("/usr/bin/cp", "given", "beside", input_filename="given")
run("/usr/bin/python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 1), 1)", input_filename="given")
run("/usr/bin/grep", "-h", "^Cap[PEB]", "/proc/self/status", input_filename="given")
run("/no/such", input_filename="given")
"""


def test_mat2_jails_what_reads_a_file(program):
    mat2 = program("mat2")
    mat2.caller.file(mat2.home / "given", "text\n")
    (mat2.home / "out").mkdir()
    mat2.caller.own(mat2.home / "out")
    lines = mat2("/usr/bin/python3", "-c", MAT2).ok.stdout.splitlines()
    assert lines[0].split()[:2] == ["0", hashlib.sha1(b"text\n").hexdigest()] and lines[1].split() == ["0"]
    assert (mat2.home / "out/made").read_text() == "text\n"
    assert lines[2].startswith("1 ") and "Read-only file system" in lines[2] and not (mat2.home / "beside").exists()
    text = "\n".join(lines)
    assert "refused" in text or "unreachable" in text
    assert [line.split()[-1] for line in lines if "Cap" in line] == ["0" * 16] * 3
    assert lines[-1].startswith("1 ") and "bwrap: " in lines[-1]



OPAM = """
opam-version: "2.0"
build: ["sh" "-c" "echo built >made; touch %{prefix}%/planted /usr/planted; echo x >../planted; ls /sys/class/net 2>/dev/null | wc -l >networks; exit 0"]
install: ["sh" "-c" "mkdir -p %{share}%/hello && cp made networks %{share}%/hello; touch %{prefix}%/.opam-switch/planted; exit 0"]
"""


def test_opam_builds_and_installs(program):
    """Its script closes the prefix for the build, and opens it for what is installed."""
    opam = program("opam")
    packages = opam.home / "repository/packages/hello/hello.1"
    packages.mkdir(parents=True)
    (opam.home / "repository/repo").write_text('opam-version: "2.0"\n')
    (packages / "opam").write_text(OPAM)
    root = opam.home / "opam"
    env = {"OPAMROOT": str(root), "OPAMROOTISOK": "1", "OPAMYES": "1", "OPAMNOENVNOTICE": "1", "OPAMCOLOR": "never"}
    opam("opam", "init", "--bare", "--no-setup", f"{opam.home}/repository", env=env).ok
    assert "bwrap" in (root / "opam-init/hooks/sandbox.sh").read_text()
    for words in (["switch", "create", "one", "--empty"], ["install", "hello"]):
        run = opam("opam", *words, env=env)
        assert run.status == 0, run
    share = root / "one/share/hello"
    assert (share / "made").read_text() == "built\n" and int((share / "networks").read_text()) <= 1
    assert not [path for path in root.rglob("planted")]


THUMBNAIL = """
import gi, sys
gi.require_version("GnomeDesktop", "4.0")
from gi.repository import GnomeDesktop
factory = GnomeDesktop.DesktopThumbnailFactory.new(GnomeDesktop.DesktopThumbnailSize.NORMAL)
made = factory.generate_thumbnail("file://" + sys.argv[1], "image/png", None)
print(made.get_width(), made.get_height())
"""


def test_gnome_desktop_makes_a_thumbnail(program):
    """With a compiled filter by a descriptor, and places in the jail for what is read and written."""
    gnome = program("gnome-desktop")
    picture = gnome.home / "picture.png"
    gnome("convert", "-size", "480x240", "gradient:red-blue", str(picture)).ok
    assert gnome("/usr/bin/python3", "-c", THUMBNAIL, str(picture)).ok.stdout.split() == ["128", "64"]
    gnome.caller.file(picture, "no picture")
    assert gnome("/usr/bin/python3", "-c", THUMBNAIL, str(picture)).status == 1
