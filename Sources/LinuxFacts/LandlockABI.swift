/// The versions of Landlock's interface, landlock(7), by their numbers. Later ones are not asked for: the same spec is to
/// give the same jail on the next kernel.
package enum LandlockABI: Int, CaseIterable, Sendable {
    case files = 1
    case refer = 2
    case truncate = 3
    case ports = 4
    case devices = 5
    case scopes = 6
    /// What is refused is logged, which no key asks for.
    case audit = 7

    /// What a version brought.
    package struct Facts: Sendable {
        /// The first kernel that has it.
        package let kernel: String
        /// The rights over files that it added.
        package let files: FileAccess
        /// What it is for, as the doctor says it; nil where no key of a spec asks for it.
        package let purpose: String?
        /// What becomes of a jail without it.
        package let lack: String
    }

    /// Each version once.
    package var facts: Facts {
        switch self {
        case .files:
            Facts(
                kernel: "5.13", files: FileAccess(rawValue: (1 << 13) - 1), purpose: "files",
                lack: "files are not restricted")
        case .refer:
            Facts(
                kernel: "5.19", files: .refer, purpose: "moving files between directories",
                lack: "no file can be moved or linked to another directory")
        case .truncate:
            Facts(
                kernel: "6.2", files: .truncate, purpose: "truncate", lack: "truncate(2) is not restricted")
        case .ports:
            Facts(
                kernel: "6.7", files: [], purpose: "bind_tcp, connect_tcp", lack: "ports of TCP are not restricted")
        case .devices:
            Facts(
                kernel: "6.10", files: .controlDevice, purpose: "ioctl on devices",
                lack: "ioctl(2) on devices is not restricted")
        case .scopes: Facts(kernel: "6.12", files: [], purpose: "scope", lack: "no scope is restricted")
        case .audit: Facts(kernel: "6.15", files: [], purpose: nil, lack: "what is refused is not logged")
        }
    }

    /// Whether a kernel with this version of the interface has it; 0 is one without Landlock.
    package func isIn(_ version: Int) -> Bool { rawValue <= version }
}

extension FileAccess {
    /// Every right that this version of Landlock's interface has.
    package static func known(toABI version: Int) -> FileAccess {
        var rights: UInt64 = 0
        for abi in LandlockABI.allCases where abi.isIn(version) { rights |= abi.facts.files.rawValue }
        return FileAccess(rawValue: rights)
    }

    /// Every right that is asked for.
    package static var all: FileAccess { known(toABI: .max) }
}
