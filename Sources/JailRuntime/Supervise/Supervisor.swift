import JailPlan
import JailSpec
import Kernel
import SpecFile
import SystemCallFilter

/// The launcher while the jail lives: forwards signals, keeps the deadline, carries the terminal, and learns the end.
///
/// An object: it is two thousand bytes, which each round would copy.
final class Supervisor {
    let plan: Plan
    let child: Int32
    let stage: Stage
    let channel: Int32
    let signals: SignalQueue
    var relay: TerminalRelay?
    var outcome = Outcome(ending: .ended(.exited(125)))

    private var idle = Idle(waiting: poll)
    /// What has been asked of the command by way of stopping.
    var stop = StopRequest.none
    /// Whether the command has stopped, as far as has been heard.
    var isStopped = false
    /// What the command's own end was, where the reaper has told.
    var ended: Termination?
    var failure: Failure?
    /// Why the reaper could not go on, or the jail without a helper.
    var lost: Failure?
    var channelIsOpen = true
    /// Who asked for an end while the command was being executed, and until when that may take.
    var hastened: (signal: Int32, due: Int)?
    /// Whether the jail's first process has been waited for, and its id may be another's.
    var isOver = false
    var deadline: Deadline
    /// Where the filter's questions are answered.
    var listener: Listener?
    /// The host's procfs, opened before a namespace was joined; nil where nothing was to be asked of it.
    let proc: HostProc?
    let tell: MessageSink
    let started = monotonicNanoseconds()
    /// Readable when the process that started the launcher ends; −1 where that does not matter.
    private let caller: Int32
    private let kept: [Int32]
    var notices: NoticeRelay?
    /// The jail's word that it is complete, where somebody waits for it.
    private var start: StartWait?
    /// What the jail needs of outside, and must not outlive.
    var helpers: [HelperProcess]
    /// What holds one of them back.
    private var gate: TunnelGate?
    private var laterAddresses: LaterAddresses?
    /// What waits to be served for its mounts, and how many descriptors a process can have.
    var served: (waiting: [ServedFiles], tableSize: Int32)
    /// What steps have opened for the time that the jail lives, and for what comes after.
    var opened: HeldDescriptors
    /// Where the rules of the jail's network are asked what they refused.
    private let counters: NetworkCounters?
    private let outerEnd: OuterEnd?
    /// Where those come who want to enter the jail.
    var door: Door?
    /// Filters that others have compiled, for those.
    let programs: [[UInt64]]
    /// What must stay mounted while the jail runs.
    private var covers = CoverWatch()
    let leftovers: Leftovers
    let leaf: Leaf?
    let tellsResult: Bool
    /// Connected to the service manager, where the launcher has something to tell it; else −1.
    private var manager: Int32
    /// The caller's terminal, where one is carried to and from.
    private let terminal: CallerTerminal?
    /// Whether the jail has been sent SIGKILL: what becomes of its helpers from there says nothing.
    var isBeingKilled = false
    /// When it first was, or its helpers.
    var killedSince: Int?
    /// Whether somebody has asked for an end.
    var isAsked = false
    /// The last signal that a terminal sent to the launcher.
    var typed: Int32?

    /// `held` are descriptors that the launcher has a use for afterwards.
    init(
        plan: Plan, child: Int32, stage: Stage, channel: Int32, signals: SignalQueue, applier: Applier,
        notices: NoticeRelay?,
        held: [Int32], start: StartWait?, leftovers: Leftovers, plainOutput: Int32, door: Door?
    ) {
        self.plan = plan
        self.child = child
        self.stage = stage
        self.channel = channel
        self.signals = signals
        self.leftovers = leftovers
        opened = applier.held
        (self.door, programs) = (door, applier.programs)
        (leaf, proc, tell) = (applier.leaf, applier.hostProc, applier.tell)
        (self.notices, self.start) = (notices, start)
        (helpers, counters, gate) = (applier.helpers, applier.counters, applier.gate)
        (laterAddresses, outerEnd) = (applier.laterAddresses, applier.outerEnd)
        served = (applier.served, applier.served.isEmpty ? 0 : applier.descriptorTableSize)
        tellsResult = !held.isEmpty
        outcome.endsAsTheCommand = plan.supervision.diesBySignal
        manager = plan.announces ? applier.service.manager : -1
        deadline = Deadline(timeout: plan.supervision.timeout, grace: plan.supervision.grace)
        terminal = applier.callerTerminal
        caller = applier.watchedCaller
        outcome.notes = applier.notes
        kept =
            [0, 1, 2, channel, signals.descriptor, applier.hostTerminal, plainOutput, caller, proc?.descriptor ?? -1]
            + held + (terminal?.descriptors ?? [])
            + (leaf?.descriptors ?? []) + (notices?.descriptors ?? []) + helpers.flatMap { $0.descriptors }
            + served.waiting.flatMap { $0.descriptors } + (counters?.descriptors ?? []) + opened.descriptors + [
                manager, door?.listener ?? -1, gate?.descriptor ?? -1, laterAddresses?.news ?? -1,
            ] + (applier.entry?.descriptors ?? []) + (start?.descriptors ?? []) + applier.heldOpen
        if applier.hostTerminal >= 0 { relay = makeRelay(applier.hostTerminal) }
        if plainOutput >= 0 { relay = makeRelay(plainOutput, isPty: false) }
    }

