extension Manual {
    /// immure(1).
    static var program: String {
        var page = Roff(title: "immure", section: 1, summary: "run a program in a jail that a spec describes")
        synopsis(&page)
        description(&page)
        commands(&page)
        options(&page)
        status(&page)
        signals(&page)
        services(&page)
        refusedCalls(&page)
        environment(&page)
        limits(&page)
        shared(&page)
        examples(&page)
        page.section("See also")
        page.paragraph(
            "immure.toml(5), systemd.service(5), sd_notify(3), namespaces(7), user_namespaces(7), capabilities(7), mount_setattr(2), newuidmap(1), subuid(5)"
        )
        return page.text
    }

    private static func synopsis(_ page: inout Roff) {
        page.section("Synopsis")
        page.example(
            Verb.usages.map { usage in
                let words = usage.split(separator: " ", maxSplits: 2)
                // A verb is bold with the program; a word that stands for something is not.
                return Verb(rawValue: String(words[1])) == nil
                    ? "`immure` " + words.dropFirst().joined(separator: " ")
                    : "`immure \(words[1])` " + words.dropFirst(2).joined()
            }.joined(separator: "\n"))
    }

    private static func description(_ page: inout Roff) {
        page.section("Description")
        page.paragraph(
            """
            `immure` starts a command in a jail: namespaces and a file system of its own, no capabilities, a clean
            environment. What the jail is like stands in a spec, a file that immure.toml(5) describes. The empty spec is
            the tightest jail that is of use, and every line of a spec opens something, or narrows it further. Root and
            ordinary users may start it; it needs no set-user-ID bit and refuses to run with one.
            """)
        page.paragraph(
            """
            Nothing is done by halves: what the kernel or the caller's rights do not allow ends the launch with status 125
            before anything of the command runs, naming the line of the spec, the kernel's call, its answer and, where the
            cause is known, the remedy. Only what is written with `optional = true` may be missing, and that is reported.
            """)
        page.paragraph(
            """
            A call that says "done" is not taken at its word. Once the jail is set up, and before the command is executed,
            the kernel is asked for what the plan comes to: namespaces, id maps, ids and groups, the five capability sets,
            securebits, no_new_privs, the number of filters, Landlock by an access that it must refuse, the flags of every
            mount and submount, the root, descriptors, limits, session, signals. One difference, and the launch ends with
            status 125 and names the line that is not in force. That needs procfs where immure is started.
            """)
        page.paragraph(
            """
            A spec that begins with #! is a script: after `#!/usr/bin/env -S immure` every word that it is called with
            goes to the command, also words that begin with a dash.
            """)
    }

    private static func options(_ page: inout Roff) {
        page.section("Options")
        page.item(
            "--set KEY.PATH=VALUE",
            """
            Sets a key of the spec, over all files. The value is TOML, so that a string needs its quotes:
            `--set 'cwd="/src"'`. May be given more than once.
            """)
        page.item(
            "--explain",
            """
            For `run`: lists on standard error, before the command runs, all that was verified, each with what was promised,
            what the kernel says, and the line of the spec that it comes from.
            """)
        page.item(
            "--why, --why=all",
            """
            For `run`: says on standard error, when the jail has ended, what was missing in it though it is there on the host,
            what was to be changed and is read-only, what modes, owners, noexec, nodev or Landlock close, which addresses are out of its
            network, which of the limits as, cpu, data, fsize, nofile and nproc it reached, and which calls the filter refused, each
            with the line of the spec that would open it, or the one that closes it; the most likely
            cause of a failure first, and without `=all` five of them. What the host has not either is said where nothing
            else explains a failure and nobody went on without it, and by `=all` in any case. No line makes the command the host's root:
            a file of root's is opened by a mount with `idmap = true`, where its file system can. An address whose name the command was
            told is opened by the name. A line that is to stand in place of another says so. No line
            shows a directory directly below `/`; where none would help, that is said. The line for a limit is a guess: it gives twice of
            what was wanted. Names that the command chooses stand in
            quotes where they are more than a plain word. All that names a file waits for a process beside the launcher
            meanwhile, which makes the command slower; where that gets no answer for half a second, no more is looked at.
            """)
        result(&page)
        page.item(
            "--changes FILE|FD:N|-",
            """
            For `run`: lists what overlays have changed when the jail has ended, however it ended, thrown away or kept: the
            lines of `immure diff`, with the paths of the jail. `-` is standard output, for the rest as `--result`. Where not all
            can be listed a warning says so, and FILE is removed: a list of an earlier run, or half of this one's, would pass for
            the whole.
            """)
        page.item(
            "--env NAME=VALUE",
            """
            With unit: a variable for the service. With check: one that the specs refer to, in place of the environment's.
            May be given more than once.
            """)
        page.item("--json", "With check, plan, score and doctor: prints a JSON array instead.")
        page.item("--threshold N", "With score: the status is 1 where a score is above N, 0 to 10 with one decimal.")
        page.item("-h, --help", "Prints help.")
        page.item("--version", "Prints the version.")
    }

