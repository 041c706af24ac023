import JailSpec
import SpecFile

extension Planner {
    /// Decides what uid_map and gid_map say, and who may write it (user_namespaces(7)).
    mutating func resolveMaps(_ identity: inout ResolvedIdentity) {
        let uids = ranges(
            spec.identity.uidMap, own: (identity.user, outsideID(of: identity.user, caller: host.uid)),
            subordinate: host.subordinateUsers, keeping: host.uid, room: host.roomForUsers, file: .subuid)
        var gids = ranges(
            spec.identity.gidMap, own: (identity.group, outsideID(of: identity.group, caller: host.gid)),
            subordinate: host.subordinateGroups, keeping: host.gid, room: host.roomForGroups, file: .subgid)
        let supplementary = identity.supplementary ?? []
        if spec.identity.gidMap == nil && host.isPrivileged {
            // setgroups(2) takes only ids that are mapped: as the group itself, each is the host's own of that number.
            for group in supplementary where !gids.contains(where: { $0.inside == group }) {
                gids.append(single(group, group))
            }
        }
        for group in supplementary {
            check(group, in: gids, "group", "gid_map", spec.identity.groups?.position ?? spec.identity.gidMap?.position)
        }
        check(
            identity.user, in: uids, "user", "uid_map", spec.identity.user?.position ?? spec.identity.uidMap?.position)
        check(
            identity.group, in: gids, "group", "gid_map",
            spec.identity.group?.position ?? spec.identity.gidMap?.position)
        let isOwn = isSingle(uids, identity.user, host.uid) && isSingle(gids, identity.group, host.gid)
        // A process that enters the namespace from outside, for the network, is to find it mapped.
        let isEntered = spec.network.isServed
        let writer: IdentityMaps.Writer =
            host.isPrivileged || isOwn && isEntered ? .launcher : isOwn ? .itself : .helpers
        identity.maps = IdentityMaps(
            users: uids, groups: gids, writer: writer, denySetgroups: isOwn && !host.isPrivileged)
        identity.reachesHostRoot = uids.contains { $0.outside == 0 } && host.uid == 0
        if host.isRealRoot && !host.isPrivileged && !maps(host.uid, written: spec.identity.uidMap) {
            fault(
                "uid 0 without CAP_SYS_ADMIN has no id for the jail but the host's uid 0", at: nil,
                hint:
                    "launch as an ordinary user, or with the capability, which CapabilityBoundingSet=~ gives a unit; or write "
                    + "identity.user = \"root\"")
        }
        // The ids are the process's own already: nothing changes, and nothing is lost.
        identity.mustChange = !isOwn
        if !host.isPrivileged && isOwn { identity.supplementary = nil }
    }

    /// As root the host's own id of that number, so that the jail's user owns what that user owns on the host; for an
    /// ordinary user always the caller.
    private func outsideID(of inside: UInt32, caller: UInt32) -> UInt32 { host.isPrivileged ? inside : caller }

    /// Whether the spec itself asks for the host's uid 0.
    private func maps(_ outside: UInt32, written: Located<Identity.IdentityMap>?) -> Bool {
        if case .ranges? = written?.value { return true }
        switch spec.identity.user?.value {
        case .id(outside)?: return true
        case .name("root")?: return outside == 0
        default: return false
        }
    }

    private func isSingle(_ ranges: [Identity.Range], _ inside: UInt32, _ outside: UInt32) -> Bool {
        ranges.count == 1 && ranges[0].inside == inside && ranges[0].outside == outside && ranges[0].count == 1
    }

    private func single(_ inside: UInt32, _ outside: UInt32) -> Identity.Range {
        Identity.Range(inside: inside, outside: outside, count: 1)
    }

    private mutating func ranges(
        _ map: Located<Identity.IdentityMap>?, own: (inside: UInt32, outside: UInt32), subordinate: [Identity.Range],
        keeping caller: UInt32, room: SubordinateRoom?, file: SubordinateFile
    ) -> [Identity.Range] {
        switch map?.value {
        case nil: return [single(own.inside, own.outside)]
        case .ranges(let ranges)?: return ranges
        case .automatic?:
            if subordinate.isEmpty {
                let who = host.callerName.isEmpty ? "uid \(host.uid)" : host.callerName
                let owner = SubordinateOwner(
                    name: host.callerName, uid: host.uid, gid: host.gid, needsName: !host.isPrivileged)
                fault(
                    "\"auto\": no range for \(who) in \(file.path)", at: map?.position,
                    hint: room.map { Remedy.range($0, in: file, for: owner) })
            }
            return automatic(subordinate, keeping: caller)
        }
    }

    /// The ranges one after the other from 0, but for the caller's own id, which is itself inside: the caller's files are the
    /// caller's there. Not root's, which the jail has only where it is written.
    private func automatic(_ subordinate: [Identity.Range], keeping caller: UInt32) -> [Identity.Range] {
        // What does not fit into 32 bits has no number inside; (uid_t) -1 is nobody's.
        var next: UInt32 = 0
        var result: [Identity.Range] = []
        for range in subordinate {
            let count = min(range.count, UInt32.max - next)
            if count > 0 { result.append(Identity.Range(inside: next, outside: range.outside, count: count)) }
            next += count
        }
        let isOneOfThem = subordinate.contains { caller >= $0.outside && caller - $0.outside < $0.count }
        if caller == 0 || subordinate.isEmpty || isOneOfThem { return result }
        guard let index = result.firstIndex(where: { caller >= $0.inside && caller - $0.inside < $0.count }) else {
            return result + [single(caller, caller)]
        }
        let whole = result[index]
        let before = caller - whole.inside
        let after = whole.count - before - 1
        var parts = [single(caller, caller)]
        if before > 0 {
            parts.insert(Identity.Range(inside: whole.inside, outside: whole.outside, count: before), at: 0)
        }
        if after > 0 {
            parts.append(Identity.Range(inside: caller + 1, outside: whole.outside + before + 1, count: after))
        }
        result.replaceSubrange(index...index, with: parts)
        return result
    }

    private mutating func check(
        _ id: UInt32, in ranges: [Identity.Range], _ what: String, _ key: String, _ position: Position?
    ) {
        guard !ranges.isEmpty, !ranges.contains(where: { id >= $0.inside && id - $0.inside < $0.count }) else { return }
        fault("\(what) \(id) is not mapped by \(key)", at: position, hint: "add a line to \(key) that contains \(id)")
    }
}
