import JailSpec
import SpecFile

extension Check {
    static let process: [Check] = [
        Check(
            "process.no_new_privs", 15, "set-user-id programs and file capabilities give privilege",
            advice: "leave it out: true is the default"
        ) { $0.process.noNewPrivileges.found { !$0 } },
        Check(
            "process.tty", 12, "the caller's terminal: what the command types there, the caller's shell may execute",
            advice: "tty = \"auto\", a terminal of the jail's own"
        ) { $0.process.tty.found { $0 == .inherit } },
        Check("process.fds", advice: "only those that the command reads or writes") { spec in
            spec.process.fds.value.map { number in
                Opening(
                    weight: 4, what: "descriptor \(number), whatever it leads to", origin: spec.process.fds.position)
            }
        },
        Check(
            "process.keyring", 6, "the keys of the caller's session", advice: "keyring = \"new\", the default"
        ) { $0.process.keyring.found { $0 == .inherit } },
        Check(
            "process.die_with_parent", 2, "the jail may outlive who started it",
            advice: "leave it out: true is the default"
        ) { $0.process.dieWithParent.found { !$0 } },
        Check("process.nice", 2, "goes before others at the processor", advice: "nice = 0, or more") {
            $0.process.nice?.found { $0 < 0 }
        },
        Check("process.oom_score_adj", 2, "others are killed first when memory runs out", advice: "0, or more") {
            $0.process.oomScoreAdjust?.found { $0 < 0 }
        },
        Check("environment.keep", advice: "name each variable that the command needs, and no secret") { spec in
            spec.environment.keep.map { name in
                let (weight, what) = danger(ofVariable: name.value)
                return Opening(weight: weight, what: "\(name.value) of the caller\(what)", origin: name.position)
            }
        },
    ]

    private static func danger(ofVariable name: String) -> (Int, String) {
        if name == "*" { return (10, ": all that is in the environment, secrets too") }
        let upper = name.uppercased()
        let secrets = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "PRIVATE", "API_KEY", "ACCESS_KEY"]
        if secrets.contains(where: { upper.contains($0) }) { return (8, ", by its name a secret") }
        if ["SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY"].contains(name) {
            return (4, ", which leads to a service of the caller's")
        }
        if name.hasPrefix("LD_") { return (4, ", which makes programs load other code") }
        return (1, "")
    }
}

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
