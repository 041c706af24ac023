package import SpecFile

/// `[process]`: attributes of the command's process.
package struct ProcessAttributes: Equatable, Sendable {
    package enum Terminal: String, CaseIterable, Equatable, Sendable {
        /// A pty of the jail's own when standard input is a terminal.
        case auto
        /// The caller's terminal and session.
        case inherit
        /// A session of its own, without a controlling terminal.
        case none
    }

    package enum Keyring: String, CaseIterable, Equatable, Sendable {
        case new, inherit
    }

    package var noNewPrivileges = Located(true)
    /// Whether a reaper is pid 1 and the command its child.
    package var initProcess = Located(true)
    package var dieWithParent = Located(true)
    package var tty = Located(Terminal.auto)
    /// Descriptors passed on besides 0–2, sorted.
    package var fds = Located<[Int32]>([])
    /// Files of the jail that are locked as long as it lives.
    package var locks = Located<[String]>([])
    package var nice: Located<Int32>?
    package var oomScoreAdjust: Located<Int32>?
    /// The affinity mask as a sorted list of CPU numbers.
    package var cpus: Located<[Int]>?
    package var keyring = Located(Keyring.new)
    /// The signal that asks the command to end, signal(7).
    package var stopSignal = Located(ProcessAttributes.usualStopSignal)
    /// Whether the command is an init: see `Boot.swift` for what that stands for.
    package var boot = Located(false)
    /// What the command is told that it was called by, where that is not the first word of `command`.
    package var argv0: Located<String>?
    /// Whether the jobserver of make(1) that the launcher was started under is passed on.
    package var jobserver = Located(false)

    /// SIGTERM.
    package static let usualStopSignal: Int32 = 15

    package init() {}
}
