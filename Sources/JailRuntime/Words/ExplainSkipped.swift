package import JailPlan
import Kernel
package import SpecFile

extension Outcome {
    /// What was written as optional and left out.
    package func skippedNotes(of plan: Plan) -> [Diagnostic] {
        plan.skippedNotes(skipped)
            + (unheard.map { errno in
                let reason = errno == .busy ? "a filter of whoever started immure has a listener already" : errno.words
                return [Diagnostic("no call that seccomp kills or logs is named: \(reason)", at: plan.filterOrigin)]
            } ?? [])
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
}
