/// The address of a socket, as it stands in the memory of whoever names it.
package enum SocketAddress: Equatable, Sendable {
    /// An address of IPv4 or IPv6 in words, and its port.
    case inet(String, port: UInt16)
    /// A path, unix(7).
    case path([UInt8])
    /// A name in the network namespace.
    case abstract(String)

    /// nil for another family, or none: `struct sockaddr`, unix(7), ip(7), ipv6(7).
    package init?(_ bytes: [UInt8]) {
        // Ports are of the network's order.
        switch Self.family(bytes) {
        case 1:
            guard bytes.count > 2 else { return nil }
            let name = bytes[2...]
            if name.first == 0 {
                self = .abstract(String(decoding: name.dropFirst(), as: UTF8.self))
            } else {
                self = .path(Array(name.prefix { $0 != 0 }))
            }
        // Without a family an address is that of IPv4 to bind(2) and sendto(2). To connect(2) it is none.
        case 0 where bytes.count >= 16, 2 where bytes.count >= 8:
            self = .inet(Self.host(Array(bytes[4..<8])), port: Self.port(bytes))
        case 10 where bytes.count >= 24:
            self = .inet(Self.host(Array(bytes[8..<24])), port: Self.port(bytes))
        default: return nil
        }
    }

    /// The family of an address, which is of the machine's order; nil for what is too short to have one.
    package static func family(_ bytes: [UInt8]) -> UInt16? {
        bytes.count >= 2 ? UInt16(bytes[0]) | UInt16(bytes[1]) << 8 : nil
    }

    /// What an address of another family leads to, where that is out of the process; nil for what the kernel itself is asked by,
    /// netlink(7), and for what is none.
    package static func foreign(_ bytes: [UInt8]) -> String? {
        switch family(bytes) {
        case nil, 0, 1, 2, 10, 16: nil
        case 17: "AF_PACKET"
        case 29: "AF_CAN"
        case 31: "AF_BLUETOOTH"
        case 38: "AF_ALG"
        case 40: "AF_VSOCK"
        case .some(let number): "family \(number)"
        }
    }

    private static func port(_ bytes: [UInt8]) -> UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

    /// An address of 4 or 16 bytes in words. One of IPv4 that an IPv6 socket names, ::ffff:0:0/96, is that of IPv4.
    package static func host(_ bytes: [UInt8]) -> String {
        let isMapped =
            bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        if bytes.count == 4 || isMapped { return bytes.suffix(4).map { "\($0)" }.joined(separator: ".") }
        return six(bytes[...])
    }

    private static func six(_ bytes: ArraySlice<UInt8>) -> String {
        if bytes.dropLast().allSatisfy({ $0 == 0 }) { return "[::\(bytes.last == 0 ? "" : "1")]" }
        let groups = stride(from: bytes.startIndex, to: bytes.endIndex, by: 2).map {
            String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }
        return "[" + groups.joined(separator: ":") + "]"
    }
}
