import JailPlan
import Kernel
import SpecFile
import SystemCallFilter

/// The end of the jail, and what became of it.
extension Supervisor {
    /// Collects ended children; true when the jail's first process is among them.
    func collect() throws(KernelError) -> Bool {
        while let (process, end) = try wait(blocking: false, stops: !plan.supervision.hasInit, use: &outcome.use) {
            // Nothing will be ready for it any more.
            for index in helpers.indices where try helpers[index].note(end, of: process) { try miss(helpers[index]) }
            guard process == child else { continue }
            if case .stopped(let number) = end {
                try heedStop(by: number)
                continue
            }
            isOver = true
            while channelIsOpen { try handleMessage() }
            notices?.finish()
            conclude(end)
            return true
        }
        return false
    }

    private func conclude(_ end: Termination) {
        if let listener {
            if let fatal = listener.fatal, case .signaled = ended ?? end {
                // Where it had to be SIGKILL, it was for the filter all the same.
                ended = .signaled(Signal.badCall)
                outcome.refused = fatal
            }
            outcome.logged = listener.logged
            outcome.denials = listener.denied
            self.listener?.conclude(ran: failure == nil)
        }
        if outcome.refused == nil, failure == nil { suspectFilter(ended ?? end) }
        if let failure {
            outcome.ending = .failed(failure)
        } else if deadline.timedOut, stage.state == .abandoned {
            sayTimeout("the command had not begun: \(plan.title(of: stage.step))")
            outcome.ending = .timedOut(end)
        } else if stage.abandon() || stage.state == .abandoned {
            // Whatever ended it, nothing of the command has run.
            outcome.ending = .failed(lost ?? .gone(end))
        } else if let lost = lost ?? silentLoss(end) {
            outcome.ending = lost.cause == .jailGone && end == .exited(125) ? .failed(lost) : .lost(lost)
        } else if deadline.timedOut {
            sayTimeout(deadline.graceIsOver ? "the command was killed\(ignoredWords)" : "the command was ended")
            outcome.ending = .timedOut(ended ?? end)
        } else {
            if deadline.graceIsOver {
                tell(.error(Diagnostic("grace: the jail was killed\(ignoredWords)", at: plan.supervision.graceOrigin)))
            }
            outcome.ending = .ended(plan.supervision.boots ? end.asOfMachine : ended ?? end)
            guard !plan.supervision.boots, case .signaled(let number) = ended ?? end else { return }
            // Keys that were carried were seen by nobody but the jail: without it all of the foreground would have been sent it.
            outcome.tellsGroup = relay?.typed == number
            if typed == number || outcome.tellsGroup { outcome.typed = number }
        }
    }

    private var ignoredWords: String {
        let milliseconds = Deadline.nanoseconds(plan.supervision.grace) / 1_000_000
        return ", as it had not ended \(milliseconds) ms after \(Signal.name(plan.supervision.stopSignal))"
    }

    private func sayTimeout(_ what: String) {
        tell(.error(Diagnostic("timeout: \(what)", at: plan.supervision.timeoutOrigin)))
    }

    /// Takes the jail's cgroup down: nobody in it, what it counted read, the group removed.
    func close(_ leaf: Leaf) throws(KernelError) {
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

    /// Kills a jail, and waits for its first process: a second at most. One that the kernel holds for longer ends when it lets
    /// go, and runs nothing any more.
    static func kill(_ child: Int32) {
        var use = ResourceUse()
        var none: [Watch] = []
        do throws(KernelError) {
            try Kernel.kill(child, Signal.kill)
            var milliseconds: Int32 = 1
            while try wait(for: child, blocking: false, use: &use) == nil, milliseconds < 512 {
                try poll(&none, milliseconds: milliseconds)
                milliseconds *= 2
            }
        } catch {
            return  // it has ended and been waited for: that is what was wanted
        }
    }
}

extension Supervisor {
    /// An end of the jail's first process that says nothing of the command's, which the reaper would have told. 125 is what
    /// it leaves with before the command runs, and never after. SIGKILL, which nobody inside can send it, is somebody's wish.
    private func silentLoss(_ end: Termination) -> Failure? {
        guard plan.supervision.hasInit, ended == nil, end != .signaled(Signal.kill) else { return nil }
        return .gone(end)
    }

    /// Ends a jail that the launcher itself cannot watch any more, `reason` being why. The command may have run by now: only
    /// what the jail has told of a launch that failed says that it did not.
    func lose(_ reason: Failure) -> Outcome {
        let nothingRan = stage.abandon() || stage.state == .abandoned
        killHelpers()
        if !isOver { Self.kill(child) }
        HelperProcess.end(helpers)
        outcome.ending = failure.map { .failed($0) } ?? (nothingRan ? .failed(reason) : .lost(reason))
        outcome.wallNanoseconds = monotonicNanoseconds() - started
        guard !plan.supervision.ownsProcesses else { return outcome }
        do throws(KernelError) {
            try leftovers.kill()
        } catch {
            return outcome  // that is how far it goes without the kernel's help; a cgroup is still cleared
        }
        return outcome
    }

    /// SIGSYS that nobody was asked about: the kernel killed for the filter, or the command itself did. A shell ends with
    /// 128 and the number where a program that it has started died so, which a listener has told of by itself.
    private func suspectFilter(_ end: Termination) {
        guard let filter = plan.filter else { return }
        let whose: String
        switch end {
        case .signaled(Signal.badCall): whose = "the command"
        case .exited(128 + Signal.badCall) where listener == nil: whose = "a program that it started (status 159)"
        default: return
        }
        let place = plan.filterOrigin
        guard !filter.killsOrLogs else {
            return tell(
                .error(
                    Diagnostic("SIGSYS: a call that seccomp kills or a signal of its own ended \(whose)", at: place)))
        }
        // Nothing else is killed, and nobody listens for it: that the command runs at all tells of no other reason.
        tell(
            .error(
                Diagnostic(
                    "killed by seccomp: \(whose), for a system call of a foreign ABI (i386 by int 0x80 or a 32-bit program, "
                        + "or x32), unless it sent itself SIGSYS", at: place,
                    hint:
                        "seccomp.architectures = [\"x86\"] opens those of i386; other ABIs are closed by every filter, and with "
                        + "any call in seccomp.kill the launcher names the one it was")))
    }
}

extension Termination {
    /// What the end of an init says: reboot(2) of a pid namespace ends its first process by SIGINT for a halt or a poweroff, which is
    /// what was wanted, and by SIGHUP for a restart; neither comes from anybody else, pid_namespaces(7).
    fileprivate var asOfMachine: Termination {
        if case .signaled(Signal.interrupt) = self { .exited(0) } else { self }
    }
}

extension Failure {
    /// The jail's first process ended so, and said nothing.
    fileprivate static func gone(_ end: Termination) -> Failure {
        guard case .signaled(let signal) = end else { return Failure(.jailGone) }
        return Failure(.jailGone, text: Signal.name(signal))
    }
}
