import JailPlan
import Kernel
import SpecFile

/// The caller, whose end is the jail's.
extension Applier {
    /// A pidfd of the parent process, not a signal of its death: that would come when the thread that started the launcher
    /// ends, which need not be the process. One that cannot be watched is told, or where the spec asks for it stops the launch.
    mutating func watchCaller(_ plan: Plan) throws(Failure) {
        guard plan.supervision.diesWithParent else { return }
        let reason: String
        do throws(KernelError) {
            if Caller.parent > 0 {
                let pidfd = try openProcess(Caller.parent)
                // The number may be another process's by now; while it is the parent's it is nobody else's.
                guard isCallerThere else { throw KernelError(.pidfdOpen, .noProcess) }
                watchedCaller = pidfd.release()
                return
            }
            reason = "it is outside of this pid namespace"
        } catch {
            guard isCallerThere else {
                throw Failure(telling: "process.die_with_parent: the caller ended before the launch", hint: nil)
            }
            reason = "\(error.call.name): \(error.errno.name) \(error.errno.words)"
        }
        let what = "process.die_with_parent: the caller cannot be watched: \(reason)"
        if plan.supervision.mustDieWithParent { throw Failure(telling: what, hint: nil) }
        let note = Diagnostic(what + "; the jail may outlive it", at: nil)
        notes.append(note)
        tell(.note(note))
    }

    private var isCallerThere: Bool { parentProcess() == Caller.parent }
}
