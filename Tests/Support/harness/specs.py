"""Random specs, and values of every key that are right or wrong by their form."""

import datetime
import json

SIZES, NO_SIZES = [4096, "4096", "1K", "64M", "2GB", "1T", "3MB"], ["64m", "1.5G", "-1", "1 K", "K", "1Ki", "08", "", "1" * 25]
TIMES, NO_TIMES = ["1ms", "90min", "10s", "2h"], ["10", "1d", "1.5s", "5 s", "s", "01s", "", "-1s", 5]
CPUS, NO_CPUS = ["0", "0-3", "0-1,3,5-6"], ["", "1-", "a", "0,,1", "-1", "0-1-2", "01", 0]
WORDS = ["nonsense", "", 1, ["x"], "DEFAULT"]
BOOLEANS = ["true", 0, 1, "yes", []]
NAMESPACES, NO_NAMESPACES = ["new", "host"], ["own", "", 1, "newer"]
RLIMITS = [0, 7, "9", "unlimited", "0:7", "3:unlimited"]
NO_RLIMITS = ["", "a", "1:2:3", "-1", -1, True, "1:", "infinity", "01"]
CAPABILITIES = ([[], ["chown"], ["chown", "kill"]], [["CAP_CHOWN"], ["chow"], "chown", ["kill", "kill"], [1]])
CALLS = ([[], ["read"], ["@system-service", "ptrace"]], [["READ"], "read", [""], ["a b"], [1], ["@@x"]])
PATHS = ([[], ["/usr", "~/x"], ["${HOME}/y"]], [["usr"], "/usr", [1], [""], ["/a", "/a"]])
PORTS = ([[], [0, 80, 65535]], [[65536], [-1], ["80"], [80, 80], 80])
BINDS = ([["/opt/*/a?"], ["/opt/a", "/srv/b:/b", "/c:~/c"], []], [["/a:b"], ["/a:/b:/c"], [""], "/a", [1], ["/a:"]])
RANGES = ([[{"inside": 0, "outside": 1000, "count": 1}], "auto"], ["all", [], [{}], [{"inside": 0}], 1, [[]]])

