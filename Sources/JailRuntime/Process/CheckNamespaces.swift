import JailPlan
import JailSpec
import Kernel

/// The namespaces that were made, compared with those that the launcher is in.
extension Applier {
    /// Whether this process is born into the namespaces, and their numbers are not to be listed.
    private var knowsByBirth: Bool { channel >= 0 && shown == nil }

    /// Those of the kinds that are told by their numbers. Each costs two links of procfs, which are made to be read: where
    /// they are not to be listed, most are known by who owns them, and others by what the kernel does there or refuses.
    ///
    /// To bring up an interface, to clone, make or attach a mount, and to change the root takes a capability in the user
    /// namespace that owns the network (net/ipv4/devinet.c) or the mounts (fs/namespace.c, `may_mount`): in one of its own the
    /// jail has none over the host's, and the launch would fail there.
    func compared(_ kinds: [NamespaceKind], _ plan: Plan) -> [NamespaceKind] {
        guard knowsByBirth else { return kinds }
        return kinds.filter { kind in
            switch kind {
            case .user, .net, .mount: plan.maps == nil
            case .pid: false
            case .ipc, .uts, .cgroup: !witness.asksForOwners
            case .time: true
            }
        }
    }

    /// The kinds of which the jail's first process is asked whether they belong to its own user namespace.
    private func owned(_ plan: Plan) -> [NamespaceKind] {
        plan.newNamespaces.filter { kind in
            switch kind {
            case .ipc, .uts, .cgroup: true
            default: false
            }
        }
    }

    /// The numbers of this process's namespaces, by `NamespaceKind.index`.
    private func numbers(of kinds: [NamespaceKind]) throws(Failure) -> [UInt64] {
        guard !kinds.isEmpty else { return [] }
        let proc = try proc()
        return try failing { () throws(KernelError) in
            var numbers = [UInt64](repeating: 0, count: NamespaceKind.allCases.count)
            for kind in kinds { numbers[kind.index] = try namespaceNumber(kind.procLink, at: proc.descriptor) }
            return numbers
        }
    }

    /// Before they are made, by the process that makes them.
    mutating func rememberNamespaces(_ plan: Plan) throws(Failure) {
        guard isVerified, !plan.newNamespaces.isEmpty else { return }
        witness.asksForOwners =
            knowsByBirth && plan.maps != nil && isOwnershipAnswered(for: NamespaceFlags(owned(plan)))
        witness.own = try numbers(of: compared(plan.newNamespaces, plan))
    }

    /// Before anything is done in them.
    mutating func checkNamespaces(_ plan: Plan) throws(Failure) {
        guard isVerified, !plan.newNamespaces.isEmpty else { return }
        try checkNumbers(of: compared(plan.kindsMadeAtOnce, plan), plan)
        if knowsByBirth { try checkBirth(plan) }
    }

    mutating func checkNumbers(of kinds: [NamespaceKind], _ plan: Plan) throws(Failure) {
        let found = try numbers(of: kinds)
        for kind in kinds {
            let (own, number) = (witness.own[kind.index], found[kind.index])
            try hold(
                number != 0 && number != own, at: plan.creation, "\(kind.rawValue) namespace",
                "another than the host's, \(own)", "\(number)")
        }
    }

    /// The first process has the id 1 in no pid namespace but a new one. The map of a user namespace is written once: who could
    /// write it, and reads it back, is in a new one. For the others one question; which of them it is, where the answer is no,
    /// by one for each.
    private mutating func checkBirth(_ plan: Plan) throws(Failure) {
        if plan.makes(.pid) {
            let process = currentProcess()
            try hold(process == 1, at: plan.creation, "pid namespace", "process 1", "process \(process)")
        }
        let kinds = owned(plan)
        guard witness.asksForOwners, !kinds.isEmpty, try !owns(kinds) else { return }
        for kind in kinds {
            try hold(
                try owns([kind]), at: plan.creation, "\(kind.rawValue) namespace", "one of the jail's user namespace",
                "another's")
        }
    }

    private func owns(_ kinds: [NamespaceKind]) throws(Failure) -> Bool {
        try failing { () throws(KernelError) in try ownsNamespaces(NamespaceFlags(kinds)) }
    }

    /// Right after joining. The pid namespace is the children's, setns(2).
    mutating func checkJoined(_ joined: [JoinedNamespace]) throws(Failure) {
        let proc = try proc()
        for (index, namespace) in joined.enumerated() {
            let wanted = witness.joined[index].number
            let link =
                switch namespace.kind {
                case .pid: "self/ns/pid_for_children"
                case .time: "self/ns/time_for_children"
                case let other: other.procLink
                }
            let found = try failing { () throws(KernelError) in try namespaceNumber(link, at: proc.descriptor) }
            try hold(
                found == wanted, "\(namespace.kind.rawValue) namespace", "\(namespace.path), \(wanted)", "\(found)")
        }
    }
}

extension NamespaceKind {
    /// The link below /proc that tells which namespace of the kind the reader is in, proc_pid_ns(5). Written out: it is made
    /// at every launch.
    var procLink: String {
        switch self {
        case .user: "self/ns/user"
        case .mount: "self/ns/mnt"
        case .pid: "self/ns/pid"
        case .net: "self/ns/net"
        case .ipc: "self/ns/ipc"
        case .uts: "self/ns/uts"
        case .cgroup: "self/ns/cgroup"
        case .time: "self/ns/time"
        }
    }
}
