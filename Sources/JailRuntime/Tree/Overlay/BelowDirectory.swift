import JailPlan
import JailSpec
import Kernel

/// Whether something is mounted below the directory that root's launcher was started in: the first process asks the kernel by one call,
/// where the launcher would have to ask for every mount of the host.
///
/// Who is in a new mount namespace stands in its copy of the directory (fs/namespace.c, copy_mnt_ns). In a user namespace of its own
/// all mounts of that are locked, but for those that a server's file system makes by itself (lock_mnt_tree), and what a locked one
/// covers is cloned by nobody: EINVAL (__do_loopback).
extension Applier {
    /// Leaves it to the first process, where that stands in the only lower; false where that must be found out here.
    mutating func leaveLook(below lower: [Int32], of source: OverlaySource, in plan: Plan) throws(Failure) -> Bool {
        guard source.isThrownAway, source.fileIDs == nil, !source.leavesOutSubmounts, lower.count == 1,
            tree.unlooked < 0, plan.makes(.user), plan.makes(.mount), case .launcher = plan.steps[step].actor
        else { return false }
        let number = lower[0]
        let isHere = try failing { () throws(KernelError) in
            guard try workingDirectory().utf8.elementsEqual(source.lower[0].utf8),
                FileSystemMagic.local.contains(try fileSystemMagic(of: number)),
                try status(ofPath: ".").isSame(as: status(of: number))
            else { return false }
            return try mountIdentity(of: currentDirectory) == mountIdentity(of: number)
        }
        if isHere { tree.unlooked = step }
        return isHere
    }

    /// In the first process, with the rights over its mounts.
    mutating func lookBelowDirectory(_ plan: Plan) throws(Failure) {
        let place = tree.unlooked
        guard place >= 0, case .tree(.fill(_, .overlay(let source), _)) = plan.steps[place].operation else { return }
        tree.unlooked = -1
        do throws(KernelError) {
            let clone = try cloneTree("", recursive: false)
            if let lower = lowerRoot, try status(of: clone.number).isSame(as: lower) {
                tree.loose.append(clone.release())
                return
            }
        } catch {
            // Who has covered it, or that it was something else, the text of all mounts says.
        }
        try located(place) { () throws(Failure) in
            guard let below = try firstPoint(below: Array(source.lower[0].utf8), by: proc().mountinfo) else { return }
            throw Self.isCovered(below, source.lower[0], source)
        }
    }
}
