import JailPlan
import JailSpec
import Kernel

/// The namespaces of the jail's first process, compared with the launcher's own.
extension Applier {
    /// The files of /proc/PID/ns.
    private static func name(_ kind: NamespaceKind) -> String {
        switch kind {
        case .mount: "mnt"
        case let other: other.rawValue
        }
    }

    /// The numbers of the kinds that a plan makes, by `NamespaceKind.index`. `process` is a pid or `self`.
    private func numbers(of process: String, _ plan: Plan) throws(KernelError) -> [UInt64] {
        guard let proc = hostProc else { throw KernelError(.open, .noEntry, path: "/proc") }
        var numbers = [UInt64](repeating: 0, count: NamespaceKind.allCases.count)
        let directory = try open(process + "/ns", at: proc.descriptor, [.path, .directory])
        for kind in plan.kindsMadeAtOnce where isCompared(kind, plan) {
            numbers[kind.index] = try namespaceNumber(Self.name(kind), at: directory.number)
        }
        return numbers
    }

    /// Whether the numbers tell of a kind. Each costs two links of procfs, which are made to be read: where they are not to be
    /// listed, the first process knows three of its namespaces by what else the kernel shows (`checkBirth`).
    private func isCompared(_ kind: NamespaceKind, _ plan: Plan) -> Bool {
        guard shown == nil, channel >= 0 else { return true }
        switch kind {
        case .user: return plan.maps == nil
        case .pid: return false
        case .mount: return witness.root == nil
        default: return true
        }
    }

    /// By the launcher, before its jail is born.
    mutating func rememberRoot(_ plan: Plan) {
        if isVerified, plan.makes(.mount) { witness.root = uniqueMount(of: "/") }
    }

    /// By the first process: it has the id 1 in no pid namespace but a new one, and every mount of a copied tree is another
    /// mount. The map of a user namespace is written once: who could write it, and reads it back, is in a new one.
    mutating func checkBirth(_ plan: Plan) throws(Failure) {
        guard isVerified, shown == nil else { return }
        if plan.makes(.pid) {
            let process = currentProcess()
            try hold(process == 1, at: plan.creation, "pid namespace", "process 1", "process \(process)")
        }
        if let root = witness.root {
            let own = uniqueMount(of: "/")
            try hold(
                own != nil && own != root, at: plan.creation, "mount namespace", "another than the host's",
                "the host's root, mount \(root)")
        }
    }

    /// By the launcher, while the jail builds its tree: it costs the launch next to nothing. Where the launcher may not
    /// look into the process, or the answers are to be listed, the process is told what to compare with, and looks itself.
    mutating func vouch(for child: Int32, in plan: Plan, over channel: Int32) throws(Failure) {
        guard isVerified else { return }
        try checkMembership(of: child)
        guard !plan.newNamespaces.isEmpty else { return }
        witness.own = try failing { () throws(KernelError) in try numbers(of: "self", plan) }
        var message = Message.vouched(own: witness.own)
        if shown == nil {
            var found: [UInt64] = []
            do throws(KernelError) {
                found = try numbers(of: "\(child)", plan)
            } catch {
                // It has ended, and has said why; else it is not this process's to look into.
                if error.errno == .noEntry || error.errno == .noProcess { return }
            }
            if !found.isEmpty {
                try compare(found, plan)
                message = .vouched(own: [])
            }
        }
        try failing { () throws(KernelError) in
            do throws(KernelError) {
                try send(message.bytes, over: channel)
            } catch {
                guard error.errno.meansPeerGone else { throw error }
            }
        }
    }

    /// Waits for the launcher's word, and looks where it could not.
    mutating func awaitVouching(in plan: Plan) throws(Failure) {
        guard isVerified, channel >= 0, !plan.newNamespaces.isEmpty else { return }
        let message = try failing { () throws(KernelError) in try receive(from: channel, limit: Message.limit) }
        guard let message, case .vouched(let own)? = Message(message.bytes) else { exitNow(125) }
        guard !own.isEmpty else { return }
        witness.own = own
        try compareOwn(plan)
    }

    /// In a process that makes namespaces for itself: before, and after.
    mutating func rememberOwn(_ plan: Plan) throws(Failure) {
        guard isVerified else { return }
        witness.own = try failing { () throws(KernelError) in try numbers(of: "self", plan) }
    }

    mutating func compareOwn(_ plan: Plan) throws(Failure) {
        guard isVerified else { return }
        let found = try failing { () throws(KernelError) in try numbers(of: "self", plan) }
        try compare(found, plan)
    }

    private mutating func compare(_ found: [UInt64], _ plan: Plan) throws(Failure) {
        for kind in plan.kindsMadeAtOnce where isCompared(kind, plan) {
            let (own, number) = (witness.own[kind.index], found[kind.index])
            try hold(
                number != 0 && number != own, at: plan.creation, "\(kind.rawValue) namespace",
                "another than the host's, \(own)", "\(number)")
        }
    }

    /// A network of the jail's own begins, where this process was not born into one.
    mutating func beginNetwork() throws(Failure) {
        if isVerified { witness.network = try networkNumber() }
        network = .start(procfs: try proc().descriptor)
    }

    /// Before anything is done that would be done to the host's network otherwise.
    mutating func enterNetwork(_ plan: Plan) throws(Failure) {
        let maker = network
        try failing { () throws(KernelError) in try maker?.enter() }
        network = nil
        guard isVerified else { return }
        let (own, found) = (witness.network, try networkNumber())
        try hold(
            found != 0 && found != own, at: plan.creation, "net namespace", "another than the host's, \(own)",
            "\(found)"
        )
    }

    private func networkNumber() throws(Failure) -> UInt64 {
        let proc = try proc()
        return try failing { () throws(KernelError) in try namespaceNumber("self/ns/net", at: proc.descriptor) }
    }

    /// Right after joining. The pid namespace is the children's, setns(2).
    mutating func checkJoined(_ joined: [JoinedNamespace]) throws(Failure) {
        let proc = try proc()
        let directory = try failing { () throws(KernelError) in
            try open("self/ns", at: proc.descriptor, [.path, .directory])
        }
        for (index, namespace) in joined.enumerated() {
            let wanted = witness.joined[index].number
            let name =
                switch namespace.kind {
                case .pid: "pid_for_children"
                case .time: "time_for_children"
                case let other: Self.name(other)
                }
            let found = try failing { () throws(KernelError) in try namespaceNumber(name, at: directory.number) }
            try hold(
                found == wanted, "\(namespace.kind.rawValue) namespace", "\(namespace.path), \(wanted)", "\(found)")
        }
    }

    mutating func showMaps(_ maps: IdentityMaps) throws(Failure) {
        try show("self/uid_map", IdentityMapper.text(maps.users))
        try show("self/gid_map", IdentityMapper.text(maps.groups))
    }
}
