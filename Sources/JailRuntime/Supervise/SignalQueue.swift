import Kernel

/// The signals that the launcher was sent and has not acted upon. Whoever waits for something before the jail is watched looks
/// here for one that is to end the launch; all of them are still here for the supervisor.
final class SignalQueue {
    /// Readable when there may be more of them: what `otherThanStopSignals` has given.
    let descriptor: Int32
    private var waiting: [DeliveredSignal] = []
    /// What asks for a stop comes by itself, once somebody heeds it.
    private var stops: StopSignals?

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// From here on `next` tells of the signals that ask for a stop as well.
    func heedStops() throws(KernelError) { stops = try StopSignals() }

    /// Readable when one of those has come.
    var stopWatch: Watch { stops?.watch ?? Watch(-1) }

    /// Whether some have been seen already, so that nobody must wait for the descriptor.
    var isEmpty: Bool { waiting.isEmpty && stops?.isContinued != true }

    /// The oldest of them; nil where there is none.
    func next() throws(KernelError) -> DeliveredSignal? {
        guard let next = waiting.isEmpty ? try nextSignal(descriptor) : waiting.removeFirst() else {
            return try stops?.next()
        }
        if next.number == Signal.continue { try stops?.release() }
        return next
    }

    /// Stops the launcher as it was asked to, and returns when it is continued, or where SIGCONT came first.
    func followStop() throws(KernelError) {
        if try stops?.follow() ?? false { return }
        if try has(Signal.continue) { return }
        try kill(currentProcess(), Signal.stop)
    }

    /// Whether one of that number waits.
    func has(_ number: Int32) throws(KernelError) -> Bool {
        while let delivered = try nextSignal(descriptor) { waiting.append(delivered) }
        return waiting.contains { $0.number == number }
    }

    /// The first that asks the launch to end; none is taken out.
    func ending() throws(KernelError) -> DeliveredSignal? {
        while let delivered = try nextSignal(descriptor) { waiting.append(delivered) }
        return waiting.first { Signal.endsLaunch($0.number) }
    }
}

extension Signal {
    /// Those by which a launch ends as long as nothing of the command runs: people and managers end programs by them.
    static let endingLaunch = [interrupt, quit, hangup, terminate]

    static func endsLaunch(_ number: Int32) -> Bool { endingLaunch.contains(number) }
}
