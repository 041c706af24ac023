import JailPlan
import Kernel

/// How the steps towards limits are done, and how each is read back.
extension Applier {
    mutating func apply(_ operation: LimitOperation, of plan: Plan) throws(Failure) {
        switch operation {
        case .requestScope: try Scope.enter(within: plan.supervision.timeout, noticing: signals)
        case .enableControllers(let base, let controllers): try enableControllers(base, controllers)
        case .createCgroup(let delegation): try createCgroup(delegation)
        case .setLimit(let setting): try setLimit(setting)
        case .enterCgroup: try enterCgroup()
        case .giveGroup(let user, let group):
            try failing { () throws(KernelError) in try leaf?.give(user: user, group: group) }
        case .setResourceLimit(let resource, let soft, let hard): try setLimit(of: resource, soft, hard)
        case .raiseHardLimit(let resource, let hard): try raiseLimit(of: resource, to: hard)
        }
    }

    mutating func check(_ operation: LimitOperation, in plan: Plan) throws(Failure) {
        switch operation {
        case .enterCgroup: try checkMembership(of: currentProcess())
        case .giveGroup(let user, let group): try checkOwners(user, group)
        case .setResourceLimit(let resource, let soft, let hard): try checkLimit(resource, soft, hard)
        // As they are done: the answer of the kernel is what the step goes by.
        case .setLimit: break
        // By what follows, or never: `Operation.verification` says why.
        case .requestScope, .enableControllers, .createCgroup: break
        case .raiseHardLimit:
            break
        }
    }

    /// Whose the group inside is, to this process.
    private mutating func checkOwners(_ user: UInt32, _ group: UInt32) throws(Failure) {
        guard let leaf else { return }
        for file in Leaf.delegated {
            let found = try failing { () throws(KernelError) in
                let opened = try open(file, at: leaf.birthplace, .path)
                return try status(of: opened.number)
            }
            try hold(
                found.owner == user && found.group == group, "owner of \(Leaf.innerName)/\(file)", "\(user):\(group)",
                "\(found.owner):\(found.group)")
        }
    }

    /// Whether a group of the launcher's holds that process.
    mutating func checkMembership(of process: Int32) throws(Failure) {
        guard isVerified, let leaf else { return }
        let text = try failing { () throws(KernelError) in try readBytes("cgroup.procs", at: leaf.birthplace) }
        let found = lines(text)
        try hold(
            found.contains("\(process)"), "cgroup \(leaf.name)", "process \(process)", found.joined(separator: " "))
    }
}
