import ArgumentParser
import JailPlan
import JailRuntime
import JailSpec
import SpecFile

/// `immure check`: reads and validates, and touches nothing.
struct CheckCommand: ParsableCommand {
    static let configuration = Verb.check.configuration()

    @Flag(help: "print an array of diagnostics as JSON")
    var json = false

    @Flag(help: "refuse too what a launch by this caller on this host would be refused for")
    var host = false

    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("override a key of the specs; the value is TOML; repeatable", valueName: "key.path=value"),
        completion: SettableKeys.completion)
    var overrides: [String] = []

    @Option(
        name: .customLong("env"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "a variable that the specs refer to, in place of the environment's; repeatable", valueName: "name=value"))
    var variables: [String] = []

    @Argument(help: "the spec files", completion: .file())
    var spec: [String]

    mutating func run() throws {
        var faults: [Diagnostic] = []
        do throws(Rejection) {
            let given = try variables.map { text throws(Rejection) in try GivenVariable(text) }
            let surroundings = Caller.surroundings().with(given)
            for path in spec { faults += self.faults(of: path, in: surroundings) }
        } catch {
            faults = error.diagnostics
        }
        if json {
            Caller.show(JSON.array(faults.map { JSON($0) }).lines)
        } else {
            for fault in faults { Report.say(fault, as: .plain) }
        }
        if !faults.isEmpty { throw ExitCode(2) }
    }

    /// A fault without a place of its own is one of the file.
    private func faults(of path: String, in surroundings: Surroundings) -> [Diagnostic] {
        let faults: [Diagnostic]
        do throws(Rejection) {
            let document = try Document.load(
                path: path, overrides: overrides, in: surroundings, reading: Caller.readSpec,
                translating: BundleSpec.translate)
            let decoded = Prepare.examine(document, in: surroundings, isToPlan: host)
            // What cannot be read is not guessed, and so nothing is planned for it.
            if !decoded.diagnostics.isEmpty {
                faults = decoded.diagnostics
                if host {
                    let note = "\(path): what this host refuses is looked for once the file can be read"
                    Report.say(Diagnostic(note, at: nil), as: .note)
                }
            } else if host {
                faults = try refusals(of: decoded.spec, path, in: surroundings)
            } else {
                faults = decoded.spec.contradictions
            }
        } catch {
            faults = Prepare.completed(error, in: surroundings, reading: Caller.readSpec).diagnostics
        }
        return faults.map { fault in
            guard fault.position == nil else { return fault }
            return Diagnostic("\(path): \(fault.message)", at: nil, hint: fault.hint)
        }
    }

    /// What the plan of a launch, whatever the command, and what it needs of this host would be refused for.
    private func refusals(
        of spec: Spec, _ path: String, in surroundings: Surroundings
    ) throws(Rejection) -> [Diagnostic] {
        let words = spec.command == nil ? ["true"] : []
        let request = RunRequest(spec: path, overrides: overrides, words: words)
        return try Prepare.refusals(of: request, in: surroundings)
    }
}
