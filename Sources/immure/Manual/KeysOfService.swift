extension Manual {
    static let service = SectionDescription(
        name: "[service]",
        introduction:
            "What the command may have of what a service manager such as systemd offers. Without it nothing of that reaches "
            + "the jail. See SERVICES in immure(1).",
        keys: [
            KeyDescription(
                "notify", "\"none\" | \"main\" | \"all\", default \"none\"",
                "Messages of sd_notify(3) from the command alone, or from every process of the jail, reach the manager. "
                    + "$NOTIFY_SOCKET is set, and $WATCHDOG_USEC and $WATCHDOG_PID where the manager wants signs of life."
            ),
            KeyDescription(
                "sockets", "boolean, default false",
                "The descriptors of socket activation, from 3 upwards, with $LISTEN_FDS, $LISTEN_PID and $LISTEN_FDNAMES, "
                    + "sd_listen_fds(3)."),
            KeyDescription(
                "credentials", "boolean, default false",
                "$CREDENTIALS_DIRECTORY: copies of the credentials, at the same path, read-only, for the command's user "
                    + "alone."),
            KeyDescription(
                "optional", "boolean, default false",
                "What the manager does not offer is gone without, and noted; else it stops the launch."),
        ])
}
