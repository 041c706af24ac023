import ArgumentParser

/// The root of the commands.
struct Immure: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "immure",
        abstract: "run a program in a jail that a spec describes",
        usage: Verb.usages.joined(separator: "\n"), version: Release.version,
        subcommands: Verb.allCases.compactMap(\.command))
}

/// What `run` and `plan` have in common.
struct LaunchOptions: ParsableArguments {
    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("override a key of the spec; the value is TOML; repeatable", valueName: "key.path=value"),
        completion: SettableKeys.completion)
    var overrides: [String] = []

    @Argument(help: "the spec file; without it the empty spec", completion: .file())
    var spec: String?
}

/// `immure run` with options; what it does is in `Run`.
struct RunCommand: ParsableCommand {
    static let configuration = Verb.run.configuration()

    @OptionGroup var launch: LaunchOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("write one JSON object there when the jail ends", valueName: "file|FD:n"))
    var result: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("list there what overlays have changed when the jail ends", valueName: "file|FD:n|-"))
    var changes: String?

    @Flag(help: "list on standard error what the kernel shows of the jail, before the command runs")
    var explain = false

    @Flag(
        help:
            "say at the end what was refused or missing in the jail, and the line that would open it; --why=all: all of it"
    )
    var why = false

    @Flag(help: .hidden)
    var whyAll = false

    func request(_ tail: Tail) -> RunRequest {
        RunRequest(
            spec: launch.spec, overrides: launch.overrides, result: result, changes: changes, explains: explain,
            reasons: whyAll ? .all : why ? .likely : nil, words: tail.words, replaces: tail.replaces)
    }
}
