import CLinux

/// What became of work that was done beside its caller.
package enum WorkBeside: Sendable {
    case done
    /// That signal came, and the work was given up.
    case interrupted(Int32)
    /// It took too long, and was given up.
    case late
}

/// Runs `body`, which must not return, in a process that has the caller's memory and descriptors, and waits for its end: what
/// may stand still in the kernel for ever can so be killed. That happens 50 ms after one of the signals `ending`, which the caller
/// blocks, has come, or `milliseconds` are over (nil: never); after it only what the caller needs for its own end may be relied
/// on. `signals` is a signalfd of theirs, or −1: then they are looked for from time to time. The corresponding C functions are
/// `clone` with `CLONE_VM | CLONE_FILES`, `ppoll` and `sigpending`.
package func doBeside(
    heeding ending: [Int32], by signals: Int32 = -1, within milliseconds: Int? = nil, _ body: @escaping () -> Never
) throws(KernelError) -> WorkBeside {
    var context = body
    let mask = ending.reduce(UInt64(0)) { $0 | 1 << UInt64($1 - 1) }
    do throws(KernelError) {
        let signal = try attempt(.clone3) {
            unsafe withUnsafeMutablePointer(to: &context) { pointer in
                unsafe linux_do_beside(
                    { context in
                        guard let context = unsafe context else { return 125 }
                        unsafe context.assumingMemoryBound(to: (() -> Never).self).pointee()
                    }, pointer, signals, mask, milliseconds ?? -1)
            }
        }
        return signal > 0 ? .interrupted(signal) : .done
    } catch {
        guard error.errno == .timedOut else { throw error }
        return .late
    }
}

/// Writes all of `bytes`, whatever `descriptor` is, within `milliseconds`; ETIMEDOUT where it does not take them. The
/// corresponding C function is `write`, in a process of its own that can be killed.
package func writeAll(_ descriptor: Int32, _ bytes: [UInt8], within milliseconds: Int) throws(KernelError) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = try attempt(.write) {
            unsafe rest.withUnsafeBytes {
                unsafe linux_write_within(descriptor, $0.baseAddress, $0.count, milliseconds)
            }
        }
        rest.removeFirst(count)
    }
}

/// Ends this process by a signal of its own, as if it had never been handled, and without a core dump; by status 128 + n where the
/// signal ends no process.
package func die(of number: Int32, withGroup: Bool = false) -> Never {
    do throws(KernelError) {
        try setDumpable(false)
        // Blocked as yet, where it is a launcher that dies.
        if withGroup { try attempt(.kill) { CLinux.kill(0, number) } }
        try resetSignals()
        try attempt(.kill) { CLinux.kill(getpid(), number) }
    } catch {
        exitNow(128 + number)
    }
    exitNow(128 + number)
}
