import Kernel

/// Whether the directories that the original has now are those that the jail has seen in their places.
///
/// Changes are found by their paths. Whoever may write to a directory can put another one, which is closed to him, in the place of one
/// that the jail has changed; the times of what is in it stay as they were.
struct SeenDirectories {
    let record: OverlayRecord
    private let placed: Set<PlacedDirectories.Entry>
    /// The directories that an apply has worked in, whatever the upper had in their places.
    private let worked: Set<FileMark>
    private let insiders: Insiders

    init(_ record: OverlayRecord, _ placed: Set<PlacedDirectories.Entry>, over lower: Int32) throws(Failure) {
        self.record = record
        insiders = try failing { () throws(KernelError) in try Insiders(over: lower) }
        self.placed = placed
        worked = Set(placed.lazy.filter { $0.upper != 0 }.map(\.original))
    }

    /// `upper` and `lower` are the directory of one path, `others` those of the lowers below, `above` the one in the original that it
    /// is in.
    func hasSeen(
        _ upper: Int32, isOpaque: Bool, _ lower: Int32, _ others: [Int32], in above: EntryStatus
    ) throws(KernelError) -> Bool {
        let origin = try extendedAttribute(record.attributes + ".overlay.origin", of: upper)
        let found = try entryStatus(of: lower)
        let (number, mark) = (try status(of: upper).identity.inode, try FileMark(of: lower))
        let isPlaced = placed.contains(PlacedDirectories.Entry(upper: number, mark))
        // What overlayfs has copied it from.
        if let handle = origin.flatMap({ FileHandle(origin: $0) }), let own = try fileHandle(".", at: lower) {
            if handle == own { return true }
            // An apply has made it, for what was put into one that only a lower below has.
            guard isPlaced else { return false }
            for other in others {
                if try fileHandle(".", at: other) == handle { return true }
            }
            return false
        }
        if isPlaced { return true }
        // Something else is mounted there: overlayfs shows what is below.
        guard found.device == above.device else { return false }
        // The jail has made it anew, over what was there.
        if isOpaque {
            return !record.isLate(found.changed) || worked.contains(mark)
        }
        // An ordinary user's overlayfs notes that it is a copy, but not of what. A name in a directory makes its time as late as another
        // directory in its place does, and only there is that somebody else's doing.
        if origin != nil { return !record.isLate(found.changed) || insiders.have(above) }
        return false
    }
}

/// Who may exchange names in the original without being somebody else: root, whoever asks, and the owner of all of it.
struct Insiders {
    private let users: [UInt32]
    private let groups: [UInt32]

    init(over lower: Int32) throws(KernelError) {
        let root = try status(of: lower)
        (users, groups) = ([0, effectiveUser(), root.owner], [0, effectiveGroup()])
    }

    /// Whether nobody else may write to a directory.
    func have(_ directory: EntryStatus) -> Bool {
        // A mask of access control lists stands in the group's bits: acl(5).
        guard users.contains(directory.owner), directory.permissions & 0o002 == 0 else { return false }
        return directory.permissions & 0o020 == 0 || groups.contains(directory.group)
    }
}

extension EntryStatus {
    var identity: FileIdentity { FileIdentity(device: device, inode: inode) }
}
