extension SectionRows {
    static let mount = SectionRows(
        "mount", repeated: true,
        """
        A mount in full; `ro`, `rw` and `hide` are short for it. The order in the file means nothing: mounts are sorted by the
        depth of the target, and missing mount points are made, also below a read-only parent. A target that a symbolic link
        leads below or onto what another line mounts is refused.
        """,
        variants: variants,
        keys: [
            KeyRow(
                "target", as: .jailPath, required: true,
                """
                Where it stands in the jail. `~` and `${NAME}` expand. An image or an overlay on "/" is the root itself, in place
                of filesystem.root; of an image the names of users and groups are the host's all the same.
                """),
            KeyRow(
                "type", as: .words(of: MountType.self),
                """
                Absent: `bind`, where there is a source. image: the file system in a file, squashfs, erofs or ext4,
                read-only. For root the kernel reads it, and so only a file that nobody but root may write; for an ordinary
                user squashfuse(1) reads a squashfs and fuse2fs(1) an ext4, outside of the jail, which ends where that ends. With `rw`
                among the options an ext4 takes changes, of one jail at a time: its file is made whole on the disk first, and is
                all that what is stored there can take; so it is a quota that an ordinary user can have: `mke2fs -t ext4 -E
                root_owner FILE SIZE` makes one whose root directory is the caller's. fuse2fs writes what it has in memory as
                the jail ends, within `grace`, or a second: where it has not by then, or has been killed, the status is 137, and
                the image takes changes again once e2fsck(8) has been over it. fuse2fs 1.47 damages a directory in which a name of
                more than 255 bytes is made.
                To read 1,200 small files took, where the directory itself is 1: 1.7 through an overlay, 4.6 from a squashfs or an
                ext4 that root's kernel reads for the first time, 6.5 through fuse-overlayfs, 9 through squashfuse, 50 through fuse2fs.
                """),
            KeyRow(
                "source", as: .hostPath,
                "bind and image. A relative path starts from the directory of the spec. A bind without it has `source_fd`."
            ),
            KeyRow(
                "source_fd", as: .integer(0...Int64(Int32.max), "number"),
                "bind: in place of source, a descriptor of the caller's; what it leads to must still be there by its name."
            ),
            KeyRow(
                "device",
                as: ValueForm(
                    "\"c MAJOR:MINOR\" | \"b MAJOR:MINOR\" | \"any\"",
                    .text(pattern: DeviceClaim.pattern, length: 3...14)),
                """
                bind: the device node that the source must be when it is mounted, a character or a block device with these
                numbers, or any; it may be opened. Nothing else is shown in its place.
                """),
            KeyRow(
                "options",
                as: ValueForm("array of words", .list(.word(MountOptions.words.map(\.word)), distinct: true)),
                """
                `ro`, `rw`, `suid`, `nosuid`, `dev`, `nodev`, `exec`, `noexec`, `noatime`, `relatime`, `strictatime`,
                `nodiratime`, `nosymfollow`, `bind`, `rbind`, as mount(8) has them; they hold on every submount. nosuid and
                nodev hold unless suid or dev is written, or a device node is named, which opens unless nodev is written. proc, sysfs, devpts, mqueue and cgroup are always nosuid and
                noexec, all but devpts nodev, and sysfs ro: the words that say otherwise are refused. A bind can be written to
                unless `ro` is written: the short form that is read-only is filesystem.ro. A mount of type file is
                read-only unless `rw` is written. One of type cgroup is read-only unless `rw` is written; then the jail has a
                cgroup of its own inside the limited one, to divide
                as it likes.
                """),
            KeyRow(
                "optional", as: .boolean, default: "false",
                """
                A source that does not exist is left out, which is reported. hide: so is a target that does not exist. dir:
                one that is there already keeps its mode.
                """
            ),
            KeyRow(
                "pattern", as: .boolean, default: "false",
                """
                bind and hide: the target is a pattern, as in `ro` and `hide`; a source is the same pattern. With `optional`
                it may match nothing.
                """),
            KeyRow(
                "create", as: ValueForm("boolean | \"file\"", .either([.boolean, .word(["file"])])), default: "false",
                """
                bind: a source that does not exist is made before the launch, and stays: a directory, or an empty file. It
                belongs to the command's user, as do the directories above it that are missing; `mode` is its mode.
                """),
            KeyRow(
                "offset", as: .integer(0...Int64.max, "number"),
                """
                image: the byte of its file with which it begins. Absent: the first, or where the header of a SIF file says
                that its primary partition is.
                """),
            KeyRow(
                "size", as: .positiveSize,
                """
                tmpfs: the most that it may hold. Extended attributes are no part of that: `inodes` bounds them.
                """),
            KeyRow(
                "inodes", as: .integer(1...Int64.max, "number"),
                """
                tmpfs, and beside or in place of a quota: the most files. In a tmpfs each KiB of extended attributes counts as
                one. Absent where a tmpfs has a `size`, or an overlay that is thrown away a quota: one for each 4 KiB of that,
                and no fewer than 1024.
                """),
            KeyRow(
                "mode", as: .directoryMode,
                """
                The permissions of tmpfs (default "1777"), dir ("0755"), file ("0644") and what `create` makes (as those),
                without the bits that have no
                effect: set-user-ID, and all special ones of a file. A directory that exists already must have the mode that
                is written.
                """),
            KeyRow("content", as: .string, "file: what it holds."),
            KeyRow(
                "content_fd", as: .integer(0...Int64(Int32.max), "number"),
                "file: in place of content, a descriptor of the caller's, which is read to its end; any bytes."),
            KeyRow("to", as: ValueForm("string", .nonEmpty), "symlink: where it points."),
            KeyRow(
                "lower",
                as: ValueForm("array of paths of the host", .list(.nonEmpty, 1...500, distinct: true)),
                """
                overlay: the layers, the uppermost first. What is mounted below one is not part of it, and so a fault unless
                `bind` is among the options, which leaves it out; only root may.
                """),
            KeyRow(
                "upper", "work", as: .hostPath,
                """
                overlay: where changes go, and an empty directory beside it, both of no other overlay, and root's below directories
                that only root can write to. No other user of the host comes to what is kept, whatever modes the jail's
                directories have: where no directory above upper has mode 700, it is made in work, which gets that mode, and the
                name of upper is a link that leads there as long as anything is kept (an empty directory makes way for it; any
                other link is refused). Where the way has been opened since, a launch and `immure apply` are refused until it is
                closed. A process of the host to which the jail passes an open file, over a socket that it has been given, keeps
                that file. Without both, changes are thrown away; an ordinary user's only since Linux 6.6, whose tmpfs has what
                overlayfs needs.
                """),
            KeyRow(
                "record", as: .boolean, default: "true",
                """
                overlay with upper: false writes nothing down of what the changes are changes of, so that `immure diff` and
                `immure apply` know nothing of them. Then upper may hold what somebody else has put there, over whatever
                lower, and the jail may write to the layers past the overlay, which overlayfs leaves undefined.
                """),
            KeyRow(
                "quota", as: .positiveSize,
                """
                overlay without upper: the most that changes may hold, default 512M and never more than limits.memory, to
                which they count. bind, and overlay with upper: the most that the directory (upper and work together) may
                hold, whoever writes there: the limit of a project of ext4 or xfs, which only root may set, where those
                quotas are enforced, and only with a user namespace of the jail's own. It stays on the directory, and all
                that is in it, after the jail: `lsattr -p` shows the project, `chattr -R -p 0` takes files out of it.
                """),
            KeyRow(
                "idmap", as: .boolean, default: "false",
                """
                bind, image, and overlay without upper: files appear with the jail's ids, mount_setattr(2). An id that the jail
                has is itself; the owner of the source, where the jail does not have that id, is the command's user, and the
                group likewise. What the jail makes there belongs on the host to whom it appears to belong: to root, where the
                source is root's. So that nothing there runs with such rights, the filter of a jail that may write to it (bind,
                not `ro`) refuses set-user-ID and set-group-ID bits on all files (EPERM, by which dpkg(1) fails with a package
                that has such a program); openat2(2) (ENOSYS) and io_uring(7) (EPERM), into which it cannot see; and where
                the capability setfcap would let the jail give files capabilities, extended attributes of their lengths, 20 and
                24 bytes (EOPNOTSUPP). Nothing in `[seccomp]` opens these, the profile `none` neither; `suid` among the options
                of the mount does, and without it neither `namespaces.nested` nor the capability sys_admin can stand beside it:
                an overlay that is mounted over such a place copies the bits of its lowers. Two things are left. A program that has such a bit already keeps it
                when the jail changes it through a shared mapping, mmap(2): the source should hold none
                (`find DIRECTORY -perm /6000`). And the filter holds this jail only: whoever is the same user on the host, as
                the next jail of nobody's is, and gets a descriptor from it, by a socket in a directory that both may write to,
                has all rights over the file; `uid_map` gives a jail ids that nobody else has. Only root may idmap, and the file
                system must be one that can: ext4, xfs, btrfs, since Linux 5.19 erofs, 6.2 squashfs, 6.3 tmpfs, not overlay,
                proc or sysfs. An ordinary user may for an overlay without upper: fuse-overlayfs(1) makes it, all files appear
                as the command's user's, and all of them can be changed that the caller can read; --changes cannot list it.
                """),
        ])

    private static let variants = Variants(
        key: "type", common: ["target", "type"], choices: MountType.allCases.map(choice), standard: choice(.bind))

    private static func choice(_ type: MountType) -> Variants.Choice {
        Variants.Choice(word: type.rawValue, keys: type.keys, required: type.required, alternatives: type.alternatives)
    }
}
