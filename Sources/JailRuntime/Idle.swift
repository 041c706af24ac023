import Kernel

/// Waiting for long: once nothing has happened for a while, the code that made the jail is given back. A launch that is
/// over by then would only have to fetch it again.
struct Idle {
    private static let milliseconds: Int32 = 50
    private var hasReleased = false

    /// As `poll` of the kernel.
    mutating func poll(_ watches: inout [Watch], milliseconds: Int32?) throws(KernelError) {
        guard !hasReleased, milliseconds ?? .max > Self.milliseconds else {
            return try Kernel.poll(&watches, milliseconds: milliseconds)
        }
        try Kernel.poll(&watches, milliseconds: Self.milliseconds)
        for watch in watches where watch.isReady { return }
        releaseCode()
        hasReleased = true
        try Kernel.poll(&watches, milliseconds: milliseconds.map { $0 - Self.milliseconds })
    }
}
