import Kernel

/// The signals that the launcher was sent and has not acted upon. Whoever waits for something before the jail is watched looks
/// here for one that is to end the launch; all of them are still here for the supervisor.
final class SignalQueue {
    /// Readable when there may be more of them: what `catchAllSignals` has given.
    let descriptor: Int32
    private var waiting: [DeliveredSignal] = []

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Whether some have been seen already, so that nobody must wait for the descriptor.
    var isEmpty: Bool { waiting.isEmpty }

    /// The oldest of them; nil where there is none.
    func next() throws(KernelError) -> DeliveredSignal? {
        waiting.isEmpty ? try nextSignal(descriptor) : waiting.removeFirst()
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
