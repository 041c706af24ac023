import Kernel

// How directories come into an original, and get the modes that they are to have.

extension ChangeApplication {
    func close(_ change: Change, _ mark: FileMark) throws(KernelError) {
        guard let upper = change.upper else { return }
        try original.go(to: change.path.parent)
        let directory = try openEntry(change.path.last ?? ".", at: original.directory, .read | .directory)
        let found = try status(of: directory.number)
        guard mark.isStill(try FileMark(of: directory.number)) else { throw KernelError(.openat, .busy) }
        try setPermissions(directory.number, permissions(change, upper) | found.permissions & 0o2000)
        try synchronize(directory.number)
    }

    /// The mode that a directory gets. What the original says of the group of its files stays where the jail has left it.
    private func permissions(_ change: Change, _ upper: EntryStatus) -> UInt32 {
        upper.permissions & (0o1777 | (change.kind == .metadata ? (change.lower?.permissions ?? 0) & 0o2000 : 0))
    }

    mutating func putRoot(_ change: Change, _ upper: EntryStatus) throws(KernelError) {
        if change.root.contains(.attributes) {
            let attributes = try asCaller { () throws(KernelError) in try personalAttributes(of: kept.upper) }
            try setPersonalAttributes(attributes, of: kept.lowers[0])
        }
        guard change.root.contains(.mode) else { return }
        try setPermissions(kept.lowers[0], permissions(change, upper) | 0o700)
        if upper.permissions & 0o700 != 0o700 { shut.append((change, try FileMark(of: kept.lowers[0]))) }
    }

    mutating func putDirectory(
        _ change: Change, _ upper: EntryStatus, _ name: EntryName, _ parents: HeldParents
    ) throws(KernelError) {
        let target = parents.original
        let attributes = try asCaller { () throws(KernelError) in
            try personalAttributes(of: name, at: parents.upper)
        }
        func dress(_ directory: Int32) throws(KernelError) -> FileMark {
            let found = try status(of: directory)
            let mode = permissions(change, upper) | found.permissions & 0o2000 | 0o700
            try self.dress(directory, mode, attributes, change, upper, in: target)
            return try FileMark(of: directory)
        }
        let mark: FileMark
        if change.kind == .metadata {
            let opened = try openCompared(change, name, at: target)
            // Its time is no sign of anybody else after this, for whoever finishes it.
            try placed.note(PlacedDirectories.Entry(upper: upper.inode, FileMark(of: opened.number)))
            mark = try dress(opened.number)
        } else {
            let drafts = try drafts(parents)
            let draft = drafts.next()
            try makeDirectoryEntry(draft, at: drafts.number, permissions: 0o700)
            let opened = try openEntry(draft, at: drafts.number, .read | .directory)
            mark = try dress(opened.number)
            try placed.note(PlacedDirectories.Entry(upper: upper.inode, mark))
            try place(draft, of: drafts, as: name, change, at: target)
        }
        if upper.permissions & 0o700 != 0o700 { shut.append((change, mark)) }
    }
}
