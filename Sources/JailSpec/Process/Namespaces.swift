package import SpecFile

/// The eight namespaces of namespaces(7).
package enum NamespaceKind: String, CaseIterable, Hashable, Sendable {
    case user, mount, pid, net, ipc, uts, cgroup, time

    /// The place in a table of the eight.
    package var index: Int {
        switch self {
        case .user: 0
        case .mount: 1
        case .pid: 2
        case .net: 3
        case .ipc: 4
        case .uts: 5
        case .cgroup: 6
        case .time: 7
        }
    }
}

/// `[namespaces]`: for each kind a new one, the host's, or one to join.
package struct Namespaces: Equatable, Sendable {
    package enum Choice: Equatable, Sendable {
        case new
        case host
        /// An absolute path to a namespace file, as setns(2) takes it.
        case path(String)

        package var isNew: Bool { if case .new = self { true } else { false } }
        package var isHost: Bool { if case .host = self { true } else { false } }
    }

    /// What was written; a kind that is absent has its default.
    package var written = Choices()
    /// Whether the command may make namespaces of its own.
    package var nested = Located(false)
    /// Offsets of the monotonic and the boot-time clock; zero is no offset.
    package var monotonic: Located<Duration>?
    package var boottime: Located<Duration>?

    package init() {}

    /// A choice for each kind that has one, in the order of the kinds: nearly always none. A dictionary would cost the
    /// launch a look-up of its key's type, a table of eight the making of its element's.
    package struct Choices: Equatable, Sendable {
        private struct Entry: Equatable, Sendable {
            let kind: NamespaceKind
            let choice: Located<Choice>
        }
        private var entries: [Entry] = []

        package init() {}

        package subscript(kind: NamespaceKind) -> Located<Choice>? {
            get {
                for entry in entries where entry.kind.index == kind.index { return entry.choice }
                return nil
            }
            set {
                entries.removeAll { $0.kind.index == kind.index }
                guard let choice = newValue else { return }
                let place = entries.firstIndex { $0.kind.index > kind.index } ?? entries.endIndex
                entries.insert(Entry(kind: kind, choice: choice), at: place)
            }
        }
    }

    /// The choice in force: `new` by default; the time namespace is new only where an offset asks for it.
    package subscript(kind: NamespaceKind) -> Located<Choice> {
        if let written = written[kind] { return written }
        guard case .time = kind else { return Located(.new) }
        return Located(monotonic == nil && boottime == nil ? .host : .new, at: (monotonic ?? boottime)?.position)
    }
}
