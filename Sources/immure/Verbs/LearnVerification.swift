import JailLearn
import JailRuntime
import JailSpec
import SpecFile

/// What `immure learn` has learned, and from what: enough to write the spec anew with more in it.
struct Learned {
    let words: [String]
    let place: LearnedPlace
    /// The path of the spec as it was asked for.
    let path: String
    let run: WatchedRun
    var records: [AccessRecord]
    let context: LearnContext
    /// What the spec that this one extends keeps of the environment.
    let kept: [String]
    let input: RepeatedInput

    /// Runs the command in the jail of a spec, without showing what it says.
    func runInside(_ spec: String, _ options: [String] = []) throws(Diagnostic) -> WatchedRun {
        let line = [Caller.programPath, "run", spec] + options + ["--"] + words
        return try input.again { input throws(Diagnostic) in
            var command = WatchedCommand(line, watching: nil, isShown: false, input: input)
            return try command.perform()
        }
    }

    /// The same outside.
    func runOutside(watching calls: [ObservedCall]? = nil) throws(Diagnostic) -> WatchedRun {
        try input.again { input throws(Diagnostic) in
            var command = WatchedCommand(words, watching: calls, isShown: false, input: input)
            return try command.perform()
        }
    }
}

/// Runs a learned command in its jail. What then is not the same may be the command's own doing, as a second run of make has nothing
/// left to do: it is held to one more run outside, and where that does something else, nothing has been verified.
struct LearnVerification {
    let learned: Learned
    /// Whether more runs are to find what ends a difference.
    let isToTry: Bool

    private var run: WatchedRun { learned.run }

    init(_ learned: Learned, isToTry: Bool) { (self.learned, self.isToTry) = (learned, isToTry) }

    /// The status of the verb.
    func perform() throws(Diagnostic) -> Int32 {
        var places = ChangedPlaces(changedPaths(run.records, learned.context), since: run.began)
        let first = run.trace(changing: places.all)
        let jailed = try learned.runInside(learned.place.path)
        if jailed.isInterrupted { return warn("not verified: its run in the jail was interrupted") }
        let comparison = RunComparison(first: first, inside: jailed.trace(changing: places.takeChanged()))
        if let verdict = comparison.early { return tell(verdict) }
        // Where immure itself has ended it, nothing has run.
        if jailed.status == 125, run.status != 125, let difference = comparison.difference {
            return tell(.different(difference), hint: nil)
        }
        let said = comparison.difference.map { "; in the jail \($0)" } ?? ""
        let outside = try learned.runOutside()
        if outside.isInterrupted {
            return warn("not verified: another run outside, to compare with, was interrupted" + said)
        }
        let again = outside.trace(changing: places.takeChanged())
        let verdict = comparison.verdict(with: again)
        guard case .different = verdict, isToTry else {
            return tell(verdict, hint: isToTry ? nil : hint)
        }
        var trials = LearnTrials(learned, first: first, again: again, places)
        return try tell(verdict, trials.perform())
    }

    /// What more runs are for; but what is known to be missing has been said.
    private var hint: String {
        let trials = "find what ends that, by more runs of it: immure learn --try …"
        if LearnedSpec(learned.records, learned.context).untold.isEmpty { return trials }
        return "what is said above not to be in the spec may be why: have lines for it in a spec with "
            + "extends = [\(TOML.string(learned.path))]; or \(trials)"
    }

    // MARK: What is told

    private func tell(_ verdict: RunVerdict, hint: String? = nil) -> Int32 {
        switch verdict {
        case .same(let how): return note("verified: in the jail " + how)
        case .partly(let how): return note("partly verified: in the jail " + how)
        case .different(let how):
            Report.say(Diagnostic("in the jail \(how)", at: nil, hint: hint))
            return 1
        case .unlike(let how): return notVerified(how)
        }
    }

    private func notVerified(_ reason: String) -> Int32 {
        let input = learned.input.isTerminal ? "; it reads nothing, as the first has read from a terminal" : ""
        Report.say(
            Diagnostic(
                "not verified: a second run outside does something else than the first: \(reason)\(input)", at: nil,
                hint: "undo what it has done, and see what it does in the jail: immure run \(shellWord(learned.path))"),
            as: .warning)
        let names = Variables.lacking(from: Caller.environment, learned.records, keeping: learned.kept)
            .filter { !Variables.isOwn($0) }
        guard !names.isEmpty else { return 0 }
        let more = names.count > Self.shown ? " and \(names.count - Self.shown) more" : ""
        return note(
            "not in the jail are your variables \(names.prefix(Self.shown).joined(separator: ", "))\(more): "
                + "environment.keep has those that the command needs")
    }

    private static let shown = 12

    /// What more runs have found.
    private func tell(_ verdict: RunVerdict, _ finding: LearnTrials.Finding) throws(Diagnostic) -> Int32 {
        switch finding {
        case .line(let line): return tell(verdict, hint: line)
        case .nothing: return tell(verdict)
        case .records(let records, let words):
            let all = Set(learned.records).union(records).sorted()
            try learned.place.replace([
                (".seen", RecordFile.text(all, learned.context)), ("", LearnedSpec(all, learned.context).text),
            ])
            _ = note("wrote \(learned.path) once more, with \(words)")
            return note("verified: with that, its status and output in the jail are the same")
        }
    }

    private func note(_ text: String) -> Int32 {
        Report.say(Diagnostic(text, at: nil), as: .note)
        return 0
    }

    private func warn(_ text: String) -> Int32 {
        Report.say(Diagnostic(text, at: nil), as: .warning)
        return 0
    }
}
