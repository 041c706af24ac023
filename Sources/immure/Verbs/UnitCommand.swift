import ArgumentParser
import JailPlan
import JailRuntime
import JailSpec
import SpecFile

/// `immure unit`: a unit of systemd for a spec.
struct UnitCommand: ParsableCommand {
    static let configuration = Verb.unit.configuration()

    @Option(
        name: .customLong("env"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "a variable that the spec refers to; the unit sets it, specifiers such as %i and all; repeatable",
            valueName: "name=value"))
    var variables: [String] = []

    @Argument(help: "the spec file", completion: .file())
    var spec: String

    func perform(_ tail: Tail) -> Never {
        do throws(Rejection) {
            // It stands in comments, which know no escape.
            guard !Report.acts(in: spec) else {
                throw Rejection([
                    Diagnostic("\(quoted(spec)): a path with a control character stands in no unit", at: nil)
                ])
            }
            let pairs = try variables.map { text throws(Rejection) in try Self.pair(text) }
            let name = Self.name(of: spec)
            let document = try Document.load(
                path: spec, in: Self.surroundings(pairs, name), reading: Caller.readSpec,
                translating: BundleSpec.translate)
            let decoded = try Prepare.decode(document, in: Self.surroundings(pairs, name))
            let words =
                tail.replaces || tail.words.isEmpty ? tail.words : (decoded.command?.value ?? []) + tail.words
            if words.isEmpty && decoded.command == nil {
                throw Rejection([
                    Diagnostic("no command", at: nil, hint: "write it after --, or as command = [\"…\"] in the spec")
                ])
            }
            let command =
                [Caller.programPath, "run", Caller.absolute(spec)] + (words.isEmpty ? [] : ["--"] + words)
            let unit = Unit(decoded, name: name, command: command, variables: pairs)
            Caller.show(try unit.text())
            Caller.leave(0)
        } catch {
            for fault in error.diagnostics { Report.say(fault) }
            Caller.leave(125)
        }
    }

    /// Of a unit there is nothing known but what systemd makes for it and what `--env` gives.
    private static func surroundings(_ pairs: [(name: String, value: String)], _ name: String) -> Surroundings {
        Surroundings(
            variable: { variable in
                if variable == "PWD" { return nil }
                if let pair = pairs.last(where: { $0.name == variable }) { return pair.value }
                return Unit.directories.first { $0.variable == variable }.map {
                    Unit.directory(below: $0.parent, of: name, pairs)
                }
            },
            home: pairs.last { $0.name == "HOME" }?.value, currentDirectory: "/")
    }

    private static func pair(_ text: String) throws(Rejection) -> (name: String, value: String) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw Rejection([Diagnostic("--env \(text): must be NAME=VALUE", at: nil)])
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// The file's name without folder and ending.
    private static func name(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(".toml") ? String(file.dropLast(5)) : file
    }
}
