/// The ids inside of a user namespace that maps them one by one, user_namespaces(7).
package struct MappedOwners: Equatable, Sendable {
    /// nil: not known, or more than a filter is to ask about.
    package let users: [UInt32]?
    package let groups: [UInt32]?

    /// How many ids a rule compares with.
    package static let limit = 8

    package init(users: [UInt32]?, groups: [UInt32]?) { (self.users, self.groups) = (users, groups) }
}

extension EffectivePolicy {
    /// chown(2) and its kin to an owner that the jail does not map: the kernel answers EINVAL, and what does without the owner
    /// it may not give (fakeroot, install, cp -p) knows EPERM only. Calls that something else is said of stay as they are.
    mutating func guardOwners(_ owners: MappedOwners?) {
        guard let owners else { return }
        let calls = [(KnownCall.chown, 1), (KnownCall.fchown, 1), (KnownCall.lchown, 1), (KnownCall.fchownat, 2)]
        for (call, argument) in calls where verdicts[call].permits && !rules.contains(where: { $0.call == call }) {
            refuse(call, argument, allBut: owners.users)
            refuse(call, argument + 1, allBut: owners.groups)
        }
    }

    private mutating func refuse(_ call: Int, _ argument: Int, allBut ids: [UInt32]?) {
        guard let ids, ids.count <= MappedOwners.limit else { return }
        // The kernel reads 32 bits, of which -1 says that the id stays.
        let others = (ids + [.max]).map { Condition(argument, .notEqual, UInt64($0), .max >> 32) }
        addRule(call, others, .refuse, ProfileReason.owners.place)
    }
}
