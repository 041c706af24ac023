/// The device nodes that every program may expect, by the numbers of Documentation/admin-guide/devices.txt.
package enum DeviceNode: String, CaseIterable, Sendable {
    case null, zero, full, random, urandom, tty

    /// All of them, in no list: the type of a list is made at run time, by each launch.
    package static var each: InlineArray<6, Self> { [.null, .zero, .full, .random, .urandom, .tty] }

    package var name: String { rawValue }
    package var path: String { "/dev/" + rawValue }

    package var numbers: (major: UInt32, minor: UInt32) {
        switch self {
        case .null: (1, 3)
        case .zero: (1, 5)
        case .full: (1, 7)
        case .random: (1, 8)
        case .urandom: (1, 9)
        case .tty: (5, 0)
        }
    }
}

/// The links that stand beside them.
package enum DeviceLink: String, CaseIterable, Sendable {
    case fd, stdin, stdout, stderr, ptmx

    /// As those of the nodes.
    package static var each: InlineArray<5, Self> { [.fd, .stdin, .stdout, .stderr, .ptmx] }

    package var path: String { "/dev/" + rawValue }

    /// Where it leads.
    package var content: String {
        switch self {
        case .fd: "/proc/self/fd"
        case .stdin: "/proc/self/fd/0"
        case .stdout: "/proc/self/fd/1"
        case .stderr: "/proc/self/fd/2"
        case .ptmx: "pts/ptmx"
        }
    }
}
