import JailPlan
import JailSpec
import SpecFile

extension Check {
    /// With Landlock a tree of the host is open where its rules say so.
    static let rules: [Check] = [
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

    static let scopes: [Check] = [
        Check(
            "landlock.scope", Weight.abstractSockets,
            "the host's abstract sockets, which its network namespace brings along",
            advice: "add \"abstract_unix_socket\" to scope, or leave scope out with network.mode = \"host\""
        ) { spec -> Located<Bool>? in
            // Where it is the host's by name they are closed unless `scope` says otherwise; not in one that is joined.
            let scope = spec.landlock?.value.scope
            if let scope, scope.value.contains(where: { $0.value == .abstractUnixSocket }) { return nil }
            if spec.sharesNetwork { return scope.map { Located(true, at: $0.position) } }
            return spec.foreign(.net).map { Located(true, at: scope?.position ?? $0.origin) }
        }
    ]
}

extension Spec {
    /// Whether the host's whole tree is the jail's; then whether it may be written to, and what stands in front of it.
    fileprivate var hostTree: (isWritable: Bool, covers: [[String]])? {
        guard namespaces[.mount].value.isNew else { return (true, []) }
        return filesystem.root.value == .host ? (filesystem.writable.value, covers) : nil
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
            weight: min(all, Weight.namesOfFiles),
            what: "the names of all files of the host, and the sockets among them that the user may connect to",
            origin: origin)
    }
}

/// What Landlock tells apart of what is done with a file.
struct Access: OptionSet {
    let rawValue: Int

    static let read = Access(rawValue: 1)
    static let execute = Access(rawValue: 2)
    static let write = Access(rawValue: 4)
    static let each: [Access] = [.read, .execute, .write]
}

extension LandlockPolicy.Grant {
    var access: Access {
        switch self {
        case .ro: .read
        case .rx: [.read, .execute]
        case .rw: [.read, .write]
        case .rwx: [.read, .execute, .write]
        }
    }
}

extension Spec {
    /// What Landlock closes of what the jail shows: an access that its rules give to every place is closed nowhere,
    /// however many lines say so.
    var closedAccess: Access {
        guard let landlock = landlock?.value, landlock.files != nil else { return [] }
        let rules = landlock.rules.map { (access: $0.grant.access, path: Place.parts(of: $0.path.value)) }
        var closed: Access = []
        for access in Access.each {
            let isClosed = shown.contains { place in
                !rules.contains { $0.access.contains(access) && place.starts(with: $0.path) }
            }
            if isClosed { closed.insert(access) }
        }
        return closed
    }
}

extension LandlockPolicy {
    /// How many TCP ports its lists leave, of either kind; nil where one of them is not restricted.
    var openPorts: Int? {
        guard let bindTCP, let connectTCP else { return nil }
        return Set(bindTCP.value).count + Set(connectTCP.value).count
    }
}
