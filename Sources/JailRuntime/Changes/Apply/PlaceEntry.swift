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
        guard let made = try entryStatus(draft, at: drafts.number) else { throw KernelError(.renameat, .noEntry) }
        try place(made, draft, of: drafts, as: name, change, at: target)
    }

    /// The same, with the status of what has been made.
    func place(
        _ made: EntryStatus, _ draft: EntryName, of drafts: DraftPlace, as name: EntryName, _ change: Change,
        at target: Int32
    ) throws(KernelError) {
        // Of what differs from the upper ever after, whoever finishes this would see a change in it: bits that do not travel.
        let isLess = (change.upper?.permissions ?? 0) & 0o6000 != 0
        let isNoted = (notesFiles || isLess) && made.kind != .directory
        if isNoted { try ours.announce(made) }
        try ours.taking(name, change, at: target) { () throws(KernelError) in
            try move(made, draft, of: drafts, as: name, change, at: target)
        }
        guard isNoted, let now = try entryStatus(name, at: target) else { return }
        if now.identity == made.identity { try ours.note(now) }
    }

    /// Over nothing, or over what was compared and nothing else.
    private func move(
        _ made: EntryStatus, _ draft: EntryName, of drafts: DraftPlace, as name: EntryName, _ change: Change,
        at target: Int32
    ) throws(KernelError) {
        guard change.lower != nil, change.layer == 0 else { return try add(draft, of: drafts, as: name, at: target) }
        if change.kind == .replaced {
            do throws(KernelError) {
                return try exchange(made, draft, of: drafts, with: name, change, at: target)
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
                return try exchange(made, draft, of: drafts, with: name, change, at: target)
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
        _ made: EntryStatus, _ draft: EntryName, of drafts: DraftPlace, with name: EntryName, _ change: Change,
        at target: Int32
    ) throws(KernelError) {
        try letMove(name, change, to: draft, for: made, at: target)
        do throws(KernelError) {
            try exchangeEntries(draft, at: drafts.number, with: name, at: target)
        } catch {
            taken.end(draft)
            throw error
        }
        guard try isCompared(draft, change, at: drafts.number) else {
            // Where that fails it stays where it is: only what was compared is removed.
            try exchangeEntries(draft, at: drafts.number, with: name, at: target)
            taken.end(draft)
            throw KernelError(.openat, .busy)
        }
        try removeTaken(draft, of: drafts, as: name, change, at: target)
    }

    /// Removes what was compared, and nothing that has come into it since: whoever has it open may still put something there. A directory
    /// that is not empty after that gets its name back.
    private func removeTaken(
        _ draft: EntryName, of drafts: DraftPlace, as name: EntryName, _ change: Change, at target: Int32
    ) throws(KernelError) {
        do throws(KernelError) {
            if let tree = trees[change.path], let lower = change.lower, lower.kind == .directory {
                let known = tree.files.union([lower.identity])
                try RemoveTree.remove(draft, at: drafts.number) { known.contains($0.identity) }
            } else {
                try RemoveTree.remove(draft, at: drafts.number)
            }
            taken.end(draft)
        } catch {
            guard error.errno == .busy || error.errno == .notEmpty else { throw error }
            if change.kind == .replaced {
                try exchangeEntries(draft, at: drafts.number, with: name, at: target)
            } else {
                try moveEntry(draft, at: drafts.number, toNew: name, at: target)
            }
            taken.end(draft)
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
        let draft = drafts.next()
        try letMove(name, change, to: draft, for: nil, at: target)
        do throws(KernelError) {
            try moveEntry(name, at: target, to: draft, at: drafts.number)
        } catch {
            taken.end(draft)
            guard error.errno == .crossesDevice, change.lower?.kind == .directory else { throw error }
            return try removeInPlace(name, change, at: target)
        }
        guard try isCompared(draft, change, at: drafts.number) else {
            try add(draft, of: drafts, as: name, at: target)
            taken.end(draft)
            throw KernelError(.openat, .busy)
        }
        try removeTaken(draft, of: drafts, as: name, change, at: target)
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
        try RemoveTree.remove(name, at: target) { known.contains($0.identity) }
    }

    private func isCompared(_ name: EntryName, _ change: Change, at directory: Int32) throws(KernelError) -> Bool {
        guard let compared = change.compared else { return change.lower == nil || change.layer > 0 }
        guard try compared.isStill(name, at: directory) else { return false }
        // Whoever may write to a directory in it may have moved into it what is not his to remove.
        if let before = trees[change.path] {
            let now = try asCaller { () throws(KernelError) in try TreeSum(name, at: directory, like: before) }
            guard now == before else { return false }
            try taken.condemn(before.directories)
        }
        // As what the move has made it, for whoever finishes this.
        if change.lower?.kind == .directory, !compared.mark.isLasting {
            try placed.note(PlacedDirectories.Entry(upper: 0, FileMark(name, at: directory)))
        }
        return true
    }

    /// Before something is moved to `draft`, where it is removed, and what has been made gets its name. A directory that goes to another one
    /// is written in, rename(2): its owner may have closed it to that.
    private func letMove(
        _ name: EntryName, _ change: Change, to draft: EntryName, for made: EntryStatus?, at target: Int32
    ) throws(KernelError) {
        guard let lower = change.lower else { return }
        if let compared = change.compared {
            let entry = TakenEntries.Entry(name: name, made: made.map { TakenEntries.Made($0) }, compared: compared)
            try taken.note(entry, as: draft)
        }
        guard lower.kind == .directory else { return }
        // Its time is no sign of anybody else's change after this.
        if let mark = change.mark { try placed.note(PlacedDirectories.Entry(upper: 0, mark)) }
        guard lower.permissions & 0o200 == 0, user != 0 else { return }
        let entry = try openEntry(name, at: target, .path | .directory)
        let found = try status(of: entry.number)
        guard found.owner == user, found.identity == lower.identity else { return }
        try setPermissions(ofPath: entry.number, lower.permissions | 0o200)
    }
}
