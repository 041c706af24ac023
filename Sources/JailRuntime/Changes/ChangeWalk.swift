import Kernel

/// Finds what an upper changes of the directories below it, by walking the upper and nothing else: it costs what was changed,
/// not what there is.
///
/// Every name is reached from the descriptor of its directory and never followed: what the jail has left may be anything.
struct ChangeWalk {
    /// `user.overlay.` or `trusted.overlay.`
    let prefix: String
    private(set) var changes: [Change] = []

    /// No deeper: a jail may leave a tree that would take all descriptors there are.
    private static let depthLimit = 256

    init(prefix: String) { self.prefix = prefix }

    /// How much a walk may find that nobody has asked for by name: the jail decides how much there is, and names cost it nothing.
    struct Bounds {
        /// What the paths of all changes may have together, each with what it takes besides.
        var bytes = 16 << 20
        /// When it is given up, in nanoseconds of the monotonic clock.
        var due = monotonicNanoseconds() + 3_000_000_000

        fileprivate mutating func take(_ path: [EntryName]) throws(KernelError) {
            bytes -= path.reduce(128) { $0 + $1.bytes.count + 24 }
            guard bytes >= 0, monotonicNanoseconds() < due else {
                throw KernelError(.openat, .tooBig, path: "more changes than are listed")
            }
        }
    }

    private var bounds: Bounds?
    /// Whether a mode in the way had better be met while there is a way over it.
    private var meetsModes = false
    /// Whether it is asked what new names are copies of.
    private var asksOrigins = false

    /// All changes, sorted by their paths; more than `bounds` are E2BIG. `root` is the mode that the upper itself has had.
    static func changes(
        of upper: Int32, over lowers: [Int32], prefix: String, root: UInt32?, within bounds: Bounds? = nil,
        origins: Bool = false
    ) throws(KernelError) -> [Change] {
        try ClosedFiles.open { (isMet) throws(KernelError) in
            var walk = ChangeWalk(prefix: prefix)
            (walk.bounds, walk.meetsModes, walk.asksOrigins) = (bounds, isMet, origins)
            if let root { try walk.compareRoot(upper, lowers[0], root) }
            try walk.visit(upper, lowers.enumerated().map { ($0.offset, $0.element) }, [], isOpaque: false)
            return Change.sorted(walk.changes)
        }
    }

    /// The directories of the lowers that are merged at this path, each with the place of its lower.
    private typealias Merged = [(layer: Int, directory: Int32)]

    private mutating func visit(
        _ upper: Int32, _ lowers: Merged, _ path: [EntryName], isOpaque: Bool
    ) throws(KernelError) {
        guard path.count < Self.depthLimit else { throw KernelError(.openat, .tooManyOpen, path: "a tree too deep") }
        let names = try entryNames(of: upper)
        let isMarked = try mark(of: upper) == [UInt8(ascii: "x")]
        for name in names {
            try bounds?.take(path + [name])
            guard let status = try entryStatus(name, at: upper) else { continue }
            let original = try find(name, in: lowers)
            var isGone = Change.isWhiteout(status, isMarked: isMarked)
            if isGone, status.kind == .regular { isGone = try hasMark(name, upper) }
            if isGone {
                if let original { try note(deleted: name, original, path, in: lowers) }
            } else {
                try compare(name, status, upper, original, lowers, path, isOpaque)
            }
        }
        guard isOpaque else { return }
        // What the upper has not is not there, whatever the lowers have.
        var gone: [EntryName] = []
        for lower in lowers {
            for name in try entryNames(of: lower.directory) where !names.contains(name) && !gone.contains(name) {
                gone.append(name)
                if let original = try find(name, in: lowers) { try note(deleted: name, original, path, in: lowers) }
            }
        }
    }

    /// The merged root has the mode of the upper: what the jail has made of it is a change, what the host has made of the
    /// original's is none.
    private mutating func compareRoot(_ upper: Int32, _ lower: Int32, _ mode: UInt32) throws(KernelError) {
        let (found, original) = (try entryStatus(of: upper), try entryStatus(of: lower))
        if found.permissions == mode || found.permissions == original.permissions { return }
        let words = "mode 0\(String(original.permissions, radix: 8)) to 0\(String(found.permissions, radix: 8))"
        changes.append(Change(kind: .metadata, path: [], notes: [words], upper: found, lower: original))
    }

    private mutating func compare(
        _ name: EntryName, _ status: EntryStatus, _ upper: Int32, _ original: (layer: Int, status: EntryStatus)?,
        _ lowers: Merged, _ path: [EntryName], _ isOpaque: Bool
    ) throws(KernelError) {
        let place = path + [name]
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
        let isDirectory = status.kind == .directory
        if let original, original.status.kind == status.kind {
            let (isSame, wasRead) = try isSameContent(name, status, upper, original, lowers)
            let differences = Change.differences(
                status, original.status, attributesDiffer: try attributesDiffer(name, upper, original, lowers))
            var notes =
                original.status.kind == .regular && original.status.links > 1 ? ["links \(original.status.links)"] : []
            if !wasRead { notes.append("cannot be read") }
            if !isSame {
                add(.content, notes + differences)
            } else if !differences.isEmpty {
                add(.metadata, differences)
            }
        } else if let original {
            let lost = try size(ofTree: name, original, lowers)
            add(.replaced, ["\(original.status.kind) to \(status.kind)"] + (lost > 1 ? ["\(lost) entries"] : []))
        } else {
            add(.added)
            if asksOrigins {
                let entry = try openEntry(name, at: upper, .path)
                changes[changes.count - 1].origin = try extendedAttribute(prefix + "origin", of: entry.number)
            }
        }
        guard isDirectory else { return }
        let directory = try openEntry(name, at: upper, .read | .directory)
        var below: Merged = []
        defer { for lower in below { closeDescriptor(lower.directory) } }
        if case .directory? = original?.status.kind {
            for lower in lowers {
                // The first that is no directory ends what is merged.
                guard let found = try entryStatus(name, at: lower.directory) else { continue }
                guard found.kind == .directory else { break }
                below.append((lower.layer, try openEntry(name, at: lower.directory, .read | .directory).release()))
            }
        }
        // What is new in an opaque directory has no mark of its own: there was nothing to be opaque over.
        var isShut = isOpaque
        if !isShut { isShut = try mark(of: directory.number) == [UInt8(ascii: "y")] }
        try visit(directory.number, below, place, isOpaque: isShut)
    }