    private static func result(_ page: inout Roff) {
        page.item(
            "--result FILE|FD:N",
            """
            Writes one JSON object when the jail has ended, also where the launch failed. FILE is then replaced by a new
            file in the directory that was found at the launch (where nothing can be made in that, the file itself is
            written to); where the path does not lead to what was written any more, as the directory was moved, a warning says
            so and where it is. Anything but a regular file is refused, so is a file that the spec is read from; on the way to it
            no symbolic link is followed below what the jail may write, and as root none that another user made. FD:N is a
            descriptor above 2 that is open for writing; the command does not get it. The object has `status`, `exit` (null unless the
            command exited), `signal` and `signal_name` (null unless one killed it), `timed_out`, `failure` (null, or an
            object with message, position and hint: nothing of the command ran), `lost` (null, or such an object: the jail
            was killed, as its supervision broke down), `wall_seconds`, and what was used, from the jail's cgroup where the
            spec has `[limits]`, else from getrusage(2): `user_seconds`, `system_seconds`, `peak_memory` in bytes with
            `peak_memory_of` ("jail", or "process": the largest resident set of one process), `read_bytes` and
            `written_bytes` of block devices. Only of the cgroup, null without the controller: `peak_swap`,
            `peak_processes`, `throttled_seconds` (how long cpu held the jail back), `io_stalled_seconds` (how long all of
            it waited for I/O), `killed_for_memory` (processes), `forks_refused`. `limits_hit` is an array of objects with
            `limit` (its key, or "mount" and the target of an overlay or a tmpfs that was full as the command ended), `value` (as
            the kernel has it), `count` (processes killed, forks refused, or microseconds; 1 for what was full), `message` and
            `position`. `degraded` has what was left out. `seccomp` is null, or the call that the
            filter ended the command for: `call`, `arguments`, `action`, `rule`, `program`, `pid`; `logged` is an array of
            such objects, each with its `count`. `refused_connections` is an array of what the network refused, each an object with
            `destination`, `count` and `leads_to`, null where it could not be read; `name_servers` of the servers that names were
            asked of, with `address`, `asked` and `answered`. `changes` is an array of what overlays changed, each an object with `change`
            (the letter of `immure diff`), `path` in the jail and `notes`;
            null where there is more than is listed (16 MiB of names, 3 seconds).
            """)
    }

    private static func status(_ page: inout Roff) {
        page.section("Exit status")
        page.item("0–123", "The command's own. (A command may also end with one of the following by itself.)")
        page.item("124", "The `timeout` of the spec ended the command.")
        page.item(
            "125",
            "immure failed: bad usage, a bad spec, a refusal of the kernel. Nothing of the command ran.")
        page.item("126", "The command was found and could not be executed.")
        page.item("127", "The command was not found.")
        page.item("128+n", "Signal n killed the command.")
        page.item(
            "137",
            """
            Also where the launcher, or the first process of the jail, could not go on while the command may have run:
            the jail is killed, and a line on standard error says what failed. 125 is never given for that.
            """)
        page.paragraph(
            """
            Where a limit ended the command, a line on standard error says which, with its place in the spec: the jail was
            out of memory (status 137), forks were refused and the command failed, or `timeout` came while the processor
            or the disk was held back.
            """)
    }

