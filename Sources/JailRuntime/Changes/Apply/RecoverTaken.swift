package import JailSpec
import Kernel
package import SpecFile

// What an apply that was killed has left beside the names of the original: what it has made goes, and so does what it has taken from a name
// and had compared. What somebody had put there between two of its calls is his, and gets its name back.

extension ChangeApplication {
    /// Does so, and returns what there is to say. It comes before changes are looked for: what is back at its name is the original's.
    /// `looks`: nothing is done, and where things lie is said.
    package func recover(looks: Bool) throws(Diagnostic) -> [String] {
        guard record.isApplying, !record.isEmptying else { return [] }
        var told: [String] = []
        do throws(Failure) {
            if !looks { try failing { () throws(KernelError) in try opened.begin() } }
            try Self.acting(as: handover.owner) { () throws(KernelError) in
                try ClosedFiles.open { (_) throws(KernelError) in try sweep(looks, &told) }
            }
        } catch {
            throw KeptChanges.diagnostic(error, mount)
        }
        return told
    }

    /// In every directory that an apply of these changes may have been in.
    private func sweep(_ looks: Bool, _ told: inout [String]) throws(KernelError) {
        original.startAnew()
        changed.startAnew()
        var left = [try sweepOne(looks, &told)]
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
            left.append(try sweepOne(looks, &told))
        }
    }

    /// The names that the upper has where both are, the last first.
    private func sweepOne(_ looks: Bool, _ told: inout [String]) throws(KernelError) -> [EntryName] {
        let place = original.directory
        for name in try DraftPlace.names(temporary, in: place) {
            guard let own = try DraftPlace.open(name, in: place, of: user) else { continue }
            if !looks { try opened.open(place, at: original.path, of: user) }
            var isKept = false
            for draft in try entryNames(of: own.number) {
                guard draft.isDraft(of: temporary) else {
                    isKept = true
                    continue
                }
                guard let entry = taken.known[draft], try !isMade(draft, entry, at: own.number) else {
                    if !looks { try RemoveTree.remove(draft, at: own.number) }
                    continue
                }
                if try mayGo(draft, entry, at: own.number, looks) { continue }
                told.append(try words(of: draft, entry, in: name, at: own.number, looks))
            }
            if isKept { told.append("\(original.path.appending(name).text) is left: it has what no apply has made") }
            if !looks { try DraftPlace.removeEmpty(name, at: place) }
        }
        if !looks { try opened.close(place) }
        return try asCaller { () throws(KernelError) in try entryNames(of: changed.directory).reversed() }
    }

    /// Whether it may go: it is removed, or looked through.
    private func mayGo(
        _ draft: EntryName, _ entry: TakenEntries.Entry, at drafts: Int32, _ looks: Bool
    ) throws(KernelError) -> Bool {
        guard try entry.compared.isStill(draft, at: drafts), try isCondemned(draft, entry, at: drafts) else {
            return false
        }
        if looks { return true }
        do throws(KernelError) {
            try RemoveTree.remove(draft, at: drafts) { isCondemned($0, entry) }
            return true
        } catch {
            guard error.errno == .busy || error.errno == .notEmpty else { throw error }
            return false
        }
    }

    /// Whether it is what was made still, which has not come to its name.
    private func isMade(
        _ draft: EntryName, _ entry: TakenEntries.Entry, at drafts: Int32
    ) throws(KernelError) -> Bool {
        guard let made = entry.made else { return false }
        return try entryStatus(draft, at: drafts)?.identity == made.identity
    }

    /// Whether something that was taken, or is in it, has been there since before the launch: what somebody moves has another time after
    /// that, and so has a directory that something was removed from, which is noted before.
    private func isCondemned(_ status: EntryStatus, _ entry: TakenEntries.Entry) -> Bool {
        if status.identity == entry.compared.mark.identity || !record.isLate(status.changed) { return true }
        return status.kind == .directory ? taken.condemned.contains(status.identity) : ours.isOwn(status)
    }

    /// The same of all that is in a directory.
    private func isCondemned(
        _ draft: EntryName, _ entry: TakenEntries.Entry, at drafts: Int32
    ) throws(KernelError) -> Bool {
        guard try entryStatus(draft, at: drafts)?.kind == .directory else { return true }
        var walk = try TreeWalk(draft, at: drafts)
        while let below = try walk.nextEntry() {
            if let status = below.status, !isCondemned(status, entry) { return false }
        }
        return true
    }

    /// Gives what is somebody's its name back, and says so, or where it lies.
    private func words(
        of draft: EntryName, _ entry: TakenEntries.Entry, in name: EntryName, at drafts: Int32, _ looks: Bool
    ) throws(KernelError) -> String {
        let place = original.path.appending(name)
        let began = "\(original.path.appending(entry.name).text): an apply that was killed had taken it away"
        if looks {
            return
                "\(began): it lies in \(place.appending(draft).text), and immure apply or immure discard brings it back"
        }
        if try giveBack(draft, entry, from: drafts) { return "\(began): it is back" }
        let kept = try keep(draft, entry.name, at: drafts)
        return "\(began), and something else has that name: it lies in \(place.appending(kept).text)"
    }

    /// False where something else has the name than what an apply has put there.
    private func giveBack(
        _ draft: EntryName, _ entry: TakenEntries.Entry, from drafts: Int32
    ) throws(KernelError) -> Bool {
        let target = original.directory
        guard let there = try entryStatus(entry.name, at: target) else {
            do throws(KernelError) {
                try moveEntry(draft, at: drafts, toNew: entry.name, at: target)
                return true
            } catch {
                guard error.errno == .exists else { throw error }
                return false
            }
        }
        guard let made = entry.made, made == TakenEntries.Made(there) else { return false }
        try exchangeEntries(draft, at: drafts, with: entry.name, at: target)
        guard try isMade(draft, entry, at: drafts) else {
            try exchangeEntries(draft, at: drafts, with: entry.name, at: target)
            return false
        }
        try RemoveTree.remove(draft, at: drafts)
        return true
    }

    /// Gives it the name that it had, where it lies: by that nobody takes it for something of an apply's.
    private func keep(_ draft: EntryName, _ name: EntryName, at drafts: Int32) throws(KernelError) -> EntryName {
        do throws(KernelError) {
            try moveEntry(draft, at: drafts, toNew: name, at: drafts)
            return name
        } catch {
            guard error.errno == .exists else { throw error }
            return draft
        }
    }
}

extension KeptChanges {
    /// What lies beside the names of the original since an apply was killed, in words.
    package func leftovers(of mount: Mount) throws(Diagnostic) -> [String] {
        guard isUnfinished, isShut else { return [] }
        return try ChangeApplication(self, of: mount, sparing: OwnSpec()).recover(looks: true)
    }

    /// Does what was begun with these, before changes are looked for.
    package func recover(of mount: Mount) throws(Diagnostic) -> [String] {
        isUnfinished ? try ChangeApplication(self, of: mount, sparing: OwnSpec()).recover(looks: false) : []
    }
}
