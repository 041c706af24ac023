/// The table that one argument of `--set`, `key.path=value`, stands for; `name` is which of several.
package func parseOverride(_ text: String, named name: String = "--set") throws(Diagnostic) -> Table {
    let start = Position(file: name, line: 1, column: 1)
    guard let equals = equalsSign(in: text) else {
        throw Diagnostic("\(quoted(text)) has no `=`", at: start, hint: "write --set key.path=value")
    }
    let key = text[..<equals]
    let depth = try keyParts(String(key), of: text, at: start)
    let root: Node
    do throws(Diagnostic) {
        root = try parse(Array(text.utf8), file: name)
    } catch {
        throw Diagnostic("\(quoted(text)): \(error.message)", at: error.position, hint: hint(key, text[equals...]))
    }
    guard case .table(let table) = root.value, holdsOneKey(table, depth) else {
        throw Diagnostic("\(quoted(text)) sets more than one key", at: start, hint: "write one --set for each")
    }
    guard table.entries[0].key != "extends" else {
        throw Diagnostic("extends: is for spec files, not for --set", at: start)
    }
    return table
}

/// The place of the first `=` outside of a quoted part of the key.
private func equalsSign(in text: String) -> String.Index? {
    var quote: UInt8?
    var escaped = false
    for index in text.utf8.indices {
        let byte = text.utf8[index]
        if let open = quote {
            if escaped {
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = open == UInt8(ascii: "\"")
            } else if byte == open {
                quote = nil
            }
        } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
            quote = byte
        } else if byte == UInt8(ascii: "=") {
            return index
        }
    }
    return nil
}

/// How many parts the key has.
private func keyParts(_ key: String, of text: String, at start: Position) throws(Diagnostic) -> Int {
    let fault: Diagnostic
    do throws(Diagnostic) {
        if key.utf8.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            throw Diagnostic("a line break in the key", at: nil)
        }
        var node = try parse(Array((key + "=0").utf8), file: start.file)
        var depth = 0
        while case .table(let table) = node.value, let entry = table.entries.first {
            node = entry.node
            depth += 1
        }
        return depth
    } catch {
        fault = error
    }
    throw Diagnostic(
        "\(quoted(text)): not a key: \(fault.message)", at: start,
        hint: "write --set key.path=value")
}

/// Whether nothing but that one key is set: a value may not smuggle in a second line.
private func holdsOneKey(_ table: Table, _ depth: Int) -> Bool {
    var table = table
    for level in 1...max(depth, 1) {
        guard table.entries.count == 1 else { return false }
        if level == depth { return true }
        guard case .table(let next) = table.entries[0].node.value else { return false }
        table = next
    }
    return false
}

/// A shell takes the quotes away that TOML wants: the fault that nearly everyone meets first.
private func hint(_ key: Substring, _ value: Substring) -> String? {
    let bare = value.dropFirst()
    switch bare.utf8.first {
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "["), UInt8(ascii: "{"): return "the value is read as TOML"
    default:
        return
            "a string needs its quotes, and a list brackets besides: --set '\(key)=\"\(bare)\"', or --set '\(key)=[\"\(bare)\"]'"
    }
}
