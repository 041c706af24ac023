package import JailPlan
import Kernel
package import SpecFile

/// What an overlay of a jail that has ended has changed, thrown away or kept, by the names that the jail has for it.
package struct OverlayChanges: Sendable {
    private let target: String
    private let changes: [Change]

    /// `overlay` is the upper, by its descriptor, and the step that has made it.
    package init(_ overlay: (step: Int, upper: Int32), of plan: Plan) throws(Diagnostic) {
        guard case .tree(.fill(_, .overlay(let source), let promise)) = plan.steps[overlay.step].operation else {
            throw Diagnostic("changes: step \(overlay.step + 1) makes no overlay", at: nil)
        }
        target = promise.target
        // As the launch has come to them.
        var rule = LinkRule(user: effectiveUser(), isRoot: effectiveUser() == 0)
        rule.close(plan.writableSources)
        do throws(Failure) {
            var lowers: [Int32] = []
            defer { for lower in lowers { closeDescriptor(lower) } }
            for path in source.lower {
                let lower = try KeptChanges.openLower(path, following: rule)
                lowers.append(lower)
                if source.looksPastMounts { lowers[lowers.count - 1] = try Self.withoutMounts(lower) }
            }
            changes = try failing { () throws(KernelError) in
                let appearance = try Self.appearance(source, lowers[0])
                var root = try RootState.known(of: lowers[0])
                if let owner = root.owners {
                    let shown = appearance(UInt32(truncatingIfNeeded: owner[0]), UInt32(truncatingIfNeeded: owner[1]))
                    root.owners = [UInt64(shown.user), UInt64(shown.group)]
                }
                let before = root
                let (target, targets) = (promise.target, plan.mountTargets)
                let walk = { () throws(KernelError) in
                    let found = try ChangeWalk.changes(
                        of: overlay.upper, over: lowers, prefix: source.attributePrefix, root: before,
                        within: ChangeWalk.Bounds(), appearance: appearance)
                    return Change.withoutMountPoints(found, at: targets, in: target)
                }
                do throws(KernelError) {
                    return Change.listed(try walk())
                } catch {
                    guard error.errno == .accessDenied, try ClosedFiles.areMet() else { throw error }
                    return try ChangesBeside.found(walk)
                }
            }
        } catch {
            let told = Explanation(error, of: Plan(), evidence: .host).told
            throw Diagnostic(
                "changes of \(promise.target) cannot be listed: \(told.reason)", at: plan.steps[overlay.step].origin,
                hint: told.hint)
        }
    }

    /// The same directory as an overlay has it, to which what is mounted in it is no part of it; in place of what is given.
    private static func withoutMounts(_ lower: Int32) throws(Failure) -> Int32 {
        let plain = try failing { () throws(KernelError) in
            let clone = try cloneTree("", at: lower, recursive: false)
            return try Kernel.open(".", at: clone.number, .read | .directory).release()
        }
        closeDescriptor(lower)
        return plain
    }

    /// By a mount with other ids.
    private static func appearance(
        _ source: OverlaySource, _ lower: Int32
    ) throws(KernelError) -> ChangeWalk.Appearance {
        guard let ids = source.fileIDs else { return { ($0, $1) } }
        let owner = try status(of: lower)
        let maps = ids.maps(owner: owner.owner, group: owner.group)
        return { FileIDs.appearance(of: ($0, $1), in: maps) }
    }

    private var prefix: String { target == "/" ? "/" : target + "/" }

    /// A line for each, ended by a line break.
    package var text: String { changes.map { $0.line(after: prefix) + "\n" }.joined() }

    package var json: [JSON] { changes.map { $0.json(after: prefix) } }
}
