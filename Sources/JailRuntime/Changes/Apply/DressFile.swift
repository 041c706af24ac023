import Kernel

// Mode, owner and attributes of what is put into an original.

extension ChangeApplication {
    /// Mode, owner and attributes of what has been made. An original keeps its owner; what is new belongs to whoever does
    /// this, which is the owner of the tree, or as root to whom `directory` belongs.
    func dress(
        _ made: Int32, _ permissions: UInt32, _ attributes: [String: [UInt8]], _ change: Change, _ upper: EntryStatus,
        in directory: Int32
    ) throws(KernelError) {
        // Only what differs: of what belongs to another nothing else needs that one's rights.
        var there = try status(of: made)
        if handover.isRoot, let wanted = try handover.newOwner(of: change, upper, in: directory),
            wanted != (there.owner, there.group)
        {
            try setOwner(of: made, user: wanted.user, group: wanted.group)
            there = try status(of: made)  // chown(2) takes bits away
        }
        // What has just been made has none that would have to go.
        let isBare = attributes.isEmpty && change.kind != .metadata
        // Of a file that may not be written to its owner sets no attributes either, xattr(7): while it may be.
        let isShut = permissions & 0o200 == 0
        if isShut, !isBare { try setPersonalAttributes(attributes, of: made) }
        if there.permissions != permissions { try setPermissions(made, permissions) }
        if !isShut, !isBare { try setPersonalAttributes(attributes, of: made) }
    }
}
