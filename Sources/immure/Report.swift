import JailRuntime
import LinuxFacts
import SpecFile

/// Says diagnostics to the person: `immure: file:line:col: what: why`, then `hint: …` on a line of its own.
enum Report {
    /// How much a diagnostic matters.
    enum Kind {
        case error, warning, note
        /// Without immure's name: what `check` says is about the file.
        case plain
    }

    /// Says one diagnostic on standard error.
    static func say(_ diagnostic: Diagnostic, as kind: Kind = .error) {
        Caller.say(text(of: diagnostic, as: kind, coloured: isColoured(2)))
    }

    /// Says lines of which none is a fault.
    static func note(_ lines: [String]) {
        for line in lines { say(Diagnostic(line, at: nil), as: .note) }
    }

    /// Says what the runtime has to say: the sink of its messages. Whoever does not read them does not hold a jail up.
    static func say(_ message: UserMessage) {
        switch message {
        case .error(let diagnostic): sayBriefly(diagnostic, as: .error)
        case .warning(let diagnostic): sayBriefly(diagnostic, as: .warning)
        case .note(let diagnostic): sayBriefly(diagnostic, as: .note)
        case .table(let rows): Caller.say(text(of: rows.map { $0.map(printable) }), within: 5000)
        }
    }

    private static func sayBriefly(_ diagnostic: Diagnostic, as kind: Kind) {
        Caller.say(text(of: diagnostic, as: kind, coloured: isColoured(2)), within: 400)
    }

    /// Rows of cells, each column but the last as wide as its widest cell.
    private static func text(of rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            column + 1 == columns ? 0 : rows.map { $0[column].utf8.count }.max() ?? 0
        }
        return rows.map { row in
            row.indices.map { row[$0] + String(repeating: " ", count: max(0, widths[$0] - row[$0].utf8.count)) }
                .joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// The lines of a diagnostic, without the last line break.
    static func text(of diagnostic: Diagnostic, as kind: Kind, coloured: Bool) -> String {
        let (prefix, colour) =
            switch kind {
            case .error: ("immure:", "1;31")
            case .warning: ("immure: warning:", "1;33")
            case .note: ("immure: note:", "1;36")
            case .plain: ("", "")
            }
        func paint(_ text: String, _ colour: String) -> String {
            coloured ? "\u{1b}[\(colour)m\(text)\u{1b}[0m" : text
        }
        let place = diagnostic.position.map { "\($0): " } ?? ""
        var text = (prefix.isEmpty ? "" : paint(prefix, colour) + " ") + printable(place + diagnostic.message)
        if let hint = diagnostic.hint { text += "\n" + paint("hint:", "1") + " " + printable(hint) }
        return text
    }

    /// Colour only on a terminal that has it, and not where the user said no (no-color.org).
    static func isColoured(_ descriptor: Int32) -> Bool {
        guard Caller.hasTerminal(descriptor) else { return false }
        func value(_ name: String) -> String { Caller.variable(name) ?? "" }
        return value("NO_COLOR").isEmpty && value("TERM") != "dumb" && !value("TERM").isEmpty
    }

    /// The text with every character that would act on the terminal written out: a path, a script's interpreter and a
    /// spec may be a stranger's.
    static func printable(_ text: String) -> String {
        guard acts(in: text) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if let byte = CarriedByte.byte(scalar) {
                result += "\\x{\(String(byte, radix: 16))}"
            } else if acts(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Whether one of its characters would act on the terminal or the line that it stands in.
    static func acts(in text: String) -> Bool { text.unicodeScalars.contains(where: acts) }

    private static func acts(_ scalar: Unicode.Scalar) -> Bool {
        // A byte that is no text, too.
        SpecFile.acts(scalar) || scalar.value >= CarriedByte.base + 0x80
    }
}
