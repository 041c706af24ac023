import JailPlan
import JailSpec
import Kernel
import LinuxFacts

/// The plan's second interpretation: what each operation comes to, read back from the kernel by another call than the one
/// that did it. A call that answers "done" may have done nothing: an emulated kernel, a filter that fakes success, a tracer.
extension Applier {
    /// Each at the first moment from which nothing can change it any more: most of them at once; the tree of mounts when
    /// it is complete (`checkTree`), what `/proc/PID/status` says when the command is about to be executed (`checkProcess`).
    mutating func check(_ operation: Operation, in plan: Plan) throws(Failure) {
        guard isVerified else { return }
        switch operation {
        case .tree(let operation): try check(operation, in: plan)
        case .identity(let operation): try check(operation, in: plan)
        case .process(let operation): try check(operation, in: plan)
        case .limits(let operation): try check(operation, in: plan)
        case .filter(let operation): try check(operation, in: plan)
        case .landlock(let operation): try check(operation, in: plan)
        case .network(let operation): try check(operation, in: plan)
        case .service(let operation): try check(operation, in: plan)
        }
    }

    /// The killing signal that ties a process to the one that made it.
    mutating func checkDeathSignal() throws(Failure) {
        guard isVerified else { return }
        let signal = try failing(parentDeathSignal)
        try hold(signal == Signal.kill, "death signal", "9", "\(signal)")
    }

    /// The launcher and the reaper hear of every end by a signal, and would wait for ever for one that is not caught.
    mutating func checkSignals(_ plan: Plan) throws(Failure) {
        guard isVerified else { return }
        let areCaught = try failing(areSignalsCaught)
        try hold(
            areCaught, at: plan.creation, "signals of the launcher", "blocked", areCaught ? "blocked" : "not blocked")
    }

    /// Pid 1, as it starts the command.
    mutating func checkUnreadable() throws(Failure) {
        guard isVerified else { return }
        let found = try failing(isDumpable)
        try hold(!found, "pid 1 dumpable", "0", found ? "1" : "0")
    }
}

func hexadecimal(_ number: UInt32) -> String { "0x" + String(number, radix: 16) }
