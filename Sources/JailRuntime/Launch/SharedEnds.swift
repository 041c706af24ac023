import JailPlan
import Kernel

/// What the launcher and the jail's first process reach each other by, made before they part: both have both ends until each
/// has closed those of the other.
struct SharedEnds {
    let channel: Int32
    private let firstChannel: Int32
    /// -1: no notices are relayed.
    private(set) var notices: Int32 = -1
    private(set) var start: StartWait?
    /// What the command prints past the jail's terminal; -1: nothing.
    private(set) var plainOutput: Int32 = -1
    let door: Door?

    /// Leaves the ends of the first process with the applier, which that process goes on with.
    init(of launch: Launch, _ applier: inout Applier) throws(Failure) {
        (channel, firstChannel) = try failing(makeChannel)
        applier.channel = firstChannel
        if launch.plan.notices != nil { (notices, applier.service.launcher) = try failing(makeChannel) }
        if let told = launch.start {
            let (waiting, telling) = try failing(makeChannel)
            start = StartWait(told, from: waiting)
            applier.startChannel = telling
        }
        if let use = launch.plan.supervision.terminal {
            applier.callerTerminal = CallerTerminal(use, in: applier.hostProc)
            if case .none? = launch.plan.session { (plainOutput, applier.plainOutput) = try failing(makePipe) }
        }
        // Not one that enters: it is no jail's first.
        door = launch.entry == nil ? Door.open() : nil
    }

    /// In the first process.
    func closeLaunchers() {
        closeDescriptor(channel)
        if notices >= 0 { closeDescriptor(notices) }
        if let start { closeDescriptor(start.channel) }
        if let door { closeDescriptor(door.listener) }
    }

    /// In the launcher.
    func closeFirsts(_ applier: Applier) {
        closeDescriptor(firstChannel)
        if applier.startChannel >= 0 { closeDescriptor(applier.startChannel) }
        if plainOutput >= 0 { closeDescriptor(applier.plainOutput) }
        if notices >= 0 { closeDescriptor(applier.service.launcher) }
    }
}
