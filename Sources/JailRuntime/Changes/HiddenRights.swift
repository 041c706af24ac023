import Kernel

// What a new name lets somebody do afterwards: its letter alone says nothing of that.

extension ChangeWalk {
    /// What apply puts there besides the name and the bytes: another kind of file, an owner that it would not give by itself, a mode
    /// that lets others write, and access control lists. None for what any program makes. `isKindSaid`: in words of its own.
    func rights(
        of name: EntryName, _ status: EntryStatus, at directory: Int32, isKindSaid: Bool
    ) throws(KernelError) -> [String] {
        var result: [String] = []
        switch status.kind {
        case .regular, .directory, .symlink: break
        default: if !isKindSaid { result.append("\(status.kind)") }
        }
        // Bits that do not travel are none of a right; a directory has that of its group from the one that it is in.
        let telling: UInt32 = status.kind == .directory ? 0o1022 : 0o7022
        if status.kind != .symlink, status.permissions & telling != 0 {
            result.append("mode 0" + String(status.permissions, radix: 8))
        }
        if let handover { result += try handover.gifts(status, in: directory) }
        guard status.kind == .regular || status.kind == .directory else { return result }
        return result + listWords(try extendedAttributes(of: name, at: directory))
    }
}

extension Handover {
    /// To whom root's apply gives what the jail has given to another than its user; none where that is not so. A directory that says so
    /// gives what is in it to its own group.
    func gifts(_ upper: EntryStatus, in directory: Int32) throws(KernelError) -> [String] {
        guard isRoot, let user = makers.user, let group = makers.group else { return [] }
        var result: [String] = []
        let given = outside(upper)
        if upper.owner != user { result.append("uid \(given.user)") }
        guard upper.group != group else { return result }
        let place = try entryStatus(of: directory)
        let isInherited = place.permissions & 0o2000 != 0 && place.group == upper.group
        return result + (isInherited ? [] : ["gid \(given.group)"])
    }

    /// The jail's user, as files have it here.
    private var makers: (user: UInt32?, group: UInt32?) {
        func here(_ id: UInt64?, _ ranges: [[UInt64]]) -> UInt32? {
            guard let id = id.flatMap({ UInt32(exactly: $0) }) else { return nil }
            return isMapped ? inside(id, ranges) : id
        }
        return (here(record.owner.first, record.users), here(record.owner.last, record.groups))
    }
}
