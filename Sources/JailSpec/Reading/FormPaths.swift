import SpecFile

extension Form {
    /// A path inside the jail: absolute, cleaned, and without `..`, which could lead out of what the line seems to name.
    static func jailPath(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        try jailPath(try nonEmpty(node, decoding), node)
    }

    /// `expands` says that `${PWD}` is read where the path is written.
    static func jailPath(_ written: String, _ node: Node, expands: Bool = false) throws(Diagnostic) -> String {
        guard written.utf8.first == UInt8(ascii: "/") else { throw notAbsolute(written, node, expands: expands) }
        if written.utf8.contains(0) { throw fault("\(quoted(written)) holds a NUL byte", node) }
        if hasDotDot(written) { throw fault("\(quoted(written)) holds `..`", node, hint: "write the path out") }
        let path = cleaned(written)
        try checkLength(of: path, at: node.position)
        return path
    }

    private static func notAbsolute(_ written: String, _ node: Node, expands: Bool) -> Diagnostic {
        var rest = written
        while rest.hasPrefix("./") { rest = String(rest.dropFirst(2)) }
        let below = rest == "." || rest.isEmpty ? "" : "/" + rest
        return fault(
            "\(quoted(written)) is not an absolute path", node,
            hint: expands ? "paths of the jail begin with /; below the current directory: \"${PWD}\(below)\"" : nil)
    }

    /// A place to mount on: any path of the jail but its root.
    static func target(_ written: String, _ node: Node) throws(Diagnostic) -> String {
        let path = try jailPath(written, node, expands: true)
        if path == "/" {
            throw fault("nothing can be mounted on \"/\"", node, hint: "filesystem.root says what the root is")
        }
        return path
    }

    /// A path of the host: absolute, expanded, cleaned; `..` stays.
    static func hostPath(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        try decoding.surroundings.hostPath(try nonEmpty(node, decoding), at: node.position)
    }

    /// A path of the jail that people write as on the host: `~` and `${VAR}` expand.
    static func expandedTarget(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        try target(try decoding.surroundings.expand(try nonEmpty(node, decoding), at: node.position), node)
    }

    /// The same for any path: where the jail has the host's tree, its paths are the host's.
    static func expandedPath(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        try jailPath(
            try decoding.surroundings.expand(try nonEmpty(node, decoding), at: node.position), node, expands: true)
    }

    /// A path of the jail that is to be hidden, or a pattern of such paths.
    static func hidden(_ node: Node, _ decoding: Decoding) throws(Diagnostic) -> (path: String, isPattern: Bool) {
        let written = try nonEmpty(node, decoding)
        guard PathPattern.isWritten(written) else { return (try expandedTarget(node, decoding), false) }
        guard let first = written.utf8.first, [UInt8(ascii: "/"), UInt8(ascii: "~"), UInt8(ascii: "$")].contains(first)
        else { throw notAbsolute(written, node, expands: true) }
        return (try pattern(written, node, decoding), true)
    }

    private static func pattern(_ written: String, _ node: Node, _ decoding: Decoding) throws(Diagnostic) -> String {
        let pattern = try decoding.surroundings.hostPattern(written, at: node.position)
        if hasDotDot(pattern) { throw fault("\(quoted(written)) holds `..`", node) }
        return pattern
    }

    /// `"source"` or `"source:target"`, or a pattern of sources.
    static func bind(_ node: Node, _ decoding: Decoding) throws(Diagnostic)
        -> (source: String, target: String, isPattern: Bool)
    {
        let written = try nonEmpty(node, decoding)
        let parts = written.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard parts.count <= 2 else {
            throw fault(
                "\(quoted(written)) has more than one colon", node, hint: "write a [[mount]] with source and target")
        }
        if parts.contains("") { throw fault("\(quoted(written)) has an empty path beside its colon", node) }
        if PathPattern.isWritten(parts[0]) {
            guard parts.count == 1 else {
                throw fault("\(quoted(written)): what a pattern matches has no one target", node)
            }
            let pattern = try pattern(written, node, decoding)
            return (pattern, pattern, true)
        }
        let source = try decoding.surroundings.hostPath(parts[0], at: node.position)
        if parts.count == 2 {
            return (source, try target(try decoding.surroundings.expand(parts[1], at: node.position), node), false)
        }
        if hasDotDot(source) {
            throw fault("\(quoted(written)) holds `..`", node, hint: "write \"source:target\"")
        }
        if source == "/" {
            throw fault(
                "nothing can be mounted on \"/\"", node, hint: "filesystem.root = \"host\" shows the whole host")
        }
        return (source, source, false)
    }

    private static func hasDotDot(_ path: String) -> Bool {
        path == ".." || path.hasPrefix("../") || path.hasSuffix("/..") || holds(path, "/../")
    }

    private static func holds(_ path: String, _ part: String) -> Bool {
        var rest = path.utf8[...]
        while let slash = rest.firstIndex(of: UInt8(ascii: "/")) {
            if rest[slash...].starts(with: part.utf8) { return true }
            rest = rest[rest.index(after: slash)...]
        }
        return false
    }

    /// Whether a word that is also an enumeration's is rather a path: only what is written as one.
    static func looksLikePath(_ text: String) -> Bool {
        text.utf8.contains(UInt8(ascii: "/")) || text.hasPrefix("~") || text.hasPrefix("$") || text == "."
            || text == ".."
    }
}
