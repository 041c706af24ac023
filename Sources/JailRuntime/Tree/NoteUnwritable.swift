import JailPlan
import JailSpec
import Kernel

/// Writable mounts that the command's user may not write to: whoever wrote the line finds out by a build that fails.
extension Applier {
    /// Remembers whom a source belongs to, as long as the ids are those that the host's files have.
    mutating func noteOwner(_ slot: Int, _ source: TreeSource) throws(Failure) {
        let descriptor = slots[slot]
        let found = try failing { () throws(KernelError) in try status(of: descriptor) }
        guard found.isDirectory || found.isRegular else { return }
        written.slots.append(slot)
        written.owners.append(found.owner)
    }

    /// Of an overlay: writing there takes the right to do so in its first lower, which its root looks like.
    mutating func noteOwner(_ slot: Int, _ source: OverlaySource, _ target: String) {
        // The root of a whole system is root's, and what the command is to write to below it.
        guard let lower = lowerRoot, source.owner == nil, source.fileIDs == nil, target != "/" else { return }
        written.slots.append(slot)
        written.owners.append(lower.owner)
    }

    /// Asked with the command's ids. What this process may do to files of ids that the jail has, the command may not: for
    /// those their mode decides, where no access list can say otherwise (of which the group's bits are the bound, acl(5)).
    func noteUnwritable(_ slot: Int, _ plan: Plan) throws(Failure) {
        guard let index = written.slots.firstIndex(of: slot) else { return }
        let descriptor = slots[slot]
        if canWrite(descriptor) {
            let found = try failing { () throws(KernelError) in try status(of: descriptor) }
            let isOwn = found.owner == callerIdentity().euid
            if found.permissions & (isOwn ? 0o200 : 0o022) != 0 || plan.capabilitiesOverride { return }
        }
        let owner = written.owners[index]
        guard channel >= 0 else { return tell(.note(plan.unwritableNote(step, owner: owner))) }
        try failing { () throws(KernelError) in
            try send(Message.unwritable(step: step, owner: owner).bytes, over: channel)
        }
    }
}

extension Plan {
    /// Whether the command keeps the capability that modes do not stop.
    fileprivate var capabilitiesOverride: Bool {
        for step in steps {
            if case .identity(.setCapabilities(let sets)) = step.operation {
                return sets.effective.contains(.dac_override)
            }
        }
        return false
    }
}
