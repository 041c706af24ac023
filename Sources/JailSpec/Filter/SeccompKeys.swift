extension SectionRows {
    static let seccomp = SectionRows(
        "seccomp",
        """
        Which system calls the command may make, seccomp(2). The profile "default" is in force without a line. The profile
        decides first; a @group in a list overrides it, a name in a list overrides a group, and a rule whose arguments match
        overrides both. Where two groups disagree, or two rules match, the stricter holds: kill, trap, errno, log, allow. A name
        in two lists, two actions for the same arguments, or a rule that no arguments can match is an error. A group never opens
        clone, clone3, unshare, setns, listns, ioctl, socket and personality beyond what the profile says: name them in `allow`,
        which opens them whatever their arguments. Calls of another ABI (i386 and x32 on x86-64, arm on aarch64) end the process
        under every filter unless `architectures` names it. The filter is the last step before the command is executed, after namespaces, mounts, Landlock and
        capabilities: whatever those refuse stays refused when a call is allowed here. `immure syscalls` and
        `immure plan --json` show what comes of it.
        """,
        keys: [profile, standard, lists, architectures, programs])

    private static let profile = KeyRow(
        "profile", as: .profile, default: "\"default\"",
        """
        `default`: what container engines allow, and no new namespaces, keyrings, bpf, perf_event_open, userfaultfd, io_uring,
        kernel modules, kexec, mounts, or files by handle; neither TIOCSTI nor TIOCLINUX, no sockets of AF_ALG and AF_VSOCK, and
        no personality that weakens the layout of memory. Refused calls fail with EPERM, clone3 and calls younger than immure's
        table (Linux 7.1) with ENOSYS, so that libc falls back. Where ids are mapped one by one, chown(2) and its kin to any other
        owner fail with EPERM in place of the kernel's EINVAL, so that fakeroot(1), install(1) and tar(1) go on. A kept capability opens the calls that it is for: sys_admin
        mounts and administration, sys_module modules, sys_time the clock, sys_boot reboot, sys_chroot chroot, sys_ptrace other
        processes, sys_rawio ports, sys_nice memory policy, sys_pacct acct, sys_tty_config vhangup, syslog the kernel's log, bpf,
        perfmon, dac_read_search open_by_handle_at. ptrace is allowed where the jail has a pid namespace of its own.
        `namespaces.nested = true` opens namespaces, mounts, chroot, and a new session keyring. `strict`: files, memory, threads,
        time, signals and starting programs; no sockets, no devices beyond asking whether a descriptor is a terminal. `none`: no
        filter but what the lists say, and what `idmap` of a mount asks for.

        A path, or a name ending in .json: a `seccomp` block of the OCI runtime specification, or the default profile of docker
        or podman (/usr/share/containers/seccomp.json), with their archMap, includes and excludes: caps are those that the spec
        keeps, minKernel is held against the running kernel. Of the entries that a call matches the strictest decides, whatever
        their order (engines take the first of two that contradict each other), and defaultAction where it matches none. What is
        younger than all calls that the file names answers ENOSYS where defaultAction is an errno. Then come the lists as over
        any other profile; `default` stands in for defaultAction. Arguments are compared as wide as the kernel reads them.
        SCMP_ACT_KILL and SCMP_ACT_KILL_THREAD kill the process. SCMP_ACT_NOTIFY, SCMP_ACT_TRACE, listenerPath and flags other
        than TSYNC are refused, as is every unknown word. Calls of other architectures are passed over, and other ABIs stay
        closed unless `architectures` opens them; `plan` and `syscalls` list both. The file must be JSON without a key given twice, at most 1 MiB, and is trusted
        like the spec: root accepts none that others may write.
        """)

    private static let architectures = KeyRow(
        "architectures",
        as: ValueForm("array of words", .list(.word(SeccompPolicy.ABI.allCases.map(\.rawValue)), distinct: true)),
        default: "[\"native\"]",
        """
        Whose system calls may be made; "native" is always among them. "x86" opens those of i386 to 32-bit programs on x86-64,
        "x32" those of x32: each is decided as the call of the machine's own that it stands for (stat64 as stat, waitpid as
        wait4), so that lists and rules hold for both. Where its arguments are other ones and a rule looks at them, the
        strictest of the call's answers holds, whatever the arguments: so socketcall(2) is refused unless all that it leads to
        is allowed, which under the profile "default" it is not (AF_ALG and AF_VSOCK). A call that i386 alone has can be named in
        the lists: `allow = ["socketcall"]` gives 32-bit programs sockets, of every family.
        """)

    private static let programs = KeyRow(
        "bpf", as: ValueForm("array of numbers", .list(.integer(3...Int64(Int32.max)), distinct: true)),
        """
        Descriptors of the caller to read compiled filters from, arrays of `struct sock_filter` as seccomp_export_bpf(3) writes
        them and bwrap(1) takes them, up to 4096 instructions each. They are installed after the filter of all the other keys,
        in this order, right before the command is executed, and of all filters the strictest answer holds. The kernel checks
        their form. What they refuse is not looked at, neither here nor by `score`, and a filter that refuses execve(2) ends the
        launch. `process.no_new_privs` must be true, and the other keys must allow seccomp(2).
        """)

    private static let standard = KeyRow(
        "default", as: .action, default: "\"EPERM\"",
        """
        For calls that the profile refuses and no list names; with the profile `none`, where it is "allow" unless written, for
        all that no list names. What a profile refuses by arguments keeps its errno. A number beyond the table answers ENOSYS
        where this is an errno.
        """)

    private static let lists = KeyRow(
        "allow", "deny", "log", "kill",
        as: ValueForm("array of calls and @groups", .list(.text("^@?[a-z0-9_-]{1,64}$"))),
        """
        `deny`: the errno of `default`, else EPERM. `log`: allowed, and reported by the launcher, or written to the kernel's log;
        of a call that the profile allows for some arguments, what it allows is logged and the rest stays refused. `kill`: ends
        the process with SIGSYS. `deny` and `kill` leave nothing of a call, whatever the arguments. Groups are systemd's, as of
        version 257; a call that this architecture lacks is passed over, one that no architecture has is an error.
        """)
}

extension ValueForm {
    fileprivate static let profile = ValueForm(
        "\"default\" | \"strict\" | \"none\" | path of a JSON file",
        .either([.word(["default", "strict", "none"]), .pathBesideWords, .text("[.]json$")]))

    /// What becomes of a call.
    static let action = ValueForm(
        "errno | \"allow\" | \"kill\" | \"log\" | \"trap\"",
        .word(["allow", "kill", "log", "trap"] + ErrorNumber.names))
}
