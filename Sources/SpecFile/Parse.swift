import CTOML

/// Parses a text in the name of `file`.
package func parse(_ text: [UInt8], file: String) throws(Diagnostic) -> Node {
    let document = unsafe text.withUnsafeBytes { bytes in
        unsafe ctoml_parse(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    defer { unsafe ctoml_free(document) }
    return try unsafe root(of: document, file: file)
}

/// The tree of a parsed document, or its one error as a diagnostic.
private func root(of document: OpaquePointer, file: String) throws(Diagnostic) -> Node {
    var line: UInt32 = 0
    var column: UInt32 = 0
    if let message = unsafe ctoml_error(document, &line, &column) {
        throw Diagnostic(
            onOneLine(unsafe String(cString: message)), at: Position(file: file, line: Int(line), column: Int(column)))
    }
    var count = 0
    let first = unsafe ctoml_nodes(document, &count)
    var reader = unsafe NodeReader(nodes: UnsafeBufferPointer(start: first, count: count), file: file)
    return reader.node()
}

/// Walks the flat list of a document once; its depth is bounded by CTOML, and the counts in it are its own.
@safe private struct NodeReader {
    let nodes: UnsafeBufferPointer<ctoml_node>
    let file: String
    var next = 0

    init(nodes: UnsafeBufferPointer<ctoml_node>, file: String) {
        unsafe self.nodes = unsafe nodes
        self.file = file
    }

    /// The next value with all its children.
    mutating func node() -> Node {
        let raw = unsafe nodes[next]
        next += 1
        let place = unsafe position(raw.line, raw.column)
        switch unsafe Int(raw.kind) {
        case ctoml_table: return unsafe Node(.table(table(raw.children)), at: place)
        case ctoml_array: return unsafe Node(.array(array(raw.children)), at: place)
        case ctoml_string: return unsafe Node(.string(text(raw.text, raw.text_length)), at: place)
        case ctoml_integer: return unsafe Node(.integer(raw.integer), at: place)
        case ctoml_real: return unsafe Node(.float(raw.real), at: place)
        case ctoml_boolean: return unsafe Node(.boolean(raw.integer != 0), at: place)
        default: return Node(.date, at: place)
        }
    }

    private mutating func table(_ count: Int) -> Table {
        var entries: [Table.Entry] = []
        entries.reserveCapacity(count)
        for _ in 0..<count {
            let raw = unsafe nodes[next]
            let key = unsafe text(raw.key, raw.key_length)
            let place = unsafe position(raw.key_line, raw.key_column)
            entries.append(Table.Entry(key: key, keyPosition: place, node: node()))
        }
        return Table(entries)
    }

    private mutating func array(_ count: Int) -> [Node] {
        var elements: [Node] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(node()) }
        return elements
    }

    private func position(_ line: UInt32, _ column: UInt32) -> Position {
        Position(file: file, line: Int(line), column: Int(column))
    }

    private func text(_ bytes: UnsafePointer<CChar>?, _ length: Int) -> String {
        guard let bytes = unsafe bytes else { return "" }
        let raw = unsafe UnsafeRawBufferPointer(start: bytes, count: length)
        return unsafe String(decoding: raw, as: UTF8.self)
    }
}
