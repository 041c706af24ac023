import JailSpec

/// What becomes of a call, as the value that a filter returns: seccomp(2).
package struct Verdict: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let allow = Verdict(rawValue: 0x7fff_0000)
    package static let log = Verdict(rawValue: 0x7ffc_0000)
    /// SECCOMP_RET_USER_NOTIF: whoever holds the listener decides.
    package static let ask = Verdict(rawValue: 0x7fc0_0000)
    package static let trap = Verdict(rawValue: 0x0003_0000)
    /// SECCOMP_RET_KILL_PROCESS.
    package static let kill = Verdict(rawValue: 0x8000_0000)
    package static func errno(_ number: Int32) -> Verdict { Verdict(rawValue: 0x0005_0000 | UInt32(number) & 0xffff) }

    static let refuse = errno(1)
    static let absent = errno(38)
    static let noSuchFamily = errno(97)
    static let notSupported = errno(95)

    init(_ action: SeccompPolicy.Action) {
        switch action {
        case .allow: self = .allow
        case .kill: self = .kill
        case .log: self = .log
        case .trap: self = .trap
        case .errno(let number): self = .errno(number)
        }
    }

    /// Whether the call is made.
    var permits: Bool { rawValue == Self.allow.rawValue || rawValue == Self.log.rawValue }

    /// The kernel's own order among filters: the lower is the stricter, kill the strictest.
    func isStricter(than other: Verdict) -> Bool { Int32(bitPattern: rawValue) < Int32(bitPattern: other.rawValue) }

    /// `allow`, `kill`, `log`, `trap`, `ask`, or the name of the errno.
    package var name: String {
        switch self {
        case .allow: "allow"
        case .log: "log"
        case .trap: "trap"
        case .kill: "kill"
        case .ask: "ask"
        default: ErrorNumber.name(of: Int32(rawValue & 0xffff)) ?? "errno \(rawValue & 0xffff)"
        }
    }
}
