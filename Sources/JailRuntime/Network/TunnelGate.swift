import Kernel

/// Holds pasta(1) back in the call that makes its interface: it starts, which takes longer than all else, beside nft(8), and no packet finds
/// a way out before the rules hold. Its start cannot be parted otherwise: it makes the interface in a namespace that it opens by itself.
enum TunnelGate {
    private static let kept: UInt8 = 0
    private static let asked: UInt8 = 1
    /// How often a question may be taken back by a signal that its process handles.
    private static let mostTakenBack = 1000

    /// In the process that becomes the program. Where no filter can ask, as somebody's asks already, the program itself waits.
    static func shut(telling channel: Int32) throws(KernelError) {
        do throws(KernelError) {
            let listener = try gateTunnel()
            try send([asked], over: channel, passing: listener)
        } catch {
            try send([kept], over: channel)
            guard try receive(from: channel, limit: 1) != nil else { exitNow(125) }
        }
    }

    /// In the jail, where the supervisor bounds every wait. ENOTCONN where the program has ended, which is told by who has started it.
    static func open(over channel: Int32) throws(KernelError) {
        guard let message = try receive(from: channel, limit: 1) else { throw KernelError(.recvmsg, .notConnected) }
        guard let listener = message.descriptor else { return try send([kept], over: channel) }
        // Nobody answers a second time: ENOSYS.
        defer { closeDescriptor(listener) }
        for _ in 0..<mostTakenBack {
            if let question = try nextQuestion(listener), try answer(question, on: listener) { return }
        }
        throw KernelError(.ioctl, .notConnected, path: "TUNSETIFF")
    }
}
