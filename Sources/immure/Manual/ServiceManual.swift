extension Manual {
    /// How immure stands to systemd.
    static func services(_ page: inout Roff) {
        page.section("Services")
        page.paragraph(
            """
            `immure unit` prints a unit to start from. The launcher is the main process of the service and stands for the
            command: it passes signals on, so that systemctl stop and kill, and an ExecReload= that sends one to $MAINPID,
            reach the command. The unit should have `KillMode=mixed`, or the command is sent SIGTERM twice more, and
            `SuccessExitStatus=143`, as a command that SIGTERM ended is status 143 of the launcher. With
            `namespaces.pid = "host"` and nothing to supervise there is no launcher: the command is the main process.
            """)
        page.paragraph(
            """
            With `service.notify` the jail has a notify socket of its own, /run/immure/notify. The kernel tells pid 1 of the
            jail which of its processes has sent a message; none from outside is passed on. The launcher writes it anew from
            the assignments that it knows and whose values are valid, with its descriptors: READY, RELOADING and MONOTONIC_USEC (as the host's clock has it), STOPPING, STATUS,
            ERRNO, BUSERROR, EXIT_STATUS, WATCHDOG, WATCHDOG_USEC, EXTEND_TIMEOUT_USEC, FDSTORE, FDSTOREREMOVE, FDNAME,
            FDPOLL and BARRIER. WATCHDOG=trigger and WATCHDOG_USEC need a manager that watches the service. A control
            character refuses the whole message. MAINPID may name the command, and becomes the launcher's process id; another one is refused,
            for the jail ends with its command. What is left out is reported once. `NotifyAccess=main` will do. Where the
            jail shares the host's process ids the manager's own socket is bound into the jail instead, and the manager
            itself looks at who has sent what: `NotifyAccess=all` where there is a launcher.
            """)
        page.paragraph(
            """
            Descriptors 0 to 2 are the unit's own, so that standard error is the journal's stream that $JOURNAL_STREAM names.
            That variable and $INVOCATION_ID are kept where `environment.keep` names them. Paths of a spec may refer to
            ${RUNTIME_DIRECTORY}, ${STATE_DIRECTORY} and the like. User= and DynamicUser= work as they stand: the command
            then has the launcher's own ids.
            """)
        directives(&page)
        page.example(
            """
            immure unit /etc/immure/cache.toml >/etc/systemd/system/cache.service
            systemctl daemon-reload
            systemctl start cache
            """)
    }
}
