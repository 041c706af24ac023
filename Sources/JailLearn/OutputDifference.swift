/// Where the output of a run in the jail is another than that of two runs outside, which may differ themselves: by names of
/// mktemp(1), process ids, times.
package enum OutputDifference {
    /// The line of the jail's output, from 1, that both others have in common and it has not; nil where there is none.
    package static func line(inside: [UInt8], outside: [UInt8], again: [UInt8]) -> Int? {
        let newline = UInt8(ascii: "\n")
        func lines(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
            text.split(separator: newline, omittingEmptySubsequences: false)
        }
        let (found, one, other) = (lines(inside), lines(outside), lines(again))
        guard one.count == other.count else { return missing(from: found, one, other) }
        for index in one.indices where one[index] == other[index] {
            if index >= found.count || found[index] != one[index] { return index + 1 }
        }
        return found.count == one.count ? nil : one.count + 1
    }

    /// Where their number is the command's own as well, the lines that both have must be there, wherever.
    private static func missing(
        from found: [ArraySlice<UInt8>], _ one: [ArraySlice<UInt8>], _ other: [ArraySlice<UInt8>]
    ) -> Int? {
        func counts(_ lines: [ArraySlice<UInt8>]) -> [ArraySlice<UInt8>: Int] {
            lines.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        let (there, common) = (counts(found), counts(other))
        for (index, line) in one.enumerated() where common[line] != nil {
            if there[line, default: 0] < min(counts(one)[line, default: 0], common[line, default: 0]) {
                return index + 1
            }
        }
        return nil
    }

    /// Each line with one sign for a number and for signs that are repeated: a time or a process id makes no other line of it.
    static func shapes(_ text: [UInt8]) -> [[UInt8]] {
        text.split(separator: UInt8(ascii: "\n")).map { line in
            var shape: [UInt8] = []
            for byte in line {
                let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                let sign = isDigit ? UInt8(ascii: "0") : byte
                if shape.last != sign { shape.append(sign) }
            }
            return shape
        }
    }

    /// How many lines two texts have in common, in whatever order.
    static func common(_ one: [[UInt8]], _ other: [[UInt8]]) -> Int {
        var left: [[UInt8]: Int] = other.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        return one.count { line in
            guard let count = left[line], count > 0 else { return false }
            left[line] = count - 1
            return true
        }
    }
}
