import JailPlan
import JailSpec
import Kernel
import SpecFile
import SystemCallFilter

/// The launcher while the jail lives: forwards signals, keeps the deadline, carries the terminal, and learns the end.
struct Supervisor {
    let plan: Plan
    let child: Int32
    let channel: Int32
    let signals: Int32
    var relay: TerminalRelay?
    var outcome = Outcome(ending: .ended(.exited(125)))

    private var idle = Idle(waiting: poll)
    /// What has been asked of the command by way of stopping.
    var stop = StopRequest.none
    /// Whether the command has stopped, as far as has been heard.
    var isStopped = false
    /// What the command's own end was, where the reaper has told.
    private var ended: Termination?
    private var failure: Failure?
    /// Why the reaper could not go on.
    private var lost: Failure?
    private var channelIsOpen = true
    /// Whether the jail's first process has been waited for, and its id may be another's.
    private var isOver = false
    var deadline: Deadline
    /// Where the filter's questions are answered.
    private var listener: Listener?
    /// The host's procfs, opened before a namespace was joined; nil where nothing was to be asked of it.
    private let proc: HostProc?
    private let tell: MessageSink
    private let started = monotonicNanoseconds()
    /// Readable when the process that started the launcher ends; −1 where that does not matter.
    private let caller: Int32
    private let kept: [Int32]
    private var notices: NoticeRelay?
    private let leftovers: Leftovers
    private let leaf: Leaf?
    private let tellsResult: Bool

    /// `held` are descriptors that the launcher has a use for afterwards.
    init(
        plan: Plan, child: Int32, channel: Int32, signals: Int32, applier: Applier, notices: NoticeRelay?,
        held: [Int32],
        leftovers: Leftovers
    ) {
        self.plan = plan
        self.child = child
        self.channel = channel
        self.signals = signals
        self.leftovers = leftovers
        (leaf, proc, tell) = (applier.leaf, applier.hostProc, applier.tell)
        self.notices = notices
        tellsResult = !held.isEmpty
        deadline = Deadline(timeout: plan.supervision.timeout, grace: plan.supervision.grace)
        if applier.hostTerminal >= 0 { relay = TerminalRelay(master: applier.hostTerminal) }
        caller = plan.supervision.diesWithParent ? Self.watchCaller() : -1
        kept =
            [0, 1, 2, channel, signals, applier.hostTerminal, caller, proc?.descriptor ?? -1] + held
            + (leaf?.descriptors ?? []) + (notices?.descriptors ?? [])
    }

    /// A pidfd of the parent process, not a signal of its death: that would come when the thread that started the launcher
    /// ends, which need not be the process.
    private static func watchCaller() -> Int32 {
        do throws(KernelError) {
            let parent = parentProcess()
            // 0: the parent is outside this pid namespace, and cannot be watched.
            guard parent > 0 else { return -1 }
            return try openProcess(parent).release()
        } catch {
            return -1
        }
    }

    /// Kills a jail that was never watched, and waits for its first process.
    static func kill(_ child: Int32) {
        var use = ResourceUse()
        do throws(KernelError) {
            try Kernel.kill(child, Signal.kill)
            _ = try wait(for: child, blocking: true, use: &use)
        } catch {
            return  // it has ended and been waited for: that is what was wanted
        }
    }

    /// Watches until the jail has ended, and says how. `tableSize` bounds the descriptors where they cannot be closed at once.
    mutating func watch(tableSize: () -> Int32) throws(Failure) -> Outcome {
        // The launcher must be as closed to the command's user as pid 1 is: they may share a pid namespace.
        try failing { () throws(KernelError) in
            try setDumpable(false)
            // Trees of the host that were opened for the jail would keep the host from unmounting them.
            try closeAll(except: kept.filter { $0 >= 0 }, tableSize: tableSize)
        }
        defer { relay?.restore() }
        while true {
            let done = try failing { () throws(KernelError) in try turn() }
            if done { break }
        }
        if !plan.supervision.ownsProcesses { try failing { () throws(KernelError) in try leftovers.kill() } }
        if let leaf { try failing { () throws(KernelError) in try close(leaf) } }
        relay?.drain()
        outcome.wallNanoseconds = monotonicNanoseconds() - started
        return outcome
    }

