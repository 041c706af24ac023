import Kernel

/// Mount points below a directory that cannot be written to.
extension Tree {
    /// Covers a directory with a tmpfs that shows the same entries, each a mount of the original, and so can take a mount
    /// point of its own. A symbolic link is made again; what the original's flags forbid stays forbidden.
    mutating func mirror(_ original: Int32, isRoot: Bool) throws(Failure) {
        let directory = try failing { () throws(KernelError) in try status(of: original) }
        let mode = directory.permissions
        let copy = try failing { () throws(KernelError) in
            let copy = try makeFileSystem(
                "tmpfs", [FileSystemOption("mode", String(mode, radix: 8))], .noSetuid | .noDevices)
            // The original is reached through its descriptor, below the copy.
            try Kernel.attach(copy.number, on: original)
            for name in try entries(of: original) { try mirror(name, of: original, in: copy.number) }
            return copy.release()
        }
        try giveOwner(of: directory, to: copy)
        try requireMode(mode, of: copy)
        try requireEntries(of: original, in: copy)
        copies.append((copy, directory))
        if isRoot { root = copy }
        known.forget()
    }

    /// The copy belongs to whom the original does: to its maker, the jail's user, the mode would give what is the owner's.
    ///
    /// An id that the jail's user namespace does not map is nobody's there (EINVAL): then the mode must give the owner and the
    /// group no more than it gives everybody.
    private func giveOwner(of directory: FileStatus, to copy: Int32) throws(Failure) {
        do throws(KernelError) {
            let made = try status(of: copy)
            if made.owner == directory.owner && made.group == directory.group { return }
            try setOwner(of: copy, user: directory.owner, group: directory.group)
            let given = try status(of: copy)
            guard isVerified, given.owner != directory.owner || given.group != directory.group else { return }
            throw KernelError(.fchownat, .notPermitted)
        } catch {
            let all = directory.permissions & 7
            let isOpenToAll = (directory.permissions >> 3 | directory.permissions >> 6) & 5 & ~all == 0
            guard error.errno == .invalid, isOpenToAll else { throw Failure(error) }
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
