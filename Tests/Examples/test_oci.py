"""oci.toml: the file system of a container image, and a program of it."""

import os
import shutil

from harness import bundle
from harness.must import needs


def test_a_program_of_the_image(caller):
    work = caller.own_workplace()  # root unpacks an image only where nobody else can bend the way
    for program in ("skopeo", "umoci"):
        needs(shutil.which(program), program)
    image = bundle.layout(Files(caller, work), "12", Cmd=["/bin/sh"])
    image.rename(work / "debian")
    path = {"PATH": f"{caller.base}:{os.environ['PATH']}"}
    made = caller.run("immure", "import", "oci", "debian:12", "--into", "image", cwd=work, env=path)
    assert f'root = "{work}/image/rootfs"' in made.stdout and 'command = ["/bin/sh"]' in made.stdout
    done = caller.jail("oci.toml", "/bin/sh", "-c", "echo $UID; read l </etc/passwd; echo $l; { echo x >/x; } 2>/dev/null || echo shut; echo x >/tmp/x", cwd=work)
    assert done.stdout.splitlines() == [str(caller.inside), "root:x:0:0::/:/bin/sh", "shut"]


class Files:
    """Where the parts of an image are made."""

    def __init__(self, caller, place):
        self.caller, self.place, self.number = caller, place, 0

    def directory(self):
        self.number += 1
        path = self.place / f"made-{self.number}"
        path.mkdir()
        return self.own(path)

    def file(self, path, text, mode=0o644):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return self.own(path)

    def own(self, path):
        os.chown(path, self.caller.account.pw_uid, self.caller.account.pw_gid)
        return path
