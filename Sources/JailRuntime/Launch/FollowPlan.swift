import JailPlan
import Kernel

/// The one way through a plan, whoever is on it.
extension Applier {
    /// Each step is applied, then checked; one that is done outside is waited for, and checked from here. Throws the first
    /// failure with its step: after it nothing is tried again.
    mutating func follow(_ plan: Plan, _ steps: Range<Int>) throws(Failure) {
        for index in steps {
            step = index
            stage?.step = index
            do throws(Failure) {
                try take(plan.steps[index], of: plan)
            } catch {
                tellSkipped(plan)
                throw error.at(index)
            }
        }
    }

    private mutating func take(_ next: Plan.Step, of plan: Plan) throws(Failure) {
        if step == plan.preparation {
            tellSkipped(plan)
            try openWitness(plan)
            try reportStart(plan)
            try awaitWatcher(next.actor)
        }
        if network != nil, next.operation.belongsToNetwork {
            try located(plan.creation ?? step) { () throws(Failure) in try enterNetwork(plan) }
        }
        if case .outside = next.actor { try waitForOutside(plan) } else { try apply(next.operation, of: plan) }
        try check(next.operation, in: plan)
    }

    /// Waits until the launcher watches. A process below a reaper ends with it; nobody would end another whose launcher is killed
    /// meanwhile: the request stands here, and once more after the last change of credentials, which takes it back.
    private mutating func awaitWatcher(_ actor: Actor) throws(Failure) {
        guard let stage else { return }
        if case .firstProcess = actor { try dieWithParent() }
        stage.awaitWatcher()
    }

    /// As `follow`, for sources that the spec names, as the launcher: what one of them is on may be a server that does not answer. What
    /// is at hand needs no process more.
    mutating func followSources(_ plan: Plan, _ steps: Range<Int>) throws(Failure) {
        guard signals != nil else { return try follow(plan, steps) }
        var steps = steps
        while let next = steps.first, atHand.holds(plan.steps[next]) {
            try follow(plan, next..<next + 1)
            atHand.closeAll()
            steps.removeFirst()
        }
        guard !steps.isEmpty else { return }
        let rest = steps
        try doBeside(plan) { (applier: inout Applier) throws(Failure) in try applier.follow(plan, rest) }
    }

    /// Does what may stand still in the kernel in a process of its own, where this one is a launcher, which must hear who wants it to
    /// end. What it opens and changes is here as well.
    mutating func doBeside(_ plan: Plan, _ body: @escaping (inout Applier) throws(Failure) -> Void) throws(Failure) {
        guard let signals else { return try body(&self) }
        let beside = Beside(self)
        let work = try failing { () throws(KernelError) in
            try Kernel.doBeside(
                heeding: Signal.endingLaunch, by: signals.descriptor,
                within: plan.supervision.timeout.map { Deadline.nanoseconds($0) / 1_000_000 }
            ) {
                beside.run(body)
                exitNow(0)
            }
        }
        switch work {
        case .done: break
        case .interrupted(let signal): throw Failure.interrupted(by: signal).at(stage?.step ?? -1)
        case .late: Caller.leaveLate(at: stage.map { plan.title(of: $0.step) } ?? "open the sources")
        }
        self = beside.applier
        if let failure = beside.failure { throw failure }
        guard beside.isDone else { throw Failure(.outsideGone).at(stage?.step ?? -1) }
    }

    /// Does the steps of outside's that begin at `first`, and lets those inside go on after each.
    mutating func followOutside(_ plan: Plan, from first: Int, telling channel: Int32) throws(Failure) {
        for index in first..<plan.steps.count {
            guard case .outside = plan.steps[index].actor else { return }
            try doOutside(index, of: plan)
            try failing { () throws(KernelError) in
                do throws(KernelError) {
                    try send(Message.done(step: index).bytes, over: channel)
                } catch {
                    // Nobody is left inside, and has said why: the supervisor will read it.
                    guard error.errno.meansPeerGone else { throw error }
                }
            }
        }
    }

    /// One step of outside's, which those inside will check.
    mutating func doOutside(_ index: Int, of plan: Plan) throws(Failure) {
        step = index
        try located(index) { () throws(Failure) in try apply(plan.steps[index].operation, of: plan) }
    }

    /// Waits until this step has been done outside.
    private mutating func waitForOutside(_ plan: Plan) throws(Failure) {
        if let outside { try outside.ask(for: step) }
        let source = outside?.channel ?? channel
        let message = try failing { () throws(KernelError) in try receive(from: source, limit: Message.limit) }
        switch message.flatMap({ Message($0.bytes) }) {
        case .done(step)?: break
        case .failed(let failure)?: throw failure
        default: throw Failure(.outsideGone)
        }
        guard let outside, plan.steps.count == step + 1 || plan.steps[step + 1].actor != .outside else { return }
        try outside.end()
        self.outside = nil
    }
}

/// The launcher's part of a plan in a process of its own, which shares its memory.
private final class Beside {
    var applier: Applier
    var failure: Failure?
    var isDone = false
    private let launcher = currentProcess()

    init(_ applier: Applier) { self.applier = applier }

    func run(_ body: (inout Applier) throws(Failure) -> Void) {
        do throws(Failure) {
            try failing { () throws(KernelError) in try setParentDeathSignal(Signal.kill) }
            guard parentProcess() == launcher else { exitNow(125) }
            try body(&applier)
            isDone = true
        } catch {
            failure = error
        }
    }
}
