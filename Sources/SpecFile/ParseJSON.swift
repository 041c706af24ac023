/// Parses a JSON text (RFC 8259) in the name of `file`, strictly: one value, no key twice, no comment, nothing after it.
///
/// A reader of our own, as the C libraries do not say where a value stands. An entry that is null is left out: the programs
/// that write such files mean nothing by it.
package func parseJSON(_ text: [UInt8], file: String) throws(Diagnostic) -> Node {
    var reader = JSONReader(text: text, file: file)
    return try reader.document()
}

/// Walks the bytes once.
private struct JSONReader {
    /// No honest file comes near it, and it bounds the recursion.
    static let depthLimit = 32
    /// The same, so that comparing keys with each other takes no time.
    static let keyLimit = 64

    let text: [UInt8]
    let file: String
    private var place = 0
    private var line = 1
    private var lineStart = 0
    private var depth = 0

    init(text: [UInt8], file: String) {
        self.text = text
        self.file = file
    }

    mutating func document() throws(Diagnostic) -> Node {
        skipSpace()
        let start = position
        guard let node = try value() else { throw Diagnostic("must be an object, not null", at: start) }
        skipSpace()
        guard place == text.count else { throw fault("\(seen) after the value") }
        return node
    }

    private var position: Position { Position(file: file, line: line, column: place - lineStart + 1) }

    private var next: UInt8? { place < text.count ? text[place] : nil }

    /// What stands at this place, in words.
    private var seen: String {
        guard let byte = next else { return "the end of the file" }
        if byte < 0x20 || byte >= 0x7F { return "the byte 0x" + String(byte, radix: 16) }
        return quoted(String(decoding: [byte], as: UTF8.self))
    }

    private func fault(_ message: String) -> Diagnostic { Diagnostic("not JSON: \(message)", at: position) }

    private mutating func skipSpace() {
        while let byte = next {
            switch byte {
            case 0x20, 0x09, 0x0D: place += 1
            case 0x0A:
                place += 1
                line += 1
                lineStart = place
            default: return
            }
        }
    }

    /// A value, nil for null.
    private mutating func value() throws(Diagnostic) -> Node? {
        let start = position
        switch next {
        case UInt8(ascii: "{"): return Node(.table(try object()), at: start)
        case UInt8(ascii: "["): return Node(.array(try array()), at: start)
        case UInt8(ascii: "\""): return Node(.string(try string()), at: start)
        case UInt8(ascii: "t"):
            try take("true")
            return Node(.boolean(true), at: start)
        case UInt8(ascii: "f"):
            try take("false")
            return Node(.boolean(false), at: start)
        case UInt8(ascii: "n"):
            try take("null")
            return nil
        case UInt8(ascii: "-"): return Node(try number(), at: start)
        case .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return Node(try number(), at: start)
        default: throw fault("\(seen) where a value must stand")
        }
    }

    private mutating func take(_ word: StaticString) throws(Diagnostic) {
        let bytes = Array(word.description.utf8)
        guard text.count - place >= bytes.count, text[place..<place + bytes.count].elementsEqual(bytes) else {
            throw fault("\(seen) where a value must stand")
        }
        place += bytes.count
    }

    private mutating func enter() throws(Diagnostic) {
        guard depth < Self.depthLimit else { throw fault("nested more than \(Self.depthLimit) deep") }
        depth += 1
        place += 1
        skipSpace()
    }

    /// Goes over the comma, or the end, after an element; false at the end.
    private mutating func goOn(_ end: UInt8) throws(Diagnostic) -> Bool {
        skipSpace()
        if next == UInt8(ascii: ",") {
            place += 1
            skipSpace()
            return true
        }
        guard next == end else { throw fault("\(seen) where a comma or the end must stand") }
        leave()
        return false
    }

    private mutating func leave() {
        depth -= 1
        place += 1
    }

