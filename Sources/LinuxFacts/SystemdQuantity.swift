/// Sizes and spans of time as systemd reads them: `1G 512M`, `1.5G`, `1min 30s`; systemd.time(7), systemd.exec(5).
package enum SystemdQuantity {
    /// Bytes; nil where it is no size.
    package static func size(_ text: String) -> UInt64? { sum(text, sizes, unit: 1, isDescending: true) }

    /// Microseconds, where a bare number is so many of `unit`; nil where it is no span.
    package static func span(_ text: String, unit: UInt64) -> UInt64? { sum(text, spans, unit: unit) }

    private static let sizes: [(name: String, factor: UInt64)] = [
        ("E", 1 << 60), ("P", 1 << 50), ("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10), ("B", 1),
    ]

    private static let second: UInt64 = 1_000_000
    private static let spans: [(name: String, factor: UInt64)] = [
        ("us", 1), ("usec", 1), ("µs", 1), ("ms", 1000), ("msec", 1000), ("s", second), ("sec", second),
        ("second", second), ("seconds", second), ("m", 60 * second), ("min", 60 * second), ("minute", 60 * second),
        ("minutes", 60 * second), ("h", 3600 * second), ("hr", 3600 * second), ("hour", 3600 * second),
        ("hours", 3600 * second), ("d", 86400 * second), ("day", 86400 * second), ("days", 86400 * second),
        ("w", 604_800 * second), ("week", 604_800 * second), ("weeks", 604_800 * second),
        ("M", 2_629_800 * second), ("month", 2_629_800 * second), ("months", 2_629_800 * second),
        ("y", 31_557_600 * second), ("year", 31_557_600 * second), ("years", 31_557_600 * second),
    ]

    private static func sum(
        _ text: String, _ units: [(name: String, factor: UInt64)], unit: UInt64, isDescending: Bool = false
    ) -> UInt64? {
        var rest = text[...]
        var (total, last) = (UInt64(0), UInt64.max)
        repeat {
            guard let number = Number(&rest) else { return nil }
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count).drop { $0 == " " }
            guard let factor = name.isEmpty ? unit : units.first(where: { $0.name == name })?.factor,
                !isDescending || factor < last, let part = number.times(factor)
            else { return nil }
            last = factor
            let (sum, overflow) = total.addingReportingOverflow(part)
            if overflow { return nil }
            total = sum
        } while !rest.isEmpty
        return total
    }

    /// Digits, and perhaps others after a point.
    private struct Number {
        let whole: UInt64
        let fraction: Substring

        init?(_ rest: inout Substring) {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let value = UInt64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            var after = Substring()
            if rest.first == "." {
                after = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
                guard !after.isEmpty else { return nil }
                rest = rest.dropFirst(after.count + 1)
            }
            rest = rest.drop { $0 == " " }
            (whole, fraction) = (value, after.prefix(6))
        }

        func times(_ factor: UInt64) -> UInt64? {
            let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            let parts = fraction.reduce(UInt64(1)) { scale, _ in scale * 10 }
            // Less than the factor: the fraction has fewer than `parts`.
            let share = parts.dividingFullWidth(factor.multipliedFullWidth(by: UInt64(fraction) ?? 0)).quotient
            let (sum, isOver) = product.addingReportingOverflow(share)
            return isOver ? nil : sum
        }
    }
}
