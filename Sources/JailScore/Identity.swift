import JailSpec
import SpecFile

extension Check {
    static let identity: [Check] = [
        Check(
            "identity.user", Weight.hostRoot, "where root launches, the command is the host's uid 0",
            advice: "an id of its own, or uid_map = \"auto\" for a root without the host's files"
        ) { $0.identity.hostRoot },
        Check(
            "identity.user", advice: "leave it out: nobody, where root launches; or a number that no file belongs to"
        ) { spec in
            // As root every id is mapped to the host's own of that number, unless a map says otherwise.
            guard spec.identity.uidMap == nil, spec.identity.hostRoot == nil, let user = spec.identity.user,
                !user.value.isNobody
            else { return [] }
            let what = "where root launches, the command is the host's user \(user.value.text)"
            guard !user.value.isSubordinate else {
                return [Opening(weight: Weight.perhapsAUser, what: what + ", if there is one", origin: user.position)]
            }
            return [spec.user(what, at: user.position)]
        },
        Check("identity.group", advice: "leave it out: nogroup, where root launches; or gid_map = \"auto\"") { spec in
            guard spec.identity.gidMap == nil, let group = spec.identity.group,
                let danger = Group.danger(of: group.value)
            else { return [] }
            let what = "where root launches, the command is in the host's group \(group.value.text): \(danger.why)"
            return [Opening(weight: danger.weight, what: what, origin: group.position)]
        },
        Check(
            "identity.uid_map", Weight.moreUsers, "the command can be more than one user",
            advice: "leave it out unless the command changes users"
        ) { $0.identity.uidMap },
        Check("identity.uid_map", advice: "\"auto\": ids that nothing of the host belongs to") { spec in
            guard spec.identity.hostRoot == nil, let map = spec.identity.uidMap, case .ranges(let ranges) = map.value
            else { return [] }
            let reached = ranges.first { $0.count > 0 && $0.outside < 65534 }
            return reached.map {
                [spec.user("where root launches, the command can be the host's user \($0.outside)", at: map.position)]
            } ?? []
        },
        Check(
            "identity.gid_map", Weight.moreGroups, "the command can be in more than one group",
            advice: "leave it out unless the command changes groups"
        ) { $0.identity.gidMap },
        Check("identity.gid_map", advice: "\"auto\": ids that nothing of the host belongs to") { spec in
            guard let map = spec.identity.gidMap, case .ranges(let ranges) = map.value else { return [] }
            let dangers = ranges.compactMap { Group.danger(from: $0.outside, count: $0.count) }
            guard let danger = dangers.max(by: { $0.weight < $1.weight }) else { return [] }
            let what = "where root launches, the command can be in groups of the host: \(danger.why)"
            return [Opening(weight: danger.weight, what: what, origin: map.position)]
        },
        Check("identity.groups", advice: "leave out the groups that nothing needs") { spec in
            guard let groups = spec.identity.groups else { return [] }
            return groups.value.map { group in
                // A map decides which groups of the host they are: that is its own row.
                let danger = spec.identity.gidMap == nil ? Group.danger(of: group) : nil
                let what = "what the group \(group.text) may" + (danger.map { ": \($0.why)" } ?? "")
                return Opening(weight: danger?.weight ?? Weight.mappedGroup, what: what, origin: groups.position)
            }
        },
        Check(
            "identity.umask", Weight.looseUmask, "files that the command makes can be changed by others",
            advice: "umask = \"022\", or \"077\""
        ) { $0.identity.umask?.found { $0 & 0o022 != 0o022 } },
    ]
}

extension Spec {
    /// A user of the host: its files wherever they are shown, and its processes where those are within reach.
    fileprivate func user(_ what: String, at origin: Position?) -> Check.Opening {
        let reachesProcesses = !namespaces[.pid].value.isNew
        return Check.Opening(
            weight: reachesProcesses ? Weight.userWithProcesses : Weight.user,
            what: what + ", with its files" + (reachesProcesses ? " and its processes" : ""), origin: origin)
    }
}

extension Identity {
    /// The line by which the host's uid 0 can act inside.
    var hostRoot: Located<Account>? {
        if let map = uidMap { return map.value.reachesRoot ? Located(.id(0), at: map.position) : nil }
        return user?.found { $0 == .id(0) || $0 == .name("root") }
    }
}

extension Identity.Account {
    /// A number beyond those that users of the host have: it may be somebody's subordinate id (subuid(5)).
    fileprivate var isSubordinate: Bool { if case .id(let id) = self { id > 65535 } else { false } }
}

extension Identity.IdentityMap {
    fileprivate var reachesRoot: Bool {
        if case .ranges(let ranges) = self { ranges.contains { $0.outside == 0 } } else { false }
    }
}

extension Check {
    static let capabilities: [Check] = [
        Check("capabilities", advice: "leave it out; or a user namespace of the jail's own, where it reaches less") {
            spec in
            let isOwn = spec.namespaces[.user].value.isNew && spec.identity.hostRoot == nil
            return Capability.allCases.compactMap { capability in
                let sets = spec.capabilities
                let held = [sets.keep, sets.permitted, sets.effective, sets.ambient].lazy.compactMap { $0 }
                    .first { $0.value.contains(capability) }
                let gainable = [sets.bounding, sets.inheritable].lazy.compactMap { $0 }
                    .first { $0.value.contains(capability) }
                guard let set = held ?? gainable else { return nil }
                let (host, own, what) = capability.danger
                let weight = isOwn ? own : host
                return Opening(
                    weight: held == nil ? weight / 2 : weight,
                    what: "\(capability.name)\(held == nil ? " can be gained" : ""): \(what)"
                        + (isOwn ? ", within the jail's own user namespace" : ""),
                    origin: set.position)
            }
        }
    ]
}
