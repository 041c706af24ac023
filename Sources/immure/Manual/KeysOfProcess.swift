extension Manual {
    static let namespaces = SectionDescription(
        name: "[namespaces]", introduction: "See namespaces(7).",
        keys: [
            KeyDescription(
                "user, mount, pid, net, ipc, uts, cgroup, time", "\"new\" | \"host\" | \"/path\", default \"new\"",
                "A namespace of the jail's own, the caller's, or one that exists, by its file. `time` is new only where an "
                    + "offset asks for it."),
            KeyDescription(
                "nested", "boolean, default false", "Lets the command make namespaces of its own, so that jails nest."),
            KeyDescription(
                "time.monotonic, time.boottime", "duration, may be negative",
                "In `[namespaces.time]`: moves that clock."),
        ])

    static let identity = SectionDescription(
        name: "[identity]", introduction: "Who the command is, inside.",
        keys: [
            KeyDescription(
                "user", "name or number",
                "Absent: the caller's own uid, or nobody (65534) where the caller is uid 0. Names are those of the "
                    + "jail's own /etc/passwd."),
            KeyDescription("group", "name or number", "Absent: the group of `user`, or the caller's, or nogroup."),
            KeyDescription(
                "groups", "array, default none",
                "Supplementary groups. An ordinary user cannot drop those held: refused where this is written, else noted."
            ),
            KeyDescription("umask", "octal string", "Absent: 022, whatever the caller's is."),
            KeyDescription(
                "uid_map, gid_map", "\"auto\" | array of { inside, outside, count }",
                "The id maps of user_namespaces(7). `auto`: the caller's ranges in /etc/subuid and /etc/subgid, from 0 "
                    + "upwards. Absent: the command's own id alone."),
        ])

    static let capabilities = SectionDescription(
        name: "[capabilities]",
        introduction: "Names of capabilities(7) in lower case, without cap_. All sets are empty by default.",
        keys: [
            KeyDescription(
                "keep", "array of names",
                "Bounding, permitted and effective, and ambient where the command is not uid 0."),
            KeyDescription(
                "bounding, permitted, effective, inheritable, ambient", "array of names", "Each set by itself."),
        ])

    static let process = SectionDescription(
        name: "[process]", introduction: "",
        keys: [
            KeyDescription("no_new_privs", "boolean, default true", "No program gains privilege by being executed."),
            KeyDescription(
                "init", "boolean, default true",
                "A reaper is pid 1 and the command its child; false: the command is pid 1."),
            KeyDescription(
                "die_with_parent", "boolean, default true", "The jail ends when the launcher's caller ends."),
            KeyDescription(
                "tty", "\"auto\" | \"inherit\" | \"none\", default \"auto\"",
                "`auto`: a terminal of the jail's own where standard input is one. `inherit`: the caller's terminal and "
                    + "session. `none`: no controlling terminal."),
            KeyDescription(
                "fds", "array of numbers", "Descriptors to pass on; all others above 2 are closed. They must be open."),
            KeyDescription("nice", "-20 to 19", "See nice(2)."),
            KeyDescription("oom_score_adj", "-1000 to 1000", "See proc(5)."),
            KeyDescription("cpus", "list such as \"0-3,6\"", "The CPUs to run on."),
            KeyDescription("keyring", "\"new\" | \"inherit\", default \"new\"", "The session keyring, keyrings(7)."),
        ])

    static let environment = SectionDescription(
        name: "[environment]",
        introduction: "The command's environment has PATH, HOME, USER, LOGNAME, SHELL and TERM, set for the jail, and:",
        keys: [
            KeyDescription("keep", "array of names, or prefixes with *", "Variables of the caller that are kept."),
            KeyDescription("set", "table of strings", "Variables that are set."),
        ])

    static let rlimits = SectionDescription(
        name: "[rlimits]", introduction: "Limits of getrlimit(2). What is not named is inherited.",
        keys: [
            KeyDescription(
                "as, core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack",
                "number, \"unlimited\", \"SOFT:HARD\", or a size for what is counted in bytes",
                "One value is both limits.")
        ])
}
