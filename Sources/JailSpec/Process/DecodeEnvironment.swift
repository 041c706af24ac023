import SpecFile

extension Section {
    /// `[environment]`.
    mutating func environment() -> EnvironmentRules {
        var result = EnvironmentRules()
        guard var section = section("environment") else { return result }
        result.defaults = section.value("defaults", Form.boolean) ?? result.defaults
        result.keep = section.list("keep", Form.environmentPattern)?.value ?? []
        result.unset = section.list("unset", Form.environmentPattern)?.value ?? []
        if result.keep.isEmpty, let first = result.unset.first {
            reportLack(
                "environment.unset: takes out of what keep lets through, and nothing is kept", at: first.position)
        }
        result.path = section.list("path", Form.searchDirectory)?.value ?? []
        // Every key of this table is known: it is whatever the user calls a variable.
        if let set = section.section("set") {
            for entry in set.table.entries {
                if let fault = Form.faultInVariable(entry.key) {
                    report("environment.set: \(fault)", at: entry.keyPosition)
                } else if let value = set.attempt(entry.node, entry.key, Form.environmentValue) {
                    result.set.append((entry.key, Located(value, at: entry.node.position)))
                }
            }
        }
        section.finish()
        return result
    }
}

extension Form {
    /// What is wrong with a variable's name: environ(7) splits at the first `=`.
    fileprivate static func faultInVariable(_ name: String) -> String? {
        if name.isEmpty { return "the name of a variable is empty" }
        guard name.utf8.contains(where: { $0 == UInt8(ascii: "=") || $0 == 0 }) else { return nil }
        return "\(quoted(name)) is not the name of a variable"
    }

    /// A directory of PATH, which a colon would end.
    fileprivate static func searchDirectory(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let path = try expandedPath(node, decoding)
        if path.utf8.contains(UInt8(ascii: ":")) { throw fault("\(quoted(path)) holds a colon", node) }
        return path
    }

    fileprivate static func environmentPattern(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let pattern = try nonEmpty(node, decoding)
        if let message = faultInVariable(pattern) { throw fault(message, node) }
        if pattern.utf8.dropLast().contains(UInt8(ascii: "*")) {
            throw fault("\(quoted(pattern)): a `*` may only stand at the end", node)
        }
        return pattern
    }

    fileprivate static func environmentValue(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        guard case .string = node.value else {
            throw fault("must be a string, not \(node.kind)", node, hint: "put it in quotes")
        }
        let value = try decoding.surroundings.expandValue(try text(node, decoding), at: node.position)
        // MAX_ARG_STRLEN, execve(2)
        if value.utf8.count >= 131_072 { throw fault("is longer than the 128 KiB that execve(2) takes", node) }
        return value
    }
}