    private func makeRelay(_ source: Int32, isPty: Bool = true) -> TerminalRelay? {
        guard let terminal, let use = plan.supervision.terminal else { return nil }
        return TerminalRelay(
            source, isPty: isPty, use: use, caller: terminal, waits: isPty && plan.supervision.hasInit,
            isConsole: isPty && plan.supervision.boots)
    }

    /// Watches until the jail has ended, and says how. `tableSize` bounds the descriptors where they cannot be closed at once.
    func watch(tableSize: () -> Int32) throws(Failure) -> Outcome {
        // The launcher must be as closed to the command's user as pid 1 is: they may share a pid namespace.
        try failing { () throws(KernelError) in
            try setDumpable(false)
            // Trees of the host that were opened for the jail would keep the host from unmounting them.
            try closeAll(except: kept.filter { $0 >= 0 }, tableSize: tableSize)
            try signals.heedStops()
        }
        stage.noteWatched()
        defer { relay?.restore() }
        // What came while something else was waited for is not told again.
        var isDone = try failing { () throws(KernelError) in
            if try handleSignals() { return true }
            return try collect()
        }
        while !isDone { isDone = try failing { () throws(KernelError) in try turn() } }
        try failing { () throws(KernelError) in try finishWriting() }
        HelperProcess.end(helpers + (laterAddresses?.helpers ?? []))
        if let counters {
            let found = counters.read(noticing: signals, tableSize: tableSize)
            (outcome.refusedConnections, outcome.askedServers) = (found?.refused, found?.servers ?? [])
        }
        if !plan.supervision.ownsProcesses { try failing { () throws(KernelError) in try leftovers.kill() } }
        if let leaf { try failing { () throws(KernelError) in try close(leaf) } }
        // Whoever asked for an end does not wait for a reader.
        relay?.drain(noticing: signals, within: deadline.isStopping || isAsked ? 300 : 5000)
        outcome.wallNanoseconds = monotonicNanoseconds() - started
        outerEnd?.delete()
        for (step, upper) in zip(opened.shown.steps, opened.shown.numbers) { outcome.overlays.append((step, upper)) }
        return outcome
    }

    /// One round of waiting; true when the jail's first process has ended.
    private func turn() throws(KernelError) -> Bool {
        var watches: [Watch] = []
        // As many as there are without helpers: a list that grows is copied each time.
        watches.reserveCapacity(16)
        watches += [
            Watch(signals.descriptor), Watch(channelIsOpen ? channel : -1), Watch(caller),
            listener?.watch ?? Watch(-1),
        ]
        watches += notices?.watches ?? [Watch(-1), Watch(-1)]
        for helper in helpers { watches += helper.watches }
        let afterHelpers = watches.count
        watches.append(covers.watch)
        watches.append(start?.watch ?? Watch(-1))
        watches.append(gate?.watch ?? Watch(-1))
        watches.append(signals.stopWatch)
        watches += laterAddresses?.watches ?? LaterAddresses.noWatches
        let beforeDoor = watches.count
        if let door { watches += door.watches }
        let last = watches.count
        if let relay { watches += relay.watches }
        try idle.poll(&watches, milliseconds: patience)
        try listener?.serve(watches[3])
        if watches[1].isReady { try handleMessage() }
        notices?.carry(watches[4..<6])
        if watches[2].isReadable { try killJail() }
        // A relay that came with a message of this round has not been waited for yet.
        if watches.count > last { try relay?.carry(watches[last...]) }
        try heedHelpers(watches[6..<afterHelpers])
        if watches[afterHelpers].isReady { try heedCovers() }
        heedDoor(watches[beforeDoor..<last])
        if watches[afterHelpers + 1].isReady { try start?.heed() }
        if watches[afterHelpers + 2].isReady { try gate?.heed() }
        if let helper = try laterAddresses?.heed(watches[(afterHelpers + 4)..<beforeDoor]) { try miss(helper) }
        if try haste() { return true }
        switch deadline.passed() {
        case .terminate? where stage.abandon(): try killJail()
        case .terminate?: try terminate()
        case .kill?: try killJail()
        case nil: break
        }
        guard watches[0].isReady || watches[afterHelpers + 3].isReady || !signals.isEmpty else { return false }
        return try handleSignals()
    }

