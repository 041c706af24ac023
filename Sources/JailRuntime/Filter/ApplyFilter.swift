import JailPlan
import Kernel
import SystemCallFilter

/// The filter of system calls.
extension Applier {
    /// Installs the filter, with a listener for the launcher where it wants one. Where the kernel gives none (EBUSY: a
    /// filter from outside has one already) kill and log are the kernel's own, and nobody says which call it was.
    mutating func install(_ program: FilterProgram, of plan: Plan) throws(Failure) {
        try checkBeforeFilter(plan)
        guard listens else {
            return try failing { () throws(KernelError) in try installFilter(program.instructions) }
        }
        do throws(KernelError) {
            let listener = try installListeningFilter(
                plan.isWatched ? program.observing(DenialObserver.names(plan)) : program.notifying)
            // From here on every call may be refused; memory is not.
            if let slot = self.report?.listener {
                slot.fill(listener)
            } else {
                report(.listener(command: 0), passing: listener)
            }
        } catch {
            guard error.errno == .busy || error.errno == .invalid else { throw Failure(error) }
            if self.report == nil { report(.unheard(error.errno)) }
            try failing { () throws(KernelError) in try installFilter(program.instructions) }
            self.report?.unheard = error.errno
            self.report?.listener?.fill(nil)
        }
    }
}
