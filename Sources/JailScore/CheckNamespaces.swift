import JailPlan
import JailSpec
import SpecFile

extension Check {
    static let namespaces: [Check] =
        [
            shared(.user, 15, "no user namespace: a capability or an id of the command is the host's"),
            Check("namespaces.pid", advice: "leave it out: the jail gets one of its own") { spec in
                guard let (written, caveat) = spec.foreign(.pid) else { return [] }
                let (weight, what) = spec.reachOfProcesses
                return [Opening(weight: weight, what: "\(caveat)the host's processes \(what)", origin: written)]
            },
            Check("namespaces.mount", advice: "leave it out: the jail gets one of its own") { spec in
                guard let (written, caveat) = spec.foreign(.mount) else { return [] }
                // More than rw = ["/"] weighs: with the devices and the set-user-id files.
                return [
                    spec.tree(90, "\(caveat)the host's whole tree, with all that the caller may write to", at: written)
                ]
            },
            shared(.ipc, 8, "the host's shared memory, semaphores and message queues"),
            shared(.cgroup, 4, "the host's control groups are in sight"),
            shared(.uts, 2, "the host's name is in sight"),
            Check(
                "namespaces.nested", 12, "namespaces within: the part of the kernel that most holes were found in",
                advice: "leave it out unless the command makes jails itself"
            ) { $0.namespaces.nested.found { $0 } },
        ] + [NamespaceKind.user, .ipc, .uts, .cgroup, .time].map(joined)

    /// The host's namespace of a kind.
    private static func shared(_ kind: NamespaceKind, _ weight: Int, _ what: String) -> Check {
        Check("namespaces.\(kind.rawValue)", weight, what, advice: "leave it out: the jail gets one of its own") {
            $0.namespaces.written[kind]?.found { $0.isHost }
        }
    }

    /// One of somebody else's. It weighs what the host's does: the path may be that of a process of the host. But for the
    /// user namespace, for setns(2) refuses the caller's own.
    private static func joined(_ kind: NamespaceKind) -> Check {
        Check("namespaces.\(kind.rawValue)", advice: "leave it out: the jail gets one of its own") { spec in
            guard let written = spec.namespaces.written[kind], case .path(let path) = written.value else { return [] }
            let weight =
                switch kind {
                case .user, .ipc: 8
                case .cgroup: 4
                case .uts: 2
                default: 1
                }
            return [
                Opening(weight: weight, what: "shares the \(kind.rawValue) namespace \(path)", origin: written.position)
            ]
        }
    }
}

extension Spec {
    /// The line that shares a namespace with others, and what is to be said first: a path does not tell whose it is.
    func foreign(_ kind: NamespaceKind) -> (origin: Position?, caveat: String)? {
        guard let written = namespaces.written[kind] else { return nil }
        switch written.value {
        case .new: return nil
        case .host: return (written.position, "")
        case .path(let path): return (written.position, "\(path) may be the host's: ")
        }
    }

    /// What the command can do with processes of others that it shares the pid namespace with.
    fileprivate var reachOfProcesses: (weight: Int, what: String) {
        let scopes = landlock?.value.scope?.value ?? []
        let scopesSignals = scopes.contains { $0.value == .signal }
        let signals = scopesSignals ? "" : ", and those of the same user can be signalled"
        // ptrace(2): the kernel compares ids, and then wants both in one user namespace; from within a Landlock domain
        // nothing outside it can be traced (landlock(7)). A domain that closes nothing gets no credit here.
        let isDomain = !scopes.isEmpty || !closedAccess.isEmpty
        guard namespaces[.user].value.isNew || isDomain else {
            return (
                60,
                "are in sight\(signals); /proc/PID/root, environ and fd of those of the same user lead to their files, "
                    + "secrets and descriptors, out of the jail"
            )
        }
        return (scopesSignals ? 10 : 15, "are in sight\(signals)")
    }
}
