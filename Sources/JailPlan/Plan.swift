package import JailSpec
package import SpecFile
package import SystemCallFilter

/// What will be done, in order.
package struct Plan: Equatable, Sendable {
    /// How the launcher stands to the command.
    package enum Shape: String, Equatable, Sendable {
        /// The launcher sets itself up and executes the command in place: no extra process.
        case direct
        /// The launcher stays outside, forwards signals, keeps the deadline and reports.
        case supervised
    }

    /// One operation, who carries it out, and the line of the spec that it comes from; nil for a default.
    package struct Step: Equatable, Sendable {
        package let operation: Operation
        package let origin: Position?
        package fileprivate(set) var actor = Actor.launcher

        init(_ operation: Operation, _ origin: Position?) { (self.operation, self.origin) = (operation, origin) }
    }

    /// Something that the spec or a default asks for and this caller cannot have, said aloud.
    package struct Note: Equatable, Sendable {
        package let message: String
        package let origin: Position?
        /// Whether it is said at every launch, too.
        package var isWarning = false
        package var hint: String?
    }

    /// What the launcher does while the command runs.
    package struct Supervision: Equatable, Sendable {
        package var timeout: Duration?
        /// The line of the spec that sets it.
        package var timeoutOrigin: Position?
        package var grace: Duration = .seconds(5)
        package var graceOrigin: Position?
        package var diesWithParent = true
        /// Whether the spec says so: then a caller that cannot be watched is none to launch for.
        package var mustDieWithParent = false
        /// What asks the command to end.
        package var stopSignal = ProcessAttributes.usualStopSignal
        /// What the launcher carries between the caller's terminal and the jail.
        package var terminal: TerminalUse?
        /// A reaper is pid 1 inside and the command its child.
        package var hasInit = true
        /// The end of pid 1 ends every process of the jail.
        package var ownsProcesses = true
        /// The command is an init: the kernel tells what it wants of the machine by the signal that ends it, reboot(2).
        package var boots = false
        /// Whether the launcher ends by the signal that ended the command.
        package var diesBySignal = false
    }

    /// How messages of the jail reach the service manager.
    package struct Notices: Equatable, Sendable {
        /// The manager's socket, as NOTIFY_SOCKET has it.
        package let socket: String
        /// Whether the launcher reads the jail's socket itself: there is no reaper who would.
        package let isDirect: Bool
        /// Whether only the command is heard.
        package let fromCommandAlone: Bool
        /// How far the jail's monotonic clock is ahead of the manager's.
        package let clockOffset: Duration?
        /// Whether the manager ends the service where signs of life fail to come: then the jail may as well say so.
        package let isWatched: Bool
    }

    package var shape: Shape = .supervised
    package private(set) var steps: [Step] = []
    /// The step that makes the namespaces and, in a supervised launch, the jail's first process.
    package private(set) var creation: Int?
    /// The step from which the reaper and the command are two processes; nil without a reaper.
    package private(set) var division: Int?
    /// Whoever carries out what comes next.
    private var actor = Actor.launcher
    package private(set) var maps: IdentityMaps?
    /// The step that provides for a network that leads out.
    package private(set) var providing: Int?
    /// Whether ports of the host lead into the jail.
    private var publishes = false
    /// Where the list of destinations stands, where there is one.
    package var listOfDestinations: Position?
    /// Where that of the servers of names stands.
    package var listOfServers: Position?
    /// Whether the jail has a session of its own, and with what terminal.
    package private(set) var session: SessionTerminal?
    /// The filter of system calls, and whether the launcher is to hear of what it kills and logs.
    package private(set) var filter: FilterProgram?
    package private(set) var filterOrigin: Position?
    package var listens = false
    /// Whether it hears of calls that are made, too, and of those that fail.
    package var isWatched = false
    /// The step that installs filters that others have compiled.
    package private(set) var programs: Int?
    /// Whether the filter lets immure read what is in force once it is installed.
    package private(set) var readsBehindFilter = true
    /// The kinds of namespaces that are made.
    package private(set) var newNamespaces: [NamespaceKind] = []
    /// Whether a procfs of the jail's own processes stands on /proc.
    package var hasOwnProc = false
    /// Whether a target may lead elsewhere than its text says: the root is a tree of the host's, or the spec mounts something.
    package var checksPlaces = false
    /// What Landlock closes.
    package private(set) var landlockHandled: LandlockHandled?
    /// Whether what overlays changed is to be told when the jail has ended.
    package var showsChanges = false
    /// The first step of those that concern only the command.
    package var preparation = 0
    package var notes: [Note] = []
    /// The home directory on which a private tmpfs stands.
    package var home: String?
    /// What the names of users and groups in the spec came to.
    package var namedIDs: [NamedID] = []
    /// The paths of the host below which the jail may write.
    package var writableSources: [String] = []
    /// The targets that stand below a mount that the jail may write in, sorted: no link may lead to them, and they must stay.
    package var guarded: [String] = []
    /// Those of `hide` that need not be there.
    package var optionalHides: [String] = []
    /// Whether the jail has a control group inside the limited one.
    package var hasInnerGroup = false
    package var supervision = Supervision()
    /// What terminal a command gets that enters the jail later; nil for none.
    package var terminalOfEntries: SessionTerminal?
    package var notices: Notices?
    /// Whether the launcher tells the service manager that the command runs.
    package var announces = false
    /// The number of slots that the operations use.
    package var slotCount = 0

    /// An ordinary jail takes some sixty steps, which are not small: room for them is made once.
    package init() { steps.reserveCapacity(64) }

    /// Whether something must be there to hide: below what the jail may write it may have been moved away.
    package func requires(_ target: String) -> Bool {
        guarded.contains(target) && !optionalHides.contains(target)
    }

    /// Whether a slot becomes the root.
    package func isRoot(_ slot: Int) -> Bool {
        steps.contains { if case .tree(.beginRoot(slot)) = $0.operation { true } else { false } }
    }

    /// Whether the command gets this descriptor of the caller's.
    package func passes(_ descriptor: Int32) -> Bool {
        steps.contains { step in
            if case .process(.closeDescriptors(let kept)) = step.operation { kept.contains(descriptor) } else { false }
        }
    }

    /// Whether the jail's user becomes the owner of a group that the launcher has made.
    package var givesGroup: Bool {
        hasInnerGroup && steps.contains { if case .limits(.giveGroup) = $0.operation { true } else { false } }
    }

    /// Whether a namespace of that kind is made.
    package func makes(_ kind: NamespaceKind) -> Bool { newNamespaces.contains { $0.index == kind.index } }

    /// Whether a process of its own makes the network namespace, from `createNamespaces` to the first step that needs it.
    /// Without a pid namespace nothing would take that process along where the jail's first one is killed.
    /// Whoever provides a network or publishes a port of it needs the namespace from the first.
    package var makesNetworkBeside: Bool {
        guard case .supervised = shape, providing == nil, !publishes else { return false }
        return makes(.net) && makes(.pid)
    }

    /// What is provided for a network that leads out.
    package var provision: NetworkProvision? {
        guard let providing, case .network(.provideNetwork(let found)) = steps[providing].operation else { return nil }
        return found
    }

    /// The kinds that `createNamespaces` makes at once.
    package var kindsMadeAtOnce: [NamespaceKind] {
        makesNetworkBeside ? newNamespaces.filter { $0.index != NamespaceKind.net.index } : newNamespaces
    }

    /// Adds a step, and remembers the few that the launch has to find again: looking for them would cost it more than
    /// doing most of them.
    mutating func append(_ operation: Operation, _ origin: Position?) {
        var actor = self.actor
        switch operation {
        case .process(.createNamespaces(let kinds)):
            creation = steps.count
            newNamespaces = kinds
            if case .supervised = shape { self.actor = .firstProcess }
        case .process(.startCommand):
            division = steps.count
            self.actor = .command
        case .identity(.mapIdentities(let maps)):
            self.maps = maps
            if !maps.isWrittenInside { actor = .outside }
        case .network(.provideNetwork):
            providing = steps.count
            actor = .outside
        case .network(.publish): (publishes, actor) = (true, .outside)
        case .process(.startSession(let terminal)): session = terminal
        case .filter(.installFilter(let program)):
            filter = program
            filterOrigin = origin
            readsBehindFilter = program.leavesAlone("pread64")
        case .filter(.installPrograms): programs = steps.count
        case .landlock(.createRuleset(let handled)): landlockHandled = handled
        default: break
        }
        var step = Step(operation, origin)
        step.actor = actor
        steps.append(step)
    }

    /// Adds steps of which none has to be found again, at once: the tree's, which are most of a plan.
    mutating func append(contentsOf more: [Step]) {
        let first = steps.count
        steps += more
        for index in first..<steps.count { steps[index].actor = actor }
    }
}
