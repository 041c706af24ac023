import ArgumentParser
import JailImport
import JailPlan
import JailRuntime
import JailSpec
import SpecFile

extension JailPlan.Unit.Kind: ExpressibleByArgument {}

/// `immure unit`: a unit of systemd for a spec.
struct UnitCommand: ParsableCommand {
    static let configuration = Verb.unit.configuration()

    @Option(
        name: .customLong("env"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "a variable that the spec refers to; the unit sets it, specifiers such as %i and all; repeatable",
            valueName: "name=value"))
    var variables: [String] = []

    @Flag(name: .customLong("user"), help: "a unit for the manager of a user")
    var isUsers = false

    @Option(name: .customLong("type"), help: "Type=, in place of what the spec suggests")
    var kind: Unit.Kind?

    @Option(
        name: .customLong("timer"), parsing: .unconditional,
        help: ArgumentHelp("print the timer that starts the service then, systemd.time(7)", valueName: "calendar"))
    var calendar: String?

    @Option(
        name: .customLong("socket"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("print the socket unit that listens there for the service; repeatable", valueName: "address")
    )
    var addresses: [String] = []

    @Option(
        name: .customLong("dropin"), parsing: .unconditional,
        help: ArgumentHelp("print the drop-in that starts this unit in the jail", valueName: "unit"))
    var over: String?

    @Argument(help: "the spec file", completion: .file())
    var spec: String

    func perform(_ tail: Tail) -> Never {
        do throws(Rejection) {
            // It stands in comments, which know no escape.
            guard !Report.acts(in: spec) else {
                throw Self.fault("\(quoted(spec)): a path with a control character stands in no unit")
            }
            guard [calendar != nil, !addresses.isEmpty, over != nil].filter({ $0 }).count <= 1 else {
                throw Self.fault("--timer, --socket and --dropin are units of their own: one a call")
            }
            let pairs = try variables.map { text throws(Rejection) in
                let given = try GivenVariable(text)
                return (name: given.name, value: given.value)
            }
            let foreign = try foreignUnit()
            let name = foreign?.name ?? Self.name(of: spec)
            let surroundings = surroundings(pairs, name, foreign)
            let document = try Document.load(
                path: spec, in: surroundings, reading: Caller.readSpec, translating: BundleSpec.translate)
            let decoded = try Prepare.decode(document, in: surroundings)
            Caller.show(try text(decoded, document, name, pairs, foreign, tail))
            Caller.leave(0)
        } catch {
            for fault in error.diagnostics { Report.say(fault) }
            Caller.leave(125)
        }
    }

    private func text(
        _ decoded: Spec, _ document: Document, _ name: String, _ pairs: [(name: String, value: String)],
        _ foreign: ForeignUnit?, _ tail: Tail
    ) throws(Rejection) -> String {
        if let calendar { return try Unit.timer(for: name, at: calendar) }
        if !addresses.isEmpty {
            guard decoded.service.sockets.value else {
                throw Self.fault("--socket: the spec takes no sockets", hint: "set service.sockets = true")
            }
            return try Unit.socket(for: name, at: addresses)
        }
        let words = tail.replaces || tail.words.isEmpty ? tail.words : (decoded.command?.value ?? []) + tail.words
        guard !words.isEmpty || decoded.command != nil || foreign?.command != nil else {
            throw Self.fault("no command", hint: "write it after --, or as command = [\"…\"] in the spec")
        }
        let command = [Caller.programPath, "run", Caller.absolute(spec)] + (words.isEmpty ? [] : ["--"] + words)
        let options = options(decoded, document, foreign)
        if let fault = options.fault(of: decoded) { throw Rejection([fault]) }
        let unit = Unit(decoded, name: name, command: command, variables: pairs, options: options)
        if !isUsers { warn(of: document, unit) }
        return try foreign == nil ? unit.text() : unit.dropIn()
    }

    private func options(_ decoded: Spec, _ document: Document, _ foreign: ForeignUnit?) -> Unit.Options {
        var options = Unit.Options()
        (options.isUsers, options.kind, options.over) = (isUsers, kind, foreign)
        options.files = document.files.map { Caller.absolute($0.path) }
        if case .file(let path)? = decoded.seccomp?.value.profile?.value { options.files.append(path) }
        if isUsers { options.parents = Self.parents }
        return options
    }

    /// Whoever may write the spec decides what the service does, which root starts; the launch itself refuses it then.
    private func warn(of document: Document, _ unit: Unit) {
        for fault in document.trustFaults(callerUID: unit.startsAsUser ? 1 : 0) {
            let what = fault.message + ": whoever writes it decides what the service runs"
            Report.say(Diagnostic(what, at: fault.position, hint: fault.hint), as: .warning)
        }
    }

    /// What is there already, and is to be started in a jail.
    private func foreignUnit() throws(Rejection) -> ForeignUnit? {
        guard let over else { return nil }
        let isFile = over.utf8.contains(UInt8(ascii: "/"))
        let file = over.split(separator: "/").last.map(String.init) ?? over
        let name = file.hasSuffix(".service") ? String(file.dropLast(8)) : file
        let files = isFile ? [over] : Caller.files(ofUnit: name + ".service", forUsers: isUsers, besides: "immure.conf")
        guard !files.isEmpty else {
            throw Self.fault(
                "--dropin: there is no unit \(quoted(name + ".service"))",
                hint: "name it as systemctl does, or its file")
        }
        let sources = try files.map { path throws(Rejection) in
            do throws(Diagnostic) {
                return ImportSource(name: path, text: try Caller.readSpec(path).bytes)
            } catch {
                throw Self.fault("cannot read \(quoted(path)): \(error.message)")
            }
        }
        return ForeignUnit(name: name, settings: try serviceSettings(of: sources))
    }

    /// Of a unit there is nothing known but what systemd makes for it and what `--env` gives.
    private func surroundings(
        _ pairs: [(name: String, value: String)], _ name: String, _ foreign: ForeignUnit?
    ) -> Surroundings {
        let parents = isUsers ? Self.parents : [:]
        return Surroundings(
            variable: { variable in
                if let pair = pairs.last(where: { $0.name == variable }) { return pair.value }
                return Unit.directories.first { $0.variable == variable }.map { kind in
                    let parent = parents[kind.directive] ?? kind.parent
                    if let directory = foreign?.directory(kind.directive) { return parent + "/" + directory }
                    return Unit.directory(below: parent, of: name, pairs)
                }
            },
            home: pairs.last { $0.name == "HOME" }?.value ?? (isUsers ? Caller.variable("HOME") : nil),
            currentDirectory: pairs.last { $0.name == "PWD" }?.value ?? "/")
    }

    /// Where the manager of a user makes directories. Which it is within the home depends on its version, and on no line of the unit.
    private static var parents: [String: String] {
        let home = Caller.variable("HOME") ?? "/"
        return [
            "RuntimeDirectory": Caller.variable("XDG_RUNTIME_DIR") ?? "/run/user/\(Caller.userID)",
            "StateDirectory": home + "/.local/state", "CacheDirectory": home + "/.cache",
            "LogsDirectory": home + "/.local/state/log", "ConfigurationDirectory": home + "/.config",
        ]
    }

    private static func fault(_ message: String, hint: String? = nil) -> Rejection {
        Rejection([Diagnostic(message, at: nil, hint: hint)])
    }

    /// The file's name without folder and ending.
    private static func name(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(".toml") ? String(file.dropLast(5)) : file
    }
}
