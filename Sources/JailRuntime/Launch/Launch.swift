package import JailPlan
import JailSpec
import Kernel
import SpecFile

/// Carries out a plan: this process walks the list and becomes, at each fork, the process the next operations are meant
/// for. `report` words what went wrong.
package struct Launch {
    let plan: Plan
    /// Descriptors that the launcher itself has a use for when the jail has ended.
    let held: [Int32]
    /// Whether what was verified is to be listed before the command runs.
    let explains: Bool
    /// Who hears that the jail is complete; of a supervised launch.
    let start: StartReport?
    /// Where everything goes that is to be said.
    let tell: MessageSink
    /// The running jail that the plan is to enter.
    var entry: Entry?

    package init(
        _ plan: Plan, keeping held: [Int32] = [], explaining explains: Bool = false, starting start: StartReport? = nil,
        telling tell: @escaping MessageSink
    ) {
        self.start = start
        self.plan = plan
        self.held = held
        self.explains = explains
        self.tell = tell
    }

    /// Runs the command and returns how that went; in direct mode it returns only where the launch failed.
    package func run() -> Outcome {
        do throws(Failure) {
            switch plan.shape {
            case .direct: return try runDirect()
            case .supervised: return try runSupervised()
            }
        } catch {
            return Outcome(ending: .failed(error))
        }
    }

    /// Does everything in this process, which then is the command.
    private func runDirect() throws(Failure) -> Outcome {
        var applier = try makeApplier()
        do throws(Failure) {
            return try become(&applier)
        } catch {
            // Nothing is killed here: this process may be in the group by now. It goes with the unit, or the next launch.
            abandon(applier.leaf)
            throw error
        }
    }

    private func become(_ applier: inout Applier) throws(Failure) -> Outcome {
        try applier.follow(plan, plan.steps.indices)
        throw Failure(.commandNotFound)
    }

    /// Does what comes before the first fork, forks, and watches over the jail.
    private func runSupervised() throws(Failure) -> Outcome {
        var applier = try makeApplier()
        do throws(Failure) {
            return try supervise(&applier)
        } catch {
            HelperProcess.end(applier.helpers + (applier.inTheMaking.map { [$0.loader] } ?? []))
            discard(applier.leaf)
            throw error
        }
    }

    /// Removes the group of a jail that did not come to be, with whatever is in it.
    private func discard(_ leaf: Leaf?) {
        do throws(KernelError) {
            _ = try leaf?.clear()
        } catch {
            return
        }
        abandon(leaf)
    }

    /// Removes an empty group. One that cannot be removed goes with the next launch.
    private func abandon(_ leaf: Leaf?) {
        do throws(KernelError) {
            try leaf?.remove()
        } catch {
            return
        }
    }

    private func supervise(_ applier: inout Applier) throws(Failure) -> Outcome {
        let signals = try failing(catchAllSignals)
        let own = try failing(otherThanStopSignals)
        let queue = SignalQueue(own.number)
        applier.signals = queue
        try applier.checkSignals(plan)
        if let entry { applier.watchedCaller = entry.client } else { try applier.watchCaller(plan) }
        applier.hostTerminal = try openHostTerminal()
        let ends = try SharedEnds(of: self, &applier)
        let stage = try failing { () throws(KernelError) in try Stage() }
        applier.stage = stage
        guard let creation = plan.creation else { throw Failure(.launcherGone) }
        let sources = plan.steps[..<creation].prefix { if case .tree(.fill) = $0.operation { true } else { false } }
            .count
        try applier.followSources(plan, 0..<sources)
        try applier.follow(plan, sources..<creation)
        var leftovers = Leftovers()
        if !plan.supervision.ownsProcesses { leftovers = try spareChildren(applier) }
        try applier.startForNetwork(plan)
        applier.step = creation
        guard case .parent(let child) = try located(creation, { () throws(Failure) in try applier.part(plan) }) else {
            ends.closeLaunchers()
            begin(applier, signals.number, from: creation)
        }
        ends.closeFirsts(applier)
        // First of all: the jail stands still until it has its ids.
        do throws(Failure) {
            applier.mapped = child
            try applier.followOutside(plan, from: creation + 1, telling: ends.channel)
            try applier.completeNetwork(telling: ends.channel)
        } catch {
            Supervisor.kill(child)
            throw error
        }
        return try watch(child, stage, queue, ends, leftovers, applier)
    }

    /// In the launcher, until the jail has ended.
    private func watch(
        _ child: Int32, _ stage: Stage, _ queue: SignalQueue, _ ends: SharedEnds, _ leftovers: Leftovers,
        _ applier: Applier
    ) throws(Failure) -> Outcome {
        let supervisor = Supervisor(
            plan: plan, child: child, stage: stage, channel: ends.channel, signals: queue, applier: applier,
            notices: plan.notices.map { NoticeRelay($0, from: ends.notices, to: applier.service.manager, tell) },
            held: held,
            start: ends.start, leftovers: leftovers, plainOutput: ends.plainOutput, door: ends.door)
        do throws(Failure) {
            return try supervisor.watch { applier.descriptorTableSize }
        } catch {
            let outcome = supervisor.lose(error)
            discard(applier.leaf)
            return outcome
        }
    }

    /// In the jail's first process.
    private func begin(_ applier: Applier, _ signals: Int32, from creation: Int) -> Never {
        var first = FirstProcess(plan: plan, applier: applier, signals: signals, foreign: start?.own ?? [])
        first.proceed(from: creation)
    }

    /// Orphans of a jail that shares its process ids come to this process, which had children of its own before.
    private func spareChildren(_ applier: Applier) throws(Failure) -> Leftovers {
        let proc = try applier.proc()
        return try failing { () throws(KernelError) in
            let leftovers = try Leftovers.sparingThoseOfNow(proc)
            try becomeSubreaper()
            return leftovers
        }
    }

    private func makeApplier() throws(Failure) -> Applier {
        var applier = Applier(slotCount: plan.slotCount, tell: tell)
        applier.hostProc = try HostProc()
        if explains { applier.shown = [] }
        try applier.countFilters()
        applier.entry = entry
        if let entry { applier.programs = entry.programs } else { try applier.readPrograms(plan) }
        applier.listens = plan.listens
        // Worded now: the jail stands still from the moment in which it is made until its maps are written.
        if let maps = plan.maps {
            do throws(Failure) {
                applier.maps = try IdentityMapper(maps)
            } catch {
                let step = plan.steps.firstIndex {
                    if case .identity(.mapIdentities) = $0.operation { true } else { false }
                }
                throw error.at(step ?? -1)
            }
        }
        // Modes of mount points are what they say; the command's own mask is set before exec.
        setUmask(0)
        return applier
    }

    /// A pty from the host's devpts, for a jail that has none of its own.
    private func openHostTerminal() throws(Failure) -> Int32 {
        guard case .host? = plan.session else { return -1 }
        return try failing { () throws(KernelError) in try open("/dev/ptmx", .readWrite | .noTerminal).release() }
    }
}

/// Names the step that a failure belongs to.
func located<Result>(_ index: Int, _ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    do throws(Failure) {
        return try body()
    } catch {
        throw error.at(index)
    }
}

extension Failure {
    /// This failure as one of that step, unless it knows its own already.
    func at(_ step: Int) -> Failure {
        var failure = self
        if failure.step < 0 { failure.step = step }
        return failure
    }
}
