/// What the records say of the network.
package struct LearnedNetwork {
    enum Mode: Equatable {
        case none
        /// The host's, and why no other will do.
        case host(String)
        /// One of the jail's own, from which these are reached.
        case user([Destination])
    }

    /// An entry of `network.allow`, and what was seen that needs it.
    struct Destination: Equatable {
        let text: String
        let reason: String
    }

    /// What a cloud's machines are told at such an address.
    static let metadata = "of the link or a cloud's metadata, which may hold credentials of this machine"

    let mode: Mode
    /// Entries of `network.allow` that open such an address, each with why.
    let openings: [String]
    /// What the command listens at and does not connect to itself.
    private let ports: [AccessRecord]
    /// Servers that it asked for names of which none was found.
    private var vain: [String] = []

    /// Whether it matters what this host has for a network of the jail's own that leads out: not where nothing does, nor where it must be
    /// the host's.
    package static func matters(_ records: [AccessRecord]) -> Bool {
        let wanted = connections(records)
        return !wanted.isEmpty && !wanted.contains { isOfHost($0) && port($0) != 53 }
    }

    /// The hosts that it connects to, as `SocketAddress` words them.
    package static func hosts(_ records: [AccessRecord]) -> [String] {
        Set(connections(records).filter { !isOfHost($0) }.map(host)).sorted()
    }

    init(_ records: [AccessRecord], _ context: LearnContext) {
        let wanted = Self.connections(records)
        let connects = records.filter { $0.act == .connect && !$0.isOfFile }
        // Not what only asked for a route: that says nothing of who will connect.
        let used = Set(connects.map { Self.portKey($0) })
        ports = records.filter {
            $0.act == .listen && $0.detail != "unix" && !$0.path.hasSuffix(":0") && !used.contains(Self.portKey($0))
        }
        let names = Names(records)
        let asks = wanted.filter { Self.port($0) == 53 && context.servers.contains(Self.host($0)) }
        let others = wanted.filter { !asks.contains($0) }
        let isVain = others.isEmpty && names.areNone
        // Where its own resolver answers, a jail asks no other server.
        let needed = isVain ? [] : names.areEnough ? others : others + asks
        let local = needed.filter(Self.isOfHost)
        vain = isVain ? asks.map(\.path) : []
        openings =
            context.leadsOut && local.isEmpty
            ? needed.filter { context.metadata.contains(Self.host($0)) }.map {
                "network.allow has \($0.path): it is \(Self.metadata); without that entry the jail does not reach it"
            } : []
        if needed.isEmpty && (isVain || names.areNone) {
            mode = .none
        } else if local.isEmpty, context.leadsOut {
            mode = .user(names.destinations(needed, Transports(connects), closed: context.metadata))
        } else {
            mode = .host(
                Self.reason(local.isEmpty ? needed : local, of: needed.count, isLocal: !local.isEmpty, context))
        }
    }

    private static func reason(
        _ some: [AccessRecord], of count: Int, isLocal: Bool, _ context: LearnContext
    ) -> String {
        let named = some.prefix(4).map(\.path).joined(separator: ", ")
        let more = count > 4 ? " and \(count - 4) more" : ""
        let why =
            isLocal
            ? "of the host itself, which takes its whole network"
            : "which takes the host's whole network, as \(context.obstacle ?? "nothing here gives the jail one of its own"): immure doctor"
        return "connects to \(named)\(more), \(why)"
    }

    var untold: [String] {
        if case .host = mode {
            return ports.map { "listens at \($0.path): at the host's own port, as network.mode is \"host\"" }
        }
        return ports.map(Self.publication)
            + vain.map { "asks \($0) for names and is told of none: its jail has no network to ask by" }
    }

    /// A port that is not the caller's to have leads in by another.
    private static func publication(_ record: AccessRecord) -> String {
        let (path, port) = (record.path, port(record))
        let ports = "\(port < 1024 ? port + 8000 : port):\(port)" + (record.detail == "udp" ? "/udp" : "")
        let isOpen = path.hasPrefix("0.0.0.0:") || path.hasPrefix("[::]:")
        return "listens at \(path): only the jail itself reaches it; network.publish = [\"\(ports)\"] lets this host in"
            + (isOpen ? ", and [\"0.0.0.0:\(ports)\"] others" : "")
    }

    // MARK: Addresses

    /// The addresses that are none of its own.
    private static func connections(_ records: [AccessRecord]) -> [AccessRecord] {
        let own = Set(records.filter { $0.act == .listen }.map { key($0) })
        let hasAnyPort = records.contains { $0.act == .listen && $0.path.hasSuffix(":0") }
        var met: Set<String> = []
        return records.filter { record in
            guard record.act == .connect, !record.isOfFile else { return false }
            // Where a server may be bound, asked for as what a client may reach: nothing is sent there.
            if record.detail == "aimed", isAny(record) { return false }
            // Port 0 is asked for by getaddrinfo(3), to learn of routes: nothing is sent.
            if record.path.hasSuffix(":0") { return false }
            if own.contains(key(record)) && isLocal(record) { return false }
            // A port of the kernel's choice may be that of a socket of its own.
            if hasAnyPort && isLocal(record) && port(record) >= 32_768 { return false }
            return met.insert(record.path).inserted
        }
    }

    /// An address of this machine's own, which sockets of the jail's own network have, too.
    private static func isLocal(_ record: AccessRecord) -> Bool {
        record.path.hasPrefix("127.") || record.path.hasPrefix("[::1]") || record.path.hasPrefix("@")
            || isAny(record)
    }

    private static func isAny(_ record: AccessRecord) -> Bool {
        record.path.hasPrefix("0.0.0.0:") || record.path.hasPrefix("[::]:")
    }

    private static func isOfHost(_ record: AccessRecord) -> Bool { isLocal(record) || record.detail == "unix" }

    private static func key(_ record: AccessRecord) -> String {
        record.detail == "unix" ? record.path : "\(port(record))"
    }

    private static func portKey(_ record: AccessRecord) -> String {
        "\(record.detail == "tcp" ? "inet" : record.detail) \(port(record))"
    }

    fileprivate static func port(_ record: AccessRecord) -> Int {
        record.path.lastIndex(of: ":").flatMap { Int(record.path[record.path.index(after: $0)...]) } ?? 0
    }

    fileprivate static func host(_ record: AccessRecord) -> String {
        record.path.lastIndex(of: ":").map { String(record.path[..<$0]) } ?? record.path
    }
}

