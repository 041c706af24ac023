/// A verb of the command line: the one list that both parsers, the usage, the help, the manual and the completions are
/// made of.
enum Verb: String, CaseIterable {
    case run, check, plan, enter, diff, apply, discard, score, unit, `import`, learn, syscalls, schema, doctor,
        completion,
        manual, help

    /// What it takes, as the usage and the manual have it.
    var arguments: String {
        switch self {
        case .run: "[SPEC] [OPTION…] [--] [COMMAND ARG…]"
        case .check: "SPEC… [--json] [--host] [--set KEY=VALUE] [--env NAME=VALUE]"
        case .plan: "[SPEC] [--json] [--set KEY=VALUE] [--] [COMMAND ARG…]"
        case .enter: "PID [--] [COMMAND ARG…]"
        case .diff: "SPEC [TARGET] [--json|-z|--stat] [--set KEY=VALUE]"
        case .apply: "SPEC [TARGET] [--check] [--skip-conflicts|--force] [--set KEY=VALUE] [-- PATH…]"
        case .discard: "SPEC [TARGET] [--set KEY=VALUE]"
        case .score: "[SPEC…] [--json] [--threshold N] [--set KEY=VALUE]"
        case .unit:
            "[--user] [--type TYPE] [--timer CALENDAR|--socket ADDRESS|--dropin UNIT] SPEC [--env NAME=VALUE] [--] [COMMAND ARG…]"
        case .import: "TOOL [FILE…] [--into DIRECTORY] [-- ARGV…]"
        case .learn: "[SPEC] [-o FILE] [--tight] [--stat] [--try|--no-verify] [--] COMMAND [ARG…]"
        case .syscalls: "[@GROUP|NAME|SPEC]"
        case .schema: ""
        case .doctor: "[--json]"
        case .completion: "bash|zsh|fish"
        case .manual: "1|5"
        case .help: "[COMMAND]"
        }
    }

    /// What it does, in a line.
    var abstract: String {
        switch self {
        case .run: "launch a command in a jail"
        case .check: "validate specs; every fault of every file; status 0 or 2"
        case .plan: "print the operations of a launch, each with its line of the spec"
        case .enter: "run one more command in a running jail, as confined as the first; without one a shell"
        case .diff: "list what an overlay that keeps its changes has changed; status 0 for nothing, 1 for something"
        case .apply: "put kept changes into the original; status 1 and nothing done where that has changed, too"
        case .discard: "throw kept changes away"
        case .score: "say how far specs open the jail, from 0 to 10, and what to narrow next"
        case .unit: "print a systemd unit that runs a spec as a service"
        case .import: "make a spec of a configuration of bwrap, nsjail, firejail, minijail, systemd, oci or docker"
        case .learn:
            "watch a command, write the spec that it needs, and run it again under that; status 0, or 1 where it differs"
        case .syscalls: "list groups of system calls, or what a spec allows and why"
        case .schema: "print the JSON Schema of a spec, for editors"
        case .doctor: "say what this host offers, what it lacks, and the remedy"
        case .completion: "print the completion script of a shell"
        case .manual: "print a manual page as roff, for man -l -"
        case .help: "print help"
        }
    }

    /// Whether words of the jail's command may follow its own.
    var takesCommand: Bool {
        switch self {
        case .run, .plan, .enter, .unit, .learn: true
        case .check, .diff, .apply, .discard, .score, .import, .syscalls, .schema, .doctor, .completion, .manual, .help:
            false
        }
    }

    /// Whether keys of the spec can be set on its line.
    var takesSettings: Bool {
        switch self {
        case .run, .check, .plan, .diff, .apply, .discard, .score: true
        case .enter, .unit, .import, .learn, .syscalls, .schema, .doctor, .completion, .manual, .help: false
        }
    }

    /// Whether words may follow `--`, and only there.
    var takesPaths: Bool { if case .apply = self { true } else { false } }

    /// The status where it is called wrongly: those that give a verdict about files keep 1 for it.
    var usageStatus: Int32 {
        switch self {
        case .check, .score, .import: 2
        case .run, .plan, .enter, .diff, .apply, .discard, .unit, .learn, .syscalls, .schema, .doctor, .completion,
            .manual,
            .help:
            125
        }
    }

    /// The whole call.
    var usage: String { "immure " + rawValue + (arguments.isEmpty ? "" : " " + arguments) }

    /// The calls that people write, a line each; a spec may stand in place of a verb.
    static var usages: [String] {
        let usages = allCases.map(\.usage)
        return [usages[0], "immure SPEC [ARG…]"] + usages.dropFirst() + [
            "immure as bwrap [OPTION…] [--] COMMAND [ARG…]"
        ]
    }
}
