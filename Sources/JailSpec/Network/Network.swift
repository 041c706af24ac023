package import SpecFile

/// `[network]`: what the jail reaches.
package struct Network: Equatable, Sendable {
    package enum Mode: String, CaseIterable, Equatable, Sendable {
        case none, host, user, veth, macvlan, ipvlan
    }

    /// nil where not written: "none", or "host" where the net namespace is the host's.
    package var mode: Located<Mode>?
    /// The interface of the host that the jail's hangs on; of "veth" a bridge.
    package var parent: Located<String>?
    /// Those of the jail's interface; nil where not written: for "veth" without a parent some that are free.
    package var addresses: Located<[Located<InterfaceAddress>]>?
    /// Where what is for no network of the interface's goes.
    package var gateway: Located<IPAddress>?
    /// Ports of the host that lead inside.
    package var publish: [Located<Publication>] = []
    /// Where the jail may connect to; nil where not written: everywhere that the mode reaches.
    package var allow: Located<[Located<Destination>]>?
    /// The servers that resolve names; nil where not written: the host's.
    package var dns: Located<[Located<IPAddress>]>?

    package init() {}

    /// Whether a process of the host works in it as long as the jail lives.
    package var isServed: Bool { leadsOut || !publish.isEmpty }

    /// Whether it leads out by an interface of the host's, which only root may make.
    package var hasInterface: Bool {
        switch mode?.value {
        case .veth?, .macvlan?, .ipvlan?: true
        case nil, .none?, .host?, .user?: false
        }
    }

    /// Whether that is a pair of interfaces, which the host routes and translates.
    package var makesPair: Bool { mode?.value == .veth && parent == nil }

    /// Whether it is one of the jail's own that leads out.
    package var leadsOut: Bool {
        switch mode?.value {
        case .user?, .veth?, .macvlan?, .ipvlan?: true
        case nil, .none?, .host?: false
        }
    }
}
