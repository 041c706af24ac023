import Kernel

/// Files of the upper with several names, of which one at least has been put in: what is new is made once, and linked.
struct LinkedFiles {
    /// A file by the first of its names.
    struct File {
        let path: EntryPath
        let made: EntryStatus
        /// How many names it has in the upper, and how many of them have been put in as one file.
        let wanted: Int
        var put = 1
    }

    private var files: [UInt64: File] = [:]
    /// The way to the first name of the last file.
    private let way: Descent

    init(_ original: Int32) { way = Descent(original) }

    subscript(_ change: Change) -> File? {
        guard let upper = change.upper, upper.kind == .regular, upper.links > 1, change.kind == .added else {
            return nil
        }
        return files[upper.inode]
    }

    /// Whether it is another name of a file that has been put in, which may be staged still.
    func hasName(before change: Change) -> Bool { self[change] != nil }

    mutating func add(_ change: Change, _ upper: EntryStatus, _ made: EntryStatus) {
        guard upper.links > 1, files[upper.inode] == nil else { return }
        files[upper.inode] = File(path: change.path, made: made, wanted: upper.links)
    }

    /// Makes another name of a file.
    mutating func link(_ file: File, _ upper: EntryStatus, as draft: EntryName, at target: Int32) throws(KernelError) {
        guard let name = file.path.last else { return }
        try way.go(to: file.path.parent)
        try linkEntry(name, at: way.directory, as: draft, at: target)
        files[upper.inode]?.put += 1
    }

    /// The files of which some names have become copies, in the order of their paths.
    var parted: [Objection] {
        let paths = files.values.filter { $0.put < $0.wanted }.map { $0.path.names(from: 0) }
        return paths.sorted { $0.lexicographicallyPrecedes($1) }.map { path in
            Objection(path: EntryPath(path), reason: "a hard link to a name that is not put in does not travel")
        }
    }
}

extension ChangeApplication {
    /// Makes another name of what has been put in; false where there is nothing yet, or where it would be somebody else's here than
    /// what is made here, so that it is to be a copy.
    mutating func putLink(
        _ change: Change, _ upper: EntryStatus, _ name: EntryName, _ parents: HeldParents
    ) throws(KernelError) -> Bool {
        guard let file = linked[change] else { return false }
        let target = parents.original
        if handover.isRoot {
            let owner = try handover.newOwner(of: change, upper, in: target) ?? (0, 0)
            guard owner == (file.made.owner, file.made.group) else { return false }
        }
        let drafts = try drafts(parents)
        let draft = drafts.next()
        try linked.link(file, upper, as: draft, at: drafts.number)
        // The first name may stand in a directory of somebody else's, who can have put another file there.
        guard try entryStatus(draft, at: drafts.number)?.identity == file.made.identity else {
            throw KernelError(.openat, .busy)
        }
        try place(draft, of: drafts, as: name, change, at: target)
        return true
    }
}
