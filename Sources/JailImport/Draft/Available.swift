import JailSpec
import SpecFile

/// What a spec of this version can say: asked of the decoder itself, so that a key that comes is used at once.
enum Available {
    /// Whether a root of that kind can be written to.
    static func writable(_ root: String) -> Bool {
        accepts(["filesystem"], [("root", .string(root)), ("writable", .boolean(true))])
    }

    /// Whether the key takes that value.
    static func takes(_ path: String, _ value: Node.Value) -> Bool {
        let parts = path.split(separator: ".").map(String.init)
        return accepts(parts.dropLast(), [(parts[parts.count - 1], value)])
    }

    /// Whether a network of the jail's own publishes a port so.
    static func publishes(_ port: String) -> Bool {
        accepts(["network"], [("mode", .string("user")), ("publish", .strings([port]))])
    }

    /// Whether a mount may have that key beside a target.
    static func mount(_ pairs: [(String, Node.Value)]) -> Bool {
        let table = table([("target", .string("/x"))] + pairs)
        return accepts([], [("mount", .array([Node(.table(table), at: nowhere)]))])
    }

    private static let nowhere = Position(file: "", line: 0, column: 0)

    private static func table(_ pairs: [(String, Node.Value)]) -> Table {
        Table(pairs.map { Table.Entry(key: $0, keyPosition: nowhere, node: Node($1, at: nowhere)) })
    }

    private static func accepts(_ path: [String], _ pairs: [(String, Node.Value)]) -> Bool {
        var root = table(pairs)
        for key in path.reversed() { root = table([(key, .table(root))]) }
        let anywhere = Surroundings(variable: { _ in "/nowhere" }, home: "/nowhere", currentDirectory: "/nowhere")
        return Spec.decode(Document(root: root, files: []), in: anywhere).diagnostics.isEmpty
    }
}

/// Values of trees in fewer words.
extension Node.Value {
    static func strings(_ list: [String]) -> Self {
        let nowhere = Position(file: "", line: 0, column: 0)
        return .array(list.map { Node(.string($0), at: nowhere) })
    }
}
