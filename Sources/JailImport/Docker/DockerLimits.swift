import JailSpec
import SpecFile

extension DockerImport {
    mutating func writeLimits() {
        var memory: Int64?
        if let option = last("memory"), let size = size(option) {
            if size > 0 {
                memory = size
                draft.set("limits.memory", .integer(size), option.directive)
                // As much again where nothing is said of it.
                draft.set("limits.swap", .integer(size), option.directive)
            } else {
                draft.isInForce(.nothing, "no limit", option.directive)
            }
        }
        if let option = last("memory-swap") {
            if option.value == "-1" || memory == nil {
                draft.remove("limits.swap")
                draft.isInForce(.nothing, "no limit", option.directive)
            } else if let both = size(option) {
                if both > 0 {
                    // With the memory counted in.
                    draft.set("limits.swap", .integer(max(0, both - (memory ?? 0))), option.directive)
                } else {
                    draft.isInForce(.nothing, "as without it", option.directive)
                }
            }
        }
        writeShares()
        if let option = last("pids-limit") {
            if let number = Int64(option.value), number <= 0 {
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

    /// What of the processors' time and which of them.
    private mutating func writeShares() {
        if let option = last("cpus") {
            if let share = hundredths(option.value), share >= 0 {
                if share > 0 {
                    draft.set("limits.cpu", .string("\(share)%"), option.directive)
                } else {
                    draft.isInForce(.nothing, "no limit", option.directive)
                }
            } else {
                draft.fail("\(quoted(option.value)) is not a number of CPUs", option.directive)
            }
        }
        let period = last("cpu-period")
        let length = period.map { Int64($0.value) } ?? 100_000
        if let period {
            if length == nil {
                draft.fail("\(quoted(period.value)) is not a number", period.directive)
            } else {
                draft.isPart(period.directive)
            }
        }
        if let option = last("cpu-quota") {
            if let quota = Int64(option.value), let percent = draft.percent(quota, of: length ?? 0) {
                draft.set("limits.cpu", .string("\(percent)%"), option.directive)
            } else if let quota = Int64(option.value), quota <= 0 {
                draft.isInForce(.nothing, "no limit", option.directive)
            } else {
                draft.fail("\(quoted(option.value)) is not a time", option.directive)
            }
        }
        if let option = last("cpu-shares") {
            if let shares = Int64(option.value) {
                if shares == 0 {
                    draft.isInForce(.nothing, "as without it", option.directive)
                } else {
                    draft.sharesOfProcessors(shares, option.directive)
                }
            } else {
                draft.fail("\(quoted(option.value)) is not a number", option.directive)
            }
        }
        if let option = last("blkio-weight") {
            if let weight = Int64(option.value) {
                draft.weightOfBlocks(weight, option.directive)
            } else {
                draft.fail("\(quoted(option.value)) is not a number", option.directive)
            }
        }
        if let option = last("cpuset-cpus") { draft.set("limits.cpus", .string(option.value), option.directive) }
    }

    private mutating func size(_ option: DockerOptions.Option) -> Int64? {
        let text = option.value.uppercased()
        if let size = bytes(text) ?? fraction(text), size >= 0 { return size }
        draft.fail("\(quoted(option.value)) is not a size", option.directive)
        return nil
    }

    /// `1.5G`.
    private func fraction(_ text: String) -> Int64? {
        let number = text.prefix { $0.isNumber || $0 == "." }
        guard let value = Double(number), let unit = bytes("1" + text.dropFirst(number.count)) else { return nil }
        return Int64(exactly: (value * Double(unit)).rounded(.down))
    }

    /// A decimal number times a hundred.
    private func hundredths(_ text: String) -> Int64? {
        let (whole, rest) = text.cut(".")
        let digits = String((rest ?? "").prefix(2))
        guard let units = Int64(whole.isEmpty ? "0" : whole), let part = Int64(digits.isEmpty ? "0" : digits) else {
            return nil
        }
        let (hundreds, overflow) = units.multipliedReportingOverflow(by: 100)
        let sum = hundreds.addingReportingOverflow(digits.count == 1 ? part * 10 : part)
        return overflow || sum.overflow ? nil : sum.partialValue
    }
}
