import JailSpec
import LinuxFacts
package import SpecFile

/// What was learned of a command: a spec with the reason of each line, and what no line says.
package struct LearnedSpec: Sendable {
    /// The tree, as reading the text gives it but for the places.
    package let root: Table
    package let text: String
    /// What the command did that the jail will not let it, or does not show.
    package let untold: [String]
    /// Whether the jail's command is the host's root: it writes files of root's.
    package let isRoots: Bool

    package init(_ records: [AccessRecord], _ context: LearnContext) {
        let general = Generaliser(records, context)
        var tree = LearnedTree()
        tree.begin(context)
        let isWritable = tree.add(general.grants)
        tree.finish(records, context, isWritable: isWritable)
        isRoots = context.isRoot && isWritable
        root = tree.root
        let unwritable = general.grants.filter { CarriedByte.isIn($0.path) }.map {
            "uses \($0.path), which is not text"
        }
        let untold = general.untold + unwritable + LearnedNetwork(records).untold
        self.untold = untold
        let reasons = tree.reasons
        text = TreeWriter.text(
            of: root,
            header: [Self.title]
                + (untold.isEmpty ? [] : ["", "Not in this spec: the command"] + untold.map { "  " + $0 })
                + [""]
        ) { reasons[$0.line] }
    }

    /// The first line of every spec that was learned.
    package static let title = "Made by: immure learn"
}

/// The tree of a learned spec in the making: every value has a line of its own, by which its reason is found.
private struct LearnedTree {
    var root = Table()
    private(set) var reasons: [Int: String] = [:]
    private var line = 0

    private mutating func node(_ value: Node.Value, _ reason: String? = nil) -> Node {
        line += 1
        if let reason { reasons[line] = reason }
        return Node(value, at: Position(file: "learn", line: line, column: 1))
    }

    private mutating func entry(_ key: String, _ node: Node) -> Table.Entry {
        Table.Entry(key: key, keyPosition: node.position, node: node)
    }

    private mutating func entry(_ key: String, _ value: Node.Value) -> Table.Entry { entry(key, node(value)) }

    private mutating func strings(_ words: [String]) -> Node.Value {
        let place = Position(file: "learn", line: 0, column: 1)
        return .array(words.map { Node(.string($0), at: place) })
    }

    mutating func begin(_ context: LearnContext) {
        if let base = context.base {
            root.entries.append(entry("extends", strings([base])))
        } else {
            root.entries.append(entry("command", strings(context.command)))
        }
        if context.current != "/" { root.entries.append(entry("cwd", .string(literal(context.current)))) }
    }

    /// Whether one of the grants can be written to is the answer.
    mutating func add(_ grants: [Grant]) -> Bool {
        var lists: [(key: String, nodes: [Node])] = [("ro", []), ("rw", []), ("devices", [])]
        var mounts: [Node] = []
        for grant in grants where !CarriedByte.isIn(grant.path) {
            let short = isShort(grant.path)
            switch grant.kind {
            case .readOnly where short: lists[0].nodes.append(node(.string(literal(grant.path)), grant.reason))
            case .writable where short: lists[1].nodes.append(node(.string(literal(grant.path)), grant.reason))
            case .device where short: lists[2].nodes.append(node(.string(literal(grant.path)), grant.reason))
            default: mounts.append(mount(grant))
            }
        }
        let entries = lists.filter { !$0.nodes.isEmpty }.map { entry($0.key, node(.array($0.nodes))) }
        if !entries.isEmpty { root.entries.append(entry("filesystem", .table(Table(entries)))) }
        if !mounts.isEmpty { root.entries.append(entry("mount", .array(mounts))) }
        return grants.contains(where: \.isWritable)
    }

    /// Whether the short form takes it as it stands: a colon parts it, and some characters make it a pattern.
    private func isShort(_ path: String) -> Bool {
        !path.unicodeScalars.contains { [":", "*", "?", "[", "\\"].contains($0) }
    }

    private mutating func mount(_ grant: Grant) -> Node {
        let path = literal(grant.path)
        var entries = [entry("target", .string(path))]
        switch grant.kind {
        case .readOnly: entries += [entry("source", .string(path)), entry("options", strings(["ro"]))]
        case .writable: entries.append(entry("source", .string(path)))
        case .device: entries += [entry("source", .string(path)), entry("options", strings(["dev"]))]
        case .created(let isDirectory):
            entries += [
                entry("source", .string(path)), entry("create", isDirectory ? .boolean(true) : .string("file")),
            ]
        case .empty: entries.append(entry("type", .string("dir")))
        case .link(let to): entries += [entry("type", .string("symlink")), entry("to", .string(to))]
        }
        return node(.table(Table(entries)), grant.reason)
    }

    mutating func finish(_ records: [AccessRecord], _ context: LearnContext, isWritable: Bool) {
        if context.isRoot, isWritable {
            let user = entry("user", node(.integer(0), "root's files are written"))
            root.entries.append(entry("identity", .table(Table([user]))))
        }
        let kept = Set(records.filter { $0.act == .variable }.map(\.path)).sorted()
        if !kept.isEmpty {
            let nodes = kept.map { name in
                node(.string(name), records.first { $0.act == .variable && $0.path == name }?.detail)
            }
            root.entries.append(entry("environment", .table(Table([entry("keep", node(.array(nodes)))]))))
        }
        if let reason = LearnedNetwork(records).reason {
            root.entries.append(entry("network", .table(Table([entry("mode", node(.string("host"), reason))]))))
        }
    }
}

/// What the records say of the network.
struct LearnedNetwork {
    private let wanted: [AccessRecord]
    private let ports: [String]

    init(_ records: [AccessRecord]) {
        let own = Set(records.filter { $0.act == .listen }.map { Self.key($0) })
        let hasAnyPort = records.contains { $0.act == .listen && $0.path.hasSuffix(":0") }
        let connects = records.filter { $0.act == .connect && !$0.path.hasPrefix("/") }
        wanted = connects.filter { record in
            if own.contains(Self.key(record)) && Self.isLocal(record) { return false }
            // A port of the kernel's choice may be that of a socket of its own.
            return !(hasAnyPort && Self.isLocal(record) && Self.port(record) >= 32_768)
        }
        let used = Set(connects.map { Self.key($0) })
        ports = records.filter { $0.act == .listen && $0.detail != "unix" && !used.contains(Self.key($0)) }.map(\.path)
    }

    /// Why the host's network is needed; nil where it is not.
    var reason: String? {
        guard !wanted.isEmpty else { return nil }
        let named = wanted.prefix(4).map(\.path).joined(separator: ", ")
        return "connects to \(named)" + (wanted.count > 4 ? " and \(wanted.count - 4) more" : "")
    }

    var untold: [String] {
        reason == nil
            ? ports.filter { !$0.hasSuffix(":0") }.map { "listens at \($0): only the jail itself reaches it" } : []
    }

    /// An address of this machine's own, which sockets of the jail's own network have, too.
    private static func isLocal(_ record: AccessRecord) -> Bool {
        record.path.hasPrefix("127.") || record.path.hasPrefix("[::1]") || record.path.hasPrefix("@")
            || record.path.hasPrefix("0.0.0.0:") || record.path.hasPrefix("[::]")
    }

    private static func key(_ record: AccessRecord) -> String {
        record.detail == "unix" ? record.path : "\(port(record))"
    }

    private static func port(_ record: AccessRecord) -> Int {
        record.path.lastIndex(of: ":").flatMap { Int(record.path[record.path.index(after: $0)...]) } ?? 0
    }
}
