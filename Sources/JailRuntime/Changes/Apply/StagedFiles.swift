import Kernel

// What stands beside a name until it is whole, and how it comes to it.

extension ChangeApplication {
    /// Has the staged files on the disk, and gives them their names.
    mutating func settle() throws(Failure) {
        let files = staged.take()
        if !files.isEmpty { try failing { () throws(KernelError) in try synchronizeFileSystem(kept.lowers[0]) } }
        // One that cannot get its name keeps no other from its own.
        var failed: Failure?
        for file in files {
            do throws(Failure) {
                try Self.acting(as: handover.owner, for: file.change) { () throws(KernelError) in
                    try place(
                        file.made, file.draft, of: file.drafts, as: file.name, file.change, at: file.parents.original)
                }
            } catch {
                if failed == nil { failed = error }
            }
        }
        if let failed { throw failed }
        if places.count < DraftPlace.most, held != nil { return }
        try Self.acting(as: handover.owner) { () throws(KernelError) in try leavePlaces() }
    }

    /// Has on the disk what has become of the names in these directories, in the order of the changes.
    func keep(_ directories: Set<EntryPath>, in changes: [Change]) throws(Failure) {
        var (left, isCovered) = (directories, false)
        for change in changes {
            guard let path = left.remove(change.path.parent) else { continue }
            try Self.acting(as: handover.owner) { () throws(KernelError) in
                try original.go(to: path)
                if staged.covers(try entryStatus(of: original.directory)), directories.count > 1 {
                    isCovered = true
                } else {
                    try synchronize(original.directory)
                }
            }
        }
        if isCovered { try failing { () throws(KernelError) in try synchronizeFileSystem(kept.lowers[0]) } }
    }
}

/// New versions of files that stand whole beside their names, until all of them are on the disk: one wait for the disk serves
/// many, and a name is old or new all the same.
struct StagedFiles {
    struct File {
        let change: Change
        let name: EntryName
        let draft: EntryName
        /// What has been made.
        let made: EntryStatus
        let drafts: DraftPlace
        let parents: HeldParents
    }

    private var files: [File] = []
    private var bytes = 0
    private var directories = 0
    private let device: UInt64
    /// Whether syncfs(2) has all that was written there on the disk: by FUSE and network file systems that is not said.
    private let isLocal: Bool

    init(root: Int32) throws(KernelError) {
        device = try entryStatus(of: root).device
        isLocal = FileSystemMagic.local.contains(try fileSystemMagic(of: root))
    }

    /// Bounded: each takes room beside its original, and each directory two descriptors.
    var isFull: Bool { files.count >= 256 || bytes >= 64 << 20 || directories >= DraftPlace.most }

    /// Whether a file of the original will be on the disk by one syncfs(2) of its root.
    func covers(_ file: EntryStatus) -> Bool { isLocal && file.device == device }

    mutating func add(_ file: File) {
        if files.last?.parents !== file.parents { directories += 1 }
        files.append(file)
        // A file of holes is as long as the jail likes.
        bytes += min(file.made.size, 64 << 20)
    }

    mutating func take() -> [File] {
        defer { (files, bytes, directories) = ([], 0, 0) }
        return files
    }
}
