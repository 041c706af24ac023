/// An IP address: the bytes of it in the order of the network.
package struct IPAddress: Hashable, Sendable {
    /// Four bytes, or sixteen.
    package let bytes: [UInt8]

    /// From four bytes, or sixteen.
    package init(bytes: [UInt8]) { self.bytes = bytes }

    package var isIPv6: Bool { bytes.count == 16 }

    /// How many bits it has.
    package var width: Int { bytes.count * 8 }

    /// Whether it stands for every address: all bits are 0.
    package var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }

    /// Whether it is the host itself: 127.0.0.0/8, or ::1.
    package var isLoopback: Bool {
        isIPv6 ? bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1 : bytes[0] == 127
    }

    /// The address of IPv4 that is written as one of IPv6, ::ffff:0:0/96: a socket of both takes it, one of
    /// IPv6 alone does not (ipv6(7)), and no packet has it so (RFC 4291).
    package var mapped: IPAddress? {
        guard isIPv6, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF else { return nil }
        return IPAddress(bytes: Array(bytes[12...]))
    }

    /// As packets have it.
    package var plain: IPAddress { mapped ?? self }

    /// Whether who connects to it stays on its own host: loopback, or no address at all.
    package var isOfItself: Bool { plain.isLoopback || plain.isUnspecified }
}

extension IPAddress {
    /// Reads what inet_pton(3) takes, without calling it: this module asks nothing of the system.
    package init?(_ text: Substring) {
        guard let bytes = text.utf8.contains(UInt8(ascii: ":")) ? Self.sixteen(text) : Self.four(text) else {
            return nil
        }
        self.bytes = bytes
    }

    private static func four(_ text: Substring) -> [UInt8]? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var result: [UInt8] = []
        for part in parts {
            guard let number = canonicalNumber(Substring(part)), number <= 255 else { return nil }
            result.append(UInt8(number))
        }
        return result
    }

    private static func sixteen(_ text: Substring) -> [UInt8]? {
        guard let (front, back) = halves(text) else {
            let bytes = groups(text, endsAddress: true)
            return bytes?.count == 16 ? bytes : nil
        }
        guard let front = groups(front, endsAddress: false), let back = groups(back, endsAddress: true) else {
            return nil
        }
        // `::` stands for at least one group.
        let gap = 16 - front.count - back.count
        return gap >= 2 ? front + [UInt8](repeating: 0, count: gap) + back : nil
    }

    /// What stands on both sides of the first `::`.
    private static func halves(_ text: Substring) -> (Substring, Substring)? {
        let bytes = text.utf8
        for place in bytes.indices where bytes[place] == UInt8(ascii: ":") {
            let next = bytes.index(after: place)
            if next < bytes.endIndex, bytes[next] == UInt8(ascii: ":") {
                return (text[..<place], text[bytes.index(after: next)...])
            }
        }
        return nil
    }

    /// Groups with a colon between them; an IPv4 address may stand for the last two of an address.
    private static func groups(_ text: Substring, endsAddress: Bool) -> [UInt8]? {
        if text.isEmpty { return [] }
        var result: [UInt8] = []
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if endsAddress, index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let four = four(Substring(part)) else { return nil }
                result += four
            } else {
                guard 1...4 ~= part.count, let group = hexadecimal(part) else { return nil }
                result += [UInt8(group >> 8), UInt8(group & 0xFF)]
            }
        }
        return result
    }

    private static func hexadecimal(_ digits: Substring.UTF8View) -> UInt16? {
        var result: UInt16 = 0
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
            default: return nil
            }
            result = result << 4 | UInt16(value)
        }
        return result
    }
}

extension IPAddress {
    /// The first address of the network that this one is in: all bits after the first `prefix` are 0.
    package func masked(to prefix: Int) -> IPAddress {
        IPAddress(
            bytes: bytes.enumerated().map { index, byte in
                let kept = min(8, max(0, prefix - index * 8))
                return byte & ~UInt8(truncatingIfNeeded: 0xFF >> kept)
            })
    }
}

extension IPAddress: CustomStringConvertible {
    /// As RFC 5952 writes it: lower case, no leading zeros, the longest run of zero groups as `::`.
    package var description: String {
        guard isIPv6 else { return bytes.map { "\($0)" }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var longest = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 { start = index + 1 }
            // A single group is not worth it.
            if index + 1 - start > max(longest.count, 1) { longest = start..<index + 1 }
        }
        func words(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if longest.isEmpty { return words(groups[...]) }
        return words(groups[..<longest.lowerBound]) + "::" + words(groups[longest.upperBound...])
    }
}
