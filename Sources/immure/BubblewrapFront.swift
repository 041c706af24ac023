import JailImport
import JailPlan
import JailRuntime
import JailSpec
import SpecFile

/// bwrap(1)'s command line, launched: `immure as bwrap …`, and immure under the name bwrap.
///
/// What comes of it is what `immure import bwrap` prints. Whatever has no line is refused by its name: nothing is launched that is
/// less of a jail than was asked for, nor one that lacks what the caller waits for.
enum BubblewrapFront {
    /// The words for bubblewrap; nil where the program is called otherwise.
    static func words(of arguments: [String]) -> ArraySlice<String>? {
        guard let name = arguments.first else { return nil }
        if name == "bwrap" || name.hasSuffix("/bwrap") { return arguments.dropFirst() }
        guard arguments.count >= 3, arguments[1] == "as", arguments[2] == "bwrap" else { return nil }
        return arguments.dropFirst(3)
    }

    static func perform(_ words: ArraySlice<String>) -> Never {
        let surroundings = Caller.surroundings()
        let context = ImportContext(
            isRoot: Caller.userID == 0, permitted: Caller.permitted, currentDirectory: surroundings.variable("PWD"),
            home: surroundings.home,
            readDescriptor: Caller.readDescriptor)
        var imported = BubblewrapImport(Array(words), from: "bwrap", context)
        let extras = imported.extras
        if extras.asksForHelp {
            Caller.show("usage: bwrap [OPTIONS...] [--] COMMAND [ARGS...]\n")
            Caller.leave(0)
        }
        if extras.asksForVersion {
            Caller.show("bubblewrap 0.11.0\n")
            Caller.leave(0)
        }
        if let fault = imported.draft.faults.first { refuse(fault.message) }
        if imported.hasNoCommand { refuse("no command; usage: bwrap [OPTIONS...] [--] COMMAND [ARGS...]") }
        refuseWhatIsLost(imported.draft)
        if extras.infoDescriptor != nil {
            refuse("--info-fd: not available: immure does not say what it starts before it ends")
        }
        if extras.statusDescriptor != nil {
            refuse("--json-status-fd: not available: immure does not say what it starts before it ends")
        }
        for source in extras.coveredSources where !Caller.exists(source) {
            refuse("Can't find source path \(source): No such file or directory")
        }
        imported.passOn((3..<1024).filter { Caller.hasOpen($0) })
        for number in extras.blockDescriptors where Caller.readOne(number) == nil {
            refuse("--block-fd: cannot read \(number)")
        }
        launch(imported.draft.document, surroundings)
    }

    private static func refuseWhatIsLost(_ draft: Draft) {
        let lost = draft.notes.first { $0.kind == .lost || $0.kind == .lostRestriction }
        if let lost { refuse("\(lost.directive.words): not available: \(lost.reason)") }
    }

    private static func launch(_ document: Document, _ surroundings: Surroundings) -> Never {
        do throws(Rejection) {
            let plan = try Prepare.plan(of: document, in: surroundings)
            let outcome = Launch(plan, keeping: [], explaining: false, telling: { _ in }).run()
            switch outcome.ending {
            case .failed(let failure): refuse(Explanation(failure, of: plan).diagnostic.message)
            case .lost(let failure): refuse(Explanation(failure, of: plan).loss.message)
            case .ended, .timedOut: Caller.leave(outcome)
            }
        } catch {
            refuse(error.diagnostics.first?.message ?? "refused")
        }
    }

    /// Every failure of bubblewrap's own is status 1.
    private static func refuse(_ message: String) -> Never {
        Caller.say("bwrap: " + Report.printable(message))
        Caller.leave(1)
    }
}