    /// Takes the jail's cgroup down: nobody in it, what it counted read, the group removed.
    private mutating func close(_ leaf: Leaf) throws(KernelError) {
        let isEmpty = try leaf.clear()
        // Where the command ended well and nobody asked, there is nothing to say of it.
        if tellsResult || outcome.status != 0 { outcome.tally = Tally(of: leaf.directory) }
        do throws(KernelError) {
            if isEmpty { try leaf.remove() } else { outcome.leftCgroup = leaf.name }
        } catch {
            // The command has ended by now: its status stands.
            outcome.leftCgroup = leaf.name
        }
    }

    /// One round of waiting; true when the jail's first process has ended.
    private mutating func turn() throws(KernelError) -> Bool {
        var watches = [
            Watch(signals), Watch(channelIsOpen ? channel : -1), Watch(caller), Watch(notices?.channel ?? -1),
            Watch(listener?.descriptor ?? -1),
        ]
        if let relay { watches += relay.watches }
        try idle.poll(&watches, milliseconds: sooner(deadline.milliseconds, listener?.milliseconds))
        try listener?.serve(watches[4])
        if watches[1].isReady { try handleMessage() }
        if watches[3].isReady { notices?.carry() }
        if watches[2].isReadable { try killJail() }
        // A relay that came with a message of this round has not been waited for yet.
        if watches.count > 5 { try relay?.carry(watches[5...]) }
        switch deadline.passed() {
        case .terminate?: try terminate()
        case .kill?: try killJail()
        case nil: break
        }
        guard watches[0].isReady else { return false }
        return try handleSignals()
    }

    private mutating func handleMessage() throws(KernelError) {
        guard let (bytes, descriptor) = try receive(from: channel, limit: Message.limit) else {
            channelIsOpen = false
            return
        }
        switch Message(bytes) {
        case .failed(let reported)?: failure = failure ?? reported
        case .lost(let reported)?: lost = lost ?? reported
        case .skipped(let step)?: outcome.skipped.append(step)
        case .terminal?:
            if let descriptor { relay = TerminalRelay(master: descriptor) }
        case .listener(let command)?:
            if let descriptor, let filter = plan.filter, let proc {
                listener = Listener(
                    descriptor: descriptor, program: filter, jail: child, command: command, in: proc, telling: tell)
            }
        case .unheard(let errno)?: outcome.unheard = errno
        case .changed(.stopped)?: try followStop()
        case .changed(let end)?: ended = end
        default: break
        }
    }

    private mutating func handleSignals() throws(KernelError) -> Bool {
        while let delivered = try nextSignal(signals) {
            switch delivered.number {
            case Signal.child:
                if try collect() { return true }
            case Signal.windowChanged where relay != nil: relay?.resize()
            case Signal.continue:
                stop = stop == .requested ? .revoked : .none
                isStopped = false
                relay?.resume()
                try forward(Signal.continue)
            case Signal.terminalStop, Signal.terminalInput, Signal.terminalOutput:
                try requestStop(delivered)
            case Signal.terminate:
                // The grace period begins; a second request ends it.
                if deadline.requestStop() { try terminate() } else { try killJail() }
            default:
                // What a terminal sends goes to the whole foreground group, of which the command is a part itself where
                // it has no session of its own.
                if delivered.fromKernel && plan.session == nil { continue }
                try forward(delivered.number)
            }
        }
        return false
    }

    /// Passes a signal to the command: through the reaper, whose ids and namespace are the right ones, or straight.
    func forward(_ signal: Int32) throws(KernelError) {
        do throws(KernelError) {
            if plan.supervision.hasInit {
                try send(Message.forward(signal).bytes, over: channel)
            } else {
                try Kernel.kill(child, signal)
            }
        } catch {
            // It has just ended: SIGCHLD is on its way.
            guard error.errno.meansPeerGone || error.errno == .noProcess else { throw error }
        }
    }

    /// Asks the command to end. One that is stopped would not hear of it.
    private func terminate() throws(KernelError) {
        try forward(Signal.terminate)
        if isStopped { try forward(Signal.continue) }
    }

