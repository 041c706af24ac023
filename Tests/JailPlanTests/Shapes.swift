import JailPlan
import JailSpec
import SpecFile
import TestSupport
import Testing

/// Every kind of plan there is: what must hold for all plans is asked of each of these.
struct Shape: Sendable {
    let name: String
    let host: Host
    let text: String

    init(_ name: String, _ host: Host, _ text: String = "") {
        (self.name, self.host, self.text) = (name, host, text)
    }

    func plan() throws -> Plan { try JailPlanTests.plan(text, on: host) }

    static let all: [Shape] = [
        Shape("root", .root), Shape("user", .user),
        Shape("root as uid 0", .root, "identity.user = 0"), Shape("user as uid 0", .user, "identity.user = 0"),
        Shape("root, auto", .root, auto), Shape("user, auto", .user, auto),
        Shape("user, explicit maps", .user, maps),
        Shape("root, direct", .root, "namespaces.pid = \"host\""),
        Shape("user, direct", .user, "namespaces.pid = \"host\"\nfilesystem.proc = false"),
        Shape("root, pid host with a deadline", .root, "timeout = \"1s\"\nnamespaces.pid = \"host\""),
        Shape("root, user host", .root, "namespaces.user = \"host\""),
        Shape("user, nothing of its own", .user, allHost),
        Shape("root, user host, nothing else of its own", .root, allHost),
        Shape("root, root = host", .root, "filesystem.root = \"host\""),
        Shape("user, root = host", .user, "filesystem.root = \"host\""),
        Shape("root, a directory", .root, "filesystem.root = \"/srv/tree\""),
        Shape("user, an empty root", .user, "filesystem.root = \"empty\""),
        Shape("root, no init", .root, "process.init = false"),
        Shape(
            "root at a terminal",
            .root.with { ($0.standardInputIsTerminal, $0.standardOutputIsTerminal) = (true, true) }),
        Shape(
            "user at a terminal, dev = none",
            .user.with { ($0.standardInputIsTerminal, $0.standardOutputIsTerminal) = (true, true) },
            "filesystem.dev = \"none\""),
        Shape("root, joined", .root, joined), Shape("user, joined", .user, joined),
        Shape("root, all of it", .root, everything), Shape("user, all of it", .user, everything),
        Shape("root, all of it, user host", .root, "namespaces.user = \"host\"\n" + everything),
        Shape("root, a source that is made", .root, made), Shape("user, a source that is made", .user, made),
        Shape("root, landlock", .root, landlock), Shape("user, landlock", .user, landlock),
        Shape("user, landlock alone", .user, allHost + "\n" + landlock),
        Shape("root, landlock without no_new_privs", .root, "process.no_new_privs = false\n" + landlock),
        Shape("root, limits", .limited, limits), Shape("user, limits in a scope", .inSession, limits),
        Shape("root, limits, joined", .limited, limits + joined),
        Shape("a unit, direct, limits", .inUnit, "namespaces.pid = \"host\"\n" + limits),
        Shape("root, all of it, nested", .root, "namespaces.nested = true\n" + everything),
    ]

    static let auto = "[identity]\nuser = 1\ngroup = 1\nuid_map = \"auto\"\ngid_map = \"auto\"\n"

    static let made = "[[mount]]\ntarget = \"/m\"\nsource = \"/srv/m\"\ncreate = true\n"

    static let maps = """
        [identity]
        user = 5
        group = 6
        uid_map = [{ inside = 0, outside = 1000, count = 1 }, { inside = 1, outside = 100000, count = 10 }]
        gid_map = [{ inside = 0, outside = 1000, count = 1 }, { inside = 1, outside = 100000, count = 10 }]
        """

    static let allHost = """
        [namespaces]
        user = "host"
        mount = "host"
        pid = "host"
        net = "host"
        ipc = "host"
        uts = "host"
        cgroup = "host"
        """

    static let landlock = """
        [landlock]
        rx = ["/usr"]
        rw = ["/tmp"]
        bind_tcp = [80]
        scope = ["signal"]
        """
    static let limits = "[limits]\nmemory = \"64M\"\ncpu = \"50%\"\npids = 20\n"

    static let joined = """
        [namespaces]
        user = "/run/ns/user"
        net = "/run/ns/net"
        ipc = "/run/ns/ipc"
        """

    static let everything = """
        hostname = "jail"
        timeout = "1min"
        cwd = "/work"
        namespaces.time.monotonic = "-1h"
        [process]
        nice = 1
        oom_score_adj = 100
        cpus = "0"
        fds = [3]
        [identity]
        umask = "077"
        [capabilities]
        keep = ["net_bind_service"]
        [rlimits]
        nofile = "64:64"
        core = 0
        [filesystem]
        ro = ["/opt/sdk"]
        rw = ["/srv/data:/work"]
        hide = ["/usr/share/doc"]
        [[mount]]
        target = "/var/lib/a/b"
        type = "tmpfs"
        options = ["ro"]
        [[mount]]
        target = "/var/lib"
        type = "dir"
        [[mount]]
        target = "/var/link"
        type = "symlink"
        to = "lib"
        [[mount]]
        target = "/var/file"
        type = "file"
        content = "text"
        [[mount]]
        target = "/sys"
        type = "sysfs"
        [[mount]]
        target = "/dev/mqueue"
        type = "mqueue"
        [[mount]]
        target = "/sys/fs/cgroup"
        type = "cgroup"
        """
}
