extension Manual {
    static let limits = SectionDescription(
        name: "[limits]",
        introduction:
            "Limits of cgroups(7), version 2, for the jail as a whole. Its first process is born in a cgroup of the "
            + "jail's own, whose limits were written and read back before; the group is removed when the jail has ended. "
            + "It is made below the cgroup that is delegated to immure (a systemd unit with `Delegate=yes`), below "
            + "immure's own where no systemd manages the host, and else in a scope unit that immure asks the service "
            + "manager for: the user's, or as root the system's. Processes that are in a group which must hand on "
            + "controllers are moved into the group immure.supervisor in it. Where a controller does not reach that far, "
            + "the launch is refused.",
        keys: [
            KeyDescription(
                "memory", "size",
                "memory.max: the most memory of all processes, with the page cache and the tmpfs that they fill. What "
                    + "cannot be kept within is killed, the whole jail at once (memory.oom.group), and a line says so."),
            KeyDescription(
                "memory_high", "size", "memory.high: above it, the jail is slowed down and its pages taken."),
            KeyDescription("swap", "size", "memory.swap.max: what may be swapped out; memory does not count it."),
            KeyDescription(
                "cpu", "percentage of one CPU, such as \"150%\"", "cpu.max: the most time in every 100 milliseconds."),
            KeyDescription("cpu_weight", "1 to 10000", "cpu.weight: the share beside other groups; 100 is the usual."),
            KeyDescription("cpus", "list of CPUs", "cpuset.cpus: the CPUs that the jail may use."),
            KeyDescription(
                "pids", "number",
                "pids.max: the most processes and threads. The reaper is one of them, unless `process.init` is false."),
            KeyDescription(
                "[[limits.io]]: device", "path", "A block device, or a path on one; a partition stands for its disk."),
            KeyDescription(
                "[[limits.io]]: rbps, wbps, riops, wiops", "size; number",
                "io.max: bytes and operations a second, read and written. Writes that go through the page cache are "
                    + "held back when they reach the disk, which needs the memory controller (`memory`)."),
            KeyDescription(
                "[[limits.io]]: weight", "1 to 10000",
                "io.weight, or io.bfq.weight: refused where neither io.cost.qos nor the scheduler bfq heeds it."),
        ])
}
