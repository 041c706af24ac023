package import JailSpec

/// The jail's resolver: which names of `network.allow` it answers questions for, whom it asks, and which addresses of an answer it lets
/// the jail connect to.
package struct NameService: Equatable, Sendable {
    /// Ports that names of the list may be connected to, with a set of addresses for each of the two protocols.
    package struct Group: Hashable, Sendable {
        package let ports: ClosedRange<UInt16>
        /// nil for both.
        package let transport: Transport?
    }

    /// What becomes of an address that was answered.
    package enum Disposition: Sendable {
        /// It is given to the jail, which may connect to it.
        case opened
        /// It is given to the jail; where else that may connect to says another entry of the list.
        case given
        /// It is left out: a name does not lead to the host, or to a network that is private.
        case left
    }

    /// The servers that it asks, from the host's network.
    package let servers: [IPAddress]
    package let groups: [Group]
    /// The entries of the list that it answers for, as they were written.
    package let destinations: [Destination]
    /// The names, and the suffixes of names, each with the indices of its groups.
    package let exact: [Name: [Int]]
    package let below: [Name: [Int]]
    private let closed: [AddressRange]
    private let listed: [AddressRange]

    /// A name as questions have it, RFC 1035: each label after its length, in lower case, and a 0 at its end. A label may have any
    /// byte in it, a dot as well: only so are two names the same where they are.
    package typealias Name = [UInt8]

    /// Where it answers in the jail: UDP and TCP.
    package static let address = IPAddress(bytes: [127, 0, 0, 1])
    package static let port: UInt16 = 53
    /// The port of a name that stands without one.
    static let ordinaryPort: UInt16 = 443
    /// How long an address stays open at least after it was answered, in milliseconds: programs keep answers for longer than their servers
    /// say. Connections that are there stay.
    package static let shortestHold = 60_000
    /// How long it is held for on top, so that a question of every moment is not a change of the rules each time.
    package static let slack = 30_000

    /// nil where no name is on the list. `host` are addresses that no answer opens, `links` the networks that the host is in, which
    /// none opens either.
    init?(_ allowed: [Destination], servers: [IPAddress], host: [IPAddress], links: [InterfaceAddress] = []) {
        destinations = allowed.filter { if case .network = $0.target { false } else { true } }
        var groups: [Group] = []
        var (exact, below): ([Name: [Int]], [Name: [Int]]) = ([:], [:])
        for destination in destinations {
            let ports = destination.ports ?? Self.ordinaryPort...Self.ordinaryPort
            let group = Group(ports: ports, transport: destination.transport)
            let index = groups.firstIndex(of: group) ?? groups.count
            if index == groups.count { groups.append(group) }
            switch destination.target {
            case .network: break
            case .name(let name): exact[Self.wire(name), default: []].append(index)
            case .namesBelow(let domain): below[Self.wire(domain), default: []].append(index)
            }
        }
        guard !groups.isEmpty else { return nil }
        (self.servers, self.groups, self.exact, self.below) = (servers, groups, exact, below)
        // Of IPv6 a link is the 64 bits that its addresses begin with, RFC 4291.
        let near =
            host.map { AddressRange($0, $0.isIPv6 ? 64 : $0.width) } + links.map { AddressRange($0.address, $0.prefix) }
        closed = near + AddressRange.neverByName
        listed = allowed.compactMap { destination in
            guard case .network(let address, let prefix) = destination.target else { return nil }
            return AddressRange(address, prefix)
        }
    }

    /// The groups of a name; empty where it is not on the list.
    package func groups(of name: Name) -> [Int] {
        var found = exact[name] ?? []
        var rest = name[...]
        while let length = rest.first, length > 0, rest.count > Int(length) + 1 {
            rest = rest.dropFirst(Int(length) + 1)
            if let more = below[Array(rest)] { found += more }
        }
        return found
    }

    package func disposition(of address: IPAddress) -> Disposition {
        if listed.contains(where: { $0.contains(address) }) { return isClosed(address) ? .given : .opened }
        return isClosed(address) ? .left : .opened
    }

    /// Whether a name may open it to a jail at all, on whatever host.
    package static func mayOpen(_ address: IPAddress) -> Bool {
        !AddressRange.neverByName.contains { $0.contains(address) }
    }

    private func isClosed(_ address: IPAddress) -> Bool {
        // RFC 6052: an address of IPv4 behind a gateway.
        if AddressRange.translated.contains(address) { return isClosed(IPAddress(bytes: Array(address.bytes[12...]))) }
        return closed.contains { $0.contains(address) }
    }

    /// The set of a group's addresses in the rules.
    package static func set(_ group: Int, isIPv6: Bool) -> String { "names\(isIPv6 ? 6 : 4)_\(group)" }

    static func wire(_ name: String) -> Name {
        name.utf8.split(separator: UInt8(ascii: ".")).flatMap { [UInt8($0.count)] + $0 } + [0]
    }
}

extension NameService.Group {
    /// As a rule lets packets to the addresses of its set through.
    func rule(_ index: Int, isIPv6: Bool) -> String {
        let carried = transport.map { $0.rawValue } ?? "{ tcp, udp }"
        let range = ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
        return
            "ip\(isIPv6 ? "6" : "") daddr @\(NameService.set(index, isIPv6: isIPv6)) meta l4proto \(carried) th dport \(range) accept"
    }
}

/// Addresses that begin with the same bits.
struct AddressRange: Equatable, Sendable {
    private let first: IPAddress
    private let prefix: Int

    init(_ address: IPAddress, _ prefix: Int) { (first, self.prefix) = (address.masked(to: prefix), prefix) }

    /// The addresses of `width` bytes that begin with these.
    private init(_ first: [UInt8], width: Int = 4, _ prefix: Int) {
        self.init(IPAddress(bytes: first + [UInt8](repeating: 0, count: width - first.count)), prefix)
    }

    func contains(_ address: IPAddress) -> Bool {
        address.isIPv6 == first.isIPv6 && address.masked(to: prefix) == first
    }

    /// 64:ff9b::/96.
    static let translated = AddressRange([0x00, 0x64, 0xFF, 0x9B], width: 16, 96)

    /// Where nothing of the internet is, RFC 6890: this host, its link, private networks, benchmarks, groups, and
    /// where clouds serve metadata; of IPv6 all but global addresses (2000::/3), and of these what leads to IPv4 by tunnels (2001::/32,
    /// 2002::/16).
    static let neverByName =
        NetworkRules.metadata.map { AddressRange($0, $0.width) } + [
            AddressRange([0], 8), AddressRange([10], 8), AddressRange([100, 64], 10), AddressRange([127], 8),
            AddressRange([169, 254], 16), AddressRange([172, 16], 12), AddressRange([192, 0, 0], 24),
            AddressRange([192, 168], 16), AddressRange([198, 18], 15), AddressRange([224], 3),
            AddressRange([0], width: 16, 3),
            AddressRange([0x40], width: 16, 2), AddressRange([0x80], width: 16, 1),
            AddressRange([0x20, 0x01, 0, 0], width: 16, 32), AddressRange([0x20, 0x02], width: 16, 16),
        ]
}
