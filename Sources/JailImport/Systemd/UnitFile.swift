import JailSpec
import SpecFile

/// Lines of unit files, systemd.syntax(7), the drop-ins after the unit.
struct UnitFile {
    struct Line {
        let section: String
        let key: String
        let value: String
        let directive: Directive
    }

    private(set) var lines: [Line] = []

    /// Reads a file; what it says comes after what was read before.
    mutating func read(_ source: ImportSource, _ draft: inout Draft) {
        var section = ""
        var pending: (text: String, line: Int)?
        // An end as systemd sees it: a backslash in the last line goes on to nothing.
        for (index, raw) in (source.lines + [""]).enumerated() where !draft.isOver {
            let text = raw.trimmed
            if text.hasPrefix("#") || text.hasPrefix(";") || (text.isEmpty && pending == nil) { continue }
            var (whole, number) = pending.map { ($0.text + " " + text, $0.line) } ?? (text, index + 1)
            pending = nil
            if Self.goesOn(raw) {
                whole.removeLast()
                pending = (whole.trimmed, number)
                continue
            }
            whole = whole.trimmed
            let position = Position(file: source.name, line: number, column: 1)
            if whole.hasPrefix("["), whole.hasSuffix("]") {
                section = String(whole.dropFirst().dropLast())
                if !Self.sections.contains(section), !section.hasPrefix("X-") {
                    draft.fail("unknown section [\(section)], which systemd passes over", at: position)
                }
                continue
            }
            let (key, value) = whole.cut("=")
            guard let value else {
                draft.fail("\(quoted(whole)) has no `=`", at: position)
                continue
            }
            take(section, key.trimmed, value.trimmed, position, &draft)
        }
    }

    /// Whether a line ends with a backslash that no other escapes. With a space after it, it does not.
    private static func goesOn(_ line: String) -> Bool {
        let marks = line.utf8.reversed().prefix { $0 == UInt8(ascii: "\\") }.count
        return !marks.isMultiple(of: 2)
    }

    private mutating func take(
        _ section: String, _ key: String, _ value: String, _ position: Position, _ draft: inout Draft
    ) {
        let directive = Directive("\(key)=\(shown([value]))", at: position)
        draft.take(directive)
        if section.isEmpty { return draft.fail("a line before the first section", directive) }
        lines.append(Line(section: section, key: Self.modern[key] ?? key, value: value, directive: directive))
    }

    private static let sections = ["Unit", "Service", "Install"]

    /// Old names, which systemd still takes.
    private static let modern = [
        "ReadWriteDirectories": "ReadWritePaths", "ReadOnlyDirectories": "ReadOnlyPaths",
        "InaccessibleDirectories": "InaccessiblePaths", "MemoryLimit": "MemoryMax",
        "StartLimitInterval": "StartLimitIntervalSec",
    ]
}

/// The words of a value, systemd.syntax(7), QUOTING; nil where a quote is not closed.
func unitWords(_ text: String) -> [String]? {
    var words: [String] = []
    // Bytes, of which an escape names one.
    var word: [UInt8] = []
    var (isWord, quote): (Bool, UInt8?) = (false, nil)
    var rest = Substring(text).utf8
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
            word += unescaped(next, &rest)
            isWord = true
        } else if let open = quote {
            if byte == open { quote = nil } else { word.append(byte) }
        } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
            quote = byte
            isWord = true
        } else if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
            if isWord { words.append(String(decoding: word, as: UTF8.self)) }
            (word, isWord) = ([], false)
        } else {
            word.append(byte)
            isWord = true
        }
    }
    if quote != nil { return nil }
    if isWord { words.append(String(decoding: word, as: UTF8.self)) }
    return words
}

private func unescaped(_ mark: UInt8, _ rest: inout Substring.UTF8View) -> [UInt8] {
    switch Character(Unicode.Scalar(mark)) {
    case "n": return [0x0A]
    case "t": return [0x09]
    case "s": return [0x20]
    case "x":
        guard let digits = String(rest.prefix(2)), digits.utf8.count == 2, let code = UInt8(digits, radix: 16) else {
            return Array("\\x".utf8)
        }
        rest = rest.dropFirst(2)
        return [code]
    case "\\", "\"", "'": return [mark]
    default: return [UInt8(ascii: "\\"), mark]
    }
}

/// Specifiers of systemd.unit(5) in a path or a value, as a spec has them.
struct Specifiers {
    /// What a spec says of it, and the variable that the unit has to set, with the specifier.
    var variables: [(name: String, specifier: String)] = []

    /// The places that the system's manager has.
    private static let places: [Character: String] = [
        "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "E": "/etc", "T": "/tmp", "V": "/var/tmp",
    ]

    private static let names: [Character: String] = [
        "i": "INSTANCE", "I": "INSTANCE_UNESCAPED", "j": "LAST_COMPONENT", "J": "LAST_COMPONENT_UNESCAPED",
        "n": "UNIT", "N": "UNIT_NAME", "p": "UNIT_PREFIX", "P": "UNIT_PREFIX_UNESCAPED", "f": "UNIT_PATH",
        "u": "UNIT_USER", "U": "UNIT_UID", "g": "UNIT_GROUP", "G": "UNIT_GID", "h": "UNIT_HOME", "s": "UNIT_SHELL",
        "H": "HOST_NAME", "l": "SHORT_HOST_NAME", "m": "MACHINE_ID", "b": "BOOT_ID", "v": "KERNEL", "a": "ARCHITECTURE",
        "d": "CREDENTIALS_DIRECTORY", "D": "SHARED_DATA", "q": "PRETTY_HOST_NAME", "w": "OS_VERSION", "o": "OS_ID",
        "B": "OS_BUILD", "W": "OS_VARIANT", "M": "OS_IMAGE", "A": "OS_IMAGE_VERSION", "c": "UNIT_GROUP_PATH",
        "r": "SLICE_GROUP_PATH", "y": "UNIT_FILE", "Y": "UNIT_DIRECTORY",
    ]

    static func isUsed(in text: String) -> Bool {
        var rest = text[...]
        while let index = rest.firstIndex(of: "%") {
            rest = rest[rest.index(after: index)...]
            guard rest.first == "%" else { return true }
            rest = rest.dropFirst()
        }
        return false
    }

    mutating func resolve(_ text: String) -> String {
        var result = ""
        var rest = literal(text)[...]
        while let index = rest.firstIndex(of: "%") {
            result += rest[..<index]
            rest = rest[rest.index(after: index)...]
            guard let mark = rest.first else { return result + "%" }
            rest = rest.dropFirst()
            if mark == "%" {
                result += "%"
            } else if let place = Self.places[mark] {
                result += place
            } else if let name = Self.names[mark] {
                result += "${\(name)}"
                if !variables.contains(where: { $0.name == name }) { variables.append((name, "%\(mark)")) }
            } else {
                result += "%\(mark)"
            }
        }
        return result + rest
    }
}
