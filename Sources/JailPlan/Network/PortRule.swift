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
        var seen: Set<PortRule> = []
        let all = allowed.flatMap { of($0, isIPv6: isIPv6) }.filter { seen.insert($0).inserted }
        var taken = Taken(prefixes: Set(all.map(\.prefix)))
        var (set, rules): ([PortRule], [PortRule]) = ([], [])
        for next in all {
            if taken.insert(next) { set.append(next) } else { rules.append(next) }
        }
        return (set, rules)
    }

    private static func of(_ destination: Destination, isIPv6: Bool) -> [PortRule] {
        guard let ports = destination.ports, let range = destination.range, range.first.isIPv6 == isIPv6 else {
            return []
        }
        return (destination.transport.map { [$0] } ?? Transport.allCases).map {
            PortRule(address: range.first, prefix: range.prefix, transport: $0, ports: ports)
        }
    }

    /// What a set has so far, found by each length of prefix that there is: lists are long.
    private struct Taken {
        private struct Place: Hashable {
            let range: AddressRange
            let transport: Transport
        }

        let prefixes: Set<Int>
        /// The ports of what is that wide, and of what is within it.
        private var (whole, within): ([Place: [ClosedRange<UInt16>]], [Place: [ClosedRange<UInt16>]]) = ([:], [:])

        init(prefixes: Set<Int>) { self.prefixes = prefixes }

        /// False where it overlaps one that is there.
        mutating func insert(_ rule: PortRule) -> Bool {
            func place(_ prefix: Int) -> Place {
                Place(range: AddressRange(rule.address, prefix), transport: rule.transport)
            }
            let around = prefixes.filter { $0 <= rule.prefix }.map(place)
            let own = place(rule.prefix)
            let others = around.flatMap { whole[$0] ?? [] } + (within[own] ?? [])
            if others.contains(where: rule.ports.overlaps) { return false }
            whole[own, default: []].append(rule.ports)
            for one in around where one != own { within[one, default: []].append(rule.ports) }
            return true
        }
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
