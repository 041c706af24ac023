/// What carries a port.
package enum Transport: String, CaseIterable, Hashable, Sendable {
    case tcp, udp
}

/// An entry of `network.publish`: a port of the host that leads to one of the jail.
package struct Publication: Hashable, Sendable {
    /// The host's address that it is reached at, all 0 for every one; nil where not written.
    package let address: IPAddress?
    package let hostPort: UInt16
    package let jailPort: UInt16
    package let transport: Transport

    /// The host's address: 127.0.0.1 where none is written.
    package var outerAddress: IPAddress { address ?? IPAddress(bytes: [127, 0, 0, 1]) }

    /// Whether the host can give only one of the two their port.
    func takesPort(of other: Publication) -> Bool {
        let (one, two) = (outerAddress, other.outerAddress)
        return transport == other.transport && hostPort == other.hostPort && one.isIPv6 == two.isIPv6
            && (one == two || one.isUnspecified || two.isUnspecified)
    }
}

extension Publication: CustomStringConvertible {
    /// As it may be written in a spec.
    package var description: String {
        let head = address.map { $0.isIPv6 ? "[\($0)]:" : "\($0):" } ?? ""
        return "\(head)\(hostPort):\(jailPort)/\(transport.rawValue)"
    }
}
