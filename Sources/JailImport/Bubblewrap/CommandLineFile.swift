import LinuxFacts
import SpecFile

/// A file with a command line of bubblewrap's: words that each end with a zero byte, as `--args` takes them, or a text as a
/// shell reads it.
enum CommandLineFile {
    static func words(of source: ImportSource, into draft: inout Draft) -> [String] {
        let words = source.text.contains(0) ? BubblewrapOptions.split(source.text) : split(source, &draft)
        return isProgram(words.first) ? Array(words.dropFirst()) : words
    }

    /// The program's own name is no command of the jail.
    static func isProgram(_ word: String?) -> Bool { word == "bwrap" || word?.hasSuffix("/bwrap") == true }

    /// Words by the quotes, backslashes and comments of sh(1); what only a shell knows the value of is a fault, for what would be
    /// left of it is another command line.
    private static func split(_ source: ImportSource, _ draft: inout Draft) -> [String] {
        var words: [String] = []
        var (word, isWord): ([UInt8], Bool) = ([], false)
        var (quote, line): (UInt8?, Int) = (nil, 1)
        var rest = source.text[...]
        func add(_ bytes: UInt8...) {
            word += bytes
            isWord = true
        }
        func end() {
            if isWord { words.append(String(escaping: word)) }
            (word, isWord) = ([], false)
        }
        var here: Position { Position(file: source.name, line: line, column: 1) }
        while let byte = rest.popFirst() {
            if byte == newline { line += 1 }
            if byte == backslash, quote != UInt8(ascii: "'") {
                guard let next = rest.popFirst() else { break }
                if next == newline {
                    line += 1
                } else if quote != nil, !"$`\"\\".utf8.contains(next) {
                    add(byte, next)
                } else {
                    add(next)
                }
            } else if byte == quote {
                quote = nil
            } else if quote == UInt8(ascii: "'") || quote != nil && !"$`".utf8.contains(byte) {
                add(byte)
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                (quote, isWord) = (byte, true)
            } else if " \t\r\n".utf8.contains(byte) {
                end()
            } else if byte == UInt8(ascii: "#"), !isWord {
                rest = rest.drop { $0 != newline }
            } else if "$`;|&<>()".utf8.contains(byte) || byte == UInt8(ascii: "~") && !isWord {
                let mark = Character(Unicode.Scalar(byte))
                draft.fail("`\(mark)` is for a shell: write out what it stands for", at: here)
                return []
            } else {
                add(byte)
            }
        }
        end()
        if quote != nil { draft.fail("a quote that is not closed", at: here) }
        return words
    }

    private static let (newline, backslash) = (UInt8(ascii: "\n"), UInt8(ascii: "\\"))
}
