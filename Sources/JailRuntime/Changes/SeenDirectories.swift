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

    private static let another = "the original has another directory there than the jail has seen"
    static let mounted = "something is mounted there in the original: the jail has seen what is below it"

    /// Why the jail has not seen a directory; nil where it has. `upper` and `lower` are that of one path, `others` those of the lowers
    /// below, `above` the one in the original that it is in.
    func objection(
        to upper: Int32, isOpaque: Bool, _ lower: Int32, _ others: [Int32], in above: EntryStatus
    ) throws(KernelError) -> String? {
        let origin = try extendedAttribute(record.attributes + ".overlay.origin", of: upper)
        // What overlayfs has copied it from.
        let handle = origin.flatMap { FileHandle(origin: $0) }
        let own = handle == nil ? nil : try fileHandle(".", at: lower)
        if let handle, handle == own { return nil }
        let (found, number, mark) = (
            try entryStatus(of: lower), try status(of: upper).identity.inode, try FileMark(of: lower)
        )
        let isPlaced = placed.contains(PlacedDirectories.Entry(upper: number, mark))
        if let handle, own != nil {
            // An apply has made it, for what was put into one that only a lower below has.
            guard isPlaced else { return Self.another }
            for other in others {
                if try fileHandle(".", at: other) == handle { return nil }
            }
            return Self.another
        }
        if isPlaced { return nil }
        // Something else is mounted there: overlayfs shows what is below.
        guard found.device == above.device else { return Self.mounted }
        if isOpaque {
            return !record.isLate(found.changed) || worked.contains(mark)
                ? nil : "the jail has made the directory anew, and the original has changed it since the launch"
        }
        guard origin != nil else { return "the original has a directory there, and the jail has made one of its own" }
        // An ordinary user's overlayfs notes that it is a copy, but not of what. A name in a directory makes its time as late as another
        // directory in its place does, and only there is that somebody else's doing.
        return !record.isLate(found.changed) || insiders.have(above) ? nil : Self.another
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
