/// Follows `extends`. A file that is reached twice is merged once, where it was first reached, so that two bases may share
/// one of their own; that also bounds the work of a file that extends the same base a thousand times.
struct Loader {
    static let depthLimit = 16
    static let visitLimit = 256
    static let totalLimit = 4 << 20

    /// One step on the way down to a file, for cycles and for messages.
    struct Step {
        let path: String
        let identity: Identity
    }

    /// Device and inode: two names of one file are one file.
    struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64

        init(_ contents: FileContents) { (device, inode) = (contents.device, contents.inode) }
    }

    let surroundings: Surroundings
    private let read: FileReader
    private let translate: Translator?
    /// What is wrong with files that had to be translated.
    private(set) var faults: [Diagnostic] = []
    /// What is wrong with the files that others extend, each of which is left out then.
    private(set) var missing: [Diagnostic] = []
    private(set) var files: [SourceFile] = []
    private var done: [Identity] = []
    private var total = 0
    private var visits = 0

    init(surroundings: Surroundings, reading read: @escaping FileReader, translating translate: Translator?) {
        self.surroundings = surroundings
        self.read = read
        self.translate = translate
    }

    /// The table of that file with everything below it merged in.
    mutating func load(_ path: String, writtenAt position: Position?, below chain: [Step]) throws(Diagnostic) -> Table {
        try checkBounds(path, position, chain)
        visits += 1
        let contents = try readFile(path, "the spec", writtenAt: position, by: read)
        let identity = Identity(contents)
        if chain.contains(where: { $0.identity == identity }) {
            throw Diagnostic("`extends` goes round in a circle: \(words(chain, path))", at: position)
        }
        guard !done.contains(identity) else { return Table() }
        let root = try tree(contents, path)
        done.append(identity)
        files.append(SourceFile(path: path, contents))
        total += contents.bytes.count
        if total > Self.totalLimit {
            throw Diagnostic("the files extended hold more than \(Self.totalLimit >> 20) MiB", at: position)
        }
        guard case .table(var own) = root.value else { return Table() }
        let bases = own.remove("extends")
        let step = Step(path: path, identity: identity)
        do throws(Diagnostic) {
            return try merged(try baseEntries(bases), below: chain + [step]).merging(own, .appending)
        } catch {
            try miss(error)
            return own
        }
    }

    /// The files that the last of the chain extends, in one table.
    private mutating func merged(
        _ bases: [(path: String, position: Position)], below chain: [Step]
    ) throws(Diagnostic) -> Table {
        var result = Table()
        for base in bases {
            do throws(Diagnostic) {
                let path = try resolve(base.path, from: chain[chain.count - 1].path, at: base.position)
                let table = try load(path, writtenAt: base.position, below: chain)
                result = try result.merging(table, .appending)
            } catch {
                try miss(error)
            }
        }
        return result
    }

    /// Notes what is wrong with a file, without which the others are read on.
    private mutating func miss(_ fault: Diagnostic) throws(Diagnostic) {
        if isFull { throw fault }
        if !missing.contains(fault) { missing.append(fault) }
    }

    /// Whether no file more is read.
    private var isFull: Bool { visits >= Self.visitLimit || total > Self.totalLimit }

    private mutating func tree(_ contents: FileContents, _ path: String) throws(Diagnostic) -> Node {
        guard let translate, isJSON(contents.bytes) || path.hasSuffix(".json") else {
            return try parse(contents.bytes, file: path)
        }
        let translation = translate(contents.bytes, path)
        faults += translation.faults
        files += translation.files
        return Node(.table(translation.root), at: Position(file: path, line: 1, column: 1))
    }

    private func checkBounds(_ path: String, _ position: Position?, _ chain: [Step]) throws(Diagnostic) {
        if chain.count > Self.depthLimit {
            throw Diagnostic("`extends` is more than \(Self.depthLimit) deep: \(words(chain, path))", at: position)
        }
        if visits >= Self.visitLimit {
            throw Diagnostic("`extends` names more than \(Self.visitLimit) files in all", at: position)
        }
    }

    private func baseEntries(_ entry: Table.Entry?) throws(Diagnostic) -> [(path: String, position: Position)] {
        guard let entry else { return [] }
        guard case .array(let nodes) = entry.node.value else {
            throw Diagnostic(
                "extends: must be an array of strings, not \(entry.node.kind)", at: entry.node.position,
                hint: "write extends = [\"base.toml\"]")
        }
        var result: [(path: String, position: Position)] = []
        for node in nodes {
            guard case .string(let path) = node.value, !path.isEmpty, !path.utf8.contains(0) else {
                throw Diagnostic("extends: must hold paths, not \(node.kind)", at: node.position)
            }
            result.append((path, node.position))
        }
        return result
    }

    /// The path in the manner of the extending file's own: relative where that is relative, as messages show it.
    private func resolve(_ written: String, from file: String, at position: Position) throws(Diagnostic) -> String {
        let path = try surroundings.expand(written, at: position)
        guard path.utf8.first != UInt8(ascii: "/"), let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return path
        }
        return String(file[...slash]) + path
    }

    private func words(_ chain: [Step], _ path: String) -> String {
        (chain.map(\.path) + [path]).joined(separator: " → ")
    }
}
