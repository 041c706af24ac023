import JailPlan
import JailSpec
import Kernel
import SpecFile
import SystemCallFilter

/// Does what the plan says, one operation at a time, in whichever process has reached it.
///
/// After the first failure nothing is tried again. A value copied by fork: the launcher's copy and the jail's go their own
/// ways from `createNamespaces` on.
struct Applier {
    /// Detached mounts by slot; −1 where nothing is (yet, or a missing optional source).
    var slots: [Int32]
    var tree = Tree()
    /// Whether overlays of this kernel follow redirects by default, where one is made.
    var followsRedirects = false
    /// The slots that the command is to write to, and the owners of what is there.
    var written = (slots: [Int](), owners: [UInt32]())
    var hostProc: HostProc?
    /// How many descriptors there can be, where that had to be asked while the host's procfs was open.
    var tableSize: Int32?
    /// The slave of the jail's terminal, kept for the foreground process group.
    var terminal: Int32 = -1
    /// Readable when the process that started the launcher ends; −1 where that does not matter.
    var watchedCaller: Int32 = -1
    /// What was asked for by default and cannot be had, found out by the launcher.
    var notes: [Diagnostic] = []
    /// The caller's terminal; the launcher's alone.
    var callerTerminal: CallerTerminal?
    /// The slave that stands for the caller's terminal, be it the session's or not.
    var replacement: Int32 = -1
    /// Where the jail writes what is for the caller's terminal, where it has none of its own.
    var plainOutput: Int32 = -1
    /// The jail's end of the channel to the launcher; −1 in direct mode.
    var channel: Int32 = -1
    /// Where the launcher is told that the jail is complete, where somebody wants to know; else −1.
    var startChannel: Int32 = -1
    /// Who does what is to be done outside, in direct mode; elsewhere that is the launcher.
    var outside: OutsideProcess?
    /// The process whose id maps this one writes; 0 for its own.
    var mapped: Int32 = 0
    var maps: IdentityMapper?
    /// The master of a terminal from the host's devpts, where the launcher has opened one; else −1.
    var hostTerminal: Int32 = -1
    var landlock = Landlock()
    /// The root of the jail's message queues; −1 where it is not needed.
    var queues: Int32 = -1
    /// The directory of the group that the jail's is made in.
    var groupBase: Int32 = -1
    /// The jail's own cgroup, where it has one.
    var leaf: Leaf?
    var service = ServiceEnds()
    /// The network namespace that is being made, until this process is in it.
    var network: NetworkMaker?
    /// A network that leads out, from `provideNetwork` until it is complete; the launcher's alone.
    var inTheMaking: NetworkInTheMaking?
    /// Ports of the host that are open, until they are published; the launcher's alone.
    var published: [Int32] = []
    /// Where the rules of a network are asked what they refused; the launcher's alone.
    var counters: NetworkCounters?
    /// What the launcher was sent, in a supervised launch.
    var signals: SignalQueue?
    /// How far this launch is, in a supervised one.
    var stage: Stage?
    /// Programs of the host that the jail needs as long as it lives; the launcher's alone.
    var helpers: [HelperProcess] = []
    /// What programs of the host are to serve, open, until they are started.
    var served: [ServedFiles] = []
    /// Shared with the reaper, in the process that becomes the command: what it leaves to it.
    var report: CommandReport?
    /// Whether the launcher wants to hear of what the filter kills and logs.
    var listens = false
    /// Filters that others have compiled, as they were read.
    var programs: [[UInt64]] = []
    /// The step that is being done.
    var step = 0
    /// Which links are followed on the way to what the spec names, once a link has been met.
    var names: LinkRule?
    /// Whether root outside launches the jail.
    let isRoot = effectiveUser() == 0
    /// What this process was before it changed, and how it is read again.
    var witness = Witness()
    /// What the kernel has shown so far, where `--explain` asks for it.
    var shown: [Shown]?

    /// The running jail that a command enters, where no jail is made.
    var entry: Entry?
    /// What the launcher keeps open as long as the jail lives: the ends of pipes that helpers read.
    var heldOpen: [Int32] = []

    /// What the launcher holds as long as the jail lives, by the step that has opened it.
    var held = HeldDescriptors()

    /// Where a direct launch, which has no launcher to tell, tells the person something.
    let tell: MessageSink

    init(slotCount: Int, tell: @escaping MessageSink) {
        slots = [Int32](repeating: -1, count: slotCount)
        self.tell = tell
    }

