import SpecFile

extension SpecWriter {
    mutating func write(_ limit: ResourceLimit) {
        func words(_ value: UInt64?) -> String { value.map { "\($0)" } ?? "unlimited" }
        add("rlimits.\(limit.resource.name)", TOML.string("\(words(limit.soft)):\(words(limit.hard))"))
    }

    mutating func write(_ limits: Limits) {
        add("limits.memory", limits.memory) { "\($0)" }
        add("limits.memory_high", limits.memoryHigh) { "\($0)" }
        add("limits.swap", limits.swap) { "\($0)" }
        add("limits.cpu", limits.cpu) { TOML.string("\($0)%") }
        add("limits.cpu_weight", limits.cpuWeight) { "\($0)" }
        add("limits.cpus", limits.cpus) { TOML.string($0.map { "\($0)" }.joined(separator: ",")) }
        add("limits.pids", limits.pids) { "\($0)" }
        add("limits.io_weight", limits.ioWeight) { "\($0)" }
        add("limits.scope", limits.scope) { TOML.string($0.rawValue) }
        let entries = limits.io.map { io -> String in
            var words = ["device = \(TOML.string(io.device.value))"]
            for (key, value) in [
                ("rbps", io.rbps), ("wbps", io.wbps), ("riops", io.riops), ("wiops", io.wiops), ("weight", io.weight),
            ] {
                if let value { words.append("\(key) = \(value.value)") }
            }
            return "{ \(words.joined(separator: ", ")) }"
        }
        if !entries.isEmpty { add("limits.io", TOML.array(entries)) }
    }
}
