/// An entry of `network.address`: an address of the jail's interface, and how many of its bits are its network's.
package struct InterfaceAddress: Hashable, Sendable {
    package let address: IPAddress
    package let prefix: Int

    package init(_ address: IPAddress, prefix: Int) { (self.address, self.prefix) = (address, prefix) }

    /// Whether another address is in the same network.
    package func contains(_ other: IPAddress) -> Bool {
        address.isIPv6 == other.isIPv6 && address.masked(to: prefix) == other.masked(to: prefix)
    }
}

extension InterfaceAddress: CustomStringConvertible {
    /// As it may be written in a spec.
    package var description: String { "\(address)/\(prefix)" }
}
