/// What the service manager that started the launcher offers it, by the variables of sd_notify(3), sd_listen_fds(3),
/// sd_watchdog_enabled(3) and systemd.exec(5).
package struct ServiceOffer: Equatable, Sendable {
    /// NOTIFY_SOCKET: an absolute path, or an abstract name after `@`.
    package var notifySocket: String?
    /// WATCHDOG_USEC, where it is meant for the launcher.
    package var watchdog: String?
    /// LISTEN_FDS, where they are meant for the launcher: descriptors from 3.
    package var socketCount: Int32 = 0
    /// LISTEN_FDNAMES.
    package var socketNames: String?
    /// CREDENTIALS_DIRECTORY.
    package var credentials: String?

    package init() {}
}
