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
    /// Whether the jail's command is the host's root: it uses files that only root may.
    package let isRoots: Bool
    /// Lines that open more than they seem to, each with why.
    package let openings: [String]
    /// Why the jail has the host's whole network; nil where it has not.
    package let sharedNetwork: String?

    package init(_ records: [AccessRecord], _ context: LearnContext) {
        let general = Generaliser(records, context)
        var tree = LearnedTree()
        tree.begin(context)
        let identity = LearnedIdentity(records, general.grants, context)
        isRoots = identity.user == 0
        tree.add(general.grants, sparing: isRoots ? context.spec : nil)
        tree.finish(records, identity)
        let network = LearnedNetwork(records, context)
        if case .host(let reason) = network.mode { sharedNetwork = reason } else { sharedNetwork = nil }
        tree.add(network)
        openings = network.openings
        if context.isTight { tree.add(TightRules(records, general.grants, context)) }
        root = tree.root
        let unwritable = general.grants.filter { CarriedByte.isIn($0.path) }.map {
            "uses \($0.path), which is not text"
        }
        let untold = general.untold + unwritable + identity.untold + network.untold
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

    /// `spec` is what the command must not write, where it could as root.
    mutating func add(_ grants: [Grant], sparing spec: String?) {
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
        if let spec, !CarriedByte.isIn(spec), grants.contains(where: { $0.isWritable && isWithin(spec, $0.path) }) {
            let reason = "the next launch goes by this file, which the command could write as root"
            if isShort(spec) {
                lists[0].nodes.append(node(.string(literal(spec)), reason))
            } else {
                mounts.append(mount(Grant(path: spec, kind: .readOnly, reason: reason)))
            }
        }
        let entries = lists.filter { !$0.nodes.isEmpty }.map { entry($0.key, node(.array($0.nodes))) }
        if !entries.isEmpty { root.entries.append(entry("filesystem", .table(Table(entries)))) }
        if !mounts.isEmpty { root.entries.append(entry("mount", .array(mounts))) }
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

    mutating func finish(_ records: [AccessRecord], _ identity: LearnedIdentity) {
        if let user = identity.user {
            let user = entry("user", node(.integer(Int64(user)), identity.reason))
            root.entries.append(entry("identity", .table(Table([user]))))
        }
        let kept = Set(records.filter { $0.act == .variable }.map(\.path)).sorted()
        if !kept.isEmpty {
            let nodes = kept.map { name in
                node(.string(name), records.first { $0.act == .variable && $0.path == name }?.detail)
            }
            root.entries.append(entry("environment", .table(Table([entry("keep", node(.array(nodes)))]))))
        }
    }

    mutating func add(_ network: LearnedNetwork) {
        switch network.mode {
        case .none: break
        case .host(let reason):
            root.entries.append(entry("network", .table(Table([entry("mode", node(.string("host"), reason))]))))
        case .user(let destinations):
            let allowed = destinations.map { node(.string($0.text), $0.reason) }
            let entries = [entry("mode", .string("user")), entry("allow", node(.array(allowed)))]
            root.entries.append(entry("network", .table(Table(entries))))
        }
    }

    mutating func add(_ rules: TightRules) {
        var entries: [Table.Entry] = []
        for list in TightRules.List.allCases {
            let paths = (rules.lists[list] ?? []).filter { !CarriedByte.isIn($0.path) }
            if paths.isEmpty { continue }
            entries.append(entry(list.rawValue, node(.array(paths.map { node(.string(literal($0.path)), $0.reason) }))))
        }
        root.entries.append(entry("landlock", .table(Table(entries))))
    }
}
