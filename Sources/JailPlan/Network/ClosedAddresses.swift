package import JailSpec

/// Addresses that stay closed to a jail unless the list names them: by an entry for one of them, or for one of the ranges here or a part of it,
/// of the link's own addresses for a part alone. A wider entry opens all else that is in it.
package struct ClosedAddresses: Equatable, Sendable {
    package let ranges: [AddressRange]
    /// Of IPv6 what has one of IPv4 in it at one of the places of `Translation`, whatever stands before and behind: a network may translate behind
    /// any prefix, and ISATAP has one of its own for each site (RFC 5214).
    private let within: Set<IPAddress>

    /// These, and the addresses of IPv6 that lead to those of IPv4 among them.
    package init(_ direct: [AddressRange]) {
        var (ranges, within): ([AddressRange], Set<IPAddress>) = (direct, [])
        for range in direct where !range.first.isIPv6 {
            ranges += Self.carrying(range)
            // Nobody translates to all hosts, whose bits the other way round are none at all.
            if range.prefix == 32, range != Self.allHosts { within.formUnion(Self.leading(to: range.first)) }
        }
        (self.ranges, self.within) = (ranges, within)
    }

    package func contains(_ address: IPAddress) -> Bool {
        ranges.contains { $0.contains(address) }
            || address.isIPv6 && Translation.allCases.contains { within.contains($0.rest(of: address)) }
    }

    /// Whether that entry names what it opens closely enough to open what is closed.
    func isNamed(_ destination: Destination) -> Bool {
        guard let range = destination.range, !Self.allOfTheLink.contains(range) else { return false }
        return range.prefix == range.first.width || ranges.contains { $0.contains(range) }
    }

    func named(by list: [Destination]?) -> [AddressRange] { (list ?? []).filter(isNamed).compactMap(\.range) }

    /// Where IPv6 has an address of IPv4 in it at a place that is known: 6to4 (RFC 3056), the server of Teredo (RFC 4380); and, as a
    /// single one is found anywhere, a network behind 64:ff9b::/96, 64:ff9b:1::/96 (RFC 8215), ::ffff:0:0/96 and ::/96.
    private static func carrying(_ range: AddressRange) -> [AddressRange] {
        func after(_ first: [UInt8]) -> AddressRange {
            AddressRange(first + range.first.bytes, width: 16, first.count * 8 + range.prefix)
        }
        let tunnels = [after([0x20, 0x02]), after([0x20, 0x01, 0, 0])]
        if range.prefix == 32 { return tunnels }
        let translators: [[UInt8]] = [
            [0, 0x64, 0xFF, 0x9B] + zeros(8), [0, 0x64, 0xFF, 0x9B, 0, 1] + zeros(6), zeros(10) + [0xFF, 0xFF],
            zeros(12),
        ]
        return tunnels + translators.map(after)
    }

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    /// What translates to that address, and what ends with it as Teredo has a client's: its bits the other way round.
    private static func leading(to address: IPAddress) -> [IPAddress] {
        Translation.allCases.map { $0.rest(leadingTo: address) }
            + [Translation.after96.rest(leadingTo: IPAddress(bytes: address.bytes.map { ~$0 }))]
    }
}

extension ClosedAddresses {
    /// The link's own addresses, 169.254.0.0/16 and fe80::/10, where clouds serve their metadata, and where those serve them that
    /// have other places for it.
    static let ofTheLink = link + metadata

    package static func isOfTheLink(_ address: IPAddress) -> Bool { ofTheLink.contains { $0.contains(address) } }

    private static let link = [AddressRange([169, 254], 16), AddressRange([0xFE, 0x80], width: 16, 10)]

    /// Who names all of a link does not ask for the metadata that is served there, at 169.254.169.254 or fe80::a9fe:a9fe.
    private static let allOfTheLink = Set(link + link.filter { !$0.first.isIPv6 }.flatMap(carrying))

    /// Groups, multicast and broadcast: a stack in user space sends what is for them from the host, whose own services hear it.
    static let ofEverybody = [AddressRange([224], 4), allHosts, AddressRange([0xFF], width: 16, 8)]
    private static let allHosts = AddressRange([255, 255, 255, 255], 32)

    /// In the order: most clouds, AWS for its containers, AWS, Google Cloud, Alibaba Cloud, Azure's WireServer, Oracle Cloud, Scaleway.
    static let metadata = [
        AddressRange([169, 254, 169, 254], 32), AddressRange([169, 254, 170, 2], 32),
        AddressRange([169, 254, 170, 23], 32),
        AddressRange(IPAddress(bytes: [0xfd, 0x00, 0x0e, 0xc2] + zeros(10) + [0x02, 0x54])),
        AddressRange(IPAddress(bytes: [0xfd, 0x20, 0x00, 0xce] + zeros(10) + [0x02, 0x54])),
        AddressRange([100, 100, 100, 200], 32), AddressRange([168, 63, 129, 16], 32),
        AddressRange([192, 0, 0, 192], 32),
        AddressRange(IPAddress(bytes: [0xfd, 0x00, 0x00, 0x42] + zeros(10) + [0x00, 0x42])),
    ]

    /// Loopback: no packet to it leaves a jail, but one to an address of IPv6 that has it in it may.
    static let ofLoopback = [AddressRange([0], 8), AddressRange([127], 8)]
}

extension ClosedAddresses {
    /// As elements of the sets `closed4`, `closed6` and `within` of the rules.
    func elements() -> [(set: String, elements: [String])] {
        [
            ("closed4", unique(ranges.filter { !$0.first.isIPv6 }.map { "\($0)" })),
            ("closed6", unique(ranges.filter { $0.first.isIPv6 }.map { "\($0)" })),
            ("within", within.map { "\($0)" }.sorted()),
        ]
    }

    /// What nft(8) reads to close these as well, where the rules hold already.
    package var addition: String {
        elements().filter { !$0.elements.isEmpty }.map { set, elements in
            "add element inet immure \(set) { \(elements.joined(separator: ", ")) };"
        }.joined()
    }

    /// What the sets are, and the rules that heed them.
    var sets: [String] {
        elements().map { set, elements in
            let kind = set == "within" ? "ipv6_addr;" : "ipv\(set.suffix(1))_addr; flags interval; auto-merge;"
            let filled = elements.isEmpty ? "" : " elements = { \(elements.joined(separator: ", ")) }"
            return "  set \(set) { type \(kind)\(filled) }"
        }
    }

    static let rules =
        [
            "ip daddr @closed4 goto refuse", "ip6 daddr @closed6 goto refuse",
        ] + Translation.allCases.map { "ip6 daddr & \($0.mask) == @within goto refuse" }

    /// A set takes each element once.
    private func unique(_ elements: [String]) -> [String] {
        var seen: Set<String> = []
        return elements.filter { seen.insert($0).inserted }
    }
}
