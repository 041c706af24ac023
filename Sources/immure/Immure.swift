import ArgumentParser

/// The root of the commands.
struct Immure: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "immure",
        abstract: "run a program in a jail that a spec describes",
        usage: """
            immure run [SPEC] [OPTION…] [--] [COMMAND ARG…]
            immure SPEC [ARG…]
            immure check SPEC… | plan [SPEC] [--] [COMMAND…] | score [SPEC…] | unit SPEC | syscalls | doctor
            """,
        version: "0.1.0",
        subcommands: [
            RunCommand.self, CheckCommand.self, PlanCommand.self, ScoreCommand.self, UnitCommand.self,
            SystemCallsCommand.self,
            DoctorCommand.self,
            CompletionCommand.self, ManualCommand.self,
        ])
}

/// What `run` and `plan` have in common.
struct LaunchOptions: ParsableArguments {
    @Option(
        name: .customLong("set"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("override a key of the spec; the value is TOML; repeatable", valueName: "key.path=value"))
    var overrides: [String] = []

    @Argument(help: "the spec file; without it the empty spec", completion: .file())
    var spec: String?
}

/// `immure run` with options; what it does is in `Run`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "launch a command in a jail",
        usage: "immure run [SPEC] [OPTION…] [--] [COMMAND ARG…]")

    @OptionGroup var launch: LaunchOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("write one JSON object there when the jail ends", valueName: "file|FD:n"))
    var result: String?

    @Flag(help: "list on standard error what the kernel shows of the jail, before the command runs")
    var explain = false

    func request(_ tail: Tail) -> RunRequest {
        RunRequest(
            spec: launch.spec, overrides: launch.overrides, result: result, explains: explain, words: tail.words,
            replaces: tail.replaces)
    }
}