/// The names that servers gave addresses for.
private struct Names {
    private var byAddress: [String: [String]] = [:]
    private var addresses: [String: [String]] = [:]
    /// Whether one of them led to an address that no name opens: the jail's own resolver keeps that back.
    private var leadWithin = false

    init(_ records: [AccessRecord]) {
        for record in records {
            switch record.act {
            case .named:
                byAddress[record.path, default: []].append(record.detail)
                addresses[record.detail, default: []].append(record.path)
            case .namedWithin: leadWithin = true
            default: break
            }
        }
    }

    var areNone: Bool { addresses.isEmpty && !leadWithin }
    var areEnough: Bool { !addresses.isEmpty && !leadWithin }

    /// `closed`: hosts that no entry should open without being looked at.
    func destinations(
        _ records: [AccessRecord], _ transports: Transports, closed: [String]
    ) -> [LearnedNetwork.Destination] {
        var result: [LearnedNetwork.Destination] = []
        func add(_ text: String, _ reason: String) {
            if !result.contains(where: { $0.text == text }) { result.append(.init(text: text, reason: reason)) }
        }
        func named(_ record: AccessRecord) -> [String] {
            areEnough ? byAddress[LearnedNetwork.host(record)] ?? [] : []
        }
        // One of the addresses of a name may only have been asked for a route.
        var paths: [String: [String]] = [:]
        for record in records {
            for name in named(record) {
                paths["\(name):\(LearnedNetwork.port(record))", default: []].append(record.path)
            }
        }
        for record in records {
            let names = named(record)
            for name in names {
                let target = "\(name):\(LearnedNetwork.port(record))"
                add(
                    target + transports.ending(of: paths[target] ?? []),
                    "connects to \(record.path), which it was told for that name")
            }
            if names.isEmpty {
                let isClosed = closed.contains(LearnedNetwork.host(record))
                add(
                    record.path + transports.ending(of: [record.path]),
                    "connects to \(record.path)" + (areEnough ? ", for no name that was seen" : "")
                        + (isClosed ? ", \(LearnedNetwork.metadata)" : ""))
            }
        }
        guard areEnough else { return result }
        let reached = Set(records.map { LearnedNetwork.host($0) })
        for (name, found) in addresses.sorted(by: { $0.key < $1.key }) where !found.contains(where: reached.contains) {
            add(name, "asks for its address, and connects to none; without a port it is open for 443")
        }
        return result
    }
}
