import JailPlan
import Kernel

/// What the launcher is sent, and the signals that it sends.
extension Supervisor {
    func handleSignals() throws(KernelError) -> Bool {
        while let delivered = try signals.next() {
            if Signal.endsLaunch(delivered.number) {
                isAsked = true
                if stage.abandon() { return interrupt(by: delivered.number) }
                if stage.state == .executing, hastened == nil {
                    hastened = (delivered.number, monotonicNanoseconds() + Self.executionPatience)
                }
            }
            switch delivered.number {
            case Signal.child:
                if try collect() { return true }
            case Signal.windowChanged where relay != nil:
                relay?.resize()
                // One that is no session's tells nobody.
                if relay?.use == .output { try forward(Signal.windowChanged, toGroup: true) }
            case Signal.continue:
                stop = stop == .requested ? .revoked : .none
                isStopped = false
                relay?.resume()
                try continueCommand()
            case Signal.terminalStop, Signal.terminalInput, Signal.terminalOutput:
                try requestStop(delivered)
            case Signal.terminate:
                switch deadline.requestStop() {
                case .begins: try terminate()
                case .ends: try killJail()
                case .repeats: break
                }
            default:
                // What a terminal sends goes to the whole foreground group, of which the command is a part itself where
                // it has no session of its own.
                if delivered.fromKernel { typed = delivered.number }
                if delivered.fromKernel && plan.session == nil { continue }
                try forward(delivered.number, toGroup: delivered.fromKernel)
            }
        }
        return false
    }

    /// How long the execution of the command may take once somebody wants an end, in nanoseconds.
    private static let executionPatience = 500_000_000

    /// When that is over, in milliseconds from now.
    var hastening: Int32? {
        hastened.map { Int32(clamping: max(0, ($0.due - monotonicNanoseconds() + 999_999) / 1_000_000)) }
    }

    /// Ends a jail whose command is being executed for longer than that; true where it does.
    func haste() throws(KernelError) -> Bool {
        guard let (signal, due) = hastened, monotonicNanoseconds() >= due else { return false }
        hastened = nil
        return stage.abandonExecution() ? interrupt(by: signal) : false
    }

    /// Ends a launch of which nothing has run; true, as the jail is over by then.
    private func interrupt(by number: Int32) -> Bool {
        let reason = failure ?? Failure.interrupted(by: number).at(stage.step)
        killHelpers()
        Self.kill(child)
        isOver = true
        outcome.ending = .failed(reason)
        return true
    }

    /// Passes a signal to the command: through the reaper, whose ids and namespace are the right ones, or straight.
    /// `toGroup` says that it is one of a terminal, which goes to all of the foreground.
    func forward(_ signal: Int32, toGroup: Bool = false) throws(KernelError) {
        do throws(KernelError) {
            if plan.supervision.hasInit {
                try send((toGroup ? Message.typed(signal) : .forward(signal)).bytes, over: channel)
            } else {
                // With a session of its own it leads a group as well.
                try Kernel.kill(toGroup && plan.session != nil ? -child : child, signal)
            }
        } catch {
            // It has just ended: SIGCHLD is on its way.
            guard error.errno.meansPeerGone || error.errno == .noProcess else { throw error }
        }
    }

    /// Asks the command to end. One that is stopped would not hear of it.
    func terminate() throws(KernelError) {
        try forward(plan.supervision.stopSignal)
        if isStopped { try forward(Signal.continue) }
    }

    /// Those who serve the jail files go with it: a process that waits for one that stands still cannot be killed (fs/fuse/dev.c,
    /// request_wait_answer).
    ///
    /// One that writes to an image is left its time: what it has in memory would be lost.
    func killHelpers() {
        let now = monotonicNanoseconds()
        let begin = killedSince ?? now
        killedSince = begin
        for helper in helpers where helper.written == nil || now - begin >= writingPatience { helper.kill() }
    }

    /// Kills the jail's first process, and with it all the others; when it does not end, those by themselves.
    func killJail() throws(KernelError) {
        try Kernel.kill(child, Signal.kill)
        isBeingKilled = true
        killHelpers()
        guard deadline.expectEnd() else { return }
        do throws(KernelError) {
            try leaf?.kill()
        } catch {
            guard error.errno == .noEntry else { throw error }
        }
        if let proc { Descendants(proc: proc).kill(below: child) }
    }
}