    /// How long nothing may happen, in milliseconds.
    private var patience: Int32? {
        guard signals.isEmpty else { return 0 }
        let own = sooner(deadline.milliseconds, hastening)
        return sooner(own, sooner(listener?.milliseconds, sooner(door?.milliseconds, relay?.milliseconds)))
    }

    func handleMessage() throws(KernelError) {
        guard let (bytes, descriptor) = try receive(from: channel, limit: Message.limit) else {
            channelIsOpen = false
            // Where the command is the first process, exec has closed the other end.
            if !plan.supervision.hasInit, stage.noteRunning() { announce() }
            return
        }
        switch Message(bytes) {
        case .failed(let reported)?: if failure == nil { failure = try blamingHelper(for: reported) }
        case .lost(let reported)?: lost = lost ?? reported
        case .skipped(let step)?: outcome.skipped.append(step)
        case .unwritable(let step, let owner)?:
            if plan.steps.indices.contains(step) { tell(.note(plan.unwritableNote(step, owner: owner))) }
        case .full(let room)?: outcome.full.append(room)
        case .terminal?:
            if let descriptor { relay = makeRelay(descriptor) }
        case .listener(let command)?:
            if let descriptor, let filter = plan.filter, let proc {
                listener = Listener(
                    descriptor: descriptor, program: filter, jail: child, command: command, in: proc,
                    watching: plan.isWatched ? try DenialObserver(in: proc, of: plan) : nil,
                    telling: tell)
            }
        case .held(let step, let isShown)?:
            if let descriptor { opened.add(descriptor, step: step, isShown: isShown) }
        case .mounted(let slot)?: if let descriptor { serve(slot, descriptor) }
        case .running?: announce()
        case .notices?: if let descriptor { notices?.listen(to: descriptor, for: child) }
        case .covers(let more)?: covers.add(more, descriptor)
        case .unheard(let errno)?: outcome.unheard = errno
        case .changed(.stopped(let number))?: try heedStop(by: number)
        case .changed(let end)?: ended = end
        default: break
        }
    }

    /// Tells the service manager that the service is ready: the command runs. A manager that does not hear is not waited for,
    /// and gives the service up by itself.
    private func announce() {
        guard manager >= 0 else { return }
        do throws(KernelError) {
            try sendNotice(Array("READY=1".utf8), [], over: manager)
        } catch {
            tell(.warning(Diagnostic("notify: \(error.call.name): \(error.errno.name) \(error.errno.words)", at: nil)))
        }
        closeDescriptor(manager)
        manager = -1
    }

    /// A jail that something has uncovered is not the one that was planned: it ends, and says what.
    private func heedCovers() throws(KernelError) {
        guard lost == nil, let step = try covers.firstGone() else { return }
        lost = Failure(.coverGone, text: plan.steps.indices.contains(step) ? plan.target(of: step) : "")
        lost?.step = step
        try killJail()
    }

    /// A jail whose helper has ended is not the one that was planned: it ends, and says why.
    private func heedHelpers(_ found: ArraySlice<Watch>) throws(KernelError) {
        for index in helpers.indices {
            let first = found.startIndex + 2 * index
            // One that a message of this round has had started has not been waited for yet.
            guard first + 2 <= found.endIndex else { break }
            if try helpers[index].take(found[first..<(first + 2)]) { try miss(helpers[index]) }
        }
    }

    /// The jail ends with what it needs. Where it has ended already, its helpers end after it by themselves.
    func miss(_ helper: HelperProcess) throws(KernelError) {
        guard lost == nil, !isBeingKilled, try !hasEnded(child) else { return }
        lost = helper.failure
        try killJail()
    }
}

/// The sooner of two times, where nil is never.
private func sooner(_ a: Int32?, _ b: Int32?) -> Int32? {
    guard let a, let b else { return a ?? b }
    return min(a, b)
}
