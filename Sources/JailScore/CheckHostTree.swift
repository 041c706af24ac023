import JailSpec
import SpecFile

extension Check {
    /// With Landlock a tree of the host is open where its rules say so.
    static let hostTree: [Check] = [
        Check("landlock", advice: "only the files that are needed") { spec in
            guard let tree = spec.hostTree else { return [] }
            return (spec.landlock?.value.rules ?? []).compactMap { rule in
                let path = Place.parts(of: rule.path.value)
                // A rule for all of it is in the row of the tree itself.
                if path.isEmpty || tree.covers.contains(where: { path.starts(with: $0) }) { return nil }
                let writes = tree.isWritable && rule.grant.writes
                let danger = Place.danger(of: rule.path.value, writable: writes)
                return Opening(
                    weight: danger.weight,
                    what: danger.words(rule.path.value, writes ? "can be written to" : "can be read"),
                    origin: rule.path.position)
            }
        }
    ]
}

extension Spec {
    /// Whether the host's whole tree is the jail's; then whether it may be written to, and what stands in front of it.
    fileprivate var hostTree: (isWritable: Bool, covers: [[String]])? {
        guard namespaces[.mount].value.isNew else { return (true, []) }
        return filesystem.root.value == .host ? (false, covers) : nil
    }

    /// The row of the host's whole tree: all of it, or what Landlock leaves of it besides its rules.
    func tree(_ all: Int, _ what: String, at origin: Position?) -> Check.Opening {
        let closed = closedAccess
        let whole = Check.Opening(weight: all, what: what, origin: origin)
        guard let tree = hostTree, !closed.isEmpty else { return whole }
        guard closed.contains(.read) else {
            if tree.isWritable && !closed.contains(.write) { return whole }
            let read = Place.danger(of: "/", writable: false, except: tree.covers).weight
            return Check.Opening(
                weight: min(all, read), what: "the host's whole tree can be read, as far as the user may",
                origin: origin)
        }
        // Landlock closes neither the names and sizes of files nor connect(2) to a socket that has a path.
        return Check.Opening(
            weight: min(all, 40),
            what: "the names of all files of the host, and the sockets among them that the user may connect to",
            origin: origin)
    }
}
