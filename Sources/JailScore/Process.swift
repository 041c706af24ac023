import JailSpec
import SpecFile

extension Check {
    static let process: [Check] = [
        Check(
            "process.no_new_privs", Weight.newPrivileges, "set-user-id programs and file capabilities give privilege",
            advice: "leave it out: true is the default"
        ) { $0.process.noNewPrivileges.found { !$0 } },
        Check(
            "process.tty", Weight.terminal,
            "the caller's terminal: what the command types there, the caller's shell may execute",
            advice: "tty = \"auto\", a terminal of the jail's own"
        ) { $0.process.tty.found { $0 == .inherit } },
        Check("process.fds", advice: "only those that the command reads or writes") { spec in
            spec.process.fds.value.map { number in
                Opening(
                    weight: Weight.descriptor, what: "descriptor \(number), whatever it leads to",
                    origin: spec.process.fds.position)
            }
        },
        Check(
            "process.jobserver", Weight.jobserver, "make's tokens: it may take all of them, and make waits for ever",
            advice: "leave it out: a make within then has jobs of its own by -j"
        ) { $0.process.jobserver.found { $0 } },
        Check(
            "process.keyring", Weight.keyring, "the keys of the caller's session",
            advice: "keyring = \"new\", the default"
        ) { $0.process.keyring.found { $0 == .inherit } },
        Check(
            "process.die_with_parent", Weight.outlivesParent, "the jail may outlive who started it",
            advice: "leave it out: true is the default"
        ) { $0.process.dieWithParent.found { !$0 } },
        Check("process.nice", Weight.nice, "goes before others at the processor", advice: "nice = 0, or more") {
            $0.process.nice?.found { $0 < 0 }
        },
        Check(
            "process.oom_score_adj", Weight.oomScore, "others are killed first when memory runs out",
            advice: "0, or more"
        ) {
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
        if name == "*" { return (Weight.wholeEnvironment, ": all that is in the environment, secrets too") }
        let upper = name.uppercased()
        let secrets = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "PRIVATE", "API_KEY", "ACCESS_KEY"]
        if secrets.contains(where: { upper.contains($0) }) { return (Weight.secret, ", by its name a secret") }
        if ["SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY"].contains(name) {
            return (Weight.serviceAddress, ", which leads to a service of the caller's")
        }
        if name.hasPrefix("LD_") { return (Weight.loaderVariable, ", which makes programs load other code") }
        return (Weight.variable, "")
    }
}

extension Check {
    static let namespaces: [Check] =
        [
            shared(.user, "no user namespace: a capability or an id of the command is the host's"),
            Check("namespaces.pid", advice: "leave it out: the jail gets one of its own") { spec in
                guard let (written, caveat) = spec.foreign(.pid) else { return [] }
                let (weight, what) = spec.reachOfProcesses
                return [Opening(weight: weight, what: "\(caveat)the host's processes \(what)", origin: written)]
            },
            Check("namespaces.mount", advice: "leave it out: the jail gets one of its own") { spec in
                guard let (written, caveat) = spec.foreign(.mount) else { return [] }
                // More than rw = ["/"] weighs: with the devices and the set-user-id files.
                return [
                    spec.tree(
                        Weight.hostMounts,
                        "\(caveat)the host's whole tree, with all that the caller may write to", at: written)
                ]
            },
            shared(.ipc, "the host's shared memory, semaphores and message queues"),
            shared(.cgroup, "the host's control groups are in sight"),
            shared(.uts, "the host's name is in sight"),
            Check(
                "namespaces.nested", Weight.nestedNamespaces,
                "namespaces within: the part of the kernel that most holes were found in",
                advice: "leave it out unless the command makes jails itself"
            ) { $0.namespaces.nested.found { $0 } },
        ] + [NamespaceKind.user, .ipc, .uts, .cgroup, .time].map(joined)

    /// The host's namespace of a kind.
    private static func shared(_ kind: NamespaceKind, _ what: String) -> Check {
        Check(
            "namespaces.\(kind.rawValue)", Weight.hosts(kind), what,
            advice: "leave it out: the jail gets one of its own"
        ) {
            $0.namespaces.written[kind]?.found { $0.isHost }
        }
    }

    /// One of somebody else's. It weighs what the host's does: the path may be that of a process of the host. But for the
    /// user namespace, for setns(2) refuses the caller's own.
    private static func joined(_ kind: NamespaceKind) -> Check {
        Check("namespaces.\(kind.rawValue)", advice: "leave it out: the jail gets one of its own") { spec in
            guard let written = spec.namespaces.written[kind], case .path(let path) = written.value else { return [] }
            return [
                Opening(
                    weight: Weight.joined(kind), what: "shares the \(kind.rawValue) namespace \(path)",
                    origin: written.position)
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
                Weight.traceableProcesses,
                "are in sight\(signals); /proc/PID/root, environ and fd of those of the same user lead to their files, "
                    + "secrets and descriptors, out of the jail"
            )
        }
        return (scopesSignals ? Weight.visibleProcesses : Weight.signalledProcesses, "are in sight\(signals)")
    }
}
