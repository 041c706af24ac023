import Kernel

/// The files and directories of the original whose last time is an apply's doing: `immure.put` in the work directory.
///
/// An apply of some changes, or one that was killed, puts files in, and takes one of several names from others. Neither is a change of
/// the original's; what somebody has made of such a file since has another time.
final class PutFiles {
    /// The time that a file has from an apply, and how many names it had before one was to be taken from it; 0 where that is done.
    private struct State: Equatable {
        let changed: Int64
        var links = 0
    }

    private let journal: LineJournal
    private var known: [FileIdentity: State] = [:]

    init(in work: Int32) throws(Failure) {
        journal = LineJournal("immure.put", in: work)
        for line in try journal.numbers() where line.count == 4 {
            known[FileIdentity(device: line[0], inode: line[1])] = State(
                changed: Int64(bitPattern: line[2]), links: Int(clamping: line[3]))
        }
    }

    func begin() throws(KernelError) { try journal.begin() }
    func remove() throws(KernelError) { try journal.remove() }

    /// Whether nobody has changed it after an apply. One that was killed as it took a name has done so or not.
    func isOwn(_ file: EntryStatus) -> Bool {
        guard let state = known[file.identity] else { return false }
        return file.changed == state.changed
            || state.links > 0 && file.kind != .directory && file.links == state.links - 1
    }

    func note(_ file: EntryStatus) throws(KernelError) { try note(file.identity, State(changed: file.changed)) }

    /// What is about to get its name, by which its time changes.
    func announce(_ file: EntryStatus) throws(KernelError) {
        try note(file.identity, State(changed: file.changed, links: file.links + 1))
    }

    private func note(_ file: FileIdentity, _ state: State) throws(KernelError) {
        guard known.updateValue(state, forKey: file) != state else { return }
        try journal.add([file.device, file.inode, UInt64(bitPattern: state.changed), UInt64(clamping: state.links)])
    }

    /// Does something that takes a name of the original from the file that a change was found over. Its other names have its time: that
    /// is noted where it has any.
    func taking(
        _ name: EntryName, _ change: Change, at target: Int32, _ body: () throws(KernelError) -> Void
    ) throws(KernelError) {
        guard let lower = change.lower, change.layer == 0, lower.kind == .regular, lower.links > 1 else {
            return try body()
        }
        let file = try openEntry(name, at: target, .path)
        let found = try entryStatus(of: file.number)
        guard found.identity == lower.identity else { return try body() }
        try note(found.identity, State(changed: found.changed, links: found.links))
        do throws(KernelError) {
            try body()
        } catch {
            try note(try entryStatus(of: file.number))
            throw error
        }
        try note(try entryStatus(of: file.number))
    }
}
