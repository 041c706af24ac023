import JailPlan
import JailSpec
import SpecFile

extension Check {
    static let network: [Check] = [
        Check(
            "network.mode",
            advice: "\"none\"; or landlock.connect_tcp and bind_tcp with the ports that are needed, which count off"
        ) { spec in
            guard spec.reachesNetwork else { return [] }
            let (origin, caveat) = spec.foreign(.net) ?? (spec.network.mode?.position, "")
            // A list of many ports is as good as none.
            let weight = Weight.hostNetwork(openPorts: spec.landlock?.value.openPorts)
            let what =
                "\(caveat)the host's network: all that listens there, and all that it reaches"
                + (weight < Weight.hostNetwork ? ", over the TCP ports of [landlock] and UDP" : "")
            return [Opening(weight: weight, what: what, origin: origin)]
        },
        Check("network.mode", advice: "\"none\"; or network.allow with the destinations that are needed") { spec in
            guard let mode = spec.network.mode else { return [] }
            let weights: (all: Int, few: Int, names: Int)
            switch mode.value {
            case .none, .host: return []
            case .user: weights = Weight.throughUser
            case .veth, .macvlan, .ipvlan: weights = Weight.throughInterface
            }
            let (weight, what) =
                if spec.network.hasNamesOnly {
                    (weights.names, "the names of network.allow, and what else is at their addresses")
                } else if spec.network.hasFewDestinations {
                    (weights.few, "the destinations of network.allow")
                } else {
                    (weights.all, "every network that the host reaches")
                }
            return [Opening(weight: weight, what: what, origin: mode.position)]
        },
        Check("network.publish", advice: "127.0.0.1 as the address, or leave it out") { spec in
            spec.network.publish.map { port in
                let isLocal = port.value.outerAddress.isLoopback
                return Opening(
                    weight: isLocal ? Weight.publishedLocally : Weight.published,
                    what: "\(port.value) can be reached from \(isLocal ? "the host" : "outside")", origin: port.position
                )
            }
        },
    ]
}

extension Spec {
    /// Whether the network is the host's, or may be: the path of a namespace does not tell whose it is.
    var reachesNetwork: Bool { sharesNetwork || foreign(.net) != nil }
}

extension Network {
    /// Whether the destinations of `allow` are a small part of all there are: of the addresses, each sort by itself, and
    /// of the names, where only a wildcard over a whole top-level domain is not.
    var hasFewDestinations: Bool {
        guard let allow else { return false }
        var parts = (four: 0.0, six: 0.0)
        for destination in allow.value {
            switch destination.value.target {
            case .network(let address, let prefix):
                let part = (0..<prefix).reduce(1.0) { part, _ in part / 2 }
                if address.isIPv6 { parts.six += part } else { parts.four += part }
            case .name: break
            case .namesBelow(let domain): if !domain.utf8.contains(UInt8(ascii: ".")) { return false }
            }
        }
        return parts.four <= 1.0 / 16 && parts.six <= 1.0 / 16
    }

    /// Whether nothing but a resolver opens a destination: `allow` has no address, and few names.
    var hasNamesOnly: Bool {
        guard let allow, hasFewDestinations else { return false }
        return allow.value.allSatisfy { if case .network = $0.value.target { false } else { true } }
    }
}
