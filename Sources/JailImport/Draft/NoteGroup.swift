import SpecFile

/// Notes that say the same of one directive or of several.
package struct NoteGroup: Sendable {
    package let kind: ImportNote.Kind
    package let reason: String
    package fileprivate(set) var directives: [Directive]

    /// The directive; of several the first one, with how many there are, and on which lines.
    package var directive: Directive {
        let first = directives[0]
        guard directives.count > 1 else { return first }
        return Directive("\(first.words), \(directives.count) lines (\(lines))", at: first.position)
    }

    /// `4-9, 12, disable.inc:3`: those of the first one's file without its name.
    private var lines: String {
        var file = directives[0].position.file
        var parts: [(file: String, first: Int, last: Int)] = []
        for place in directives.map(\.position) {
            if let last = parts.last, last.file == place.file, last.last + 1 >= place.line, last.first <= place.line {
                parts[parts.count - 1].last = max(last.last, place.line)
            } else {
                parts.append((place.file, place.line, place.line))
            }
        }
        var text = ""
        for (index, part) in parts.enumerated() {
            guard text.utf8.count < 100 else { return text + ", …" }
            text += index > 0 ? ", " : ""
            if part.file != file { text += "\(part.file):" }
            file = part.file
            text += part.first == part.last ? "\(part.first)" : "\(part.first)-\(part.last)"
        }
        return text
    }
}

extension Draft {
    /// The notes in their order, those that say the same together.
    package var noteGroups: [NoteGroup] {
        var groups: [NoteGroup] = []
        for note in notes {
            let isWritten = note.directive.position.line > 0
            let index =
                !isWritten || note.reason.isEmpty
                ? nil
                : groups.firstIndex {
                    $0.kind == note.kind && $0.reason == note.reason && $0.directives[0].position.line > 0
                }
            if let index {
                groups[index].directives.append(note.directive)
            } else {
                groups.append(NoteGroup(kind: note.kind, reason: note.reason, directives: [note.directive]))
            }
        }
        return groups
    }
}
