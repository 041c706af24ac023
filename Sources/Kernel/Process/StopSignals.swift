import CLinux

/// The stop signals that a caller with every signal blocked is sent, and the stop that follows one of them later, without the loss
/// of a SIGCONT that comes between.
///
/// SIGCONT takes away the stop signals that wait, and a stop signal a SIGCONT that waits (kernel/signal.c, prepare_signal). Who reads
/// a SIGTSTP, and stops by SIGSTOP when all is ready for that, loses the SIGCONT that came meanwhile, and stands still for good. So
/// another stop signal waits as a witness from before the request is read until the stop: it is gone as soon as SIGCONT comes.
package struct StopSignals: ~Copyable {
    static let numbers = [SIGTSTP, SIGTTIN, SIGTTOU]

    /// Readable when one has come that was not read yet. Never read from.
    private let news: Descriptor
    /// The last that was read, and what waits since then.
    private var request: (number: Int32, witness: Int32)?
    /// Whether SIGCONT has come that nobody can read any more.
    package private(set) var isContinued = false

    /// The corresponding C function is `signalfd`.
    package init() throws(KernelError) {
        var all = Self.set(of: Self.numbers)
        news = Descriptor(
            owning: try attempt(.signalfd) { unsafe signalfd(-1, &all, Int32(SFD_CLOEXEC | SFD_NONBLOCK)) })
    }

    package var watch: Watch { Watch(news.number) }

    /// The next that was not read yet; SIGCONT where that has come after it; nil for none. The corresponding C functions are
    /// `sigpending`, `kill` and `sigtimedwait`.
    package mutating func next() throws(KernelError) -> DeliveredSignal? {
        guard !isContinued else {
            isContinued = false
            return DeliveredSignal(number: SIGCONT, fromKernel: false)
        }
        guard let number = try Self.waiting(Self.numbers.filter { $0 != request?.witness }) else { return nil }
        let witness = request?.witness ?? (number == SIGTTOU ? SIGTTIN : SIGTTOU)
        // First of all: a SIGCONT that this takes away has taken the request away before.
        try Self.send(witness)
        guard let read = try Self.take(number) else {
            _ = try Self.take(witness)
            try release()
            return DeliveredSignal(number: SIGCONT, fromKernel: false)
        }
        request = (number, witness)
        try listen(butTo: witness)
        return read
    }

    /// SIGCONT has come: no request is left to be followed.
    package mutating func release() throws(KernelError) {
        guard request != nil else { return }
        request = nil
        try listen(butTo: nil)
    }

    /// Stops the caller by the signal that was read last and returns when it has been continued; at once where SIGCONT has come
    /// since. False where nothing was asked for, and in an orphaned process group, which the kernel does not stop by such a signal.
    /// The corresponding C functions are `kill` and `sigprocmask`.
    package mutating func follow() throws(KernelError) -> Bool {
        guard let (number, witness) = request else { return false }
        try release()
        try Self.send(number)
        guard try Self.take(witness) != nil else {
            // It may have been taken away by what was just sent.
            _ = try Self.take(number)
            isContinued = true
            return true
        }
        var one = Self.set(of: [number])
        try attempt(.sigaction) { linux_default_action(number) }
        try attempt(.sigprocmask) { unsafe sigprocmask(SIG_UNBLOCK, &one, nil) }
        try attempt(.sigprocmask) { unsafe sigprocmask(SIG_BLOCK, &one, nil) }
        // What has continued it waits, or the next stop, which has taken that away.
        return try Self.waiting([SIGCONT] + Self.numbers) != nil
    }

    /// The first of those that waits.
    private static func waiting(_ numbers: [Int32]) throws(KernelError) -> Int32? {
        var found = sigset_t()
        try attempt(.sigprocmask) { unsafe sigpending(&found) }
        return numbers.first { unsafe sigismember(&found, $0) == 1 }
    }

    /// What waits as a witness is no news.
    private func listen(butTo witness: Int32?) throws(KernelError) {
        var others = Self.set(of: Self.numbers.filter { $0 != witness })
        try attempt(.signalfd) { unsafe signalfd(news.number, &others, Int32(SFD_CLOEXEC | SFD_NONBLOCK)) }
    }

    /// Has one wait.
    private static func send(_ number: Int32) throws(KernelError) {
        try attempt(.kill) { CLinux.kill(getpid(), number) }
    }

    /// Takes one that waits out of the queue; nil where none does.
    private static func take(_ number: Int32) throws(KernelError) -> DeliveredSignal? {
        var one = set(of: [number])
        var info = unsafe siginfo_t()
        var now = timespec()
        do throws(KernelError) {
            try persist(.read) { unsafe sigtimedwait(&one, &info, &now) }
        } catch {
            guard error.errno == .again else { throw error }
            return nil
        }
        return unsafe DeliveredSignal(number: number, fromKernel: info.si_code > 0)
    }

    private static func set(of numbers: [Int32]) -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in numbers { unsafe sigaddset(&set, number) }
        return set
    }
}
