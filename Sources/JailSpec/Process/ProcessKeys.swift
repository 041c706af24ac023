import LinuxFacts

extension SectionRows {
    static let process = SectionRows(
        "process",
        keys: [
            KeyRow(
                "no_new_privs", as: .boolean, default: "true", "No program gains privilege by being executed."),
            KeyRow(
                "init", as: .boolean, default: "true",
                "A reaper is pid 1 and the command its child; false: the command is pid 1."),
            KeyRow(
                "die_with_parent", as: .boolean, default: "true", "The jail ends when the launcher's caller ends."),
            KeyRow(
                "tty", as: .words(of: ProcessAttributes.Terminal.self), default: "\"auto\"",
                """
                `auto`: a terminal of the jail's own where standard input, output or error is the caller's. In a pipeline
                the caller's terminal is left to the others until the command reads from it or sets a mode there: from then on
                the command gets keys while its own terminal is in a mode for keys, as less(1) or a password sets it, and
                else a line that it waits for, or that nobody else has read for a quarter of a second, one at a time. Never in the
                background, nor while somebody else has turned off echo; a password that another program asks for while the
                command has the keys may be read by either, as without a jail. A command that is pid 1 (`init = false`, `boot`) or has
                entered gets no keys in a pipeline: the kernel stops no such process for wanting them, so that nobody hears of it. `inherit`: the caller's terminal and
                session. `none`: no terminal, and no keys; what is written to the caller's goes through a pipe.
                """),
            KeyRow(
                "fds",
                as: ValueForm("array of numbers", .list(.integer(3...Int64(Int32.max)), distinct: true)),
                "Descriptors to pass on, which must be open; all others above 2 are closed."),
            KeyRow(
                "locks", as: ValueForm("array of paths", .list(ValueForm.jailPath.shape, distinct: true)),
                """
                Files of the jail that are locked for reading as long as it lives, fcntl(2): whoever wants to change them can
                see that they are in use.
                """),
            KeyRow("nice", as: .integer(-20...19), "See nice(2)."),
            KeyRow("oom_score_adj", as: .integer(-1000...1000), "See proc(5)."),
            KeyRow("cpus", as: .cpuList, "The CPUs to run on, each of which must be there."),
            KeyRow(
                "keyring", as: .words(of: ProcessAttributes.Keyring.self), default: "\"new\"",
                "The session keyring, keyrings(7)."),
            KeyRow(
                "stop_signal",
                as: ValueForm(
                    "name of a signal",
                    .either([
                        .word(SignalName.all.map { "SIG" + $0 }),
                        .text("^SIG(RTMIN([+][0-9]{1,2})?|RTMAX(-[0-9]{1,2})?)$"),
                    ])),
                default: "\"SIGTERM\"",
                """
                What asks the command to end: at `timeout`, and where the launcher gets SIGTERM. `grace` begins with it.
                """),
            KeyRow(
                "boot", as: .boolean, default: "false",
                """
                The command is the init of a tree (systemd, busybox, runit) and pid 1 of the jail. What is not written is then what
                an init needs: root inside with both maps "auto"; the capabilities over its own namespaces (without net_admin and
                net_raw where its network leads out), and namespaces of its own for its services; private tmpfs on /run, sysfs, the
                message queues, and a control group of the jail's own that its root owns, writable at /sys/fs/cgroup;
                /dev/console, which is the caller's terminal, or goes to standard output
                where that is none; `container=immure`; the signal that asks that init to end, and 90 s for it. A poweroff from within
                is status 0, a reboot 129.
                """),
            KeyRow(
                "argv0", as: .string,
                """
                What the command finds as its own name, execve(2): busybox(1) and others go by it. Which program is executed,
                `command` says.
                """),
            KeyRow(
                "jobserver", as: .boolean, default: "false",
                """
                The jobserver of the make(1) that started immure is passed on, its descriptors or its FIFO, with a MAKEFLAGS of
                that word and `-j` only, unless `environment` sets or keeps one: a make within takes its share of the jobs. The
                recipe's line must begin with `+`, or make closes the descriptors. Where there is no jobserver, nothing is passed.
                """),
        ])
}
