import TestSupport

/// Specs made of lines that are right by themselves, `key = value` each, with a key at most once.
struct RandomSpec {
    let lines: [String]
    var text: String { lines.joined(separator: "\n") }

    /// From a handful of lines to most of them.
    init(using random: inout some RandomNumberGenerator) {
        let share = Int.random(in: 3...60, using: &random)
        var lines: [String] = []
        for (key, values) in Self.keys where Int.random(in: 0..<100, using: &random) < share {
            lines.append("\(key) = \(values.randomElement(using: &random) ?? "")")
        }
        let mounts = Self.mounts.filter { _ in Int.random(in: 0..<100, using: &random) < share / 2 }
        if !mounts.isEmpty {
            lines.append("mount = [\(mounts.map { "{ \($0) }" }.shuffled(using: &random).joined(separator: ", "))]")
        }
        self.lines = lines
    }

    private static let ranges =
        "[{ inside = 0, outside = 1000, count = 1 }, { inside = 1, outside = 100000, count = 9 }]"

    /// Every key with values that it may have.
    static let keys: [(String, [String])] = [
        ("command", [#"["make", "-j4"]"#, #"["sh", "-c", "echo \"$1\"\nexit\t\u0001 ä€😀"]"#]),
        ("cwd", [#""/src""#, #""/""#, #""/a/./b//c""#]), ("hostname", [#""jail""#]),
        ("timeout", [#""1ms""#, #""90min""#]), ("grace", [#""0s""#, #""2h""#]),
        ("filesystem.root", [#""system""#, #""host""#, #""empty""#, #""/srv/tree""#]),
        ("filesystem.writable", ["false", "true"]), ("filesystem.home", ["false", #""1G""#]),
        ("filesystem.changes", [#""discard""#, #""/srv/changes""#]),
        ("filesystem.ro", [#"["/opt/sdk", "/srv/data:/data"]"#, "[]"]),
        ("filesystem.rw", [#"["~/.cache:/cache"]"#, #"["./x:/x", "/srv/y:/deep/er/y"]"#]),
        ("filesystem.hide", [#"["/etc/ssh", "/usr/share/doc"]"#]), ("filesystem.proc", ["true", "false"]),
        ("filesystem.dev", [#""none""#, #""minimal""#, #""host""#]),
        ("filesystem.tmp", ["false", #""1G""#, "4096"]),
        ("namespaces.user", [#""new""#, #""host""#, #""/run/ns/user""#]),
        ("namespaces.mount", [#""new""#, #""new""#, #""new""#, #""host""#, #""/run/ns/mnt""#]),
        ("namespaces.pid", [#""new""#, #""host""#, #""/run/ns/pid""#]),
        ("namespaces.net", [#""new""#]), ("namespaces.ipc", [#""new""#, #""host""#, #""/run/ns/ipc""#]),
        ("namespaces.uts", [#""new""#, #""host""#]), ("namespaces.cgroup", [#""new""#, #""host""#]),
        (
            "namespaces.time",
            [#""host""#, #"{ monotonic = "-1h" }"#, #"{ boottime = "1500ms", monotonic = "-1500ms" }"#]
        ),
        ("namespaces.nested", ["true", "false"]),
        ("identity.user", ["0", #""root""#, "5", #""www-data""#]), ("identity.group", ["0", "1", #""audio""#]),
        ("identity.groups", ["[]", #"["audio", 7]"#]), ("identity.umask", [#""077""#, #""0""#]),
        ("identity.uid_map", [#""auto""#, ranges]), ("identity.gid_map", [#""auto""#, ranges]),
        ("capabilities.keep", ["[]", #"["net_bind_service"]"#, #"["sys_admin", "kill"]"#]),
        ("capabilities.bounding", ["[]", #"["chown", "kill"]"#]), ("capabilities.permitted", [#"["chown"]"#]),
        ("capabilities.inheritable", [#"["kill"]"#]), ("capabilities.effective", ["[]"]),
        ("capabilities.ambient", ["[]"]),
        ("process.no_new_privs", ["true", "false"]), ("process.init", ["true", "false"]),
        ("process.die_with_parent", ["true", "false"]), ("process.tty", [#""auto""#, #""inherit""#, #""none""#]),
        ("process.fds", ["[]", "[9, 3]"]), ("process.nice", ["-20", "19"]), ("process.oom_score_adj", ["-1000", "5"]),
        ("process.cpus", [#""0-2,7""#]), ("process.keyring", [#""new""#, #""inherit""#]),
        ("process.stop_signal", [#""SIGINT""#, #""SIGRTMIN+3""#, #""SIGRTMAX""#]),
        ("process.argv0", [#""-sh""#, #""""#]), ("process.jobserver", ["true", "false"]),
        ("process.locks", [#"["/usr/.ref", "/etc/x"]"#]),
        ("service.notify", [#""none""#, #""main""#, #""all""#, #""exec""#]), ("service.journal", ["true", "false"]),
        ("service.die_by_signal", ["true", "false"]), ("service.sockets", ["true", "false"]),
        ("service.credentials", ["true", "false"]), ("service.optional", ["true", "false"]),
        ("environment.keep", [#"["LANG", "LC_*"]"#, #"["*"]"#]),
        ("filesystem.devices", [#"["/dev/fuse", "/dev/dri:/dev/gpu"]"#]), ("environment.defaults", ["true", "false"]),
        ("environment.path", [#"["/opt/bin", "/srv"]"#]),
        ("environment.set", [#"{ CC = "gcc", "a b" = "\\ \" \n" }"#]),
        ("rlimits.nofile", [#""64:128""#, "9"]), ("rlimits.core", ["0", #""unlimited""#]),
        ("rlimits.as", [#""1G:unlimited""#]), ("rlimits.nice", ["20"]),
        ("limits.memory", [#""512M""#]), ("limits.memory_high", [#""400MB""#]), ("limits.swap", ["0", #""1K""#]),
        ("limits.cpu", [#""150%""#]), ("limits.cpu_weight", ["1", "10000"]), ("limits.cpus", [#""0-1""#]),
        ("limits.io_weight", ["1", "10000"]),
        ("limits.pids", ["64"]), ("seccomp.profile", [#""default""#, #""strict""#, #""none""#, #""/etc/oci.json""#]),
        ("seccomp.default", [#""EPERM""#, #""allow""#, #""kill""#, #""log""#, #""trap""#]),
        ("seccomp.allow", [#"["@system-service", "read"]"#]), ("seccomp.deny", [#"["ptrace", "@mount"]"#]),
        ("seccomp.bpf", ["[10]", "[11, 10]"]), ("seccomp.architectures", [#"["native"]"#, #"["x86", "x32"]"#]),
        ("seccomp.log", [#"["bpf"]"#]), ("seccomp.kill", [#"["reboot"]"#]),
        (
            "seccomp.rule",
            [
                #"[{ call = "socket", action = "allow", args = [{ index = 0, op = "==", value = "AF_UNIX" }] }]"#,
                #"[{ call = "clone", action = "ENOSYS", args = [{ index = 5, op = "&", value = 7 }] }]"#,
            ]
        ),
        ("landlock.ro", [#"["/usr", "/etc"]"#, "[]"]), ("landlock.rx", [#"["/usr/bin"]"#]),
        ("landlock.rw", [#"["/tmp"]"#]), ("landlock.rwx", [#"["/var/x"]"#]),
        ("landlock.bind_tcp", ["[]", "[80, 8080]"]),
        ("landlock.connect_tcp", ["[443]"]), ("landlock.scope", [#"["signal", "abstract_unix_socket"]"#, "[]"]),
        ("landlock.minimum_abi", ["6"]), ("network.mode", [#""none""#, #""user""#]),
    ]

    /// Mounts on targets of their own, every type with every key that it has.
    static let mounts = [
        #"target = "/m/bind", source = "/srv/b", options = ["ro", "noexec", "nosuid", "nodev", "nosymfollow"]"#,
        #"target = "/m/made", source = "/srv/made", create = true, mode = "0700""#,
        #"target = "/m/made-file", source = "/srv/made-file", create = "file""#,
        #"target = "/m/open", type = "bind", source = "rel", options = ["suid", "dev", "bind", "noatime"], optional = true"#,
        #"target = "/m/times", source = "/srv/t", options = ["rw", "exec", "strictatime", "nodiratime"], idmap = false"#,
        #"target = "/m", type = "tmpfs", size = "1M", inodes = 100, mode = "0700", options = ["ro", "relatime"]"#,
        #"target = "/m/tmpfs", type = "tmpfs""#, #"target = "/m/proc", type = "proc", options = ["ro"]"#,
        #"target = "/sys", type = "sysfs""#, #"target = "/m/pts", type = "devpts", options = ["nodev"]"#,
        #"target = "/dev/mqueue", type = "mqueue""#, #"target = "/sys/fs/cgroup", type = "cgroup""#,
        #"target = "/m/cgroup", type = "cgroup", options = ["rw"]"#,
        #"target = "/m/file", type = "file", content = "a\n\"b\"", mode = "0600""#,
        #"target = "/m/given", type = "file", content_fd = 0, mode = "0400", options = ["rw", "noexec"]"#,
        #"target = "/m/fuse", source = "/dev/fuse", device = "c 10:229", options = ["dev"]"#,
        #"target = "/m/passed", source_fd = 1, options = ["ro"]"#,
        #"target = "/m/perhaps", type = "dir", mode = "0700", optional = true"#,
        #"target = "/m/image", type = "image", source = "/srv/image.squashfs", offset = 512, optional = true"#,
        #"target = "/m/link", type = "symlink", to = "../x y""#, #"target = "/m/dir", type = "dir", mode = "1777""#,
    ]

    /// Those that the random hosts have nothing for: they are printed and read again.
    static let laterMounts = [
        #"target = "/o/image", type = "image", source = "/srv/image", idmap = true"#,
        #"target = "/o/written", type = "image", source = "/srv/written", options = ["rw"]"#,
        #"target = "/o/overlay", type = "overlay", lower = ["/a", "/b"], quota = "1G""#,
        #"target = "/o/upper", type = "overlay", lower = ["/c"], upper = "/d", work = "/e", optional = true, record = false"#,
    ]
}
