/// An entry of `network.allow`: where the jail may connect to.
package struct Destination: Hashable, Sendable {
    package enum Target: Hashable, Sendable {
        /// The addresses that begin with the same bits; all of the width for a single one.
        case network(IPAddress, prefix: Int)
        /// A host by its name, in lower case.
        case name(String)
        /// Every name below that one, in lower case.
        case namesBelow(String)
    }

    package let target: Target
    /// nil for every port.
    package let ports: ClosedRange<UInt16>?
    /// nil for both.
    package let transport: Transport?

    /// Whether it is a name, or all below one.
    package var isName: Bool { if case .network = target { false } else { true } }

    /// Whether it is the jail's own loopback, which no rule is about.
    var isOfLoopback: Bool {
        switch (asIPv4 ?? self).target {
        case .network(let address, let prefix): address.isLoopback && prefix >= 8
        case .name(let name), .namesBelow(let name): name == "localhost" || name.hasSuffix(".localhost")
        }
    }

    /// Whether it is the address that stands for none: 0.0.0.0, or ::.
    var isOfNobody: Bool {
        guard case .network(let address, let prefix) = (asIPv4 ?? self).target else { return false }
        return address.isUnspecified && prefix == address.width
    }

    /// The same in IPv4, where it is that in the words of IPv6.
    var asIPv4: Destination? {
        guard case .network(let address, let prefix) = target, prefix >= 96, let four = address.mapped else {
            return nil
        }
        return Destination(target: .network(four, prefix: prefix - 96), ports: ports, transport: transport)
    }
}

extension Destination: CustomStringConvertible {
    /// As it may be written in a spec.
    package var description: String {
        let end = (ports.map(Self.words) ?? "") + (transport.map { "/" + $0.rawValue } ?? "")
        switch target {
        case .network(let address, let prefix):
            // One that ends like a port is not taken without its prefix.
            let isPlain = prefix == address.width && (ports != nil || Form.addressAndPort("\(address)") == nil)
            let network = isPlain ? "\(address)" : "\(address)/\(prefix)"
            return (address.isIPv6 && ports != nil ? "[\(network)]" : network) + end
        case .name(let name): return name + end
        case .namesBelow(let domain): return "*." + domain + end
        }
    }

    private static func words(_ ports: ClosedRange<UInt16>) -> String {
        ports.count == 1 ? ":\(ports.lowerBound)" : ":\(ports.lowerBound)-\(ports.upperBound)"
    }
}
