import Kernel

// Mode, owner and attributes of what is put into an original.

extension ChangeApplication {
    /// A new file, in the place of what a killed apply has left under that name.
    func openDraft(_ draft: EntryName, at target: Int32) throws(KernelError) -> Descriptor {
        do throws(KernelError) {
            return try openEntry(draft, at: target, .write | .create | .exclusive, permissions: 0o600)
        } catch {
            guard error.errno == .exists else { throw error }
        }
        try prepare(target, draft)
        return try openEntry(draft, at: target, .write | .create | .exclusive, permissions: 0o600)
    }

    /// Mode, owner and attributes of what has been made. An original keeps its owner; what is new belongs to whoever does
    /// this, which is the owner of the tree, or as root to whom its directory belongs.
    func dress(
        _ made: Int32, _ permissions: UInt32, _ attributes: [String: [UInt8]], _ change: Change, _ upper: EntryStatus
    ) throws(KernelError) {
        // Only what differs: of what belongs to another nothing else needs that one's rights.
        var there = try status(of: made)
        if isRoot, let wanted = newOwner(change, upper), wanted != (there.owner, there.group) {
            try setOwner(of: made, user: wanted.user, group: wanted.group)
            there = try status(of: made)  // chown(2) takes bits away
        }
        if there.permissions != permissions { try setPermissions(made, permissions) }
        let found = try personalAttributes(of: made)
        for name in found.keys where attributes[name] == nil { try removeExtendedAttribute(name, of: made) }
        for (name, value) in attributes where found[name] != value {
            try setExtendedAttribute(name, value, of: made)
        }
    }

    /// Whom root gives it to; nil: nobody.
    private func newOwner(_ change: Change, _ upper: EntryStatus) -> (user: UInt32, group: UInt32)? {
        if let lower = change.lower, change.kind != .replaced { return (lower.owner, lower.group) }
        if [UInt64(upper.owner), UInt64(upper.group)] == record.owner { return nil }
        return (inside(upper.owner, record.users), inside(upper.group, record.groups))
    }

    /// The id that a file of the host's has in the jail.
    private func inside(_ id: UInt32, _ ranges: [[UInt64]]) -> UInt32 {
        let range = ranges.first { $0[1] <= UInt64(id) && UInt64(id) - $0[1] < $0[2] }
        return range.map { UInt32(truncatingIfNeeded: UInt64(id) - $0[1] + $0[0]) } ?? id
    }
}
