/// A text as a unit has it, systemd.syntax(7): what is put into it means itself.
///
/// Interpolation is the only way for a text that is not written here, and each says what it is escaped for. Whether the line
/// that it becomes part of is one line, `Unit.text` checks, for all of them.
struct UnitText: ExpressibleByStringInterpolation {
    let text: String

    init(stringLiteral value: String) { text = value }
    init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {}

        mutating func appendLiteral(_ literal: String) { text += literal }

        mutating func appendInterpolation(_ number: some BinaryInteger) { text += String(number) }

        /// A text of its own: `%` begins no specifier.
        mutating func appendInterpolation(plain value: String) {
            for scalar in value.unicodeScalars { text += scalar == "%" ? "%%" : String(scalar) }
        }

        /// A value whose specifiers the caller has written.
        mutating func appendInterpolation(specified value: String) { text += value }

        /// Arguments of ExecStart=, systemd.service(5): `%` and `$` stand for themselves, blanks do not end one.
        mutating func appendInterpolation(arguments words: [String]) {
            text += words.map { UnitText.quoted($0, from: "%$") }.joined(separator: " ")
        }

        /// One name in a list of directories, systemd.exec(5), where a colon would begin another name.
        mutating func appendInterpolation(item name: String) {
            let word = UnitText.quoted(name, from: "%")
            for scalar in word.unicodeScalars { text += scalar == ":" ? "\\:" : String(scalar) }
        }

        /// An assignment of Environment=, with the specifiers that the caller has written.
        mutating func appendInterpolation(assignment name: String, _ value: String) {
            text += UnitText.quoted("\(name)=\(value)", from: "", always: true)
        }
    }

    /// One word; what stands in `doubled` means itself when it is there twice. Of the control characters only those are
    /// written with an escape that a word may well have: the others are left for the check of the line.
    private static func quoted(_ word: String, from doubled: String, always: Bool = false) -> String {
        var result = ""
        var isPlain = !word.isEmpty && !always
        for scalar in word.unicodeScalars {
            switch scalar {
            case _ where doubled.unicodeScalars.contains(scalar): result += String(scalar) + String(scalar)
            case "\"", "\\":
                isPlain = false
                result += "\\" + String(scalar)
            case "\n", "\t", "\r":
                isPlain = false
                result += scalar == "\n" ? "\\n" : scalar == "\t" ? "\\t" : "\\r"
            case " ", "'", ";", "#":
                isPlain = false
                result.unicodeScalars.append(scalar)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return isPlain ? result : "\"\(result)\""
    }

    /// Whether it has a character that ends a line, or acts on whoever reads it.
    static func hasControls(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }
}
