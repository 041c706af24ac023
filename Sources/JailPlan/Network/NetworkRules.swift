package import JailSpec

/// Where a jail may connect to, as rules of nftables in its own network namespace, nft(8).
///
/// They are loaded by a process outside before there is an interface, and what is in the jail has no capability over the
/// namespace: it can neither change them nor send past them (packet sockets are refused to it as well).
package struct NetworkRules: Equatable, Sendable {
    /// The destinations that are on the list; nil for all but those of `closed`.
    package let allowed: [Destination]?
    /// Networks that stay closed where there is no list: the host's own addresses, and those of the link.
    package let closed: [Destination.Target]
    /// Servers that names may be asked of though their address is closed.
    package let resolvers: [IPAddress]
    /// Ports of the names on the list, whose addresses the jail's resolver adds to sets.
    var names: [NameService.Group] = []

    /// The link's own addresses, 169.254.0.0/16 and fe80::/10, where clouds serve their metadata, and where those serve them that
    /// have other places for it.
    static let ofTheLink: [Destination.Target] =
        [
            .network(IPAddress(bytes: [169, 254, 0, 0]), prefix: 16),
            .network(IPAddress(bytes: [0xfe, 0x80] + [UInt8](repeating: 0, count: 14)), prefix: 10),
        ] + metadata.map { .network($0, prefix: $0.width) }

    /// Groups, multicast and broadcast: a stack in user space sends what is for them from the host, whose own services hear it.
    static let ofEverybody: [Destination.Target] = [
        .network(IPAddress(bytes: [224, 0, 0, 0]), prefix: 4),
        .network(IPAddress(bytes: [255, 255, 255, 255]), prefix: 32),
        .network(IPAddress(bytes: [0xff] + [UInt8](repeating: 0, count: 15)), prefix: 8),
    ]

    /// In the order: AWS, Google Cloud, Alibaba Cloud, Azure's WireServer, Oracle Cloud, Scaleway.
    static let metadata: [IPAddress] = [
        IPAddress(bytes: [0xfd, 0x00, 0x0e, 0xc2] + [UInt8](repeating: 0, count: 10) + [0x02, 0x54]),
        IPAddress(bytes: [0xfd, 0x20, 0x00, 0xce] + [UInt8](repeating: 0, count: 10) + [0x02, 0x54]),
        IPAddress(bytes: [100, 100, 100, 200]), IPAddress(bytes: [168, 63, 129, 16]),
        IPAddress(bytes: [192, 0, 0, 192]),
        IPAddress(bytes: [0xfd, 0x00, 0x00, 0x42] + [UInt8](repeating: 0, count: 10) + [0x00, 0x42]),
    ]

    /// An address and a port that must be refused once the rules hold, of that family: what is asked for to see that they do.
    /// nil where the list allows all that could be asked for.
    package func refused(isIPv6: Bool) -> (address: IPAddress, port: UInt16)? {
        let candidates = isIPv6 ? Self.askedSix : Self.askedFour
        return candidates.first { !allows($0) }.map { ($0, Self.askedPort) }
    }

    /// discard: nothing answers there.
    private static let askedPort: UInt16 = 9
    /// Addresses that are always closed where there is no list, and others that belong to nobody (RFC 5737, RFC 3849).
    private static let askedFour = [[169, 254, 169, 254], [192, 0, 2, 1], [198, 51, 100, 1]].map(IPAddress.init(bytes:))
    private static let askedSix = [[0xfd, 0x00, 0x0e, 0xc2], [0x20, 0x01, 0x0d, 0xb8]].map {
        IPAddress(bytes: $0 + [UInt8](repeating: 0, count: 10) + [0x02, 0x54])
    }

    /// Whether that is what `refused` may give.
    package static func isAsked(_ address: Substring, port: Substring) -> Bool {
        UInt16(port) == askedPort && (askedFour + askedSix).contains { $0.description == address }
    }

    private func allows(_ address: IPAddress) -> Bool {
        guard let allowed else { return false }
        return allowed.contains { destination in
            guard case .network(let network, let prefix) = destination.target, network.isIPv6 == address.isIPv6 else {
                return false
            }
            return destination.ports?.contains(Self.askedPort) != false
                && address.masked(to: prefix) == network.masked(to: prefix)
        }
    }

    /// What nft(8) reads. It is one transaction: all of it holds, or nothing.
    package var text: String {
        var lines = ["table inet immure {"]
        if let allowed { lines += sets(of: allowed) } else { lines += closedSets }
        lines += [false, true].map { six in
            let family = six ? 6 : 4
            return
                "  set refused\(family) { type ipv\(family)_addr . inet_proto . inet_service; flags dynamic; size 1024; }"
        }
        // What is refused is counted by its destination: a person wants to know what a program tried.
        lines += [
            "  chain refuse {",
            "    meta l4proto { tcp, udp } update @refused4 { ip daddr . meta l4proto . th dport counter }",
            "    meta l4proto { tcp, udp } update @refused6 { ip6 daddr . meta l4proto . th dport counter }",
            "    meta l4proto tcp reject with tcp reset",
            "    reject with icmpx type admin-prohibited",
            "  }",
            "  chain out {",
            "    type filter hook output priority 0; policy \(allowed == nil ? "accept" : "drop");",
            "    oifname \"lo\" accept",
            "    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept",
            "    ct state established,related accept",
        ]
        if let allowed {
            lines += rules(of: allowed)
        } else {
            lines += resolvers.flatMap { server in
                ["udp", "tcp"].map { "    \(server.isIPv6 ? "ip6" : "ip") daddr \(server) \($0) dport 53 accept" }
            }
            lines += ["    ip daddr @closed4 goto refuse", "    ip6 daddr @closed6 goto refuse"]
        }
        lines.append("  }")
        if names.isEmpty { lines += countedServers }
        lines.append("}")
        return lines.map { $0 + "\n" }.joined()
    }

    /// The counters of a server: what was sent to it, after the rules that may refuse it, and what came.
    package static func asked(_ server: Int) -> String { "asked\(server)" }
    package static func answered(_ server: Int) -> String { "answered\(server)" }

    private var countedServers: [String] {
        guard !resolvers.isEmpty else { return [] }
        let counters = resolvers.indices.flatMap { [Self.asked($0), Self.answered($0)] }
        func chain(_ name: String, _ hook: String, _ rule: (Int, IPAddress) -> String) -> [String] {
            ["  chain \(name) {", "    type filter hook \(hook) priority 1;"]
                + resolvers.enumerated().map { "    \($1.isIPv6 ? "ip6" : "ip") \(rule($0, $1))" } + ["  }"]
        }
        return counters.map { "  counter \($0) { packets 0 bytes 0 }" }
            + chain("ask", "output") { "daddr \($1) udp dport 53 counter name \(Self.asked($0))" }
            + chain("answer", "input") { "saddr \($1) udp sport 53 counter name \(Self.answered($0))" }
    }

    private func rules(of allowed: [Destination]) -> [String] {
        var lines = [
            "ip daddr @whole4 accept", "ip6 daddr @whole6 accept", "ip daddr . meta l4proto . th dport @ports4 accept",
            "ip6 daddr . meta l4proto . th dport @ports6 accept",
        ]
        for six in [false, true] {
            lines += PortRule.divided(allowed, isIPv6: six).rules.map(\.rule)
            lines += names.enumerated().map { $1.rule($0, isIPv6: six) }
        }
        lines.append("goto refuse")
        return lines.map { "    " + $0 }
    }

    private var closedSets: [String] {
        [false, true].map { six in
            set(
                "closed\(six ? 6 : 4)", "type ipv\(six ? 6 : 4)_addr; flags interval; auto-merge;",
                elements(closed, isIPv6: six))
        }
    }

    /// What is allowed whole, and what by its ports.
    private func sets(of allowed: [Destination]) -> [String] {
        [false, true].flatMap { six in
            let family = six ? 6 : 4
            let whole = allowed.filter { $0.ports == nil }.map(\.target)
            let named = names.indices.map {
                set(NameService.set($0, isIPv6: six), "type ipv\(family)_addr; flags timeout; size 65535;", [])
            }
            return named + [
                set(
                    "whole\(family)", "type ipv\(family)_addr; flags interval; auto-merge;",
                    elements(whole, isIPv6: six)),
                set(
                    "ports\(family)", "type ipv\(family)_addr . inet_proto . inet_service; flags interval;",
                    PortRule.divided(allowed, isIPv6: six).set.map(\.element)),
            ]
        }
    }

    private func set(_ name: String, _ kind: String, _ elements: [String]) -> String {
        let filled = elements.isEmpty ? "" : " elements = { \(elements.joined(separator: ", ")) }"
        return "  set \(name) { \(kind)\(filled) }"
    }

    private func elements(_ targets: [Destination.Target], isIPv6: Bool) -> [String] {
        unique(targets.compactMap { element($0, isIPv6: isIPv6) })
    }

    /// A set takes each element once.
    private func unique(_ elements: [String]) -> [String] {
        var seen: Set<String> = []
        return elements.filter { seen.insert($0).inserted }
    }

    /// The network in words that nft(8) reads; nil for a name, and for the other family.
    private func element(_ target: Destination.Target, isIPv6: Bool) -> String? {
        guard case .network(let address, let prefix) = target, address.isIPv6 == isIPv6 else { return nil }
        return "\(address.masked(to: prefix))/\(prefix)"
    }
}
