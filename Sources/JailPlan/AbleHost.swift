package import JailSpec
package import SpecFile

extension Spec {
    /// What keeps the spec from being launched wherever, and by whomever: lines that contradict each other.
    ///
    /// Planned for root and for an ordinary user of hosts that have all that it could ask for. What only one of the two may do is no
    /// fault. Where neither can launch it, root's faults are told, unless all that stops the user stops root as well.
    package var contradictions: [Diagnostic] {
        var spec = self
        if spec.command == nil { spec.command = Located(["true"]) }
        var told: [Diagnostic] = []
        // A name may be any id's, root's too, which loses no capability as the command is executed.
        for id in identity.namesUser ? [AbleHost.ordinary, 0] : [AbleHost.ordinary] {
            let asRoot = Planner.faults(spec, on: AbleHost(spec, isRoot: true, named: id).host)
            if asRoot.isEmpty { return [] }
            let asUser = Planner.faults(spec, on: AbleHost(spec, isRoot: false, named: id).host)
            if asUser.isEmpty { return [] }
            if told.isEmpty { told = asUser.allSatisfy({ asRoot.contains($0) }) ? asUser : asRoot }
        }
        return told
    }
}

extension Planner {
    fileprivate static func faults(_ spec: Spec, on host: Host) -> [Diagnostic] {
        switch plan(spec, on: host) {
        case .success: []
        case .failure(let faults): faults.diagnostics
        }
    }
}

extension Identity {
    fileprivate var namesUser: Bool { if case .name? = user?.value { true } else { false } }
}

/// A host that can do whatever a spec asks of one: what is refused here is refused everywhere.
struct AbleHost {
    /// The caller's id, where that is not root, and that of every name.
    static let ordinary: UInt32 = 1000

    private(set) var host = Host()
    private let spec: Spec

    init(_ spec: Spec, isRoot: Bool, named id: UInt32) {
        self.spec = spec
        (host.isPrivileged, host.isRealRoot) = (isRoot, isRoot)
        (host.uid, host.gid) = isRoot ? (0, 0) : (caller(in: spec.identity.uidMap), caller(in: spec.identity.gidMap))
        host.callerName = isRoot ? "root" : "user"
        host.subordinateUsers = [.init(inside: 0, outside: 100_000, count: 65_536)]
        host.subordinateGroups = host.subordinateUsers
        host.rootEntries = ["bin", "lib", "lib64", "sbin"].map { .init(name: $0, link: "usr/\($0)") }
        host.rootEntries += ["etc", "usr"].map { .init(name: $0, link: nil) }
        host.landlockABI = .max
        host.lastCapability = 63
        addNames(id)
        addMatches()
        addImages()
        addNetwork()
        addLimits()
        (host.service.notifySocket, host.service.socketCount) = ("/run/systemd/notify", 1)
        host.service.credentials = "/run/credentials/immure.service"
    }

    /// Every name that the spec has, by an id that its maps have as well.
    private mutating func addNames(_ id: UInt32) {
        if case .directory(let path) = spec.filesystem.root.value, spec.namespaces[.mount].value.isNew {
            host.accountsRoot = path
        }
        let group = Self.id(Self.ordinary, in: spec.identity.gidMap?.value)
        if case .name(let name)? = spec.identity.user?.value {
            let user = id == 0 ? 0 : Self.id(id, in: spec.identity.uidMap?.value)
            host.users.append(.init(name: name, uid: user, gid: group, home: "/home/\(name)", shell: "/bin/sh"))
        }
        let groups = (spec.identity.group.map { [$0.value] } ?? []) + (spec.identity.groups?.value ?? [])
        for case .name(let name) in groups {
            host.groups.append(.init(name: name, gid: group))
        }
    }

    /// Where the spec names nobody, the command is the caller: one whom the map has.
    private func caller(in map: Located<Identity.IdentityMap>?) -> UInt32 {
        let id = Self.id(Self.ordinary, in: map?.value)
        return id == 0 ? Self.ordinary : id
    }

    private static func id(_ wanted: UInt32, in map: Identity.IdentityMap?) -> UInt32 {
        guard case .ranges(let ranges)? = map, let first = ranges.first else { return wanted }
        if ranges.contains(where: { wanted >= $0.inside && wanted - $0.inside < $0.count }) { return wanted }
        return first.inside == 0 && first.count > 1 ? 1 : first.inside
    }

    /// One path for each pattern, which is no other line's.
    private mutating func addMatches() {
        for mount in spec.filesystem.mounts where mount.isPattern {
            host.matches.append(
                PatternMatches(mount.target, isOfJail: mount.source == .hidden, paths: [mount.target]))
        }
    }

    /// The one format that may be written to.
    private mutating func addImages() {
        for mount in spec.filesystem.mounts {
            guard case .image(let path, let offset) = mount.source else { continue }
            host.images.files.append(.init(path: path, written: offset, format: .ext4, offset: offset ?? 0))
        }
        host.images.servers = ["squashfuse", "fuse2fs"]
        (host.images.hasFuseOverlayfs, host.images.opensFuse) = (true, true)
    }

    private mutating func addNetwork() {
        (host.network.stack, host.network.hasRules, host.network.forwards) = (.pasta, true, true)
        host.network.hasRoute = .init(four: true, six: true)
        // RFC 5737: of no network.
        host.network.gateways = [IPAddress(bytes: [192, 0, 2, 1])]
        host.network.resolvers = [IPAddress(bytes: [192, 0, 2, 53])]
    }

    private mutating func addLimits() {
        guard let limits = spec.limits?.value else { return }
        let controllers = ["cpu", "cpuset", "io", "memory", "pids"]
        var groups = ControlGroups()
        (groups.uid, groups.mount, groups.available) = (host.uid, "/sys/fs/cgroup", controllers)
        (groups.manager, groups.scope) = (host.isPrivileged ? .system : .user, limits.scope.value)
        var own = ControlGroups.Group(path: "/")
        (own.type, own.controllers, own.isWritable) = (nil, controllers, true)
        groups.own = own
        groups.devices = limits.io.map { _ in .disk(major: 8, minor: 0, sharing: .cost) }
        host.controlGroups = groups
    }
}
