package import JailPlan
import Kernel
package import SpecFile

/// A limit that the command came up against.
package struct LimitHit: Sendable {
    /// The key of the spec: `memory`.
    package let limit: String
    /// What was written to the kernel for it.
    package let value: String
    /// How often: processes killed, forks refused, microseconds held back.
    package let count: Int
    /// Whether the way the command ended is told by this.
    package let explainsEnd: Bool
    package let diagnostic: Diagnostic
}

extension Outcome {
    /// The limits that were hit, those that explain the end first.
    package func limitsHit(of plan: Plan) -> [LimitHit] {
        let rooms = full.compactMap { plan.hit(ofRoom: $0, ends: !endedWell) }
        guard let tally else { return rooms }
        var result: [LimitHit] = []
        func add(_ key: String, _ count: Int, ends: Bool, _ message: String, hint: String? = nil) {
            let step = plan.limit(key)
            guard let step else { return }
            result.append(
                LimitHit(
                    limit: key, value: step.value, count: count, explainsEnd: ends,
                    diagnostic: Diagnostic("limits.\(key): \(message)", at: step.origin, hint: hint)))
        }
        if tally.killed > 0 && tally.outOfMemory > 0 {
            let peak = tally.peakMemory.map { ", peak \(Self.size($0))" } ?? ""
            let who =
                tally.killed == 1
                ? "the one process of the jail was" : "all \(tally.killed) processes of the jail were"
            let limit = plan.limit("memory").flatMap { Int($0.value) }.map { " of \(Self.size($0))" } ?? ""
            add(
                "memory", tally.killed, ends: true,
                "out of memory, \(who) killed\(peak)\(limit)")
        }
        if let refused = tally.refusedProcesses, refused > 0 {
            let times = refused == 1 ? "once" : "\(refused) times"
            add("pids", refused, ends: !endedWell, "fork was refused \(times)")
        }
        if let throttled = tally.throttledMicroseconds, throttled > 0 {
            add("cpu", throttled, ends: timedOut, "held back for \(JSON.seconds(nanoseconds: throttled * 1000).text) s")
        }
        if let stalled = tally.stalledMicroseconds, stalled > 0, let key = plan.firstIOLimit {
            add(key, stalled, ends: timedOut, "waited for I/O for \(JSON.seconds(nanoseconds: stalled * 1000).text) s")
        }
        return result + rooms
    }

    /// What to say of the limits when the jail has ended: one line for each that explains the end.
    package func limitNotes(of plan: Plan) -> [Diagnostic] {
        var notes = limitsHit(of: plan).filter(\.explainsEnd).map(\.diagnostic)
        if let tally, tally.killed > 0, tally.outOfMemory == 0 {
            notes.append(
                Diagnostic(
                    "out of memory, and not by a limit of this spec: \(tally.killed) processes of the jail were killed",
                    at: nil, hint: "the host's memory, or that of a cgroup above, has run out"))
        }
        if let leftCgroup { notes.append(Diagnostic("the cgroup \(leftCgroup) could not be removed", at: nil)) }
        return notes
    }

    private var endedWell: Bool { if case .ended(.exited(0)) = ending { true } else { false } }
    private var timedOut: Bool { if case .timedOut = ending { true } else { false } }

    /// A size as the spec would write it, where it is whole.
    static func size(_ bytes: Int) -> String {
        for (unit, factor) in [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)] where bytes >= factor {
            let tenths = (bytes % factor) * 10 / factor
            return tenths == 0 ? "\(bytes / factor)\(unit)" : "\(bytes / factor).\(tenths)\(unit)"
        }
        return "\(bytes)"
    }
}

extension Plan {
    /// The first setting of a key, with its line.
    fileprivate func limit(_ key: String) -> (value: String, origin: Position?)? {
        for step in steps {
            if case .limits(.setLimit(let setting)) = step.operation, setting.key == key {
                return (setting.value, step.origin)
            }
        }
        return nil
    }

    /// That something was full.
    fileprivate func hit(ofRoom room: FullRoom, ends: Bool) -> LimitHit? {
        guard steps.indices.contains(room.step),
            case .tree(.fill(_, let filling, let promise)) = steps[room.step].operation
        else { return nil }
        let key =
            (promise.target == home ? "home" : promise.room(filling)).map { "filesystem.\($0)" }
            ?? "mount \(promise.target)"
        let (value, message): (String, String)
        if room.isOfFiles {
            value = filling.roomForFiles ?? ""
            message = "no file is left" + (value.isEmpty ? "" : " of \(value)")
        } else {
            // Of a file system that has no size of its own the plan says nothing.
            guard let size = filling.room else { return nil }
            (value, message) = (size, "full (\(size) of \(size))")
        }
        return LimitHit(
            limit: key, value: value, count: 1, explainsEnd: ends,
            diagnostic: Diagnostic("\(key): \(message)", at: steps[room.step].origin))
    }

    fileprivate var firstIOLimit: String? {
        for step in steps {
            if case .limits(.setLimit(let setting)) = step.operation, setting.file == "io.max" { return setting.key }
        }
        return nil
    }
}
