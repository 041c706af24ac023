"""What the kernel shows inside a jail, and what must be closed in each."""

import os
import socket
import threading

PROBE = r"""
cat /proc/self/status
echo "== namespaces"
for n in user mnt pid net ipc uts cgroup; do echo "$n $(readlink /proc/self/ns/$n)"; done
echo "== mounts"; cat /proc/self/mountinfo
echo "== above"; ls -d /../root /../boot /../work 2>/dev/null
echo "== devices"; sed -n 's/^ *\([^ ]*\):.*/\1/p' /proc/net/dev
echo "== environment"; env
echo "== descriptors"; ls "/proc/$$/fd"
echo "== written"
for d in / /usr /usr/bin /etc /var /home /root /boot /sys /proc/sys/kernel "$1"; do
    (: >"$d/immure-was-here") 2>/dev/null && echo "$d"
done
echo "== read"; for f in "$1/secret" /root/.bash_history /etc/shadow; do cat "$f" 2>/dev/null && echo "$f"; done
echo "== reached"; (exec 9<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && echo listener
true
"""

# Mounts that a jail has of its own and may write to; /proc is writable as a mount, and closed below.
OWN = {"/proc", "/tmp", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"}


class Listener:
    """A server of the host on loopback, which only a jail that shares the host's network can reach."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def accept(self):
        try:
            while True:
                self.socket.accept()[0].close()
        except OSError:
            pass

    def __exit__(self, *error):
        self.socket.close()


def look(caller, spec, cwd, **options):
    """Runs the probe in the jail of an example: a dictionary of sections, each a list of lines."""
    with Listener() as listener:
        printed = caller.jail(spec, "bash", "-c", PROBE, "probe", caller.home, listener.port, cwd=cwd, **options)
    facts, lines = {}, facts_of(printed.stdout)
    for section, line in lines:
        facts.setdefault(section, []).append(line)
    return facts


def facts_of(text):
    section = "status"
    for line in text.splitlines():
        if line.startswith("== "):
            section = line[3:]
        else:
            yield section, line


def closed(facts, caller, writable=(), shared=()):
    """Holds what the probe saw to what the spec promises; `shared` names the namespaces of the host."""
    status = dict(line.split(":\t", 1) for line in facts["status"])
    assert status["NoNewPrivs"] == "1"
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, f"{name} {status[name]}"
    assert status["Uid"].split() == [str(caller.inside)] * 4

    for line in facts["namespaces"]:
        kind, inode = line.split(" ", 1)
        host = os.readlink(f"/proc/self/ns/{kind}")
        assert (inode == host) == (kind in shared), f"namespace {kind}: {inode} inside, {host} outside"

    # pivot_root stacks the host's tree on the new root; where it stays there, `/..` leads into it.
    assert facts.get("above", []) == []
    roots = [line for line in facts["mounts"] if line.split()[4] == "/"]
    assert len(roots) == 1, f"another tree on the root: {roots}"

    for line in facts["mounts"]:
        fields = line.split()
        point, options = fields[4], fields[5].split(",")
        # The command's home directory is a private tmpfs.
        is_home = point.startswith("/home/") and " - tmpfs " in line
        if "rw" not in options or point in OWN or is_home or point.startswith("/dev/"):
            continue
        assert point in writable, f"a writable mount: {line}"
        assert {"nosuid", "nodev"} <= set(options), f"set-user-id or devices have an effect: {line}"

    assert facts.get("written", []) == []
    assert facts.get("read", []) == []
    assert "SECRET_TOKEN" not in " ".join(facts["environment"])
    assert facts["descriptors"] == ["0", "1", "2"]
    if "net" in shared:
        assert facts.get("reached", []) == ["listener"]
    else:
        assert facts["devices"] == ["lo"]
        assert facts.get("reached", []) == []
