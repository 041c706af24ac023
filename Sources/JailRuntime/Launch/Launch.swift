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

    package init(_ plan: Plan, keeping held: [Int32] = [], explaining explains: Bool = false) {
        self.plan = plan
        self.held = held
        self.explains = explains
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
        applier.skippedHere = { [plan] step in
            for note in plan.skippedNotes([step]) { Report.say(note, as: .note) }
        }
        var maps = IdentityMapper.Helper?.none
        for (index, step) in plan.steps.enumerated() {
            applier.step = index
            try located(index) { () throws(Failure) in
                if index == plan.preparation { try applier.openWitness(plan) }
                switch step.operation {
                case .createNamespaces(let kinds):
                    maps = try IdentityMapper.Helper(for: plan.maps)
                    try applier.rememberNamespaces(plan)
                    try failing { () throws(KernelError) in try unshare(NamespaceFlags(kinds)) }
                    // At once: what comes next would be done to the host.
                    try applier.checkNamespaces(plan)
                case .mapIdentities(let wanted):
                    if wanted.isWrittenInside {
                        try IdentityMapper(wanted).write(by: applier.hostProc, process: "self")
                    } else {
                        try maps?.write()
                    }
                case .installFilter: try applier.checkBeforeFilter(plan)
                case .execute: try applier.checkProcess(plan)
                default: break
                }
                try applier.apply(step.operation)
                try applier.check(step.operation, in: plan)
            }
        }
        throw Failure(.commandNotFound)
    }

    /// Does what comes before the first fork, forks, and watches over the jail.
    private func runSupervised() throws(Failure) -> Outcome {
        var applier = try makeApplier()
        do throws(Failure) {
            return try supervise(&applier)
        } catch {
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
        try applier.checkSignals(plan)
        let (ours, theirs) = try failing(makeChannel)
        applier.channel = theirs
        var notices = Int32(-1)
        if plan.notices != nil { (notices, applier.service.launcher) = try failing(makeChannel) }
        let fork = plan.creation ?? 0
        for index in 0..<fork {
            applier.step = index
            let operation = plan.steps[index].operation
            try located(index) { () throws(Failure) in
                try applier.apply(operation)
                try applier.check(operation, in: plan)
            }
        }
        let hostTerminal = try openHostTerminal()
        applier.hostTerminal = hostTerminal
        guard case .createNamespaces = plan.steps[fork].operation else { throw Failure(.launcherGone) }
        var leftovers = Leftovers()
        if !plan.supervision.ownsProcesses {
            try failing { () throws(KernelError) in
                leftovers = try .sparingThoseOfNow()
                try becomeSubreaper()
            }
        }
        try located(fork) { () throws(Failure) in try applier.rememberNamespaces(plan) }
        let mapper = plan.maps.flatMap { $0.isWrittenInside ? nil : IdentityMapper($0) }
        let side = try located(fork) { () throws(Failure) in
            try failing { () throws(KernelError) in
                try Kernel.fork(into: NamespaceFlags(plan.kindsMadeAtOnce), cgroup: applier.leaf?.birthplace ?? -1)
            }
        }
        guard case .parent(let child) = side else {
            closeDescriptor(ours)
            if notices >= 0 { closeDescriptor(notices) }
            var jail = Jail(plan: plan, applier: applier, signals: signals.number)
            jail.proceed(from: fork + 1)
        }
        closeDescriptor(theirs)
        if notices >= 0 { closeDescriptor(applier.service.launcher) }
        // First of all: the jail stands still until it has its ids.
        do throws(Failure) {
            try mapIdentities(of: child, mapper, by: applier.hostProc, telling: ours)
        } catch {
            Supervisor.kill(child)
            throw error.at(plan.mapping ?? fork)
        }
        var supervisor = Supervisor(
            plan: plan, child: child, channel: ours, signals: signals.number, hostTerminal: hostTerminal,
            notices: plan.notices.map { NoticeRelay($0, from: notices, to: applier.service.manager) }, held: held,
            leftovers: leftovers, leaf: applier.leaf)
        do throws(Failure) {
            return try supervisor.watch { applier.descriptorTableSize }
        } catch {
            let outcome = supervisor.lose(error)
            discard(applier.leaf)
            return outcome
        }
    }

    /// Writes the maps that the jail's first process may not write itself, and lets it go on.
    private func mapIdentities(
        of child: Int32, _ mapper: IdentityMapper?, by proc: HostProc?, telling channel: Int32
    ) throws(Failure) {
        guard let mapper else { return }
        try mapper.write(by: proc, process: String(decimal: UInt64(child)))
        try failing { () throws(KernelError) in
            do throws(KernelError) {
                try send(Message.mapped.bytes, over: channel)
            } catch {
                // It has failed already, and has said why: the supervisor will read it.
                guard error.errno.meansPeerGone else { throw error }
            }
        }
    }

    private func makeApplier() throws(Failure) -> Applier {
        var applier = Applier(slotCount: plan.slotCount)
        applier.hostProc = try HostProc()
        if explains { applier.shown = [] }
        try applier.countFilters()
        applier.listens = plan.listens
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
