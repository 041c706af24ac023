package import JailPlan
import Kernel
package import SpecFile

extension Outcome {
    /// What was written as optional and left out.
    package func skippedNotes(of plan: Plan) -> [Diagnostic] { plan.skippedNotes(skipped) + unheardNotes(of: plan) }

    /// The same in few lines, where it is much.
    package func briefNotes(of plan: Plan) -> [Diagnostic] { plan.briefNotes(skipped) + unheardNotes(of: plan) }

    private func unheardNotes(of plan: Plan) -> [Diagnostic] {
        guard let unheard else { return [] }
        let reason = unheard == .busy ? "a filter of whoever started immure has a listener already" : unheard.words
        return [Diagnostic("no call that seccomp kills or logs is named: \(reason)", at: plan.filterOrigin)]
    }
}

extension Plan {
    /// The notes for steps that were left out.
    func skippedNotes(_ skipped: [Int]) -> [Diagnostic] {
        skipped.compactMap { index in
            guard steps.indices.contains(index) else { return nil }
            return Diagnostic("\(title(of: index)): skipped, it does not exist", at: steps[index].origin)
        }
    }

    /// The same to be read at once: the configuration of another tool names hundreds of paths that a host may have.
    func briefNotes(_ skipped: [Int]) -> [Diagnostic] {
        var (shown, hidden): ([Int], [Int]) = ([], [])
        for index in skipped where steps.indices.contains(index) {
            if case .tree(.hide) = steps[index].operation { hidden.append(index) } else { shown.append(index) }
        }
        return notes(shown) { count, some in
            "\(count) optional mounts are skipped, as what they show does not exist: \(some)"
        }
            + notes(hidden) { count, some in
                "\(count) paths to hide do not exist, and what is made there is seen: \(some)"
            }
    }

    private func notes(_ skipped: [Int], _ words: (_ count: Int, _ some: String) -> String) -> [Diagnostic] {
        if skipped.count <= Self.most { return skippedNotes(skipped) }
        let some = skipped.prefix(Self.most).map { index in
            switch steps[index].operation {
            case .tree(.fill(_, _, let promise)): promise.target
            case .tree(.hide(let target)): target
            default: title(of: index)
            }
        }
        let rest = "\(some.joined(separator: ", ")) and \(skipped.count - some.count) more; --result FILE has each"
        return [Diagnostic(words(skipped.count, rest), at: nil)]
    }

    /// So many have a line each.
    private static let most = 3
}
