package import JailPlan
import Kernel
package import SpecFile

/// What `--result` says of a jail that has ended, or never began.
package enum ResultRecord {
    package static func record(of outcome: Outcome, plan: Plan, changes: [OverlayChanges]? = []) -> JSON {
        var exit = JSON.null
        var signal = JSON.null
        var name = JSON.null
        var failure = JSON.null
        var lost = JSON.null
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
        case .lost(let reason):
            tell(.signaled(Signal.kill))
            lost = JSON(Explanation(reason, of: plan).loss)
        }
        let notes =
            plan.notes.map { Diagnostic($0.message, at: $0.origin, hint: $0.hint) } + outcome.notes
            + outcome.skippedNotes(of: plan)
        return .object(
            [
                ("status", .integer(Int(outcome.status))), ("exit", exit), ("signal", signal), ("signal_name", name),
                ("timed_out", .boolean(timedOut)), ("failure", failure), ("lost", lost),
                ("wall_seconds", .seconds(nanoseconds: outcome.wallNanoseconds)),
            ]
                + used(outcome)
                + [
                    ("limits_hit", .array(outcome.limitsHit(of: plan).map(json))),
                    ("degraded", .array(notes.map { JSON($0) })),
                    ("seccomp", outcome.refused.map(\.json) ?? .null), ("logged", .array(outcome.logged.map(\.json))),
                    (
                        "refused_connections",
                        outcome.refusedConnections.map { .array($0.map(json)) } ?? .null
                    ),
                    ("name_servers", .array(outcome.askedServers.map(json))),
                    ("changes", changes.map { .array($0.flatMap(\.json)) } ?? .null),
                ])
    }

    /// From the jail's cgroup where there was one, else from what the kernel adds up for children that were waited for.
    private static func used(_ outcome: Outcome) -> [(String, JSON)] {
        let (use, tally) = (outcome.use, outcome.tally)
        let user = tally?.userMicroseconds ?? use.userMicroseconds
        let system = tally?.systemMicroseconds ?? use.systemMicroseconds
        return [
            ("user_seconds", .seconds(nanoseconds: user * 1000)),
            ("system_seconds", .seconds(nanoseconds: system * 1000)),
            ("peak_memory", .integer(tally?.peakMemory ?? use.peakMemory)),
            ("peak_memory_of", .string(tally?.peakMemory == nil ? "process" : "jail")),
            ("peak_swap", JSON(tally?.peakSwap)), ("peak_processes", JSON(tally?.peakProcesses)),
            ("read_bytes", .integer(tally?.readBytes ?? use.readBytes)),
            ("written_bytes", .integer(tally?.writtenBytes ?? use.writtenBytes)),
            ("throttled_seconds", tally?.throttledMicroseconds.map { .seconds(nanoseconds: $0 * 1000) } ?? .null),
            ("io_stalled_seconds", tally?.stalledMicroseconds.map { .seconds(nanoseconds: $0 * 1000) } ?? .null),
            ("killed_for_memory", JSON(tally.map(\.killed))), ("forks_refused", JSON(tally?.refusedProcesses)),
        ]
    }

    private static func json(_ hit: LimitHit) -> JSON {
        .object([
            ("limit", .string(hit.limit)), ("value", .string(hit.value)), ("count", .integer(hit.count)),
            ("message", .string(hit.diagnostic.message)), ("position", JSON(hit.diagnostic.position)),
        ])
    }

    private static func json(_ refused: RefusedConnection) -> JSON {
        .object([
            ("destination", .string(refused.destination)), ("count", .integer(refused.count)),
            ("leads_to", refused.leadsTo.map { .string($0) } ?? .null),
        ])
    }

    private static func json(_ server: AskedServer) -> JSON {
        .object([
            ("address", .string("\(server.address)")), ("asked", .integer(server.asked)),
            ("answered", .integer(server.answered)),
        ])
    }

    /// A launch that ended before there was a plan: `failure` has the first fault, `failures` all of them.
    package static func record(of faults: [Diagnostic]) -> JSON {
        .object([
            ("status", .integer(125)), ("exit", .null), ("signal", .null), ("signal_name", .null),
            ("timed_out", .boolean(false)), ("failure", faults.first.map { JSON($0) } ?? .null),
            ("failures", .array(faults.map { JSON($0) })), ("lost", .null), ("wall_seconds", .seconds(nanoseconds: 0)),
            ("user_seconds", .seconds(nanoseconds: 0)), ("system_seconds", .seconds(nanoseconds: 0)),
            ("peak_memory", .integer(0)), ("peak_memory_of", .string("process")), ("peak_swap", .null),
            ("peak_processes", .null), ("read_bytes", .integer(0)), ("written_bytes", .integer(0)),
            ("throttled_seconds", .null), ("io_stalled_seconds", .null), ("killed_for_memory", .null),
            ("forks_refused", .null), ("limits_hit", .array([])), ("degraded", .array([])),
            ("seccomp", .null), ("logged", .array([])), ("refused_connections", .array([])),
            ("name_servers", .array([])),
            ("changes", .array([])),
        ])
    }
}
