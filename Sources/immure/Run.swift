import JailPlan
import JailRuntime
import SpecFile

/// `immure run`.
enum Run {
    /// Launches and ends with the status of the command.
    static func perform(_ request: RunRequest) -> Never {
        if !request.overrides.isEmpty { Caller.hideStartValues(of: "--set") }
        var destination: ResultDestination?
        do throws(Rejection) {
            destination = try Self.destination(of: request)
            let plan = try Prepare.plan(for: request, keepingBack: destination?.descriptor)
            for note in plan.notes where note.isWarning {
                Report.say(Diagnostic(note.message, at: note.origin, hint: note.hint), as: .warning)
            }
            let outcome = Launch(
                plan, keeping: destination.map { [$0.descriptor] } ?? [], explaining: request.explains,
                telling: { Report.say($0) }
            ).run()
            tell(outcome, of: plan, to: destination)
            Caller.leave(outcome)
        } catch {
            for fault in error.diagnostics { Report.say(fault) }
            if let destination { write(ResultRecord.record(of: error.diagnostics), to: destination) }
            Caller.leave(125)
        }
    }

    /// Says and writes what there is to it; a launch without any of that does not pay for it.
    private static func tell(_ outcome: Outcome, of plan: Plan, to destination: ResultDestination?) {
        let skipped = outcome.skippedNotes(of: plan)
        let limits = outcome.refusedConnectionNotes(of: plan) + outcome.limitNotes(of: plan)
        if destination == nil, skipped.isEmpty, limits.isEmpty {
            switch outcome.ending {
            case .ended, .timedOut: return
            case .failed, .lost: break
            }
        }
        Caller.patiently {
            for note in skipped { Report.say(note, as: .note) }
            for note in limits { Report.say(note) }
            switch outcome.ending {
            case .failed(let failure): Report.say(Explanation(failure, of: plan).diagnostic)
            case .lost(let failure): Report.say(Explanation(failure, of: plan).loss)
            case .ended, .timedOut: break
            }
            if let destination { write(ResultRecord.record(of: outcome, plan: plan), to: destination) }
        }
    }

    private static func destination(of request: RunRequest) throws(Rejection) -> ResultDestination? {
        guard let result = request.result else { return nil }
        do throws(Diagnostic) {
            return try ResultDestination(result)
        } catch {
            throw Rejection([error])
        }
    }

    /// The command has ended by now: its status stands, whatever becomes of the report.
    private static func write(_ record: JSON, to destination: ResultDestination) {
        do throws(Diagnostic) {
            try destination.write(record)
        } catch {
            Report.say(error, as: .warning)
        }
    }
}
