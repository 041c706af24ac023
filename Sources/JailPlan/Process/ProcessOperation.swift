package import JailSpec
package import LinuxFacts

/// One step towards the process that becomes the command: the namespaces that it is in, and what it passes on.
package indirect enum ProcessOperation: Equatable, Sendable {
    /// Joins namespaces that exist, all opened before the first is joined.
    case joinNamespaces([JoinedNamespace])
    /// Joins all the namespaces of a running jail that are not the launcher's, to start one more command there.
    case joinJail([NamespaceKind])
    /// Makes new namespaces; from here on the jail's first process acts (supervised), or the caller itself (direct). The
    /// network may be made beside the steps that follow: `Plan.makesNetworkBeside`.
    case createNamespaces([NamespaceKind])
    /// Moves the clocks of a new time namespace, time_namespaces(7); the command enters it.
    case offsetClocks(monotonic: ClockOffset, boottime: ClockOffset)
    case setOOMScore(Int32)
    /// Lets a group of the host open the caller's pipes among these descriptors anew, each as it is open: /dev/stderr.
    case openPipes([Int32], group: UInt32)
    case setHostName(String)
    case setNice(Int32)
    case setAffinity([Int])
    /// Locks a file of the jail for reading; the launcher holds the lock as long as the jail lives.
    case lockFile(String)
    /// The launcher holds the jail's namespaces for those who enter later: the command may leave them for others.
    case holdNamespaces([NamespaceKind])
    case newKeyring
    /// Sets what the caller may have changed for itself and exec would pass on.
    case setInheritedAttributes(InheritedAttributes)
    /// A session of the jail's own, with a pty of its own where asked.
    case startSession(SessionTerminal)
    /// The reaper stays behind as pid 1; from here on the command's process acts.
    case startCommand
    case setUmask(UInt32)
    /// The command is killed when the process that started it ends.
    case dieWithParent
    case closeDescriptors(keeping: [Int32])
    case resetSignals
    case changeDirectory(String)
    /// These variables tell the command its own process id.
    case nameProcess([String])
    /// Executes the program that the first of the arguments names, which is told that it was called by another name where
    /// there is one.
    case execute(arguments: [String], name: String?, environment: [String])
}

extension ProcessOperation {
    package var words: OperationWords {
        switch self {
        case .joinNamespaces(let joined): JoinedNamespace.words(joined)
        case .createNamespaces(let kinds):
            OperationWords(
                "create_namespaces",
                kinds.isEmpty
                    ? "start a process" : "create namespaces " + kinds.map(\.rawValue).joined(separator: " "),
                [("kinds", .array(kinds.map { .string($0.rawValue) }))])
        case .offsetClocks(let monotonic, let boottime):
            OperationWords(
                "offset_clocks", "offset the clocks",
                [("monotonic", .string(monotonic.text)), ("boottime", .string(boottime.text))],
                detail: "monotonic \(monotonic.text)s, boottime \(boottime.text)s")
        case .setOOMScore(let score):
            OperationWords("set_oom_score", "set oom_score_adj \(score)", [("score", .integer(Int(score)))])
        case .openPipes(let descriptors, let group):
            OperationWords(
                "open_pipes", "let the command open its pipes anew",
                [
                    ("descriptors", .array(descriptors.map { .integer(Int($0)) })), ("group", .integer(Int(group))),
                ], detail: descriptors.map { "\($0)" }.joined(separator: ",") + " for gid \(group)")
        case .setHostName(let name):
            OperationWords("set_host_name", "set hostname \(name)", [("name", .string(name))])
        case .setNice(let nice): OperationWords("set_nice", "set nice \(nice)", [("nice", .integer(Int(nice)))])
        case .setAffinity(let cpus):
            OperationWords(
                "set_affinity", "set cpus " + cpus.map { "\($0)" }.joined(separator: ","),
                [("cpus", .array(cpus.map { .integer($0) }))])
        case .lockFile(let path): OperationWords("lock_file", "lock \(path)", [("path", .string(path))])
        case .holdNamespaces(let kinds):
            OperationWords(
                "hold_namespaces", "hold the jail's namespaces",
                [("kinds", .array(kinds.map { .string($0.rawValue) }))])
        case .newKeyring: OperationWords("new_keyring", "new session keyring")
        case .setInheritedAttributes(let wanted): wanted.words
        case .startSession(let terminal): terminal.words
        case .startCommand: OperationWords("start_command", "start the command's process")
        case .setUmask(let mask):
            OperationWords("set_umask", "set umask", [("umask", .string(octal(mask)))], detail: octal(mask))
        case .joinJail(let kinds):
            OperationWords(
                "join_jail", "join the jail's namespaces", [("kinds", .array(kinds.map { .string($0.rawValue) }))],
                detail: kinds.map(\.rawValue).joined(separator: " "))
        case .dieWithParent: OperationWords("die_with_parent", "die with the parent")
        case .closeDescriptors(let kept):
            OperationWords(
                "close_descriptors", "close descriptors", [("keeping", .array(kept.map { .integer(Int($0)) }))],
                detail: "keeping " + ([0, 1, 2] + kept).map { "\($0)" }.joined(separator: ","))
        case .resetSignals: OperationWords("reset_signals", "reset signals")
        case .changeDirectory(let path):
            OperationWords("change_directory", "enter \(path)", [("path", .string(path))])
        case .nameProcess(let names):
            OperationWords(
                "name_process", "set \(names.joined(separator: ", ")) to the command's process id",
                [("variables", .array(names.map { .string($0) }))])
        case .execute(let arguments, let name, let environment):
            OperationWords(
                "execute", "execute \(arguments.first ?? "")",
                [
                    ("arguments", .array(arguments.map { .string($0) })),
                    ("environment", .array(environment.map { .string($0) })),
                ] + (name.map { [("name", .string($0))] } ?? []),
                detail: (name.map { "as \($0), " } ?? "")
                    + "\(arguments.count) argument\(arguments.count == 1 ? "" : "s"), \(environment.count) variables")
        }
    }

    /// How it is read back, or why it is not.
    package var verification: Verification {
        switch self {
        case .joinNamespaces, .createNamespaces, .offsetClocks, .setOOMScore, .setHostName, .setNice, .setAffinity,
            .newKeyring, .lockFile, .setInheritedAttributes, .startSession, .dieWithParent, .closeDescriptors,
            .changeDirectory, .joinJail:
            .atOnce
        case .setUmask, .resetSignals:
            .withTheProcess
        case .startCommand: .byWhatFollows("the command's process does the rest")
        case .openPipes: .never("it closes nothing, and opens what the command holds already")
        case .holdNamespaces: .byWhatFollows("who enters is in each of them, or does not enter")
        case .nameProcess: .never("it is a variable of the command's, which nobody else can set")
        case .execute: .never("nothing of immure is left to ask")
        }
    }
}
