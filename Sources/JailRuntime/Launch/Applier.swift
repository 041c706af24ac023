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
    /// The first lower of the overlay that has been made last.
    var lowerRoot: FileStatus?
    /// What the next step is to reach, where that has been opened without waiting for anybody.
    var atHand = AtHand()
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
    /// What holds a network stack back, once it may go on; the launcher's alone.
    var gate: TunnelGate?
    /// What closes addresses that the host gets later; the launcher's alone.
    var laterAddresses: LaterAddresses?
    /// Ports of the host that are open, until they are published; the launcher's alone.
    var published: [Int32] = []
    /// Where the rules of a network are asked what they refused; the launcher's alone.
    var counters: NetworkCounters?
    /// The host's end of the jail's pair of interfaces, once there is one; the launcher's alone.
    var outerEnd: OuterEnd?
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

    /// Optional steps that a direct launch has skipped, until it says so.
    private var skipped: [Int] = []
    /// Where a direct launch, which has no launcher to tell, tells the person something.
    let tell: MessageSink

    init(slotCount: Int, tell: @escaping MessageSink) {
        slots = [Int32](repeating: -1, count: slotCount)
        self.tell = tell
    }

    /// Does what one operation says, in the process that has come to it.
    mutating func apply(_ operation: Operation, of plan: Plan) throws(Failure) {
        switch operation {
        case .tree(let operation): try apply(operation, of: plan)
        case .identity(let operation): try apply(operation, of: plan)
        case .process(let operation): try apply(operation, of: plan)
        case .limits(let operation): try apply(operation, of: plan)
        case .filter(let operation): try apply(operation, of: plan)
        case .landlock(let operation): try apply(operation, of: plan)
        case .network(let operation): try apply(operation, of: plan)
        case .service(let operation): try apply(operation, of: plan)
        }
    }

    /// The host's procfs, which `Launch` opens first where the plan needs it.
    func proc() throws(Failure) -> HostProc {
        if let hostProc { return hostProc }
        return try HostProc()
    }

    mutating func reportSkipped(_ plan: Plan) throws(Failure) {
        guard channel >= 0 else { return skipped.append(step) }
        try failing { () throws(KernelError) in try send(Message.skipped(step: step).bytes, over: channel) }
    }

    /// Says what a direct launch has skipped, all at once.
    mutating func tellSkipped(_ plan: Plan) {
        if skipped.isEmpty { return }
        for note in plan.briefNotes(skipped) { tell(.note(note)) }
        skipped = []
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
