import SpecFile

/// `user_net`: in nsjail before 3.5 it says by `enable` whether there is a network, later by being there.
extension NsjailImport {
    mutating func writeUserNet(_ field: TextProto.Field) {
        draft.isPart(field.directive)
        let named = Set(field.message.map(\.name))
        let enable = field.message.last { $0.name == "enable" }
        let isOn = enable.map(\.isTrue) ?? named.isDisjoint(with: Self.earlier)
        if isOn { draft.set("network.mode", .string("user"), field.directive) }
        for inner in field.message { userNet(inner, isOn) }
        if isOn { dropReach(field.directive) }
    }

    /// A network with rules goes with no capability by which the command could reach past them.
    private mutating func dropReach(_ directive: Directive) {
        for name in ["net_admin", "net_raw"] where draft.keeps(name) {
            guard case .array(let list)? = draft.value("capabilities.keep")?.value else { continue }
            draft.set("capabilities.keep", .array(list.filter { $0.value != .string(name) }), directive)
            draft.lose("\(name), by which the command could reach past the rules of its network", directive)
        }
    }

    /// Fields that only the earlier form has.
    private static let earlier: Set<String> = [
        "ip", "mask", "gw", "mask6", "gw6", "tcp_ports", "udp_ports", "enable_ip4_dhcp", "enable_dns", "dns_forward",
        "enable_tcp", "enable_udp", "enable_icmp", "no_map_gw", "enable_ip6_dhcp", "enable_ip6_ra",
    ]

    private mutating func userNet(_ field: TextProto.Field, _ isOn: Bool) {
        switch field.name {
        case "enable", "backend": draft.isPart(field.directive)
        case _ where !isOn: draft.isInForce(.noNetwork, "there is no network", field.directive)
        case "pasta":
            draft.isPart(field.directive)
            for inner in field.message {
                draft.take(inner.directive)
                userNet(inner, isOn)
            }
        case "rule4", "rule6", "nstun_rule": draft.lose("rules of traffic", restricts: true, field.directive)
        case "enable_tcp", "enable_udp", "enable_icmp", "ip4_enabled", "ip6_enabled", "nat":
            if field.isTrue {
                draft.isPart(field.directive)
            } else {
                draft.lose("a protocol that is not passed on", restricts: true, field.directive)
            }
        case "no_map_gw", "map_gw": draft.isInForce(.nothing, "the gateway is not the host", field.directive)
        case "tcp_ports", "udp_ports", "tcp_map_in", "udp_map_in", "tcp_map_out", "udp_map_out":
            if ["none", ""].contains(field.string ?? "") {
                draft.isPart(field.directive)
            } else {
                draft.lose("network.publish has ports by number", field.directive)
            }
        case "ip", "mask", "gw", "ip4", "mask4", "gw4", "ip6", "mask6", "gw6", "ns_iface", "dns_forward", "enable_dns",
            "enable_ip4_dhcp", "enable_ip6_dhcp", "enable_ip6_ra":
            draft.warn("addresses are those that immure chooses", field.directive)
        default: draft.fail("user_net has no field \(field.name)", field.directive)
        }
    }
}
