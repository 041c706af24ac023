import ArgumentParser
import JailImport
import JailRuntime
import JailSpec
import SpecFile

/// `immure import`: what was written for another tool, as a spec.
struct ImportCommand: ParsableCommand {
    static let configuration = Verb.import.configuration()

    @Argument(help: "whose configuration it is")
    var tool: ForeignTool

    @Argument(help: "the files", completion: .file())
    var files: [String] = []

    /// `words` are those after `--`: the command line of bwrap, or the command of the jail.
    func perform(_ words: [String]) -> Never {
        let sources = files.map(Self.read)
        let draft = tool.draft(of: sources, words, ImportContext.ofCaller)
        var faults = draft.faults
        if faults.isEmpty { faults = Prepare.examine(draft.document, in: Self.anywhere).diagnostics }
        guard faults.isEmpty else {
            for fault in faults { Report.say(fault) }
            Caller.leave(2)
        }
        for note in draft.notes { Self.say(note) }
        let call = ["immure import", tool.rawValue] + files + (words.isEmpty ? [] : ["--", "…"])
        Caller.show(draft.text(title: ["Made by: " + call.joined(separator: " ")]))
        Caller.leave(draft.hasLostRestrictions ? 1 : 0)
    }

    /// What a spec refers to is of whoever starts the jail, and not looked for here.
    private static let anywhere = Surroundings(
        variable: { "/nowhere/\($0)" }, home: "/nowhere", currentDirectory: "/nowhere")

    private static func read(_ path: String) -> ImportSource {
        do throws(Diagnostic) {
            return ImportSource(name: path, text: try Caller.readSpec(path).bytes)
        } catch {
            Report.say(Diagnostic("cannot read \(quoted(path)): \(error.message)", at: nil))
            Caller.leave(2)
        }
    }

    private static func say(_ note: ImportNote) {
        let place = note.directive.position
        // What the tool does unless told otherwise stands on no line.
        let (words, position) =
            place.line > 0 ? (note.directive.words, place) : ("\(place.file): \(note.directive.words)", nil)
        switch note.kind {
        case .warning: Report.say(Diagnostic("\(words): \(note.reason)", at: position), as: .warning)
        case .lostRestriction:
            Report.say(Diagnostic("\(words): lost, though it restricts: \(note.reason)", at: position), as: .warning)
        case .lost: Report.say(Diagnostic("\(words): left out: \(note.reason)", at: position), as: .note)
        case .inForce, .outside: break
        }
    }
}

/// The tools whose configurations are read, by the names of their programs.
enum ForeignTool: String, CaseIterable, ExpressibleByArgument {
    case bwrap, nsjail, firejail, minijail, systemd, oci

    func draft(of sources: [ImportSource], _ words: [String], _ context: ImportContext) -> Draft {
        switch self {
        case .bwrap: BubblewrapImport.draft(of: sources, words, context)
        case .nsjail: NsjailImport.draft(of: sources, words, context)
        case .firejail: FirejailImport.draft(of: sources, words, context)
        case .minijail: MinijailImport.draft(of: sources, words, context)
        case .systemd: SystemdImport.draft(of: sources, words, context)
        case .oci: OCIImport.draft(of: sources, words, context)
        }
    }
}

extension ImportContext {
    /// That of the caller; files that a configuration names are read with the care that a spec is read with.
    static var ofCaller: ImportContext {
        let surroundings = Caller.surroundings()
        return ImportContext(
            isRoot: Caller.userID == 0, permitted: Caller.permitted, currentDirectory: surroundings.variable("PWD"),
            home: surroundings.home,
            read: { path in
                do throws(Diagnostic) {
                    return try Caller.readSpec(path).bytes
                } catch {
                    return nil
                }
            })
    }
}
