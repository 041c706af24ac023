import JailSpec
package import SpecFile

/// A spec that is being imported: its tree, where each value is from, and what is said of what has no line.
///
/// Every directive that is read must end here in some way, and `finish` says which did not.
package struct Draft: Sendable {
    /// The tree, as reading the written spec would give it but for the places.
    package private(set) var root = Table()
    package private(set) var notes: [ImportNote] = []
    /// What is wrong with the configuration itself: there is no spec then.
    package private(set) var faults: [Diagnostic] = []
    /// The directives that have set something.
    private var setters: [Directive] = []
    private var read: [Directive] = []
    private var accounted = FewPlaces()
    /// Whether there were more directives than are taken: nothing more is to be read.
    private(set) var isOver = false
    /// Those that another note counts.
    private var counted: Set<Position> = []
    private var partReasons: [Position: String] = [:]

    package init() {}

    /// The directive that a value without one of its own comes from: what the tool does unless told otherwise.
    static func standard(_ tool: String, _ words: String) -> Directive {
        Directive(words, at: Position(file: tool, line: 0, column: counter(words)))
    }

    /// A place of its own for each of them.
    private static func counter(_ words: String) -> Int {
        words.utf8.reduce(5381) { ($0 &* 33 &+ Int($1)) & 0xFFFF_FFFF }
    }

    /// The directive of each place that a value of the tree has.
    package var origins: [Position: Directive] {
        var result: [Position: Directive] = [:]
        for directive in setters { result[directive.position] = directive }
        return result
    }

    // MARK: What is said

    /// Takes note that a directive was read: from now on it must become something.
    mutating func take(_ directive: Directive) {
        if read.count < Self.limit { return read.append(directive) }
        if !isOver { fail("more than \(Self.limit) directives", directive) }
        isOver = true
    }

    /// More than any configuration has. What is written is held against what is there already, and files that include others can
    /// name a few of them a million times.
    private static let limit = 10_000

    private mutating func note(
        _ kind: ImportNote.Kind, _ directive: Directive, _ reason: String, _ claim: Claim = .nothing
    ) {
        accounted.insert(directive.position)
        let note = ImportNote(kind, directive, reason, claim)
        if !notes.contains(note) { notes.append(note) }
    }

    /// It has a line, and the line does not mean quite the same.
    mutating func warn(_ reason: String, _ directive: Directive) { note(.warning, directive, reason) }
    /// It has no line; whether what is lost restricted the program.
    mutating func lose(_ reason: String, restricts: Bool = false, _ directive: Directive) {
        note(restricts ? .lostRestriction : .lost, directive, reason)
    }
    /// It holds in every jail that does not say otherwise: `finish` asks the spec whether this one does.
    mutating func isInForce(_ claim: Claim, _ reason: String, _ directive: Directive) {
        note(.inForce, directive, reason, claim)
    }
    mutating func isInForce(_ claim: Claim, _ directive: Directive) { isInForce(claim, "", directive) }
    /// It is not about the jail.
    mutating func isOutside(_ reason: String = "", _ directive: Directive) { note(.outside, directive, reason) }

    /// Whether it has become something.
    func accounts(for directive: Directive) -> Bool { accounted.contains(directive.position) }

    /// It is one of several that a line is made of, or it changes none; where nothing else is said of it, that is.
    mutating func isPart(_ directive: Directive, _ reason: String? = nil) {
        accounted.insert(directive.position)
        if let reason { partReasons[directive.position] = reason }
    }

    /// A note of its own says how many there are of its kind.
    mutating func isCounted(_ directive: Directive) {
        accounted.insert(directive.position)
        counted.insert(directive.position)
    }

    mutating func fail(_ message: String, _ directive: Directive, hint: String? = nil) {
        fail(message, at: directive.position, hint: hint)
    }
    mutating func fail(_ message: String, at position: Position?, hint: String? = nil) {
        if let position { accounted.insert(position) }
        faults.append(Diagnostic(message, at: position, hint: hint))
    }
    mutating func fail(_ diagnostic: Diagnostic) {
        fail(diagnostic.message, at: diagnostic.position, hint: diagnostic.hint)
    }

    // MARK: Lines

    /// Gives a key, by its dotted path, a value; what was there goes.
    mutating func set(_ path: String, _ value: Node.Value, _ directive: Directive) {
        change(path, directive) { node in node = Node(value, at: directive.position) }
    }

    /// Adds to a list.
    mutating func append(_ path: String, _ values: [Node.Value], _ directive: Directive) {
        change(path, directive) { node in
            var list: [Node] = []
            if case .array(let before)? = node?.value { list = before }
            for value in values where !list.contains(where: { $0.value == value }) {
                list.append(Node(value, at: directive.position))
            }
            node = Node(.array(list), at: node?.position ?? directive.position)
        }
    }
    mutating func append(_ path: String, _ value: String, _ directive: Directive) {
        append(path, [.string(value)], directive)
    }

    /// Shows or hides a path that is meant literally: `key` is `ro`, `rw` or `hide`.
    ///
    /// In the short form it would be a pattern where it has a `*`, and two paths where it has a colon.
    mutating func place(_ key: String, _ source: String, on target: String? = nil, _ directive: Directive) {
        let target = target ?? source
        if !(source + target).utf8.contains(where: { ":*?[".utf8.contains($0) }) {
            return append("filesystem.\(key)", source == target ? source : "\(source):\(target)", directive)
        }
        var pairs: [(String, Node.Value)] = [("target", .string(target))]
        pairs.append(key == "hide" ? ("type", .string("hide")) : ("source", .string(source)))
        if key == "ro" { pairs.append(("options", .strings(["ro"]))) }
        add("mount", pairs, directive)
    }

    /// Adds a table to an array of tables, unless it is there; `isNew` where that is known, of hundreds.
    mutating func add(
        _ path: String, _ pairs: [(String, Node.Value)], isNew: Bool = false, _ directive: Directive
    ) {
        let entries = pairs.map { key, value in
            Table.Entry(key: key, keyPosition: directive.position, node: Node(value, at: directive.position))
        }
        change(path, directive) { node in
            var list: [Node] = []
            if case .array(let before)? = node?.value { list = before }
            let table = Node(.table(Table(entries)), at: directive.position)
            if isNew || !list.contains(where: { $0.value == table.value }) { list.append(table) }
            node = Node(.array(list), at: node?.position ?? directive.position)
        }
    }

    /// Takes a key away.
    mutating func remove(_ path: String) {
        root.change(pathParts(path)[...], at: nil) { $0 = nil }
    }

    /// Whether a key has a value.
    func has(_ path: String) -> Bool { value(path) != nil }

    func value(_ path: String) -> Node? {
        var table = root
        let parts = pathParts(path)
        for part in parts.dropLast() {
            guard case .table(let next)? = table[part]?.node.value else { return nil }
            table = next
        }
        return parts.last.flatMap { table[$0]?.node }
    }

    /// Whether the command may have that capability.
    func keeps(_ capability: String) -> Bool {
        for key in ["keep", "permitted", "effective", "bounding"] {
            guard case .array(let list)? = value("capabilities.\(key)")?.value else { continue }
            if list.contains(where: { $0.value == .string(capability) }) { return true }
        }
        return false
    }

    /// Sets a variable, whose name may have dots.
    mutating func setVariable(_ name: String, _ value: String, _ directive: Directive) {
        change(["environment", "set", name], directive) { $0 = Node(.string(value), at: directive.position) }
    }
    mutating func removeVariable(_ name: String) {
        root.change(["environment", "set", name], at: nil) { $0 = nil }
    }

    private mutating func change(_ path: String, _ directive: Directive, _ work: (inout Node?) -> Void) {
        change(pathParts(path)[...], directive, work)
    }

    private mutating func change(_ path: ArraySlice<String>, _ directive: Directive, _ work: (inout Node?) -> Void) {
        accounted.insert(directive.position)
        setters.append(directive)
        root.change(path, at: directive.position, work)
    }
}

