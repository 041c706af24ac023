package import SpecFile

/// `[network]`: what the jail reaches.
package struct Network: Equatable, Sendable {
    package enum Mode: String, CaseIterable, Equatable, Sendable {
        case none, host, user, veth, macvlan, ipvlan
    }

    /// nil where not written: "none", or "host" where the net namespace is the host's.
    package var mode: Located<Mode>?
    /// Ports of the host that lead inside.
    package var publish: [Located<Publication>] = []
    /// Where the jail may connect to; nil where not written: everywhere that the mode reaches.
    package var allow: Located<[Located<Destination>]>?
    /// The servers that resolve names; nil where not written: the host's.
    package var dns: Located<[Located<IPAddress>]>?

    package init() {}

    /// Whether a process of the host works in it as long as the jail lives.
    package var isServed: Bool { leadsOut || !publish.isEmpty }

    /// Whether it is one of the jail's own that leads out.
    package var leadsOut: Bool {
        switch mode?.value {
        case .user?, .veth?, .macvlan?, .ipvlan?: true
        case nil, .none?, .host?: false
        }
    }
}
