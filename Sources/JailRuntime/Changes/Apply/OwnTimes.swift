import Kernel

/// The directories of the original that some of the changes are put into, as they were before: whose time was no sign of anybody else.
///
/// A name that has been deleted shows in the time of its directory alone, and what an apply puts in or takes away makes that late as
/// well. Where nothing has gone but by the apply, the time after it is its own: noted, and compared exactly, it is no sign either.
struct OwnTimes {
    private struct Place {
        let path: EntryPath
        /// Which directory, and what was in it; nil and nothing where there was none.
        var identity: FileIdentity?
        var names: Set<EntryName> = []
    }

    /// So many names are kept in mind. In directories beyond these, what is deleted is not known afterwards.
    private static let most = 1 << 17

    private var places: [Place] = []
    private let way: Descent

    /// `original` is borrowed. What a killed apply has done to directories is not told from what somebody else has: `record` is that
    /// before this one.
    init(before changes: [Change], in original: Int32, _ record: OverlayRecord, _ ours: PutFiles) throws(KernelError) {
        way = Descent(original)
        if record.isApplying { return }
        var (seen, room): (Set<EntryPath>, Int) = ([], Self.most)
        for change in changes {
            let own = change.upper?.kind == .directory ? [change.path] : []
            for path in [change.path.parent] + own where seen.insert(path).inserted {
                guard try go(to: path) else {
                    places.append(Place(path: path))
                    continue
                }
                // The names first: a time that is early after that was so all the while.
                let names = try entryNames(of: way.directory)
                let status = try entryStatus(of: way.directory)
                guard names.count <= room, !record.isLate(status.changed) || ours.isOwn(status) else { continue }
                room -= names.count
                places.append(Place(path: path, identity: status.identity, names: Set(names)))
            }
        }
        way.startAnew()
    }

    /// Notes the times of those from which nothing has gone but by these changes, which are in the original now.
    func note(after changes: [Change], in ours: PutFiles) throws(KernelError) {
        var last = Int64.min
        let now = wallTime()
        for place in places where try go(to: place.path) {
            let changed = try entryStatus(of: way.directory).changed
            // Another machine's clock may be ahead: its times are not waited for.
            if changed <= now { last = max(last, changed) }
        }
        guard last > .min else { return }
        // What somebody does in the tick of the clock in which this has done its last has the same time.
        do throws(KernelError) {
            try awaitFileSystemTime(after: last)
        } catch {
            guard error.errno == .timedOut else { throw error }
            return
        }
        var removed: [EntryPath: Set<EntryName>] = [:]
        for change in changes where change.kind == .deleted {
            if let name = change.path.last { removed[change.path.parent, default: []].insert(name) }
        }
        for place in places where try go(to: place.path) {
            let before = try entryStatus(of: way.directory).changed
            let gone = place.names.subtracting(try entryNames(of: way.directory))
            let status = try entryStatus(of: way.directory)
            // Some file systems say only in which second it was.
            guard before == status.changed, status.changed <= last, status.changed % 1_000_000_000 != 0,
                place.identity.map({ $0 == status.identity }) ?? true,
                gone.isSubset(of: removed[place.path] ?? [])
            else { continue }
            try ours.note(status)
        }
    }

    /// Goes to a directory; false where there is none, or none that may be read.
    private func go(to path: EntryPath) throws(KernelError) -> Bool {
        do throws(KernelError) {
            try way.go(to: path)
            return true
        } catch {
            guard [.noEntry, .notDirectory, .loop, .accessDenied].contains(error.errno) else { throw error }
            return false
        }
    }
}
