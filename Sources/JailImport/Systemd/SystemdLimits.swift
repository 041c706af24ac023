import JailSpec
import LinuxFacts
import SpecFile

extension SystemdImport {
    private static let limits: [(key: String, name: String, isSize: Bool)] = [
        ("LimitCPU", "cpu", false), ("LimitFSIZE", "fsize", true), ("LimitDATA", "data", true),
        ("LimitSTACK", "stack", true), ("LimitCORE", "core", true), ("LimitRSS", "rss", true),
        ("LimitNOFILE", "nofile", false), ("LimitAS", "as", true), ("LimitNPROC", "nproc", false),
        ("LimitMEMLOCK", "memlock", true), ("LimitLOCKS", "locks", false), ("LimitSIGPENDING", "sigpending", false),
        ("LimitMSGQUEUE", "msgqueue", true), ("LimitNICE", "nice", false), ("LimitRTPRIO", "rtprio", false),
        ("LimitRTTIME", "rttime", false),
    ]

    mutating func writeLimits() {
        for (key, name, isSize) in Self.limits {
            guard let line = last(key) else { continue }
            // Both, or none of it holds: systemd passes over a line that it cannot read.
            let parts = line.value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let values = parts.compactMap { limit(String($0).trimmed, name, isSize) }
            guard values.count == parts.count else {
                draft.fail("\(quoted(line.value)) is not a limit, or soft:hard", line.directive)
                continue
            }
            draft.set("rlimits.\(name)", .string(values.joined(separator: ":")), line.directive)
            warnOfLauncher(name, values[0], line)
        }
        for (key, path) in [("MemoryMax", "memory"), ("MemoryHigh", "memory_high"), ("MemorySwapMax", "swap")] {
            if let line = last(key) { memory(line, "limits.\(path)") }
        }
        if let line = last("CPUQuota") {
            draft.set("limits.cpu", .string(line.value.trimmed), line.directive)
        }
        weight("CPUWeight", "limits.cpu_weight", old: ("CPUShares", 2...262_144, 1024))
        weight("IOWeight", "limits.io_weight", old: ("BlockIOWeight", 10...1000, 500))
        if let line = last("TasksMax") {
            if line.value == "infinity" {
                draft.isInForce(.nothing, "nothing is limited", line.directive)
            } else if let number = Int64(line.value) {
                draft.set("limits.pids", .integer(number), line.directive)
            } else {
                draft.isOutside("stays in the unit: a share of what the machine can have", line.directive)
            }
        }
        writeDevices()
    }

    private mutating func memory(_ line: UnitFile.Line, _ path: String) {
        if line.value == "infinity" { return draft.isInForce(.nothing, "nothing is limited", line.directive) }
        if line.value.hasSuffix("%") {
            return draft.isOutside("stays in the unit: a share of what the machine has", line.directive)
        }
        guard let bytes = SystemdQuantity.size(line.value).flatMap({ Int64(exactly: $0) }) else {
            return draft.fail("not a size", line.directive)
        }
        draft.set(path, .integer(bytes), line.directive)
    }

    private mutating func writeDevices() {
        for (key, name) in [
            ("IOReadBandwidthMax", "rbps"), ("IOWriteBandwidthMax", "wbps"), ("IOReadIOPSMax", "riops"),
            ("IOWriteIOPSMax", "wiops"), ("IODeviceWeight", "weight"),
        ] {
            for line in list(key) {
                let words = line.value.spaced
                guard words.count == 2, let number = bytes(words[1], base: 1000) else {
                    draft.fail("not a device and a number", line.directive)
                    continue
                }
                draft.add("limits.io", [("device", .string(words[0])), (name, .integer(number))], line.directive)
            }
        }
    }

    /// A share, for which 100 is the standard; under the old name, which counts where the new one is not there, another number.
    private mutating func weight(
        _ key: String, _ path: String, old: (key: String, range: ClosedRange<Int64>, standard: Int64)
    ) {
        let line = last(key)
        if let before = last(old.key) {
            if let line {
                draft.warn("has no effect: \(line.directive.reference) has the new name", before.directive)
            } else if let share = Int64(before.value), old.range.contains(share) {
                let weight = min(max(share * 100 / old.standard, 1), 10_000)
                draft.set(path, .integer(weight), before.directive)
                draft.warn("by the standard of \(key)=, which took its place", before.directive)
            } else {
                draft.fail("not a number from \(old.range.lowerBound) to \(old.range.upperBound)", before.directive)
            }
        }
        guard let line else { return }
        if let weight = Int64(line.value) {
            draft.set(path, .integer(weight), line.directive)
        } else if key == "CPUWeight", line.value == "idle" {
            draft.isOutside("stays in the unit", line.directive)
        } else {
            draft.fail("not a number from 1 to 10000", line.directive)
        }
    }

    /// The unit's own line holds for the launcher, too.
    private mutating func warnOfLauncher(_ name: String, _ soft: String, _ line: UnitFile.Line) {
        if let room = LauncherRoom.bounds.first(where: { $0.resource.name == name }), let bytes = UInt64(soft),
            bytes < room.bytes
        {
            draft.warn(
                "limits the command; the launcher takes more: the unit that starts it needs \(room.directive)=infinity",
                line.directive)
        }
        if !isRoot, ["nofile", "memlock", "nice", "rtprio", "msgqueue", "sigpending"].contains(name) {
            draft.warn(
                "only root raises a hard limit: the unit that starts the jail as another user keeps its line",
                line.directive)
        }
    }

    /// A limit as a spec has it; nil where it is none.
    private func limit(_ text: String, _ name: String, _ isSize: Bool) -> String? {
        if text == "infinity" { return "unlimited" }
        if isSize { return SystemdQuantity.size(text).flatMap { Int64(exactly: $0) }.map(String.init) }
        switch name {
        // 20 less the nice value, getrlimit(2); without a sign as the kernel has it.
        case "nice" where text.hasPrefix("+") || text.hasPrefix("-"):
            return Int(text).flatMap { -20...19 ~= $0 ? String(20 - $0) : nil }
        case "nice": return Int(text).flatMap { 0...40 ~= $0 ? String($0) : nil }
        case "cpu": return SystemdQuantity.span(text, unit: 1_000_000).map { String(($0 + 999_999) / 1_000_000) }
        case "rttime": return SystemdQuantity.span(text, unit: 1).map(String.init)
        default: return Int64(text).flatMap { $0 >= 0 ? String($0) : nil }
        }
    }
}

/// Bytes with the suffixes K, M, G, T, P; nil where it is no number.
func bytes(_ text: String, base: Int64 = 1024) -> Int64? {
    var digits = text[...]
    if digits.hasSuffix("B") { digits = digits.dropLast() }
    var factor: Int64 = 1
    if let last = digits.last, let power = ["K", "M", "G", "T", "P"].firstIndex(of: last.uppercased()) {
        for _ in 0...power { factor *= base }
        digits = digits.dropLast()
    }
    guard let number = Int64(digits) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
}
