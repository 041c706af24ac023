package import JailSpec
import Kernel
package import SpecFile

/// Puts kept changes into the original: one name at a time, each old or new at every moment, and nothing that carries a right.
package struct ChangeApplication {
    /// What to do where the original has changed, too.
    package enum Policy: Sendable { case refuse, skip, force }

    package let mount: Mount
    let kept: KeptChanges
    let record: OverlayRecord
    let handover: Handover
    private let own: OwnSpec
    /// What has been left out, or only in part put in.
    package private(set) var leftOut: [Objection] = []
    /// What has become a file of its own.
    package var copied: [Objection] { linked.parted }
    /// Files with several names that have been put in.
    var linked: LinkedFiles
    /// Directories that their owner may not write in: they are shut when all is in them, the deepest first.
    var shut: [(change: Change, mark: FileMark)] = []
    /// New versions of files that wait for the disk.
    var staged: StagedFiles
    /// The way to the last change in the original, and that in the upper.
    let original: Descent
    let changed: Descent
    /// The directories of the last change, in the original and in the upper.
    var held: HeldParents?
    /// What is in the directories that are to go, as it was when conflicts were looked for.
    private(set) var trees: [EntryPath: TreeSum] = [:]
    /// What is not done whatever is wanted, and why.
    private var barred: [EntryPath: String] = [:]
    let placed: PlacedDirectories
    let ours: PutFiles
    let taken: TakenEntries
    let opened: OpenedDirectories
    /// Whether what is put in is noted: some changes stay, and the jail goes on with them.
    private(set) var notesFiles = false
    let insiders: Insiders
    /// Whether the original is itself on an overlay, which copies up a file that is renamed.
    let isCopied: Bool
    /// Where things are made until they are whole, and how such names begin: that is in the record, for whoever finishes this.
    var places: [DraftPlace] = []
    let temporary: EntryName

    /// `own`: what the mount is read from.
    package init(_ kept: KeptChanges, of mount: Mount, sparing own: OwnSpec) throws(Diagnostic) {
        (self.kept, self.mount, self.own) = (kept, mount, own)
        guard let record = kept.record else {
            throw Diagnostic("overlay on \(mount.target): nothing has been kept", at: mount.position)
        }
        do throws(Failure) {
            if !record.isEmptying { try kept.requireShut() }
            placed = kept.placed
            try placed.read()
            ours = try PutFiles(in: kept.work)
            taken = try TakenEntries(in: kept.work)
            opened = try OpenedDirectories(in: kept.work)
        } catch {
            throw KeptChanges.diagnostic(error, mount)
        }
        do throws(KernelError) {
            let draft = if let begun = record.draft { begun } else { try OverlayRecord.newDraft() }
            temporary = EntryName(Array(draft.utf8))
            self.record = record
            staged = try StagedFiles(root: kept.lowers[0])
            insiders = try Insiders(over: kept.lowers[0])
            isCopied = try fileSystemMagic(of: kept.lowers[0]) == FileSystemMagic.overlay
            (original, changed) = (Descent(kept.lowers[0]), Descent(kept.upper))
            linked = LinkedFiles(kept.lowers[0])
            handover = try Handover(record, root: kept.lowers[0], isMapped: kept.isMapped)
        } catch {
            throw KeptChanges.diagnostic(Failure(error), mount)
        }
    }

    /// What stands against the changes, in the order of their paths, and the names of which that cannot be known.
    package mutating func conflicts(
        of changes: [Change]
    ) throws(Diagnostic) -> (certain: [Objection], unknown: [EntryPath]) {
        do throws(KernelError) {
            var conflicts = Conflicts(upper: kept.upper, lowers: kept.lowers, handover, placed.known, ours)
            let certain = try conflicts.all(of: changes)
            (trees, barred) = (conflicts.trees, conflicts.barred)
            let spared = changes.compactMap(own.objection)
            for objection in spared { barred[objection.path] = objection.reason }
            let paths = Set(spared.map(\.path))
            return (spared + certain.filter { !paths.contains($0.path) }, conflicts.unknown)
        } catch {
            throw KeptChanges.diagnostic(Failure(error), mount)
        }
    }

    /// Does it. `empties`: all changes are among these, and the upper is emptied when they are in the original.
    package mutating func apply(_ changes: [Change], empties: Bool) throws(Diagnostic) {
        for change in changes {
            guard let reason = handover.objection(to: change) ?? barred[change.path] else { continue }
            throw Diagnostic(
                Objection(path: change.path, reason: reason).line, at: mount.position,
                hint: nil)
        }
        do throws(Failure) {
            if record.isEmptying { return try failing { () throws(KernelError) in try finish() } }
            // Where what is put in gets another owner than the jail's, whoever finishes this would see a change in it.
            notesFiles = !empties || handover.owner != nil || handover.isRoot
            try failing { () throws(KernelError) in
                try placed.begin()
                try ours.begin()
                try opened.begin()
                try taken.begin()
            }
            var begun = record
            (begun.isApplying, begun.draft) = (true, temporary.text)
            try begun.write(in: kept.work)
            try failing { () throws(KernelError) in try synchronize(kept.work) }
            let times = try failing { () throws(KernelError) in
                try OwnTimes(before: empties ? [] : changes, in: kept.lowers[0], record, ours)
            }
            do throws(Failure) {
                try perform(changes)
            } catch {
                do throws(Failure) {
                    try closeAgain()
                } catch {
                    // Said is what has failed first; the modes are noted for whoever goes on.
                }
                throw error
            }
            if empties {
                try failing { () throws(KernelError) in try finish() }
            } else {
                try failing { () throws(KernelError) in
                    try times.note(after: changes, in: ours)
                    try taken.remove()
                }
                (begun.isApplying, begun.draft) = (false, nil)
                try begun.write(in: kept.work)
            }
        } catch {
            throw KeptChanges.diagnostic(error, mount)
        }
    }

    /// All is in the original.
    private func finish() throws(KernelError) {
        try OverlayRecord.beginEmptying(in: kept.work)
        changed.startAnew()
        try RemoveTree.empty(kept.upper)
        try placed.remove()
        try ours.remove()
        try taken.remove()
        try kept.moveOut()
        try removeEntry(OverlayRecord.nameOfEmptying, at: kept.work, directory: false)
        try synchronize(kept.work)
    }

    private mutating func perform(_ changes: [Change]) throws(Failure) {
        var directories: Set<EntryPath> = []
        for change in changes where change.kind != .deleted {
            if staged.isFull || places.count >= DraftPlace.most || linked.hasName(before: change) { try settle() }
            do throws(Failure) {
                try Self.acting(as: handover.owner, for: change) { () throws(KernelError) in try put(change) }
            } catch {
                // What stands whole beside its name gets it: all before the change that failed is done.
                try leaveHeld()
                try settle()
                throw error
            }
            directories.insert(change.path.parent)
        }
        try leaveHeld()
        try settle()
        // The deepest first: a directory goes when nothing is in it that is to go by itself.
        for change in changes.reversed() where change.kind == .deleted {
            try Self.acting(as: handover.owner, for: change) { () throws(KernelError) in
                guard let name = change.path.last else { return }
                let parents = try reach(change)
                try requireCompared(change, name, at: parents.original)
                try takeAway(name, change, parents)
                if places.count >= DraftPlace.most { try leavePlaces() }
            }
            directories.insert(change.path.parent)
        }
        try leaveHeld()
        try settle()
        try keep(directories, in: changes)
        for (change, mark) in shut.reversed() {
            try Self.acting(as: handover.owner, for: change) { () throws(KernelError) in try close(change, mark) }
        }
        try closeAgain()
    }

    // One change

    private mutating func put(_ change: Change) throws(KernelError) {
        guard let upper = change.upper else { return }
        guard let name = change.path.last else { return try putRoot(change, upper) }
        let parents = try reach(change)
        let (source, target) = (parents.upper, parents.original)
        try requireCompared(change, name, at: target)
        if upper.permissions & 0o6000 != 0, upper.kind == .regular {
            object(change, "its set-user-ID and set-group-ID bits do not travel")
        }
        switch upper.kind {
        case .characterDevice, .blockDevice: object(change, "a device node does not travel")
        case .socket: object(change, "a socket does not travel")
        case .directory: try putDirectory(change, upper, name, parents)
        case .symlink:
            let content = try asCaller { () throws(KernelError) in try linkTarget(name, at: source) }
            let drafts = try drafts(parents)
            let draft = drafts.next()
            try makeLinkEntry(draft, to: content, at: drafts.number)
            // Root follows its own links: one that the jail has made does not become root's.
            if handover.isRoot {
                let made = try openEntry(draft, at: drafts.number, .path | .noFollow)
                try setOwner(of: made.number, user: upper.owner, group: upper.group)
            }
            try place(draft, of: drafts, as: name, change, at: target)
        case .fifo:
            let drafts = try drafts(parents)
            let draft = drafts.next()
            // The file mode creation mask takes bits away; open for both, it is opened without a peer, fifo(7).
            try makeFIFOEntry(draft, at: drafts.number, permissions: 0o600)
            let made = try openEntry(draft, at: drafts.number, .readWrite | .nonBlocking)
            try dress(made.number, upper.permissions & 0o777, [:], change, upper, in: target)
            try place(draft, of: drafts, as: name, change, at: target)
        case .regular: try putFile(change, upper, name, parents)
        }
    }

    mutating func object(_ change: Change, _ reason: String) {
        leftOut.append(Objection(path: change.path, reason: reason))
    }

    private mutating func putFile(
        _ change: Change, _ upper: EntryStatus, _ name: EntryName, _ parents: HeldParents
    ) throws(KernelError) {
        let (source, target) = (parents.upper, parents.original)
        if try putLink(change, upper, name, parents) { return }
        let content = try asCaller { () throws(KernelError) in try openEntry(name, at: source, .read).release() }
        defer { closeDescriptor(content) }
        // What is read is what was compared: a regular file, and that one.
        let opened = try entryStatus(of: content)
        guard opened.kind == .regular, opened.inode == upper.inode else { throw KernelError(.openat, .busy) }
        let attributes = try asCaller { () throws(KernelError) in try personalAttributes(of: content) }
        let drafts = try drafts(parents)
        let draft = drafts.next()
        let made = try openEntry(draft, at: drafts.number, .write | .create | .exclusive, permissions: 0o600)
        try copyContent(of: content, to: made.number, length: opened.size, room: opened.room)
        try dress(made.number, upper.permissions & 0o777, attributes, change, upper, in: target)
        try setTimes(of: made.number, accessed: upper.accessed, modified: upper.modified)
        let done = try entryStatus(of: made.number)
        if !staged.covers(done) { try synchronize(made.number) }
        staged.add(
            StagedFiles.File(change: change, name: name, draft: draft, made: done, drafts: drafts, parents: parents))
        linked.add(change, upper, done)
    }
}
