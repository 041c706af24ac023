import JailPlan
import JailRuntime
import JailSpec
import SpecFile

/// A descriptor that is the launcher's own, and what it is for.
struct HeldBack {
    let descriptor: Int32
    let option: String
}

/// From the words of the command line to a plan.
enum Prepare {
    /// Reads, trusts, decodes and plans; every reason against it in one go.
    ///
    /// `held` are descriptors that the command must not be given, `files` gets what was read; to print a plan, a spec need not
    /// be trusted.
    static func plan(
        for request: RunRequest, toLaunch: Bool = true, keepingBack held: [HeldBack] = [],
        reading files: FilesRead? = nil, in given: Surroundings? = nil
    ) throws(Rejection) -> Plan {
        let files = files ?? FilesRead(toLaunch: toLaunch)
        var decoded = try read(request, from: files, toLaunch: toLaunch, mustBeTrusted: toLaunch, in: given)
        return try plan(
            &decoded.spec, from: files, toLaunch: toLaunch, keepingBack: held, reportsResult: request.result != nil,
            reportsChanges: request.changes != nil)
    }

    /// Reads, trusts and decodes.
    static func read(
        _ request: RunRequest, from files: FilesRead, toLaunch: Bool, mustBeTrusted: Bool, in given: Surroundings?
    ) throws(Rejection) -> Decoded {
        let surroundings = given ?? Caller.surroundings()
        let first = toLaunch ? givenTimeout(request, in: surroundings) : nil
        let document = try load(
            request, in: surroundings, reading: { (path) throws(Diagnostic) in try files.read(path, within: first) },
            toLaunch: toLaunch)
        try checkTrust(document, isFatal: mustBeTrusted)
        var decoded = Spec.decode(document, in: surroundings)
        let timeout = toLaunch ? decoded.spec.timeout?.value : nil
        let read: FileReader = { (path) throws(Diagnostic) in try files.read(path, within: timeout) }
        if let profile = complete(&decoded, in: surroundings, reading: read) {
            try checkTrust(profile.trustFaults(callerUID: Caller.userID), mustBeTrusted)
        }
        guard decoded.diagnostics.isEmpty else {
            throw Rejection(decoded.diagnostics + decoded.spec.policyFaults())
        }
        decoded.spec.takeCommand(from: request)
        if toLaunch { noteHome(document, surroundings) }
        return decoded
    }

    /// The same, to launch, of a document that no file holds; `stays`: for a launcher that has something to do meanwhile.
    static func plan(
        of document: Document, in surroundings: Surroundings, stays: Bool
    ) throws(Rejection) -> Plan {
        var decoded = Spec.decode(document, in: surroundings)
        // What else is wrong with its policy the planner says.
        guard decoded.diagnostics.isEmpty else { throw Rejection(decoded.diagnostics) }
        return try plan(&decoded.spec, from: FilesRead(toLaunch: true), stays: stays)
    }

    /// The spec is changed where it is: a copy is a thousand bytes of stack.
    private static func plan(
        _ spec: inout Spec, from files: FilesRead, toLaunch: Bool = true, keepingBack held: [HeldBack] = [],
        reportsResult: Bool = false, reportsChanges: Bool = false, stays: Bool = false
    ) throws(Rejection) -> Plan {
        if toLaunch {
            try checkDescriptors(spec.process.fds, "process.fds", keepingBack: held)
            for given in spec.filesystem.givenDescriptors {
                try checkDescriptors(Located([given.number], at: given.position), given.key, keepingBack: held)
            }
            let faults = spec.filesystem.resolveDescriptors(Caller.path(of:))
            if !faults.isEmpty { throw Rejection(faults) }
            if let programs = spec.seccomp?.value.programs {
                try checkDescriptors(programs, "seccomp.bpf", keepingBack: held)
            }
        }
        if toLaunch { try Caller.tryCalls(for: spec) }
        if toLaunch { try Host.touchNames(of: spec) }
        var host = try host(for: spec)
        try host.probeNames(of: spec, readFrom: files)
        if !toLaunch { host.findDanglingLinks() }
        switch Planner.plan(spec, on: host, reportsResult: reportsResult, reportsChanges: reportsChanges, stays: stays)
        {
        case .success(let plan):
            if toLaunch {
                try checkPassed(spec.service.sockets, of: plan, keepingBack: held)
                try checkPassed(spec.process.jobserver, of: plan, keepingBack: held)
            }
            return plan
        case .failure(let faults): throw Rejection(faults.diagnostics)
        }
    }

