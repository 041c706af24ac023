extension Manual {
    /// What the jail shares with the host all the same, each with what closes it.
    static func shared(_ page: inout Roff) {
        page.section("What is shared")
        page.item(
            "hidden files and hard links",
            """
            `hide` covers a path, by whatever links that path is reached. A second name of the same file, a hard link below
            another path that is shown, is not covered: hide or leave out both.
            """)
        page.item(
            "single files",
            """
            A file in `rw` is a mount: it can be written to, but not replaced. What writes a new file and renames it (sed -i,
            editors) fails with EBUSY; name its directory.
            """)
        page.item(
            "Landlock and execution",
            """
            A right to execute is asked for by execve(2) only. With a loader that may be executed the command runs a program
            that is merely readable (/lib64/ld-linux-x86-64.so.2 PROGRAM), and what it writes to a memfd it may always
            execute. A mount with noexec in its options stops the loader; against the memfd nothing helps.
            """)
        page.item(
            "signs of others",
            """
            Files of /usr and /etc are the host's own. The jail can watch them by inotify(7) and so sees when others open
            them, and can lock those that it may read by flock(2), which whoever asks for the same lock waits for. A tree
            of one's own (`root`) shares none.
            """)
        page.item(
            "the machine",
            """
            /proc shows the kernel's command line, its version, the boot id, the time since the boot, the load, memory and
            CPUs of the whole machine; limits do not change that. Covered is what container engines cover: interrupts,
            acpi, asound and scsi, in a new sysfs firmware and powercap, and, where the host's uid 0 is within reach, kcore,
            keys, kmsg and timer_list. With `namespaces.nested` the first of these stay, for the kernel mounts no second
            proc in a jail where the first is covered in part. `filesystem.proc` = false leaves all of it out.
            """)
        page.item(
            "X11",
            """
            Whoever reaches a display reads its keys and windows. To show one: `rw` of the socket below /tmp/.X11-unix, and
            `environment.keep` of DISPLAY, XAUTHORITY and the file that this names. It works with a network of the jail's
            own. With the host's, the client asks for the display's abstract socket first, which Landlock refuses, and does not try the
            other: `landlock.scope` = [] opens it, with all abstract sockets of the host.
            """)
        page.item(
            "ssh",
            """
            In the jail of an ordinary user, files of the host's root belong to nobody, and ssh(1) refuses files that its
            configuration includes ("Bad owner or permissions"): hide /etc/ssh/ssh_config.d, or give ssh a file of its own
            by -F. No map of ids helps, as root's id cannot be mapped by others.
            """)
    }
}
