import JailPlan
import JailSpec
import Kernel

/// A running jail that one more command enters: what the launcher of that jail holds of it.
///
/// A filter and a Landlock domain cannot be asked for, and nothing in the jail may say what they are. So the launcher itself, which
/// has the plan in its memory and the rules as descriptors, starts the command: by a process of its own that joins the namespaces
/// and then takes the steps that the first command took.
struct Entry {
    /// The jail's command: its id, and a descriptor of it.
    let command: Int32
    let process: Int32
    /// Landlock's rules by the step that has made them.
    let rules: [(step: Int, descriptor: Int32)]
    /// The jail's namespaces, where the command may have left them.
    let namespaces: [(kind: NamespaceKind, descriptor: Int32)]
    /// Filters that others have compiled, as they were read when the jail was launched.
    let programs: [[UInt64]]
    /// The group that the command is in; −1 where the jail has none.
    let group: Int32
    /// Readable when the process that wants to enter ends.
    let client: Int32
    /// The numbers of the namespaces that are joined, in the order of their kinds.
    fileprivate var numbers: [UInt64] = []

    init(
        command: Int32, process: Int32, rules: [(step: Int, descriptor: Int32)],
        namespaces: [(kind: NamespaceKind, descriptor: Int32)], programs: [[UInt64]], group: Int32, client: Int32
    ) {
        (self.command, self.process, self.rules, self.namespaces) = (command, process, rules, namespaces)
        (self.programs, self.group, self.client) = (programs, group, client)
    }

    /// What is said where that has ended meanwhile.
    static let over = "the jail has ended, or its command"

    /// Whether the command has ended, or does so at once.
    var isOver: Bool {
        do throws(KernelError) {
            var watches = [Watch(process)]
            try poll(&watches, milliseconds: 200)
            return watches[0].isReady
        } catch {
            return false
        }
    }

    /// What must stay open.
    var descriptors: [Int32] {
        [process, group, client] + rules.map(\.descriptor) + namespaces.map(\.descriptor)
    }

    /// The number of the jail's namespace of that kind, as it was made; nil where the command cannot have left it.
    fileprivate func held(_ kind: NamespaceKind, in proc: HostProc) throws(KernelError) -> UInt64? {
        for (other, descriptor) in namespaces where other.index == kind.index {
            return try namespaceNumber("self/fd/\(descriptor)", at: proc.descriptor)
        }
        return nil
    }
}

extension Applier {
    /// A launcher that has rules made keeps them for those who enter later.
    mutating func holdForEntries(_ ruleset: Int32, of plan: Plan) throws(Failure) {
        guard case .supervised = plan.shape else { return }
        try hold(ruleset, isShown: false, of: plan)
    }

    /// As long as they are held their numbers are nobody else's.
    mutating func holdNamespaces(_ kinds: [NamespaceKind], of plan: Plan) throws(Failure) {
        let proc = try proc()
        for kind in kinds {
            // The command is a child of this process, or this process.
            let link = kind == .time ? "self/ns/time_for_children" : kind.procLink
            let file = try failing { () throws(KernelError) in try open(link, at: proc.descriptor, .read) }
            try hold(file.number, isShown: false, of: plan)
        }
    }

    /// All at once, by the command: setns(2) with a pidfd, Linux 5.8. From here on this process can be seen in part of the jail, and
    /// nobody in it may look into it or stop at its files: it is not dumpable, and its memory belongs to the launcher's user
    /// namespace, in which nobody of the jail has a capability (kernel/ptrace.c, __ptrace_may_access).
    mutating func joinJail(_ kinds: [NamespaceKind]) throws(Failure) {
        guard let entered = entry else { throw Failure(.launcherGone) }
        let proc = try proc()
        entry?.numbers = []
        try failing { () throws(KernelError) in try setDumpable(false) }
        for kind in kinds {
            let link = "\(entered.command)" + kind.procLink.dropFirst(4)
            let (theirs, jails) = try enteringFailing { () throws(KernelError) in
                let number = try namespaceNumber(link, at: proc.descriptor)
                return (number, try entered.held(kind, in: proc) ?? number)
            }
            guard theirs == jails else {
                throw Failure(
                    telling: "the jail's command has left the jail's \(kind.rawValue) namespace for another",
                    hint: nil)
            }
            entry?.numbers.append(jails)
        }
        guard !kinds.isEmpty else { return }
        try enteringFailing { () throws(KernelError) in try Kernel.join(entered.process, NamespaceFlags(kinds)) }
    }

    /// As `failing`, of what can be done with the jail's command only as long as it lives.
    private func enteringFailing<Result>(_ body: () throws(KernelError) -> Result) throws(Failure) -> Result {
        do throws(KernelError) {
            return try body()
        } catch {
            switch error.errno {
            case .noProcess, .noEntry: throw Failure(telling: Entry.over, hint: nil)
            default: throw Failure(error)
            }
        }
    }

    mutating func checkEntered(_ kinds: [NamespaceKind]) throws(Failure) {
        try checkUnreadable()
        guard let entry else { return }
        let proc = try proc()
        for (kind, wanted) in zip(kinds, entry.numbers) {
            let link =
                switch kind {
                case .pid: "self/ns/pid_for_children"
                case .time: "self/ns/time_for_children"
                default: kind.procLink
                }
            let found = try failing { () throws(KernelError) in try namespaceNumber(link, at: proc.descriptor) }
            try hold(found == wanted, "\(kind.rawValue) namespace", "the jail's, \(wanted)", "\(found)")
        }
    }

    mutating func enforceHeld(_ step: Int) throws(Failure) {
        guard let rules = entry?.rules.first(where: { $0.step == step }) else { throw Failure(.launcherGone) }
        try prepareMountRefusal()
        try failing { () throws(KernelError) in try enforce(rules.descriptor) }
    }
}
