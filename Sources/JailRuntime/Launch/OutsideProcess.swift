import JailPlan
import Kernel

/// Who does the steps of outside's in a direct launch, where nobody stays there: a child that is forked before the launcher
/// leaves its namespaces.
struct OutsideProcess {
    let channel: Int32
    private let process: Int32

    /// Forks it where the plan has such steps; nil where not.
    static func start(for plan: Plan, _ applier: Applier) throws(Failure) -> OutsideProcess? {
        guard plan.steps.contains(where: { $0.actor == .outside }) else { return nil }
        let (ours, theirs) = try failing(makeChannel)
        let parent = currentProcess()
        switch try failing({ () throws(KernelError) in try fork() }) {
        case .parent(let child):
            closeDescriptor(theirs)
            return OutsideProcess(channel: ours, process: child)
        case .child:
            closeDescriptor(ours)
            var outside = applier
            outside.mapped = parent
            serve(&outside, plan, theirs)
        }
    }

    /// The child's whole life: a step for each question, until nobody is left to ask.
    private static func serve(_ applier: inout Applier, _ plan: Plan, _ channel: Int32) -> Never {
        do throws(KernelError) {
            while let question = try receive(from: channel, limit: Message.limit) {
                guard case .reached(let step)? = Message(question.bytes), plan.steps.indices.contains(step) else {
                    break
                }
                var answer = Message.done(step: step)
                do throws(Failure) {
                    try applier.doOutside(step, of: plan)
                } catch {
                    answer = .failed(error)
                }
                try send(answer.bytes, over: channel)
            }
        } catch {
            leave(telling: Failure(error), over: channel)
        }
        exitNow(0)
    }

    /// What it cannot hear it cannot do either, and the launcher waits for an answer.
    private static func leave(telling failure: Failure, over channel: Int32) -> Never {
        do throws(KernelError) {
            try send(Message.failed(failure).bytes, over: channel)
        } catch {
            exitNow(125)
        }
        exitNow(125)
    }

    /// Says that the launcher has come to that step, and waits for it.
    func ask(for step: Int) throws(Failure) {
        try failing { () throws(KernelError) in try send(Message.reached(step: step).bytes, over: channel) }
    }

    /// Ends it, and waits until it is gone: the command is to have no child that it did not make.
    func end() throws(Failure) {
        closeDescriptor(channel)
        var use = ResourceUse()
        _ = try failing { () throws(KernelError) in try wait(for: process, blocking: true, use: &use) }
    }
}
