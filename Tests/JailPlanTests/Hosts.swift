import JailPlan
import JailSpec

/// Callers and machines that are values: none of them is the one that runs the tests.
extension Host {
    /// Root on a machine with a merged /usr.
    static let root = machine { host in
        (host.uid, host.gid, host.isPrivileged, host.callerName) = (0, 0, true, "root")
        host.subordinateUsers = [.init(inside: 0, outside: 200_000, count: 65_536)]
        host.subordinateGroups = [.init(inside: 0, outside: 200_000, count: 65_536)]
    }

    /// An ordinary user, in one group besides the own.
    static let user = machine { host in
        (host.uid, host.gid, host.callerName, host.supplementary) = (1000, 1000, "ada", [1000, 27])
        host.subordinateUsers = [.init(inside: 0, outside: 100_000, count: 65_536)]
        host.subordinateGroups = [.init(inside: 0, outside: 100_000, count: 65_536)]
    }

    /// An ordinary user in no other group.
    static let loner = user.with { $0.supplementary = [] }

    /// The same host, changed.
    func with(_ change: (inout Host) -> Void) -> Host {
        var host = self
        change(&host)
        return host
    }

    private static func machine(_ fill: (inout Host) -> Void) -> Host {
        Host().with { host in
            host.rootEntries = [
                RootEntry(name: "bin", link: "usr/bin"), RootEntry(name: "etc", link: nil),
                RootEntry(name: "lib", link: "usr/lib"), RootEntry(name: "usr", link: nil),
            ]
            host.users = [
                User(name: "root", uid: 0, gid: 0, home: "/root", shell: "/bin/bash"),
                User(name: "ada", uid: 1000, gid: 1000, home: "/home/ada", shell: "/bin/bash"),
                User(name: "www-data", uid: 33, gid: 33, home: "/var/www", shell: "/usr/sbin/nologin"),
                User(name: "nobody", uid: 65534, gid: 65534, home: "/nonexistent", shell: "/usr/sbin/nologin"),
            ]
            host.groups = [Group(name: "root", gid: 0), Group(name: "audio", gid: 29), Group(name: "ada", gid: 1000)]
            host.landlockABI = 7
            host.environment = [("TERM", "xterm"), ("LANG", "C.UTF-8"), ("LC_ALL", "C"), ("SECRET", "s")]
            fill(&host)
        }
    }
}
