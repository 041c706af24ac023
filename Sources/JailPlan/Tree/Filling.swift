package import JailSpec
package import LinuxFacts

/// What a slot is filled with: a mount in the making, attached to nothing yet. Indirect, as an operation is.
package indirect enum Filling: Equatable, Sendable {
    /// A clone of a tree of the host, open_tree(2).
    case tree(TreeSource)
    /// A clone of one device node of the host, which must have these numbers.
    case device(name: String, major: UInt32, minor: UInt32)
    /// A new file system, fsopen(2).
    case fileSystem(FileSystem)
    /// A view of trees of the host, of which a change goes elsewhere: overlayfs.
    case overlay(OverlaySource)
    /// The file system in a file of the host.
    case image(ImageSource)
    /// A private file with that content.
    case file(content: String, mode: UInt32)
    /// A private file with what a descriptor of the caller's holds.
    case passedFile(descriptor: Int32, mode: UInt32)
    /// A new file system with the notify socket of the jail's own in it.
    case noticeSocket(FileSystem)
    /// A new file system with the credentials that were read, for the command's user only and never swapped out.
    case credentials(FileSystem)

    /// Whether it is cloned from what the host has: by whoever may reach the host's files.
    var isClone: Bool {
        switch self {
        case .tree, .device, .overlay, .image: true
        case .fileSystem, .file, .passedFile, .noticeSocket, .credentials: false
        }
    }
}

/// What holds on the mount of a slot once the tree is complete: the one value that is put in force, printed and audited.
package struct SlotPromise: Equatable, Sendable {
    /// Where it stands in the jail; `/` for the root.
    package let target: String
    /// What is set on it as it is made.
    package let attributes: MountAttributes
    /// Whether it becomes read-only last: until then mount points are made in it.
    package var isSealed = false

    package init(target: String, attributes: MountAttributes, isSealed: Bool = false) {
        (self.target, self.attributes, self.isSealed) = (target, attributes, isSealed)
    }

    /// Whether it becomes the root.
    package var isRoot: Bool { target.utf8.count == 1 }

    /// What holds on it in the end.
    package var held: MountAttributes { isSealed ? attributes | .readOnly : attributes }
}

/// The host tree behind a bind or a root.
package struct TreeSource: Equatable, Sendable {
    package let path: String
    package let recursive: Bool
    /// A missing source is skipped and reported.
    package let optional: Bool
    /// Whether a line of the spec names it: then no link is followed that a jail, or for root another user, may have made.
    package var isWritten = false
    /// What the spec asks to be open: it must not hold on the mount that the source is on, for a clone keeps what holds there.
    package var demands = MountAttributes()
    /// As which ids those of its files appear; nil: as the kernel has them.
    package var fileIDs: FileIDs?
    /// How much it may hold; nil: as much as there is room for.
    package var limit: StorageLimit?
    /// The descriptor of the caller's that has led to the path: it must be the same file.
    package var descriptor: Int32?
    /// The device node that it must be; nil: whatever it is.
    package var device: DeviceClaim?

    init(
        path: String, recursive: Bool, optional: Bool, isWritten: Bool = false,
        demands: MountAttributes = MountAttributes(), fileIDs: FileIDs? = nil, limit: StorageLimit? = nil,
        descriptor: Int32? = nil
    ) {
        (self.path, self.recursive, self.optional) = (path, recursive, optional)
        (self.isWritten, self.demands, self.fileIDs, self.limit) = (isWritten, demands, fileIDs, limit)
        self.descriptor = descriptor
    }
}

/// A new instance of a file system: the type and its parameters, one key each.
package struct FileSystem: Equatable, Sendable {
    package let type: String
    package let parameters: [FileSystemOption]
}
