extension DefaultProgram {
    /// What the program that was compiled ahead has in place of the jail's own user and group.
    static let placeholders = (user: UInt32(0xfffe_0001), group: UInt32(0xfffe_0002))

    /// The program for a jail of one user and one group; nil for others.
    static func native(for owners: MappedOwners) -> [UInt64]? {
        guard let users = owners.users, let groups = owners.groups, users.count == 1, groups.count == 1 else {
            return nil
        }
        return patched(native, user: users[0], group: groups[0])
    }

    /// Puts the ids where they are compared: BPF_JMP|BPF_JEQ|BPF_K, whose operand is the upper half.
    static func patched(_ program: [UInt64], user: UInt32, group: UInt32) -> [UInt64] {
        var result = program
        for index in result.indices where result[index] & 0xffff == 0x15 {
            let rest = result[index] & 0xffff_ffff
            switch UInt32(result[index] >> 32) {
            case placeholders.user: result[index] = rest | UInt64(user) << 32
            case placeholders.group: result[index] = rest | UInt64(group) << 32
            default: break
            }
        }
        return result
    }
}
