import JailPlan
import JailSpec
import Kernel
import SpecFile

/// Where the changes of an overlay are kept, so that no other user of the host comes to them.
///
/// Whoever can enter upper changes there what a jail has left in directories that are open to all, and `apply` puts it into the original
/// as the caller. upper itself cannot be closed: what the jail has overlaid shows its mode (fs/overlayfs/super.c, ovl_get_root). So a
/// directory above it is. Where none on its way is, upper is made in work, which nobody else can enter, and its name becomes a
/// link that leads there, as long as anything is kept. The link is for people: immure finds upper in work by the name that it has there, wherever a link leads.
struct KeptPlace {
    let upper: KeptLayer
    let work: KeptLayer

    /// An upper, open, and how it was found.
    struct Found {
        var upper: Int32
        /// The directory that its name is in.
        var above: Int32
        /// Whether it is in work, and its name is the link to it.
        var isInside: Bool
        var isLinked = false
        /// Whether a directory above it lets in nobody but the caller.
        var isShut: Bool
    }

    /// What there is in work: the upper, one that is not whole yet, and the directory that overlayfs is given as its own then.
    static let inside: EntryName = "upper"
    private static let unfinished: EntryName = ".upper"
    /// An empty directory that was in the link's place: a mount may show it.
    private static let former: EntryName = ".former"
    private static let base: EntryName = "work"

    init(upper: String, work: String, following rule: LinkRule, isRoot: Bool, in maps: IdentityMaps? = nil) {
        self.upper = KeptLayer(key: "upper", path: upper, rule: rule, isRoot: isRoot, maps: maps)
        self.work = KeptLayer(key: "work", path: work, rule: rule, isRoot: isRoot, maps: maps)
    }

    /// As a launch has left it; `work` is open. ENOENT where there is none.
    func find(in work: Int32) throws(Failure) -> Found {
        let above = try upper.parent.reach()
        let outside = try outside(above.number)
        if try isInside(work) {
            try requireNothing(outside, above.number)
            let number = try openInside(work, isClosed: true)
            return Found(
                upper: number, above: above.release(), isInside: true, isLinked: outside == .link,
                isShut: try isShut(work))
        }
        if outside == .link { throw Failure(KernelError(.openat, .noEntry, path: upper.path)) }
        let opened: Int32
        do throws(Failure) {
            opened = try upper.open(in: above).release()
        } catch {
            // A mode by which nobody may read it.
            guard case .kernel = error.cause, error.errno == .accessDenied else { throw error }
            opened = try upper.open(in: above, .path | .directory | .noFollow).release()
        }
        let isShut = try isShut(above.number)
        return Found(upper: opened, above: above.release(), isInside: false, isShut: isShut)
    }

    /// The same for a launch: what is missing is made, like the first of the lowers, and what is empty and can be entered by others
    /// is made anew, as somebody may stand in it. `record`: the last launch's. `work` is open and locked.
    func findOrMake(in work: Int32, over lowers: [Int32], _ record: OverlayRecord?) throws(Failure) -> Found {
        let above = try upper.parent.reachOrMake()
        let outside = try outside(above.number)
        let wasInside = try isInside(work)
        // Of layers that are in one another the launch says so.
        let isNested = try isWithin(above.number, work)
        if !wasInside, outside != .link, try isNested ? true : isShut(above.number) {
            let number = try upper.openOrMake(in: above, like: lowers[0]).release()
            return Found(upper: number, above: above.release(), isInside: false, isShut: true)
        }
        if wasInside { try requireNothing(outside, above.number) }
        if !wasInside, outside == .directory {
            let old = try upper.open(in: above)
            guard try isVoid(old.number, lowers + [work], record) else {
                return Found(upper: old.release(), above: above.release(), isInside: false, isShut: false)
            }
            try requireOneFileSystem(above.number, work)
            try makeInside(work, like: old.number, isAnew: true)
        } else if wasInside, try !isShut(work) {
            let old = try openInside(work)
            guard try isVoid(old, lowers, record) else {
                return Found(upper: old, above: above.release(), isInside: true, isShut: false)
            }
            defer { closeDescriptor(old) }
            try makeInside(work, like: old, isAnew: true)
        } else if !wasInside {
            try requireOneFileSystem(above.number, work)
            try makeInside(work, like: lowers[0], isAnew: false)
        }
        try makeLink(outside, above.number, work)
        let number = try openInside(work)
        return Found(upper: number, above: above.release(), isInside: true, isShut: try isShut(work))
    }

