import Kernel

/// Finds what an upper changes of the directories below it, by walking the upper and nothing else: it costs what was changed,
/// not what there is.
///
/// Every name is reached from the descriptor of its directory and never followed: what the jail has left may be anything.
struct ChangeWalk {
    /// `user.overlay.` or `trusted.overlay.`
    let prefix: String
    private(set) var changes: [Change] = []

    private let way: MergedDescent

    private init(_ upper: Int32, over lowers: [Int32], _ prefix: String) {
        self.prefix = prefix
        way = MergedDescent(upper, over: lowers)
    }

    /// As whose a file of a lower has appeared in the overlay, and was copied.
    typealias Appearance = (_ user: UInt32, _ group: UInt32) -> (user: UInt32, group: UInt32)

    private var appearance: Appearance = { ($0, $1) }
    private var bounds: Bounds?
    /// Whether a mode in the way had better be met while there is a way over it.
    private var meetsModes = false
    /// Where it is asked what new names are copies of, and whether the jail has seen the directories of the original.
    private var seen: SeenDirectories?
    /// Where it is asked whom apply would give new names to.
    private(set) var handover: Handover?

    /// All changes, each before what is below it; more than `bounds` are E2BIG. `root` is what the upper itself has been.
    static func changes(
        of upper: Int32, over lowers: [Int32], prefix: String, root: RootState?, within bounds: Bounds? = nil,
        seen: SeenDirectories? = nil, handover: Handover? = nil, appearance: @escaping Appearance = { ($0, $1) }
    ) throws(KernelError) -> [Change] {
        try ClosedFiles.open { (isMet) throws(KernelError) in
            var walk = ChangeWalk(upper, over: lowers, prefix)
            (walk.bounds, walk.meetsModes, walk.seen, walk.appearance) = (bounds, isMet, seen, appearance)
            walk.handover = handover
            if let root { try walk.compareRoot(upper, lowers[0], root) }
            try walk.all()
            return Change.needed(walk.changes)
        }
    }

    /// The directories of the lowers that are merged at this path, each with the place of its lower.
    typealias Merged = [(layer: Int, directory: Int32)]

    /// A directory on the way, and what has not been looked at of it.
    private struct Level {
        let path: EntryPath
        /// The last comes first.
        var names: [EntryName] = []
        /// What an opaque directory has not is not there, whatever the lowers have.
        var gone: Set<EntryName> = []
        /// Whether empty files may be whiteouts.
        var isMarked = false
        let isOpaque: Bool
        /// The directory of the first lower, where it is merged.
        var place: FileMark?
        /// The mount that it is on.
        var mount: UInt64?
        var astray: String?
    }

    private mutating func all() throws(KernelError) {
        var levels = [try level(.root, isOpaque: false)]
        while !levels.isEmpty {
            guard let name = levels[levels.count - 1].names.popLast() else {
                levels.removeLast()
                try way.leave()
                continue
            }
            let level = levels[levels.count - 1]
            let (before, above) = (changes.count, seen == nil ? nil : way.merged.first)
            let layers = try visit(name, in: level)
            for index in before..<changes.count {
                (changes[index].place, changes[index].astray) = (level.place, level.astray)
                if let above, above.layer == 0, changes[index].layer == 0, changes[index].lower != nil {
                    let entry = try openEntry(name, at: above.directory, .path)
                    changes[index].mark = try FileMark(of: entry.number, in: level.place)
                    changes[index].isMounted = try mountNumber(at: entry.number) != level.mount
                }
                guard let maker = seen?.record.owner.first, let upper = changes[index].upper,
                    upper.kind == .regular, UInt64(upper.owner) != maker
                else { continue }
                changes[index].isListed = try hasAccessList(name, at: way.upper.directory)
            }
            guard let layers else { continue }
            let outer = try above.map { (above) throws(KernelError) in try entryStatus(of: above.directory) }
            try way.enter(name, merging: layers)
            // What is new in an opaque directory has no mark of its own: there was nothing to be opaque over.
            var isShut = level.isOpaque
            if !isShut { isShut = try mark(of: way.upper.directory) == [UInt8(ascii: "y")] }
            var next = try self.level(way.upper.path, isOpaque: isShut)
            next.astray = level.astray
            if next.astray == nil, let here = level.mount, let there = next.mount, here != there {
                next.astray = SeenDirectories.mounted
            }
            if let seen, let outer, let lower = way.merged.first, next.astray == nil {
                next.astray = try seen.objection(
                    to: way.upper.directory, isOpaque: isShut, lower.directory,
                    way.merged.dropFirst().map(\.directory), in: outer)
                // What is changed of it itself is so of another one.
                if next.astray != nil, let last = changes.indices.last, changes[last].path == next.path {
                    changes[last].astray = next.astray
                }
            }
            levels.append(next)
        }
    }

