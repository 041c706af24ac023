import Kernel

/// Whether a name that the original has not, and the upper has, is one that the original had when it was changed.
///
/// A name that is gone has no time. But overlayfs notes of each copy what it is a copy of (`overlay.origin`), and a directory's
/// time tells whether names in it have come or gone. Of a copy that the jail has renamed the original is still there, where the
/// jail has taken it from.
package struct Deletions {
    enum Verdict { case none, unknown, deleted }

    let upper: Int32
    let lowers: [Int32]
    let record: OverlayRecord
    /// Directories whose time is that of an apply are among these.
    private let ours: PutFiles
    private var taken: TakenFiles?
    /// Of the directories that have been asked for, the last: changes come in the order of their paths.
    private var last: (path: EntryPath, changed: Int64?)?
    /// The way to that in each lower.
    private let ways: [Descent]

    init(upper: Int32, lowers: [Int32], record: OverlayRecord, _ ours: PutFiles) {
        (self.upper, self.lowers, self.record, self.ours) = (upper, lowers, record, ours)
        ways = lowers.map { Descent($0, besides: lowers.count - 1) }
    }

    mutating func judge(_ change: Change) throws(KernelError) -> Verdict {
        guard let kind = change.upper?.kind else { return .none }
        // A directory that is merged cannot be renamed (redirect_dir is off): one that is a copy has its original's name.
        if kind == .directory, change.origin != nil { return .deleted }
        guard let changed = try time(ofParent: change), record.isLate(changed) else { return .none }
        guard let origin = change.origin else {
            // A file with several names, and a file that has been made anew over an original, are noted nowhere. An apply that
            // was killed has changed the directory itself.
            return record.isApplying ? .none : .unknown
        }
        let found = if let taken { taken } else { try TakenFiles.all(upper, lowers, record) }
        taken = found
        if let upper = change.upper, found.copies.contains(upper.inode) { return .none }
        // An ordinary user's overlayfs notes that it is a copy, but not of what: what was renamed has left its place.
        guard let handle = FileHandle(origin: origin) else {
            return found.count == 0 && !found.isIncomplete ? .deleted : .unknown
        }
        if found.handles.contains(handle) { return .none }
        return found.isIncomplete ? .unknown : .deleted
    }

    /// The latest of the times of the directories in which the original would have that name, but for those of an apply; nil where
    /// there is none.
    private mutating func time(ofParent change: Change) throws(KernelError) -> Int64? {
        let path = change.path.parent
        if let last, last.path == path { return last.changed }
        var result: Int64?
        for way in ways {
            do throws(KernelError) {
                try way.go(to: path)
                let found = try entryStatus(of: way.directory)
                if !ours.isOwn(found) { result = max(result ?? .min, found.changed) }
            } catch {
                guard [.noEntry, .notDirectory, .loop].contains(error.errno) else { throw error }
            }
        }
        last = (path, result)
        return result
    }

    /// What is said of the names of which it cannot be known; nil for none.
    package static func words(of names: [EntryPath]) -> String? {
        if names.isEmpty { return nil }
        let shown = names.prefix(5).map(\.text)
        let more = names.count > 5 ? " and \(names.count - 5) more" : ""
        return "it cannot be known whether the original had, and has deleted since the launch: "
            + shown.joined(separator: ", ") + more
    }
}

/// The files of the original that the jail has put something else in the place of, or nothing: what it has renamed is among
/// them.
struct TakenFiles {
    private(set) var handles: Set<FileHandle> = []
    /// The inodes of copies that stand in the place of their originals: other names of them are hard links to those.
    private(set) var copies: Set<UInt64> = []
    /// In how many such places there is no copy.
    private(set) var count = 0
    /// Whether there may have been others: such a place has changed in the original since.
    private(set) var isIncomplete = false

    private let record: OverlayRecord
    private let way: MergedDescent
    private var prefix: String { record.attributes + ".overlay." }

    private init(_ upper: Int32, _ lowers: [Int32], _ record: OverlayRecord) {
        self.record = record
        way = MergedDescent(upper, over: lowers)
    }

    /// Walks the upper, and of the lowers what it hides.
    static func all(_ upper: Int32, _ lowers: [Int32], _ record: OverlayRecord) throws(KernelError) -> TakenFiles {
        try ClosedFiles.open { (_) throws(KernelError) in
            var result = TakenFiles(upper, lowers, record)
            try result.visit()
            return result
        }
    }

