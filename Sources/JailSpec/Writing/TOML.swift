import SpecFile

/// Values as TOML writes them, on one line.
package enum TOML {
    /// Any value of a tree; a table is an inline one.
    static func value(_ node: Node) -> String {
        switch node.value {
        case .string(let text): string(text)
        case .integer(let number): String(number)
        case .unsigned(let number): String(number)
        case .float(let number): String(number)
        case .boolean(let truth): String(truth)
        // No spec has one, so that none is ever made.
        case .date: string("")
        case .array(let elements): array(elements.map(value))
        case .table(let table):
            table.entries.isEmpty
                ? "{}" : "{ \(table.entries.map { "\(key($0.key)) = \(value($0.node))" }.joined(separator: ", ")) }"
        }
    }

    /// A key: bare where it can be.
    static func key(_ name: String) -> String {
        let isBare = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isBare && !name.isEmpty ? name : string(name)
    }

    /// An inline array of values that are TOML already.
    static func array(_ words: [String]) -> String { "[" + words.joined(separator: ", ") + "]" }

    /// Permission bits as a spec has them.
    static func mode(_ mode: UInt32) -> String { "\"0\(String(mode, radix: 8))\"" }

    /// A duration in the smallest unit of a spec.
    static func duration(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        return "\"\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms\""
    }

    /// A string that expands to this value.
    package static func path(_ value: String) -> String { string(literal(value)) }

    /// A basic string of TOML.
    package static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            // More than TOML asks for: also what would act on a terminal, or show the text in another order.
            case _ where acts(scalar):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
