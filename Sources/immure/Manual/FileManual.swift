import JailSpec

extension Manual {
    /// immure.toml(5).
    static var file: String {
        var page = Roff(title: "immure.toml", section: 5, summary: "what a jail of immure(1) is like")
        page.section("Description")
        page.paragraph(
            """
            A spec is a TOML 1.0 file. An empty one is a jail without network, capabilities or the caller's files; each key
            opens something, or narrows it further. An unknown key or word is an error, never passed over, and all errors of
            a file are reported at once. A file of JSON is the config.json of an OCI bundle, see `immure import` in immure(1).
            """)
        values(&page)
        page.section("Keys")
        for section in SectionRows.all { add(section, to: &page) }
        layers(&page)
        surprises(&page)
        page.section("Example")
        page.example(
            """
            #!/usr/bin/env -S immure
            command = ["make", "-j4"]
            cwd = "/src"
            timeout = "10min"

            [filesystem]
            rw = [".:/src"]
            ro = ["/opt/sdk"]

            [environment]
            keep = ["LANG", "LC_*"]
            set = { CC = "gcc" }

            [rlimits]
            nofile = "1024:4096"
            core = 0
            """)
        page.section("See also")
        page.paragraph(
            "immure(1), namespaces(7), capabilities(7), landlock(7), mount(8), getrlimit(2), systemd.exec(5)")
        return page.text
    }

    /// Which layer comes after which, and why.
    private static func layers(_ page: inout Roff) {
        page.section("The order of layers")
        page.paragraph(
            """
            Each layer is put in force when the ones before it no longer need what it takes away; `immure plan` prints the
            steps. A call of the command passes them from the last to the first: what one refuses, none of the others can
            allow.
            """)
        page.item(
            "1. namespaces and mounts",
            "What there is at all. They come first: later layers forbid to make them.")
        page.item(
            "2. bounding set, securebits, no_new_privs",
            """
            What no program can gain, for all of the jail, pid 1 included. Before Landlock and filters, which the kernel
            accepts only from a process with no_new_privs or CAP_SYS_ADMIN.
            """)
        page.item(
            "3. Landlock",
            """
            Only for the command, which then cannot trace pid 1. After the tree, whose paths its rules name: a process
            that is restricted as to files can neither mount nor pivot_root(2), whatever its capabilities.
            """)
        page.item("4. capabilities", "Given up last of what the steps before have need of.")
        page.item(
            "5. system-call filter",
            "Closest to the command: the calls of the steps before are not its business. It sees numbers and registers, "
                + "Landlock the files and sockets that are meant.")
    }

    /// What programs say inside that they do not say outside.
    private static func surprises(_ page: inout Roff) {
        page.section("What programs may say inside")
        page.item(
            "Device or resource busy, Invalid cross-device link",
            """
            A single file in `rw` is a mount, and nothing can be renamed over a mount: sed -i, git config and editors replace
            files by rename(2). Show its directory. What is read-only or hidden below a writable mount keeps its name likewise,
            as do the directories above it. Between two mounts, even of one tree, nothing is renamed or linked: one line for
            the directory above both makes them one. `immure run --why` names either.
            """)
        page.item(
            "/dev/stderr: Permission denied",
            """
            A log that was given by >> can be written to, and not be opened anew by a name of its descriptor: Landlock has no right to
            append only. Give it by >, or as a pipe, `2>&1 | cat >>LOG`; or have the command write to the descriptor itself, as
            `>&2` of a shell does.
            """)
        page.item(
            "not a git repository",
            """
            In a worktree of git-worktree(1) `.git` is a file that leads to the main repository. Show that one as well:
            `rw` = ["/path/to/main/.git"], as `git rev-parse --git-common-dir` names it. To hide or protect hooks, name those
            of the main repository.
            """)
        page.item(
            "Bad owner or permissions",
            """
            Ids that the jail does not map look like nobody's, root's files too, and ssh(1) refuses its settings in
            /etc/ssh/ssh_config.d then. `environment` and `ssh -F none` do without them, or a [[mount]] of type file on
            /etc/ssh/ssh_config, which belongs to the command's user.
            """)
        page.item(
            "Address family not supported by protocol",
            """
            What libraries take for a kernel without that family, where EPERM would stop them. Any family can answer so:
            [[seccomp.rule]] call = "socket", action = "EAFNOSUPPORT", args = [{ index = 0, op = "!=", value = "AF_UNIX" }].
            """)
        page.item(
            "cannot open display",
            """
            The socket of an X server in /tmp/.X11-unix is reached by its path: show it, and keep DISPLAY and XAUTHORITY. Over
            the host's network libxcb tries the abstract socket first, and gives up where Landlock answers EPERM:
            `landlock.scope` without abstract_unix_socket lets it try.
            """)
    }

    private static func values(_ page: inout Roff) {
        page.section("Values")
        page.item(
            "size", "A number of bytes, or a string with K, M, G, T (powers of 1024) or KB, MB, GB, TB (of 1000).")
        page.item("duration", "A string with ms, s, min or h.")
        page.item(
            "path",
            """
            Of the host: relative to the directory of the file that it stands in, or to the current directory with --set.
            `~` is the caller's home, ${PWD} the current directory, every other ${NAME} a variable of the caller's environment
            (an error where it is not set), and $${ a literal ${. Of the jail: absolute; in `cwd`, `hide`
            and `[landlock]` `~` and ${NAME} expand as well, to what they are on the host.
            On the way to a path of the host no symbolic link is followed that lies below a directory which the spec opens for
            writing, for root none that belongs to another user, and none of a stranger's in a sticky directory.
            """)
    }

    private static func add(_ section: SectionRows, to page: inout Roff) {
        page.subsection(section.heading)
        if !section.introduction.isEmpty { page.paragraph(section.introduction) }
        for row in section.rows { page.item(row.names.joined(separator: ", "), "(\(words(row))) \(row.meaning)") }
    }

    /// What may be written, and what holds where nothing is.
    private static func words(_ row: KeyRow) -> String {
        if row.isRequired { return row.form.words + ", required" }
        return row.form.words + (row.standard.map { ", default \($0)" } ?? "")
    }
}
