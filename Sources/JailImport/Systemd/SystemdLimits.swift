import JailSpec
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
            var values: [String] = []
            for part in line.value.split(separator: ":").map(String.init) {
                guard let value = limit(part, name, isSize) else {
                    draft.fail("\(quoted(part)) is not a limit", line.directive)
                    continue
                }
                values.append(value)
            }
            if !values.isEmpty { draft.set("rlimits.\(name)", .string(values.joined(separator: ":")), line.directive) }
        }
        for (key, path) in [("MemoryMax", "memory"), ("MemoryHigh", "memory_high"), ("MemorySwapMax", "swap")] {
            if let line = last(key) { memory(line, "limits.\(path)") }
        }
        if let line = last("CPUQuota") {
            draft.set("limits.cpu", .string(line.value.trimmed), line.directive)
        }
        if let line = last("CPUWeight") {
            if let weight = Int64(line.value) {
                draft.set("limits.cpu_weight", .integer(weight), line.directive)
            } else {
                draft.isOutside("stays in the unit", line.directive)
            }
        }
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
        guard let bytes = bytes(line.value) else { return draft.fail("not a size", line.directive) }
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
        for line in list("IOWeight") { draft.isOutside("stays in the unit", line.directive) }
    }

    /// A limit as a spec has it; nil where it is none.
    private func limit(_ text: String, _ name: String, _ isSize: Bool) -> String? {
        if text == "infinity" { return "unlimited" }
        if isSize { return bytes(text).map(String.init) }
        if name == "nice", text.hasPrefix("+") || text.hasPrefix("-") { return Int(text).map { String(20 - $0) } }
        if name == "cpu" { return Int64(text).map(String.init) ?? seconds(text).map(String.init) }
        if name == "rttime" { return Int64(text).map(String.init) ?? seconds(text).map { String($0 * 1_000_000) } }
        return Int64(text).map(String.init)
    }

    private func seconds(_ text: String) -> Int64? {
        for (unit, factor) in [
            ("min", Int64(60)), ("hours", 3600), ("hour", 3600), ("h", 3600), ("d", 86400), ("s", 1),
        ] {
            if text.hasSuffix(unit), let number = Int64(text.dropLast(unit.count)) { return number * factor }
        }
        return nil
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
