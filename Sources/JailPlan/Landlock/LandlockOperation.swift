package import LinuxFacts

/// One step towards the rules of landlock(7).
package indirect enum LandlockOperation: Equatable, Sendable {
    /// Files that are not in the jail's tree stay as they were opened.
    case keepToTree(TreeRules)
    /// Begins a set of Landlock rules that closes these accesses, but for what the rules allow.
    case createRuleset(LandlockHandled)
    /// Allows the accesses to a path of the jail and all below it.
    case allowPath(String, FileAccess)
    case allowPort(UInt16, PortUse)
    /// The rules hold from here on, for this process and all that it starts.
    case enforceRuleset
    /// The rules that this step of the jail's launch has enforced hold for this process, too.
    case enforceHeld(step: Int, closesFiles: Bool)
}

extension LandlockOperation {
    package var words: OperationWords {
        switch self {
        case .keepToTree(let rules): rules.words
        case .createRuleset(let handled):
            OperationWords(
                "create_ruleset", "begin the landlock rules",
                [("closing", .array(handled.names.map { .string($0) }))],
                detail: "closing " + handled.names.joined(separator: ","))
        case .allowPath(let path, let access):
            OperationWords(
                "allow_path", "landlock \(path)",
                [("path", .string(path)), ("access", .array(access.names.map { .string($0) }))],
                detail: access.names.joined(separator: ","))
        case .allowPort(let port, let use):
            OperationWords(
                "allow_port", "landlock \(use.word) \(port)",
                [("port", .integer(Int(port))), ("use", .string(use.word))])
        case .enforceHeld(let step, _):
            OperationWords("enforce_held", "enforce the jail's landlock rules", [("step", .integer(step + 1))])
        case .enforceRuleset: OperationWords("enforce_ruleset", "enforce the landlock rules")
        }
    }

    /// How it is read back, or why it is not.
    package var verification: Verification {
        switch self {
        case .keepToTree, .enforceRuleset, .enforceHeld:
            .atOnce
        case .createRuleset, .allowPath, .allowPort: .byWhatFollows("an access that they close is tried once they hold")
        }
    }
}