extension Draft {
    /// Says what was read and forgotten, and whether what is there decodes: a spec that is printed passes `check`.
    mutating func finish(decodes: Bool = true) {
        if isOver { return }
        for directive in read where !accounted.contains(directive.position) {
            fail("\(quoted(directive.words)) is not understood", directive)
        }
        if faults.isEmpty, decodes {
            examine()
            nameParts()
        }
    }

    /// Nothing that was read is without a word: what has no line and no note was part of another.
    private mutating func nameParts() {
        var told = Set(notes.map(\.directive.position)).union(counted).union(positionsOfLines)
        for directive in read where told.insert(directive.position).inserted {
            let reason = partReasons[directive.position] ?? "part of other lines"
            notes.append(ImportNote(.part, directive, reason))
        }
    }

    /// The places of directives that have a line in the tree.
    var positionsOfLines: Set<Position> {
        var result: Set<Position> = []
        func visit(_ node: Node) {
            result.insert(node.position)
            switch node.value {
            case .table(let table): for entry in table.entries { visit(entry.node) }
            case .array(let list): for item in list { visit(item) }
            default: break
            }
        }
        for entry in root.entries { visit(entry.node) }
        return result
    }

    /// Holds what was said to be in force against the spec: what is not, is lost.
    private mutating func examine() {
        let (spec, faults) = decoded
        for fault in faults { fail(fault) }
        let origins = origins
        for node in texts {
            // A path with another byte would be another path, and what hides it would hide nothing.
            fail("\(origins[node.position].map { "\($0.words): " } ?? "")not UTF-8", at: node.position)
        }
        guard self.faults.isEmpty else { return }
        let tree = SeenTree(spec)
        notes = notes.map { note in
            let fault = note.claim.fault(in: tree, home: Self.anywhere.home ?? "/", variable: Self.anywhere.variable)
            return fault.map { ImportNote(.lostRestriction, note.directive, $0) } ?? note
        }
    }

