import JailImport
import JailPlan
import JailRuntime
import JailSpec
import SpecFile

/// bwrap(1)'s command line, launched: `immure as bwrap …`, and immure under the name bwrap.
///
/// What comes of it is what `immure import bwrap` prints. Whatever has no line is refused by its name: nothing is launched that is
/// less of a jail than was asked for, nor one that lacks what the caller waits for.
struct BubblewrapFront {
    private let extras: BubblewrapImport.Extras
    private let name: String

    /// The words for bubblewrap; nil where the program is called otherwise.
    static func words(of arguments: [String]) -> ArraySlice<String>? {
        guard let name = arguments.first else { return nil }
        if name == "bwrap" || name.hasSuffix("/bwrap") { return arguments.dropFirst() }
        // How bubblewrap starts itself in a jail of its own, where its file need not have a name.
        if name == "/proc/self/exe", arguments.count > 1, BubblewrapOptions.hasOption(arguments[1]) {
            return arguments.dropFirst()
        }
        guard arguments.count >= 3, arguments[1] == "as", arguments[2] == "bwrap" else { return nil }
        return arguments.dropFirst(3)
    }

    static func perform(_ words: ArraySlice<String>) -> Never {
        let surroundings = Caller.surroundings()
        let context = ImportContext(
            isRoot: Caller.userID == 0, group: Caller.groupID, permitted: Caller.permitted,
            currentDirectory: surroundings.variable("PWD"), home: surroundings.home,
            readDescriptor: Caller.readDescriptor, isDirectory: Caller.isDirectory, mayEnter: Caller.mayEnter)
        var imported = BubblewrapImport(Array(words), from: "bwrap", context, decodes: false)
        let called = Caller.arguments.first ?? "bwrap"
        let front = BubblewrapFront(extras: imported.extras, name: words.startIndex == 1 ? called : "bwrap")
        front.answerQuestions()
        if let fault = imported.draft.faults.first { front.refuse(fault.message) }
        for warning in front.extras.warnings { front.say(warning, level: 4) }
        if imported.hasNoCommand { front.refuse("no command; \(front.usage)") }
        front.refuseWhatIsLost(imported.draft)
        for source in front.extras.coveredSources where !Caller.exists(source) { front.refuseSource(source) }
        front.checkDescriptors()
        imported.passOn(Caller.openDescriptors(in: 3..<1024))
        front.launch(imported.draft, surroundings)
    }

    private var usage: String { "usage: \(name) [OPTIONS...] [--] COMMAND [ARGS...]" }

    private func answerQuestions() {
        if extras.asksForHelp {
            let names = BubblewrapOptions.names.map { "    \($0)\n" }.joined()
            Caller.show("\(usage)\n\nOptions, as bwrap(1) has them:\n\(names)")
            Caller.leave(0)
        }
        if extras.asksForVersion {
            Caller.show("bubblewrap 0.11.0\n")
            Caller.leave(0)
        }
    }

    private func refuseWhatIsLost(_ draft: Draft) {
        let lost = draft.notes.first { $0.kind == .lost || $0.kind == .lostRestriction }
        if let lost { refuse("\(lost.directive.words): not available: \(lost.reason)") }
    }

    /// A number that is free would be given to a descriptor of immure's own.
    private func checkDescriptors() {
        for number in own + extras.heldDescriptors where !Caller.hasOpen(number) {
            refuse("Invalid fd: \(number)")
        }
    }

    /// Those that no process of the jail is to have.
    private var own: [Int32] {
        var numbers: [Int32] = []
        if let number = extras.infoDescriptor { numbers.append(number) }
        if let number = extras.statusDescriptor { numbers.append(number) }
        if let number = extras.blockDescriptor { numbers.append(number) }
        return numbers
    }

    private func launch(_ draft: Draft, _ surroundings: Surroundings) -> Never {
        let held = own + extras.heldDescriptors
        do throws(Rejection) {
            let plan = try Prepare.plan(of: draft.document, in: surroundings, stays: !held.isEmpty)
            let start =
                own.isEmpty
                ? nil : StartReport(gate: extras.blockDescriptor, own: own.filter { $0 > 2 }, words: words)
            let outcome = Launch(plan, keeping: held.filter { $0 > 2 }, starting: start, telling: { _ in }).run()
            switch outcome.ending {
            case .failed(let failure): refuse(failure, of: plan)
            case .lost(let failure): refuse(Explanation(failure, of: plan).loss.message)
            case .ended, .timedOut:
                if let status = extras.statusDescriptor {
                    Caller.tell(status, "{ \"exit-code\": \(outcome.status) }\n")
                }
                Caller.leave(outcome)
            }
        } catch {
            // In the words of the option, where it is one that does not decode.
            refuse(draft.undecodable.first?.message ?? error.diagnostics.first?.message ?? "refused")
        }
    }

    /// What is said of a jail that has been started, in the two forms that bubblewrap has for it.
    private func words(of jail: StartedJail) -> [StartReport.Words] {
        var facts = ["\"child-pid\": \(jail.process)"]
        for (kind, number) in jail.namespaces {
            let name = kind == .mount ? "mnt" : kind.rawValue
            facts.append("\"\(name)-namespace\": \(number)")
        }
        var words: [StartReport.Words] = []
        if let info = extras.infoDescriptor {
            let text = "{\n    \(facts.joined(separator: ",\n    "))\n}\n"
            words.append(StartReport.Words(text, to: info, isLast: info > 2))
        }
        if let status = extras.statusDescriptor {
            words.append(StartReport.Words("{ \(facts.joined(separator: ", ")) }\n", to: status, isLast: false))
        }
        return words
    }

    private func refuse(_ failure: Failure, of plan: Plan) -> Never {
        let explanation = Explanation(failure, of: plan)
        if let source = explanation.missingSource { refuseSource(source) }
        if let link = explanation.differingLink {
            refuse("Can't make symlink at \(link.path): existing destination is \(link.found)")
        }
        refuse(explanation.diagnostic.message)
    }

    private func refuseSource(_ path: String) -> Never {
        refuse("Can't find source path \(path): No such file or directory")
    }

    /// Every failure of bubblewrap's own is status 1.
    private func refuse(_ message: String) -> Never {
        say(message, level: 3)
        Caller.leave(1)
    }

    /// `level` is of syslog(3).
    private func say(_ message: String, level: Int) {
        Caller.say((extras.prefixesLevels ? "<\(level)>" : "") + "bwrap: " + Report.printable(message))
    }
}