    private func level(_ path: EntryPath, isOpaque: Bool) throws(KernelError) -> Level {
        var level = Level(path: path, isOpaque: isOpaque)
        level.names = try entryNames(of: way.upper.directory)
        level.isMarked = try mark(of: way.upper.directory) == [UInt8(ascii: "x")]
        if seen != nil, let first = way.merged.first, first.layer == 0 {
            (level.place, level.mount) = (try FileMark(of: first.directory), try mountNumber(at: first.directory))
        }
        if isOpaque {
            let there = Set(level.names)
            for lower in way.merged { level.gone.formUnion(try entryNames(of: lower.directory)) }
            level.gone.subtract(there)
            level.names = (level.names + level.gone).sorted()
        }
        level.names.reverse()
        return level
    }

    /// Finds what has become of a name; of a directory that is to be walked, which lowers are merged in it.
    private mutating func visit(_ name: EntryName, in level: Level) throws(KernelError) -> [Int]? {
        let (upper, lowers, path) = (way.upper.directory, way.merged, level.path.appending(name))
        try bounds?.take(path)
        if level.gone.contains(name) {
            if let original = try find(name, in: lowers) { try note(deleted: path, name, original, in: lowers) }
            return nil
        }
        guard let status = try entryStatus(name, at: upper) else { return nil }
        let original = try find(name, in: lowers)
        var isGone = Change.isWhiteout(status, isMarked: level.isMarked)
        if isGone, status.kind == .regular { isGone = try hasMark(name, upper) }
        guard !isGone else {
            if let original { try note(deleted: path, name, original, in: lowers) }
            return nil
        }
        try compare(name, status, upper, original, lowers, path)
        guard status.kind == .directory else { return nil }
        var layers: [Int] = []
        guard case .directory? = original?.status.kind else { return layers }
        for lower in lowers {
            // The first that is no directory ends what is merged.
            guard let found = try entryStatus(name, at: lower.directory) else { continue }
            guard found.kind == .directory else { break }
            layers.append(lower.layer)
        }
        return layers
    }

    /// The merged root is what the upper is: what the jail has made of it is a change, what the host has made of the original is
    /// none.
    private mutating func compareRoot(_ upper: Int32, _ lower: Int32, _ before: RootState) throws(KernelError) {
        let (now, original) = (try RootState(of: upper), try RootState.known(of: lower))
        let parts = now.parts(otherThan: before).intersection(now.parts(otherThan: original))
        if parts.isEmpty { return }
        let (found, there) = (try entryStatus(of: upper), try entryStatus(of: lower))
        // Only what the jail has changed is said.
        var seen = there
        if parts.contains(.mode) { seen.permissions = found.permissions }
        if parts.contains(.owner) { (seen.owner, seen.group) = (found.owner, found.group) }
        let attributes =
            parts.contains(.attributes) ? differences(now.attributes ?? [:], original.attributes ?? [:]) : []
        let notes = Change.differences(seen, there, attributes: attributes)
        changes.append(
            Change(kind: .metadata, path: .root, notes: notes, upper: found, lower: there, root: parts))
    }

