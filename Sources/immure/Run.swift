import JailPlan
import JailRuntime
import SpecFile

/// `immure run`.
enum Run {
    /// Launches and ends with the status of the command.
    static func perform(_ request: RunRequest) -> Never {
        do throws(Rejection) {
            let plan = try Prepare.plan(for: request)
            let outcome = Launch(plan).run()
            report(outcome, of: plan)
            Caller.leave(outcome.status)
        } catch {
            for fault in error.diagnostics { Report.say(fault) }
            Caller.leave(125)
        }
    }

    private static func report(_ outcome: Outcome, of plan: Plan) {
        for note in outcome.skippedNotes(of: plan) { Report.say(note, as: .note) }
        if case .failed(let failure) = outcome.ending { Report.say(Explanation(failure, of: plan).diagnostic) }
    }
}
