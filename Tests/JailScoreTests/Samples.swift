import JailScore
import JailSpec
import SpecFile
import TestSupport
import Testing

func score(_ text: String) throws -> Score { Score(of: try spec(text)) }

/// What a line does to the jail of the empty spec.
enum Effect { case opens, narrows, neither }

/// Every key of a spec by itself, with what it does: a key that is missing here has not been thought about.
let samples: [(text: String, effect: Effect)] = [
    ("command = [\"make\"]", .neither), ("cwd = \"/src\"", .neither), ("hostname = \"jail\"", .neither),
    ("timeout = \"1min\"", .neither), ("grace = \"1s\"", .neither),

    ("filesystem.root = \"system\"", .neither), ("filesystem.root = \"host\"", .opens),
    ("filesystem.root = \"empty\"", .narrows), ("filesystem.root = \"/srv/tree\"", .opens),
    ("filesystem = { root = \"/srv/tree\", writable = true }", .opens), ("filesystem.writable = false", .neither),
    ("filesystem.ro = [\"/opt/sdk\"]", .opens), ("filesystem.rw = [\"/srv/data\"]", .opens),
    ("filesystem.hide = [\"/etc/ssh\"]", .narrows), ("filesystem.hide = [\"/nonexistent\"]", .neither),
    ("filesystem.proc = false", .narrows),
    ("filesystem.proc = true", .neither), ("filesystem.dev = \"host\"", .opens),
    ("filesystem.devices = [\"/dev/fuse\"]", .opens), ("filesystem.dev = \"none\"", .narrows),
    ("filesystem.tmp = false", .narrows),
    ("filesystem.tmp = \"1G\"", .neither), ("filesystem.tmp = \"1M\"", .neither), ("filesystem.shm = \"1G\"", .neither),
    ("filesystem.shm = false", .neither), ("filesystem.home = \"1G\"", .neither), ("filesystem.home = false", .neither),
    ("filesystem.writable = true", .opens), ("filesystem = { root = \"host\", writable = true }", .opens),

    ("filesystem.changes = \"discard\"", .neither), ("filesystem.changes = \"/srv/changes\"", .neither),

    (mount("type = \"bind\"\nsource = \"/srv\""), .opens),
    (mount("type = \"bind\"\nsource = \"/srv\"\noptions = [\"ro\"]"), .opens),
    (mount("source = \"/srv\"\noptional = true\nidmap = true"), .opens),
    (mount("source = \"/srv\"\ncreate = true\nmode = \"0700\""), .opens), ("filesystem.ro = [\"/opt/*\"]", .opens),
    ("filesystem.hide = [\"/usr/share/*\"]", .narrows),
    ("mount = [{ target = \"/opt/*\", source = \"/opt/*\", pattern = true, optional = true }]", .opens),
    (mount("type = \"tmpfs\""), .opens),
    (mount("type = \"tmpfs\"\nsize = \"1M\"\ninodes = 9\nmode = \"0700\""), .neither),
    (mount("type = \"overlay\"\nlower = [\"/srv\"]\nquota = \"1G\""), .opens),
    (mount("type = \"overlay\"\nlower = [\"/srv\"]\nupper = \"/a\"\nwork = \"/b\""), .opens),
    (mount("type = \"overlay\"\nlower = [\"/srv\"]\nupper = \"/a\"\nwork = \"/b\"\nrecord = false"), .opens),
    (mount("source = \"/dev/fuse\"\ndevice = \"c 10:229\""), .opens),
    (mount("source_fd = 5"), .opens), (mount("type = \"file\"\ncontent_fd = 5"), .neither),
    (mount("type = \"proc\""), .opens), (mount("type = \"sysfs\""), .opens), (mount("type = \"devpts\""), .opens),
    (mount("type = \"mqueue\""), .opens), (mount("type = \"cgroup\""), .opens),
    (mount("type = \"cgroup\"\noptions = [\"rw\"]"), .opens), (mount("type = \"file\"\ncontent = \"x\""), .neither),
    (mount("type = \"symlink\"\nto = \"usr/bin\""), .neither), (mount("type = \"dir\""), .neither),
    (mount("type = \"image\"\nsource = \"/srv/image\""), .opens),
    (mount("type = \"image\"\nsource = \"/srv/image\"\noffset = 40960"), .opens),
    (mount("type = \"image\"\nsource = \"/srv/image\"\noptions = [\"rw\"]"), .opens),

    ("namespaces.user = \"host\"", .opens), ("namespaces.mount = \"host\"", .opens),
    ("namespaces.pid = \"host\"", .opens), ("namespaces.net = \"host\"", .opens), ("namespaces.ipc = \"host\"", .opens),
    ("namespaces.uts = \"host\"", .opens), ("namespaces.cgroup = \"host\"", .opens),
    ("namespaces.time = \"host\"", .neither), ("namespaces.time.monotonic = \"1h\"", .neither),
    ("namespaces.time.boottime = \"1h\"", .neither), ("namespaces.nested = true", .opens),
    ("namespaces.user = \"new\"", .neither), ("namespaces.user = \"/run/ns/user\"", .opens),
    ("namespaces.mount = \"/run/ns/mnt\"", .opens), ("namespaces.pid = \"/run/ns/pid\"", .opens),
    ("namespaces.net = \"/run/ns/net\"", .opens), ("namespaces.ipc = \"/run/ns/ipc\"", .opens),
    ("namespaces.uts = \"/run/ns/uts\"", .opens), ("namespaces.cgroup = \"/run/ns/cgroup\"", .opens),
    ("namespaces.time = \"/run/ns/time\"", .opens),

    ("identity.user = \"root\"", .opens), ("identity.user = 0", .opens), ("identity.user = 1000", .opens),
    ("identity.user = \"nobody\"", .neither), ("identity.user = 65534", .neither),
    ("identity.group = 0", .opens), ("identity.group = 1000", .opens), ("identity.group = \"disk\"", .opens),
    ("identity.group = \"nogroup\"", .neither), ("identity.groups = [27]", .opens),
    ("identity.groups = []", .neither), ("identity.umask = \"077\"", .neither), ("identity.umask = \"000\"", .opens),
    ("identity.uid_map = \"auto\"", .opens), ("identity.gid_map = \"auto\"", .opens),
    ("identity.uid_map = [{ inside = 5, outside = 0, count = 1 }]", .opens),

    ("capabilities.keep = [\"net_bind_service\"]", .opens), ("capabilities.bounding = [\"kill\"]", .opens),
    ("capabilities.permitted = [\"kill\"]", .opens), ("capabilities.keep = []", .neither),
    ("capabilities = { permitted = [\"kill\"], effective = [\"kill\"] }", .opens),
    ("capabilities = { bounding = [\"kill\"], inheritable = [\"kill\"] }", .opens),
    (
        "capabilities = { bounding = [\"kill\"], permitted = [\"kill\"], inheritable = [\"kill\"], ambient = [\"kill\"] }",
        .opens
    ),

    ("process.no_new_privs = false", .opens), ("process.no_new_privs = true", .neither),
    ("process.init = false", .neither), ("process.die_with_parent = false", .opens),
    ("process.tty = \"inherit\"", .opens), ("process.tty = \"none\"", .neither), ("process.fds = [3]", .opens),
    ("process.nice = 5", .neither), ("process.nice = -5", .opens), ("process.oom_score_adj = -5", .opens),
    ("process.oom_score_adj = 5", .neither), ("process.cpus = \"0\"", .neither),
    ("process.keyring = \"inherit\"", .opens), ("process.stop_signal = \"SIGINT\"", .neither),
    ("process.locks = [\"/usr/.ref\"]", .neither), ("process.argv0 = \"sh\"", .neither),
    ("process.boot = false", .neither), ("process.jobserver = true", .opens), ("process.jobserver = false", .neither),

    ("service.notify = \"main\"", .opens), ("service.notify = \"none\"", .neither),
    ("service.notify = \"exec\"", .neither), ("service.journal = true", .opens),
    ("service.die_by_signal = true", .neither),
    ("service.sockets = true", .opens), ("service.credentials = true", .opens), ("service.optional = true", .neither),

    ("environment.defaults = false", .neither), ("environment.path = [\"/opt/bin\"]", .neither),
    ("environment = { keep = [\"LANG\"], unset = [\"LC_ALL\"] }", .opens), ("environment.keep = [\"LANG\"]", .opens),
    ("environment.set = { CC = \"gcc\" }", .neither),
    ("rlimits.nofile = 9", .neither), ("rlimits.core = \"unlimited\"", .opens),

    ("limits.memory = \"1G\"", .narrows), ("limits.memory = \"8000G\"", .neither),
    ("limits.memory_high = \"1G\"", .neither), ("limits.swap = 0", .neither),
    ("limits.cpu = \"50%\"", .narrows), ("limits.cpu_weight = 9", .neither), ("limits.cpus = \"0\"", .neither),
    ("limits.io_weight = 9", .neither),
    ("limits.scope = \"own\"", .neither), ("limits.pids = 9", .narrows), ("limits.pids = 4000000", .neither),
    ("[[limits.io]]\ndevice = \"/var\"\nrbps = 1\nwbps = 1", .neither),
    ("[[limits.io]]\ndevice = \"/var\"\nriops = 1\nwiops = 1\nweight = 9", .neither),

    ("seccomp.bpf = [10]", .neither), ("seccomp.architectures = [\"native\"]", .neither),
    ("seccomp.architectures = [\"native\", \"x86\"]", .opens),
    ("seccomp.profile = \"default\"", .neither), ("seccomp.profile = \"strict\"", .narrows),
    ("seccomp.profile = \"none\"", .opens), ("seccomp.profile = \"/etc/oci.json\"", .opens),
    ("seccomp.default = \"allow\"", .opens), ("seccomp.default = \"EPERM\"", .narrows),
    ("seccomp = { default = \"EPERM\", allow = [\"@known\"] }", .opens),
    ("seccomp.allow = [\"@mount\"]", .opens), ("seccomp.allow = [\"read\"]", .opens),
    ("seccomp.deny = [\"ptrace\"]", .neither), ("seccomp.log = [\"bpf\"]", .opens),
    ("seccomp.kill = [\"ptrace\"]", .neither),
    ("[[seccomp.rule]]\ncall = \"socket\"\naction = \"allow\"\nargs = [{ index = 0, op = \"==\", value = 1 }]", .opens),
    ("[[seccomp.rule]]\ncall = \"socket\"\naction = \"EPERM\"", .neither),

    ("landlock.ro = [\"/usr\"]", .narrows), ("landlock.rx = [\"/usr\"]", .narrows),
    ("landlock.rw = [\"/usr\"]", .narrows), ("landlock.rwx = [\"/usr\"]", .narrows),
    ("landlock.rwx = [\"/\"]", .neither),
    ("landlock.bind_tcp = [80]", .neither), ("landlock.connect_tcp = [80]", .neither),
    ("landlock.scope = [\"signal\"]", .neither), ("landlock.minimum_abi = 4", .neither),

    ("network.mode = \"none\"", .neither), ("network.mode = \"host\"", .opens), ("network.mode = \"user\"", .opens),
    ("network.mode = \"veth\"", .opens),
    (
        "network = { mode = \"macvlan\", parent = \"eth0\", address = [\"10.9.0.2/24\"], gateway = \"10.9.0.1\" }",
        .opens
    ),
    ("network = { mode = \"ipvlan\", parent = \"eth0\", address = [\"10.9.0.2/24\"], gateway = \"10.9.0.1\" }", .opens),
    ("network = { mode = \"user\", publish = [\"8080:80\"] }", .opens),
    ("network = { mode = \"user\", allow = [\"10.0.0.0/8\"], dns = [\"10.0.0.53\"] }", .opens),
]

private func mount(_ keys: String) -> String { "[[mount]]\ntarget = \"/m\"\n" + keys }
