import Kernel

// How what has been made comes to its name, and what is deleted goes from it. Names in a directory of somebody else's are that one's to
// exchange at any moment: what is opened, exchanged or removed by name is compared with what the change was found over.

extension ChangeApplication {
    /// Throws where a name of the original is not the file that the change was found over, or where nothing was to be made.
    func requireCompared(_ change: Change, _ name: EntryName, at target: Int32) throws(KernelError) {
        guard let lower = change.lower else { return try handover.requireReach(of: target, for: change) }
        // The name of a lower below is the first one's to have.
        guard change.layer == 0, let found = try entryStatus(name, at: target) else { return }
        guard found.identity == lower.identity else { throw KernelError(.openat, .busy) }
    }

    /// Opens the directory that a change of its mode was found over.
    func openCompared(_ change: Change, _ name: EntryName, at target: Int32) throws(KernelError) -> Descriptor {
        let opened = try openEntry(name, at: target, .read | .directory)
        guard change.layer == 0 else { return opened }
        guard let mark = change.mark, mark.isStill(try FileMark(of: opened.number)),
            try handover.isOf(change, at: target)
        else { throw KernelError(.openat, .busy) }
        return opened
    }

    /// Gives what has been made its name.
    func place(_ draft: EntryName, of drafts: DraftPlace, as name: EntryName, _ change: Change, at target: Int32)
        throws(KernelError)
    {
        let made = notesFiles ? try entryStatus(draft, at: drafts.number) : nil
        if let made, made.kind != .directory { try ours.announce(made) }
        try ours.taking(name, change, at: target) { () throws(KernelError) in
            try move(draft, of: drafts, as: name, change, at: target)
        }
        guard let made, made.kind != .directory, let now = try entryStatus(name, at: target) else { return }
        if now.identity == made.identity { try ours.note(now) }
    }

    /// Over nothing, or over what was compared and nothing else.
    private func move(
        _ draft: EntryName, of drafts: DraftPlace, as name: EntryName, _ change: Change, at target: Int32
    ) throws(KernelError) {
        guard change.lower != nil, change.layer == 0 else { return try add(draft, of: drafts, as: name, at: target) }
        if change.kind == .replaced {
            do throws(KernelError) {
                return try exchange(draft, of: drafts, with: name, change, at: target)
            } catch {
                guard error.errno == .crossesDevice, change.lower?.kind == .directory else { throw error }
            }
            try removeInPlace(name, change, at: target)
            return try add(draft, of: drafts, as: name, at: target)
        }
        // Where nobody else can put something there between the two calls, one look before is as good, and is quicker.
        let isOurs = insiders.have(try entryStatus(of: target))
        if !isCopied, !isOurs {
            do throws(KernelError) {
                return try exchange(draft, of: drafts, with: name, change, at: target)
            } catch {
                // A file system that cannot.
                guard error.errno == .invalid else { throw error }
            }
        }
        guard try isCompared(name, change, at: target) else { throw KernelError(.openat, .busy) }
        try moveEntry(draft, at: drafts.number, to: name, at: target)
    }

    private func add(
        _ draft: EntryName, of drafts: DraftPlace, as name: EntryName, at target: Int32
    ) throws(KernelError) {
        do throws(KernelError) {
            return try moveEntry(draft, at: drafts.number, toNew: name, at: target)
        } catch {
            guard error.errno == .invalid || error.errno == .exists else { throw error }
            // A file system that cannot be told so. Or a lower is the upper of another overlay: its whiteout is nothing.
            if let found = try entryStatus(name, at: target), !Change.isWhiteout(found, isMarked: false) {
                throw KernelError(.renameat, .exists)
            }
        }
        try moveEntry(draft, at: drafts.number, to: name, at: target)
    }

    private func exchange(
        _ draft: EntryName, of drafts: DraftPlace, with name: EntryName, _ change: Change, at target: Int32
    ) throws(KernelError) {
        try letMove(name, change, at: target)
        let taken = drafts.nextTaken()
        try placed.note(PlacedDirectories.Entry(upper: 0, FileMark(draft, at: drafts.number)))
        try moveEntry(draft, at: drafts.number, to: taken, at: drafts.number)
        do throws(KernelError) {
            try exchangeEntries(taken, at: drafts.number, with: name, at: target)
        } catch {
            try moveEntry(taken, at: drafts.number, to: draft, at: drafts.number)
            throw error
        }
        guard try isCompared(taken, change, at: drafts.number) else {
            // Where that fails it stays where it is: only what was compared is removed.
            try exchangeEntries(taken, at: drafts.number, with: name, at: target)
            try moveEntry(taken, at: drafts.number, to: draft, at: drafts.number)
            throw KernelError(.openat, .busy)
        }
        try removeTaken(taken, of: drafts, as: name, change, at: target)
    }

