package import SpecFile

/// A tree of a spec as the text of a file, with a comment beside each value that says where it comes from.
///
/// Sections stand in the order of the manual, keys in that of the tree. What reads the text back gets the same tree, but for
/// the places.
package struct TreeWriter {
    private let comment: (Position) -> String?
    private var lines: [String] = []

    /// The text of a tree; `header` are lines of comments that go first, `comment` what is said of the values of a place.
    package static func text(
        of root: Table, header: [String] = [], comment: @escaping (Position) -> String?
    ) -> String {
        var writer = TreeWriter(comment: comment)
        for line in header { writer.lines.append(Self.commented(line)) }
        writer.section([], root)
        return writer.lines.map { $0 + "\n" }.joined()
    }

    private init(comment: @escaping (Position) -> String?) { self.comment = comment }

    private static let order = SectionRows.all.map { $0.name.split(separator: ".").map(String.init) }

    /// One line of a comment: what would end it, or act on a terminal, is written out.
    private static func commented(_ text: String) -> String {
        var result = text.isEmpty ? "#" : "# "
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\t": result += " "
            case _ where acts(scalar):
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private mutating func section(_ path: [String], _ table: Table) {
        var heading: String? = path.isEmpty ? nil : "[\(path.map(TOML.key).joined(separator: "."))]"
        var said: String?
        for entry in table.entries where !Self.isSection(entry.node) {
            if let line = heading {
                if !lines.isEmpty { lines.append("") }
                lines.append(line)
                heading = nil
            }
            write(entry, after: &said)
        }
        let inner = table.entries.filter { Self.isSection($0.node) }
        for entry in inner.sorted(by: { rank(path + [$0.key]) < rank(path + [$1.key]) }) {
            switch entry.node.value {
            case .table(let table): section(path + [entry.key], table)
            case .array(let elements):
                for element in elements { repeated(path + [entry.key], element) }
            default: break
            }
        }
    }

    private func rank(_ path: [String]) -> Int { Self.order.firstIndex(of: path) ?? Self.order.count }

    /// Tables, and mounts: a rule of a filter is a line, as there are hundreds of them.
    private static func isSection(_ node: Node) -> Bool {
        switch node.value {
        case .table: true
        case .array(let elements):
            elements.contains { element in
                guard case .table(let table) = element.value else { return false }
                return table["target"] != nil || table["device"] != nil
            }
        default: false
        }
    }

    private mutating func repeated(_ path: [String], _ node: Node) {
        guard case .table(let table) = node.value else { return }
        lines.append("")
        if let text = comment(node.position) { lines.append(Self.commented(text)) }
        lines.append("[[\(path.map(TOML.key).joined(separator: "."))]]")
        for entry in table.entries { lines.append("\(TOML.key(entry.key)) = \(TOML.value(entry.node))") }
    }

    private mutating func write(_ entry: Table.Entry, after said: inout String?) {
        let key = TOML.key(entry.key)
        if case .array(let elements) = entry.node.value, Set(elements.map(\.position)).count > 1 {
            lines.append("\(key) = [")
            // A comment stands over what it is about, once for several in a row.
            var before: String?
            for element in elements {
                if let text = comment(element.position), text != before {
                    lines.append("    " + Self.commented(text))
                    before = text
                }
                lines.append("    \(TOML.value(element)),")
            }
            lines.append("]")
            said = nil
            return
        }
        var place = entry.node.position
        if case .array(let elements) = entry.node.value, let first = elements.first { place = first.position }
        if let text = comment(place), text != said {
            lines.append(Self.commented(text))
            said = text
        }
        let line = "\(key) = \(TOML.value(entry.node))"
        guard line.utf8.count > 120, case .array(let elements) = entry.node.value else { return lines.append(line) }
        lines.append("\(key) = [")
        lines += Self.folded(elements.map { TOML.value($0) + "," })
        lines.append("]")
    }

    /// Words in lines of at most 120 bytes.
    private static func folded(_ words: [String]) -> [String] {
        var result: [String] = []
        var line = ""
        for word in words {
            if line.isEmpty {
                line = "    " + word
            } else if line.utf8.count + 1 + word.utf8.count <= 120 {
                line += " " + word
            } else {
                result.append(line)
                line = "    " + word
            }
        }
        return line.isEmpty ? result : result + [line]
    }
}
