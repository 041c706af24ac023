package import JailSpec
import LinuxFacts
import SpecFile

/// As which ids those of files appear through an idmapped mount: each as itself, where the jail has it, and that of the
/// source's owner else as the command's own.
package struct FileIDs: Equatable, Sendable {
    /// The maps of the jail: what is inside there is the id of a file.
    package let users: [Identity.Range]
    package let groups: [Identity.Range]
    /// The command's own, as the jail has them.
    package let user: UInt32
    package let group: UInt32

    package init(users: [Identity.Range], groups: [Identity.Range], user: UInt32, group: UInt32) {
        (self.users, self.groups, self.user, self.group) = (users, groups, user, group)
    }

    /// The maps for a source of that owner: from ids of files to ids of the host.
    package func maps(owner: UInt32, group ownerGroup: UInt32) -> (users: [Identity.Range], groups: [Identity.Range]) {
        (Self.map(users, owner, as: user), Self.map(groups, ownerGroup, as: group))
    }

    /// As which ids of the host a file appears that is in a source with these maps; as its own where it has no place in them.
    package static func appearance(
        of file: (user: UInt32, group: UInt32), in maps: (users: [Identity.Range], groups: [Identity.Range])
    ) -> (user: UInt32, group: UInt32) {
        (outside(of: file.user, in: maps.users) ?? file.user, outside(of: file.group, in: maps.groups) ?? file.group)
    }

    /// As which ids of the host the owner of the source appears; nil where one of the two has no place in the jail.
    package func appearance(of owner: (user: UInt32, group: UInt32)) -> (user: UInt32, group: UInt32)? {
        let maps = maps(owner: owner.user, group: owner.group)
        guard let user = Self.outside(of: owner.user, in: maps.users),
            let group = Self.outside(of: owner.group, in: maps.groups)
        else { return nil }
        return (user, group)
    }

    private static func map(_ ranges: [Identity.Range], _ owner: UInt32, as own: UInt32) -> [Identity.Range] {
        guard outside(of: owner, in: ranges) == nil, let place = outside(of: own, in: ranges) else { return ranges }
        var result = [Identity.Range(inside: owner, outside: place, count: 1)]
        for range in ranges {
            guard own >= range.inside, own - range.inside < range.count else {
                result.append(range)
                continue
            }
            // An id of the host stands for one id of the files only.
            let before = own - range.inside
            let after = range.count - before - 1
            if before > 0 {
                result.append(Identity.Range(inside: range.inside, outside: range.outside, count: before))
            }
            if after > 0 { result.append(Identity.Range(inside: own + 1, outside: place + 1, count: after)) }
        }
        return result
    }

    /// The id of the host that an id is mapped to; nil where it is not.
    package static func outside(of inside: UInt32, in ranges: [Identity.Range]) -> UInt32? {
        for range in ranges where inside >= range.inside && inside - range.inside < range.count {
            return range.outside + (inside - range.inside)
        }
        return nil
    }

    /// What a plan says of it beside the source.
    var json: JSON {
        .object([
            ("users", .array(users.map(\.json))), ("groups", .array(groups.map(\.json))),
            ("owner", .object([("user", .integer(Int(user))), ("group", .integer(Int(group)))])),
        ])
    }
}

extension TreeBuilder {
    /// As which ids the files of a mount appear, where the spec asks for it; nil too where that is refused.
    mutating func fileIDs(of mount: Mount) -> FileIDs? {
        guard let wanted = mount.idmap, wanted.value else { return nil }
        func refuse(_ why: String, hint: String) {
            faults.append(Diagnostic("mount.idmap: \(why)", at: wanted.position, hint: hint))
        }
        // mount_setattr(2): CAP_SYS_ADMIN in the user namespace that the file system was mounted in.
        guard host.isPrivileged else {
            refuse(
                "only root may have files appear with other ids",
                hint:
                    "leave it out: what belongs to the caller appears as the jail's user without it; or \(Remedy.launchAsRoot)"
            )
            return nil
        }
        guard let maps = identity.maps else {
            refuse(
                "the jail has the host's ids, with which files appear in any case",
                hint: "leave it out, or \(Remedy.own(.user))")
            return nil
        }
        if mount.isKept {
            refuse(
                "what is kept in upper would belong to other ids than what it changes",
                hint: "leave it out, or upper and work: then changes are thrown away")
            return nil
        }
        return FileIDs(users: maps.users, groups: maps.groups, user: identity.user, group: identity.group)
    }
}
