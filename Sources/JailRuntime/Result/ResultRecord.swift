package import JailPlan
import Kernel
package import SpecFile

/// What `--result` says of a jail that has ended, or never began.
package enum ResultRecord {
    package static func record(of outcome: Outcome, plan: Plan) -> JSON {
        var exit = JSON.null
        var signal = JSON.null
        var name = JSON.null
        var failure = JSON.null
        var timedOut = false
        func tell(_ end: Termination) {
            switch end {
            case .exited(let status): exit = .integer(Int(status))
            case .signaled(let number), .stopped(let number):
                signal = .integer(Int(number))
                name = .string(Signal.name(number))
            }
        }
        switch outcome.ending {
        case .ended(let end): tell(end)
        case .timedOut(let end):
            timedOut = true
            tell(end)
        case .failed(let reason): failure = JSON(Explanation(reason, of: plan).diagnostic)
        }
        let notes = plan.notes.map { Diagnostic($0.message, at: $0.origin) } + outcome.skippedNotes(of: plan)
        return .object([
            ("status", .integer(Int(outcome.status))), ("exit", exit), ("signal", signal), ("signal_name", name),
            ("timed_out", .boolean(timedOut)), ("failure", failure),
            ("wall_seconds", .seconds(nanoseconds: outcome.wallNanoseconds)),
            ("user_seconds", .seconds(nanoseconds: outcome.use.userMicroseconds * 1000)),
            ("system_seconds", .seconds(nanoseconds: outcome.use.systemMicroseconds * 1000)),
            ("peak_memory", .integer(outcome.use.peakMemory)), ("limits_hit", .array([])),
            ("degraded", .array(notes.map { JSON($0) })),
        ])
    }

    /// A launch that ended before there was a plan: `failure` has the first fault, `failures` all of them.
    package static func record(of faults: [Diagnostic]) -> JSON {
        .object([
            ("status", .integer(125)), ("exit", .null), ("signal", .null), ("signal_name", .null),
            ("timed_out", .boolean(false)), ("failure", faults.first.map { JSON($0) } ?? .null),
            ("failures", .array(faults.map { JSON($0) })), ("wall_seconds", .seconds(nanoseconds: 0)),
            ("user_seconds", .seconds(nanoseconds: 0)), ("system_seconds", .seconds(nanoseconds: 0)),
            ("peak_memory", .integer(0)), ("limits_hit", .array([])), ("degraded", .array([])),
        ])
    }
}
