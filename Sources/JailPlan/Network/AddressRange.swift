package import JailSpec

/// Addresses that begin with the same bits.
package struct AddressRange: Hashable, Sendable {
    package let first: IPAddress
    package let prefix: Int

    package init(_ address: IPAddress, _ prefix: Int) { (first, self.prefix) = (address.masked(to: prefix), prefix) }

    /// A single one.
    package init(_ address: IPAddress) { (first, prefix) = (address, address.width) }

    /// The addresses of `width` bytes that begin with these.
    init(_ first: [UInt8], width: Int = 4, _ prefix: Int) {
        self.init(IPAddress(bytes: first + [UInt8](repeating: 0, count: width - first.count)), prefix)
    }

    package func contains(_ address: IPAddress) -> Bool {
        guard address.isIPv6 == first.isIPv6 else { return false }
        let whole = prefix / 8
        for index in 0..<whole where address.bytes[index] != first.bytes[index] { return false }
        return prefix % 8 == 0 || (address.bytes[whole] ^ first.bytes[whole]) >> (8 - prefix % 8) == 0
    }

    func contains(_ other: AddressRange) -> Bool { prefix <= other.prefix && contains(other.first) }

    func overlaps(_ other: AddressRange) -> Bool { contains(other) || other.contains(self) }

    /// 64:ff9b::/96, for which every network that translates may be known (RFC 6052).
    static let translated = AddressRange([0x00, 0x64, 0xFF, 0x9B], width: 16, 96)

    /// Where nothing of the internet is, RFC 6890: this host, its link, private networks, benchmarks, groups, and
    /// where clouds serve metadata; of IPv6 all but global addresses (2000::/3), and of these what leads to IPv4 by tunnels (2001::/32,
    /// 2002::/16).
    static let neverByName =
        ClosedAddresses.metadata + [
            AddressRange([0], 8), AddressRange([10], 8), AddressRange([100, 64], 10), AddressRange([127], 8),
            AddressRange([169, 254], 16), AddressRange([172, 16], 12), AddressRange([192, 0, 0], 24),
            AddressRange([192, 168], 16), AddressRange([198, 18], 15), AddressRange([224], 3),
            AddressRange([0], width: 16, 3),
            AddressRange([0x40], width: 16, 2), AddressRange([0x80], width: 16, 1),
            AddressRange([0x20, 0x01, 0, 0], width: 16, 32), AddressRange([0x20, 0x02], width: 16, 16),
        ]
}

extension AddressRange: CustomStringConvertible {
    /// As nft(8) reads it.
    package var description: String { "\(first)/\(prefix)" }
}

extension Destination {
    /// Its addresses; nil for a name.
    var range: AddressRange? {
        guard case .network(let address, let prefix) = target else { return nil }
        return AddressRange(address, prefix)
    }
}
