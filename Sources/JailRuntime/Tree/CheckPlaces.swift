import JailPlan
import Kernel
import LinuxFacts

/// Whether each target leads to what was put on it, when the tree is complete.
///
/// Mounts are made in the order of their targets as they are written. A link in a tree of the host's may lead past that order:
/// what one line has closed under its one name, another line would show again under the other.
extension Applier {
    func checkPlaces(_ audit: inout MountAudit, _ plan: Plan) throws(Failure) {
        guard plan.checksPlaces else { return }
        // What is hidden may stand over everything.
        var closed: [UInt64] = []
        for cover in tree.covers {
            closed.append(try failing { () throws(KernelError) in try audit.identity(of: cover.mount) })
        }
        for index in tree.standing.mounts.indices {
            try checkPlace(tree.standing.targets[index], of: tree.standing.mounts[index], closed, &audit, plan)
        }
        for cover in tree.covers + tree.pins { try checkPlace(cover.target, of: cover.mount, closed, &audit, plan) }
    }

    private func checkPlace(
        _ target: String, of mount: Int32, _ closed: [UInt64], _ audit: inout MountAudit, _ plan: Plan
    ) throws(Failure) {
        let table = audit.table
        let wanted = try failing { () throws(KernelError) in try audit.identity(of: mount) }
        let found = try seen(target, in: table)
        if let found {
            if found == wanted || closed.contains(found) { return }
            if !tree.copies.isEmpty, try shows(mount, at: target, table) { return }
        } else if isHidden(target) {
            return
        }
        throw Failure(.targetTaken, text: target).at(plan.step(thatPlaces: target) ?? step)
    }

    /// The mount that a target leads to, by the links of the jail; nil where it leads nowhere.
    private func seen(_ target: String, in table: MountTable) throws(Failure) -> UInt64? {
        do throws(KernelError) {
            return try table.identity(of: target)
        } catch {
            switch error.errno {
            case .noEntry, .notDirectory, .accessDenied, .loop: return nil
            default: throw Failure(error)
            }
        }
    }

    /// Below a directory that is hidden nothing can be reached.
    private func isHidden(_ target: String) -> Bool {
        tree.covers.contains { target.utf8.starts(with: "\($0.target)/".utf8) }
    }

    /// Whether a copy of the mounted directory is there, or the same file under no fewer restrictions: a mirror shows clones.
    private func shows(_ mount: Int32, at target: String, _ table: MountTable) throws(Failure) -> Bool {
        let (isClone, isMirror, seen) = try view(of: mount, at: target, in: table)
        guard isClone else { return isMirror }
        let held = try failing { () throws(KernelError) in try heldAttributes(of: mount) }.rawValue
        guard let place = table.index(of: seen) else { return false }
        return table[place].attributes.rawValue & held == held
    }
}

extension Plan {
    /// Where a step puts something; empty where it puts nothing.
    func target(of step: Int) -> String {
        switch steps[step].operation {
        case .tree(.attach(_, let target, _)), .tree(.hide(let target)), .tree(.mask(let target)),
            .tree(.protect(let target)),
            .tree(.pin(let target, _, _)), .tree(.protectFile(let target, _)):
            target
        default: ""
        }
    }

    /// The step that puts something on a target.
    fileprivate func step(thatPlaces target: String) -> Int? {
        steps.firstIndex { step in
            switch step.operation {
            case .tree(.attach(_, target, _)), .tree(.hide(target)), .tree(.mask(target)), .tree(.protect(target)),
                .tree(.pin(target, _, _)),
                .tree(.protectFile(target, _)):
                true
            default: false
            }
        }
    }
}
