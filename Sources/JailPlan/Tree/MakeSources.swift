import JailSpec

/// A source that is made where it is missing, and whom it then belongs to.
package struct SourceMaking: Equatable, Sendable {
    package let path: String
    package let isDirectory: Bool
    package let mode: UInt32
    /// The host's ids; nil for the caller's own.
    package let owner: Owner?

    package struct Owner: Equatable, Sendable {
        package let user: UInt32
        package let group: UInt32
    }

    var words: OperationWords {
        OperationWords(
            "make_source", "make \(path)",
            [
                ("source", .string(path)), ("directory", .boolean(isDirectory)), ("mode", .string(octal(mode))),
                ("user", owner.map { .integer(Int($0.user)) } ?? .null),
                ("group", owner.map { .integer(Int($0.group)) } ?? .null),
            ],
            detail: "where it is missing, \(isDirectory ? "a directory" : "a file") of mode \(octal(mode))"
                + (owner.map { " for uid \($0.user) gid \($0.group)" } ?? ""))
    }
}

extension Planner {
    /// What `create` asks for: by the launcher, before it gives anything up.
    mutating func makeSources(_ identity: ResolvedIdentity) {
        guard isNew(.mount) else { return }
        for mount in spec.filesystem.mounts {
            guard let create = mount.create, case .bind(let path) = mount.source else { continue }
            var owner: SourceMaking.Owner?
            if host.isPrivileged {
                owner = SourceMaking.Owner(
                    user: outside(identity.user, identity.maps?.users),
                    group: outside(identity.group, identity.maps?.groups))
            }
            add(
                .tree(
                    .makeSource(
                        SourceMaking(path: path, isDirectory: create.isDirectory, mode: create.mode, owner: owner))),
                mount.position)
        }
    }

    /// The host's id of one inside.
    private func outside(_ id: UInt32, _ ranges: [Identity.Range]?) -> UInt32 {
        guard let ranges else { return id }
        for range in ranges where id >= range.inside && id - range.inside < range.count {
            return range.outside + (id - range.inside)
        }
        return id
    }
}
