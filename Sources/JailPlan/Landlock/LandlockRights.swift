package import JailSpec
package import LinuxFacts

extension FileAccess {
    /// What a list of the spec allows below its paths.
    package init(_ grant: LandlockPolicy.Grant) {
        let read = Self.readFile | .readDirectory
        // Device nodes are no part of reading and writing.
        let remove = Self.removeDirectory | .removeFile
        let make = Self.makeDirectory | .makeRegular | .makeSocket | .makeFIFO | .makeSymlink
        let change = Self.writeFile | remove | make | .refer | .truncate | .controlDevice
        switch grant {
        case .ro: self = read
        case .rx: self = read | .execute
        case .rw: self = read | change
        case .rwx: self = .all
        }
    }
}

/// What is closed but for rules: the three masks of `struct landlock_ruleset_attr`.
package struct LandlockHandled: Equatable, Sendable {
    package var files: FileAccess = []
    package var bindsTCP = false
    package var connectsTCP = false
    package var scopesAbstractSockets = false
    package var scopesSignals = false
    /// Whether files may be moved and linked from one directory of the tree to another all the same. A process that rules for files
    /// restrict may not, unless every set of rules that it has says so, a set for ports or scopes alone included: landlock(7),
    /// LANDLOCK_ACCESS_FS_REFER.
    package var leavesMoves = false

    package init() {}

    /// Whether nothing at all is closed; the kernel makes no such ruleset (ENOMSG).
    package var isEmpty: Bool { files.isNone && network == 0 && scopes == 0 && !leavesMoves }

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