    private mutating func visit() throws(KernelError) {
        var levels = [try list()]
        while !levels.isEmpty {
            guard let name = levels[levels.count - 1].names.popLast() else {
                levels.removeLast()
                try way.leave()
                continue
            }
            let (upper, lowers) = (way.upper.directory, way.merged.map(\.directory))
            guard let status = try entryStatus(name, at: upper) else { continue }
            if status.kind == .directory {
                try descend(name)
                levels.append(try list())
            } else {
                try take(name, status, upper, lowers, isMarked: levels[levels.count - 1].isMarked)
            }
        }
    }

    /// The names in a directory, the last first, and whether empty files may be whiteouts; of an opaque one all else is hidden.
    private mutating func list() throws(KernelError) -> (names: [EntryName], isMarked: Bool) {
        let mark = try extendedAttribute(prefix + "opaque", of: way.upper.directory)
        let names = try entryNames(of: way.upper.directory)
        if mark == [UInt8(ascii: "y")] {
            let there = Set(names)
            for lower in way.merged {
                if record.isLate(try entryStatus(of: lower.directory).changed) { isIncomplete = true }
                for name in try entryNames(of: lower.directory) where !there.contains(name) {
                    try hide(name, [lower.directory], under: nil)
                }
            }
        }
        return (names.reversed(), mark == [UInt8(ascii: "x")])
    }

    private mutating func take(
        _ name: EntryName, _ status: EntryStatus, _ upper: Int32, _ lowers: [Int32], isMarked: Bool
    ) throws(KernelError) {
        let entry = try openEntry(name, at: upper, .path)
        let origin = try extendedAttribute(prefix + "origin", of: entry.number)
        let (before, handle) = ((count, isIncomplete), origin.flatMap { FileHandle(origin: $0) })
        try hide(name, lowers, under: handle)
        if origin != nil {
            count = before.0
            if handle == nil { isIncomplete = before.1 }
            if try isThere(name, lowers) { copies.insert(status.inode) }
        }
        // A whiteout over nothing: what was there has gone in the original as well.
        if Change.isWhiteout(status, isMarked: isMarked), try !isThere(name, lowers) { isIncomplete = true }
    }

    private mutating func descend(_ name: EntryName) throws(KernelError) {
        var layers: [Int] = []
        for lower in way.merged {
            guard let found = try entryStatus(name, at: lower.directory) else { continue }
            if found.kind == .directory {
                layers.append(lower.layer)
            } else {
                try hide(name, [lower.directory], under: nil)
            }
        }
        try way.enter(name, merging: layers)
    }

    private func isThere(_ name: EntryName, _ lowers: [Int32]) throws(KernelError) -> Bool {
        for lower in lowers {
            if try entryStatus(name, at: lower) != nil { return true }
        }
        return false
    }

    /// What the lowers have of a name that the upper has a file of its own at, or nothing; of a tree all that is in it.
    private mutating func hide(
        _ name: EntryName, _ lowers: [Int32], under origin: FileHandle?
    ) throws(KernelError) {
        for lower in lowers {
            guard let found = try entryStatus(name, at: lower) else { continue }
            try hide(name, found, at: lower, under: origin)
            guard found.kind == .directory else { continue }
            var walk = try TreeWalk(name, at: lower)
            while let below = try walk.nextEntry() {
                if let status = below.status { try hide(below.name, status, at: below.directory, under: nil) }
            }
        }
    }

    private mutating func hide(
        _ name: EntryName, _ found: EntryStatus, at directory: Int32, under origin: FileHandle?
    ) throws(KernelError) {
        let isLate = record.isLate(found.changed)
        guard found.kind != .directory else { return isIncomplete = isIncomplete || isLate }
        let handle = try fileHandle(name, at: directory)
        if let handle { handles.insert(handle) }
        // That copy, changed in the original too, is still the same file.
        if isLate, handle == nil || handle != origin { isIncomplete = true }
        count += 1
    }
}

extension FileHandle {
    /// From what overlayfs notes: version, magic, length, flags, kind and UUID of the file system, and the handle; nil where
    /// the file system has none.
    init?(origin: [UInt8]) {
        guard origin.count > 21, origin[1] == 0xFB else { return nil }
        self.init(kind: Int32(origin[4]), bytes: Array(origin[21...]))
    }
}
