import ArgumentParser
import JailLearn
import JailRuntime
import JailSpec
import SpecFile

/// `immure learn`: runs a command watched, writes the spec that it needs, and runs it again under that.
struct LearnCommand: ParsableCommand {
    static let configuration = Verb.learn.configuration(
        discussion: """
            The status is 0 where the command's status and output are the same in the jail, else 1; the spec is written all the
            same.
            """)

    @Option(
        name: [.short, .customLong("output")],
        help: ArgumentHelp("the file of the spec; default PROGRAM.toml", valueName: "FILE"), completion: .file())
    var output: String?

    @Flag(help: "watch the calls that only ask of files, too: slower by far")
    var stat = false

    @Flag(help: "have Landlock close what was not used, the host's system included")
    var tight = false

    @Flag(name: .customLong("no-verify"), help: "do not run the command a second time")
    var trusts = false

    @Flag(
        name: .customLong("try"),
        help: "where the jail makes a difference, run the command more often, to find what ends it")
    var tries = false

    @Argument(help: "a spec that the one to be written extends", completion: .file())
    var spec: String?

    init() {}

    /// Reads the words before the command; nil where ArgumentParser has to say, which takes as long as much of the rest.
    /// `CommandLineTests` holds the two to the same answers.
    init?(plain words: [String]) {
        guard words.first == Verb.learn.rawValue else { return nil }
        (output, stat, tight, trusts, tries, spec) = (nil, false, false, false, false, nil)
        var rest = words.dropFirst()
        while let word = rest.popFirst() {
            switch word {
            case "--stat": stat = true
            case "--tight": tight = true
            case "--no-verify": trusts = true
            case "--try": tries = true
            case "-o", "--output":
                guard let file = rest.popFirst(), !FastArguments.isOption(file) else { return nil }
                output = file
            default:
                guard !FastArguments.isOption(word), spec == nil else { return nil }
                spec = word
            }
        }
    }

    func perform(_ tail: Tail) -> Never {
        do throws(Rejection) {
            if tries, trusts { throw Rejection([Diagnostic("--try and --no-verify contradict each other", at: nil)]) }
            let base = try Self.base(spec)
            let words = tail.words.isEmpty ? base?.command?.value ?? [] : tail.words
            guard let program = words.first else {
                throw Rejection([Diagnostic("no command", at: nil, hint: "immure learn -- COMMAND")])
            }
            try Self.refuseLaunch(words)
            let place = try Self.rejecting { () throws(Diagnostic) in
                try LearnedPlace(of: target(of: program))
            }
            let now = try Self.rejecting { () throws(Diagnostic) in
                try surroundings(words, base, writing: place.path)
            }
            let before = try Self.former(place, now)
            let input = RepeatedInput()
            var context = before?.context ?? now
            let run = try Self.rejecting { () throws(Diagnostic) in try watch(words) }
            guard Self.ran(run) else { Caller.leave(run.status) }
            let records = RecordFile.worthKeeping(run.records.union(before?.records ?? []), context)
            var more = Variables.records(
                of: Caller.environment, used: run.records,
                // Root's command is another user in the jail, but where it needs what only root may.
                jailHome: context.isRoot ? nil : Caller.accountHome,
                homes: now.home.map { Caller.places(ofHome: $0, from: now.current) } ?? [], context)
            // The jail has a LANG of its own, which leads there.
            if context.isTight, Caller.exists(Self.locales) { more.append(AccessRecord(.list, Self.locales)) }
            let all = (records + more.filter { !records.contains($0) }).sorted()
            // A look at the host, for which a command that stays on the machine need not wait.
            if LearnedNetwork.matters(all) {
                let (obstacle, servers) = Caller.userNetwork
                (context.leadsOut, context.obstacle, context.servers) = (obstacle == nil, obstacle, servers)
                context.metadata = LearnedNetwork.hosts(all).filter(Caller.isOfTheLink)
            }
            let kept = base?.environment.keep.map(\.value) ?? []
            try finish(words, place, run, all, context, keeping: kept, input)
        } catch {
            for fault in error.diagnostics { Report.say(fault) }
            Caller.leave(125)
        }
    }

    // MARK: Before

    /// What makes a jail by this program, and would end with ENOSYS.
    private static func refuseLaunch(_ words: [String]) throws(Rejection) {
        let launches = [Verb.run.rawValue, Verb.learn.rawValue].contains(words.dropFirst().first)
        guard launches || BubblewrapFront.words(of: words) != nil, Caller.isItself(words[0]) else { return }
        throw Rejection([
            Diagnostic(
                "\(words[0]) \(Caller.cannotBeWatched)", at: nil,
                hint: "immure learn -- COMMAND; for more lines of a spec: immure learn SPEC -- COMMAND")
        ])
    }

    private static func base(_ path: String?) throws(Rejection) -> Spec? {
        guard let path else { return nil }
        let surroundings = Caller.surroundings()
        let document: Document
        do throws(Rejection) {
            document = try Document.load(
                path: path, overrides: [], in: surroundings, reading: Caller.readSpec, translating: BundleSpec.translate
            )
        } catch {
            throw Prepare.named(error, Prepare.learnHint(path))
        }
        return try Prepare.decode(document, in: surroundings)
    }

