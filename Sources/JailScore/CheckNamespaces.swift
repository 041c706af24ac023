import JailPlan
import JailSpec
import SpecFile

extension Check {
    static let namespaces: [Check] =
        [
            shared(.user, 15, "no user namespace: a capability or an id of the command is the host's"),
            shared(.pid, 15, "the host's processes are in sight, and those of the same user can be signalled") { spec in
                spec.scopesSignals ? 10 : 15
            },
            shared(.mount, 60, "the host's whole tree, with all that the caller may write to") { spec in
                spec.landlock?.value.files == nil ? 60 : 25
            },
            shared(.ipc, 8, "the host's shared memory, semaphores and message queues"),
            shared(.cgroup, 4, "the host's control groups are in sight"),
            shared(.uts, 2, "the host's name is in sight"),
            Check(
                "namespaces.nested", 12, "namespaces within: the part of the kernel that most holes were found in",
                advice: "leave it out unless the command makes jails itself"
            ) { $0.namespaces.nested.found { $0 } },
        ] + NamespaceKind.allCases.map(joined)

    /// The host's namespace of a kind; a weight may depend on what else the spec says.
    private static func shared(
        _ kind: NamespaceKind, _ weight: Int, _ what: String, weighing: (@Sendable (Spec) -> Int)? = nil
    ) -> Check {
        Check("namespaces.\(kind.rawValue)", advice: "leave it out: the jail gets one of its own") { spec in
            guard let written = spec.namespaces.written[kind], written.value.isHost else { return [] }
            return [Opening(weight: weighing?(spec) ?? weight, what: what, origin: written.position)]
        }
    }

    /// One of somebody else's: less than the host's, as far as the file name tells.
    private static func joined(_ kind: NamespaceKind) -> Check {
        Check("namespaces.\(kind.rawValue)", advice: "leave it out: the jail gets one of its own") { spec in
            guard let written = spec.namespaces.written[kind], case .path(let path) = written.value else { return [] }
            let weight =
                switch kind {
                case .mount: 30
                case .user, .pid: 8
                case .net: 10
                case .ipc: 4
                case .cgroup, .uts, .time: 1
                }
            return [
                Opening(weight: weight, what: "shares the \(kind.rawValue) namespace \(path)", origin: written.position)
            ]
        }
    }
}

extension Spec {
    /// Whether Landlock keeps signals inside.
    var scopesSignals: Bool {
        landlock?.value.scope?.value.contains { $0.value == .signal } ?? false
    }
}
