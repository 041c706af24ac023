import JailLearn
import JailRuntime
import SpecFile

/// Runs a learned command in one jail after another, to find what ends the difference that its own jail makes: only a run shows whether a
/// line helps.
struct LearnTrials {
    enum Finding {
        /// What the spec lacks, and in words.
        case records([AccessRecord], String)
        /// A line that opens more than a name or a path, which is for the caller to write.
        case line(String)
        case nothing
    }

    private let learned: Learned
    /// The runs outside.
    private let first: RunTrace
    private let again: RunTrace
    private var places: ChangedPlaces
    /// Runs that are left, and when the last of them may begin: the command does all that it does each time.
    private var left = 20
    private let deadline = Caller.clock + 60_000_000_000
    private var isOver = false

    init(_ learned: Learned, first: RunTrace, again: RunTrace, _ places: ChangedPlaces) {
        (self.learned, self.first, self.again, self.places) = (learned, first, again, places)
    }

    /// What has been seen to help, the likeliest first.
    mutating func perform() throws(Diagnostic) -> Finding {
        if let names = try variables() {
            let list = names.map { quoted($0) }.joined(separator: ", ")
            return .records(Self.records(names), "environment.keep = [\(list)]")
        }
        let networkHint = "with network.mode = \"host\" it is the same, and has the host's whole network"
        if try helps([], ["--set", "network={mode=\"host\"}"]) { return .line(networkHint) }
        let rootHint = "with identity.user = 0 it is the same, and the host's root: watch it as another user"
        if learned.context.isRoot, try helps([], ["--set", "identity.user=0"]) { return .line(rootHint) }
        guard let looks = try looks(), try helps(looks) else { return .nothing }
        return .records(looks, "what the command only asks for, as with --stat")
    }

    // MARK: Variables

    private static func records(_ names: [String]) -> [AccessRecord] {
        names.map { AccessRecord(.variable, $0, "without it the command does something else") }
    }

    /// The fewest of the caller's variables that make it right; nil where all of them do not.
    private mutating func variables() throws(Diagnostic) -> [String]? {
        var names = Variables.lacking(from: Caller.environment, learned.records, keeping: learned.kept)
        var needed: [String] = []
        guard !names.isEmpty, try helps(Self.records(names)) else { return nil }
        // As often as one more is needed: the shortest beginning of the others with which it is right ends with it.
        while !names.isEmpty, !isOver {
            if !needed.isEmpty, try helps(Self.records(needed)) { break }
            var (short, enough) = (0, names.count)
            while enough - short > 1, !isOver {
                let middle = (short + enough) / 2
                if try helps(Self.records(needed + names.prefix(middle))) { enough = middle } else { short = middle }
            }
            // What was not tried any more stays.
            if isOver { return (needed + names.prefix(enough)).sorted() }
            needed.append(names[enough - 1])
            names = Array(names.prefix(enough - 1))
        }
        return (isOver ? needed + names : needed).sorted()
    }

    // MARK: Calls that only ask

    /// What a run outside is seen to ask for that the spec does not know of.
    private mutating func looks() throws(Diagnostic) -> [AccessRecord]? {
        guard mayGoOn() else { return nil }
        let run = try learned.runOutside(watching: ObservedCall.all(withLooks: true))
        guard !run.isInterrupted, run.cut == nil else { return nil }
        let more = Set(RecordFile.worthKeeping(run.records, learned.context)).subtracting(learned.records)
        return more.isEmpty ? nil : more.sorted()
    }

    // MARK: Trials

    private static let trial = ".trial"

    /// Whether the command does in the jail what it does outside, with these records in the spec and these options.
    private mutating func helps(_ records: [AccessRecord], _ options: [String] = []) throws(Diagnostic) -> Bool {
        guard mayGoOn() else { return false }
        let all = Set(learned.records).union(records).sorted()
        try learned.place.replace([(Self.trial, LearnedSpec(all, learned.context).text)])
        _ = places.takeChanged()
        let inside: WatchedRun
        do throws(Diagnostic) {
            inside = try learned.runInside(learned.place.path + Self.trial, options)
        } catch {
            try learned.place.remove(ending: Self.trial)
            throw error
        }
        let changed = places.takeChanged()
        try learned.place.remove(ending: Self.trial)
        if inside.isInterrupted {
            isOver = true
            return false
        }
        switch RunComparison(first: first, inside: inside.trace(changing: changed)).verdict(with: again) {
        case .same, .partly: return true
        case .different, .unlike: return false
        }
    }

    private mutating func mayGoOn() -> Bool {
        if left == 0 || Caller.clock > deadline { isOver = true }
        left -= 1
        return !isOver
    }
}
