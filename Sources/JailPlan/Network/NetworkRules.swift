package import JailSpec

/// Where a jail may connect to, as rules of nftables in its own network namespace, nft(8).
///
/// They are loaded by a process outside before there is an interface, and what is in the jail has no capability over the
/// namespace: it can neither change them nor send past them (packet sockets are refused to it as well).
package struct NetworkRules: Equatable, Sendable {
    /// The destinations that are on the list; nil for all but those of `closed`.
    package let allowed: [Destination]?
    /// What stays closed where no list names it: the host's own addresses, those of the link and of clouds' metadata.
    package let closed: ClosedAddresses
    /// Servers that names may be asked of though their address is closed.
    package let resolvers: [IPAddress]
    /// Ports of the names on the list, whose addresses the jail's resolver adds to sets.
    var names: [NameService.Group] = []
    /// Whether the program that leads out is all that is on the jail's link.
    var isAlone = false

    /// Whether something besides the addresses that are named may be reached: without a list, by a wider entry of it, or by a name.
    package var closesRest: Bool { allowed == nil || !names.isEmpty || isWide }
    /// Whether the list has ranges that may have in them what is closed.
    var isWide: Bool { !wide.isEmpty }
    private var near: [Destination] { (allowed ?? []).filter(closed.isNamed) }
    private var wide: [Destination] { (allowed ?? []).filter { !$0.isName && !closed.isNamed($0) } }

    /// Whether that is closed though an entry of the list has it in its range.
    package func holdsBack(_ address: IPAddress) -> Bool {
        closed.contains(address) && wide.contains { $0.range?.contains(address) == true }
    }

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
        guard allowed != nil else { return !closed.contains(address) }
        func has(_ list: [Destination]) -> Bool { list.contains { $0.has(address, Self.askedPort) } }
        return has(near) || !closed.contains(address) && has(wide)
    }

    /// What nft(8) reads. It is one transaction: all of it holds, or nothing.
    package var text: String {
        var lines = ["table inet immure {"]
        if allowed != nil { lines += listSets }
        if closesRest { lines += closed.sets }
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
        ]
        // Whether another has an address is asked from `::` (RFC 4862), in the second after the start. There is nobody else, and pasta(1) of
        // 2023 sends to the last source that it has seen: answers would go to `::`.
        if isAlone { lines.append("    ip6 saddr :: drop") }
        lines += [
            "    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept",
            "    ct state established,related accept",
        ]
        lines += (serverRules + (allowed == nil ? ClosedAddresses.rules : listRules)).map { "    " + $0 }
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

    /// Servers of names are asked at their port though their address is closed: without a list, or where it has that port of it.
    private var serverRules: [String] {
        resolvers.flatMap { server in
            Transport.allCases.filter { carried in
                allowed == nil || wide.contains { $0.has(server, 53) && $0.transport.map { $0 == carried } != false }
            }.map { "\(server.isIPv6 ? "ip6" : "ip") daddr \(server) \($0.rawValue) dport 53 accept" }
        }
    }

    private var listRules: [String] {
        var lines = rules(of: near, "")
        if closesRest { lines += ClosedAddresses.rules }
        if !wide.isEmpty { lines += rules(of: wide, "wide_") }
        for six in [false, true] { lines += names.enumerated().map { $1.rule($0, isIPv6: six) } }
        return lines + ["goto refuse"]
    }

    private func rules(of list: [Destination], _ sort: String) -> [String] {
        [
            "ip daddr @\(sort)whole4 accept", "ip6 daddr @\(sort)whole6 accept",
            "ip daddr . meta l4proto . th dport @\(sort)ports4 accept",
            "ip6 daddr . meta l4proto . th dport @\(sort)ports6 accept",
        ] + [false, true].flatMap { PortRule.divided(list, isIPv6: $0).rules.map(\.rule) }
    }

    /// What is allowed whole, and what by its ports.
    private var listSets: [String] {
        [false, true].flatMap { six in
            let family = six ? 6 : 4
            let named = names.indices.map {
                set(NameService.set($0, isIPv6: six), "type ipv\(family)_addr; flags timeout; size 65535;", [])
            }
            return named
                + ([(near, "")] + (wide.isEmpty ? [] : [(wide, "wide_")])).flatMap { list, sort in
                    [
                        set(
                            "\(sort)whole\(family)", "type ipv\(family)_addr; flags interval; auto-merge;",
                            elements(list, isIPv6: six)),
                        set(
                            "\(sort)ports\(family)",
                            "type ipv\(family)_addr . inet_proto . inet_service; flags interval;",
                            PortRule.divided(list, isIPv6: six).set.map(\.element)),
                    ]
                }
        }
    }

    private func set(_ name: String, _ kind: String, _ elements: [String]) -> String {
        let filled = elements.isEmpty ? "" : " elements = { \(elements.joined(separator: ", ")) }"
        return "  set \(name) { \(kind)\(filled) }"
    }

    /// Those for every port, in words that nft(8) reads. A set takes each element once.
    private func elements(_ list: [Destination], isIPv6: Bool) -> [String] {
        var seen: Set<AddressRange> = []
        return list.filter { $0.ports == nil }.compactMap(\.range).filter {
            $0.first.isIPv6 == isIPv6 && seen.insert($0).inserted
        }.map { "\($0)" }
    }
}

extension Destination {
    /// Whether that port of the address is in it, by one of the two protocols at least.
    fileprivate func has(_ address: IPAddress, _ port: UInt16) -> Bool {
        range?.contains(address) == true && ports?.contains(port) != false
    }
}