    /// `~` is what HOME says, and a command's home what passwd(5) does: where the two differ, paths lead elsewhere than the command
    /// looks.
    private static func noteHome(_ document: Document, _ surroundings: Surroundings) {
        guard let home = surroundings.home, let written = document.root.firstTilde, let account = Caller.accountHome,
            home != account
        else { return }
        Report.say(
            Diagnostic(
                "~ is \(quoted(home)), as HOME says, and passwd(5) has \(quoted(account)) for the caller",
                at: written), as: .note)
    }

    static func host(for spec: Spec) throws(Rejection) -> Host {
        do throws(Diagnostic) {
            return try .probe(for: spec)
        } catch {
            throw Rejection([error])
        }
    }

    /// What a document says, where nobody is going to plan it; every fault at once.
    static func decode(_ document: Document, in surroundings: Surroundings) throws(Rejection) -> Spec {
        let decoded = examine(document, in: surroundings)
        guard decoded.diagnostics.isEmpty else { throw Rejection(decoded.diagnostics) }
        return decoded.spec
    }

    /// A document decoded, with every fault that can be found without the host; `isToPlan`: but for those that a planner finds, too,
    /// where there is no other.
    static func examine(_ document: Document, in surroundings: Surroundings, isToPlan: Bool = false) -> Decoded {
        var decoded = Spec.decode(document, in: surroundings)
        _ = complete(&decoded, in: surroundings, reading: Caller.readSpec)
        if !isToPlan || !decoded.diagnostics.isEmpty { decoded.add(decoded.spec.policyFaults()) }
        return decoded
    }

    /// All that is wrong with a document of which a file could not be read: with the rest as well.
    static func completed(
        _ rejection: Rejection, in surroundings: Surroundings, reading read: FileReader
    ) -> Rejection {
        guard let partial = rejection.partial else { return rejection }
        var decoded = Spec.decode(partial, in: surroundings, isPartial: true)
        _ = complete(&decoded, in: surroundings, reading: read)
        decoded.add(decoded.spec.policyFaults(isPartial: true))
        return Rejection(rejection.diagnostics + decoded.diagnostics)
    }

    /// Adds what the seccomp file says that the spec names; that file, whose owner is still to be trusted.
    private static func complete(
        _ decoded: inout Decoded, in surroundings: Surroundings, reading read: FileReader
    ) -> SourceFile? {
        guard let named = decoded.spec.seccomp?.value.profile, case .file(let path) = named.value else { return nil }
        do throws(Diagnostic) {
            let (file, root) = try SourceFile.readJSON(
                path, "the profile", writtenAt: named.position, by: read)
            let (profile, faults) = SeccompProfile.decode(root, in: surroundings)
            decoded.add(profile, faults)
            return file
        } catch {
            decoded.add(nil, [error])
            return nil
        }
    }

    /// The limit that the command line sets: it holds while the spec is read, whose own is not known yet.
    private static func givenTimeout(_ request: RunRequest, in surroundings: Surroundings) -> Duration? {
        if request.spec == nil || request.overrides.isEmpty { return nil }
        do throws(Rejection) {
            let document = try Document.load(
                path: nil, overrides: request.overrides, in: surroundings, reading: Caller.readSpec)
            return Spec.decode(document, in: surroundings).spec.timeout?.value
        } catch {
            return nil  // what is wrong with them is told with all else
        }
    }

    private static func load(
        _ request: RunRequest, in surroundings: Surroundings, reading read: @escaping FileReader, toLaunch: Bool
    ) throws(Rejection) -> Document {
        do throws(Rejection) {
            return try Document.load(
                path: request.spec, overrides: request.overrides, in: surroundings, reading: read,
                translating: toLaunch ? BundleSpec.translateToLaunch : BundleSpec.translate)
        } catch {
            if error.partial != nil { throw completed(error, in: surroundings, reading: read) }
            throw named(error, request.spec.flatMap(misnamedHint))
        }
    }

    /// The faults of a file that was to be something else: the first says what to write.
    static func named(_ rejection: Rejection, _ hint: String?) -> Rejection {
        guard let hint, let first = rejection.diagnostics.first else { return rejection }
        return Rejection(
            [Diagnostic(first.message, at: first.position, hint: first.hint ?? hint)]
                + rejection.diagnostics.dropFirst())
    }

    /// What to write where `immure learn` was given a command in the place of a spec.
    static func learnHint(_ path: String) -> String? {
        guard misnamedHint(path) != nil, !Caller.isDirectory(path) else { return nil }
        return "the first word is a spec; to learn of a command: immure learn -- \(shellWord(path))"
    }