    private mutating func compare(
        _ name: EntryName, _ status: EntryStatus, _ upper: Int32, _ original: (layer: Int, status: EntryStatus)?,
        _ lowers: Merged, _ place: EntryPath
    ) throws(KernelError) {
        if meetsModes, status.kind == .regular, status.permissions & 0o400 == 0 {
            // Whoever applies it reads it.
            _ = try openEntry(name, at: upper, .read)
        }
        var aim: [String] = []
        if status.kind == .symlink { aim = try ["-> " + quotedPath(linkTarget(name, at: upper))] }
        func add(_ kind: Change.Kind, _ notes: [String] = []) {
            let notes = kind == .metadata ? notes : aim + notes
            changes.append(
                Change(
                    kind: kind, path: place, notes: notes, upper: status, lower: original?.status,
                    layer: original?.layer ?? 0))
        }
        if let original, original.status.kind == status.kind {
            let (isSame, wasRead) = try isSameContent(name, status, upper, original, lowers)
            let differences = Change.differences(
                status, original.status, attributes: try attributesThatDiffer(name, upper, original, lowers))
            var notes =
                original.status.kind == .regular && original.status.links > 1 ? ["links \(original.status.links)"] : []
            if !wasRead { notes.append("cannot be read") }
            if seen != nil, status.kind == .directory, original.layer > 0 {
                // What is put into the first lower stands in a directory of that.
                add(.added, differences)
                changes[changes.count - 1].isImplied = differences.isEmpty
            } else if !isSame {
                add(.content, notes + differences)
            } else if !differences.isEmpty {
                add(.metadata, differences)
            }
        } else if let original {
            let lost = try size(ofTree: name, original, lowers)
            add(
                .replaced,
                ["\(original.status.kind) to \(status.kind)"] + (lost > 1 ? ["\(lost) entries"] : [])
                    + (try rights(of: name, status, at: upper, isKindSaid: true)))
        } else {
            add(.added, try rights(of: name, status, at: upper, isKindSaid: false))
            if seen != nil {
                let entry = try openEntry(name, at: upper, .path)
                changes[changes.count - 1].origin = try extendedAttribute(prefix + "origin", of: entry.number)
            }
        }
    }

    /// What the lowers have of that name: the uppermost.
    private func find(
        _ name: EntryName, in lowers: Merged
    ) throws(KernelError) -> (layer: Int, status: EntryStatus)? {
        for lower in lowers {
            guard var found = try entryStatus(name, at: lower.directory) else { continue }
            (found.owner, found.group) = appearance(found.owner, found.group)
            // A lower may itself be the upper of another overlay.
            return Change.isWhiteout(found, isMarked: false) ? nil : (lower.layer, found)
        }
        return nil
    }

    func directory(of layer: Int, _ lowers: Merged) -> Int32 {
        lowers.first { $0.layer == layer }?.directory ?? -1
    }

    private mutating func note(
        deleted path: EntryPath, _ name: EntryName, _ original: (layer: Int, status: EntryStatus), in lowers: Merged
    ) throws(KernelError) {
        let lost = try size(ofTree: name, original, lowers)
        changes.append(
            Change(
                kind: .deleted, path: path, notes: lost > 1 ? ["\(lost) entries"] : [], upper: nil,
                lower: original.status, layer: original.layer))
    }

    private func size(
        ofTree name: EntryName, _ original: (layer: Int, status: EntryStatus), _ lowers: Merged
    ) throws(KernelError) -> Int {
        guard original.status.kind == .directory else { return 1 }
        var (walk, result) = (try TreeWalk(name, at: directory(of: original.layer, lowers)), 1)
        while try walk.nextEntry() != nil { result += 1 }
        return result
    }

    // What overlayfs has noted

    private func mark(of directory: Int32) throws(KernelError) -> [UInt8]? {
        try extendedAttribute(prefix + "opaque", of: directory)
    }

    private func hasAccessList(_ name: EntryName, at directory: Int32) throws(KernelError) -> Bool {
        try extendedAttributes(of: name, at: directory).contains("system.posix_acl_access")
    }

    private func hasMark(_ name: EntryName, _ upper: Int32) throws(KernelError) -> Bool {
        let entry = try openEntry(name, at: upper, .path)
        return try extendedAttribute(prefix + "whiteout", of: entry.number) != nil
    }
}