    /// Nothing of it lies in another part of it.
    private static let anywhere = Surroundings(
        variable: { "/nowhere/\($0)" }, home: "/nowhere/HOME", currentDirectory: "/nowhere/PWD")

    /// What does not decode, with the words of the directive that it comes from.
    package var undecodable: [Diagnostic] { decoded.faults }

    private var decoded: (spec: Spec, faults: [Diagnostic]) {
        let result = Spec.decode(document, in: Self.anywhere)
        if result.diagnostics.isEmpty { return (result.spec, []) }
        let origins = origins
        let faults = result.diagnostics.map { fault in
            let words = fault.position.flatMap { origins[$0]?.words }
            return Diagnostic(
                words.map { "\($0): \(fault.message)" } ?? fault.message, at: fault.position, hint: fault.hint)
        }
        return (result.spec, faults)
    }

    /// Whether something that restricts was lost.
    package var hasLostRestrictions: Bool { notes.contains { $0.kind == .lostRestriction } }

    package var document: Document { Document(root: root, files: []) }
}

extension Table {
    /// Changes what stands at a path, making the tables on the way; those that are empty afterwards go.
    fileprivate mutating func change(_ path: ArraySlice<String>, at position: Position?, _ work: (inout Node?) -> Void)
    {
        guard let key = path.first else { return }
        let index = entries.firstIndex { $0.key == key }
        var node = index.map { entries[$0].node }
        if path.count == 1 {
            work(&node)
        } else {
            var table = Table()
            if case .table(let inner)? = node?.value { table = inner }
            table.change(path.dropFirst(), at: position, work)
            let place = node?.position ?? position ?? Position(file: "", line: 0, column: 0)
            node = table.entries.isEmpty ? nil : Node(.table(table), at: place)
        }
        if let index {
            if let node { entries[index].node = node } else { entries.remove(at: index) }
        } else if let node {
            entries.append(Entry(key: key, keyPosition: node.position, node: node))
        }
    }
}