    /// What to write where a spec's name is that of a bundle, or of a command.
    private static func misnamedHint(_ path: String) -> String? {
        if Caller.isDirectory(path) {
            let spec = path + (path.hasSuffix("/") ? "" : "/") + "config.json"
            return Caller.exists(spec) ? "a bundle is launched by its config.json: immure run \(shellWord(spec))" : nil
        }
        let isThere = Caller.exists(path)
        if path.hasSuffix(".toml") || isThere && !Caller.isProgram(path) { return nil }
        let whole = Caller.absolute(path)
        if isThere, !isWithin(whole, "/usr"), !isWithin(whole, "/bin"), !isWithin(whole, "/sbin") {
            let shown = shellWord("filesystem.ro=[\(TOML.path(whole))]", quoted: true)
            return
                "the first word is a spec; to run this file without one: immure run --set \(shown) -- \(shellWord(whole))"
        }
        guard isThere || looksLikeCommand(path) else { return nil }
        return "the first word is a spec; to run a command without one: immure run -- \(shellWord(path))"
    }

    private static func looksLikeCommand(_ path: String) -> Bool {
        !path.hasSuffix(".toml")
            && (!path.utf8.contains(UInt8(ascii: "/")) || path.hasPrefix("/bin/") || path.hasPrefix("/usr/"))
    }

    /// What a spec says root will do: nobody else may have a hand in it.
    ///
    /// An ordinary user is warned.
    /// The same for a verb that does to the host's files what a spec says.
    static func requireTrust(_ document: Document) throws(Rejection) { try checkTrust(document, isFatal: true) }

    private static func checkTrust(_ document: Document, isFatal: Bool) throws(Rejection) {
        guard !document.files.isEmpty else { return }
        try checkTrust(document.trustFaults(callerUID: Caller.userID), isFatal)
    }

    private static func checkTrust(_ faults: [Diagnostic], _ isFatal: Bool) throws(Rejection) {
        guard !faults.isEmpty else { return }
        if Caller.userID == 0 && isFatal { throw Rejection(faults) }
        for fault in faults { Report.say(fault, as: .warning) }
    }
}

extension Prepare {
    /// What is passed on must be the caller's: a number that is free now would be given to a descriptor of immure's own,
    /// such as one of a tree of the host, and the jail would get that.
    private static func checkDescriptors(
        _ wanted: Located<[Int32]>, _ key: String, keepingBack held: [HeldBack]
    ) throws(Rejection) {
        for number in wanted.value {
            if let taken = held.first(where: { $0.descriptor == number }) {
                throw Rejection([Diagnostic("descriptor \(number) is for \(taken.option)", at: wanted.position)])
            }
            if !Caller.hasOpen(number) {
                let list = key.split(separator: ".").last.map(String.init) ?? key
                throw Rejection([
                    Diagnostic(
                        "\(key): descriptor \(number) is not open", at: wanted.position,
                        hint: "open it for immure, as in `immure run … \(number)<file`, or take it out of \(list)")
                ])
            }
        }
    }
}

extension Prepare {
    /// Sockets of a manager begin with descriptor 3, and those of make are where it has them: the one that the result goes
    /// to must not be among them.
    private static func checkPassed(
        _ wanted: Located<Bool>, of plan: Plan, keepingBack held: [HeldBack]
    ) throws(Rejection) {
        guard wanted.value, let taken = held.first(where: { plan.passes($0.descriptor) }) else { return }
        throw Rejection([
            Diagnostic("descriptor \(taken.descriptor) is for \(taken.option)", at: wanted.position)
        ])
    }
}

extension Spec {
    /// Makes the words of the command line the command, or appends them to it.
    mutating func takeCommand(from request: RunRequest) {
        guard !request.words.isEmpty else { return }
        if let own = command, !request.replaces {
            command = Located(own.value + request.words, at: own.position)
        } else {
            command = Located(request.words)
        }
    }
}

extension Table {
    /// Where the first text stands that begins with `~`.
    fileprivate var firstTilde: Position? {
        for entry in entries { if let found = entry.node.firstTilde { return found } }
        return nil
    }
}

extension Node {
    fileprivate var firstTilde: Position? {
        switch value {
        case .string(let text): return text.utf8.first == UInt8(ascii: "~") ? position : nil
        case .array(let elements):
            for element in elements { if let found = element.firstTilde { return found } }
            return nil
        case .table(let table): return table.firstTilde
        case .integer, .unsigned, .float, .boolean, .date: return nil
        }
    }
}