#: Of every key of a table that stands once: values that are right, and values of a wrong form.
KEYS = {
    "command": ([["make", "-j4"], ["sh"]], [[], "make", [1], {}]),
    "cwd": (["/", "/src", "~", "~/x", "${HOME}/y"], ["src", "", 1, "./x", "~u/x", "$HOME"]),
    "hostname": (["jail", "a.b-c", "A_1"], ["", "-a", "a-", "a..b", "a b", "x" * 65, "ä", 1]),
    "timeout": (TIMES, [*NO_TIMES, "0s"]),
    "grace": ([*TIMES, "0s"], NO_TIMES),
    "extends": ([[], ["base.toml"]], ["base.toml", [1], [""], {}]),
    "filesystem.root": (["system", "host", "empty", "./tree", "/srv", "~", "."], ["sys", "", 1, "tree"]),
    "filesystem.writable": ([False, True], BOOLEANS),
    "filesystem.changes": (["discard", "./changes", "/srv/changes", "~/x"], ["keep", "", 1, True]),
    "filesystem.ro": BINDS,
    "filesystem.rw": BINDS,
    "filesystem.devices": BINDS,
    "filesystem.hide": ([[], ["/etc/ssh"], ["/usr/share/*.[a-z]", "~/**/k"]], [["etc"], "/etc", [1], [""]]),
    "filesystem.proc": ([True, False], BOOLEANS),
    "filesystem.dev": (["none", "minimal", "host"], WORDS),
    "filesystem.shm": ([*SIZES, False], [*NO_SIZES, True, 0, "0"]),
    "filesystem.home": ([*SIZES, False], [*NO_SIZES, True, 0, "0"]),
    "filesystem.tmp": ([*SIZES, False], [*NO_SIZES, True, 0, "0"]),
    **{f"namespaces.{kind}": (NAMESPACES, NO_NAMESPACES) for kind in "user mount pid net ipc uts cgroup".split()},
    "namespaces.time": (["host", "new"], NO_NAMESPACES),
    "namespaces.time.monotonic": (["-1h", "0s", "5ms"], ["1", "--1s", "+1s", 1]),
    "namespaces.time.boottime": (["-1h", "0s", "5ms"], ["1", "--1s", "+1s", 1]),
    "namespaces.nested": ([True, False], BOOLEANS),
    "identity.user": ([0, 5, "nobody", "7", "a.b-c$"], ["", -1, "a b", "007", 2**32, True, "9x"]),
    "identity.group": ([0, 5, "nogroup", "7"], ["", -1, "a b", "007", 2**32, True, "9x"]),
    "identity.groups": ([[], ["audio", 7]], [[""], ["a", "a"], "audio", [-1], [True]]),
    "identity.umask": (["022", "0", "77", "00777"], ["1000", "8", "", 22, "0o22", "000022"]),
    "identity.uid_map": RANGES,
    "identity.gid_map": RANGES,
    **{f"capabilities.{name}": CAPABILITIES for name in "keep bounding permitted effective inheritable ambient".split()},
    "process.no_new_privs": ([True, False], BOOLEANS),
    "process.init": ([True, False], BOOLEANS),
    "process.die_with_parent": ([True, False], BOOLEANS),
    "process.tty": (["auto", "inherit", "none"], WORDS),
    "process.fds": ([[], [3, 9]], [[2], ["3"], 3, [3, 3], [2**31]]),
    "process.locks": ([[], ["/usr/.ref", "~/x"]], ["/a", [1], [""], ["a"], ["/a", "/a"]]),
    "process.nice": ([-20, 0, 19], [-21, 20, "1", True]),
    "process.oom_score_adj": ([-1000, 1000], [-1001, 1001, "1"]),
    "process.cpus": (CPUS, NO_CPUS),
    "process.keyring": (["new", "inherit"], WORDS),
    "process.stop_signal": (
        ["SIGTERM", "SIGINT", "SIGRTMIN+3", "SIGRTMIN", "SIGRTMAX-30"],
        ["", "TERM", 15, "SIGRTMIN-1", "SIGRTMAX+1", "SIGRTMIN+", "SIG", "sigint"],
    ),
    "process.argv0": (["sh", "", "-a b"], [1, True, ["sh"]]),
    "process.jobserver": ([True, False], BOOLEANS),
    "environment.keep": ([[], ["LANG", "LC_*"], ["*"]], [["A*B"], [""], ["A=B"], "LANG", [1], ["**"]]),
    "environment.defaults": ([True, False], BOOLEANS),
    "environment.unset": ([[]], [["A*B"], [""], ["A=B"], "LANG", [1], ["**"]]),
    "environment.path": ([[], ["/opt/bin", "~/bin"], ["${HOME}/y"]], [["bin"], "/bin", [1], [""]]),
    "environment.set": ([{}, {"CC": "gcc", "a b": ""}], [{"CC": 1}, {"": "x"}, {"A=B": "x"}, "CC", {"CC": {}}]),
    **{f"rlimits.{name}": (RLIMITS, [*NO_RLIMITS, "1M"]) for name in
       "cpu locks nice nofile nproc rtprio rttime sigpending".split()},
    **{f"rlimits.{name}": ([*RLIMITS, "1G:unlimited", "2MB"], [*NO_RLIMITS, "1m", "1 M"]) for name in
       "as core data fsize memlock msgqueue rss stack".split()},
    "limits.memory": (SIZES, [*NO_SIZES, 0, "0"]),
    "limits.memory_high": (["1K", 4096], [*NO_SIZES, 0, "0"]),
    "limits.swap": ([*SIZES, 0, "0"], NO_SIZES),
    "limits.cpu": (["1%", "150%"], ["0%", "150", "1.5%", 150, "%", "-1%", "01%"]),
    "limits.cpu_weight": ([1, 10000], [0, 10001, "100"]),
    "limits.io_weight": ([1, 10000], [0, 10001, "100"]),
    "limits.cpus": (CPUS, NO_CPUS),
    "limits.pids": ([1, 4194304], [0, 4194305, "64"]),
    "seccomp.profile": (["default", "strict", "none", "oci.json", "./oci.json"], ["loose", "", 1]),
    "seccomp.default": (["EPERM", "ENOSYS", "allow", "kill", "log", "trap"], ["EFOO", "deny", 1, "", "eperm"]),
    "seccomp.allow": CALLS,
    "seccomp.deny": ([[], ["mount"], ["@reboot"]], CALLS[1]),
    "seccomp.bpf": ([[], [3, 10]], [[2], ["3"], 3, [3, 3], [2**31]]),
    "seccomp.log": ([[], ["bpf"]], CALLS[1]),
    "seccomp.kill": ([[], ["reboot"]], CALLS[1]),
    "seccomp.architectures": ([[], ["native"], ["x86", "x32"]], [["i386"], "native", ["x86", "x86"], [1]]),
    "limits.scope": (["unit", "own"], WORDS),
    "process.boot": ([True, False], BOOLEANS),
    "landlock.ro": PATHS,
    "landlock.rx": ([[], ["/bin"]], PATHS[1]),
    "landlock.rw": ([[], ["/var/x"]], PATHS[1]),
    "landlock.rwx": ([[], ["/var/y"]], PATHS[1]),
    "landlock.bind_tcp": PORTS,
    "landlock.connect_tcp": PORTS,
    "landlock.scope": ([[], ["signal"], ["abstract_unix_socket", "signal"]], [["signals"], "signal", ["signal"] * 2]),
    "landlock.minimum_abi": ([1, 7, 1000], [0, 1001, "4"]),
    "network.mode": (["none", "host", "user", "veth", "macvlan", "ipvlan"], WORDS),
    "network.parent": (["eth0", "br0.1"], ["", "a/b", "a b", "a:1", "0123456789abcdef", 1]),
    "network.address": (
        [["10.9.0.2/24"], ["2001:db8::2/64", "10.9.0.2/32"]],
        [["10.9.0.2"], ["x/24"], ["10.9.0.2/0"], "10.9.0.2/24", [1]],
    ),
    "network.gateway": (["10.9.0.1", "2001:db8::1"], ["x", "10.9.0.1/24", ["10.9.0.1"], 1]),
    "network.publish": (
        [["127.0.0.1:8080:80/tcp", "53:53/udp"], ["[::1]:1:2"]],
        [["80"], ["a:80:80"], ["80:80/icmp"], "80:80", [80], ["0:80"], ["::1:80:80"]],
    ),
    "network.allow": (
        [
            ["10.0.0.0/8:443/tcp", "192.0.2.1"], ["[2001:db8::/32]:443", "2001:db8::1"],
            ["deb.example.org:443", "*.Example.org:1-9/udp", "host"], [],
        ],
        [["10.0.0.1:x"], ["a..b"], ["*"], ["*.*.a"], ["-a:1"], ["a:b:1"], ["a b"], ["*a.b"], ["a:1-"], ["10.0.0.1:443/icmp"], "10.0.0.1", [1], [""], ["10.0.0.1/tcp"], ["[::/0]"], ["[10.0.0.1]:443"]],
    ),
    "network.dns": ([["10.0.0.53"], ["::1", "1.1.1.1"]], [["x"], "10.0.0.53", [""], [1], ["localhost"]]),
    "service.notify": (["none", "main", "all", "exec"], WORDS),
    "service.journal": ([True, False], BOOLEANS),
    "service.die_by_signal": ([True, False], BOOLEANS),
    "service.sockets": ([True, False], BOOLEANS),
    "service.credentials": ([True, False], BOOLEANS),
    "service.optional": ([True, False], BOOLEANS),
}

