extension Manual {
    /// How `kill` and `log` of a filter are told.
    static func refusedCalls(_ page: inout Roff) {
        page.section("Refused system calls")
        page.paragraph(
            """
            Where `[seccomp]` of the spec kills or logs any call, the launcher says which call it was, with its arguments,
            the line that decided and the program that made it. That needs neither audit nor privilege:
            """)
        page.example("immure: killed by seccomp: ptrace(PTRACE_TRACEME): spec.toml:14:9, seccomp.kill (gdb, pid 7)")
        page.paragraph(
            """
            The filter then asks the launcher (seccomp_unotify(2)) in place of killing or logging by itself, and the call waits
            for the answer. A call that is to be killed is never made: the process ends by SIGSYS, or by SIGKILL where it
            handles, ignores or blocks that; if it was the command, the status is 159 (128 + SIGSYS) either way. A call that
            is logged is told when it comes first, and its number when the jail ends; with another path or address of a socket, which
            are read from the program's memory, it is told again, up to 256 times in all. It is made as it stands, whatever the
            launcher thinks of it: arguments that are addresses can be changed by the program after anybody has looked at
            them, so that nothing is ever decided by them. What is refused with an errno is told only to the program.
            """)
        page.paragraph(
            """
            A logged call takes some 20 µs longer, and fails with EINTR where a signal with a handler without SA_RESTART comes
            before the launcher has seen it; while the launcher is stopped, logged calls wait. A process has one listener at
            most: in a jail within a jail that has one, in direct mode, and without an init where the filter refuses
            sendmsg(2), the kernel kills and logs by itself, the latter to its own log, and `plan`, the messages or
            `--result` say so. Calls of a foreign ABI that `seccomp.architectures` does not open are killed by the kernel where the spec kills
            and logs nothing else: the end of the command by one is told, and the status 159 that a shell gives for a program
            of its own; of what other programs start, only the kernel's log tells (type=1326).
            """)
    }
}
