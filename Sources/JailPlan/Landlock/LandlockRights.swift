package import JailSpec

/// Rights over files as landlock(7) numbers them, up to version 7 of its interface. Later ones are not asked for: the
/// same spec is to give the same jail on the next kernel.
package struct FileAccess: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    /// The default goes through an existential collection, which the launch has no time for.
    package init(arrayLiteral elements: FileAccess...) { rawValue = elements.reduce(0) { $0 | $1.rawValue } }

    package static let execute = FileAccess(rawValue: 1 << 0)
    package static let writeFile = FileAccess(rawValue: 1 << 1)
    package static let readFile = FileAccess(rawValue: 1 << 2)
    package static let readDirectory = FileAccess(rawValue: 1 << 3)
    package static let refer = FileAccess(rawValue: 1 << 13)
    package static let truncate = FileAccess(rawValue: 1 << 14)
    package static let controlDevice = FileAccess(rawValue: 1 << 15)

    /// The last right that there is, by the version of the interface.
    package static func known(toABI abi: Int) -> FileAccess {
        let count: UInt64 = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : abi == 1 ? 13 : 0
        return FileAccess(rawValue: (1 << count) - 1)
    }

    /// What can be granted on a file that is no directory; add_rule answers EINVAL for the others.
    package static let ofFiles: FileAccess = [.execute, .writeFile, .readFile, .truncate, .controlDevice]

    /// What a list of the spec allows below its paths.
    package init(_ grant: LandlockPolicy.Grant) {
        let read = Self.readFile.rawValue | Self.readDirectory.rawValue
        // remove_dir to make_sym but for device nodes, which are no part of reading and writing.
        let change =
            Self.writeFile.rawValue | 0b1_0111_1011_0000 | Self.refer.rawValue | Self.truncate.rawValue
            | Self.controlDevice.rawValue
        switch grant {
        case .ro: rawValue = read
        case .rx: rawValue = read | Self.execute.rawValue
        case .rw: rawValue = read | change
        case .rwx: rawValue = Self.known(toABI: 7).rawValue
        }
    }

    // Concrete, as those of CapabilitySet are.
    package static func & (a: Self, b: Self) -> Self { Self(rawValue: a.rawValue & b.rawValue) }
    package var isNone: Bool { rawValue == 0 }

    /// The names of landlock(7) in lower case, in the order of the bits.
    package var names: [String] {
        let all = [
            "execute", "write_file", "read_file", "read_dir", "remove_dir", "remove_file", "make_char", "make_dir",
            "make_reg", "make_sock", "make_fifo", "make_block", "make_sym", "refer", "truncate", "ioctl_dev",
        ]
        return all.indices.filter { rawValue >> UInt64($0) & 1 == 1 }.map { all[$0] }
    }
}

/// What is closed but for rules: the three masks of `struct landlock_ruleset_attr`.
package struct LandlockHandled: Equatable, Sendable {
    package var files: FileAccess = []
    package var bindsTCP = false
    package var connectsTCP = false
    package var scopesAbstractSockets = false
    package var scopesSignals = false

    package init() {}

    /// Whether nothing at all is closed; the kernel makes no such ruleset (ENOMSG).
    package var isEmpty: Bool { self == LandlockHandled() }

    package var network: UInt64 { (bindsTCP ? 1 : 0) | (connectsTCP ? 2 : 0) }
    package var scopes: UInt64 { (scopesAbstractSockets ? 1 : 0) | (scopesSignals ? 2 : 0) }

    /// In words for people.
    package var names: [String] {
        files.names + (bindsTCP ? ["bind_tcp"] : []) + (connectsTCP ? ["connect_tcp"] : [])
            + (scopesAbstractSockets ? ["abstract_unix_socket"] : []) + (scopesSignals ? ["signal"] : [])
    }
}

/// What is done over TCP, by its bit in `struct landlock_net_port_attr`.
package enum PortUse: UInt64, Equatable, Sendable {
    case bind = 1
    case connect = 2

    /// The key that grants it.
    package var word: String {
        switch self {
        case .bind: "bind_tcp"
        case .connect: "connect_tcp"
        }
    }
}
