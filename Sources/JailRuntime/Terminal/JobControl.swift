import JailPlan
import Kernel

/// What the launcher has asked of the command by way of stopping.
enum StopRequest {
    case none, requested
    /// Asked for, and taken back by SIGCONT before the command had stopped.
    case revoked
}

/// Ctrl-Z and fg: the launcher stops when its command has stopped, so that the shell they were started from goes on.
extension Supervisor {
    /// Somebody wants the job stopped: the command gets the signal, and the launcher follows when it has stopped.
    func requestStop(_ delivered: DeliveredSignal) throws(KernelError) {
        stop = .requested
        // What a terminal sends, the command of the same session has got from it as well.
        if delivered.fromKernel && plan.session == nil { return try followStoppedCommand() }
        // The leader of a session has no parent in it: the kernel drops every stop signal for it but SIGSTOP.
        let leadsSession = plan.session != nil && !plan.supervision.hasInit
        try forward(leadsSession ? Signal.stop : delivered.number, toGroup: delivered.fromKernel)
        try followStoppedCommand()
    }

    /// One that stands still does not tell once more that it has stopped: it has stopped itself, or the SIGCONT that went before was
    /// taken away by the signal that asks for the stop.
    private func followStoppedCommand() throws(KernelError) { if isStopped { try followStop() } }

    /// The command has stopped, by that signal: since it wants the terminal, or for all else.
    func heedStop(by number: Int32) throws(KernelError) {
        let isDemand = number == Signal.terminalInput || number == Signal.terminalOutput
        guard isDemand, let wanting = relay, wanting.awaitsDemand, stop == .none else { return try followStop() }
        relay?.demand(by: number)
        if !wanting.caller.isForeground {
            // A job of the background that reads is stopped, with all of it.
            try stopJob(by: number)
            relay?.resume()
            // Continued: SIGCONT waits, and is passed on from there. Else this group cannot be stopped.
            if try signals.has(Signal.continue) { return }
            relay?.endInput()
        }
        try continueCommand()
    }

    /// Has the command go on, in the foreground of its terminal where it has wanted that.
    func continueCommand() throws(KernelError) {
        if let relay, relay.use != .output, relay.isDemanded, plan.supervision.hasInit { try tellReaper(.foreground) }
        try forward(Signal.continue)
    }

    /// The command has stopped. The launcher follows where somebody asked for it, or sits at the terminal; a command that
    /// stops itself unasked must not be able to stop the clock of its own deadline.
    func followStop() throws(KernelError) {
        let wanted = stop == .requested || (relay?.isAttended ?? false) || (plan.session == nil && isTerminal(0))
        let revoked = stop == .revoked
        // A key that was the jail's has told nobody else.
        let isAlone = stop == .none && relay?.use == .keys
        isStopped = !revoked
        stop = .none
        guard wanted && !revoked else { return }
        if let remaining = deadline.milliseconds {
            // Pid 1 keeps the time meanwhile.
            guard plan.supervision.hasInit else { return }
            try tellReaper(.alarm(milliseconds: remaining))
        }
        relay?.restore()
        if isAlone {
            // The others of the pipeline stop as well.
            try stopJob(by: Signal.terminalStop)
            if try !signals.has(Signal.continue) { try continueCommand() }
        } else {
            try signals.followStop()
        }
        // Continued: SIGCONT itself waits in the signal descriptor, and is passed on from there.
        relay?.resume()
        if deadline.milliseconds != nil { try tellReaper(.alarm(milliseconds: nil)) }
    }

    private func tellReaper(_ message: Message) throws(KernelError) {
        do throws(KernelError) {
            try send(message.bytes, over: channel)
        } catch {
            guard error.errno.meansPeerGone else { throw error }
        }
    }
}
