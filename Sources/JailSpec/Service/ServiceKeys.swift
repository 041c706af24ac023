extension SectionRows {
    static let service = SectionRows(
        "service",
        """
        What the command may have of what a service manager such as systemd offers. Without it nothing of that reaches the jail.
        See SERVICES in immure(1).
        """,
        keys: [
            KeyRow(
                "notify", as: .words(of: Service.Notify.self), default: "\"none\"",
                """
                Messages of sd_notify(3) reach the manager: the command's own (`main`), or those of every process of the jail
                (`all`). $NOTIFY_SOCKET is set, and $WATCHDOG_USEC and $WATCHDOG_PID where the manager wants signs of life.
                `exec`: the command sends none, and the launcher says READY=1 once it is executed, so that what depends on the
                service waits for a jail that could be made, and does not start where it could not.
                """),
            KeyRow(
                "sockets", as: .boolean, default: "false",
                """
                The descriptors of socket activation, from 3 upwards, with $LISTEN_FDS, $LISTEN_PID and $LISTEN_FDNAMES,
                sd_listen_fds(3).
                """),
            KeyRow(
                "credentials", as: .boolean, default: "false",
                """
                $CREDENTIALS_DIRECTORY: copies of the credentials, at the same path, read-only, for the command's user only.
                """),
            KeyRow(
                "journal", as: .boolean, default: "false",
                """
                syslog(3), sd_journal_send(3) and sd_journal_stream_fd(3) reach the host's journal: its sockets in
                /run/systemd/journal, and /dev/log.
                """),
            KeyRow(
                "die_by_signal", as: .boolean, default: "false",
                """
                Where a signal ends the command, the launcher ends by the same one in place of status 128 + n, so that the
                manager sees it: Restart=on-abort, a clean end by SIGTERM. 124 stays what `timeout` ends with.
                """),
            KeyRow(
                "optional", as: .boolean, default: "false",
                "What the manager does not offer is left out, and reported; otherwise it stops the launch."),
        ])
}
