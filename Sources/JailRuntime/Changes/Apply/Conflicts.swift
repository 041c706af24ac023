import Kernel

/// Why a change cannot be put into the original, or only in part.
package struct Objection: Sendable {
    package let path: EntryPath
    package let reason: String
    /// Whether what is below the path has nothing to do with it.
    package var isAlone = false

    /// `path: reason`
    package var line: String { "\(path.text): \(reason)" }
}

/// What stands against a change: what the original has become since the first launch whose changes are kept, and whose it is.
struct Conflicts {
    private let original: Descent
    private let root: Int32
    private let handover: Handover
    /// What an apply has worked in, or was to remove, and what it has put in.
    private let placed: [FileIdentity: [FileMark]]
    private let ours: PutFiles
    private var deletions: Deletions
    private var nodes = LostNodes([])
    /// New names of which it cannot be known whether the original had them, and has deleted them since.
    private(set) var unknown: [EntryPath] = []
    /// What cannot be done, whatever is wanted: changes at or above what is mounted in the original, and of directories that are not the
    /// jail's to change.
    private(set) var barred: [EntryPath: String] = [:]
    /// What is in the directories that are to go, as it was looked through.
    private(set) var trees: [EntryPath: TreeSum] = [:]

    private static let reason = "changed in the original since the launch"
    private static let dressed =
        "changed in the original since the launch, and its mode, owner or attributes are not those that the jail has"
    private static let mounted = "something is mounted there, or below it, in the original"

    private var record: OverlayRecord { handover.record }

    init(
        upper: Int32, lowers: [Int32], _ handover: Handover, _ placed: Set<PlacedDirectories.Entry>, _ ours: PutFiles
    ) {
        (original, root, self.handover, self.ours) = (Descent(lowers[0]), lowers[0], handover, ours)
        self.placed = Dictionary(grouping: placed.map(\.original), by: \.identity)
        deletions = Deletions(upper: upper, lowers: lowers, record: handover.record, ours)
    }

    /// Every change that would undo one of the original's, before the first is made.
    mutating func all(of changes: [Change]) throws(KernelError) -> [Objection] {
        var result: [Objection] = []
        nodes = LostNodes(changes)
        for change in changes {
            if let reason = try reason(against: change) {
                let isAlone = change.isOfRoot || reason == Self.dressed
                result.append(Objection(path: change.path, reason: reason, isAlone: isAlone))
                continue
            }
            // What a lower has is known to be no new name.
            guard change.kind == .added, change.lower == nil else { continue }
            switch try deletions.judge(change) {
            case .none: break
            case .unknown: unknown.append(change.path)
            case .deleted:
                result.append(Objection(path: change.path, reason: "deleted in the original since the launch"))
            }
        }
        return result
    }

    private mutating func reason(against change: Change) throws(KernelError) -> String? {
        if let reason = handover.objection(to: change) { return reason }
        if let reason = change.astray { return reason }
        if change.layer > 0, change.kind != .added {
            return change.kind == .deleted || change.kind == .replaced
                ? "only a lower below the first has it, which is left as it is" : nil
        }
        guard let lower = change.lower else { return nil }
        if change.isMounted {
            barred[change.path] = Self.mounted
            return Self.mounted
        }
        if change.isOfRoot {
            // The time of a directory changes with every name in it, and a killed apply may have been at this.
            guard !record.isApplying, let before = record.roots?.lower else { return nil }
            let since = try RootState.known(of: root).parts(otherThan: before)
            // Its owner stays whose it is.
            return since.isDisjoint(with: change.root.subtracting(.owner)) ? nil : Self.reason
        }
        switch change.kind {
        case .added: return nil
        case .content, .metadata:
            // The time of a directory changes with every name in it.
            if lower.kind != .directory { return isLate(lower) ? Self.reason : nil }
            try original.go(to: change.path.parent)
            barred[change.path] = try handover.objection(toModeOf: change, at: original.directory)
            return barred[change.path] ?? (isDressed(lower, change) ? Self.dressed : nil)
        case .deleted, .replaced:
            let reason = try reason(againstLosing: lower, change)
            return barred[change.path] ?? reason
        }
    }

    /// st_ctime, which nobody can set back. An apply of a part, or one that was killed, has changed times of its own.
    private func isLate(_ status: EntryStatus) -> Bool {
        record.isLate(status.changed) && (status.kind == .directory || !ours.isOwn(status))
    }

    /// Whether somebody may have given a directory the mode, the owner or the attributes that differ from the jail's: the upper has
    /// what they were when a first name below it was changed, and nothing says whether the jail has set them since. A name in it gives it a
    /// time as well, and an apply of a part notes that; one that was killed is finished.
    private func isDressed(_ lower: EntryStatus, _ change: Change) -> Bool {
        guard record.isLate(lower.changed), !ours.isOwn(lower) else { return false }
        return !(record.isApplying && isPlaced(change.mark))
    }

    private mutating func reason(againstLosing lower: EntryStatus, _ change: Change) throws(KernelError) -> String? {
        guard let name = change.path.last else { return nil }
        // A file that an apply has put back is none that was compared.
        let isOwn = lower.kind == .directory && isPlaced(change.mark)
        var result = isLate(lower) && !isOwn ? Self.reason : nodes.reason(againstLosing: lower)
        guard lower.kind == .directory else { return result }
        try original.go(to: change.path.parent)
        var (walk, sum) = (try TreeWalk(name, at: original.directory), TreeSum())
        let mount = try mountNumber(at: original.directory)
        while let entry = try walk.nextEntry() {
            sum.add(entry.name, entry.status)
            guard let status = entry.status else {
                result = Self.reason
                continue
            }
            if try mountNumber(of: entry.name, at: entry.directory) != mount { barred[change.path] = Self.mounted }
            if let lost = nodes.reason(againstLosing: status) { result = result ?? lost }
            guard isLate(status) else { continue }
            // Of a directory that is removed where it is the names go before it, and an apply of a part has made some.
            let mark = status.kind == .directory ? try FileMark(entry.name, at: entry.directory) : nil
            if !isPlaced(mark) { result = Self.reason }
        }
        trees[change.path] = sum
        return result
    }

    /// Whether an apply has worked there, or was about to remove it: its time is no sign of anybody else.
    private func isPlaced(_ mark: FileMark?) -> Bool {
        guard let mark else { return false }
        return placed[mark.identity]?.contains { $0.isStill(mark) } ?? false
    }
}
