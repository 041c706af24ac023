package import SpecFile

/// The sixteen resources of getrlimit(2), by their numbers on x86-64 and aarch64: the one table of their names.
package enum Resource: Int32, CaseIterable, Hashable, Sendable {
    case cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, `as`, locks, sigpending, msgqueue, nice, rtprio,
        rttime

    /// The name as the spec writes it.
    package var name: String { Self.names[Int(rawValue)] }

    private static let names = [
        "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks", "sigpending",
        "msgqueue", "nice", "rtprio", "rttime",
    ]
}

/// One line of `[rlimits]`; nil stands for unlimited.
package struct ResourceLimit: Equatable, Sendable {
    package var resource: Resource
    package var soft: UInt64?
    package var hard: UInt64?
    package var position: Position?

    package init(_ resource: Resource, soft: UInt64?, hard: UInt64?, position: Position?) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
        self.position = position
    }
}