#: Of every array of tables: entries that are right, and for each key an entry with values of a wrong form for it.
ENTRIES = {
    "mount": (
        [
            {"target": "/m/bind", "source": "/srv/b", "options": ["ro", "nosymfollow"], "optional": True},
            {"target": "/m/open", "type": "bind", "source": "rel", "options": ["suid", "bind"], "idmap": False},
            {"target": "/m/made", "source": "/srv/m", "create": True, "mode": "0700"},
            {"target": "/m/made-file", "source": "/srv/n", "create": "file"},
            {"target": "/m/p/*.c", "source": "/m/p/*.c", "pattern": True, "optional": True, "options": ["ro"]},
            {"target": "/m/tmp", "type": "tmpfs", "size": "1M", "inodes": 100, "mode": "0700"},
            {"target": "/m/proc", "type": "proc"}, {"target": "/sys", "type": "sysfs"},
            {"target": "/m/pts", "type": "devpts"}, {"target": "/m/mq", "type": "mqueue"},
            {"target": "/m/cgroup", "type": "cgroup", "options": ["rw"]},
            {"target": "/m/file", "type": "file", "content": "a\n", "mode": "0600"},
            {"target": "/m/given", "type": "file", "content_fd": 0, "options": ["rw"]},
            {"target": "/m/passed", "source_fd": 7, "options": ["ro"]},
            {"target": "/m/device", "source": "/dev/fuse", "device": "c 10:229", "optional": True},
            {"target": "/m/link", "type": "symlink", "to": "../x"},
            {"target": "/m/dir", "type": "dir", "mode": "3777", "optional": True},
            {"target": "/o/image", "type": "image", "source": "/srv/image", "offset": 40960, "idmap": True},
            {"target": "/o/overlay", "type": "overlay", "lower": ["/a", "/b"], "quota": "1G"},
            {"target": "/o/upper", "type": "overlay", "lower": ["/c"], "upper": "/d", "work": "/e", "record": False},
        ],
        {
            "target": ({"type": "proc"}, ["x", "", 1, "~u/x", None]),
            "type": ({"target": "/q"}, ["nonsense", "", 1, None]),
            "source": ({"target": "/q", "type": "bind"}, ["", 1, []]),
            "source_fd": ({"target": "/q", "type": "bind"}, [-1, "3", 2**31, []]),
            "device": ({"target": "/q", "source": "/x"}, ["c", "c 1", "c 1:", "p 1:2", "c  1:2", "c 1:2:3", "c -1:2", "c 12345:1", 1, []]),
            "content_fd": ({"target": "/q", "type": "file"}, [-1, "3", 2**31, []]),
            "record": ({"target": "/q", "type": "overlay", "lower": ["/a"], "upper": "/u", "work": "/w"}, BOOLEANS),
            "options": ({"target": "/q", "type": "tmpfs"}, [["nonsense"], "ro", [1], ["ro", "ro"]]),
            "optional": ({"target": "/q", "source": "/x"}, BOOLEANS),
            "pattern": ({"target": "/q", "source": "/q"}, BOOLEANS),
            "create": ({"target": "/q", "source": "/x"}, ["yes", "dir", 1, []]),
            "size": ({"target": "/q", "type": "tmpfs"}, [*NO_SIZES, 0, "0"]),
            "inodes": ({"target": "/q", "type": "tmpfs"}, [0, -1, "1"]),
            "mode": ({"target": "/q", "type": "tmpfs"}, ["4777", "8", "", 777, "000777"]),
            "content": ({"target": "/q", "type": "file"}, [1, [], True]),
            "to": ({"target": "/q", "type": "symlink"}, ["", 1, None]),
            "lower": ({"target": "/q", "type": "overlay"}, [[], "/a", [1], [""], ["/a", "/a"], None]),
            "upper": ({"target": "/q", "type": "overlay", "lower": ["/a"], "work": "/w"}, ["", 1]),
            "work": ({"target": "/q", "type": "overlay", "lower": ["/a"], "upper": "/u"}, ["", 1]),
            "quota": ({"target": "/q", "source": "/x"}, [*NO_SIZES, 0]),
            "idmap": ({"target": "/q", "source": "/x"}, BOOLEANS),
            "offset": ({"target": "/q", "type": "image", "source": "/x"}, [-1, "4096", 1.5, []]),
            # Keys that mean nothing for the type.
            "size ": ({"target": "/q", "source": "/x"}, ["1M"]),
            "to ": ({"target": "/q", "type": "proc"}, ["x"]),
            "source ": ({"target": "/q", "type": "tmpfs"}, ["/x"]),
        },
    ),
    "limits.io": (
        [{"device": "/var", "rbps": "10M", "wiops": 7}, {"device": "/dev/sda", "weight": 100, "wbps": 1, "riops": "1K"}],
        {
            "device": ({"weight": 1}, ["", 1, None]),
            **{key: ({"device": "/var"}, [*NO_SIZES, 0]) for key in "rbps wbps riops wiops".split()},
            "weight": ({"device": "/var"}, [0, 10001, "1"]),
        },
    ),
    "seccomp.rule": (
        [
            {"call": "socket", "action": "allow", "args": [{"index": 0, "op": "==", "value": "AF_UNIX"}]},
            {"call": "clone", "action": "ENOSYS", "args": [{"index": 5, "op": "&", "value": 7}]},
        ],
        {
            "call": ({"action": "allow"}, ["A", "", 1, "@mount", None]),
            "action": ({"call": "socket"}, ["deny", "", 1, None]),
            "args": ({"call": "socket", "action": "kill"}, ["x", [1], [{}], [{"index": 0, "op": "=="}]]),
            "args ": (
                {"call": "socket", "action": "kill"},
                [[{"index": 0, "op": "==", "value": 0, **wrong}] for wrong in
                 [{"index": 6}, {"index": "0"}, {"op": "="}, {"value": -1}, {"value": "af unix"}, {"other": 1}]],
            ),
        },
    ),
}

