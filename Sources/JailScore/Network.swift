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
            let isNarrow = spec.network.hasFewDestinations
            let what = isNarrow ? "the destinations of network.allow" : "every network that the host reaches"
            switch mode.value {
            case .none, .host: return []
            case .user:
                return [
                    Opening(
                        weight: isNarrow ? Weight.fewThroughUser : Weight.allThroughUser, what: what,
                        origin: mode.position)
                ]
            case .veth, .macvlan:
                return [
                    Opening(
                        weight: isNarrow ? Weight.fewThroughInterface : Weight.allThroughInterface, what: what,
                        origin: mode.position)
                ]
            }
        },
        Check("network.publish", advice: "127.0.0.1 as the address, or leave it out") { spec in
            spec.network.publish.map { port in
                let isLocal = port.value.hasPrefix("127.") || port.value.hasPrefix("[::1]")
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
    /// Whether the destinations of `allow` are a small part of all addresses, each sort by itself.
    var hasFewDestinations: Bool {
        guard !allow.isEmpty else { return false }
        var parts = (four: 0.0, six: 0.0)
        for destination in allow {
            let words = destination.value.split(separator: "/", omittingEmptySubsequences: false)
            let isSix = (words.first ?? "").utf8.filter { $0 == UInt8(ascii: ":") }.count > 1
            let digits = words.count > 1 ? words[1].prefix { $0.isNumber } : ""
            // Without a length of its prefix, or where what follows is the protocol, it is a single address.
            let length = UInt8(digits) ?? (isSix ? 128 : 32)
            let part = (0..<length).reduce(1.0) { part, _ in part / 2 }
            if isSix { parts.six += part } else { parts.four += part }
        }
        return parts.four <= 1.0 / 16 && parts.six <= 1.0 / 16
    }
}
