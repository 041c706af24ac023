package import JailSpec

/// What this host has for a network of the jail's own that leads out.
package struct HostNetwork: Equatable, Sendable {
    /// A program that is a network stack in user space for a namespace.
    package enum Stack: String, CaseIterable, Equatable, Sendable {
        /// pasta(1): IPv4 and IPv6, with the addresses of the host.
        case pasta
        /// slirp4netns(1): IPv4, with addresses of its own.
        case slirp4netns

        /// Debian's package.
        package var package: String {
            switch self {
            case .pasta: "passt"
            case .slirp4netns: "slirp4netns"
            }
        }
    }

    /// What the kernel says to who opens /dev/net/tun, and what helps.
    package struct TunnelRefusal: Equatable, Sendable {
        package let words: String
        package let remedy: String?

        package init(words: String, remedy: String?) { (self.words, self.remedy) = (words, remedy) }
    }

    /// The first of the stacks that is installed.
    package var stack: Stack?
    /// Whether nft(8) is installed.
    package var hasRules = false
    /// Why the caller cannot open /dev/net/tun, from which the stack gets its interface; nil where that can be opened.
    package var tunnelRefusal: TunnelRefusal?
    /// The addresses that the host takes for its own, but for those of loopback and of its link: its local routes, in which an address of
    /// an interface is one of many kinds.
    package var own: [AddressRange] = []
    package var gateways: [IPAddress] = []
    /// Whether a default route leads out, for each of the two protocols.
    package var hasRoute = NetworkProvision.Families(four: false, six: false)
    /// The networks of IPv4 that this host has a route to, but for the default one.
    package var routed: [InterfaceAddress] = []
    /// Whether it passes IPv4 on from one interface to another: net.ipv4.ip_forward.
    package var forwards = false
    /// The interfaces that the default routes of IPv4 lead to.
    package var uplinks: [String] = []
    /// Chains of the host's rules that let nothing through between those and the jail's interface; looked for where the host passes on what
    /// comes from it: from a pair of immure's, or a bridge of the host's.
    package var closedChains: [ForwardRules.Closed] = []
    /// The launcher's process id.
    package var seat: Int32 = 1
    /// The servers of resolv.conf(5), and its lines of other sorts: `search`, `options`.
    package var resolvers: [IPAddress] = []
    package var resolverOptions: [String] = []

    package init() {}

    /// What the host's end of an interface, and the table of rules there, is called.
    package var outerName: String { "immure\(seat)" }
}
