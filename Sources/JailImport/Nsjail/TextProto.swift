import SpecFile

/// The text form of protocol buffers, as far as configurations use it: fields in the order of the file.
struct TextProto {
    enum Value {
        case string(String)
        /// A number or a word, as it stands.
        case word(String)
        case message([Field])
    }

    struct Field {
        let name: String
        let value: Value
        let directive: Directive
    }

    private let text: [Character]
    private let file: String
    private var place = 0
    private var line = 1
    private var depth = 0

    /// Reads a text; a fault has its line.
    static func read(_ source: ImportSource) throws(Diagnostic) -> [Field] {
        var reader = TextProto(source)
        return try reader.fields(until: nil)
    }

    private init(_ source: ImportSource) {
        text = Array(String(decoding: source.text, as: UTF8.self))
        file = source.name
    }

    private func fault(_ message: String) -> Diagnostic {
        Diagnostic("not a protobuf text: \(message)", at: Position(file: file, line: line, column: 1))
    }

    private mutating func skip() {
        while place < text.count {
            let character = text[place]
            if character.isNewline { line += 1 }
            if character == "#" {
                while place < text.count, !text[place].isNewline { place += 1 }
            } else if character.isWhitespace {
                place += 1
            } else {
                return
            }
        }
    }

    private var next: Character? { place < text.count ? text[place] : nil }

    private mutating func fields(until end: Character?) throws(Diagnostic) -> [Field] {
        // nsjail's own are three deep; each takes of the stack.
        guard depth < 32 else { throw fault("nested more than 32 deep") }
        depth += 1
        defer { depth -= 1 }
        var result: [Field] = []
        while true {
            skip()
            guard let character = next else {
                if end == nil { return result }
                throw fault("the end of the file within a message")
            }
            if character == end {
                place += 1
                return result
            }
            if character == "," || character == ";" {
                place += 1
                continue
            }
            try result += field()
        }
    }

    private mutating func field() throws(Diagnostic) -> [Field] {
        let start = line
        let name = word()
        guard !name.isEmpty else { throw fault("\(quoted(String(text[place]))) where a name must stand") }
        skip()
        let hasColon = next == ":"
        if hasColon { place += 1 }
        skip()
        if next == "[" {
            place += 1
            return try list(name, start)
        }
        let value = try value(name, hasColon)
        return [field(name, value, start)]
    }

    private func field(_ name: String, _ value: Value, _ start: Int) -> Field {
        let words =
            switch value {
            case .string(let text): "\(name): \(quoted(text))"
            case .word(let text): "\(name): \(text)"
            case .message: name
            }
        // Places of their own for several on one line.
        return Field(
            name: name, value: value, directive: Directive(words, at: Position(file: file, line: start, column: place)))
    }

    private mutating func list(_ name: String, _ start: Int) throws(Diagnostic) -> [Field] {
        var result: [Field] = []
        while true {
            skip()
            guard let character = next else { throw fault("the end of the file within a list") }
            if character == "]" {
                place += 1
                return result
            }
            if character == "," {
                place += 1
                continue
            }
            let first = line
            let value = try value(name, true)
            result.append(field(name, value, first))
        }
    }

    private mutating func value(_ name: String, _ hasColon: Bool) throws(Diagnostic) -> Value {
        switch next {
        case "{":
            place += 1
            return .message(try fields(until: "}"))
        case "<":
            place += 1
            return .message(try fields(until: ">"))
        case "\"", "'":
            var result = try string()
            skip()
            while next == "\"" || next == "'" {
                result += try string()
                skip()
            }
            return .string(result)
        default:
            let word = word()
            guard hasColon, !word.isEmpty else { throw fault("no value for \(name)") }
            return .word(word)
        }
    }

    private mutating func word() -> String {
        let start = place
        while let character = next, character.isLetter || character.isNumber || "_-+.".contains(character) {
            place += 1
        }
        return String(text[start..<place])
    }

    private mutating func string() throws(Diagnostic) -> String {
        let quote = next
        place += 1
        var bytes: [UInt8] = []
        while let character = next, character != quote {
            if character.isNewline { throw fault("a string without an end") }
            place += 1
            if character == "\\" { try escape(into: &bytes) } else { bytes += Array(String(character).utf8) }
        }
        guard next == quote else { throw fault("a string without an end") }
        place += 1
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(Diagnostic) {
        guard let mark = next else { throw fault("a string without an end") }
        place += 1
        switch mark {
        case "n": bytes.append(10)
        case "t": bytes.append(9)
        case "r": bytes.append(13)
        case "a": bytes.append(7)
        case "b": bytes.append(8)
        case "f": bytes.append(12)
        case "v": bytes.append(11)
        case "x", "X":
            let digits = text[place...].prefix(2).prefix { $0.isHexDigit }
            guard let code = UInt8(String(digits), radix: 16) else { throw fault("an escape that is none") }
            place += digits.count
            bytes.append(code)
        case "0"..."7":
            let digits = text[(place - 1)...].prefix(3).prefix { ("0"..."7").contains($0) }
            place += digits.count - 1
            bytes.append(UInt8(truncatingIfNeeded: UInt16(String(digits), radix: 8) ?? 0))
        default: bytes += Array(String(mark).utf8)
        }
    }
}
