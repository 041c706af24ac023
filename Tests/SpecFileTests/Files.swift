import SpecFile
import Testing

/// Files that are only in memory, in one directory.
final class Files {
    let path = "/specs"
    private var contents: [(path: String, bytes: [UInt8])] = []

    /// Writes a file and gives its path.
    @discardableResult func write(_ name: String, _ bytes: [UInt8]) -> String {
        let file = "\(path)/\(name)"
        if let index = contents.firstIndex(where: { $0.path == file }) {
            contents[index].bytes = bytes
        } else {
            contents.append((file, bytes))
        }
        return file
    }

    @discardableResult func write(_ name: String, _ text: String) -> String { write(name, Array(text.utf8)) }

    /// What the reader of a launch says of them.
    func read(_ path: String) throws(Diagnostic) -> FileContents {
        guard let index = contents.firstIndex(where: { $0.path == cleaned(path) }) else {
            throw Diagnostic("ENOENT no such file or directory", at: nil)
        }
        return FileContents(
            bytes: contents[index].bytes, owner: 1000, mode: 0o644, isSymlink: false, device: 1, inode: UInt64(index))
    }

    func load(_ path: String?, overrides: [String] = []) throws(Rejection) -> Document {
        try Document.load(path: path, overrides: overrides, in: surroundings, reading: read)
    }

    /// The one diagnostic of a load that must fail.
    func failure(
        _ path: String?, overrides: [String] = [], _ place: SourceLocation = #_sourceLocation
    ) -> Diagnostic? {
        do throws(Rejection) {
            _ = try load(path, overrides: overrides)
            Issue.record("no error", sourceLocation: place)
            return nil
        } catch {
            #expect(error.diagnostics.count == 1, sourceLocation: place)
            return error.diagnostics.first
        }
    }
}

let surroundings = Surroundings(environment: ["HOME": "/home/u", "BASE": "base.toml"], currentDirectory: "/cwd")

extension Table {
    /// The value at a dotted path.
    func at(_ path: String) -> Node.Value? {
        var table = self
        let parts = path.split(separator: ".")
        for part in parts.dropLast() {
            guard case .table(let next)? = table[String(part)]?.node.value else { return nil }
            table = next
        }
        return parts.last.flatMap { table[String($0)]?.node.value }
    }

    /// The strings of an array at a dotted path.
    func strings(_ path: String) -> [String]? {
        guard case .array(let nodes)? = at(path) else { return nil }
        return nodes.map { if case .string(let text) = $0.value { text } else { "?" } }
    }
}
