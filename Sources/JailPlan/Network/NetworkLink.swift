package import JailSpec

/// An interface of the jail's own that hangs on the host's network.
package struct NetworkLink: Equatable, Sendable {
    package enum Kind: String, Equatable, Sendable {
        /// A pair of interfaces of its own, routed and translated by the host, or by a bridge of the host's.
        case veth
        case macvlan, ipvlan
    }

    package let kind: Kind
    /// The host's interface, or bridge; nil for a pair of its own.
    package let parent: String?
    /// The end of a veth that stays with the host, and the table of rules there.
    package let outerName: String
    package let addresses: [InterfaceAddress]
    package let gateway: IPAddress?
    /// The address of the host's end of a pair of its own, which is the gateway.
    package let outerAddress: InterfaceAddress?
    /// What of the host may be asked for names by a pair of its own, if the jail's rules let that out, and what it may reach whole as a
    /// list names it.
    let resolvers: [IPAddress]
    let named: [AddressRange]

    /// What the jail calls its interface.
    package static let innerName = "eth0"

    /// For a pair of its own: what nft(8) loads in the host's network, into a table that is there as long as the nft(8) that has made
    /// it lives (`flags owner`, Linux 5.12): nothing new comes to the jail, or from it to the host itself.
    package var outerRules: String? {
        guard outerAddress != nil else { return nil }
        let name = "\"\(outerName)\""
        let refused = ["meta l4proto tcp reject with tcp reset", "reject with icmpx type admin-prohibited"]
        var rules = [
            "type filter hook input priority -1", "iifname != \(name) accept", "ct state established,related accept",
        ]
        for server in resolvers where !server.isIPv6 {
            rules += ["udp", "tcp"].map { "ip daddr \(server) \($0) dport 53 accept" }
        }
        let four = Set(named.filter { !$0.first.isIPv6 }.map { "\($0)" }).sorted()
        if !four.isEmpty { rules.append("ip daddr { \(four.joined(separator: ", ")) } accept") }
        rules += refused
        let forwarded =
            [
                "type filter hook forward priority -1", "oifname != \(name) accept",
                "ct state established,related accept",
            ] + refused
        let sources = addresses.map { "ip saddr \($0.address) oifname != \(name) masquerade" }
        let translated = ["type nat hook postrouting priority 100"] + sources
        let chains = [("toHost", rules), ("toJail", forwarded), ("translate", translated)].map { chain, rules in
            "chain \(chain) { \(rules.joined(separator: "; ")); }"
        }
        return "add table inet \(outerName) { flags owner; \(chains.joined(separator: "; ")); }\n"
    }
}

extension NetworkLink {
    var words: String {
        switch (kind, parent) {
        case (.veth, nil): "make a pair of interfaces for the jail's network"
        case (_, let parent): "make an interface of \(kind.rawValue) on \(parent ?? "") for the jail's network"
        }
    }

    var json: JSON {
        .object([
            ("kind", .string(kind.rawValue)), ("parent", parent.map { .string($0) } ?? .null),
            ("addresses", .array(addresses.map { .string("\($0)") })),
            ("gateway", gateway.map { .string("\($0)") } ?? .null),
            ("outer_rules", outerRules.map { .string($0) } ?? .null),
        ])
    }
}

extension HostNetwork {
    /// A network of four addresses that this host does not route, of the 2^21 in 10.128.0.0/9: the host's end of a pair, and the
    /// jail's. Each launcher begins with another.
    func freePair() -> (host: InterfaceAddress, jail: InterfaceAddress)? {
        for attempt in 0..<256 {
            let place = UInt32(truncatingIfNeeded: (Int(seat) + attempt * 4099) % (1 << 21)) * 4
            let base = 0x0A80_0000 + place
            func address(_ last: UInt32) -> IPAddress {
                let number = base + last
                return IPAddress(bytes: [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) })
            }
            let whole = InterfaceAddress(address(0), prefix: 30)
            let isTaken = routed.contains { $0.contains(whole.address) || whole.contains($0.address) }
            if !isTaken { return (InterfaceAddress(address(1), prefix: 30), InterfaceAddress(address(2), prefix: 30)) }
        }
        return nil
    }
}
