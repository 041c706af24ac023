/// How a file is read: who can open files hands it in, as this module opens none.
///
/// It throws what is wrong with the file, as the end of a sentence that names it: "larger than 1 MiB".
package typealias FileReader = (_ path: String) throws(Diagnostic) -> FileContents

/// What a file held, which file it was whatever its name, and whose.
package struct FileContents: Sendable {
    package let bytes: [UInt8]
    package let owner: UInt32
    /// The permission bits of st_mode.
    package let mode: UInt32
    /// Whether the path itself is a symbolic link.
    package let isSymlink: Bool
    package let device: UInt64
    package let inode: UInt64

    package init(
        bytes: [UInt8], owner: UInt32, mode: UInt32, isSymlink: Bool, device: UInt64, inode: UInt64
    ) {
        self.bytes = bytes
        self.owner = owner
        self.mode = mode
        self.isSymlink = isSymlink
        self.device = device
        self.inode = inode
    }

    /// No honest spec comes near it.
    package static let sizeLimit = 1 << 20
}
