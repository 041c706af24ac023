import Kernel

/// Waiting for long: once nothing has happened for a while, the code that made the jail is given back. A launch that is
/// over by then would only have to fetch it again.
struct Idle {
    private static let milliseconds: Int32 = 50
    private var hasReleased = false
    /// How to wait: `poll` or `select` of the kernel.
    private let wait: (inout [Watch], Int32?) throws(KernelError) -> Void

    init(waiting wait: @escaping (inout [Watch], Int32?) throws(KernelError) -> Void) { self.wait = wait }

    /// As `poll` of the kernel.
    mutating func poll(_ watches: inout [Watch], milliseconds: Int32?) throws(KernelError) {
        guard !hasReleased, milliseconds ?? .max > Self.milliseconds else {
            return try wait(&watches, milliseconds)
        }
        try wait(&watches, Self.milliseconds)
        for watch in watches where watch.isReady { return }
        releaseCode()
        hasReleased = true
        try wait(&watches, milliseconds.map { $0 - Self.milliseconds })
    }
}
