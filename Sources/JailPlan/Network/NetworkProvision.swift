package import JailSpec

/// A network of the jail's own that leads out through a program of the host's, and what holds in it.
package struct NetworkProvision: Equatable, Sendable {
    /// What leads out.
    package enum Way: Equatable, Sendable {
        case stack(HostNetwork.Stack)
        case link(NetworkLink)
    }

    package let way: Way
    package let rules: NetworkRules
    /// Which of the two protocols lead out: a default route of each is waited for.
    package let leadsOut: Families
    /// An address that nobody has in the jail's network, at which the host's own resolver answers: it listens on the host's
    /// loopback, which is out of the jail's reach.
    package let forwardedResolver: IPAddress?
    /// Whether the stack is started as root, which pasta would give up for nobody, who cannot open the namespaces.
    package let runsAsRoot: Bool
    /// The jail's own resolver, where names are on the list.
    package let names: NameService?
    /// What pasta gives the jail for an address in place of the host's own, where the jail is to reach that one: of each protocol at most one.
    let instead: [IPAddress]

    /// IPv4, IPv6, or both.
    package struct Families: Equatable, Sendable {
        package let four: Bool
        package let six: Bool

        package init(four: Bool, six: Bool) { (self.four, self.six) = (four, six) }
    }

    /// The interface that leads out, where it is no program that does.
    package var link: NetworkLink? { if case .link(let link) = way { link } else { nil } }

    /// The words that the stack is started with; `network` and `users` are descriptors of the namespaces, `users` is nil where the jail
    /// has none of its own, and `ready` one that the stack may write to when it is.
    package func arguments(
        of stack: HostNetwork.Stack, network: Int32, users: Int32?, ready: Int32
    ) -> [String] {
        let networkPath = "/proc/self/fd/\(network)"
        let usersPath = users.map { "/proc/self/fd/\($0)" }
        switch stack {
        case .pasta:
            // As it comes it forwards ports both ways and takes the gateway's address for the host's loopback.
            var words = [
                "pasta", "--foreground", "--quiet", "--config-net", "--no-map-gw", "--mtu", "65520", "-t", "none", "-u",
                "none", "-T", "none", "-U", "none", "--netns", networkPath,
            ]
            if runsAsRoot { words += ["--runas", "0"] }
            if let usersPath { words += ["--userns", usersPath] }
            for address in instead {
                // The gateway is nobody: what is for it goes to pasta like all else.
                words += ["--address", "\(address)", "--gateway", "\(address.firstNeighbour)"]
                if !address.isIPv6 { words += ["--netmask", "24"] }
            }
            if let forwardedResolver { words += ["--dns-forward", "\(forwardedResolver)"] }
            return words
        case .slirp4netns:
            var words = [
                "slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback", "--enable-seccomp",
                "--ready-fd=\(ready)", "--netns-type=path",
            ]
            if let usersPath { words.append("--userns-path=\(usersPath)") }
            if forwardedResolver == nil { words.append("--disable-dns") }
            return words + [networkPath, "tap0"]
        }
    }
}

extension HostNetwork {
    /// An address for a jail that belongs to nobody: a dummy (RFC 7600), one to be discarded (RFC 6666), or one of examples. nil where this
    /// host has them all.
    func nobodys(isIPv6: Bool) -> IPAddress? {
        let zeros = [UInt8](repeating: 0, count: 10)
        let candidates =
            isIPv6
            ? [[0x01, 0, 0, 0], [0x20, 0x01, 0x0D, 0xB8]].map { $0 + zeros + [0, 8] }
            : [[192, 0, 0, 8], [198, 51, 100, 8]]
        let taken = own + routed.map { AddressRange($0.address, $0.prefix) }
        return candidates.map(IPAddress.init(bytes:)).first { address in !taken.contains { $0.contains(address) } }
    }
}

extension IPAddress {
    /// The first address after that of its /24, or /64.
    fileprivate var firstNeighbour: IPAddress { IPAddress(bytes: bytes.dropLast() + [1]) }
}

extension HostNetwork.Stack {
    /// Where the host's own resolver, which has these addresses of loopback, is made to answer: at an address of the same protocol. nil where
    /// this network has none of theirs.
    func resolverAddress(for servers: [IPAddress], _ hasRoute: NetworkProvision.Families) -> IPAddress? {
        let isFour = hasRoute.four && servers.contains { !$0.isIPv6 }
        switch self {
        case .pasta where isFour: return IPAddress(bytes: [169, 254, 1, 53])
        // One of those that are to be discarded (RFC 6666).
        case .pasta where hasRoute.six && servers.contains(where: \.isIPv6):
            return IPAddress(bytes: [1] + [UInt8](repeating: 0, count: 14) + [0x53])
        case .slirp4netns where isFour: return IPAddress(bytes: [10, 0, 2, 3])
        case .pasta, .slirp4netns: return nil
        }
    }
}
