import JailSpec
package import SpecFile

/// An id that a name of the spec came to.
package struct NamedID: Equatable, Sendable {
    /// Which key has the name; the group of a user is in passwd(5) beside it.
    package enum Key: Sendable { case user, groupOfUser, group, groups }

    let key: Key
    let name: String
    let inside: UInt32
    /// The id of the host that it stands for; nil where the namespace that is joined decides it.
    fileprivate(set) var outside: UInt32?
    package let origin: Position?
    /// Whether a file decided it that is part of the jail's own tree, and so may be anybody's.
    let isOfTree: Bool

    init(_ key: Key, _ name: String, _ inside: UInt32, at origin: Position?, isOfTree: Bool) {
        (self.key, self.name, self.inside, self.origin) = (key, name, inside, origin)
        // These names mean the same number everywhere, whatever a file says.
        let isSettled =
            name == "root" && inside == 0 || inside == Planner.nobody && ["nobody", "nogroup"].contains(name)
        self.isOfTree = isOfTree && !isSettled
    }

    /// As `immure plan` says it.
    package var words: String {
        let id = isUser ? "uid" : "gid"
        let what = key == .user ? "user " : key == .groupOfUser ? "the group of user " : "group "
        let host = outside.map { "\(id) \($0) of the host" } ?? "an id of the namespace that is joined"
        return what + "\(quoted(name)): \(id) \(inside), \(host)"
    }

    var isUser: Bool { key == .user }

    /// The key with the number in place of the name.
    var asNumber: String {
        switch key {
        case .user: "identity.user = \(inside)"
        case .groupOfUser, .group: "identity.group = \(inside)"
        case .groups: "identity.groups = [\(inside)]"
        }
    }

    var file: String { key == .user || key == .groupOfUser ? "passwd" : "group" }
}

extension Planner {
    /// Looks a name up in group(5) of the jail's tree.
    mutating func lookUpGroup(_ name: String, for key: NamedID.Key, at position: Position?) -> UInt32 {
        let found = host.group(named: name)
        let settled: UInt32? = name == "root" ? 0 : name == "nogroup" || name == "nobody" ? Self.nobody : nil
        guard let gid = found ?? settled else {
            fault("group \"\(name)\": not in the jail's /etc/group", at: position, hint: "write the number")
            return Self.nobody
        }
        names.append(NamedID(key, name, gid, at: position, isOfTree: readsForeignAccounts && found != nil))
        return gid
    }

    /// Looks a name up in passwd(5) of the jail's tree.
    mutating func lookUpUser(_ name: String, at position: Position?) -> UInt32 {
        let found = host.user(named: name)?.uid
        let settled: UInt32? = name == "root" ? 0 : name == "nobody" ? Self.nobody : nil
        guard let uid = found ?? settled else {
            fault("user \"\(name)\": not in the jail's /etc/passwd", at: position, hint: "write the number")
            return Self.nobody
        }
        names.append(NamedID(.user, name, uid, at: position, isOfTree: readsForeignAccounts && found != nil))
        return uid
    }

    /// Notes that a line of passwd(5) has decided the group.
    mutating func nameGroup(of account: Host.User) {
        guard readsForeignAccounts, let user = spec.identity.user else { return }
        // The group of uid 0 is no more than that user is.
        let name = account.uid == 0 && account.gid == 0 ? "root" : account.name
        names.append(NamedID(.groupOfUser, name, account.gid, at: user.position, isOfTree: true))
    }

    var readsForeignAccounts: Bool { host.accountsRoot != nil }

    /// Says which ids of the host the names stand for. Whoever can write the tree that a name was looked up in would choose
    /// one: root's launch refuses what the spec does not write as a number, unless a map leads it to another id.
    mutating func settleNames(_ identity: ResolvedIdentity) {
        for index in names.indices {
            let name = names[index]
            let map = name.isUser ? spec.identity.uidMap : spec.identity.gidMap
            var range: Identity.Range?
            if let maps = identity.maps {
                range = (name.isUser ? maps.users : maps.groups).first {
                    name.inside >= $0.inside && name.inside - $0.inside < $0.count
                }
                names[index].outside = range.map { $0.outside + (name.inside - $0.inside) }
            } else if spec.namespaces[.user].value.isHost {
                names[index].outside = name.inside
            }
            guard host.isPrivileged, name.isOfTree, let root = host.accountsRoot else { continue }
            // A line of a map for this one id has the number that is asked for.
            let isWritten = range?.count == 1 && map != nil
            let isElsewhere = names[index].outside.map { $0 != name.inside } ?? (identity.maps != nil)
            guard !isWritten && !isElsewhere else { continue }
            fault(
                "\(names[index].words), as \(root)/etc/\(name.file) has it, which is not the host's: no id of the host is "
                    + "chosen there",
                at: name.origin,
                hint: "write the number, \(name.asNumber), or have a map lead it elsewhere, "
                    + "identity.\(name.isUser ? "uid" : "gid")_map = \"auto\"")
        }
        plan.namedIDs = names
    }
}
