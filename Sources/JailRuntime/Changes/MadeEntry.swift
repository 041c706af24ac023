import Kernel

// Names in a directory of somebody else's are that one's to exchange at any moment, also while root works there: what is given an owner, a
// mode or a place is what was compared, or what this process has made.

extension ChangeApplication {
    /// Throws where a name of the original is not the file that the change was found over, or where nothing was to be made.
    func requireCompared(_ change: Change, _ name: EntryName, at target: Int32) throws(KernelError) {
        guard handover.isRoot else { return }
        guard let lower = change.lower else { return try handover.requireReach(of: target, for: change) }
        // The name of a lower below is the first one's to have.
        guard change.layer == 0, let found = try entryStatus(name, at: target) else { return }
        guard found.isSame(as: lower) else { throw KernelError(.openat, .busy) }
    }

    /// Opens the directory that a change of its mode was found over.
    func openCompared(_ change: Change, _ name: EntryName, at target: Int32) throws(KernelError) -> Descriptor {
        let opened = try openEntry(name, at: target, .read | .directory)
        guard handover.isRoot, change.layer == 0, let lower = change.lower else { return opened }
        guard try entryStatus(of: opened.number).isSame(as: lower), try handover.isOf(change, at: target) else {
            throw KernelError(.openat, .busy)
        }
        return opened
    }

    /// Opens what has just been made under the temporary name: of that kind, this process's and, a directory, empty.
    func openMade(_ kind: EntryStatus.Kind, at target: Int32, _ mode: OpenMode) throws(KernelError) -> Descriptor {
        let made = try openEntry(temporary, at: target, mode)
        guard handover.isRoot else { return made }
        let found = try entryStatus(of: made.number)
        var isOurs = found.kind == kind && found.owner == 0
        if isOurs, kind == .directory { isOurs = try entryNames(of: made.number).isEmpty }
        guard isOurs else { throw KernelError(.openat, .busy) }
        return made
    }
}

extension EntryStatus {
    func isSame(as other: EntryStatus) -> Bool { device == other.device && inode == other.inode }
}
