import Kernel

/// To whom root's apply gives what a jail has kept, and what it may give to nobody.
///
/// Overlayfs copies a file up with the rights of whoever mounted it, so that a name which the jail's user may only move stands in
/// the upper with all that it holds, as its owner's still.
struct Handover {
    let record: OverlayRecord
    /// Whom the original's root belongs to where that is not root, who asks: what is done to it is done as that user.
    let owner: (user: UInt32, group: UInt32)?
    /// Whether what is made is root's, to be given away.
    let isRoot: Bool

    /// `root` is that of the original.
    init(_ record: OverlayRecord, root: Int32) throws(KernelError) {
        self.record = record
        let found = try status(of: root)
        let asksRoot = effectiveUser() == 0
        owner = asksRoot && found.owner != 0 ? (found.owner, found.group) : nil
        isRoot = asksRoot && owner == nil
    }

    /// Why a change stays where it is, whatever else is wanted: it is somebody else's file, closed to the jail's user, and would become
    /// another's.
    func objection(to change: Change) -> String? {
        guard isRoot || owner != nil, let maker = record.owner.first, maker != 0, let upper = change.upper,
            upper.kind == .regular,
            UInt64(upper.owner) != maker, upper.permissions & 0o004 == 0,
            inside(upper.owner, record.users) == upper.owner
        else { return nil }
        let recipient: UInt32
        if let owner {
            recipient = owner.user
        } else if let lower = change.lower, change.kind != .replaced {
            recipient = lower.owner
        } else {
            return nil
        }
        guard recipient != upper.owner else { return nil }
        return "it is uid \(upper.owner)'s, and not for others to read, and would become uid \(recipient)'s"
    }

    /// Whom root gives a file of its own tree to; nil: nobody. What a directory of somebody's, or of everybody's, holds does not become
    /// root's because root has put it there.
    func newOwner(
        of change: Change, _ upper: EntryStatus, in directory: Int32
    ) throws(KernelError) -> (user: UInt32, group: UInt32)? {
        if let lower = change.lower, change.kind != .replaced { return (lower.owner, lower.group) }
        guard [UInt64(upper.owner), UInt64(upper.group)] == record.owner else {
            return (inside(upper.owner, record.users), inside(upper.group, record.groups))
        }
        let place = try status(of: directory)
        if place.owner != 0 { return (place.owner, place.group) }
        return place.permissions & 0o002 != 0 ? (upper.owner, upper.group) : nil
    }

    /// The id that a file of the host's has in the jail.
    private func inside(_ id: UInt32, _ ranges: [[UInt64]]) -> UInt32 {
        let range = ranges.first { $0[1] <= UInt64(id) && UInt64(id) - $0[1] < $0[2] }
        return range.map { UInt32(truncatingIfNeeded: UInt64(id) - $0[1] + $0[0]) } ?? id
    }
}
