/// What carries a port.
package enum Transport: String, CaseIterable, Hashable, Sendable {
    case tcp, udp
}

/// An entry of `network.publish`: a port of the host that leads to one of the jail.
package struct Publication: Hashable, Sendable {
    /// The host's address that it is reached at; nil for every one.
    package let address: IPAddress?
    package let hostPort: UInt16
    package let jailPort: UInt16
    package let transport: Transport
}

extension Publication: CustomStringConvertible {
    /// As it may be written in a spec.
    package var description: String {
        let head = address.map { $0.isIPv6 ? "[\($0)]:" : "\($0):" } ?? ""
        return "\(head)\(hostPort):\(jailPort)/\(transport.rawValue)"
    }
}
