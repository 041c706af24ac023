import JailPlan
import Kernel

/// The table of `--explain`.
extension Applier {
    /// Writes it to standard error: by the command's process itself, so that it stands before anything of the command.
    func showVerified(of plan: Plan) {
        guard let shown else { return }
        Caller.say(Self.table(shown, of: plan))
    }

    static func table(_ shown: [Shown], of plan: Plan) -> String {
        var rows = [["verified", "promised", "the kernel says", "written at"]]
        for one in shown {
            let origin = plan.steps.indices.contains(one.step) ? plan.steps[one.step].origin : nil
            let promised = one.promised.split { $0 == "\n" }.joined(separator: ", ")
            rows.append([one.what, promised, one.found, origin.map { "\($0)" } ?? "default"].map(Report.printable))
        }
        let widths = (0..<3).map { column in rows.map { $0[column].utf8.count }.max() ?? 0 }
        return rows.map { row in
            (0..<3).map { column in
                row[column] + String(repeating: " ", count: widths[column] - row[column].utf8.count)
            }.joined(separator: "  ") + "  " + row[3]
        }.joined(separator: "\n")
    }
}
