import ArgumentParser

extension Verb {
    /// The command that ArgumentParser parses; nil for its own, which is help.
    var command: (any ParsableCommand.Type)? {
        switch self {
        case .run: RunCommand.self
        case .check: CheckCommand.self
        case .plan: PlanCommand.self
        case .enter: EnterCommand.self
        case .diff: DiffCommand.self
        case .apply: ApplyCommand.self
        case .discard: DiscardCommand.self
        case .score: ScoreCommand.self
        case .unit: UnitCommand.self
        case .import: ImportCommand.self
        case .learn: LearnCommand.self
        case .syscalls: SystemCallsCommand.self
        case .schema: SchemaCommand.self
        case .doctor: DoctorCommand.self
        case .completion: CompletionCommand.self
        case .manual: ManualCommand.self
        case .help: nil
        }
    }

    /// What ArgumentParser is told of it.
    func configuration(discussion: String = "") -> CommandConfiguration {
        CommandConfiguration(
            commandName: rawValue, abstract: abstract, usage: usage, discussion: discussion)
    }
}
