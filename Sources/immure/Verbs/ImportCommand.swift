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

    @Option(
        help: ArgumentHelp(
            "oci: the file is an image, and is unpacked into this directory, which is made; docker: where it has been unpacked",
            valueName: "directory"),
        completion: .directory)
    var into: String?

    /// `words` are those after `--`: the command line of bwrap, or the command of the jail.
    func perform(_ words: [String]) -> Never {
        guard !files.isEmpty || tool.isReadFrom(words) else {
            Self.leave(Diagnostic("import \(tool.rawValue): \(tool.missing)", at: nil))
        }
        let draft =
            if tool == .docker {
                docker(words)
            } else if let into {
                image(into, words)
            } else {
                tool.draft(of: files.map(read), words, ImportContext.ofCaller)
            }
        var faults = draft.faults
        if faults.isEmpty { faults = Prepare.examine(draft.document, in: Self.anywhere).diagnostics }
        guard faults.isEmpty else {
            for fault in faults { Report.say(fault) }
            Caller.leave(2)
        }
        for group in draft.noteGroups { Self.say(group) }
        let call =
            ["immure import", tool.rawValue] + files + (into.map { ["--into", $0] } ?? [])
            + (words.isEmpty ? [] : ["--", "…"])
        Caller.show(draft.text(title: ["Made by: " + call.joined(separator: " ")] + tool.forWhom))
        Caller.leave(draft.hasLostRestrictions ? 1 : 0)
    }

    /// What a spec refers to is of whoever starts the jail, and not looked for here.
    private static let anywhere = Surroundings(
        variable: { "/nowhere/\($0)" }, home: "/nowhere", currentDirectory: "/nowhere")

    private func read(_ path: String) -> ImportSource {
        do throws(Diagnostic) {
            return ImportSource(name: path, text: try Caller.readSpec(path).bytes)
        } catch {
            let place = path.lastIndex(of: ":").map { String(path[..<$0]) } ?? path
            let isImage =
                tool == .oci && (Caller.isDirectory(place) || place.hasSuffix(".tar") || Caller.isDirectory(path))
            Self.leave(
                Diagnostic(
                    "cannot read \(quoted(path)): \(error.message)", at: nil,
                    hint: isImage ? "an image is unpacked: immure import oci \(shellWord(path)) --into DIRECTORY" : nil)
            )
        }
    }

    private func image(_ directory: String, _ words: [String]) -> Draft {
        guard tool == .oci, files.count == 1 else {
            Self.leave(Diagnostic("--into: for one image of oci", at: nil))
        }
        do throws(Diagnostic) {
            let unpacking = try UnpackImage(files[0], into: directory)
            try unpacking.perform()
            return OCIImageImport.draft(of: unpacking.layout, in: unpacking.directory, words, ImportContext.ofCaller)
        } catch {
            Self.leave(error)
        }
    }

    /// A command line of `docker run`, over the image that `immure import oci` has unpacked.
    private func docker(_ words: [String]) -> Draft {
        guard files.isEmpty else {
            Self.leave(
                Diagnostic(
                    "docker: the command line comes after --", at: nil,
                    hint: "immure import docker -- \((files + words).map { shellWord($0) }.joined(separator: " "))"))
        }
        return DockerImport.draft(words, in: into.map(Caller.absolute), ImportContext.ofCaller)
    }

    private static func leave(_ fault: Diagnostic) -> Never {
        Report.say(fault)
        Caller.leave(2)
    }

    private static func say(_ group: NoteGroup) {
        let (words, position) = group.directive.place
        switch group.kind {
        case .warning: Report.say(Diagnostic("\(words): \(group.reason)", at: position), as: .warning)
        case .lostRestriction:
            Report.say(Diagnostic("\(words): lost, though it restricts: \(group.reason)", at: position), as: .warning)
        case .lost: Report.say(Diagnostic("\(words): left out: \(group.reason)", at: position), as: .note)
        case .inForce, .part, .outside: break
        }
    }
}

/// The tools whose configurations are read, by the names of their programs.
enum ForeignTool: String, CaseIterable, ExpressibleByArgument {
    case bwrap, nsjail, firejail, minijail, systemd, oci, docker

    /// Whose jail it is, where the tool gives root another.
    var forWhom: [String] {
        switch self {
        case .bwrap, .firejail:
            Caller.userID == 0
                ? ["For root: imported by an ordinary user it keeps no capabilities."]
                : ["For an ordinary user: imported by root it may keep capabilities."]
        case .nsjail, .minijail, .systemd, .oci, .docker: []
        }
    }

    /// What is missing where there is nothing to read.
    var missing: String {
        switch self {
        case .bwrap, .docker: "no command line follows after --"
        case .nsjail, .firejail, .minijail, .systemd, .oci: "no FILE is named"
        }
    }

    /// Whether words after `--` are a configuration, and not a command alone: of nothing nothing would be closed.
    func isReadFrom(_ words: [String]) -> Bool {
        switch self {
        case .bwrap: !words.isEmpty
        case .docker: true
        case .nsjail, .firejail, .minijail, .systemd, .oci: false
        }
    }

    func draft(of sources: [ImportSource], _ words: [String], _ context: ImportContext) -> Draft {
        switch self {
        case .bwrap: BubblewrapImport.draft(of: sources, words, context)
        case .nsjail: NsjailImport.draft(of: sources, words, context)
        case .firejail: FirejailImport.draft(of: sources, words, context)
        case .minijail: MinijailImport.draft(of: sources, words, context)
        case .systemd: SystemdImport.draft(of: sources, words, context)
        case .oci: OCIImport.draft(of: sources, words, context)
        case .docker: DockerImport.draft(words, in: nil, context)
        }
    }
}

extension Directive {
    /// The words and the place that a message has; what the tool does unless told otherwise stands on no line.
    var place: (words: String, position: Position?) {
        position.line > 0 ? (words, position) : ("\(position.file): \(words)", nil)
    }
}

extension ImportContext {
    /// That of the caller; files that a configuration names are read with the care that a spec is read with.
    static var ofCaller: ImportContext {
        let surroundings = Caller.surroundings()
        return ImportContext(
            isRoot: Caller.userID == 0, group: Caller.groupID, permitted: Caller.permitted,
            currentDirectory: surroundings.variable("PWD"), home: surroundings.home,
            read: { path in
                do throws(Diagnostic) {
                    return try Caller.readSpec(path).bytes
                } catch {
                    return nil
                }
            },
            list: { path in
                do throws(Diagnostic) {
                    return try Caller.directoryNames(path)
                } catch {
                    Report.say(error)
                    Caller.leave(2)
                }
            }, isLink: Caller.isLink, exists: Caller.exists, isDirectory: Caller.isDirectory)
    }
}