    /// Looks whether there is one and makes nothing; nil for none. `work`: −1 where it is missing.
    func look(in work: Int32) throws(Failure) -> Descriptor? {
        if work >= 0, try isInside(work) { return Descriptor(owning: try openInside(work)) }
        do throws(Failure) {
            let above = try upper.parent.reach()
            if try outside(above.number) == .link { return nil }
        } catch {
            guard case .kernel = error.cause, error.errno == .noEntry else { throw error }
        }
        return try upper.openOrFindPlace()
    }

    /// The directory that overlayfs takes for itself: where upper is in work it is beside it there, as none may be in the other.
    func openBase(in work: Int32, isInside: Bool) throws(Failure) -> Int32 {
        try failing { () throws(KernelError) in
            guard isInside else { return try Kernel.open(".", at: work, .path | .directory).release() }
            if try entryStatus(Self.base, at: work) == nil {
                try makeDirectoryEntry(Self.base, at: work, permissions: 0o700)
            }
            let base = try openEntry(Self.base, at: work, .path | .directory)
            // A launch without an upper in work has left overlayfs's own there, which nobody may enter.
            if try status(of: base.number).permissions != 0o700 { try setPermissions(ofPath: base.number, 0o700) }
            return base.release()
        }
    }

    /// Puts an upper that has been emptied where its name is: in one step, so that the name is always there.
    func moveOut(_ found: Found, of work: Int32) throws(KernelError) {
        if found.isInside, !found.isLinked {
            return try moveEntry(Self.inside, at: work, to: entry, at: found.above)
        }
        if found.isInside { try exchangeEntries(Self.inside, at: work, with: entry, at: found.above) }
        try removeLink(in: work)
        try removeFormer(in: work)
        // overlayfs leaves a directory that its owner may not enter.
        guard found.isInside, try entryStatus(Self.base, at: work) != nil else { return }
        let base = try openEntry(Self.base, at: work, .path | .directory)
        try RemoveTree.empty(base.number)
    }

    private func removeFormer(in work: Int32) throws(KernelError) {
        if try entryStatus(Self.former, at: work) != nil { try RemoveTree.remove(Self.former, at: work) }
    }

    /// A link that was exchanged for an upper before this was killed.
    private func removeLink(in work: Int32) throws(KernelError) {
        guard try entryStatus(Self.inside, at: work)?.kind == .symlink else { return }
        try removeEntry(Self.inside, at: work, directory: false)
    }
}

extension KeptPlace {
    private var entry: EntryName { EntryName(Array(upper.name.utf8)) }

    /// What stands at the name of upper.
    private enum Outside { case nothing, directory, link }

    private func outside(_ above: Int32) throws(Failure) -> Outside {
        let name = entry
        let (found, content) = try failing { () throws(KernelError) -> (EntryStatus?, [UInt8]) in
            let found = try entryStatus(name, at: above)
            return (found, found?.kind == .symlink ? try linkTarget(name, at: above) : [])
        }
        guard let found else { return .nothing }
        if found.kind == .directory { return .directory }
        let end = "\(work.name)/\(Self.inside.text)"
        let text = String(decoding: content, as: UTF8.self)
        guard found.kind == .symlink, text == end || text.hasSuffix("/" + end) else {
            throw upper.refusal(of: found.kind)
        }
        return .link
    }

    private func isInside(_ work: Int32) throws(Failure) -> Bool {
        try failing { () throws(KernelError) in try entryStatus(Self.inside, at: work)?.kind == .directory }
    }

    private func openInside(_ work: Int32, isClosed: Bool = false) throws(Failure) -> Int32 {
        try failing { () throws(KernelError) in
            do throws(KernelError) {
                return try openEntry(Self.inside, at: work, .read | .directory).release()
            } catch {
                guard isClosed, error.errno == .accessDenied else { throw error }
                return try openEntry(Self.inside, at: work, .path | .directory).release()
            }
        }
    }

    /// Whether a directory, or one above it, lets in nobody but the caller and root. An access control list gives nobody more than the
    /// bits of the group have, acl(5).
    private func isShut(_ directory: Int32) throws(Failure) -> Bool {
        try failing { () throws(KernelError) in
            try climb(from: directory) { $0.owner == effectiveUser() && $0.permissions & 0o077 == 0 }
        }
    }

