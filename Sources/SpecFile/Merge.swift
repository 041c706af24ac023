/// How one table is laid over another.
package enum MergeRule: Sendable {
    /// `extends`: tables merge, arrays append, scalars replace; a table, an array and a scalar do not mix.
    case appending
    /// `--set`: tables merge, everything else replaces what stood there.
    case replacing
}

extension Table {
    /// This table with another laid over it.
    package func merging(_ over: Table, _ rule: MergeRule, below path: String = "") throws(Diagnostic) -> Table {
        if entries.isEmpty { return over }
        var result = self
        let place = places()
        for entry in over.entries {
            guard let index = place(entry.key) else {
                result.entries.append(entry)
                continue
            }
            let name = path.isEmpty ? entry.key : path + "." + entry.key
            let node = try result.entries[index].node.merging(entry.node, rule, name)
            result.entries[index] = Entry(key: entry.key, keyPosition: entry.keyPosition, node: node)
        }
        return result
    }

    /// Where each key stands; a table that no person wrote gets an index, as a search for each key would be quadratic.
    private func places() -> (String) -> Int? {
        guard entries.count > 64 else { return { key in entries.firstIndex { $0.key == key } } }
        var index: [String: Int] = [:]
        for (place, entry) in entries.enumerated() { index[entry.key] = place }
        return { index[$0] }
    }

    /// Takes an entry out.
    mutating func remove(_ key: String) -> Entry? {
        guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
        return entries.remove(at: index)
    }
}

extension Node {
    fileprivate func merging(_ over: Node, _ rule: MergeRule, _ name: String) throws(Diagnostic) -> Node {
        switch (value, over.value, rule) {
        case (.table(let base), .table(let table), _):
            return Node(.table(try base.merging(table, rule, below: name)), at: over.position)
        case (_, _, .replacing): return over
        case (.array(let base), .array(let elements), _): return Node(.array(base + elements), at: over.position)
        case (.table, _, _), (.array, _, _), (_, .table, _), (_, .array, _):
            throw Diagnostic("\(name): \(over.kind) here, but \(kind) at \(position)", at: over.position)
        default: return over
        }
    }
}
