/// A file that the spec is read from, as it was when it was read.
package struct GuardedFile: Equatable, Sendable {
    /// As it was named.
    package let path: String
    package let device: UInt64
    package let inode: UInt64
}

/// A file that the spec is read from, in a source that the jail may write in.
package struct ExposedFile: Equatable, Sendable {
    /// As it was named.
    package let path: String
    /// The source, as the spec has it.
    package let source: String
    /// The way from there; empty where the source is the file.
    package let below: String
    package let device: UInt64
    package let inode: UInt64

    package init(path: String, source: String, below: String, device: UInt64, inode: UInt64) {
        self.path = path
        self.source = source
        self.below = below
        self.device = device
        self.inode = inode
    }
}

/// Where the jail sees, through another mount, what a line hides.
package struct SecondView: Equatable, Sendable {
    /// The target that is hidden.
    package let hidden: String
    /// Where links of the host lead from there in the jail, as far as it is known to have them.
    package let covered: String
    /// The source that shows it, as the spec has it.
    package let source: String
    /// The way from there to what is hidden; empty where the source is that, or a part of it.
    package let below: String

    package init(hidden: String, covered: String, source: String, below: String) {
        self.hidden = hidden
        self.covered = covered
        self.source = source
        self.below = below
    }
}
