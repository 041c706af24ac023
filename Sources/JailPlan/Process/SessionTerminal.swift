/// What a session of the jail's own has for a terminal.
package enum SessionTerminal: String, Equatable, Sendable {
    case none
    /// A pty from the jail's own devpts.
    case jail
    /// A pty from the host's devpts, for a jail without one.
    case host
}
