import JailSpec
import SpecFile

extension NsjailImport {
    /// The kernel's name, the unit in bytes or seconds, and the value where nothing is written: nil for the caller's.
    private static let limits: [(name: String, unit: UInt64, standard: UInt64?)] = [
        ("as", 1 << 20, 4096), ("core", 1 << 20, 0), ("cpu", 1, 600), ("fsize", 1 << 20, 1), ("nofile", 1, 32),
        ("nproc", 1, nil), ("stack", 1 << 20, nil), ("memlock", 1 << 10, nil), ("rtprio", 1, nil), ("msgqueue", 1, nil),
    ]

    mutating func writeLimits() {
        let off = truth("disable_rl")
        for limit in Self.limits { write(limit.name, limit.unit, limit.standard, isOff: off.value) }
        if let field = last("disable_rl") { draft.isInForce(.nothing, "limits are the caller's", field.directive) }
        if let (seconds, directive) = number("time_limit") {
            if seconds > 0 {
                draft.set("timeout", .string("\(seconds)s"), directive)
                draft.set("grace", .string("0s"), directive)
            } else {
                draft.isInForce(.nothing, "no limit", directive)
            }
        } else {
            draft.set("timeout", .string("600s"), standard("ten minutes unless told otherwise"))
            draft.set("grace", .string("0s"), standard("killed without a word"))
        }
        writeGroups()
    }

    private mutating func write(_ name: String, _ unit: UInt64, _ standardValue: UInt64?, isOff: Bool) {
        let value = last("rlimit_\(name)"), type = last("rlimit_\(name)_type")
        let word = type?.word ?? (standardValue == nil ? "SOFT" : "VALUE")
        for field in [value, type].compactMap({ $0 }) { draft.isPart(field.directive) }
        if isOff {
            for field in [value, type].compactMap({ $0 }) {
                draft.isInForce(.nothing, "limits are the caller's", field.directive)
            }
            return
        }
        let path = "rlimits.\(name)"
        switch word {
        case "VALUE", "0":
            guard let number = value?.word.flatMap({ UInt64($0) }) ?? standardValue else { return }
            let (product, overflow) = number.multipliedReportingOverflow(by: unit)
            let origin = (value ?? type)?.directive ?? standard("the limit unless told otherwise")
            draft.set(path, .string(overflow || product > UInt64(Int64.max) ? "unlimited" : String(product)), origin)
        case "INF", "3": if let type { draft.set(path, .string("unlimited"), type.directive) }
        case "SOFT", "1":
            if let type {
                draft.isInForce(.nothing, "the caller's soft limit; the hard one stays above it", type.directive)
            }
            if let value { draft.isInForce(.nothing, "only the type VALUE reads it", value.directive) }
        case "HARD", "2":
            if let type { draft.warn("the caller's limits are inherited; the soft one is not raised", type.directive) }
            if let value { draft.isInForce(.nothing, "only the type VALUE reads it", value.directive) }
        default: if let type { draft.fail("nsjail has no type \(word)", type.directive) }
        }
    }

    /// Whether the jail gets a control group of its own.
    var hasGroup: Bool {
        var trial = self
        trial.writeGroups()
        return trial.draft.has("limits")
    }

    private mutating func writeGroups() {
        if let (bytes, directive) = number("cgroup_mem_max"), bytes > 0 {
            draft.set("limits.memory", .integer(bytes), directive)
        }
        if let (bytes, directive) = number("cgroup_mem_swap_max"), bytes >= 0 {
            draft.set("limits.swap", .integer(bytes), directive)
        }
        if let (bytes, directive) = number("cgroup_mem_memsw_max"), bytes > 0 {
            let memory = number("cgroup_mem_max")?.value ?? 0
            draft.set("limits.swap", .integer(max(0, bytes - memory)), directive)
        }
        if let (count, directive) = number("cgroup_pids_max"), count > 0 {
            draft.set("limits.pids", .integer(count), directive)
        }
        if let (milliseconds, directive) = number("cgroup_cpu_ms_per_sec"), milliseconds > 0 {
            draft.set("limits.cpu", .string("\(max(1, milliseconds / 10))%"), directive)
        }
        if let (number, directive) = number("cgroup_net_cls_classid"), number > 0 {
            draft.lose("a class of packets", directive)
        }
        for name in [
            "cgroup_mem_mount", "cgroup_mem_parent", "cgroup_pids_mount", "cgroup_pids_parent", "cgroup_net_cls_mount",
            "cgroup_net_cls_parent", "cgroup_cpu_mount", "cgroup_cpu_parent", "cgroupv2_mount", "use_cgroupv2",
            "detect_cgroupv2",
        ] {
            for field in all(name) { draft.isInForce(.nothing, "immure finds the groups itself", field.directive) }
        }
    }
}
