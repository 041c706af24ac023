import JailSpec
import SpecFile

/// One file of a cgroup, what is written to it, and what it must say afterwards.
package struct LimitSetting: Equatable, Sendable {
    /// How the kernel repeats what it was given.
    package enum Echo: Equatable, Sendable {
        /// As written.
        case same
        /// Rounded down to whole pages.
        case pages
        /// In the line of the device, among other keys; what is not limited is left out or "max".
        case line
        /// In another file, which tells what is in force.
        case effective(String)
    }

    /// The key of the spec: `memory`, `io.wbps`.
    package let key: String
    package let file: String
    package let value: String
    package var echo = Echo.same

    package init(key: String, file: String, value: String, echo: Echo = .same) {
        (self.key, self.file, self.value, self.echo) = (key, file, value, echo)
    }

    /// For a jail that makes groups within its own: room for an init with its services and for jails in jails, and an end to
    /// what every later launch and the removal would walk through. cgroups(7), `cgroup.max.depth`.
    static let groupsWithin = [("cgroup.max.depth", "32"), ("cgroup.max.descendants", "1024")].map { file, value in
        LimitSetting(key: file, file: file, value: value)
    }
}

/// What `[limits]` comes to on this host.
struct ResolvedLimits {
    let base: ControlGroups.Base
    let settings: [(setting: LimitSetting, origin: Position?)]
    /// The controllers that the settings need, in the order of the alphabet.
    let controllers: [String]
    /// Whether systemd removes what is left of the group, so that nobody of immure's need stay for that.
    let isCleared: Bool
    let position: Position?
}

extension Limits {
    /// The files for what is limited, with the controller of each; the devices of `io` come in their order.
    func settings(
        _ devices: [ControlGroups.Device], _ sharings: [ControlGroups.Device.Sharing]
    ) -> [(controller: String, setting: LimitSetting, origin: Position?)] {
        var result: [(controller: String, setting: LimitSetting, origin: Position?)] = []
        func add(
            _ controller: String, _ key: String, _ file: String, _ value: String, _ origin: Position?,
            _ echo: LimitSetting.Echo = .same
        ) {
            result.append((controller, LimitSetting(key: key, file: file, value: value, echo: echo), origin))
        }
        if let memory { add("memory", "memory", "memory.max", "\(memory.value)", memory.position, .pages) }
        if let memoryHigh {
            add("memory", "memory_high", "memory.high", "\(memoryHigh.value)", memoryHigh.position, .pages)
        }
        if let swap { add("memory", "swap", "memory.swap.max", "\(swap.value)", swap.position, .pages) }
        if let origin = memory?.position ?? memoryHigh?.position ?? swap?.position {
            // All or nothing: a jail that goes on with a hole in it is worse than one that has ended and says why.
            add("memory", "memory", "memory.oom.group", "1", origin)
        }
        // Hundredths of a CPU in a period of 100 ms, the kernel's own default.
        if let cpu { add("cpu", "cpu", "cpu.max", "\(cpu.value * 1000) 100000", cpu.position) }
        if let cpuWeight { add("cpu", "cpu_weight", "cpu.weight", "\(cpuWeight.value)", cpuWeight.position) }
        if let cpus {
            let list = cpus.value.map { "\($0)" }.joined(separator: ",")
            // The kernel takes CPUs that the groups above do not have, and gives what there is.
            add("cpuset", "cpus", "cpuset.cpus", list, cpus.position, .effective("cpuset.cpus.effective"))
        }
        if let pids { add("pids", "pids", "pids.max", "\(pids.value)", pids.position) }
        if let ioWeight {
            // Each file is there with what heeds it, and a host may have disks of both kinds.
            if sharings.contains(.cost) || !sharings.contains(.bfq) {
                add("io", "io_weight", "io.weight", "default \(ioWeight.value)", ioWeight.position, .line)
            }
            if sharings.contains(.bfq) {
                let weight = Self.weightForBFQ(ioWeight.value)
                add("io", "io_weight", "io.bfq.weight", "default \(weight)", ioWeight.position, .line)
            }
        }
        for (entry, device) in zip(io, devices) {
            guard case .disk(let major, let minor, let sharing) = device else { continue }
            let rates = [
                ("rbps", entry.rbps), ("wbps", entry.wbps), ("riops", entry.riops), ("wiops", entry.wiops),
            ]
            for (word, rate) in rates {
                guard let rate else { continue }
                add("io", "io.\(word)", "io.max", "\(major):\(minor) \(word)=\(rate.value)", rate.position, .line)
            }
            guard let weight = entry.weight else { continue }
            let file = sharing == .bfq ? "io.bfq.weight" : "io.weight"
            add("io", "io.weight", file, "\(major):\(minor) \(weight.value)", weight.position, .line)
        }
        return result
    }

    /// 1 to 10000 as io.bfq.weight has it, 1 to 1000, both with 100 for what has none: as systemd does it.
    private static func weightForBFQ(_ weight: UInt64) -> UInt64 {
        weight <= 100 ? weight : 100 + (weight - 100) * 900 / 9900
    }
}
