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
    /// What the rules keep closed, and the networks of the list, those apart that open it all the same.
    private let kept: ClosedAddresses
    private let named: [AddressRange]
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
    /// none opens either, and `kept` what the rules keep closed.
    init?(
        _ allowed: [Destination], servers: [IPAddress], host: [AddressRange], links: [InterfaceAddress],
        kept: ClosedAddresses
    ) {
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
            host.map { $0.first.isIPv6 ? AddressRange($0.first, min($0.prefix, 64)) : $0 }
            + links.map { AddressRange($0.address, $0.prefix) }
        closed = near + AddressRange.neverByName
        self.kept = kept
        named = allowed.filter(kept.isNamed).compactMap(\.range)
        listed = allowed.compactMap(\.range)
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

    /// `translators` are prefixes by which the network leads to IPv4, as far as they are known; each can be a lie of a server's, and opens nothing.
    package func disposition(of address: IPAddress, behind translators: [AddressRange] = []) -> Disposition {
        guard isClosed(address, translators) else { return .opened }
        if named.contains(where: { $0.contains(address) }) { return .given }
        return !kept.contains(address) && listed.contains { $0.contains(address) } ? .given : .left
    }

    /// Whether a name may open it to a jail at all, on whatever host.
    package static func mayOpen(_ address: IPAddress) -> Bool {
        !AddressRange.neverByName.contains { $0.contains(address) }
    }

    private func isClosed(_ address: IPAddress, _ translators: [AddressRange] = []) -> Bool {
        func leadsToClosed(_ translator: AddressRange) -> Bool {
            guard translator.contains(address), let way = Translation(rawValue: translator.prefix) else { return false }
            return isClosed(way.four(in: address))
        }
        if AddressRange.translated.contains(address) { return leadsToClosed(.translated) }
        return kept.contains(address) || closed.contains { $0.contains(address) }
            || translators.contains(where: leadsToClosed)
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
