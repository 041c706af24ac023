import Kernel

/// Whom a tree belongs to that root puts changes into: what is done to it is done with that one's rights, and with no others.
struct TreeOwner {
    let user: UInt32
    let group: UInt32
    /// Those of whoever asks. They stay when only the user is another, credentials(7), and would open to the owner what is root's and closed.
    private let groups: [UInt32]

    init(user: UInt32, group: UInt32) throws(KernelError) {
        (self.user, self.group) = (user, group)
        groups = try supplementaryGroups()
    }

    /// From here on files are reached as the owner, who is in no other group: what it could do by one it does itself.
    func begin() throws(KernelError) { try reachFiles(asUser: user, group: group, groups: []) }

    /// From here on they are reached as whoever asks.
    func end() throws(KernelError) {
        try reachFiles(asUser: effectiveUser(), group: effectiveGroup(), groups: groups)
    }
}

extension ChangeApplication {
    /// Does something to the original as its owner; a failure is that of the change, where there is one.
    static func acting(
        as owner: TreeOwner?, for change: Change? = nil, _ body: () throws(KernelError) -> Void
    ) throws(Failure) {
        do throws(KernelError) {
            try owner?.begin()
            defer { endActing(as: owner) }
            try body()
        } catch {
            guard let change else { throw Failure(error) }
            let cause =
                switch (error.call, error.errno) {
                case (.renameat, .exists): "something has come there meanwhile: "
                case (.openat, .busy): "it is not what was compared, or has changed since: "
                default: ""
                }
            throw Failure(
                telling:
                    "\(change.path.text): \(cause)\(error.call.name): \(error.errno.name) \(error.errno.words)",
                hint: "what was done stays done: immure apply again goes on from here")
        }
    }

    private static func endActing(as owner: TreeOwner?) {
        do throws(KernelError) {
            try owner?.end()
        } catch {
            exitNow(125)
        }
    }

    /// The upper is read as whoever asks.
    func asCaller<Result>(_ body: () throws(KernelError) -> Result) throws(KernelError) -> Result {
        guard let owner = handover.owner else { return try body() }
        try owner.end()
        do throws(KernelError) {
            let result = try body()
            try owner.begin()
            return result
        } catch {
            try owner.begin()
            throw error
        }
    }
}
