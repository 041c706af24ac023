package import JailSpec
import SpecFile

/// A network that leads out by an interface of the jail's own.
extension Planner {
    private var modeWord: String { spec.network.mode?.value.rawValue ?? "" }

    /// Whether the caller and the host have what it takes.
    mutating func canMakeInterface() -> Bool {
        let origin = spec.network.mode?.position
        guard host.isPrivileged else {
            fault(
                "network.mode = \"\(modeWord)\" makes an interface on the host, which only root may", at: origin,
                hint: "network.mode = \"user\", or \(Remedy.launchAsRoot)")
            return false
        }
        guard host.network.hasRules else {
            fault(
                "network.mode = \"\(modeWord)\" needs nft(8), which keeps the host itself out of reach, and it is not installed",
                at: origin, hint: Remedy.installNFT)
            return false
        }
        guard spec.network.makesPair else { return true }
        if !host.network.forwards {
            fault(
                "network.mode = \"veth\" without a parent needs a host that forwards, and net.ipv4.ip_forward is 0",
                at: origin, hint: Remedy.setSysctl("net.ipv4.ip_forward", to: 1))
        }
        for chain in host.network.closedChains {
            fault(
                "network.mode = \"veth\" without a parent needs a host that forwards, and its own rules, chain \(chain.place), let nothing through",
                at: origin, hint: Remedy.forward(chain))
        }
        for address in spec.network.addresses?.value ?? [] where address.value.address.isIPv6 {
            fault(
                "\(address.value): a veth without a parent has IPv4 only", at: address.position,
                hint: "network.parent names a bridge that has IPv6")
        }
        return true
    }

    /// The interface; nil where no addresses are left for it. `resolvers` are what of the host may be asked for names, and `named`
    /// what of it a list names.
    mutating func networkLink(resolvers: [IPAddress], named: [AddressRange]) -> NetworkLink? {
        let network = spec.network
        let kind: NetworkLink.Kind =
            switch network.mode?.value {
            case .macvlan?: .macvlan
            case .ipvlan?: .ipvlan
            default: .veth
            }
        warnOfClosedBridge()
        var addresses = network.addresses?.value.map(\.value) ?? []
        var (gateway, outer) = (network.gateway?.value, InterfaceAddress?.none)
        if kind == .veth, network.parent == nil {
            if addresses.isEmpty {
                guard let pair = host.network.freePair() else {
                    fault(
                        "this host routes all of 10.128.0.0/9, where a veth's addresses are taken from",
                        at: network.mode?.position, hint: "network.address = [\"10.9.0.2/24\"]")
                    return nil
                }
                (addresses, gateway) = ([pair.jail], pair.host.address)
            }
            let first = gateway ?? addresses[0].neighbour
            gateway = first
            let around = addresses.first { $0.contains(first) } ?? addresses[0]
            outer = InterfaceAddress(first, prefix: around.prefix)
        }
        return NetworkLink(
            kind: kind, parent: network.parent?.value, outerName: host.network.outerName, addresses: addresses,
            gateway: gateway, outerAddress: outer, resolvers: resolvers, named: named)
    }
}

extension HostNetwork {
    /// The interface of the host's from which it passes on what the jail sends: its end of a pair of immure's, or a bridge with the address
    /// that is the jail's gateway. nil where it passes nothing on, but its link does.
    package func forwarded(for network: Network) -> String? {
        if network.makesPair { return outerName }
        guard case .veth? = network.mode?.value, let bridge = network.parent, let gateway = network.gateway,
            own.contains(where: { $0.contains(gateway.value) })
        else { return nil }
        return bridge.value
    }
}

extension Planner {
    /// What is on the bridge is reached all the same.
    private mutating func warnOfClosedBridge() {
        guard !spec.network.makesPair, let bridge = host.network.forwarded(for: spec.network) else { return }
        let gateway = spec.network.gateway
        let router = "network.gateway is this host, which"
        if !host.network.forwards {
            warn(
                "\(router) does not forward what comes from \(bridge): net.ipv4.ip_forward is 0", at: gateway?.position)
        }
        for chain in host.network.closedChains {
            warn(
                "\(router) lets nothing of what comes from \(bridge) through: its own rules, chain \(chain.place)",
                at: gateway?.position)
        }
    }
}

extension InterfaceAddress {
    /// The first address of the network, or the second where it is the first.
    fileprivate var neighbour: IPAddress {
        var bytes = address.masked(to: prefix).bytes
        bytes[bytes.count - 1] += 1
        if bytes == address.bytes { bytes[bytes.count - 1] += 1 }
        return IPAddress(bytes: bytes)
    }
}
