package import SpecFile

/// `[service]`: what the command may have of what a service manager such as systemd offers the launcher.
package struct Service: Equatable, Sendable {
    /// Whose messages reach the manager, in the words of `NotifyAccess=` of systemd.service(5).
    package enum Notify: String, CaseIterable, Equatable, Sendable {
        case none
        /// Only the command's own.
        case main
        /// Those of every process of the jail.
        case all
        /// None: the launcher itself says that the service is ready, once the command is executed.
        case exec
    }

    package var notify = Located(Notify.none)
    /// Whether the descriptors of socket activation are passed on, sd_listen_fds(3).
    package var sockets = Located(false)
    /// Whether the command gets the credentials of systemd.exec(5).
    package var credentials = Located(false)
    /// Whether the command reaches the journal and syslog(3).
    package var journal = Located(false)
    /// Whether the launcher ends by the signal that ended the command.
    package var dieBySignal = Located(false)
    /// What the manager does not offer is gone without, and reported.
    package var optional = Located(false)

    package init() {}

    /// Whether anything is to be asked of the manager.
    package var isUsed: Bool {
        if case .none = notify.value { return sockets.value || credentials.value }
        return true
    }
}
