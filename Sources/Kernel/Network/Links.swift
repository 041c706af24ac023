import CLinux

/// The interfaces of a network namespace, rtnetlink(7).
package struct Links: ~Copyable {
    private let channel: Descriptor

    /// How an interface of a jail hangs on the host's.
    package enum Kind: Sendable {
        case veth, macvlan, ipvlan

        fileprivate var number: linux_link_kind {
            switch self {
            case .veth: linux_link_veth
            case .macvlan: linux_link_macvlan
            case .ipvlan: linux_link_ipvlan
            }
        }
    }

    /// Those of the caller's own namespace, or of the one behind an open file: the caller enters that for a moment, which takes
    /// `CAP_SYS_ADMIN`. The corresponding C functions are `setns` and `socket`.
    package init(of network: Int32? = nil) throws(KernelError) {
        channel = Descriptor(owning: try attempt(.rtnetlink) { linux_open_links(network ?? -1) })
    }

    /// The number of an interface; `ENODEV` where there is none of that name.
    package func index(of name: String) throws(KernelError) -> Int32 {
        try attempt(.rtnetlink, name) { unsafe name.withCString { unsafe linux_link_index(channel.number, $0) } }
    }

    /// Makes an interface `inner` in the namespace behind `network`: the other end of `outer`, or one on the interface `parent`.
    package func make(
        _ kind: Kind, outer: String, inner: String, parent: Int32?, in network: Int32
    ) throws(KernelError) {
        try attempt(.rtnetlink) {
            unsafe outer.withCString { outer in
                unsafe inner.withCString { inner in
                    unsafe linux_make_link(channel.number, kind.number, outer, inner, parent ?? 0, network)
                }
            }
        }
    }

    package func raise(_ index: Int32) throws(KernelError) {
        try attempt(.rtnetlink) { linux_raise_link(channel.number, index) }
    }

    /// Takes an interface away, with the other end of a pair.
    package func delete(_ index: Int32) throws(KernelError) {
        try attempt(.rtnetlink) { linux_delete_link(channel.number, index) }
    }

    /// Gives an interface an address of 4 or 16 bytes, and with it the network around it.
    package func add(_ address: [UInt8], prefix: Int, to index: Int32) throws(KernelError) {
        try attempt(.rtnetlink) {
            unsafe linux_add_address(channel.number, index, address, Int32(address.count), Int32(prefix))
        }
    }

    package func addDefaultRoute(by gateway: [UInt8], over index: Int32) throws(KernelError) {
        try attempt(.rtnetlink) {
            unsafe linux_add_default_route(channel.number, index, gateway, Int32(gateway.count))
        }
    }
}
