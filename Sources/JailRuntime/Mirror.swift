import Kernel

/// Mount points below a directory that cannot be written to.
extension Tree {
    /// Covers a directory with a tmpfs that shows the same entries, each a mount of the original, and so can take a mount
    /// point of its own. A symbolic link is made again; what the original's flags forbid stays forbidden.
    mutating func mirror(_ original: Int32, isRoot: Bool) throws(Failure) {
        let copy = try failing { () throws(KernelError) in
            let mode = String(try status(of: original).permissions, radix: 8)
            let copy = try makeFileSystem("tmpfs", [FileSystemOption("mode", mode)], [.noSetuid, .noDevices])
            // The original is reached through its descriptor, below the copy.
            try Kernel.attach(copy.number, on: original)
            for name in try entries(of: original) { try mirror(name, of: original, in: copy.number) }
            return copy.release()
        }
        if isRoot { root = copy }
        known.forget()
    }

    private func mirror(_ name: String, of original: Int32, in copy: Int32) throws(KernelError) {
        let entry = try open(name, at: original, [.path, .noFollow])
        let kind = try status(of: entry.number).kind
        if case .symlink = kind {
            return try Kernel.makeSymlink(name, to: try readLink("", at: entry.number), at: copy)
        }
        let clone = try cloneTree("", at: entry.number, recursive: true)
        if case .directory = kind {
            try Kernel.makeDirectory(name, at: copy, permissions: 0o755)
        } else {
            _ = try open(name, at: copy, [.write, .create, .exclusive], permissions: 0o444)
        }
        let place = try open(name, at: copy, [.path, .noFollow])
        try Kernel.attach(clone.number, on: place.number)
    }
}
