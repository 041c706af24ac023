/// A JSON value (RFC 8259) with the keys of objects in the order given: what `--json` and `--result` write.
package indirect enum JSON: Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    /// A number with one decimal, of tenths.
    case tenths(Int)
    /// Seconds with six decimals, of nanoseconds.
    case seconds(nanoseconds: Int)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    /// nil becomes null.
    package init(_ text: String?) { self = text.map { .string($0) } ?? .null }

    /// nil becomes null.
    package init(_ number: Int?) { self = number.map { .integer($0) } ?? .null }

    /// The value on one line.
    package var text: String {
        var result = ""
        write(into: &result)
        return result
    }

    /// An array with one element on a line, for people who read it anyway.
    package var lines: String {
        guard case .array(let elements) = self, !elements.isEmpty else { return text + "\n" }
        return "[\n" + elements.map { "  " + $0.text }.joined(separator: ",\n") + "\n]\n"
    }

    private func write(into result: inout String) {
        switch self {
        case .null: result += "null"
        case .boolean(let value): result += value ? "true" : "false"
        case .integer(let value): result += "\(value)"
        case .tenths(let value): result += "\(value / 10).\(value.magnitude % 10)"
        case .seconds(let nanoseconds): result += Self.decimal(microseconds: nanoseconds / 1000)
        case .string(let value): Self.write(value, into: &result)
        case .array(let elements):
            result += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { result += ", " }
                element.write(into: &result)
            }
            result += "]"
        case .object(let entries):
            result += "{"
            for (index, entry) in entries.enumerated() {
                if index > 0 { result += ", " }
                Self.write(entry.0, into: &result)
                result += ": "
                entry.1.write(into: &result)
            }
            result += "}"
        }
    }

    private static func decimal(microseconds: Int) -> String {
        let fraction = String(microseconds.magnitude % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - fraction.utf8.count)
        return "\(microseconds < 0 ? "-" : "")\(microseconds.magnitude / 1_000_000).\(zeros)\(fraction)"
    }

    /// RFC 8259, section 7; also escaped are DEL and C1, which a terminal would act on.
    private static func write(_ text: String, into result: inout String) {
        result += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        result += "\""
    }
}
