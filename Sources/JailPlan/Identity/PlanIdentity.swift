import JailSpec
import SpecFile

/// Who the command is, with every name looked up.
struct ResolvedIdentity {
    var user: UInt32
    var group: UInt32
    /// nil keeps what the caller has.
    var supplementary: [UInt32]?
    /// nil where no user namespace is made.
    var maps: IdentityMaps?
    var mapOrigin: Position?
    /// Whether the ids must be set: not where they are what the process has already.
    var mustChange: Bool
    var account: Host.User?
    /// Whether the host's uid 0 can act inside, so that files of procfs and sysfs owned by it are open to the command.
    var reachesHostRoot: Bool
}

extension Planner {
    /// The id that no file of the host should belong to, user_namespaces(7).
    package static let nobody: UInt32 = 65534

    mutating func resolveIdentity() -> ResolvedIdentity {
        let user = resolveUser()
        let account = host.user(withID: user)
        let group = resolveGroup(account)
        let groups = resolveSupplementary()
        var identity = ResolvedIdentity(
            user: user, group: group, supplementary: groups, maps: nil,
            mapOrigin: (spec.identity.uidMap?.position ?? spec.identity.gidMap?.position)
                ?? spec.identity.user?.position,
            mustChange: true, account: account, reachesHostRoot: false)
        if isNew(.user) {
            resolveMaps(&identity)
        } else {
            checkHostIdentity(&identity)
        }
        if !names.isEmpty { settleNames(identity) }
        return identity
    }

    /// The caller's own id, or nobody's where the caller is uid 0.
    private mutating func resolveUser() -> UInt32 {
        guard let written = spec.identity.user else { return host.uid == 0 ? Self.nobody : host.uid }
        switch written.value {
        case .id(let uid): return uid
        case .name(let name): return lookUpUser(name, at: written.position)
        }
    }

    /// The caller's own, or the named user's primary group, or nogroup's where the caller is uid 0.
    private mutating func resolveGroup(_ account: Host.User?) -> UInt32 {
        if let written = spec.identity.group { return resolve(group: written.value, for: .group, at: written.position) }
        if spec.identity.user != nil, let account {
            nameGroup(of: account)
            return account.gid
        }
        if case .id(0)? = spec.identity.user?.value { return 0 }
        if case .name("root")? = spec.identity.user?.value { return 0 }
        return host.uid == 0 ? Self.nobody : host.gid
    }

    private mutating func resolve(group: Identity.Account, for key: NamedID.Key, at position: Position?) -> UInt32 {
        switch group {
        case .id(let gid): return gid
        case .name(let name): return lookUpGroup(name, for: key, at: position)
        }
    }

    private mutating func resolveSupplementary() -> [UInt32]? {
        var wanted: [UInt32] = []
        if let written = spec.identity.groups {
            for group in written.value { wanted.append(resolve(group: group, for: .groups, at: written.position)) }
        }
        if (host.isPrivileged && host.canSetGroups) || spec.identity.gidMap?.value == .automatic { return wanted }
        let held = host.supplementary.filter { $0 != host.gid }
        if let written = spec.identity.groups {
            guard !held.isEmpty || !wanted.isEmpty else { return nil }
            fault(
                "groups: an ordinary user cannot change supplementary groups (\(held.count) held)",
                at: written.position,
                hint: host.canSetGroups
                    ? "remove the line to keep them, \(Remedy.launchAsRoot), or set gid_map = \"auto\""
                    : "setgroups(2) is denied in this user namespace, which is that of a unit with PrivateUsers=: remove the line to "
                        + "keep what SupplementaryGroups= gives, or have root launch with PrivateUsers=no")
        } else if !held.isEmpty {
            note("the caller's \(held.count) supplementary groups stay: only root can drop them", at: nil)
        }
        return nil
    }

    /// Without a user namespace of the jail's own there is nothing to map, and only root can become somebody else.
    private mutating func checkHostIdentity(_ identity: inout ResolvedIdentity) {
        for map in [spec.identity.uidMap, spec.identity.gidMap] {
            guard let map else { continue }
            fault(
                "an id map needs a user namespace of the jail's own", at: map.position,
                hint: "remove it, or \(Remedy.own(.user))")
        }
        let joins = !spec.namespaces[.user].value.isHost
        if joins && spec.identity.user == nil && host.uid != 0 {
            identity.mustChange = false
        } else if !host.isPrivileged && !joins {
            identity.mustChange = false
            if identity.user != host.uid || identity.group != host.gid {
                fault(
                    "only root can become uid \(identity.user), gid \(identity.group) in the host's user namespace",
                    at: (spec.identity.user ?? spec.identity.group)?.position,
                    hint: Remedy.own(.user))
            }
        }
        identity.reachesHostRoot = identity.user == 0 || (joins && host.isPrivileged)
    }
}
