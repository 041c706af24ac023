import SpecFile

/// A function that makes a value of a node or says what is wrong with it, without naming the key.
typealias Reader<Value> = (Node, Decoding) throws(Diagnostic) -> Value

/// A table being decoded. Each key is asked for once with what it must be; `finish` reports every key that nobody asked for.
struct Section {
    let table: Table
    /// The dotted path of the table, empty for the root.
    let name: String
    let position: Position?
    let decoding: Decoding
    private(set) var known: [String] = []

    init(_ table: Table, named name: String, at position: Position? = nil, in decoding: Decoding) {
        self.table = table
        self.name = name
        self.position = position
        self.decoding = decoding
        known.reserveCapacity(16)
    }

    /// The dotted path of a key.
    func path(_ key: String) -> String { name.isEmpty ? key : name + "." + key }

    func report(_ message: String, at position: Position?, hint: String? = nil) {
        decoding.report(message, at: position, hint: hint)
    }

    /// The same of something that another key would mend, which a file may have that could not be read.
    func reportLack(_ message: String, at position: Position?, hint: String? = nil) {
        if !decoding.isPartial { report(message, at: position, hint: hint) }
    }

    /// The entry of a key, which is known from now on.
    mutating func entry(_ key: String) -> Table.Entry? {
        known.append(key)
        return table[key]
    }

    /// The value of a key; nil where it is absent or wrong.
    mutating func value<Value>(_ key: String, _ read: Reader<Value>) -> Located<Value>? {
        guard let entry = entry(key), let value = attempt(entry.node, key, read) else { return nil }
        return Located(value, at: entry.node.position)
    }

    /// The elements of an array of which each is read by itself; those that are wrong are reported and left out.
    mutating func list<Value>(_ key: String, _ read: Reader<Value>, hint: String? = nil) -> Located<[Located<Value>]>? {
        guard let entry = entry(key) else { return nil }
        guard case .array(let nodes) = entry.node.value else {
            report("\(path(key)): must be an array, not \(entry.node.kind)", at: entry.node.position, hint: hint)
            return nil
        }
        var result: [Located<Value>] = []
        result.reserveCapacity(nodes.count)
        for node in nodes where !decoding.isFull {
            if let value = attempt(node, key, read) { result.append(Located(value, at: node.position)) }
        }
        return Located(result, at: entry.node.position)
    }

    /// The same where no element may be given twice.
    mutating func distinct<Value: Hashable>(_ key: String, _ read: Reader<Value>) -> Located<[Located<Value>]>? {
        guard let list = list(key, read) else { return nil }
        for (_, again, first) in repeats(list.value) {
            report("\(path(key)): given twice\(also(at: first))", at: again.position)
        }
        return list
    }

    /// A table within this one.
    mutating func section(_ key: String) -> Section? {
        guard let entry = entry(key) else { return decoding.survey.map { _ in surveyed(key) } }
        return table(entry.node, key, at: entry.keyPosition)
    }

    /// The tables of an array of tables.
    mutating func sections(_ key: String) -> [Section] {
        decoding.survey?.repeated.append(path(key))
        guard let entry = entry(key) else { return decoding.survey.map { _ in [surveyed(key)] } ?? [] }
        guard case .array(let nodes) = entry.node.value else {
            report(
                "\(path(key)): must be an array of tables, not \(entry.node.kind)", at: entry.node.position,
                hint: "write [[\(path(key))]]")
            return []
        }
        var result: [Section] = []
        for node in nodes {
            if let section = table(node, key, at: node.position) { result.append(section) }
        }
        return result
    }

    private func table(_ node: Node, _ key: String, at position: Position) -> Section? {
        guard case .table(let table) = node.value else {
            report("\(path(key)): must be a table, not \(node.kind)", at: node.position)
            return nil
        }
        return Section(table, named: path(key), at: position, in: decoding)
    }

    /// Reads a node, naming the key in front of what is wrong with it.
    func attempt<Value>(_ node: Node, _ key: String, _ read: Reader<Value>) -> Value? {
        do throws(Diagnostic) {
            return try read(node, decoding)
        } catch {
            report("\(path(key)): \(error.message)", at: error.position ?? node.position, hint: error.hint)
            return nil
        }
    }

    /// A table that is not there, for a survey.
    private func surveyed(_ key: String) -> Section { Section(Table(), named: path(key), in: decoding) }

    /// Reports every key that nobody asked for.
    func finish() {
        decoding.survey?.asked += known.map(path)
        for entry in table.entries where !known.contains(entry.key) {
            let near = decoding.isFull ? nil : nearest(entry.key, known)
            let place = name.isEmpty ? "" : " in [\(name)]"
            report(
                "unknown key \(quoted(entry.key))\(place)", at: entry.keyPosition,
                hint: (near.map(quoted) ?? keyElsewhere(entry.key)).map { "did you mean \($0)?" })
        }
    }

    /// Where another table has a key of that very name; nil where none has.
    private func keyElsewhere(_ key: String) -> String? {
        guard !decoding.isFull,
            let section = SectionRows.all.first(where: { $0.rows.contains { $0.names.contains(key) } })
        else { return nil }
        return quoted(key) + (section.name.isEmpty ? " at the top level" : " in \(section.heading)")
    }
}

/// Where the other half of a contradiction stands.
func also(at position: Position?) -> String { position.map { ", first at \($0)" } ?? "" }
