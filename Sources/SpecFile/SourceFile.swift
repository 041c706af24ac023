/// A file that a spec was read from, and whose it is: what the decision to trust it needs.
package struct SourceFile: Equatable, Sendable {
    /// The path as it was named, relative to the current directory where it is relative.
    package let path: String
    package let owner: UInt32
    /// The permission bits of st_mode.
    package let mode: UInt32
    /// Whether the path itself is a symbolic link.
    package let isSymlink: Bool
    /// What it is in messages.
    package let noun: String

    package init(path: String, owner: UInt32, mode: UInt32, isSymlink: Bool, noun: String = "the spec") {
        self.path = path
        self.owner = owner
        self.mode = mode
        self.isSymlink = isSymlink
        self.noun = noun
    }

    init(path: String, _ contents: FileContents, noun: String = "the spec") {
        self.init(
            path: path, owner: contents.owner, mode: contents.mode, isSymlink: contents.isSymlink, noun: noun)
    }

    /// Reads a JSON file that a spec names, in the way of a spec: `what` it is in messages, `position` where it is named.
    package static func readJSON(
        _ path: String, _ what: String, writtenAt position: Position?, by read: FileReader
    ) throws(Diagnostic) -> (file: SourceFile, root: Node) {
        let contents = try readFile(path, what, writtenAt: position, by: read)
        return (SourceFile(path: path, contents, noun: what), try parseJSON(contents.bytes, file: path))
    }
}

/// Reads a file; `what` it is in messages, `position` where its path was written, nil for the command line.
func readFile(
    _ path: String, _ what: String, writtenAt position: Position?, by read: FileReader
) throws(Diagnostic) -> FileContents {
    do throws(Diagnostic) {
        return try read(path)
    } catch {
        throw Diagnostic("cannot read \(what) \(quoted(path)): \(error.message)", at: position, hint: error.hint)
    }
}
