import LinuxFacts

extension SectionRows {
    static let landlock = SectionRows(
        "landlock",
        """
        What the command may do to files, ports and processes by landlock(7), for it and all that it starts, for good. It needs
        neither privilege nor namespaces: with every kind under `[namespaces]` set to "host" it is a jail without either. As soon
        as one of the four lists of paths is written, even empty, all that the running kernel can restrict about files is closed
        except for what the lists open. What was open before (standard input, `fds`) stays open, and stat(2), chdir(2), chmod(2)
        and the search of a path are never restricted. Rights later than those of version
        \(LandlockABI.audit.rawValue) of the interface are not asked for.
        """,
        keys: [
            KeyRow(
                "ro", "rx", "rw", "rwx", as: .jailPaths,
                """
                Paths inside the jail, files or directories with all below; a symbolic link stands for what it leads to,
                and a path that is missing is an error. `ro`: to read files and list directories. `rx`: the same, and to
                execute. `rw`: to read, write, make, remove, truncate, link, move, and to control devices by ioctl(2), but
                not by execve(2); what can be read runs all the same by way of a loader or an interpreter that is in `rx`
                (ld.so FILE, sh FILE), and a file of memfd_create(2) is beyond Landlock: `noexec` on the mount keeps its files
                from being mapped to execute (immure(1), WHAT IS SHARED, has more). `rwx`: everything, device nodes
                included. Rights add up downwards and no line takes any
                away, so that a line within a wider one is an error. Between two directories a file moves only where it
                gains no right by it (EXDEV otherwise). The command itself, the interpreter of a script and the loader of a
                dynamic program must be within `rx` or `rwx`; for libraries `ro` is enough. A shell wants `rw` for
                /dev/null, and a program with a terminal for /dev/tty and /dev/pts.
                """),
            KeyRow(
                "bind_tcp", "connect_tcp",
                as: ValueForm("array of ports", .list(.integer(0...65_535), distinct: true)),
                """
                The TCP ports that may be bound or connected to, all others being refused with EACCES; each restricts only
                where it is written. 0 stands for a port that bind(2) chooses. UDP is not covered.
                """),
            KeyRow(
                "scope",
                as: ValueForm(
                    "array of \"signal\", \"abstract_unix_socket\"",
                    .list(.word(LandlockPolicy.Scope.allCases.map(\.rawValue)), distinct: true)),
                """
                `signal`: none can be sent to processes outside the jail, nor to its pid 1. `abstract_unix_socket`:
                abstract sockets that were made outside cannot be connected to. Absent: where the jail shares the host's
                network or joins one, abstract sockets are closed in this way if the kernel can, and a note says so if it
                cannot; likewise where it shares the host's users and processes, since those of the same ids are not to be
                entered.
                """),
            KeyRow(
                "minimum_abi", as: .integer(1...1000, "number"),
                """
                The oldest version of the interface that will do. Absent: the one that the keys written here need, which
                is \(LandlockABI.devices.rawValue) for paths, \(LandlockABI.ports.rawValue) for ports and
                \(LandlockABI.scopes.rawValue) for `scope`; an older kernel stops the launch. Where it is written, what came
                later than this version may be missing, which `plan` and `--result` report.
                """),
        ])
}
