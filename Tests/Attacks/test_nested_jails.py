"""Jails within jails, and within the containers of others: each layer narrows what the one before left open (C24, C29, T17)."""

import json
import os
import shutil
import subprocess

import pytest

from harness.facts import SOURCE, Facts
from harness.must import needs
from harness.tree import tree

PYTHON = ["/usr/bin/python3", "-I", "-S", "-c", SOURCE]


def layers(caller):
    """Three specs: the outermost hides a directory and lowers a limit, the second hides another and lowers it further, the
    innermost may not nest any more and is a default jail with a lower limit still."""
    inner = caller.file(caller.directory() / "inner.toml", "[rlimits]\nnofile = 64\n[process]\nnice = 6\n")
    middle = caller.file(
        caller.directory() / "middle.toml",
        '[namespaces]\nnested = true\n[filesystem]\nro = ["/opt/immure", "/opt/inner"]\nhide = ["/etc/ssl"]\n[rlimits]\nnofile = 128\n[process]\nnice = 4\n',
    )
    outer = (
        "[namespaces]\nnested = true\n[filesystem]\n"
        f'ro = ["{caller.binary}:/opt/immure", "{middle}:/opt/middle", "{inner}:/opt/inner"]\n'
        'hide = ["/etc/apt"]\n[rlimits]\nnofile = 256\n[process]\nnice = 2\n'
    )
    return outer


DEEPER = ["/opt/immure", "run", "/opt/middle", "--", "/opt/immure", "run", "/opt/inner", "--"]


def test_c29_each_of_three_layers_is_tighter_than_the_last(caller):
    outer = layers(caller)
    commands = [PYTHON, DEEPER[:4] + PYTHON, DEEPER + PYTHON]
    one, two, three = (Facts(caller.run(outer, *command).ok.stdout) for command in commands)
    assert [facts.limit("Max open files")[1] for facts in (one, two, three)] == ["256", "128", "64"]
    assert [facts["nice"] for facts in (one, two, three)] == [2, 4, 6]
    for facts in (one, two, three):
        assert set(facts.capabilities.values()) == {0} and facts["status"]["NoNewPrivs"] == "1"
        assert set(facts.fds) <= {0, 1, 2, 3}
    # At one time: the kernel gives the number of a namespace that has ended to the next.
    tell = ["/bin/sh", "-c", 'readlink /proc/self/ns/*; exec "$@"', "sh"]
    words = caller.run(outer, *tell, *DEEPER[:4], *tell, *DEEPER[4:], *tell, "/bin/true").ok.stdout.split()
    for kind in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
        own = [word for word in words if word.startswith(kind + ":")] + [os.readlink(f"/proc/self/ns/{kind}")]
        assert len(set(own)) == 4, (kind, own)
    # What the outer ones made read-only or hid is no wider further in.
    assert "ro" in three.mounts["/usr"] and "nosuid" in three.mounts["/usr"]


@pytest.mark.parametrize("depth", [0, 4, 8])
def test_c24_what_an_outer_layer_hides_no_inner_one_shows(caller, depth):
    needs(os.listdir("/etc/apt"), "hide /etc/apt, which is empty")
    inside = caller.run(layers(caller), *DEEPER[:depth], "/bin/sh", "-c", "ls -A /etc/apt; cat /etc/apt/* 2>/dev/null; umount /etc/apt 2>/dev/null && ls /etc/apt; echo end")
    assert inside.ok.stdout == "end\n"


def test_c29_t17_the_innermost_may_not_nest_and_says_what_to_change(caller):
    outer = layers(caller)
    run = caller.run(outer, *DEEPER, "/bin/sh", "-c", "unshare -U true 2>/dev/null && echo made; true")
    assert run.ok.stdout == ""
    # The binary is not in the default jail: give it to the innermost by its own spec.
    plain = caller.file(caller.directory() / "plain.toml", '[filesystem]\nro = ["/opt/immure"]\n')
    outer = f'[namespaces]\nnested = true\n[filesystem]\nro = ["{caller.binary}:/opt/immure", "{plain}:/opt/plain"]\n'
    run = caller.run(outer, "/opt/immure", "run", "/opt/plain", "--", "/opt/immure", "run", "--", "/bin/echo", "ran")
    assert run.status == 125 and run.stdout == ""
    assert "namespaces.nested = true" in run.stderr, run


def test_l1_jails_nest_as_deep_as_the_kernel_lets_them(caller):
    """create_user_ns allows 33 levels; the refusal beyond is one of words, and each layer passes the status on."""
    inner = caller.spec('[namespaces]\nnested = true\n[filesystem]\nro = ["/opt/immure", "/opt/inner"]\n')
    outer = caller.spec(f'[namespaces]\nnested = true\n[filesystem]\nro = ["{caller.binary}:/opt/immure", "{inner}:/opt/inner"]\n')
    line = [caller.binary, "run", outer, "--"]
    for _ in range(8):
        line += ["/opt/immure", "run", "/opt/inner", "--"]
    assert caller.finish(caller.popen([*line, "/bin/sh", "-c", "echo deep; exit 9"]), timeout=30).status == 9
    for _ in range(30):
        line += ["/opt/immure", "run", "/opt/inner", "--"]
    run = caller.finish(caller.popen([*line, "/bin/echo", "ran"]), timeout=60)
    assert run.status == 125 and run.stdout == "" and "32 deep" in run.stderr, run


# Inside bubblewrap


def bubblewrap(caller, *options):
    needs(shutil.which("bwrap"), "start bubblewrap: it is not installed")
    return ("bwrap", *options)


PLAIN = ("--ro-bind", "/", "/", "--dev", "/dev")
ALL = (*PLAIN, "--proc", "/proc", "--unshare-all")


