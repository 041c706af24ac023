import Kernel

/// Holds pasta(1) back in the call that makes its interface: its start, which takes longer than all else, is beside nft(8) and the jail's
/// first process, and no packet finds a way out before the rules hold. It opens the jail's network by itself, so nothing but a filter
/// parts its start from its interface.
struct TunnelGate {
    /// The channel to the process that becomes the program, then the listener of its filter; −1 once it is open.
    private(set) var descriptor: Int32
    private var isListener = false

    /// A word without a listener, and the word that answers it.
    private static let waits: [UInt8] = [0]
    private static let asks: [UInt8] = [1]

    init(_ channel: Int32) { descriptor = channel }

    /// In the process that becomes the program. Where no filter can ask, as somebody's asks already, that process itself waits.
    static func shut(telling channel: Int32) throws(KernelError) {
        let listener: Int32
        do throws(KernelError) {
            listener = try gateTunnel()
        } catch {
            try send(waits, over: channel)
            guard try receive(from: channel, limit: 1) != nil else { exitNow(125) }
            return
        }
        try send(asks, over: channel, passing: listener)
    }

    /// Lets the program go on: when something can be read, until `descriptor` is −1. One that has ended is told of by its helper.
    mutating func open() throws(KernelError) {
        if isListener {
            // A question that has been taken back, by a signal or an end, comes again or not at all.
            var now = [Watch(descriptor)]
            try poll(&now, milliseconds: 0)
            if now[0].isReadable {
                guard let question = try nextQuestion(descriptor), try answer(question, on: descriptor) else { return }
            } else if !now[0].isReady {
                return
            }
        } else if let message = try receive(from: descriptor, limit: 1) {
            if let listener = message.descriptor {
                closeDescriptor(descriptor)
                (descriptor, isListener) = (listener, true)
                return
            }
            do throws(KernelError) {
                try send(Self.waits, over: descriptor)
            } catch {
                guard error.errno.meansPeerGone else { throw error }
            }
        }
        // Who asks once more is refused: ENOSYS.
        closeDescriptor(descriptor)
        descriptor = -1
    }
}
