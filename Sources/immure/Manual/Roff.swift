/// A manual page in the man(7) macros, put together from plain paragraphs.
struct Roff {
    private(set) var text = ""

    init(title: String, section: Int, summary: String) {
        text = ".TH \(title.uppercased()) \(section) \(Release.date) \"immure \(Release.version)\"\n.SH NAME\n"
        text += "\(title) \\- \(Self.escaped(summary))\n"
    }

    mutating func section(_ name: String) { text += ".SH \(Self.escaped(name.uppercased()))\n" }

    mutating func subsection(_ name: String) { text += ".SS \(Self.escaped(name))\n" }

    mutating func paragraph(_ words: String) { text += ".PP\n" + Self.lines(words) }

    /// A word with what it means, indented; an empty line begins another paragraph of it.
    mutating func item(_ tag: String, _ words: String) {
        text += ".TP\n\\fB\(Self.escaped(tag))\\fR\n"
        for line in words.split(separator: "\n", omittingEmptySubsequences: false) {
            text += line.isEmpty ? ".IP\n" : Self.escaped(String(line)) + "\n"
        }
    }

    /// Lines as they are.
    mutating func example(_ lines: String) {
        text += ".PP\n.RS 4\n.nf\n"
        text += Self.lines(lines)
        text += ".fi\n.RE\n"
    }

    private static func lines(_ words: String) -> String {
        words.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) + "\n" }.joined()
    }

    /// `-` is a hyphen and `\` an escape to roff, a dot or a quote at the start of a line a request, and `~`, `^` and
    /// the quotes are typeset as other characters; words between backquotes are set bold.
    static func escaped(_ words: String) -> String {
        var result = words.hasPrefix(".") || words.hasPrefix("'") ? "\\&" : ""
        var isBold = false
        for character in words.unicodeScalars {
            switch character {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "~": result += "\\(ti"
            case "^": result += "\\(ha"
            case "'": result += "\\(aq"
            case "`":
                isBold.toggle()
                result += isBold ? "\\fB" : "\\fR"
            case "·": result += "\\(pc"
            case "…": result += "..."
            case "–": result += "\\(en"
            case "→": result += "\\(->"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
