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
        var plan: Plan
        let destination: ResultDestination?
        let changes: ResultDestination?
        do throws(Rejection) {
            result = try Self.name(request.result, of: "--result")
            let listing = try Self.name(request.changes, of: "--changes", sharing: true)
            var held: [HeldBack] = []
            if let number = result?.descriptor { held.append(HeldBack(descriptor: number, option: "--result")) }
            // Standard output is the command's as well.
            if let number = listing?.descriptor, number > 2 {
                held.append(HeldBack(descriptor: number, option: "--changes"))
            }
            plan = try Prepare.plan(for: request, keepingBack: held, reading: files)
            if request.reasons != nil { try Self.watch(&plan) }
            let (writable, timeout) = (plan.writableSources, plan.supervision.timeout)
            destination = try Self.destination(
                result, of: "--result", below: writable, sparing: files, within: timeout)
            changes = try Self.destination(
                listing, of: "--changes", below: writable, sparing: files, within: timeout)
            try Self.keepApart(destination, changes)
        } catch {
            for fault in error.diagnostics { Report.say(fault) }
            tell(error, result, files)
            Caller.leave(125)
        }
        launch(plan, request, destination, listing: changes)
    }

    private static func launch(
        _ plan: Plan, _ request: RunRequest, _ destination: ResultDestination?, listing changes: ResultDestination?
    ) -> Never {
        for note in plan.notes where note.isWarning {
            Report.say(Diagnostic(note.message, at: note.origin, hint: note.hint), as: .warning)
        }
        let outcome = Launch(
            plan, keeping: held(destination) + held(changes),
            explaining: request.explains,
            telling: { Report.say($0) }
        ).run()
        if let reasons = request.reasons { tell(reasons, outcome, of: plan) }
        tell(outcome, of: plan, to: destination, listing: changes)
        Caller.leave(outcome)
    }

    /// What the jail must not get; standard output is the command's as well.
    private static func held(_ destination: ResultDestination?) -> [Int32] {
        guard let destination, destination.descriptor > 2 else { return [] }
        return [destination.descriptor]
    }

    private static func watch(_ plan: inout Plan) throws(Rejection) {
        do throws(Diagnostic) {
            try plan.watch()
        } catch {
            throw Rejection([error])
        }
    }

    /// Says what the jail kept from the command, the most likely cause of a failure first.
    private static func tell(_ reasons: RunRequest.Reasons, _ outcome: Outcome, of plan: Plan) {
        if outcome.unheard != nil {
            return Report.say(
                Diagnostic("--why: another filter has the listener already, and nothing was seen", at: nil),
                as: .warning)
        }
        let found = outcome.reasons(of: plan, all: reasons == .all)
        let told = reasons == .all ? found : Array(found.prefix(5))
        Caller.patiently {
            if found.isEmpty, !isExplained(outcome, of: plan) {
                let missed = outcome.missedSomething
                Report.say(Diagnostic(missed ? nothingButMissing : nothingSeen, at: nil), as: .note)
            }
            for denial in told { Report.say(Diagnostic("why: \(denial.words)", at: nil), as: .note) }
            if found.count > told.count {
                Report.say(Diagnostic("why: \(found.count - told.count) more with --why=all", at: nil), as: .note)
            }
        }
    }

    /// Names what is not watched: an empty answer is no proof that the jail kept nothing from the command.
    private static let nothingSeen = "why: nothing that is watched was refused or missing; " + notWatched
    private static let nothingButMissing =
        "why: nothing that is watched was refused, and what is missing (--why=all) the host has not either; "
        + notWatched
    private static let notWatched =
        "not watched, among others: limits but rlimits' as, cpu, data, fsize, nofile and nproc, capabilities, the content of /proc, and "
        + "what a server refuses"

    /// Whether something else is said of why the command failed, or did not start.
    private static func isExplained(_ outcome: Outcome, of plan: Plan) -> Bool {
        switch outcome.ending {
        case .failed, .lost: return true
        case .ended, .timedOut: break
        }
        return !networkNotes(outcome, of: plan).isEmpty || !outcome.limitNotes(of: plan).isEmpty
    }

    private static func networkNotes(_ outcome: Outcome, of plan: Plan) -> [Diagnostic] {
        outcome.refusedConnectionNotes(of: plan) + outcome.silentServerNotes(of: plan)
    }

    /// Says and writes what there is to it; a launch without any of that does not pay for it.
    private static func tell(
        _ outcome: Outcome, of plan: Plan, to destination: ResultDestination?, listing changes: ResultDestination?
    ) {
        let skipped = outcome.briefNotes(of: plan)
        let limits = networkNotes(outcome, of: plan) + outcome.limitNotes(of: plan)
        if destination == nil, changes == nil, skipped.isEmpty, limits.isEmpty {
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
            let found = changedFiles(outcome, plan)
            if let changes { list(found, to: changes) }
            if let destination { write(ResultRecord.record(of: outcome, plan: plan, changes: found), to: destination) }
        }
    }

    private static func keepApart(_ result: ResultDestination?, _ changes: ResultDestination?) throws(Rejection) {
        do throws(Diagnostic) {
            try ResultDestination.keepApart(result, changes)
        } catch {
            throw Rejection([error])
        }
    }

    private static func name(
        _ written: String?, of option: String, sharing: Bool = false
    ) throws(Rejection) -> ResultName? {
        guard let written else { return nil }
        do throws(Diagnostic) {
            return try ResultName(written, of: option, sharing: sharing)
        } catch {
            throw Rejection([error])
        }
    }

    private static func destination(
        _ result: ResultName?, of option: String, below writable: [String], sparing files: FilesRead,
        within timeout: Duration?
    ) throws(Rejection) -> ResultDestination? {
        guard let result else { return nil }
        do throws(Diagnostic) {
            return try ResultDestination.open(result, of: option, below: writable, sparing: files, within: timeout)
        } catch {
            throw Rejection([error])
        }
    }

    /// Writes why nothing was launched, where that can be told without harm.
    private static func tell(_ rejection: Rejection, _ result: ResultName?, _ files: FilesRead) {
        guard let result else { return }
        Caller.patiently {
            do throws(Diagnostic) {
                let destination = try ResultDestination(result, below: nil, sparing: files)
                write(ResultRecord.record(of: rejection.diagnostics), to: destination)
            } catch {
                if !rejection.diagnostics.contains(error) { Report.say(error, as: .warning) }
            }
        }
    }

    /// What each overlay has changed, by the jail's own names; nothing where nobody has asked, nil where not all is known.
    private static func changedFiles(_ outcome: Outcome, _ plan: Plan) -> [OverlayChanges]? {
        var result: [OverlayChanges] = []
        for overlay in outcome.overlays {
            do throws(Diagnostic) {
                result.append(try OverlayChanges(overlay, of: plan))
            } catch {
                Report.say(error, as: .warning)
                return nil
            }
        }
        return result
    }

    /// nil: part of a list would pass for all of it.
    private static func list(_ found: [OverlayChanges]?, to destination: ResultDestination) {
        do throws(Diagnostic) {
            if let found {
                try destination.write(found.map(\.text).joined())
            } else {
                try destination.withdraw()
            }
        } catch {
            Report.say(error, as: .warning)
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
