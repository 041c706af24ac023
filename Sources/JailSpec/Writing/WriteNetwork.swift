import SpecFile

extension SpecWriter {
    mutating func write(_ network: Network) {
        add("network.mode", network.mode) { TOML.string($0.rawValue) }
        add("network.parent", network.parent) { TOML.string($0) }
        add("network.address", network.addresses) { TOML.array($0.map { TOML.string("\($0.value)") }) }
        add("network.gateway", network.gateway) { TOML.string("\($0)") }
        if !network.publish.isEmpty {
            add("network.publish", TOML.array(network.publish.map { TOML.string("\($0.value)") }))
        }
        add("network.allow", network.allow) { TOML.array($0.map { TOML.string("\($0.value)") }) }
        add("network.dns", network.dns) { TOML.array($0.map { TOML.string("\($0.value)") }) }
    }
}
