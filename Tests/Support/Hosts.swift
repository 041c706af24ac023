package import JailPlan
import JailSpec

/// Callers and machines that are values: none of them is the one that runs the tests.
extension Host {
    /// Root on a machine with a merged /usr.
    package static let root = machine { host in
        (host.uid, host.gid, host.isPrivileged, host.callerName) = (0, 0, true, "root")
        host.subordinateUsers = [.init(inside: 0, outside: 200_000, count: 65_536)]
        host.subordinateGroups = [.init(inside: 0, outside: 200_000, count: 65_536)]
    }

    /// An ordinary user, in one group besides the own.
    package static let user = machine { host in
        (host.uid, host.gid, host.callerName, host.supplementary) = (1000, 1000, "ada", [1000, 27])
        host.subordinateUsers = [.init(inside: 0, outside: 100_000, count: 65_536)]
        host.subordinateGroups = [.init(inside: 0, outside: 100_000, count: 65_536)]
    }

    /// An ordinary user in no other group.
    package static let loner = user.with { $0.supplementary = [] }

    /// Root on a plain host with cgroups of version 2, not in charge of systemd.
    package static let limited = root.with { host in
        host.controlGroups = .unified.with { groups in
            groups.own = .init(path: "/").with { $0.type = nil }
        }
    }

    /// Root in a unit with `Delegate=yes`.
    package static let inUnit = root.with { host in
        host.controlGroups = .unified.with { groups in
            (groups.isManaged, groups.manager) = (true, .system)
            groups.own = .init(path: "/system.slice/a.service").with { $0.isDelegated = true }
            groups.parent = .init(path: "/system.slice")
        }
    }

    /// An ordinary user who has logged in where systemd runs.
    package static let inSession = loner.with { host in
        host.controlGroups = .unified.with { groups in
            (groups.isManaged, groups.manager) = (true, .user)
            groups.own = .init(path: "/user.slice/user-1000.slice/session-1.scope").with { $0.isWritable = false }
            groups.parent = .init(path: "/user.slice/user-1000.slice").with { $0.isWritable = false }
        }
    }

    /// The same host, changed.
    package func with(_ change: (inout Host) -> Void) -> Host {
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
            host.environment = ["TERM=xterm", "LANG=C.UTF-8", "LC_ALL=C", "SECRET=s"]
            fill(&host)
        }
    }
}

extension ControlGroups {
    /// Only version 2, with every controller.
    package static let unified = ControlGroups().with { groups in
        groups.mount = "/sys/fs/cgroup"
        groups.available = ["cpu", "cpuset", "io", "memory", "pids"]
    }

    package func with(_ change: (inout ControlGroups) -> Void) -> ControlGroups {
        var groups = self
        change(&groups)
        return groups
    }
}

extension ControlGroups.Group {
    /// The same group, changed; first of all the caller may write to it, and it has every controller.
    package func with(_ change: (inout ControlGroups.Group) -> Void) -> ControlGroups.Group {
        var group = self
        group.isWritable = true
        group.controllers = ["cpu", "cpuset", "io", "memory", "pids"]
        change(&group)
        return group
    }
}

extension HostNetwork {
    /// A host with one interface, IPv4 and IPv6, and all programs.
    package static let wired = {
        var host = HostNetwork()
        (host.stack, host.hasRules) = (.pasta, true)
        host.hasRoute = NetworkProvision.Families(four: true, six: true)
        host.own = ["10.50.0.2", "2001:db8:1::2"].compactMap { IPAddress($0[...]) }.map(AddressRange.init)
        host.gateways = ["10.50.0.1"].compactMap { IPAddress($0[...]) }
        host.resolvers = ["10.55.0.53"].compactMap { IPAddress($0[...]) }
        return host
    }()
}
