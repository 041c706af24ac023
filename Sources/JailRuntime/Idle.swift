import Kernel

/// Waiting for long: once nothing has happened for a while, the code that made the jail is given back. A launch that is
/// over by then would only have to fetch it again.
struct Idle {
    private static let milliseconds: Int32 = 50
    private var hasReleased = false

    /// As `poll` of the kernel.
    mutating func poll(
        _ interests: [(descriptor: Int32, for: Readiness)], milliseconds: Int32?
    ) throws(KernelError) -> [Readiness] {
        guard !hasReleased, milliseconds ?? .max > Self.milliseconds else {
            return try Kernel.poll(interests, milliseconds: milliseconds)
        }
        let ready = try Kernel.poll(interests, milliseconds: Self.milliseconds)
        guard ready.allSatisfy(\.isEmpty) else { return ready }
        releaseCode()
        hasReleased = true
        return try Kernel.poll(interests, milliseconds: milliseconds.map { $0 - Self.milliseconds })
    }
}
