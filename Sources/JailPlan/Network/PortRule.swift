import JailSpec

/// Ports of a network that may be connected to.
struct PortRule: Hashable {
    let address: IPAddress
    let prefix: Int
    let transport: Transport
    let ports: ClosedRange<UInt16>

    /// Those of a list with ports, for one family: as elements of a set and, as a set takes no two elements that overlap, the
    /// rest as rules.
    static func divided(_ allowed: [Destination], isIPv6: Bool) -> (set: [PortRule], rules: [PortRule]) {
        var (set, rules): ([PortRule], [PortRule]) = ([], [])
        for destination in allowed {
            guard let ports = destination.ports, case .network(let address, let prefix) = destination.target,
                address.isIPv6 == isIPv6
            else { continue }
            for transport in destination.transport.map({ [$0] }) ?? Transport.allCases {
                let next = PortRule(
                    address: address.masked(to: prefix), prefix: prefix, transport: transport, ports: ports)
                if set.contains(next) || rules.contains(next) { continue }
                if set.contains(where: next.overlaps) { rules.append(next) } else { set.append(next) }
            }
        }
        return (set, rules)
    }

    private func overlaps(_ other: PortRule) -> Bool {
        let common = min(prefix, other.prefix)
        return transport == other.transport && ports.overlaps(other.ports)
            && address.masked(to: common) == other.address.masked(to: common)
    }

    private var range: String {
        ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
    }

    /// As an element of a set whose type is address, protocol, port.
    var element: String { "\(address)/\(prefix) . \(transport.rawValue) . \(range)" }

    /// As a rule of its own.
    var rule: String {
        "\(address.isIPv6 ? "ip6" : "ip") daddr \(address)/\(prefix) \(transport.rawValue) dport \(range) accept"
    }
}
