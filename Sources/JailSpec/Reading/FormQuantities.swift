import SpecFile

/// Sizes, durations, percentages, modes and lists of CPUs.
extension Form {
    private static let sizeUnits: [(String, UInt64)] = [
        ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40),
    ]

    /// Bytes: a whole number, or a string with a unit.
    static func size(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> UInt64 {
        if case .integer(let value) = node.value {
            guard let size = UInt64(exactly: value) else { throw fault("\(value) is negative", node) }
            return size
        }
        guard case .string = node.value else {
            throw fault("must be a size such as \"64M\", not \(node.kind)", node)
        }
        return try size(try text(node, decoding), node)
    }

    static func positiveSize(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> UInt64 {
        let size = try size(node, decoding)
        if size == 0 { throw fault("must be more than 0", node) }
        return size
    }

    static func size(_ text: String, _ node: Node) throws(Diagnostic) -> UInt64 {
        var digits = text[...]
        var unit: UInt64 = 1
        if let (suffix, factor) = sizeUnits.first(where: { text.hasSuffix($0.0) }) {
            digits = digits.dropLast(suffix.utf8.count)
            unit = factor
        }
        let hint = "a whole number with K, M, G or T (powers of 1024), or KB, MB, GB or TB (powers of 1000)"
        guard let number = canonicalNumber(digits) else {
            if isTooLarge(digits) { throw fault("\(quoted(text)) is larger than 64 bits", node) }
            throw fault("\(quoted(text)) is not a size", node, hint: hint)
        }
        let (size, overflow) = number.multipliedReportingOverflow(by: unit)
        // Every kernel interface that takes one holds it in a signed 64-bit number.
        guard !overflow, size <= UInt64(Int64.max) else { throw fault("\(quoted(text)) is larger than 2^63-1", node) }
        return size
    }

    private static func isTooLarge(_ digits: Substring) -> Bool {
        digits.utf8.count > 19 && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// The units in milliseconds.
    private static let durationUnits: [(String, UInt64)] = [("ms", 1), ("min", 60_000), ("s", 1000), ("h", 3_600_000)]

    static func duration(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Duration {
        guard case .string(let written) = node.value else {
            let hint = if case .integer(let number) = node.value { "write \"\(number)s\" for seconds" } else { "" }
            throw fault(
                "must be a duration with its unit, not \(node.kind)", node,
                hint: hint.isEmpty ? "write \"10min\"" : hint)
        }
        return try duration(written[...], written, node)
    }

    static func positiveDuration(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Duration {
        let duration = try duration(node, decoding)
        if duration == .zero { throw fault("must be more than 0", node) }
        return duration
    }

    /// A duration that may be negative: an offset.
    static func offset(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Duration {
        guard case .string(let written) = node.value, written.hasPrefix("-") else {
            return try duration(node, decoding)
        }
        return .zero - (try duration(written.dropFirst(), written, node))
    }

    private static func duration(
        _ digits: Substring, _ written: String, _ node: Node
    ) throws(Diagnostic) -> Duration {
        let hint = "a whole number with ms, s, min or h"
        guard let (suffix, unit) = durationUnits.first(where: { digits.hasSuffix($0.0) }) else {
            throw fault(
                "\(quoted(written)) is not a duration", node,
                hint: canonicalNumber(digits) == nil ? hint : "write \"\(written)s\" for seconds")
        }
        guard let number = canonicalNumber(digits.dropLast(suffix.utf8.count)) else {
            throw fault("\(quoted(written)) is not a duration", node, hint: hint)
        }
        // A hundred years: nothing that is computed with it can overflow.
        guard number <= 3_155_760_000_000 / unit else {
            throw fault("\(quoted(written)) is longer than a hundred years", node)
        }
        let milliseconds = Int64(number * unit)
        return Duration(
            secondsComponent: milliseconds / 1000,
            attosecondsComponent: milliseconds % 1000 * 1_000_000_000_000_000)
    }

    /// Hundredths of one CPU.
    static func percentage(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> UInt64 {
        guard case .string(let text) = node.value, text.hasSuffix("%"), let number = canonicalNumber(text.dropLast()),
            (1...10_000_000).contains(number)
        else { throw fault("must be a percentage of one CPU", node, hint: "write \"150%\" for one and a half") }
        return number
    }

    /// Permission bits in octal, in a string: a TOML number would be read as decimal.
    static func mode(upTo limit: UInt32, isMask: Bool = false) -> Reader<UInt32> {
        { (node: Node, _: Decoding) throws(Diagnostic) -> UInt32 in
            guard case .string(let text) = node.value else {
                // As a mask the usual mode would be the strangest.
                throw fault(
                    "must be an octal number in a string, not \(node.kind)", node,
                    hint: isMask ? "write \"022\"" : "write \"0755\"")
            }
            let digits = UInt8(ascii: "0")...UInt8(ascii: "7")
            guard !text.isEmpty, text.utf8.allSatisfy({ digits.contains($0) }), let mode = UInt32(text, radix: 8) else {
                throw fault("\(quoted(text)) is not an octal number", node)
            }
            guard mode <= limit, text.utf8.count <= 5 else {
                throw fault("\(quoted(text)) is more than \(String(limit, radix: 8))", node)
            }
            return mode
        }
    }

    /// `"0-3,6"`: CPU numbers as cpuset(7) lists them, sorted.
    static func cpuList(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> [Int] {
        let written = try nonEmpty(node, decoding)
        let wrong = fault("\(quoted(written)) is not a list of CPUs", node, hint: "write \"0-3,6\"")
        var result: [Int] = []
        for part in written.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false)
            // CONFIG_NR_CPUS is at most 8192.
            guard ends.count <= 2, let low = canonicalNumber(ends[0]), let high = canonicalNumber(ends[ends.count - 1]),
                low <= high, high < 8192
            else { throw wrong }
            result += Int(low)...Int(high)
            if result.count > 8192 { break }
        }
        result.sort()
        for (cpu, next) in zip(result, result.dropFirst()) where cpu == next {
            throw fault("\(quoted(written)) names CPU \(cpu) twice", node)
        }
        return result
    }
}
