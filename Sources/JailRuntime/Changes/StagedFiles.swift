import Kernel

// What stands beside a name until it is whole, and how it comes to it.

extension ChangeApplication {
    /// Has the staged files on the disk, and gives them their names.
    mutating func settle() throws(Failure) {
        let files = staged.take()
        if files.isEmpty { return }
        try failing { () throws(KernelError) in try synchronizeFileSystem(kept.lowers[0]) }
        for file in files {
            try Self.acting(as: handover.owner, for: file.change) { () throws(KernelError) in
                try place(file.name, file.change, file.parents.original, from: file.draft)
            }
        }
    }

    /// Has on the disk what has become of the names in these directories, in the order of the changes.
    func keep(_ directories: Set<EntryPath>, in changes: [Change]) throws(Failure) {
        var (left, isCovered) = (directories, false)
        for change in changes {
            guard let path = left.remove(change.path.parent) else { continue }
            try Self.acting(as: handover.owner) { () throws(KernelError) in
                try original.go(to: path)
                if try staged.covers(original.directory), directories.count > 1 {
                    isCovered = true
                } else {
                    try synchronize(original.directory)
                }
            }
        }
        if isCovered { try failing { () throws(KernelError) in try synchronizeFileSystem(kept.lowers[0]) } }
    }

    /// Gives what has been made its name: over what is there, or in exchange with what cannot be gone over.
    func place(
        _ name: EntryName, _ change: Change, _ target: Int32, from draft: EntryName? = nil
    ) throws(KernelError) {
        let draft = draft ?? temporary
        guard change.kind == .replaced else {
            return try moveEntry(draft, at: target, to: name, at: target)
        }
        try exchangeEntries(draft, at: target, with: name, at: target)
        try prepare(target, draft, was: change.lower)
    }

    /// Removes a name at once: what is below it goes when it can be seen no more.
    func takeAway(_ name: EntryName, _ change: Change, at target: Int32) throws(KernelError) {
        try prepare(target)
        guard try entryStatus(name, at: target) != nil else { return }
        try moveEntry(name, at: target, to: temporary, at: target)
        try prepare(target, was: change.lower)
    }

    /// Removes what the step before has left under the name that things are made under. `was`: what that is, where it has been compared.
    func prepare(_ target: Int32, _ draft: EntryName? = nil, was: EntryStatus? = nil) throws(KernelError) {
        let draft = draft ?? temporary
        guard let found = try entryStatus(draft, at: target) else { return }
        // Whoever may exchange names here could have root remove a directory of root's with all that is in it.
        let place = try status(of: target)
        let isExchanged = found.kind == .directory && was.map { !$0.isSame(as: found) } ?? true
        guard handover.isRoot, place.owner != 0, isExchanged else { return try RemoveTree.remove(draft, at: target) }
        try reachFiles(asUser: place.owner, group: place.group)
        do throws(KernelError) {
            try RemoveTree.remove(draft, at: target)
        } catch {
            try reachFiles(asUser: 0, group: 0)
            throw error
        }
        try reachFiles(asUser: 0, group: 0)
    }

    /// Removes what a killed apply has left, in every directory that an apply of these changes may have been in.
    func sweep() throws(KernelError) {
        var left = [try sweepOne()]
        while !left.isEmpty {
            guard let name = left[left.count - 1].popLast() else {
                left.removeLast()
                try asCaller { () throws(KernelError) in try changed.leave() }
                try original.leave()
                continue
            }
            let isMerged = try entryStatus(name, at: original.directory)?.kind == .directory
            let status = try asCaller { () throws(KernelError) in try entryStatus(name, at: changed.directory) }
            guard isMerged, status?.kind == .directory else { continue }
            try asCaller { () throws(KernelError) in try changed.enter(name) }
            try original.enter(name)
            left.append(try sweepOne())
        }
    }

    /// The names that the upper has where both are, the last first.
    private func sweepOne() throws(KernelError) -> [EntryName] {
        for name in try entryNames(of: original.directory) where name.isDraft(of: temporary) {
            try prepare(original.directory, name)
        }
        return try asCaller { () throws(KernelError) in try entryNames(of: changed.directory).reversed() }
    }
}

/// New versions of files that stand whole beside their names, until all of them are on the disk: one wait for the disk serves
/// many, and a name is old or new all the same.
struct StagedFiles {
    struct File {
        let change: Change
        let name: EntryName
        let draft: EntryName
        let parents: HeldParents
    }

    private var files: [File] = []
    private var bytes = 0
    private var directories = 0
    private var count = 0
    private let device: UInt64
    /// Whether syncfs(2) has all that was written there on the disk: by FUSE and network file systems that is not said.
    private let isLocal: Bool

    init(root: Int32) throws(KernelError) {
        device = try entryStatus(of: root).device
        isLocal = FileSystemMagic.local.contains(try fileSystemMagic(of: root))
    }

    /// Bounded: each takes room beside its original, and each directory two descriptors.
    var isFull: Bool { files.count >= 256 || bytes >= 64 << 20 || directories >= 64 }

    /// Whether an open file of the original will be on the disk by one syncfs(2) of its root.
    func covers(_ descriptor: Int32) throws(KernelError) -> Bool {
        guard isLocal else { return false }
        return try entryStatus(of: descriptor).device == device
    }

    mutating func draft(after name: EntryName) -> EntryName {
        count += 1
        return EntryName(name.bytes + Array(".\(count)".utf8))
    }

    mutating func add(_ file: File, size: Int) {
        if files.last?.parents !== file.parents { directories += 1 }
        files.append(file)
        // A file of holes is as long as the jail likes.
        bytes += min(size, 64 << 20)
    }

    mutating func take() -> [File] {
        defer { (files, bytes, directories) = ([], 0, 0) }
        return files
    }
}

/// The directories of one path, in the original and in the upper, open as long as something is to be done in them.
final class HeldParents {
    let path: EntryPath
    private let directories: (original: OpenDirectory, upper: OpenDirectory)

    var original: Int32 { directories.original.number }
    var upper: Int32 { directories.upper.number }

    init(_ path: EntryPath, _ original: OpenDirectory, _ upper: OpenDirectory) {
        (self.path, directories) = (path, (original, upper))
    }
}

extension EntryName {
    /// Whether things are made under this name by the apply whose names begin so.
    func isDraft(of name: EntryName) -> Bool {
        bytes == name.bytes || bytes.starts(with: name.bytes + [UInt8(ascii: ".")])
    }
}