    /// Kills the jail's first process, and with it all the others; when it does not end, those by themselves.
    private mutating func killJail() throws(KernelError) {
        try Kernel.kill(child, Signal.kill)
        guard deadline.expectEnd() else { return }
        do throws(KernelError) {
            try leaf?.kill()
        } catch {
            guard error.errno == .noEntry else { throw error }
        }
        if let proc { Descendants(proc: proc).kill(below: child) }
    }

    /// Collects ended children; true when the jail's first process is among them.
    private mutating func collect() throws(KernelError) -> Bool {
        while let (process, end) = try wait(blocking: false, stops: !plan.supervision.hasInit, use: &outcome.use) {
            guard process == child else { continue }
            if case .stopped = end {
                try followStop()
                continue
            }
            isOver = true
            while channelIsOpen { try handleMessage() }
            while let relay = notices, relay.channel >= 0 { notices?.carry() }
            conclude(end)
            return true
        }
        return false
    }

    private mutating func conclude(_ end: Termination) {
        if let listener {
            if let fatal = listener.fatal, case .signaled = ended ?? end {
                // Where it had to be SIGKILL, it was for the filter all the same.
                ended = .signaled(Signal.badCall)
                outcome.refused = fatal
            }
            outcome.logged = listener.logged
            self.listener?.conclude(ran: failure == nil)
        }
        if case .signaled(Signal.badCall) = ended ?? end, outcome.refused == nil, failure == nil { suspectFilter() }
        if let failure {
            outcome.ending = .failed(failure)
        } else if let lost = lost ?? silentLoss(end) {
            outcome.ending = lost.cause == .jailGone && end == .exited(125) ? .failed(lost) : .lost(lost)
        } else if deadline.timedOut {
            outcome.ending = .timedOut(ended ?? end)
        } else {
            outcome.ending = .ended(ended ?? end)
        }
    }
}

extension Supervisor {
    /// An end of the jail's first process that says nothing of the command's, which the reaper would have told. 125 is what
    /// it leaves with before the command runs, and never after. SIGKILL, which nobody inside can send it, is somebody's wish.
    private func silentLoss(_ end: Termination) -> Failure? {
        guard plan.supervision.hasInit, ended == nil, end != .signaled(Signal.kill) else { return nil }
        guard case .signaled(let signal) = end else { return Failure(.jailGone) }
        return Failure(.jailGone, text: Signal.name(signal))
    }

    /// Ends a jail that the launcher itself cannot watch any more, `reason` being why. The command may have run by now: only
    /// what the jail has told of a launch that failed says that it did not.
    mutating func lose(_ reason: Failure) -> Outcome {
        if !isOver { Self.kill(child) }
        outcome.ending = failure.map { .failed($0) } ?? .lost(reason)
        outcome.wallNanoseconds = monotonicNanoseconds() - started
        guard !plan.supervision.ownsProcesses else { return outcome }
        do throws(KernelError) {
            try leftovers.kill()
        } catch {
            return outcome  // that is how far it goes without the kernel's help; a cgroup is still cleared
        }
        return outcome
    }

    /// SIGSYS that nobody was asked about: the kernel killed for the filter, or the command itself did.
    private func suspectFilter() {
        guard let filter = plan.filter else { return }
        let place = plan.filterOrigin
        guard !filter.killsOrLogs else {
            return tell(
                .error(
                    Diagnostic("SIGSYS: a call that seccomp kills or a signal of its own ended the command", at: place))
            )
        }
        // Nothing else is killed, and nobody listens for it: that the command runs at all tells of no other reason.
        tell(
            .error(
                Diagnostic(
                    "killed by seccomp: a system call of a foreign ABI (i386 by int 0x80 or a 32-bit program, or x32), "
                        + "unless the command sent itself SIGSYS", at: place,
                    hint:
                        "every filter kills these; seccomp.profile = \"none\" has none, and with any call in seccomp.kill "
                        + "the launcher names the one it was")))
    }
}

/// The sooner of two times, where nil is never.
private func sooner(_ a: Int32?, _ b: Int32?) -> Int32? {
    guard let a, let b else { return a ?? b }
    return min(a, b)
}
