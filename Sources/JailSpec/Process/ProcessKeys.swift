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
                `auto`: a terminal of the jail's own where standard input is one. `inherit`: the caller's terminal and
                session. `none`: no controlling terminal.
                """),
            KeyRow(
                "fds",
                as: ValueForm("array of numbers", .list(.integer(3...Int64(Int32.max)), distinct: true)),
                "Descriptors to pass on, which must be open; all others above 2 are closed."),
            KeyRow("nice", as: .integer(-20...19), "See nice(2)."),
            KeyRow("oom_score_adj", as: .integer(-1000...1000), "See proc(5)."),
            KeyRow("cpus", as: .cpuList, "The CPUs to run on."),
            KeyRow(
                "keyring", as: .words(of: ProcessAttributes.Keyring.self), default: "\"new\"",
                "The session keyring, keyrings(7)."),
        ])
}
