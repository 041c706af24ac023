import Kernel

/// To whom root's apply gives what a jail has kept, and what it may give to nobody.
///
/// Overlayfs copies a file up with the rights of whoever mounted it, so that a name which the jail's user may only move stands in
/// the upper with all that it holds, as its owner's still.
struct Handover {
    let record: OverlayRecord
    /// Whom the original's root belongs to where that is not root, who asks: what is done to it is done as that user.
    let owner: TreeOwner?
    /// Whether what is made is root's, to be given away.
    let isRoot: Bool
    /// Whether files have the ids here that they have in the jail.
    let isMapped: Bool

    /// `root` is that of the original.
    init(_ record: OverlayRecord, root: Int32, isMapped: Bool) throws(KernelError) {
        (self.record, self.isMapped) = (record, isMapped)
        let found = try status(of: root)
        let asksRoot = effectiveUser() == 0
        owner = asksRoot && found.owner != 0 ? try TreeOwner(user: found.owner, group: found.group) : nil
        isRoot = asksRoot && owner == nil
    }

    /// Why a change stays where it is, whatever else is wanted: it is somebody else's file, closed to the jail's user, and would become
    /// another's.
    func objection(to change: Change) -> String? {
        guard isRoot || owner != nil, let maker = record.owner.first, maker != 0, let upper = change.upper,
            upper.kind == .regular, UInt64(upper.owner) != maker, change.isListed || !isReadable(upper),
            record.overrides != true || inside(upper.owner, record.users) == nil
        else { return nil }
        let recipient: (user: UInt32, group: UInt32)
        if let owner {
            recipient = (owner.user, owner.group)
        } else if let lower = change.lower, change.kind != .replaced {
            recipient = (lower.owner, lower.group)
        } else {
            recipient = outside(upper)
        }
        if recipient.user != upper.owner {
            return "it is uid \(upper.owner)'s, and not for others to read, and would become uid \(recipient.user)'s"
        }
        guard recipient.group != upper.group, upper.permissions & 0o040 != 0 else { return nil }
        return "it is gid \(upper.group)'s, and not for others to read, and would become gid \(recipient.group)'s"
    }

    /// Whether the jail's user, who does not own it, may read a file, whatever other groups it is in: the group's bits count for the
    /// group, and no others.
    private func isReadable(_ file: EntryStatus) -> Bool {
        if UInt64(file.group) == record.owner.last { return file.permissions & 0o040 != 0 }
        return file.permissions & 0o044 == 0o044
    }

    /// Whom root gives a file of its own tree to; nil: nobody. What a directory of somebody's, or of everybody's, holds does not become
    /// root's because root has put it there.
    func newOwner(
        of change: Change, _ upper: EntryStatus, in directory: Int32
    ) throws(KernelError) -> (user: UInt32, group: UInt32)? {
        if let lower = change.lower, change.kind != .replaced, !isAnew(upper, over: lower) {
            return (lower.owner, lower.group)
        }
        return try maker(of: upper, in: directory)
    }

    /// Whether it has come into the place of another's file: of what is changed where it is the owner stays. A text that is the jail's does
    /// not become root's because a directory of the jail's user had a file of root's in that place.
    private func isAnew(_ upper: EntryStatus, over lower: EntryStatus) -> Bool {
        guard record.overrides != true, record.owner.first != 0, upper.kind != .directory else { return false }
        return upper.owner != lower.owner
    }

    /// Why a directory of the original does not get the mode that the jail's has.
    func objection(toModeOf change: Change, at directory: Int32) throws(KernelError) -> String? {
        if let owner, let lower = change.lower, lower.owner != owner.user {
            return "it is uid \(lower.owner)'s, and uid \(owner.user), whose the tree is, may not change its mode"
        }
        return try isOf(change, at: directory) ? nil : "the jail has removed the directory, and has made one of its own"
    }

    /// Whether a directory of the original is what the jail has changed, or an apply that was killed has made: whoever may not give files
    /// away has changed its own only.
    func isOf(_ change: Change, at directory: Int32) throws(KernelError) -> Bool {
        guard isRoot, record.overrides != true, record.owner.first != 0, let upper = change.upper,
            let lower = change.lower, upper.owner != lower.owner
        else { return true }
        return try maker(of: upper, in: directory)?.user ?? 0 == lower.owner
    }

    /// Whom what is new belongs to; nil: root.
    private func maker(
        of upper: EntryStatus, in directory: Int32
    ) throws(KernelError) -> (user: UInt32, group: UInt32)? {
        guard UInt64(upper.owner) == record.owner.first else { return outside(upper) }
        let place = try status(of: directory)
        // The group of a directory with the bit for that is another than the jail's user's.
        let group = UInt64(upper.group) == record.owner.last ? place.group : outside(upper).group
        if place.owner != 0 { return (place.owner, group) }
        // A mask of access control lists stands in the group's bits: acl(5).
        return place.permissions & 0o022 != 0 ? (upper.owner, upper.group) : nil
    }

    /// Whom a file of another than the jail's user belongs to on the host.
    func outside(_ upper: EntryStatus) -> (user: UInt32, group: UInt32) {
        (inside(upper.owner, record.users) ?? upper.owner, inside(upper.group, record.groups) ?? upper.group)
    }

    /// Throws where the jail's user could not have made its file in a directory of root's: that has come into the place of another.
    func requireReach(of directory: Int32, for change: Change) throws(KernelError) {
        guard isRoot, record.overrides == false, let maker = record.owner.first, maker != 0,
            let upper = change.upper, UInt64(upper.owner) == maker,
            inside(UInt32(truncatingIfNeeded: maker), record.users) == nil
        else { return }
        let place = try status(of: directory)
        guard place.owner == 0, place.permissions & 0o022 == 0 else { return }
        throw KernelError(.openat, .accessDenied)
    }

    /// The id that a file of the host's has in the jail; nil where the jail has no id for it, or has the host's own.
    func inside(_ id: UInt32, _ ranges: [[UInt64]]) -> UInt32? {
        let range = ranges.first { $0[1] <= UInt64(id) && UInt64(id) - $0[1] < $0[2] }
        return range.map { UInt32(truncatingIfNeeded: UInt64(id) - $0[1] + $0[0]) }
    }
}
