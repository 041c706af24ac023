import SpecFile

extension Section {
    /// `[namespaces]`, with `time` as a word, a path, or a table of offsets.
    mutating func namespaces() -> Namespaces {
        var result = Namespaces()
        guard var section = section("namespaces") else { return result }
        for kind in NamespaceKind.allCases {
            let key = kind.rawValue
            if kind == .time, case .table? = section.table[key]?.node.value {
                section.offsets(into: &result)
            } else if let choice = section.value(key, Form.namespace) {
                result.written[kind] = choice
            }
        }
        result.nested = section.value("nested", Form.boolean) ?? result.nested
        section.finish()
        return result
    }

    private mutating func offsets(into result: inout Namespaces) {
        guard var time = section("time") else { return }
        result.monotonic = time.value("monotonic", Form.offset)
        result.boottime = time.value("boottime", Form.offset)
        time.finish()
    }
}

extension Form {
    fileprivate static func namespace(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> Namespaces.Choice {
        let written = try nonEmpty(node, decoding)
        if written == "new" { return .new }
        if written == "host" { return .host }
        if looksLikePath(written) { return .path(try hostPath(node, decoding)) }
        let unknown = unknown(written, of: ["new", "host"], node)
        throw fault(unknown.message, node, hint: "\(unknown.hint ?? ""), or the path of a namespace file")
    }
}
