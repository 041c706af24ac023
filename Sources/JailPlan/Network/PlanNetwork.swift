import JailSpec
import SpecFile

extension Planner {
    /// A network of the jail's own is loopback and nothing else.
    mutating func setUpNetwork() {
        if isNew(.net) { add(.bringUpLoopback, spec.network.mode?.position) }
    }

    /// What of `[network]` this version cannot put in force.
    mutating func refuseNetworks() {
        let network = spec.network
        switch network.mode?.value {
        case nil, .none?, .host?: break
        case let mode?: refuse("network mode \"\(mode.rawValue)\"", network.mode?.position)
        }
        if let first = network.publish.first { refuse("network publish", first.position) }
        if let allow = network.allow { refuse("network allow", allow.value.first?.position ?? allow.position) }
        if let dns = network.dns { refuse("network dns", dns.value.first?.position ?? dns.position) }
    }
}
