"""OCI bundles and images made by hand: no network, no tool of a container engine."""

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile

from .must import needs

SHELL = "/bin/bash-static"


def tree(place):
    """A file system with a shell and nothing else but who root is."""
    needs(os.path.exists(SHELL), "bash-static")
    for name in ("bin", "etc"):
        (place / name).mkdir(parents=True)
    shutil.copy(SHELL, place / "bin/sh")
    (place / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\nweb:x:33:34::/:/bin/sh\n")
    (place / "etc/group").write_text("root:x:0:\n")
    return place


def config(caller, **more):
    """The least config.json of a bundle: root's in the host's user namespace, an ordinary user's in one of its own."""
    kinds = ["pid", "network", "ipc", "uts", "mount", *([] if caller.is_root else ["user"])]
    text = {
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs", "readonly": True},
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/sh", "-c", "echo of the bundle"], "env": ["PATH=/bin", "A=1"], "cwd": "/", "noNewPrivileges": True},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
        "linux": {"namespaces": [{"type": kind} for kind in kinds]},
    }
    for path, value in more.items():
        *above, last = path.split("__")
        inner = text
        for key in above:
            inner = inner.setdefault(key, {})
        inner[last] = value
    return text


def bundle(caller, text=None, **more):
    """A bundle of the caller's; returns its config.json. A key is set by its path, `__` between the parts."""
    place = caller.directory()
    tree(place / "rootfs")
    for path in [place / "rootfs", *(place / "rootfs").rglob("*")]:
        caller.own(path)
    return caller.file(place / "config.json", text if text is not None else json.dumps(config(caller, **more), indent=1))


def _tar(place):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for path in sorted(place.rglob("*")):
            archive.add(path, str(path.relative_to(place)), recursive=False)
    return data.getvalue()


def _image(layer, **settings):
    """The configuration of an image with one layer."""
    digest = "sha256:" + hashlib.sha256(layer).hexdigest()
    return {"architecture": "amd64", "os": "linux", "config": settings, "rootfs": {"type": "layers", "diff_ids": [digest]}, "history": []}


def layout(caller, name="latest", layer=None, **settings):
    """An OCI image layout, image-layout.md of the image specification; `settings` as Env or Cmd are those of its configuration."""
    place = caller.directory()
    layer = layer or _tar(tree(caller.directory() / "t"))

    def blob(kind, data):
        digest = hashlib.sha256(data).hexdigest()
        for part in ("blobs", "blobs/sha256"):
            (place / part).mkdir(exist_ok=True)
            caller.own(place / part)
        caller.file(place / "blobs/sha256" / digest, data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": "sha256:" + digest, "size": len(data)}

    made = blob("config.v1+json", json.dumps(_image(layer, **settings)).encode())
    packed = blob("layer.v1.tar+gzip", gzip.compress(layer))
    manifest = blob("manifest.v1+json", json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": made, "layers": [packed]}).encode())
    manifest["annotations"] = {"org.opencontainers.image.ref.name": name}
    caller.file(place / "oci-layout", '{"imageLayoutVersion": "1.0.0"}')
    caller.file(place / "index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    return place


def saved(caller, **settings):
    """What `docker save` writes: a tar of manifest.json, a configuration and a layer."""
    layer = _tar(tree(caller.directory() / "t"))
    text = json.dumps(_image(layer, **settings)).encode()
    name = hashlib.sha256(text).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": ["one:two"], "Layers": ["layer.tar"]}]).encode()
    path = caller.directory() / "image.tar"
    with tarfile.open(path, "w") as archive:
        for entry, data in (("layer.tar", layer), (name, text), ("manifest.json", manifest)):
            info = tarfile.TarInfo(entry)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return caller.own(path)
