import Kernel
import LinuxFacts

/// Mount points below a directory that cannot be written to.
extension Tree {
    /// Covers a directory with a tmpfs that shows the same entries, each a mount of the original, and so can take a mount
    /// point of its own. A symbolic link is made again; what the original's flags forbid stays forbidden.
    mutating func mirror(_ original: Int32, isRoot: Bool) throws(Failure) {
        let directory = try failing { () throws(KernelError) in try status(of: original) }
        let mode = directory.permissions
        // What the original's mount forbids, the copy forbids: a link that is made again would be followed.
        let held = try failing { () throws(KernelError) in
            try heldAttributes(of: original) & (.noExecute | .noSymlinkFollow)
        }
        let copy = try failing { () throws(KernelError) in
            let copy = try makeFileSystem(
                "tmpfs", [FileSystemOption("mode", String(mode, radix: 8))], .closed | held)
            // The original is reached through its descriptor, below the copy.
            try Kernel.attach(copy.number, on: original)
            for name in try entries(of: original) { try mirror(name, of: original, in: copy.number) }
            return copy.release()
        }
        try requireMode(mode, of: copy)
        try giveOwner(of: directory, to: copy)
        try requireEntries(of: original, in: copy)
        copies.append((copy, directory, held))
        if isRoot { root = copy }
        known.forget()
    }

    /// The copy belongs to whom the original does: to its maker, the jail's user, the mode would give what is the owner's.
    ///
    /// An id that the jail's user namespace does not map cannot be given (EINVAL), and is none that the command has: the mode
    /// then gives the owner no more than the group, and the group no more than everybody.
    private func giveOwner(of directory: FileStatus, to copy: Int32) throws(Failure) {
        try failing { () throws(KernelError) in
            let made = try status(of: copy)
            if made.owner == directory.owner && made.group == directory.group { return }
            let hasGroup = try give(user: .max, group: directory.group, to: copy)
            let hasOwner = try give(user: directory.owner, group: .max, to: copy)
            var mode = directory.permissions
            if !hasGroup { mode &= ~0o70 | (mode & 7) << 3 }
            if !hasOwner { mode &= ~0o700 | (mode & 0o70) << 3 }
            if mode != directory.permissions { try setPermissions(ofDirectory: copy, mode) }
            let given = try status(of: copy)
            guard isVerified else { return }
            let isGiven =
                (!hasGroup || given.group == directory.group) && (!hasOwner || given.owner == directory.owner)
            guard isGiven, given.permissions == mode else { throw KernelError(.fchownat, .notPermitted) }
        }
    }

    /// Gives one of the two ids, the other being left as it is; false where the user namespace does not map it.
    private func give(user: UInt32, group: UInt32, to copy: Int32) throws(KernelError) -> Bool {
        do throws(KernelError) {
            try setOwner(of: copy, user: user, group: group)
            return true
        } catch {
            guard error.errno == .invalid else { throw error }
            return false
        }
    }

    private func mirror(_ name: String, of original: Int32, in copy: Int32) throws(KernelError) {
        let entry = try open(name, at: original, .path | .noFollow)
        let kind = try status(of: entry.number).kind
        if case .symlink = kind {
            return try Kernel.makeSymlink(name, to: try readLink("", at: entry.number), at: copy)
        }
        let clone = try cloneTree("", at: entry.number, recursive: true)
        let isDirectory = if case .directory = kind { true } else { false }
        try makeMountPoint(name, at: copy, directory: isDirectory)
        try Kernel.attach(clone.number, on: name, at: copy)
    }

    /// Whether each entry of the copy shows what stands under that name in the original.
    private func requireEntries(of original: Int32, in copy: Int32) throws(Failure) {
        guard isVerified else { return }
        for name in try failing({ () throws(KernelError) in try entries(of: original) }) {
            let (found, wanted) = try failing { () throws(KernelError) in
                let (shown, original) = (
                    try open(name, at: copy, .path | .noFollow).release(),
                    try open(name, at: original, .path | .noFollow).release()
                )
                defer {
                    closeDescriptor(shown)
                    closeDescriptor(original)
                }
                return (try status(of: shown), try status(of: original))
            }
            if wanted.isSymlink || found.isSame(as: wanted) { continue }
            throw Failure(.notInForce, text: "mirror of \(name): promised the original, the kernel says another")
        }
    }
}