    private func isWithin(_ directory: Int32, _ other: Int32) throws(Failure) -> Bool {
        try failing { () throws(KernelError) in
            let wanted = try status(of: other)
            return try climb(from: directory) { $0.isSame(as: wanted) }
        }
    }

    /// Whether it is so of a directory, or of one above it that this process comes to.
    private func climb(from directory: Int32, _ isFound: (FileStatus) -> Bool) throws(KernelError) -> Bool {
        var place = try Kernel.open(".", at: directory, .path | .directory).release()
        defer { closeDescriptor(place) }
        while true {
            let found = try status(of: place)
            if isFound(found) { return true }
            let above: Int32
            do throws(KernelError) {
                above = try Kernel.open("..", at: place, .path | .directory).release()
            } catch {
                guard error.errno == .accessDenied else { throw error }
                return false
            }
            closeDescriptor(place)
            place = above
            if try status(of: above).isSame(as: found) { return false }
        }
    }

    /// Whether there is nothing in an upper that could be lost, and it is none of the other layers.
    private func isVoid(_ old: Int32, _ others: [Int32], _ record: OverlayRecord?) throws(Failure) -> Bool {
        try failing { () throws(KernelError) in
            for other in others where try status(of: other).isSame(as: status(of: old)) { return false }
            guard try entryNames(of: old).isEmpty else { return false }
            guard let before = record?.roots?.upper else { return true }
            return try RootState.known(of: old).parts(otherThan: before).isEmpty
        }
    }

    /// An empty directory has been left by a launch that was killed before it put a link there.
    private func requireNothing(_ outside: Outside, _ above: Int32) throws(Failure) {
        guard outside == .directory else { return }
        let isEmpty = try failing { () throws(KernelError) in
            let found = try openEntry(entry, at: above, .read | .directory)
            return try entryNames(of: found.number).isEmpty
        }
        guard isEmpty else { throw OverlayRecord.otherUpper }
    }

    /// As between layers that are beside each other.
    private func requireOneFileSystem(_ above: Int32, _ work: Int32) throws(Failure) {
        let isOne = try failing { () throws(KernelError) in
            guard try mountIdentity(of: above) == mountIdentity(of: work) else { return false }
            return try entryStatus(of: above).device == entryStatus(of: work).device
        }
        guard isOne else { throw OverlayLayers.areApart }
    }

    /// Makes an upper in work, in the place of an empty one. `isAnew`: what it is like has been the upper, in whose project (quota) it
    /// stays.
    private func makeInside(_ work: Int32, like model: Int32, isAnew: Bool) throws(Failure) {
        try failing { () throws(KernelError) in
            if try status(of: work).permissions & 0o077 != 0 {
                let opened = try Kernel.open(".", at: work, .read | .directory)
                try setPermissions(opened.number, 0o700)
            }
            if try entryStatus(Self.unfinished, at: work) != nil {
                try RemoveTree.remove(Self.unfinished, at: work)
            }
            try makeDirectoryEntry(Self.unfinished, at: work, permissions: 0o700)
            let made = try openEntry(Self.unfinished, at: work, .read | .directory)
            try copyRoot(of: model, to: made.number)
            if isAnew, let mark = try extendedAttribute(Applier.projectMark, of: model) {
                try setExtendedAttribute(Applier.projectMark, mark, of: made.number)
            }
            try removeLink(in: work)
            try moveEntry(Self.unfinished, at: work, to: Self.inside, at: work)
        }
    }

    private func makeLink(_ outside: Outside, _ above: Int32, _ work: Int32) throws(Failure) {
        if outside == .link { return }
        let isBeside = upper.parent.path == self.work.parent.path
        let content = Array("\(isBeside ? self.work.name : self.work.path)/\(Self.inside.text)".utf8)
        do throws(KernelError) {
            if outside == .nothing { return try makeLinkEntry(entry, to: content, at: above) }
            try removeFormer(in: work)
            try makeLinkEntry(Self.former, to: content, at: work)
            try exchangeEntries(Self.former, at: work, with: entry, at: above)
        } catch {
            throw Failure(
                telling:
                    "upper: other users of this host can enter \(upper.path), and it cannot be made a link into work: "
                    + "\(error.call.name): \(error.errno.name) \(error.errno.words)",
                hint: "name an upper that does not exist yet, in a directory of your own")
        }
    }
}
