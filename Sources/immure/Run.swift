import JailPlan
import JailRuntime
import SpecFile

/// `immure run`.
enum Run {
    /// Launches and ends with the status of the command.
    static func perform(_ request: RunRequest) -> Never {
        if !request.overrides.isEmpty { Caller.hideStartValues(of: "--set") }
        var result: ResultName?
        let files = FilesRead(toLaunch: true)
        let plan: Plan
        let destination: ResultDestination?
        do throws(Rejection) {
            result = try Self.name(of: request)
            plan = try Prepare.plan(for: request, keepingBack: result?.descriptor, reading: files)
            destination = try Self.destination(result, below: plan.writableSources, sparing: files)
        } catch {
            for fault in error.diagnostics { Report.say(fault) }
            tell(error, result, files)
            Caller.leave(125)
        }
        launch(plan, explaining: request.explains, destination)
    }

    private static func launch(_ plan: Plan, explaining explains: Bool, _ destination: ResultDestination?) -> Never {
        for note in plan.notes where note.isWarning {
            Report.say(Diagnostic(note.message, at: note.origin, hint: note.hint), as: .warning)
        }
        let outcome = Launch(
            plan, keeping: destination.map { [$0.descriptor] } ?? [], explaining: explains,
            telling: { Report.say($0) }
        ).run()
        tell(outcome, of: plan, to: destination)
        Caller.leave(outcome)
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

    private static func name(of request: RunRequest) throws(Rejection) -> ResultName? {
        guard let written = request.result else { return nil }
        do throws(Diagnostic) {
            return try ResultName(written)
        } catch {
            throw Rejection([error])
        }
    }

    private static func destination(
        _ result: ResultName?, below writable: [String]?, sparing files: FilesRead
    ) throws(Rejection) -> ResultDestination? {
        guard let result else { return nil }
        do throws(Diagnostic) {
            return try ResultDestination(result, below: writable, sparing: files)
        } catch {
            throw Rejection([error])
        }
    }

    /// Writes why nothing was launched, where that can be told without harm.
    private static func tell(_ rejection: Rejection, _ result: ResultName?, _ files: FilesRead) {
        do throws(Rejection) {
            guard let destination = try destination(result, below: nil, sparing: files) else { return }
            write(ResultRecord.record(of: rejection.diagnostics), to: destination)
        } catch {
            for fault in error.diagnostics where !rejection.diagnostics.contains(fault) {
                Report.say(fault, as: .warning)
            }
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
