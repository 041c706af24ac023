package import JailSpec

/// Where an address of IPv6 has the one of IPv4 in it that a network translates it to, by the bits before that, RFC 6052.
package enum Translation: Int, CaseIterable, Sendable {
    case after96 = 96
    case after64 = 64
    case after56 = 56
    case after48 = 48
    case after40 = 40
    case after32 = 32

    /// A byte that is 0 wherever the prefix ends, and no part of the address.
    private static let gap = 8

    private var places: ArraySlice<Int> { (rawValue / 8..<16).filter { $0 != Self.gap }.prefix(4) }

    /// The bits that say what it translates to: of the longest prefix without the gap, as other ways to carry IPv4 end with it, too.
    package var mask: IPAddress {
        var bytes = [UInt8](repeating: 0, count: 16)
        for place in places { bytes[place] = 0xFF }
        if self != .after96 { bytes[Self.gap] = 0xFF }
        return IPAddress(bytes: bytes)
    }

    /// What is left of an address that translates to `four`, whatever stands before and behind that.
    func rest(leadingTo four: IPAddress) -> IPAddress {
        var bytes = [UInt8](repeating: 0, count: 16)
        for (place, byte) in zip(places, four.bytes) { bytes[place] = byte }
        return IPAddress(bytes: bytes)
    }

    func rest(of address: IPAddress) -> IPAddress {
        IPAddress(bytes: zip(address.bytes, mask.bytes).map { $0 & $1 })
    }

    func four(in address: IPAddress) -> IPAddress { IPAddress(bytes: places.map { address.bytes[$0] }) }
}

extension Translation {
    /// The name whose addresses are of IPv4 alone, and these: who has others of IPv6 for it translates, RFC 7050.
    package static let knownName = NameService.wire("ipv4only.arpa")
    private static let known = [[192, 0, 0, 170], [192, 0, 0, 171]].map(IPAddress.init(bytes:))

    /// By which prefixes a network translates that has these addresses for that name.
    package static func prefixes(knownBy addresses: [IPAddress]) -> [AddressRange] {
        addresses.filter(\.isIPv6).flatMap { address in
            allCases.filter { $0.rest(of: address).bytes[gap] == 0 && known.contains($0.four(in: address)) }
                .map { AddressRange(address, $0.rawValue) }
        }
    }
}
