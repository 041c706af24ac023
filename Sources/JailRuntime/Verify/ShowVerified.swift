import JailPlan
import Kernel

/// The table of `--explain`.
extension Applier {
    /// Writes it to standard error: by the command's process itself, so that it stands before anything of the command.
    func showVerified(of plan: Plan) {
        guard let shown else { return }
        tell(.table(Self.rows(shown, of: plan)))
    }

    /// A row of what was verified, promised and found, and the place in the spec, below their headings.
    static func rows(_ shown: [Shown], of plan: Plan) -> [[String]] {
        [["verified", "promised", "the kernel says", "written at"]]
            + shown.map { one in
                let origin = plan.steps.indices.contains(one.step) ? plan.steps[one.step].origin : nil
                let promised = one.promised.split { $0 == "\n" }.joined(separator: ", ")
                return [one.what, promised, one.found, origin.map { "\($0)" } ?? "default"]
            }
    }
}