    /// What earlier runs have learned. A spec that says anything else is somebody's work, and stays. Only what the spec shows is
    /// taken from the records: the rest of the context is that of this run, whoever may have written them.
    private static func former(
        _ place: LearnedPlace, _ now: LearnContext
    ) throws(Rejection) -> (records: Set<AccessRecord>, context: LearnContext)? {
        let spec = try rejecting { () throws(Diagnostic) in try place.read() }
        guard let spec else { return nil }
        let seen = try rejecting { () throws(Diagnostic) in try place.read(ending: ".seen") }
        if let seen, var former = RecordFile.read(String(decoding: seen, as: UTF8.self)) {
            former.context.spec = place.path
            if Array(LearnedSpec(former.records.sorted(), former.context).text.utf8) == spec {
                var context = now
                (context.command, context.current, context.base) =
                    (former.context.command, former.context.current, former.context.base)
                (context.tree, context.granted) = (Caller.gitTree(above: context.current), former.context.granted)
                context.isTight = now.isTight || former.context.isTight
                return (former.records, context)
            }
        }
        throw Rejection([
            Diagnostic(
                "\(quoted(place.path)) has lines that were not learned", at: nil,
                hint:
                    "learn what is missing into another file, which extends it: immure learn \(shellWord(place.path)) -o NEW.toml -- …"
            )
        ])
    }

    /// The file of the spec, as it was asked for.
    private func target(of program: String) -> String { output ?? Self.file(program) + ".toml" }

    private func surroundings(
        _ words: [String], _ base: Spec?, writing path: String
    ) throws(Diagnostic) -> LearnContext {
        let surroundings = Caller.surroundings()
        // A directory that was removed has no path, and the jail none of it: the command starts where one without `cwd` does.
        let current = surroundings.currentDirectory.isEmpty ? "/" : surroundings.currentDirectory
        var context = LearnContext(
            command: words, current: current, tree: Caller.gitTree(above: current), home: surroundings.home,
            isRoot: Caller.userID == 0)
        (context.isTight, context.spec) = (tight, path)
        context.homes = try Caller.homes(named: surroundings.home)
        guard let base, let spec else { return context }
        let whole = Caller.absolute(spec)
        context.base = Self.directory(whole) == Self.directory(path) ? Self.file(spec) : whole
        context.granted = base.filesystem.mounts.filter { !$0.isPattern }.map { mount in
            guard case .bind(let source) = mount.source, source == mount.target else {
                return .init(mount.target, .none)
            }
            return .init(mount.target, mount.options.asked.isEmpty ? .writable : .readOnly)
        }
        return context
    }

    private static func file(_ path: String) -> String { names(of: path).last ?? "" }
    private static func directory(_ path: String) -> Substring { path.dropLast(file(path).count) }

    private static let locales = "/usr/lib/locale"

    static func rejecting<Result>(_ body: () throws(Diagnostic) -> Result) throws(Rejection) -> Result {
        do throws(Diagnostic) {
            return try body()
        } catch {
            throw Rejection([error])
        }
    }

    // MARK: The run

    private func watch(_ words: [String]) throws(Diagnostic) -> WatchedRun {
        let progress: ((Int, Int) -> Void)? = Caller.hasTerminal(2) ? { Self.showProgress($0, $1) } : nil
        var command = WatchedCommand(
            words, watching: ObservedCall.all(withLooks: stat), isShown: true, progress: progress)
        return try command.perform()
    }

    private static func showProgress(_ calls: Int, _ records: Int) {
        Caller.show(progress: calls < 0 ? "" : "immure: learning: \(calls) calls, \(records) places")
    }

    /// Whether there is anything to learn from: a program that could not be executed has opened nothing.
    private static func ran(_ run: WatchedRun) -> Bool {
        !(125...127).contains(run.status) || run.records.contains { $0.act != .execute && $0.act != .link }
    }

    // MARK: After

    private func finish(
        _ words: [String], _ place: LearnedPlace, _ run: WatchedRun, _ records: [AccessRecord],
        _ context: LearnContext, keeping kept: [String], _ input: RepeatedInput
    ) throws(Rejection) -> Never {
        let learned = LearnedSpec(records, context)
        try Self.rejecting { () throws(Diagnostic) in
            try place.replace([(".seen", RecordFile.text(records, context)), ("", learned.text)])
        }
        let path = target(of: words[0])
        let places = records.count == 1 ? "1 place or address" : "\(records.count) places and addresses"
        // A command that fails is learned as one that does not: its caller may not have meant that.
        let failure = run.status == 0 ? "" : "; the command's status was \(run.status)"
        note("wrote \(path): \(run.calls) call\(run.calls == 1 ? "" : "s") seen, \(places)\(failure)")
        if Caller.surroundings().currentDirectory.isEmpty {
            warn("not in the spec: cwd, as the current directory has been removed")
        }
        for one in learned.untold { warn("not in the spec: the command \(one)") }
        if learned.isRoots {
            warn(
                "identity.user = 0: the command is the host's root in the jail, for it uses root's files; watch it as another user"
            )
        }
        for one in learned.openings { warn(one) }
        if let reason = learned.sharedNetwork {
            warn("network.mode = \"host\": the command \(reason)")
        }
        for one in run.blind { warn("\(one.program): \(one.reason)") }
        if let cut = run.cut { warn("\(cut): not all that it did was seen") }
        if run.isFull { warn("there were more paths than are kept: the spec lacks some") }
        guard !trusts else { Caller.leave(0) }
        if run.isInterrupted || run.cut != nil {
            warn("not verified: \(run.isInterrupted ? "it was interrupted" : "not all was seen")")
            Caller.leave(0)
        }
        guard input.isThereAgain else {
            warn("not verified: its standard input cannot be read a second time")
            Caller.leave(0)
        }
        let result = Learned(
            words: words, place: place, path: path, run: run, records: records, context: context, kept: kept,
            input: input)
        let status = try Self.rejecting { () throws(Diagnostic) in
            try LearnVerification(result, isToTry: tries).perform()
        }
        Caller.leave(status)
    }

    private func note(_ text: String) { Report.say(Diagnostic(text, at: nil), as: .note) }
    private func warn(_ text: String) { Report.say(Diagnostic(text, at: nil), as: .warning) }
}
