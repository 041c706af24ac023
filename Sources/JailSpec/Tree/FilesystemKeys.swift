import LinuxFacts

extension SectionRows {
    static let filesystem = SectionRows(
        "filesystem", "What the command sees below /.",
        keys: [
            KeyRow(
                "root", as: .words(["system", "host", "empty"], orPath: "a directory"), default: "\"system\"",
                """
                `system`: a private root with the host's /usr and /etc, read-only, and /bin, /sbin and /lib* as on the host.
                Where the network is not `none`, what /etc/resolv.conf and the certificates lead to is shown, too.
                `host`: the host's whole tree, read-only. `empty`: nothing. A directory (written with a slash, as ./tree)
                becomes the root, read-only.
                """),
            KeyRow(
                "writable", as: .boolean, default: "false",
                """
                The root may be written to: of `system` and `empty` a private tmpfs, of the size of /tmp and gone afterwards, in
                which what is mounted stays as it is (of `system` /usr and /etc read-only); of `host` and of a directory
                the tree itself, as far as the command's user may, where mount points that are missing are made to stay. /sys
                stays read-only.
                """),
            KeyRow(
                "changes", as: .words(["discard"], orPath: "a directory"),
                """
                In place of writable, for a root that is `host` or a directory: the root is copied on write, and the changes
                are thrown away (`discard`, at most 512M of them) or kept below a directory, for `immure diff`, `apply` and
                `discard` with the target /. Of `host` only as root; what is mounted in the host's tree is read-only there.
                """),
            KeyRow(
                "ro", as: .binds,
                """
                Paths of the host to show, with their submounts, read-only. A path without a target may be a pattern, glob(7):
                `*`, `?`, `[a-z]`, `\\` before a character that is meant literally, and `**` for any number of directories. Each
                path that it matches as the jail is launched is shown; there must be one. A pattern leads through no
                symbolic link; names that begin with a dot are matched by a dot alone, but `**` enters such directories. What
                a variable stands for is literal.
                """),
            KeyRow(
                "rw", as: .binds,
                """
                Paths of the host to show, writable. A single file can be written to, but not replaced by another (EBUSY). A device node that is named itself, here or in `ro` or a mount, may be
                opened; the node cannot be changed. A directory of nodes is refused, as none of them could be opened.
                """),
            KeyRow(
                "devices", as: .binds,
                "Device nodes, or directories of nodes, that may be opened, to be read and written to as their modes allow."
            ),
            KeyRow(
                "hide", as: ValueForm("array of paths", .list(ValueForm.jailPath.shape)),
                """
                Files or directories of the jail that are covered and so made unreachable, after all mounts and by whatever
                links this path is reached; a hard link elsewhere is not covered, and another line that shows it is refused.
                Nothing can be mounted below one. One that does not exist is reported; below what the jail may write it is a
                fault, as a jail may have moved it, but for a mount of type hide with `optional`. A pattern, as in `ro`, hides
                what it matches of the host's files that the jail shows when it is launched, and nothing that comes later; what it
                matches is shown by no other pattern. Of the jail's own /proc it matches what belongs to no process, where its
                first two names are written out. Not together with the capability sys_admin, which could take the cover away.
                """),
            KeyRow(
                "proc", as: .boolean, default: "true",
                """
                A /proc of the jail's own processes. In the host's pid namespace it hides other users' processes. false:
                none, and what a root that is a tree of the host's has there is covered.
                """),
            KeyRow(
                "dev", as: .words(of: Filesystem.Devices.self), default: "\"minimal\"",
                """
                `minimal`: \(DeviceNode.allCases.map(\.name).joined(separator: ", ")), with a devpts and a shm of the
                jail's own. `none`: nothing, and what a root that is a tree of the host's has there is covered. `host`: the host's, where
                nodes can be written to, and not changed.
                """),
            KeyRow(
                "tmp", as: .room,
                """
                The size of a private tmpfs on /tmp. Absent: a quarter of the machine's memory, but never more than
                limits.memory. false: none. Where something else is mounted on /tmp a size is a fault.
                """),
            KeyRow(
                "home", as: .room,
                """
                The same on the command's home directory, as passwd(5) and HOME name it; what is mounted below it is made
                in it. By default only where the root is `system`, or something is mounted below it in one that is `empty`,
                and nothing of the host is mounted there.
                Where there is none, HOME is what the jail shows at that path, else /tmp.
                """),
            KeyRow("shm", as: .room, "The same on the /dev/shm of a minimal /dev."),
        ])
}

extension ValueForm {
    fileprivate static let room = ValueForm("size | false", .either([ValueForm.positiveSizeShape, .exactly(false)]))
    fileprivate static let binds = ValueForm(
        "array of \"SOURCE\" or \"SOURCE:TARGET\"", .list(.text("^[^:]+(:(/|~|[$][{])[^:]*)?$")))
}
