import LinuxFacts

extension Manual {
    static let top = SectionDescription(
        name: "Top level", introduction: "",
        keys: [
            KeyDescription(
                "command", "array of strings",
                "The program and its arguments. A name without a slash is looked for in the PATH of the jail."),
            KeyDescription("cwd", "path, default \"/\"", "The working directory, inside the jail."),
            KeyDescription(
                "hostname", "string",
                "The host name inside. Absent: the host's."),
            KeyDescription(
                "timeout", "duration", "Wall-clock time. At its end the command gets SIGTERM, and the status is 124."),
            KeyDescription("grace", "duration, default \"5s\"", "The time between SIGTERM and SIGKILL."),
            KeyDescription(
                "extends", "array of paths",
                "Specs that are read first, in this order, relative to this file. Tables merge, arrays append, other "
                    + "values replace."),
        ])

    static let filesystem = SectionDescription(
        name: "[filesystem]", introduction: "What the command sees below /.",
        keys: [
            KeyDescription(
                "root", "\"system\" | \"host\" | \"empty\" | a directory, default \"system\"",
                "`system`: a private root with the host's /usr and /etc, read-only, and /bin, /sbin and /lib* as on the "
                    + "host. `host`: the host's whole tree, read-only. `empty`: nothing. A directory (written with a "
                    + "slash, as ./tree) becomes the root, read-only."),
            KeyDescription("writable", "boolean, default false", "Lets a root that is a directory be written to."),
            KeyDescription(
                "ro", "array of \"SOURCE\" or \"SOURCE:TARGET\"",
                "Paths of the host to show, with their submounts, read-only."),
            KeyDescription("rw", "as ro", "Paths of the host to show, to be written to."),
            KeyDescription(
                "hide", "array of paths",
                "Files or directories of the jail that are covered and so made unreachable, after all mounts and by "
                    + "whatever name they are reached; nothing can be mounted below one. One that is not there is reported. "
                    + "Not together with the capability sys_admin, which could take the cover away."),
            KeyDescription(
                "proc", "boolean, default true",
                "A /proc of the jail's own processes. In the host's pid namespace it hides other users' processes. false: "
                    + "none, and what a root that is a tree of the host's has there is covered."),
            KeyDescription(
                "dev", "\"minimal\" | \"none\" | \"host\", default \"minimal\"",
                "`minimal`: \(DeviceNode.allCases.map(\.name).joined(separator: ", ")), and devpts and shm of the jail's own. `none`: "
                    + "none, and what a root that is a tree of the host's has there is covered."),
            KeyDescription(
                "tmp", "size or false, default \"64M\"", "The size of a private /tmp, or none."),
        ])

    static let mount = SectionDescription(
        name: "[[mount]]",
        introduction: "A mount in full; `ro`, `rw` and `hide` are short for it. The order in the file means nothing: "
            + "mounts are sorted by the depth of the target, and mount points that are missing are made, also below "
            + "a read-only parent. A target that a symbolic link leads below or onto what another line mounts is refused.",
        keys: [
            KeyDescription("target", "path, required", "Where it stands in the jail."),
            KeyDescription(
                "type", "default \"bind\" where there is a source",
                "`bind`, `tmpfs`, `proc`, `sysfs`, `devpts`, `mqueue`, `cgroup`, `file`, `symlink` or `dir`; "
                    + "`overlay` and `image` are refused at launch in this version."),
            KeyDescription(
                "source", "path of the host", "For bind and image. Relative to the directory of the spec."),
            KeyDescription(
                "options", "array of words",
                "`ro`, `rw`, `suid`, `nosuid`, `dev`, `nodev`, `exec`, `noexec`, `noatime`, `relatime`, `strictatime`, "
                    + "`nodiratime`, `nosymfollow`, `bind`, `rbind`, as mount(8) has them. nosuid and nodev hold "
                    + "unless suid or dev is written. They hold on every submount. "
                    + "proc, sysfs, devpts, mqueue and cgroup are always nosuid and noexec, all but devpts nodev, and sysfs "
                    + "ro: the words that say otherwise are refused. "
                    + "A mount of type cgroup is read-only unless `rw` is written; then the jail has a cgroup of its own "
                    + "inside the limited one, to divide as it likes."),
            KeyDescription(
                "optional", "boolean, default false", "A source that does not exist is left out, and that is reported."),
            KeyDescription("size", "size", "tmpfs: the most that it may hold."),
            KeyDescription("inodes", "number", "tmpfs: the most files."),
            KeyDescription(
                "mode", "octal string",
                "tmpfs (default \"1777\"), dir (\"0755\"), file (\"0644\"): the permissions, without the bits that have no "
                    + "effect: set-user-id, and all special ones of a file. A directory that stands there already must have "
                    + "the mode that is written."),
            KeyDescription("content", "string", "file: what stands in it."),
            KeyDescription("to", "string", "symlink: where it points."),
            KeyDescription(
                "lower, upper, work", "paths of the host",
                "overlay: the layers. Refused at launch in this version."),
            KeyDescription("quota", "size", "A hard limit on what may be stored. Refused at launch in this version."),
            KeyDescription("idmap", "boolean", "Files appear with the jail's ids. Refused at launch in this version."),
        ])
}
