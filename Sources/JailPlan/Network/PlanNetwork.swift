import JailSpec
import LinuxFacts
import SpecFile

extension Planner {
    /// A network of the jail's own is loopback and nothing else, or what was provided for it.
    mutating func setUpNetwork() {
        let origin = spec.network.mode?.position
        if let provision = plan.provision {
            add(.network(.awaitNetwork(provision)), origin)
        } else if isNew(.net) {
            add(.network(.bringUpLoopback), origin)
        }
    }

    /// Before anything is mounted: a process outside does it beside all that follows, and the command waits for it last.
    mutating func provideNetwork() {
        if let network { add(.network(.provideNetwork(network.provision)), spec.network.mode?.position) }
    }

    /// While the network is the caller's.
    mutating func openPorts() {
        for port in spec.network.publish { add(.network(.openPort(port.value)), port.position) }
    }

    /// Before the command, which others may wait for.
    mutating func publishPorts() {
        let ports = spec.network.publish
        if let first = ports.first { add(.network(.publish(ports.map(\.value))), first.position) }
    }

    /// What `[network]` comes to on this host; nil where nothing leads out, or a fault says why it cannot.
    mutating func resolveNetwork(_ capabilities: ResolvedCapabilities) {
        guard spec.network.leadsOut else { return }
        let stack: HostNetwork.Stack?
        if spec.network.hasInterface {
            guard canMakeInterface() else { return }
            stack = nil
        } else {
            stack = networkStack()
            if stack == nil { return }
        }
        checkReach(capabilities)
        warnOfOtherFamilies()
        let servers = nameServers(through: stack)
        var leadsOut = NetworkProvision.Families(
            four: host.network.hasRoute.four, six: host.network.hasRoute.six && stack == .pasta)
        plan.listOfDestinations = spec.network.allow?.position
        plan.listOfServers = spec.network.dns?.position
        let allowed = spec.network.allow?.value.map(\.value)
        let way: NetworkProvision.Way
        // A range of the list may have the host's gateways in it: they are others than the host.
        var gateways = host.network.gateways.map(AddressRange.init)
        var kept = host.network.own + ClosedAddresses.ofTheLink + ClosedAddresses.ofLoopback
        if let stack {
            way = .stack(stack)
            kept += ClosedAddresses.ofEverybody
        } else {
            let named = ClosedAddresses(kept).named(by: allowed)
            guard let link = networkLink(resolvers: servers.addresses, named: named) else { return }
            leadsOut = .init(four: link.gateway?.isIPv6 == false, six: link.gateway?.isIPv6 == true)
            gateways += link.gateway.map { [AddressRange($0)] } ?? []
            kept += link.outerAddress.map { [AddressRange($0.address)] } ?? []
            way = .link(link)
        }
        let closed = ClosedAddresses(allowed == nil ? kept + gateways : kept)
        let names = nameService(allowed ?? [], closing: host.network.own + gateways, closed)
        network = ResolvedNetwork(
            provision: NetworkProvision(
                way: way,
                rules: NetworkRules(
                    allowed: allowed, closed: closed, resolvers: servers.addresses, names: names?.groups ?? [],
                    isAlone: stack != nil),
                leadsOut: leadsOut, forwardedResolver: names == nil ? servers.forwarded : nil,
                runsAsRoot: host.uid == 0, names: names,
                instead: stack == .pasta ? addressesInstead(reaching: servers.addresses, closed.named(by: allowed)) : []
            ),
            resolvers: names == nil ? servers.addresses : [NameService.address])
    }

    /// pasta(1) gives the jail the host's own addresses, which lead to the jail itself then: others, where a list names one of the host's, or names
    /// are asked of one.
    private func addressesInstead(reaching servers: [IPAddress], _ named: [AddressRange]) -> [IPAddress] {
        let wanted = (servers.map(AddressRange.init) + named).filter { range in
            host.network.own.contains { $0.overlaps(range) }
        }
        return [false, true].filter { six in wanted.contains { $0.first.isIPv6 == six } }
            .compactMap(host.network.nobodys)
    }

    /// The resolver of a jail whose list has names, none of which leads to `addresses`. It stands outside, where the host's own servers are,
    /// and a stub on loopback as well.
    private mutating func nameService(
        _ allowed: [Destination], closing addresses: [AddressRange], _ kept: ClosedAddresses
    ) -> NameService? {
        let servers = askedServers
        guard
            let service = NameService(
                allowed, servers: servers, host: addresses, links: host.network.routed, kept: kept)
        else { return nil }
        if servers.isEmpty {
            fault(
                "names in network.allow need a server to ask, and resolv.conf(5) of this host has none",
                at: spec.network.allow?.position, hint: "network.dns = [\"10.0.0.53\"] names one")
        }
        return service
    }

