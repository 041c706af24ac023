/// What may be written as a value: in words for a person, and as a shape for a machine.
///
/// A shape is never narrower than what the decoder takes, and as wide only where the rest is a matter of meaning: whether a
/// path is within the jail, a soft limit above the hard one, or two keys contradict each other.
package struct ValueForm: Sendable {
    package let words: String
    package let shape: Shape

    init(_ words: String, _ shape: Shape) {
        self.words = words
        self.shape = shape
    }

    /// The form of a value in the terms of JSON Schema.
    package indirect enum Shape: Sendable {
        case boolean
        /// That one boolean.
        case exactly(Bool)
        case integer(ClosedRange<Int64>)
        /// A string that one of these words is.
        case word([String])
        /// A string within these bounds, in characters, that the regular expression (ECMA 262) matches.
        case text(pattern: String?, length: ClosedRange<Int>)
        case array(of: Shape, count: ClosedRange<Int>, isDistinct: Bool)
        /// A table with these keys.
        case table([KeyRow])
        /// A table whose keys are the user's own.
        case dictionary(names: String, of: Shape)
        case either([Shape])

        /// The rows of the tables within.
        var rows: [KeyRow] {
            switch self {
            case .table(let rows): rows
            case .array(let element, _, _), .dictionary(_, let element): element.rows
            case .either(let shapes): shapes.flatMap(\.rows)
            case .boolean, .exactly, .integer, .word, .text: []
            }
        }
    }
}

extension ValueForm.Shape {
    static func text(_ pattern: String? = nil, upTo limit: Int = Int.max) -> Self {
        .text(pattern: pattern, length: 0...limit)
    }

    /// A string that is not empty.
    static let nonEmpty = Self.text(pattern: nil, length: 1...Int.max)

    /// What is taken for a path where a word could stand as well.
    static let pathBesideWords = Self.text("/|^[~$]|^[.]{1,2}$")

    static func list(_ element: Self, _ count: ClosedRange<Int> = 0...Int.max, distinct: Bool = false) -> Self {
        .array(of: element, count: count, isDistinct: distinct)
    }
}
