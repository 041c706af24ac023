import Kernel

extension ChangeWalk {
    /// How much a walk may find that nobody has asked for by name: the jail decides how much there is, and names cost it nothing.
    struct Bounds {
        /// What the paths of all changes may have together, each with what it takes besides.
        var bytes = 16 << 20
        /// When it is given up, in nanoseconds of the monotonic clock.
        var due = monotonicNanoseconds() + 3_000_000_000

        mutating func take(_ path: EntryPath) throws(KernelError) {
            bytes -= 128 + min(path.length, EntryPath.longest) + 24 * min(path.count, 64)
            guard bytes >= 0, monotonicNanoseconds() < due else {
                throw KernelError(.openat, .tooBig, path: "more changes than are listed")
            }
        }
    }
}
