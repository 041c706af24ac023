package import Kernel

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
    private var taken: TakenFiles?
    /// Of the directories that have been asked for, the last: changes come in the order of their paths.
    private var last: (path: [EntryName], changed: Int64?)?

    init(upper: Int32, lowers: [Int32], record: OverlayRecord) {
        (self.upper, self.lowers, self.record) = (upper, lowers, record)
    }

    /// Two ticks of the clock that file systems stamp with: what immure makes beside or in the original before a launch is no
    /// sign of anybody else.
    private static let tick: Int64 = 10_000_000

    mutating func judge(_ change: Change) throws(KernelError) -> Verdict {
        guard let kind = change.upper?.kind else { return .none }
        // A directory that is merged cannot be renamed (redirect_dir is off): one that is a copy has its original's name.
        if kind == .directory, change.origin != nil { return .deleted }
        guard let changed = try time(ofParent: change), changed >= record.start else { return .none }
        guard let origin = change.origin else {
            // A file with several names, and a file that has been made anew over an original, are noted nowhere. An apply that
            // was killed has changed the directory itself.
            return record.isApplying || changed <= record.start + Self.tick ? .none : .unknown
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

    /// The latest of the times of the directories in which the original would have that name; nil where there is none.
    private mutating func time(ofParent change: Change) throws(KernelError) -> Int64? {
        let path = Array(change.path.dropLast())
        if let last, last.path == path { return last.changed }
        var result: Int64?
        for lower in lowers {
            do throws(KernelError) {
                let parent = try openParent(of: change.path, below: lower)
                let changed = try entryStatus(of: parent.number).changed
                result = max(result ?? .min, changed)
            } catch {
                guard [.noEntry, .notDirectory, .loop].contains(error.errno) else { throw error }
            }
        }
        last = (path, result)
        return result
    }

    /// What is said of the names of which it cannot be known; nil for none.
    package static func words(of names: [[EntryName]]) -> String? {
        if names.isEmpty { return nil }
        let shown = names.prefix(5).map { path in
            quotedPath(Change(kind: .added, path: path, upper: nil, lower: nil).bytes())
        }
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
    private var prefix: String { record.attributes + ".overlay." }
    private static let depthLimit = 256

    private init(_ record: OverlayRecord) { self.record = record }

    /// Walks the upper, and of the lowers what it hides.
    static func all(_ upper: Int32, _ lowers: [Int32], _ record: OverlayRecord) throws(KernelError) -> TakenFiles {
        try ClosedFiles.open { (_) throws(KernelError) in
            var result = TakenFiles(record)
            try result.visit(upper, lowers, depth: 0)
            return result
        }
    }

    private mutating func visit(_ upper: Int32, _ lowers: [Int32], depth: Int) throws(KernelError) {
        guard depth < Self.depthLimit else { return isIncomplete = true }
        let mark = try extendedAttribute(prefix + "opaque", of: upper)
        let names = try entryNames(of: upper)
        for name in names {
            guard let status = try entryStatus(name, at: upper) else { continue }
            if status.kind == .directory {
                try descend(name, upper, lowers, depth)
            } else {
                let entry = try openEntry(name, at: upper, .path)
                let origin = try extendedAttribute(prefix + "origin", of: entry.number)
                let (before, handle) = (self, origin.flatMap { FileHandle(origin: $0) })
                try hide(name, lowers, under: handle, depth)
                if origin != nil {
                    count = before.count
                    if handle == nil { isIncomplete = before.isIncomplete }
                    if try isThere(name, lowers) { copies.insert(status.inode) }
                }
                // A whiteout over nothing: what was there has gone in the original as well.
                let isWhiteout = Change.isWhiteout(status, isMarked: mark == [UInt8(ascii: "x")])
                if isWhiteout, try !isThere(name, lowers) { isIncomplete = true }
            }
        }
        guard mark == [UInt8(ascii: "y")] else { return }
        for lower in lowers {
            if try entryStatus(of: lower).changed >= record.start { isIncomplete = true }
            for name in try entryNames(of: lower) where !names.contains(name) {
                try hide(name, [lower], under: nil, depth)
            }
        }
    }

    private mutating func descend(
        _ name: EntryName, _ upper: Int32, _ lowers: [Int32], _ depth: Int
    ) throws(KernelError) {
        var below: [Int32] = []
        defer { for lower in below { closeDescriptor(lower) } }
        for lower in lowers {
            guard let found = try entryStatus(name, at: lower) else { continue }
            if found.kind == .directory {
                below.append(try openEntry(name, at: lower, .read | .directory).release())
            } else {
                try hide(name, [lower], under: nil, depth)
            }
        }
        let directory = try openEntry(name, at: upper, .read | .directory)
        try visit(directory.number, below, depth: depth + 1)
    }

    private func isThere(_ name: EntryName, _ lowers: [Int32]) throws(KernelError) -> Bool {
        for lower in lowers {
            if try entryStatus(name, at: lower) != nil { return true }
        }
        return false
    }

    /// What the lowers have of a name that the upper has a file of its own at, or nothing; of a tree all that is in it.
    private mutating func hide(
        _ name: EntryName, _ lowers: [Int32], under origin: FileHandle?, _ depth: Int
    ) throws(KernelError) {
        guard depth < Self.depthLimit else { return isIncomplete = true }
        for lower in lowers {
            guard let found = try entryStatus(name, at: lower) else { continue }
            let isLate = found.changed >= record.start
            guard found.kind == .directory else {
                let handle = try fileHandle(name, at: lower)
                if let handle { handles.insert(handle) }
                // That copy, changed in the original too, is still the same file.
                if isLate, handle == nil || handle != origin { isIncomplete = true }
                count += 1
                continue
            }
            if isLate { isIncomplete = true }
            let directory = try openEntry(name, at: lower, .read | .directory)
            for below in try entryNames(of: directory.number) {
                try hide(below, [directory.number], under: nil, depth + 1)
            }
        }
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
