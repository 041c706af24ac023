import CLinux

/// The numbers of signal(7) that a launcher handles by name.
package enum Signal {
    package static let hangup = SIGHUP
    package static let interrupt = SIGINT
    package static let quit = SIGQUIT
    package static let kill = SIGKILL
    package static let terminate = SIGTERM
    package static let child = SIGCHLD
    package static let `continue` = SIGCONT
    package static let stop = SIGSTOP
    /// What a refused system call ends a process with.
    package static let badCall = SIGSYS
    /// A file grew past a limit; the time of the processor is over one.
    package static let fileTooLarge = SIGXFSZ
    package static let processorTime = SIGXCPU
    package static let terminalStop = SIGTSTP
    package static let terminalInput = SIGTTIN
    package static let terminalOutput = SIGTTOU
    package static let windowChanged = SIGWINCH
    /// The highest number, SIGRTMAX.
    package static let last: Int32 = 64

    /// `SIGTERM` and its kin. The corresponding C function is `sigabbrev_np`.
    package static func name(_ number: Int32) -> String {
        guard let text = unsafe sigabbrev_np(number) else { return "SIG\(number)" }
        return unsafe "SIG" + String(cString: text)
    }
}

/// Signals one thread of a process. The corresponding C function is `tgkill`.
package func signal(thread: Int32, of process: Int32, _ number: Int32) throws(KernelError) {
    try attempt(.kill) { tgkill(process, thread, number) }
}

/// A signal as signalfd(2) delivers it.
package struct DeliveredSignal: Sendable {
    package let number: Int32
    /// Sent by the kernel itself, as a terminal's Ctrl-C is; not by kill(2).
    package let fromKernel: Bool
}

/// Blocks every signal and returns a descriptor to read them from. Blocked signals are never ignored, whatever the
/// disposition (kernel/signal.c, sig_ignored), which also lets pid 1 of a namespace receive them.
package func catchAllSignals() throws(KernelError) -> Descriptor {
    var all = sigset_t()
    unsafe sigfillset(&all)
    // An ignored SIGCHLD inherited from the caller would make the kernel reap behind our back.
    try attempt(.sigaction) { linux_default_action(SIGCHLD) }
    try attempt(.sigprocmask) { unsafe sigprocmask(SIG_SETMASK, &all, nil) }
    return Descriptor(owning: try attempt(.signalfd) { unsafe signalfd(-1, &all, Int32(SFD_CLOEXEC | SFD_NONBLOCK)) })
}

/// A descriptor to read the caller's blocked signals from, but those that `StopSignals` reads.
package func otherThanStopSignals() throws(KernelError) -> Descriptor {
    var others = sigset_t()
    unsafe sigfillset(&others)
    for number in StopSignals.numbers { unsafe sigdelset(&others, number) }
    return Descriptor(
        owning: try attempt(.signalfd) { unsafe signalfd(-1, &others, Int32(SFD_CLOEXEC | SFD_NONBLOCK)) })
}

/// Whether the signals of `catchAllSignals` are blocked: that of a child's end above all, which is lost otherwise. Not asked
/// of those that the kernel forces on a process by unblocking them: a debugger's single step is one.
package func areSignalsCaught() throws(KernelError) -> Bool {
    var blocked = sigset_t()
    try attempt(.sigprocmask) { unsafe sigprocmask(SIG_BLOCK, nil, &blocked) }
    return (1...SIGSYS).allSatisfy { number in
        switch number {
        case SIGKILL, SIGSTOP, SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: true
        default: unsafe sigismember(&blocked, number) == 1
        }
    }
}

/// Blocks those signals until `body` has returned. The corresponding C function is `sigprocmask`.
package func withSignalsBlocked<Result>(
    _ numbers: [Int32], _ body: () throws(KernelError) -> Result
) throws(KernelError) -> Result {
    var some = sigset_t()
    var before = sigset_t()
    unsafe sigemptyset(&some)
    for number in numbers { unsafe sigaddset(&some, number) }
    try attempt(.sigprocmask) { unsafe sigprocmask(SIG_BLOCK, &some, &before) }
    do throws(KernelError) {
        let result = try body()
        try attempt(.sigprocmask) { unsafe sigprocmask(SIG_SETMASK, &before, nil) }
        return result
    } catch {
        try attempt(.sigprocmask) { unsafe sigprocmask(SIG_SETMASK, &before, nil) }
        throw error
    }
}

/// The next signal that waits, nil where none does.
package func nextSignal(_ descriptor: Int32) throws(KernelError) -> DeliveredSignal? {
    var info = signalfd_siginfo()
    do throws(KernelError) {
        try persist(.read) { unsafe read(descriptor, &info, MemoryLayout<signalfd_siginfo>.size) }
    } catch {
        guard error.errno == .again else { throw error }
        return nil
    }
    return DeliveredSignal(number: Int32(info.ssi_signo), fromKernel: info.ssi_code > 0)
}

/// Stops the caller and its process group by a stop signal that it has blocked, as a terminal does, and returns when it is
/// continued; at once in an orphaned group, which the kernel does not stop. The corresponding C functions are `kill` and
/// `sigprocmask`.
package func stopJob(by number: Int32) throws(KernelError) {
    var one = sigset_t()
    unsafe sigemptyset(&one)
    unsafe sigaddset(&one, number)
    try attempt(.sigaction) { linux_default_action(number) }
    try attempt(.kill) { CLinux.kill(0, number) }
    try attempt(.sigprocmask) { unsafe sigprocmask(SIG_UNBLOCK, &one, nil) }
    try attempt(.sigprocmask) { unsafe sigprocmask(SIG_BLOCK, &one, nil) }
}

/// Sets every signal to its default action and unblocks it: what a program may expect to be started with.
package func resetSignals() throws(KernelError) {
    for number in 1...Signal.last where number != SIGKILL && number != SIGSTOP {
        try attempt(.sigaction) { linux_default_action(number) }
    }
    var none = sigset_t()
    unsafe sigemptyset(&none)
    try attempt(.sigprocmask) { unsafe sigprocmask(SIG_SETMASK, &none, nil) }
}