    /// Removes what was compared, and nothing that has come into it since: whoever has it open may still put something there. A directory
    /// that is not empty after that gets its name back.
    private func removeTaken(
        _ taken: EntryName, of drafts: DraftPlace, as name: EntryName, _ change: Change, at target: Int32
    ) throws(KernelError) {
        guard let known = trees[change.path]?.files, let lower = change.lower, lower.kind == .directory else {
            return try RemoveTree.remove(taken, at: drafts.number)
        }
        do throws(KernelError) {
            try RemoveTree.remove(taken, at: drafts.number, only: known.union([lower.identity]))
        } catch {
            guard error.errno == .busy || error.errno == .notEmpty else { throw error }
            if change.kind == .replaced {
                try exchangeEntries(taken, at: drafts.number, with: name, at: target)
            } else {
                try moveEntry(taken, at: drafts.number, toNew: name, at: target)
            }
            throw KernelError(.openat, .busy)
        }
    }

    /// Removes a name at once: what is below it goes when it can be seen no more.
    mutating func takeAway(_ name: EntryName, _ change: Change, _ parents: HeldParents) throws(KernelError) {
        guard try entryStatus(name, at: parents.original) != nil else { return }
        try ours.taking(name, change, at: parents.original) { () throws(KernelError) in
            try remove(name, change, parents)
        }
    }

    private mutating func remove(_ name: EntryName, _ change: Change, _ parents: HeldParents) throws(KernelError) {
        let target = parents.original
        let isOurs = insiders.have(try entryStatus(of: target))
        if change.lower?.kind == .directory {
            do throws(KernelError) {
                return try removeEntry(name, at: target, directory: true)
            } catch {
                guard error.errno == .notEmpty else { throw error }
            }
        } else if change.layer > 0 || isCopied || isOurs {
            guard try isCompared(name, change, at: target) else { throw KernelError(.openat, .busy) }
            return try removeEntry(name, at: target, directory: false)
        }
        let drafts = try drafts(parents)
        let taken = drafts.nextTaken()
        try letMove(name, change, at: target)
        do throws(KernelError) {
            try moveEntry(name, at: target, to: taken, at: drafts.number)
        } catch {
            guard error.errno == .crossesDevice, change.lower?.kind == .directory else { throw error }
            return try removeInPlace(name, change, at: target)
        }
        guard try isCompared(taken, change, at: drafts.number) else {
            try add(taken, of: drafts, as: name, at: target)
            throw KernelError(.openat, .busy)
        }
        try removeTaken(taken, of: drafts, as: name, change, at: target)
    }

    /// Removes a directory where it is. An overlayfs moves none that its lower layers have (EXDEV, as long as its `redirect_dir` is off),
    /// and on one a container's root is. It goes name by name, and nothing that has come into it meanwhile, from anywhere, goes with it.
    private func removeInPlace(_ name: EntryName, _ change: Change, at target: Int32) throws(KernelError) {
        let opened = try openEntry(name, at: target, .read | .directory)
        guard try isCompared(name, change, at: target) else { throw KernelError(.openat, .busy) }
        var known: Set = [try entryStatus(of: opened.number).identity]
        var walk = try TreeWalk(opened.number)
        while let entry = try walk.nextEntry() {
            guard let status = entry.status else { continue }
            known.insert(status.identity)
            // Its time is that of what is removed from it, for whoever finishes this.
            if status.kind == .directory {
                try placed.note(PlacedDirectories.Entry(upper: 0, FileMark(entry.name, at: entry.directory)))
            }
        }
        try RemoveTree.remove(name, at: target, only: known)
    }

    private func isCompared(_ name: EntryName, _ change: Change, at directory: Int32) throws(KernelError) -> Bool {
        guard let mark = change.mark else { return change.lower == nil || change.layer > 0 }
        let found = try FileMark(name, at: directory)
        guard mark.isStill(found), try isUnchanged(name, change, at: directory) else { return false }
        // Whoever may write to a directory in it may have moved into it what is not his to remove.
        if let before = trees[change.path] {
            let now = try asCaller { () throws(KernelError) in try TreeSum(name, at: directory, like: before) }
            guard now == before else { return false }
        }
        // As what the move has made it, for whoever finishes this.
        if !found.isLasting { try placed.note(PlacedDirectories.Entry(upper: 0, found)) }
        return true
    }

    /// Whether a file has the text and the mode that it had when conflicts were looked for. A rename changes st_ctime, and an apply the
    /// number of its names.
    private func isUnchanged(_ name: EntryName, _ change: Change, at directory: Int32) throws(KernelError) -> Bool {
        guard let lower = change.lower, lower.kind == .regular, let now = try entryStatus(name, at: directory) else {
            return true
        }
        return now.size == lower.size && now.modified == lower.modified && now.permissions == lower.permissions
            && now.owner == lower.owner && now.group == lower.group
    }

    /// Before something is moved to where it is removed. A directory that goes to another one is written in, rename(2): its owner may
    /// have closed it to that.
    private func letMove(_ name: EntryName, _ change: Change, at target: Int32) throws(KernelError) {
        // For whoever finishes this; and its time is no sign of anybody else's change after this.
        guard let lower = change.lower else { return }
        if let mark = change.mark { try placed.note(PlacedDirectories.Entry(upper: 0, mark)) }
        guard lower.kind == .directory, lower.permissions & 0o200 == 0, user != 0 else { return }
        let entry = try openEntry(name, at: target, .path | .directory)
        let found = try status(of: entry.number)
        guard found.owner == user, found.identity == lower.identity else { return }
        try setPermissions(ofPath: entry.number, lower.permissions | 0o200)
    }
}