def within(caller, words, spec=None, command=PYTHON):
    caller.wrapper = bubblewrap(caller, *words)
    return caller.run(spec, *command)


def test_inside_bubblewrap_a_users_jail_is_whole(user):
    facts = Facts(within(user, ALL).ok.stdout)
    assert set(facts.capabilities.values()) == {0} and facts["status"]["NoNewPrivs"] == "1"
    assert set(facts.fds) <= {0, 1, 2, 3} and facts["uid"] == [user.uid] * 3


def test_inside_bubblewrap_that_binds_all_a_jail_is_whole(caller):
    facts = Facts(within(caller, ("--bind", "/", "/")).ok.stdout)
    assert set(facts.capabilities.values()) == {0} and facts["uid"] == [caller.inside_uid] * 3


#: What an outer bubblewrap forbids, and the words that tell what to change: (options, who, words).
FORBIDDEN = {
    "no more user namespaces": ((*PLAIN, "--proc", "/proc", "--unshare-user", "--disable-userns"), "caller", "a limit on namespaces"),
    "one id for root": (ALL, "root", "identity.user = 0"),
    "a read-only proc": (PLAIN, "caller", "--proc /proc"),
    "no proc": (("--ro-bind", "/", "/", "--tmpfs", "/proc"), "caller", "proc"),
    "uid 0 without a capability": ((*ALL, "--uid", "0", "--gid", "0"), "user", "CAP_SETFCAP"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_bubblewrap_forbids_is_told_with_what_to_change(caller, what):
    options, who, words = FORBIDDEN[what]
    if who not in ("caller", caller.name):
        pytest.skip(f"concerns only {who}")
    run = within(caller, options, None, ["/bin/echo", "ran"])
    assert run.status == 125 and run.stdout == "", run
    assert "hint: " in run.stderr and words in run.stderr, run


def test_without_proc_at_all_it_says_what_to_mount(caller):
    binary = caller.directory() / "immure"
    shutil.copy(caller.binary, binary)
    binary.chmod(0o755)
    words = ("--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin")
    line = [*bubblewrap(caller, *words), "--ro-bind", binary, "/immure", "--unshare-all", "/immure", "run", "--", "/bin/echo", "ran"]
    run = caller.finish(caller.popen(line))
    assert run.status == 125 and run.stdout == "" and "mount -t proc" in run.stderr, run


NESTED = ("--set", "namespaces.nested=true", "--set", 'process.keyring="inherit"')


# Inside a container of crun, as engines ask for one

DEFAULT = "CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split()
MASKED = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


@pytest.fixture
def crun(root):
    """Starts the binary in a bundle of its own; `paths` are those that engines take out of sight and make read-only."""
    needs(shutil.which("crun"), "start crun: it is not installed")
    place, state = root.directory(), root.directory()
    rootfs = tree(root, "opt", "sys")
    (rootfs / "opt/immure").touch()

    def start(words, capabilities=DEFAULT, paths=True):
        sets = ("bounding", "effective", "permitted")
        config = {
            "ociVersion": "1.0.2",
            "hostname": "container",
            "root": {"path": str(rootfs), "readonly": True},
            "process": {
                "user": {"uid": 0, "gid": 0},
                "args": ["/opt/immure", "run", *words],
                "env": ["PATH=/usr/bin"],
                "cwd": "/",
                "capabilities": {each: ["CAP_" + name for name in capabilities] for each in sets},
                "noNewPrivileges": True,
            },
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                {"destination": "/usr", "type": "none", "source": "/usr", "options": ["rbind", "ro"]},
                {"destination": "/opt/immure", "type": "none", "source": str(root.binary), "options": ["bind", "ro"]},
                {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
            ],
            "linux": {
                "namespaces": [{"type": kind} for kind in ("user", "mount", "pid", "network", "ipc", "uts", "cgroup")],
                "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
                "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
                "maskedPaths": MASKED if paths else [],
                "readonlyPaths": READ_ONLY if paths else [],
            },
        }
        root.file(place / "config.json", json.dumps(config))
        # crun refuses a host with both versions of cgroups, and needs none.
        line = ["unshare", "--mount", "/bin/sh", "-c", 'umount -l /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', "sh"]
        line += ["crun", "--cgroup-manager=disabled", "--root", state, "run", "-b", place, f"immure-tests-{os.getpid()}"]
        # It gives its standard input to the user of the container: /dev/null would be the machine's.
        return root.finish(root.popen(line, stdin=subprocess.PIPE), timeout=30)

    return start


def test_inside_crun_a_jail_is_whole_where_proc_is(crun):
    facts = Facts(crun(["--", *PYTHON], paths=False).ok.stdout)
    assert set(facts.capabilities.values()) == {0} and facts["status"]["NoNewPrivs"] == "1"
    assert facts["uid"] == [65534] * 3 and set(facts.fds) <= {0, 1, 2, 3}


def test_inside_crun_as_engines_start_it_a_spec_that_goes_without_proc_runs(crun):
    words = [*NESTED[:2], "--set", "filesystem.proc=false", "--", "/bin/sh", "-c", "ls -A /proc; id -u; grep -c . /etc/hostname"]
    assert crun(words).ok.stdout.split() == ["65534", "1"]


@pytest.mark.parametrize(
    "settings, words, hint",
    [
        ({}, [], "namespaces.nested = true"),
        ({}, NESTED[:2], "filesystem.proc = false"),
        ({"capabilities": []}, [], "CAP_SETFCAP"),
    ],
)
def test_what_crun_forbids_is_told_with_what_to_change(crun, settings, words, hint):
    run = crun([*words, "--", "/bin/echo", "ran"], **settings)
    assert run.status == 125 and run.stdout == "", run
    assert "hint: " in run.stderr and hint in run.stderr, run
