import JailSpec
import SpecFile
import SystemCallFilter

extension Plan {
    /// What one more command in the running jail is confined by: the steps of this plan that concern a process and its rights, after
    /// the jail's namespaces are joined. What the launch found of paths is not looked up again, for the jail may have changed it:
    /// Landlock's rules are those that the launch made.
    ///
    /// `terminals` says which of the descriptors 0 to 2 are terminals, `terminal` what TERM is there.
    package func entering(with words: [String], terminals: [Bool], terminal: String?) -> Plan {
        var entry = Plan()
        entry.supervision.diesWithParent = true
        entry.supervision.hasInit = false
        entry.supervision.terminal = terminalUse(terminals)
        entry.listens = listens && filter?.leavesAlone("sendmsg") == true
        // While the process may still write to its own files of procfs.
        for step in steps {
            if case .process(.setOOMScore) = step.operation { entry.append(step.operation, step.origin) }
        }
        // A process is born into the jail's group by one that sees it from outside: where groups are delegated to namespaces the
        // kernel finds no way there from within the jail's own (ENOENT, cgroups(7)).
        entry.append(.process(.joinJail(entered.filter { $0.index != NamespaceKind.cgroup.index })), nil)
        entry.append(.process(.createNamespaces([])), nil)
        if entered.contains(where: { $0.index == NamespaceKind.cgroup.index }) {
            entry.append(.process(.joinJail([.cgroup])), nil)
        }
        for (index, step) in steps.enumerated() where index > creation ?? steps.count {
            if index >= preparation, entry.preparation == 0 { entry.preparation = entry.steps.count }
            entry.take(step, index, of: self, words, terminal)
        }
        return entry
    }

    private mutating func take(_ step: Step, _ index: Int, of plan: Plan, _ words: [String], _ terminal: String?) {
        switch step.operation {
        case .process(.setInheritedAttributes):
            append(step.operation, step.origin)
            // A command that has the caller's session has none to share with others.
            if plan.session == nil {
                append(
                    .process(.startSession(supervision.terminal == nil ? .none : plan.terminalOfEntries ?? .none)), nil)
            }
        case .identity(.setGroups), .identity(.setIdentity), .process(.setNice), .process(.setAffinity),
            .process(.newKeyring), .identity(.dropBounding), .identity(.setSecureBits),
            .identity(.forbidNewPrivileges), .filter(.refuseNamespaces), .limits(.setResourceLimit),
            .process(.setUmask), .process(.resetSignals),
            .process(.changeDirectory), .filter(.installFilter), .filter(.installPrograms):
            append(step.operation, step.origin)
        case .process(.startSession(let kind)):
            // Nobody had a terminal then, perhaps.
            append(
                .process(.startSession(supervision.terminal == nil ? .none : plan.terminalOfEntries ?? kind)),
                step.origin)
        case .landlock(.keepToTree): append(.landlock(.enforceHeld(step: index, closesFiles: true)), step.origin)
        case .landlock(.enforceRuleset): append(.landlock(.enforceHeld(step: index, closesFiles: false)), step.origin)
        case .identity(.setCapabilities):
            append(step.operation, step.origin)
            append(.process(.dieWithParent), nil)
        case .process(.closeDescriptors): append(.process(.closeDescriptors(keeping: [])), nil)
        case .process(.execute(_, _, let environment)):
            append(
                .process(.execute(arguments: words, name: nil, environment: Self.environment(environment, terminal))),
                nil)
        // The namespaces, the tree and the network are there; the group is entered by the launcher's own step.
        case .tree, .network, .limits(.requestScope), .limits(.enableControllers), .limits(.createCgroup),
            .limits(.setLimit),
            .limits(.enterCgroup), .process(.joinNamespaces), .process(.joinJail), .process(.createNamespaces),
            .process(.offsetClocks), .process(.setHostName), .identity(.mapIdentities),
            .identity(.forbidUserNamespaces):
            break
        // What the first command only was given, or its launcher holds.
        case .service, .limits(.giveGroup), .limits(.raiseHardLimit), .process(.openPipes), .process(.lockFile),
            .process(.holdNamespaces), .process(.startCommand), .process(.nameProcess), .process(.dieWithParent),
            .process(.setOOMScore), .landlock(.createRuleset), .landlock(.allowPath), .landlock(.allowPort),
            .landlock(.enforceHeld):
            break
        }
    }

    /// The kinds of namespaces that are not those of the launcher.
    var entered: [NamespaceKind] {
        var kinds = newNamespaces
        for step in steps {
            switch step.operation {
            case .process(.joinNamespaces(let joined)): kinds += joined.map(\.kind)
            case .process(.offsetClocks): kinds.append(.time)
            default: break
            }
        }
        return NamespaceKind.allCases.filter { kind in kinds.contains { $0.index == kind.index } }
    }

    private func terminalUse(_ terminals: [Bool]) -> TerminalUse? {
        guard terminals.contains(true) else { return nil }
        guard terminalOfEntries != nil else { return .output }
        return terminals[0] && terminals[1] ? .whole : terminals[0] ? .lines : .output
    }

    /// As the first command has it, but for its terminal, and for what tells of descriptors that only that one got.
    private static func environment(_ first: [String], _ terminal: String?) -> [String] {
        let own = ["TERM=", "LISTEN_FDS=", "LISTEN_FDNAMES=", "WATCHDOG_USEC="]
        let kept = first.filter { entry in !own.contains { entry.utf8.starts(with: $0.utf8) } }
        return kept + (terminal.map { ["TERM=" + $0] } ?? [])
    }
}