    /// Does what one operation says, in the process that has come to it.
    mutating func apply(_ operation: Operation, of plan: Plan) throws(Failure) {
        switch operation {
        case .requestScope(let manager): try Scope.enter(manager)
        case .enableControllers(let base, let controllers): try enableControllers(base, controllers)
        case .createCgroup(let delegation): try createCgroup(delegation)
        case .setLimit(let setting): try setLimit(setting)
        case .enterCgroup: try enterCgroup()
        case .makeSource(let making): try makeSource(making, of: plan)
        case .openImage(let slot, let source): try openServed(slot, source, of: plan)
        case .openOverlay(let slot, let source): try openServed(slot, source, of: plan)
        case .connectManager(let socket): try connectManager(socket)
        case .joinNamespaces(let joined): try join(joined)
        case .joinJail(let kinds): try joinJail(kinds)
        case .createNamespaces(let kinds): try createNamespaces(kinds, plan)
        case .mapIdentities(let maps): try mapIdentities(maps, of: plan)
        case .offsetClocks(let monotonic, let boottime): try offsetClocks(monotonic, boottime)
        case .setOOMScore(let score): try proc().write("\(score)", to: "self/oom_score_adj")
        case .forbidUserNamespaces: try proc().write("0", to: "sys/user/max_user_namespaces")
        case .isolateMounts: try failing(isolateMounts)
        case .openPipes(let descriptors, let group):
            try failing { () throws(KernelError) in
                for number in descriptors { try letReopen(pipe: number, group: group) }
            }

        case .fill(let slot, let filling, let promise): try fill(slot, filling, promise, of: plan)
        case .readCredentials(let path): try readCredentials(path)

        case .setIdentity(let user, let group): try setIdentity(user: user, group: group)
        case .giveGroup(let user, let group):
            try failing { () throws(KernelError) in try leaf?.give(user: user, group: group) }
        case .setGroups(let groups): try failing { () throws(KernelError) in try setGroups(groups) }

        case .beginRoot(let slot):
            tree.guarded = plan.guarded
            try tree.begin(slots[slot])
        case .attach(let slot, let target, let isDirectory):
            try tree.attach(slots[slot], on: target, isDirectory)
            try noteUnwritable(slot, plan)
        case .makeDirectory(let target, let mode, let keepsMode):
            try tree.makeDirectory(target, mode, keepsMode: keepsMode)
        case .makeSymlink(let target, let to): try tree.makeSymlink(target, to: to)
        case .hide(let target): try hide(target, plan)
        case .mask(let target): _ = try tree.cover(target, for: step)
        case .protect(let target): try tree.protect(target, for: step)
        case .pin(let target, let attributes, let isMade): try tree.pin(target, attributes, makes: isMade, for: step)
        case .protectFile(let target, let file): try tree.protect(target, file, for: step)
        case .seal(let sealed): try tree.seal(sealed.map { slots[$0] })
        case .openQueues: try openQueues()
        case .switchRoot: try failing { () throws(KernelError) in try switchRoot(to: tree.root) }

        case .setHostName(let name): try failing { () throws(KernelError) in try setHostName(name) }
        case .openPort(let publication): try openPort(publication)
        case .publish(let publications): try publish(publications, of: plan)
        case .provideNetwork(let provision): try provideNetwork(provision, of: plan)
        case .awaitNetwork(let provision): try awaitNetwork(provision)
        case .bringUpLoopback: try bringUpLoopback()
        case .setNice(let nice): try failing { () throws(KernelError) in try setNice(nice) }
        case .setAffinity(let cpus): try failing { () throws(KernelError) in try setAffinity(cpus) }
        case .lockFile(let path): try lockFile(path, of: plan)
        case .holdNamespaces(let kinds): try holdNamespaces(kinds, of: plan)
        case .newKeyring: witness.keyring = try failing(joinNewKeyring)
        case .setInheritedAttributes(let wanted): try resetInherited(to: wanted)
        case .startSession(let terminal): try startSession(terminal, of: plan)
        case .dropBounding(let kept): try failing { () throws(KernelError) in try dropBounding(keeping: kept.rawValue) }
        case .setSecureBits(let bits): try failing { () throws(KernelError) in try setSecureBits(bits) }
        case .forbidNewPrivileges: try failing(forbidNewPrivileges)
        case .refuseNamespaces(let others):
            try failing { () throws(KernelError) in
                try refuseNamespaces(ofI386: others.contains(.i386), ofX32: others.contains(.x32))
            }

        case .startCommand: throw Failure(.launcherGone)  // where two processes part, in `FirstProcess`
        case .setResourceLimit(let resource, let soft, let hard): try setLimit(of: resource, soft, hard)
        case .raiseHardLimit(let resource, let hard): try raiseLimit(of: resource, to: hard)
        case .setUmask(let mask): setUmask(mask)
        case .keepToTree(let rules): try keepToTree(rules, of: plan)
        case .createRuleset(let handled): try createRuleset(handled)
        case .allowPath(let path, let access): try allow(path, access)
        case .allowPort(let port, let use): try allow(port, use)
        case .enforceRuleset: try enforceRuleset(of: plan)
        case .enforceHeld(let step, _): try enforceHeld(step)
        case .setCapabilities(let sets): try apply(sets)
        case .dieWithParent: try dieWithParent()
        case .closeDescriptors(let kept): try closeDescriptors(keeping: kept)
        case .resetSignals: try failing(resetSignals)
        case .changeDirectory(let path): try enterDirectory(path)
        case .installFilter(let program): try install(program, of: plan)
        case .installPrograms: try installPrograms(of: plan)
        case .nameProcess(let names): service.ownProcess = names
        case .execute(let arguments, let name, let environment): try execute(arguments, name, environment, of: plan)
        }
    }

    /// The host's procfs, which `Launch` opens first where the plan needs it.
    func proc() throws(Failure) -> HostProc {
        if let hostProc { return hostProc }
        return try HostProc()
    }

    func reportSkipped(_ plan: Plan) throws(Failure) {
        guard channel >= 0 else {
            for note in plan.skippedNotes([step]) { tell(.note(note)) }
            return
        }
        try failing { () throws(KernelError) in try send(Message.skipped(step: step).bytes, over: channel) }
    }

    /// Tells the launcher. Where the launcher is gone there is nobody to tell, and the liveness checks end this process.
    func report(_ message: Message, passing descriptor: Int32 = -1) {
        guard channel >= 0 else { return }
        do throws(KernelError) {
            try send(message.bytes, over: channel, passing: descriptor)
        } catch {
            exitNow(125)
        }
    }
}