    /// What the lowers have of that name: the uppermost.
    private func find(
        _ name: EntryName, in lowers: Merged
    ) throws(KernelError) -> (layer: Int, status: EntryStatus)? {
        for lower in lowers {
            guard let found = try entryStatus(name, at: lower.directory) else { continue }
            // A lower may itself be the upper of another overlay.
            return Change.isWhiteout(found, isMarked: false) ? nil : (lower.layer, found)
        }
        return nil
    }

    private func directory(of layer: Int, _ lowers: Merged) -> Int32 {
        lowers.first { $0.layer == layer }?.directory ?? -1
    }

    private mutating func note(
        deleted name: EntryName, _ original: (layer: Int, status: EntryStatus), _ path: [EntryName], in lowers: Merged
    ) throws(KernelError) {
        let lost = try size(ofTree: name, original, lowers)
        changes.append(
            Change(
                kind: .deleted, path: path + [name], notes: lost > 1 ? ["\(lost) entries"] : [], upper: nil,
                lower: original.status, layer: original.layer))
    }

    private func size(
        ofTree name: EntryName, _ original: (layer: Int, status: EntryStatus), _ lowers: Merged
    ) throws(KernelError) -> Int {
        guard original.status.kind == .directory else { return 1 }
        return try Self.count(name, at: directory(of: original.layer, lowers), depth: 0)
    }

    private static func count(_ name: EntryName, at parent: Int32, depth: Int) throws(KernelError) -> Int {
        guard depth < depthLimit else { return 1 }
        let directory = try openEntry(name, at: parent, .read | .directory)
        var result = 1
        for below in try entryNames(of: directory.number) {
            let isDirectory = try entryStatus(below, at: directory.number)?.kind == .directory
            result += isDirectory ? try count(below, at: directory.number, depth: depth + 1) : 1
        }
        return result
    }

    // What overlayfs has noted

    private func mark(of directory: Int32) throws(KernelError) -> [UInt8]? {
        try extendedAttribute(prefix + "opaque", of: directory)
    }

    private func hasMark(_ name: EntryName, _ upper: Int32) throws(KernelError) -> Bool {
        let entry = try openEntry(name, at: upper, .path)
        return try extendedAttribute(prefix + "whiteout", of: entry.number) != nil
    }

    // Versions

    /// Whether both have the same bytes, and whether both could be read at all.
    private func isSameContent(
        _ name: EntryName, _ status: EntryStatus, _ upper: Int32, _ original: (layer: Int, status: EntryStatus),
        _ lowers: Merged
    ) throws(KernelError) -> (isSame: Bool, wasRead: Bool) {
        let lower = directory(of: original.layer, lowers)
        switch status.kind {
        case .symlink: return (try linkTarget(name, at: upper) == linkTarget(name, at: lower), true)
        case .characterDevice, .blockDevice: return (status.node == original.status.node, true)
        case .directory, .fifo, .socket: return (true, true)
        case .regular:
            if status.size != original.status.size { return (false, true) }
            do throws(KernelError) {
                let (one, other) = (
                    try openEntry(name, at: upper, .read).release(), try openEntry(name, at: lower, .read).release()
                )
                defer {
                    closeDescriptor(one)
                    closeDescriptor(other)
                }
                return (try haveSameContent(one, other), true)
            } catch {
                guard error.errno == .accessDenied || error.errno == .notPermitted else { throw error }
                return (false, false)
            }
        }
    }

    private func attributesDiffer(
        _ name: EntryName, _ upper: Int32, _ original: (layer: Int, status: EntryStatus), _ lowers: Merged
    ) throws(KernelError) -> Bool {
        switch original.status.kind {
        case .regular, .directory: break
        default: return false
        }
        return try personalAttributes(of: name, at: upper)
            != personalAttributes(of: name, at: directory(of: original.layer, lowers))
    }
}

/// The same of an entry of a directory.
func personalAttributes(of name: EntryName, at directory: Int32) throws(KernelError) -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for attribute in try extendedAttributes(of: name, at: directory) where travels(attribute) {
        result[attribute] = try extendedAttribute(attribute, of: name, at: directory)
    }
    return result
}

/// The extended attributes that a person has set, with their values.
func personalAttributes(of descriptor: Int32) throws(KernelError) -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for name in try extendedAttributes(of: descriptor) where travels(name) {
        result[name] = try extendedAttribute(name, of: descriptor)
    }
    return result
}