#: What no key takes.
NEVER = [1.5, datetime.date(2000, 1, 1), {"nonsense": 1}, [{"nonsense": []}]]


def toml(value):
    """An inline value."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


def text(keys):
    """A spec of dotted keys."""
    return "".join(f"{key} = {toml(value)}\n" for key, value in keys.items())


def compatible(keys, key):
    """Whether a key can stand beside those: one that is a word cannot be a table as well."""
    return not any(key.startswith(other + ".") or other.startswith(key + ".") for other in keys)


def random_spec(random):
    """A few keys with values that are right by themselves; together they may contradict each other."""
    share, keys = random.uniform(0.03, 0.4), {}
    for key, (right, _) in random.sample(sorted(KEYS.items()), len(KEYS)):
        if random.random() < share and compatible(keys, key):
            keys[key] = random.choice(right)
    for key, (right, _) in ENTRIES.items():
        if random.random() < share:
            keys[key] = random.sample(right, random.randint(1, len(right)))
    return keys


def wrong_values():
    """Every wrong form of every key, each as the dotted keys that must be refused."""
    for key, (_, wrong) in KEYS.items():
        for value in [*wrong, *NEVER]:
            yield {key: value}
    for key, (_, entries) in ENTRIES.items():
        for value in [1, "x", {}, [1], 1.5]:
            yield {key: value}
        for inner, (entry, wrong) in entries.items():
            for value in wrong:
                yield {key: [{**entry, **({} if value is None else {inner.strip(): value})}]}
            yield {key: [{**entry, inner.strip(): NEVER[0]}]}
            yield {key: [{**entry, inner.strip(): NEVER[1]}]}
            yield {key: [{**entry, "nonsense": 1}]}
    for table in sorted({key.rpartition(".")[0] for key in KEYS}):
        yield {(table + "." if table else "") + "nonsense": 1}
        if table:
            yield {table: 1}
            yield {table: []}
