/// What the records say of the network.
package struct LearnedNetwork {
    private let wanted: [AccessRecord]
    private let ports: [String]

    enum Mode: Equatable {
        case none
        /// The host's, and why no other will do.
        case host(String)
        /// One of the jail's own, from which these are reached.
        case user([String])
    }

    let mode: Mode

    /// Whether a network of the jail's own would do where it leads out.
    package static func leadsOut(_ records: [AccessRecord]) -> Bool {
        if case .user = LearnedNetwork(records, leadsOut: true).mode { true } else { false }
    }

    /// `leadsOut`: whether this host has what a network of the jail's own needs.
    init(_ records: [AccessRecord], leadsOut: Bool) {
        let own = Set(records.filter { $0.act == .listen }.map { Self.key($0) })
        let hasAnyPort = records.contains { $0.act == .listen && $0.path.hasSuffix(":0") }
        let connects = records.filter { $0.act == .connect && !$0.path.hasPrefix("/") }
        wanted = connects.filter { record in
            // Port 0 is asked for by getaddrinfo(3), to learn of routes: nothing is sent.
            if record.path.hasSuffix(":0") { return false }
            if own.contains(Self.key(record)) && Self.isLocal(record) { return false }
            // A port of the kernel's choice may be that of a socket of its own.
            return !(hasAnyPort && Self.isLocal(record) && Self.port(record) >= 32_768)
        }
        let used = Set(connects.map { Self.key($0) })
        let local = wanted.filter { Self.isLocal($0) || $0.detail == "unix" }
        if wanted.isEmpty {
            mode = .none
        } else if local.isEmpty, leadsOut {
            mode = .user(wanted.map(\.path))
        } else {
            let named = (local.isEmpty ? wanted : local).prefix(4).map(\.path).joined(separator: ", ")
            let more = wanted.count > 4 ? " and \(wanted.count - 4) more" : ""
            let why =
                local.isEmpty
                ? "which takes the host's whole network, as nothing here gives the jail one of its own (immure doctor)"
                : "of the host itself, which takes its whole network"
            mode = .host("connects to \(named)\(more), \(why)")
        }
        ports = records.filter { $0.act == .listen && $0.detail != "unix" && !used.contains(Self.key($0)) }.map(\.path)
    }

    var untold: [String] {
        let told = ports.filter { !$0.hasSuffix(":0") }
        if case .host = mode {
            return told.map { "listens at \($0): at the host's own port, as network.mode is \"host\"" }
        }
        return told.map { "listens at \($0): only the jail itself reaches it, without a line network.publish" }
    }

    /// An address of this machine's own, which sockets of the jail's own network have, too.
    private static func isLocal(_ record: AccessRecord) -> Bool {
        record.path.hasPrefix("127.") || record.path.hasPrefix("[::1]") || record.path.hasPrefix("@")
            || record.path.hasPrefix("0.0.0.0:") || record.path.hasPrefix("[::]")
    }

    private static func key(_ record: AccessRecord) -> String {
        record.detail == "unix" ? record.path : "\(port(record))"
    }

    private static func port(_ record: AccessRecord) -> Int {
        record.path.lastIndex(of: ":").flatMap { Int(record.path[record.path.index(after: $0)...]) } ?? 0
    }
}
