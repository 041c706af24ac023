import JailSpec
import LinuxFacts
package import SpecFile
import SystemCallFilter

/// A plan as `immure plan` prints it.
extension Plan {
    /// A step in a few words, with the path or name that it is about: what `immure plan` lists and a failure begins with.
    package func title(of index: Int) -> String {
        guard steps.indices.contains(index) else { return "" }
        guard case .tree(.attach(let slot, _, _)) = steps[index].operation else {
            return steps[index].operation.words.title
        }
        // What is attached says more than where.
        let fill = steps.first { if case .tree(.fill(slot, _, _)) = $0.operation { true } else { false } }
        return (fill ?? steps[index]).operation.words.title
    }

    /// An array with an object for each step: operation, who acts, arguments, how it is verified, position.
    package var json: JSON {
        .array(
            steps.enumerated().map { index, step in
                let words = step.operation.words
                return .object([
                    ("step", .integer(index + 1)), ("operation", .string(words.name)),
                    ("summary", .string(title(of: index))), ("actor", .string(step.actor.rawValue)),
                    ("arguments", .object(words.arguments)),
                    ("verified", .string(step.operation.verification.words)), ("position", JSON(step.origin)),
                ])
            })
    }

    /// Numbered lines: operation, who acts, what, the place that it comes from, then what is to be known besides.
    package var listing: [String] {
        let rows = steps.indices.map { index in
            let words = steps[index].operation.words
            return [
                "\(index + 1)", words.name, steps[index].actor.rawValue,
                title(of: index) + (words.detail.isEmpty ? "" : " (\(words.detail))"),
            ]
        }
        let widths = (0..<3).map { column in rows.map { $0[column].utf8.count }.max() ?? 0 }
        func blanks(_ count: Int) -> String { String(repeating: " ", count: count) }
        var lines: [String] = []
        for (index, row) in rows.enumerated() {
            let number = blanks(widths[0] - row[0].utf8.count) + row[0]
            let columns = (1..<3).map { row[$0] + blanks(widths[$0] - row[$0].utf8.count) }
            let origin = steps[index].origin?.description ?? "default"
            lines.append(([number] + columns + [row[3], "[\(origin)]"]).joined(separator: "  "))
        }
        if let policy = filter?.policy { lines += policy.leftOut.map { "note: seccomp.profile: \($0)" } }
        for name in namedIDs { lines.append("note: \(name.origin.map { "\($0): " } ?? "")\(name.words)") }
        for note in notes {
            lines.append("note: \(note.origin.map { "\($0): " } ?? "")\(note.message)")
            if let remedy = note.hint { lines.append("hint: \(remedy)") }
        }
        return lines
    }
}

extension JSON {
    /// A place in a file as an object; null for a default.
    package init(_ position: Position?) {
        guard let position else {
            self = .null
            return
        }
        self = .object([
            ("file", .string(position.file)), ("line", .integer(position.line)), ("column", .integer(position.column)),
        ])
    }

    /// A diagnostic with its position and hint.
    package init(_ diagnostic: Diagnostic) {
        self = .object([
            ("message", .string(diagnostic.message)), ("position", JSON(diagnostic.position)),
            ("hint", JSON(diagnostic.hint)),
        ])
    }
}
