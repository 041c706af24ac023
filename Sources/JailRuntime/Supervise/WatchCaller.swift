import JailPlan
import Kernel
import SpecFile

/// The caller, whose end is the jail's.
extension Applier {
    /// A pidfd of the parent process, not a signal of its death: that would come when the thread that started the launcher
    /// ends, which need not be the process. One that cannot be watched is told, or where the spec asks for it stops the launch.
    mutating func watchCaller(_ plan: Plan) throws(Failure) {
        guard plan.supervision.diesWithParent else { return }
        let caller = startParent()
        var reason = "it is outside of this pid namespace"
        do throws(KernelError) {
            if caller > 0 { watchedCaller = try openProcess(caller).release() }
        } catch {
            reason = "\(error.call.name): \(error.errno.name) \(error.errno.words)"
        }
        // After the descriptor is there: whoever ended before may have left its number to another process.
        guard parentProcess() == caller else { throw Failure(.callerGone) }
        if watchedCaller >= 0 { return }
        let what = "process.die_with_parent: the caller cannot be watched: \(reason)"
        if plan.supervision.mustDieWithParent { throw Failure(telling: what, hint: nil) }
        let note = Diagnostic(what + "; the jail may outlive it", at: nil)
        notes.append(note)
        tell(.note(note))
    }
}
