import JailSpec
import SpecFile

extension Check {
    static let identity: [Check] = [
        Check(
            "identity.user", 30, "where root launches, the command is the host's uid 0",
            advice: "an id of its own, or uid_map = \"auto\" for a root without the host's files"
        ) { $0.identity.hostRoot },
        Check(
            "identity.group", 8, "where root launches, the command is in the host's group 0",
            advice: "a group of its own, or gid_map = \"auto\""
        ) { $0.identity.hostRootGroup },
        Check(
            "identity.uid_map", 3, "the command can be more than one user",
            advice: "leave it out unless the command changes users"
        ) { $0.identity.uidMap },
        Check(
            "identity.gid_map", 2, "the command can be in more than one group",
            advice: "leave it out unless the command changes groups"
        ) { $0.identity.gidMap },
        Check("identity.groups", advice: "leave out the groups that nothing needs") { spec in
            guard let groups = spec.identity.groups else { return [] }
            return groups.value.map { group in
                let name: String =
                    switch group {
                    case .id(let id): "\(id)"
                    case .name(let name): name
                    }
                let weight = powerful[name] ?? 3
                let what = "what the group \(name) may" + (weight > 3 ? ", which is as good as root" : "")
                return Opening(weight: weight, what: what, origin: groups.position)
            }
        },
        Check(
            "identity.umask", 2, "files that the command makes can be changed by others",
            advice: "umask = \"022\", or \"077\""
        ) { $0.identity.umask?.found { $0 & 0o022 != 0o022 } },
    ]

    /// Groups whose members become root without a password, or read what root alone should.
    private static let powerful = [
        "0": 30, "root": 30, "docker": 60, "lxd": 60, "incus": 60, "disk": 50, "kmem": 50, "shadow": 25, "sudo": 25,
        "wheel": 25, "libvirt": 40,
    ]
}

extension Identity {
    /// The line by which the host's uid 0 can act inside.
    var hostRoot: Located<Account>? {
        if let map = uidMap { return map.value.reachesRoot ? Located(.id(0), at: map.position) : nil }
        return user?.found(Self.isRoot)
    }

    fileprivate var hostRootGroup: Located<Account>? {
        if let map = gidMap { return map.value.reachesRoot ? Located(.id(0), at: map.position) : nil }
        return group?.found(Self.isRoot)
    }

    private static func isRoot(_ account: Account) -> Bool { account == .id(0) || account == .name("root") }
}

extension Identity.IdentityMap {
    fileprivate var reachesRoot: Bool {
        if case .ranges(let ranges) = self { ranges.contains { $0.outside == 0 } } else { false }
    }
}
