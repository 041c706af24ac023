import LinuxFacts
import SpecFile

/// What a value may look like: each function reads one form, strictly.
enum Form {
    static func fault(_ message: String, _ node: Node, hint: String? = nil) -> Diagnostic {
        Diagnostic(message, at: node.position, hint: hint)
    }

    static func boolean(_ node: Node, _: Decoding) throws(Diagnostic) -> Bool {
        guard case .boolean(let value) = node.value else {
            throw fault("must be true or false, not \(node.kind)", node)
        }
        return value
    }

    /// A string without NUL, which would end it early in every call it goes to.
    static func text(_ node: Node, _: Decoding) throws(Diagnostic) -> String {
        guard case .string(let value) = node.value else { throw fault("must be a string, not \(node.kind)", node) }
        if value.utf8.contains(0) { throw fault("\(quoted(value)) holds a NUL byte", node) }
        return value
    }

    static func nonEmpty(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let value = try text(node, decoding)
        if value.isEmpty { throw fault("is empty", node) }
        if CarriedByte.isIn(value) {
            throw fault(
                "\(quoted(value)) holds a character from U+10FF80 on, which stands for a byte that is no text", node)
        }
        return value
    }

    /// A whole number within a range.
    static func integer<Value: FixedWidthInteger>(_ range: ClosedRange<Value>) -> Reader<Value> {
        { (node: Node, _: Decoding) throws(Diagnostic) -> Value in
            if case .unsigned(let value) = node.value {
                guard let number = Value(exactly: value), range.contains(number) else {
                    throw fault("\(value) is not within \(range.lowerBound) to \(range.upperBound)", node)
                }
                return number
            }
            guard case .integer(let value) = node.value else {
                throw fault("must be a whole number, not \(node.kind)", node)
            }
            guard let number = Value(exactly: value), range.contains(number) else {
                throw fault("\(value) is not within \(range.lowerBound) to \(range.upperBound)", node)
            }
            return number
        }
    }

    /// One word of a closed vocabulary.
    static func word<Word: RawRepresentable & CaseIterable>(
        _: Word.Type
    ) -> Reader<Word> where Word.RawValue == String {
        { (node: Node, decoding: Decoding) throws(Diagnostic) -> Word in
            let text = try text(node, decoding)
            guard let word = Word(rawValue: text) else { throw unknown(text, of: Word.allCases.map(\.rawValue), node) }
            return word
        }
    }

    /// The fault of a word that is in no vocabulary, with the nearest that is, or with all where they are few.
    static func unknown(_ text: String, of known: [String], _ node: Node) -> Diagnostic {
        if let near = nearest(text, known) {
            return fault("unknown word \(quoted(text))", node, hint: "did you mean \(quoted(near))?")
        }
        let few = known.count <= 16 ? "one of " + known.map { "\"\($0)\"" }.joined(separator: ", ") : nil
        return fault("unknown word \(quoted(text))", node, hint: few)
    }
}

/// A number as people write one: only digits, no sign, no leading zero; nil for everything else and beyond 64 bits.
func canonicalNumber(_ text: some StringProtocol) -> UInt64? {
    let digits = text.utf8
    guard let first = digits.first, digits.count == 1 || first != UInt8(ascii: "0") else { return nil }
    guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return UInt64(text)
}