    private static func signals(_ page: inout Roff) {
        page.section("Signals")
        page.paragraph(
            """
            The launcher stays as the command's representative outside. It passes every signal on that can be caught.
            SIGTERM is passed on, or becomes `process.stop_signal`, and begins the `grace` of the spec, at whose end the
            jail is killed; a second SIGTERM kills it at once, unless it comes within 500 ms of the first: timeout(1) sends
            two. When the launcher itself is killed, by whatever, the jail goes with it. Where the jail has a terminal of its
            own, Ctrl-Z stops the command and then the launcher, and fg continues both.
            """)
        page.paragraph(
            """
            With `namespaces.pid = "host"` and nothing to supervise there is no launcher: the command takes its place
            under the same process id.
            """)
    }

    private static func environment(_ page: inout Roff) {
        page.section("Environment")
        page.item("HOME", "What `~` stands for in paths of the spec.")
        page.item(
            "PATH", "Where newuidmap(1) and newgidmap(1) are looked for. The command has a PATH of the jail's own.")
        page.item("TERM", "Kept for the command; `dumb` turns colour off.")
        page.item("NO_COLOR", "Where set and not empty, messages have no colour. They have none outside a terminal.")
        page.paragraph("Nothing else of the environment reaches the command unless `[environment]` keeps it.")
    }

    private static func limits(_ page: inout Roff) {
        page.section("What is not protected")
        page.paragraph(
            """
            The kernel is shared: a fault in it that the command can reach breaks the jail. The filter
            of system calls makes less of it reachable.
            """)
        page.paragraph(
            """
            What a spec opens is open: a path in `rw` can be filled and changed; a socket below a bound path can be
            connected to; `root = "host"` shows every file that the caller may read; `network.mode = "host"` gives all
            that listens on the host, but for abstract sockets where the kernel can close them (Landlock). Descriptors 0 to 2 are the caller's own; the
            file behind one, where it is not in the tree, can be opened anew with no more access than it was given with, and
            a file that was given for appending not for writing (Landlock, which forbids mounts: not where namespaces.nested
            or CAP_SYS_ADMIN allows those). Landlock knows nothing of what is in no file system: a memfd can be opened for
            writing unless it is sealed, memfd_create(2), and a pipe in both directions where it was made by the user that the
            command is, as those of an ordinary user are: its mode is all that closes it, and its owner may change that. So
            what others write to the pipe of standard output can be read, and what others read from that of standard input
            be written. Pipes of root's the command opens as they were given. Side channels of the processor are not closed. WHAT IS SHARED has the rest.
            """)
        page.paragraph(
            """
            As root, a spec is refused that somebody else could have written: that belongs to another user, may be written
            by group or others, or is a symbolic link. An ordinary user is warned of one that everybody may write.
            """)
    }

    private static func examples(_ page: inout Roff) {
        page.section("Examples")
        page.paragraph("A shell in the tightest jail:")
        page.example("immure run -- sh")
        page.paragraph("A build that can write to its own directory and nowhere else:")
        page.example(
            """
            $ cat build.toml
            command = ["make", "-j4"]
            cwd = "/src"
            timeout = "10min"
            [filesystem]
            rw = [".:/src"]
            $ immure run build.toml
            $ immure run build.toml clean        # make -j4 clean
            $ immure run build.toml -- make test
            """)
        page.paragraph("A spec that is a program:")
        page.example(
            """
            #!/usr/bin/env -S immure
            command = ["cc"]
            cwd = "/src"
            [filesystem]
            rw = ["${PWD}:/src"]
            """)
        page.paragraph("What would be done, and why it cannot be:")
        page.example("immure plan build.toml\nimmure doctor")
    }
}
