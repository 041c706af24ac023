import Kernel

extension Caller {
    /// Does what may stand still in the kernel for ever, as a look at a path whose file server does not answer, before there is a
    /// jail: in a process of its own, which has this one's memory and descriptors. One of `Signal.endingLaunch` ends this
    /// process by that signal, and so does the end of `timeout`, if there is one, with status 124; either says what was being
    /// done by `place`. Throws where no such process can be made or bound to this one; false where it was killed by somebody else.
    static func lookBeside(
        within timeout: Duration?, at place: @escaping () -> String, _ body: @escaping () -> Void
    ) throws(KernelError) -> Bool {
        let launcher = currentProcess()
        let look = Look()
        let work = try withSignalsBlocked(Signal.endingLaunch) { () throws(KernelError) in
            let work = try doBeside(
                heeding: Signal.endingLaunch, within: timeout.map { Int(Deadline.nanoseconds($0) / 1_000_000) }
            ) {
                do throws(KernelError) {
                    try setParentDeathSignal(Signal.kill)
                } catch {
                    look.refusal = error
                    exitNow(125)
                }
                guard parentProcess() == launcher else { exitNow(125) }
                body()
                look.isDone = true
                exitNow(0)
            }
            // Unblocked, it would end this process without a word.
            if case .interrupted(let signal) = work {
                say("immure: \(place()): \(Signal.name(signal)) ended the launch before this was done", within: 400)
                die(of: signal)
            }
            return work
        }
        if let refusal = look.refusal { throw refusal }
        switch work {
        case .done, .interrupted: return look.isDone
        case .late: leaveLate(at: place())
        }
    }

    /// Ends a launch whose deadline has come before anything of the command ran, with status 124.
    static func leaveLate(at place: String) -> Never {
        say("immure: \(place): the timeout was over before this was done", within: 400)
        leave(124)
    }
}

/// What the process beside has come to.
private final class Look {
    var isDone = false
    /// Why it could not bind itself to the launcher.
    var refusal: KernelError?
}
