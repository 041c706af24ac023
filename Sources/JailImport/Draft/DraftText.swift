import JailSpec
import SpecFile

extension Draft {
    /// The spec, with the place that each line is from, and before it what was lost, what differs and what holds anyway.
    package func text(title: [String]) -> String {
        var header = title
        let told = positionsOfLines.union(notes.filter { $0.kind == .outside }.map(\.directive.position))
        // What has a line, or is said to stay elsewhere, does not hold without one.
        let groups = noteGroups.filter { $0.kind != .inForce || !told.contains($0.directive.position) }
        for (kind, heading) in Self.headings {
            let said = groups.filter { $0.kind == kind }
            if said.isEmpty { continue }
            header.append("")
            header.append(heading)
            // What is in force or is not about the jail needs no line of its own.
            let short = said.filter { $0.reason.isEmpty }
            header += said.filter { !$0.reason.isEmpty }.map { "  \($0.directive.reference): \($0.reason)" }
            header += Self.folded(short.map(\.directive.reference)).map { "  " + $0 }
        }
        header.append("")
        let origins = origins
        return TreeWriter.text(of: root, header: header) { place in
            guard let directive = origins[place] else { return nil }
            return directive.position.line == 0
                ? "as \(directive.position.file) does: \(directive.words)" : "from \(directive.reference)"
        }
    }

    private static let headings: [(ImportNote.Kind, String)] = [
        (.lostRestriction, "LOST, and it restricted the program:"),
        (.lost, "Left out, so that the jail is closer than it was:"),
        (.warning, "Not quite the same:"),
        (.inForce, "Holds without a line:"),
        (.part, "No lines of their own:"),
        (.outside, "Not about the jail:"),
    ]

    private static func folded(_ words: [String]) -> [String] {
        var result: [String] = []
        for word in words {
            if let last = result.last, last.utf8.count + word.utf8.count < 110 {
                result[result.count - 1] = last + "; " + word
            } else {
                result.append(word)
            }
        }
        return result
    }

    /// The values that are not as they were written: what is no UTF-8 is read as U+FFFD.
    var texts: [Node] {
        var result: [Node] = []
        func visit(_ node: Node) {
            switch node.value {
            case .string(let text): if text.unicodeScalars.contains("\u{FFFD}") { result.append(node) }
            case .table(let table): for entry in table.entries { visit(entry.node) }
            case .array(let list): for item in list { visit(item) }
            default: break
            }
        }
        for entry in root.entries { visit(entry.node) }
        return result
    }
}
