import JailSpec
import SpecFile

extension DockerImport {
    mutating func writeSecurity() {
        for option in all("cap-add") { add(option) }
        for option in all("cap-drop") { draft.isInForce(.nothing, "none but those of --cap-add", option.directive) }
        var hasFilter = false
        for option in all("security-opt") {
            let (name, value) = option.value.cut(option.value.contains("=") ? "=" : ":")
            switch (name, value ?? "") {
            case ("no-new-privileges", let value) where value != "false": draft.isInForce(.nothing, option.directive)
            case ("seccomp", "unconfined"):
                hasFilter = true
                draft.set("seccomp.profile", .string("none"), option.directive)
            case ("seccomp", let path):
                hasFilter = true
                draft.set("seccomp.profile", .string(hostPath(path)), option.directive)
            case ("apparmor", "unconfined"), ("label", "disable"): draft.isInForce(.nothing, option.directive)
            case ("apparmor", _): draft.lose("a profile of AppArmor", restricts: true, option.directive)
            case ("label", _): draft.lose("labels of SELinux", restricts: true, option.directive)
            default: draft.lose("no line for it", option.directive)
            }
        }
        if !hasFilter { draft.warn("immure's own filter in place of docker's", standard("the filter of system calls")) }
        for (name, kind) in [("ipc", "ipc"), ("pid", "pid"), ("uts", "uts"), ("cgroupns", "cgroup")] {
            guard let option = last(name) else { continue }
            switch option.value {
            case "host": draft.set("namespaces.\(kind)", .string("host"), option.directive)
            case "", "private", "none", "shareable": draft.isInForce(.own(foreign: kind), option.directive)
            default: draft.lose("what another container has", option.directive)
            }
        }
        if let option = last("userns") { draft.isInForce(.own(.user), "the jail's own", option.directive) }
    }

    /// Whoever holds net_admin or net_raw reaches past the rules of a network of user mode: the launch refuses them there.
    private mutating func add(_ option: DockerOptions.Option) {
        var added: [Capability] = []
        if option.value.uppercased() == "ALL" {
            added = Capability.allCases
        } else if let capability = Capability.named(foreign: option.value) {
            added = [capability]
        } else {
            return draft.fail("unknown capability \(option.value)", option.directive)
        }
        if draft.value("network.mode")?.value == .string("user") {
            for capability in added where [.net_admin, .net_raw].contains(capability) {
                draft.lose(
                    "\(capability.name) reaches past the rules of the jail's network: --network none takes it",
                    option.directive)
            }
            added.removeAll { [.net_admin, .net_raw].contains($0) }
        }
        if !added.isEmpty { draft.append("capabilities.keep", added.map { .string($0.name) }, option.directive) }
    }

    mutating func writeNetwork() {
        let option = last("network")
        switch option?.value ?? "default" {
        case "none": if let option { draft.isInForce(.noNetwork, option.directive) }
        case "host":
            draft.set("network.mode", .string("host"), option?.directive ?? standard("the network"))
        case let name:
            let origin = option?.directive ?? standard("the network without --network")
            draft.set("network.mode", .string("user"), origin)
            if !["default", "bridge"].contains(name) { draft.lose("other containers of the network \(name)", origin) }
            draft.warn("by pasta, without the engine's bridge: the host and its networks are not reached", origin)
        }
        let isOwn = draft.value("network.mode")?.value == .string("user")
        for option in all("publish") {
            guard isOwn else {
                draft.isOutside("the network has no ports to publish", option.directive)
                continue
            }
            let parts = option.value.split(separator: ":").count
            guard parts > 1 else {
                draft.lose("a port of the host by chance", option.directive)
                continue
            }
            // The engine listens at every address unless one is written, network.publish at 127.0.0.1.
            let port = parts == 2 ? "0.0.0.0:\(option.value)" : option.value
            guard Available.publishes(port) else {
                draft.lose("a form that network.publish has not", option.directive)
                continue
            }
            draft.append("network.publish", port, option.directive)
        }
        for option in all("dns") {
            if isOwn {
                draft.append("network.dns", option.value, option.directive)
            } else {
                draft.lose("the host's are asked", option.directive)
            }
        }
        let hosts = all("add-host")
        guard let first = hosts.first else { return }
        var text = "127.0.0.1 localhost\n::1 localhost\n"
        for option in hosts {
            let (name, address) = option.value.cut(option.value.contains("=") ? "=" : ":")
            guard let address, address != "host-gateway" else {
                draft.lose("the host's address", option.directive)
                continue
            }
            draft.isPart(option.directive)
            text += "\(address) \(name)\n"
        }
        mounts.add("/etc/hosts", [("type", .string("file")), ("content", .string(text))], first.directive, &draft)
    }

    mutating func writeLimits() {
        var memory: Int64?
        if let option = last("memory"), let size = size(option) {
            memory = size
            draft.set("limits.memory", .integer(size), option.directive)
        }
        if let option = last("memory-swap") {
            if option.value == "-1" || memory == nil {
                draft.isInForce(.nothing, "no limit", option.directive)
            } else if let both = size(option) {
                // With the memory counted in.
                draft.set("limits.swap", .integer(max(0, both - (memory ?? 0))), option.directive)
            }
        }
        if let option = last("cpus") {
            if let share = hundredths(option.value), share > 0 {
                draft.set("limits.cpu", .string("\(share)%"), option.directive)
            } else {
                draft.fail("\(quoted(option.value)) is not a number of CPUs", option.directive)
            }
        }
        let period = last("cpu-period")
        if let period { draft.isPart(period.directive) }
        if let option = last("cpu-quota") {
            if let quota = Int64(option.value), quota > 0 {
                let length = period.flatMap { Int64($0.value) } ?? 100_000
                draft.set("limits.cpu", .string("\(max(1, quota * 100 / max(1, length)))%"), option.directive)
            } else {
                draft.isInForce(.nothing, "no limit", option.directive)
            }
        }
        if let option = last("cpu-shares") {
            let shares = min(max(Int64(option.value) ?? 1024, 2), 262_144)
            draft.set("limits.cpu_weight", .integer(1 + ((shares - 2) * 9999) / 262_142), option.directive)
        }
        if let option = last("cpuset-cpus") { draft.set("limits.cpus", .string(option.value), option.directive) }
        if let option = last("pids-limit") {
            if option.value == "-1" || option.value == "0" {
                draft.isInForce(.nothing, "no limit", option.directive)
            } else {
                integer("limits.pids", option)
            }
        }
        for option in all("ulimit") {
            let (name, value) = option.value.cut("=")
            let limit = Node.Value.string(value.map { $0.contains(":") ? $0 : "\($0):\($0)" } ?? "")
            if Available.takes("rlimits.\(name)", limit) {
                draft.set("rlimits.\(name)", limit, option.directive)
            } else {
                draft.fail("not a limit: NAME=SOFT[:HARD]", option.directive)
            }
        }
    }

    private mutating func size(_ option: DockerOptions.Option) -> Int64? {
        if let size = bytes(option.value.uppercased()) { return size }
        draft.fail("\(quoted(option.value)) is not a size", option.directive)
        return nil
    }

    /// A decimal number times a hundred.
    private func hundredths(_ text: String) -> Int64? {
        let (whole, rest) = text.cut(".")
        let digits = String((rest ?? "").prefix(2))
        guard let units = Int64(whole.isEmpty ? "0" : whole), let part = Int64(digits.isEmpty ? "0" : digits) else {
            return nil
        }
        return units * 100 + (digits.count == 1 ? part * 10 : part)
    }
}