    private mutating func object() throws(Diagnostic) -> Table {
        try enter()
        var entries: [Table.Entry] = []
        if next == UInt8(ascii: "}") {
            leave()
            return Table()
        }
        repeat {
            let start = position
            guard next == UInt8(ascii: "\"") else { throw fault("\(seen) where a key must stand") }
            let key = try string()
            guard !entries.contains(where: { $0.key == key }) else {
                throw Diagnostic("not JSON: the key \(quoted(key)) stands twice", at: start)
            }
            guard entries.count < Self.keyLimit else { throw fault("more than \(Self.keyLimit) keys in an object") }
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw fault("\(seen) where a colon must stand") }
            place += 1
            skipSpace()
            if let node = try value() { entries.append(Table.Entry(key: key, keyPosition: start, node: node)) }
        } while try goOn(UInt8(ascii: "}"))
        return Table(entries)
    }

    private mutating func array() throws(Diagnostic) -> [Node] {
        try enter()
        if next == UInt8(ascii: "]") {
            leave()
            return []
        }
        var elements: [Node] = []
        repeat {
            let start = position
            guard let node = try value() else { throw Diagnostic("not JSON for this: null in an array", at: start) }
            elements.append(node)
        } while try goOn(UInt8(ascii: "]"))
        return elements
    }

    /// A whole number, or one with a fraction or an exponent, of which nothing but the kind is kept.
    private mutating func number() throws(Diagnostic) -> Node.Value {
        let start = position
        let isNegative = next == UInt8(ascii: "-")
        if isNegative { place += 1 }
        let first = place
        var magnitude: UInt64 = 0
        var fits = true
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            let (tenfold, over) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carried) = tenfold.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            (magnitude, fits) = (sum, fits && !over && !carried)
            place += 1
        }
        guard place > first else { throw fault("\(seen) where a digit must stand") }
        if place - first > 1, text[first] == UInt8(ascii: "0") {
            throw Diagnostic("not JSON: a number with a leading zero", at: start)
        }
        switch next {
        case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
            throw Diagnostic("a number that is not whole", at: start)
        default: break
        }
        if fits, let small = Int64(exactly: magnitude) { return .integer(isNegative ? -small : small) }
        guard fits, !isNegative else { throw Diagnostic("a number beyond 64 bits", at: start) }
        return .unsigned(magnitude)
    }
}

extension JSONReader {
    /// The text between two quotes, which must be UTF-8.
    private mutating func string() throws(Diagnostic) -> String {
        let start = position
        place += 1
        let first = place
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { place += 1 }
        if next == UInt8(ascii: "\"") {
            place += 1
            return try decoded(text[first..<place - 1], start)
        }
        var bytes = Array(text[first..<place])
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { break }
            place += 1
            if byte == UInt8(ascii: "\\") { try escape(into: &bytes) } else { bytes.append(byte) }
        }
        guard let byte = next else { throw Diagnostic("not JSON: a string without an end", at: start) }
        guard byte == UInt8(ascii: "\"") else { throw fault("\(seen) within a string") }
        place += 1
        return try decoded(bytes[...], start)
    }

    private func decoded(_ bytes: ArraySlice<UInt8>, _ start: Position) throws(Diagnostic) -> String {
        var isASCII = true
        for byte in bytes where byte >= 0x80 { isASCII = false }
        if isASCII { return String(decoding: bytes, as: UTF8.self) }
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw Diagnostic("not JSON: a string that is not UTF-8", at: start)
        }
        return string
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(Diagnostic) {
        guard let byte = next else { throw fault("the end of the file within a string") }
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code), next == UInt8(ascii: "\\"), place + 1 < text.count,
                text[place + 1] == UInt8(ascii: "u")
            {
                place += 2
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw fault("half of a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("half of a surrogate pair") }
            bytes += Array(Character(scalar).utf8)
        default: throw fault("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(Diagnostic) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fault("\(seen) where four hexadecimal digits must stand")
            }
            code = code << 4 | UInt32(digit)
            place += 1
        }
        return code
    }
}
