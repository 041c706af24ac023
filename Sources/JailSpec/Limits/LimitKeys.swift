extension SectionRows {
    static let limits = SectionRows(
        "limits",
        """
        Limits of cgroups(7), version 2, for the jail as a whole. Its first process is born in a cgroup of the jail's own, whose
        limits were written and read back before; the group is removed when the jail has ended. It is made below the cgroup that
        is delegated to immure (a systemd unit with `Delegate=yes`), below immure's own where no systemd manages the host, and
        from a session or a terminal's scope in a scope unit that immure asks the service manager for: the user's, or as root the
        system's. A service that is not delegated, or a scope with limits of its own, is not left unless `scope` says so: the
        launch is refused. Processes that
        are in a group which must pass controllers on are moved into the group immure.supervisor in it. Where a controller does
        not reach that far, the launch is refused. The jail sees its own group read-only at /sys/fs/cgroup, where runtimes look for
        their limits.
        """,
        keys: [
            KeyRow(
                "memory", as: .positiveSize,
                """
                memory.max: the most memory of all processes, with the page cache and the tmpfs that they fill. What does not
                fit is killed, the whole jail at once (memory.oom.group), and a line says so.
                """),
            KeyRow(
                "memory_high", as: .positiveSize,
                "memory.high: above it, the jail is slowed down and its pages are reclaimed."),
            KeyRow("swap", as: .size, "memory.swap.max: what may be swapped out; memory does not count it."),
            KeyRow(
                "cpu", as: ValueForm("percentage of one CPU, such as \"150%\"", .text("^[1-9][0-9]{0,7}%$")),
                "cpu.max: the most time in every 100 milliseconds."),
            KeyRow(
                "cpu_weight", as: .integer(1...10_000), "cpu.weight: the share beside other groups, which have 100."),
            KeyRow("cpus", as: .cpuList, "cpuset.cpus: the CPUs that the jail may use."),
            KeyRow(
                "pids", as: .integer(1...4_194_304),
                "pids.max: the most processes and threads. The reaper is one of them, unless `process.init` is false."),
            KeyRow(
                "io_weight", as: .integer(1...10_000),
                """
                io.weight: the share of every disk beside other groups, which have 100. Disks with the scheduler bfq have it as
                io.bfq.weight, 1 to 1000: what is above 100 is made as much smaller as its range is. A line says so where no disk
                of the host heeds either; `[[limits.io]]` has the weight on one disk, which is refused then.
                """),
            KeyRow(
                "scope", as: .words(of: Limits.Scope.self), default: "\"unit\"",
                """
                `own`: in a scope unit that the service manager is asked for, outside of the unit that started immure: what that
                limits, such as MemoryMax= and IPAddressDeny=, does not reach the jail then, nor does stopping it.
                """),
        ])

    static let limitsOfDevices = SectionRows(
        "limits.io", repeated: true,
        keys: [
            KeyRow(
                "device", as: .hostPath, required: true,
                "A block device, or a path on one; a partition stands for its disk."),
            KeyRow(
                "rbps", "wbps", as: .positiveSize,
                """
                io.max: bytes a second, read and written. Writes that go through the page cache are held back when they reach
                the disk, which needs the memory controller (`memory`).
                """),
            KeyRow("riops", "wiops", as: .positiveSize, "io.max: operations a second, read and written."),
            KeyRow(
                "weight", as: .integer(1...10_000),
                "io.weight, or io.bfq.weight: refused where neither io.cost.qos nor the scheduler bfq heeds it."),
        ])
}
