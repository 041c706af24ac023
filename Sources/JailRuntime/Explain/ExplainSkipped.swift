package import JailPlan
package import SpecFile

extension Outcome {
    /// What was written as optional and left out.
    package func skippedNotes(of plan: Plan) -> [Diagnostic] {
        skipped.compactMap { index in
            guard plan.steps.indices.contains(index) else { return nil }
            return Diagnostic("\(plan.title(of: index)): skipped, it does not exist", at: plan.steps[index].origin)
        }
    }
}