    /// The program that provides it, with all that it needs on this host.
    private mutating func networkStack() -> HostNetwork.Stack? {
        let origin = spec.network.mode?.position
        guard let stack = host.network.stack else {
            fault(
                "network.mode = \"user\" needs pasta(1) or slirp4netns(1), and neither is installed", at: origin,
                hint: Remedy.installPasta)
            return nil
        }
        if !host.network.hasRules {
            fault(
                "network.mode = \"user\" needs nft(8), which keeps the host itself out of reach, and it is not installed",
                at: origin, hint: Remedy.installNFT)
        }
        if let refusal = host.network.tunnelRefusal {
            fault(
                "network.mode = \"user\" needs /dev/net/tun, which this user cannot open: \(refusal.words)", at: origin,
                hint: refusal.remedy)
        }
        guard host.network.hasRoute.four || host.network.hasRoute.six else {
            fault(
                "network.mode = \"user\" leads nowhere: this host has no default route", at: origin,
                hint: "network.mode = \"none\" launches without a network")
            return nil
        }
        return stack
    }

    /// Rules that the command could change, or send past, would be none.
    private mutating func checkReach(_ capabilities: ResolvedCapabilities) {
        let kept = capabilities.sets.permitted | capabilities.bounding
        for capability in [Capability.net_admin, .net_raw] where kept.contains(capability) {
            fault(
                "\(capability.name) is kept, with which the command could reach past the rules of its network",
                at: spec.capabilities.keep?.position ?? spec.network.mode?.position,
                hint: "take \(capability.name) out of [capabilities]")
        }
    }

    /// A socket of AF_VSOCK leads to the hypervisor and its services, whatever network namespace it is made in, and no rules see it
    /// (vsock(7)). Filters that others have compiled may refuse it.
    private mutating func warnOfOtherFamilies() {
        guard let policy = spec.seccomp?.value, let profile = policy.profile, case .none = profile.value,
            spec.network.allow != nil
        else { return }
        let named = policy.deny.map(\.value) + policy.rules.map(\.call.value)
        if named.contains("socket") || policy.programs != nil { return }
        warn(
            "sockets of AF_VSOCK are not held to network.allow: no network namespace holds them, and this profile refuses none",
            at: profile.position)
    }

    /// The servers that names are asked of, as the jail reaches them: not those on the host's loopback. Where names are on the list its resolver
    /// asks for it, from the host's network, and reaches these, too; else the stack does, where the host's resolv.conf has them.
    private mutating func nameServers(through stack: HostNetwork.Stack?) -> (
        addresses: [IPAddress], forwarded: IPAddress?
    ) {
        let servers = askedServers
        let reached = servers.filter { !$0.isOfItself }
        if spec.network.allow?.value.contains(where: { $0.value.isName }) == true { return (reached, nil) }
        if let written = spec.network.dns {
            let (others, ways) = (host.network.resolvers, host.network.hasRoute)
            let isForwarded = others.allSatisfy(\.isOfItself) && stack?.resolverAddress(for: others, ways) != nil
            for server in written.value where server.value.isOfItself {
                fault(
                    "\(server.value) is the jail's own loopback, where no server is", at: server.position,
                    hint: isForwarded
                        ? "leave network.dns out: the host's own server is asked"
                        : "network.dns = [\"10.0.0.53\"] names one")
            }
            return (reached, nil)
        }
        guard reached.isEmpty, !servers.isEmpty else { return (reached, nil) }
        guard let stack else {
            fault(
                "the host's server of names answers at its own loopback, which this network does not reach",
                at: spec.network.mode?.position, hint: "network.dns = [\"10.0.0.53\"] names one")
            return ([], nil)
        }
        guard let forwarded = stack.resolverAddress(for: servers, host.network.hasRoute) else {
            warn(
                "names cannot be asked for: the host's server of names answers at \(servers[0]), which \(stack.rawValue)(1) does not reach here",
                at: spec.network.mode?.position, hint: "network.dns = [\"10.0.0.53\"] names one")
            return ([], nil)
        }
        return ([forwarded], forwarded)
    }

    /// Those of the spec, or of the host, each as packets have it.
    private var askedServers: [IPAddress] {
        (spec.network.dns?.value.map(\.value) ?? host.network.resolvers).map(\.plain)
    }
}

/// A network that leads out.
struct ResolvedNetwork {
    let provision: NetworkProvision
    /// The servers that names are asked of.
    let resolvers: [IPAddress]
}
