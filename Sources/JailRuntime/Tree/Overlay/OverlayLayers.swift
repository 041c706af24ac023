import JailPlan
import Kernel
import LinuxFacts
import SpecFile

/// The directories behind an overlay, open: each is reached by its descriptor, whatever its name holds or becomes.
struct OverlayLayers {
    /// Those of the spec, the uppermost first.
    var lower: [Int32] = []
    /// Over all of them: whiteouts of what is to be out of sight; −1 for none.
    var cover: Int32 = -1
    var upper: Int32 = -1
    /// What overlayfs takes for itself.
    var work: Int32 = -1
    /// Of changes that are kept: the work directory of the spec, with the record.
    var notes: Int32 = -1
    /// The name of an upper that is in work: a link.
    var link: [UInt8] = []
    /// The tmpfs that upper and work, or the cover, are on: attached to nothing.
    var scratch: [Int32] = []

    /// Idmapped clones that stand for the lowers: attached to nothing.
    var mapped: [Int32] = []
    /// Whether upper and work are directories of the host.
    var upperIsOnHost = false

    /// Every mount of the layers that is attached to nothing.
    var loose: [Int32] { scratch + mapped }

    /// All that can be seen through the overlay and is not the upper, the uppermost first.
    var below: [Int32] { cover < 0 ? lower : [cover] + lower }

    func close() {
        for number in lower + scratch + [cover, upper, work, notes] where number >= 0 { closeDescriptor(number) }
    }

    static var areApart: Failure {
        Failure(
            telling:
                "upper: nothing can be moved to it from work: they are on two file systems, two mounts, or one of "
                + "them is a btrfs subvolume", hint: "make both in one directory: mkdir changes changes.work")
    }

    /// Opens the lowers; false where an optional one is missing.
    mutating func openLower(
        of source: OverlaySource, isRoot: Bool, by reach: (String) throws(Failure) -> Descriptor
    ) throws(Failure) -> Bool {
        for path in source.lower {
            do throws(Failure) {
                let place = try reach(path)
                lower.append(
                    try failing { () throws(KernelError) in
                        try open(".", at: place.number, .path | .directory).release()
                    })
            } catch {
                guard case .kernel = error.cause else { throw error }
                if error.errno == .noEntry, source.optional { return false }
                if error.errno == .noEntry {
                    throw Failure(
                        telling: "the lower \(path) does not exist",
                        hint: isRoot
                            ? Remedy.makeRoot : "make it: mkdir \(shellWord(path)); or optional = true")
                }
                if error.errno == .notDirectory {
                    throw Failure(
                        telling: "the lower \(path) is not a directory",
                        hint: isRoot ? Remedy.nameRoot : "show a file with filesystem.ro")
                }
                throw error
            }
        }
        return true
    }

    /// Makes a tmpfs with an upper and a work directory in it. The merged root shows owner, mode and attributes of the upper
    /// as its own, so the upper gets those of the first lower.
    mutating func makeUpper(bytes: UInt64, inodes: UInt64?) throws(Failure) {
        let first = lower[0]
        let tmpfs = try failing { () throws(KernelError) in
            let context = try FileSystemContext("tmpfs")
            try context.set("mode", "0700")
            try context.set("size", String(decimal: bytes))
            if let inodes { try context.set("nr_inodes", String(decimal: inodes)) }
            return try context.mount(.closed).release()
        }
        scratch.append(tmpfs)
        (upper, work) = try failing { () throws(KernelError) in
            try makeDirectory("upper", at: tmpfs, permissions: 0o700)
            try makeDirectory("work", at: tmpfs, permissions: 0o700)
            let upper = try open("upper", at: tmpfs, .read | .directory)
            try copyRoot(of: first, to: upper.number)
            return (upper.release(), try open("work", at: tmpfs, .path | .directory).release())
        }
    }

    /// Hides directories that lie below the first lower: a whiteout in a tmpfs over it for each. The directories on the way
    /// to one are seen as the tmpfs has them, so they get owner and mode of those that they stand for.
    mutating func hide(_ paths: [[EntryName]]) throws(Failure) {
        let first = lower[0]
        let tmpfs = try failing { () throws(KernelError) in
            try makeFileSystem("tmpfs", [FileSystemOption("mode", "0700"), FileSystemOption("size", "1M")], .closed)
                .release()
        }
        scratch.append(tmpfs)
        cover = try failing { () throws(KernelError) in
            try makeDirectory("cover", at: tmpfs, permissions: 0o700)
            let cover = try open("cover", at: tmpfs, .read | .directory)
            try copyRoot(of: first, to: cover.number)
            for path in paths {
                var (original, copy) = (
                    try open(".", at: first, .path | .directory).release(),
                    try open(".", at: cover.number, .path | .directory).release()
                )
                defer {
                    closeDescriptor(original)
                    closeDescriptor(copy)
                }
                for name in path.dropLast() {
                    let next = try openEntry(name, at: original, .path | .directory).release()
                    closeDescriptor(original)
                    original = next
                    if try entryStatus(name, at: copy) == nil {
                        try makeDirectoryEntry(name, at: copy, permissions: 0o700)
                        let made = try openEntry(name, at: copy, .read | .directory)
                        try copyRoot(of: original, to: made.number)
                    }
                    let below = try openEntry(name, at: copy, .path | .directory).release()
                    closeDescriptor(copy)
                    copy = below
                }
                if let last = path.last, try entryStatus(last, at: copy) == nil { try makeWhiteout(last, at: copy) }
            }
            return cover.release()
        }
    }
}

/// Gives a new directory the owner, the mode and the attributes of another: those that a person sets, access control lists
/// included, and not those of security modules and of overlayfs itself.
func copyRoot(of original: Int32, to copy: Int32) throws(KernelError) {
    let (wanted, made) = (try status(of: original), try status(of: copy))
    if (made.owner, made.group) != (wanted.owner, wanted.group) {
        try setOwner(of: copy, user: wanted.owner, group: wanted.group)
    }
    try setPermissions(copy, wanted.permissions)
    for name in try extendedAttributes(of: original) where travels(name) {
        if let value = try extendedAttribute(name, of: original) { try setExtendedAttribute(name, value, of: copy) }
    }
}

/// Whether an extended attribute is a person's, and may be put on another file: nothing that steers an overlay, gives a right
/// or belongs to a security module.
func travels(_ name: String) -> Bool {
    if name == "system.posix_acl_access" || name == "system.posix_acl_default" { return true }
    guard name.utf8.starts(with: "user.".utf8) else { return false }
    return !name.utf8.starts(with: "user.overlay.".utf8) && !name.utf8.starts(with: "user.fuseoverlayfs.".utf8)
}
