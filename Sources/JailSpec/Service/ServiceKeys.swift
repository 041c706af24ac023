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
                "optional", as: .boolean, default: "false",
                "What the manager does not offer is left out, and reported; otherwise it stops the launch."),
        ])
}
