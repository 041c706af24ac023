import CTOML

/// A file that a spec was read from, and whose it is: what the decision to trust it needs.
package struct SourceFile: Equatable, Sendable {
    /// The path as it was named, relative to the current directory where it is relative.
    package let path: String
    package let owner: UInt32
    /// The permission bits of st_mode.
    package let mode: UInt32
    /// Whether the path itself is a symbolic link.
    package let isSymlink: Bool

    package init(path: String, owner: UInt32, mode: UInt32, isSymlink: Bool) {
        self.path = path
        self.owner = owner
        self.mode = mode
        self.isSymlink = isSymlink
    }
}

extension SourceFile {
    /// No honest spec comes near it.
    static let sizeLimit = 1 << 20

    /// What a file held, and which file it was whatever its name.
    struct Contents {
        let file: SourceFile
        let identity: Identity
        let size: Int
        let root: Node
    }

    /// Device and inode: two names of one file are one file.
    struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64
    }

    /// Reads a JSON file that a spec names, in the way of a spec: `what` it is in messages, `position` where it is named.
    package static func readJSON(
        _ path: String, _ what: String, writtenAt position: Position?
    ) throws(Diagnostic) -> (file: SourceFile, root: Node) {
        var raw = unsafe ctoml_read(path, sizeLimit)
        defer { unsafe ctoml_file_free(&raw) }
        if let reason = unsafe reason(fault: raw.fault, error: raw.error) {
            throw Diagnostic("cannot read \(what) \(quoted(path)): \(reason)", at: position)
        }
        let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: raw.bytes, count: raw.length))
        let file = unsafe SourceFile(path: path, owner: raw.owner, mode: raw.mode, isSymlink: raw.is_symlink)
        return (file, try parseJSON(bytes, file: path))
    }

    /// Reads and parses; `position` is where the path was written, nil for the command line. A file that turns out not to
    /// be wanted is not parsed.
    static func read(
        _ path: String, writtenAt position: Position?, ifWanted: (Identity) throws(Diagnostic) -> Bool
    ) throws(Diagnostic) -> Contents? {
        var raw = unsafe ctoml_read(path, sizeLimit)
        defer { unsafe ctoml_file_free(&raw) }
        if let reason = unsafe reason(fault: raw.fault, error: raw.error) {
            throw Diagnostic("cannot read the spec \(quoted(path)): \(reason)", at: position)
        }
        let identity = unsafe Identity(device: raw.device, inode: raw.inode)
        guard try ifWanted(identity) else { return nil }
        let document = unsafe ctoml_parse(raw.bytes, raw.length)
        defer { unsafe ctoml_free(document) }
        return Contents(
            file: unsafe SourceFile(path: path, owner: raw.owner, mode: raw.mode, isSymlink: raw.is_symlink),
            identity: identity, size: unsafe raw.length, root: try unsafe SpecFile.root(of: document, file: path))
    }

    private static func reason(fault: Int32, error: Int32) -> String? {
        switch Int(fault) {
        case ctoml_read_ok: return nil
        case ctoml_read_too_large: return "larger than \(sizeLimit >> 20) MiB"
        case ctoml_read_not_regular: return error == 0 ? "not a regular file" : "a directory"
        default:
            guard let name = unsafe ctoml_error_name(error), let words = unsafe ctoml_error_words(error) else {
                return "errno \(error)"
            }
            return unsafe "\(String(cString: name)) \(String(cString: words).lowercased())"
        }
    }
}
