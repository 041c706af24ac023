import JailSpec

/// The directives of firejail-profile(5), and what becomes of those that no other line has to do with.
enum FirejailNames {
    enum Meaning {
        case read, outside
        case inForce(String)
        case warns(String)
        case lost(String)
        case lostRestriction(String)
    }

    static let known: [String: Meaning] = {
        var result: [String: Meaning] = [:]
        for name in read { result[name] = .read }
        for name in outside { result[name] = .outside }
        for name in inForce { result[name] = .inForce("") }
        for (name, reason) in others { result[name] = reason }
        return result
    }()

    private static let read = [
        "blacklist", "blacklist-nolog", "noblacklist", "nowhitelist", "whitelist", "whitelist-ro", "read-only",
        "read-write", "noexec", "tmpfs", "bind", "mkdir", "mkfile", "private", "private-home", "private-tmp",
        "private-dev", "private-bin", "private-etc", "private-opt", "private-srv", "private-cache", "private-cwd",
        "writable-etc", "writable-var", "writable-var-log", "writable-run-user", "keep-dev-shm", "keep-dev-ntsync",
        "keep-dev-tpm", "keep-var-tmp", "no3d", "nosound", "novideo", "nou2f", "notv", "nodvd", "noinput", "notpm",
        "noprinters", "disable-mnt", "private-lib",
        "machine-id", "net", "netns", "dns", "hosts-file", "hostname", "x11", "dbus-user", "dbus-system", "nodbus",
        "dbus-user.talk", "dbus-user.own", "dbus-user.see", "dbus-user.call", "dbus-user.broadcast", "dbus-user.log",
        "dbus-system.talk", "dbus-system.own", "dbus-system.see", "dbus-system.call", "dbus-system.broadcast",
        "dbus-system.log", "ipc-namespace", "restrict-namespaces", "caps", "caps.drop", "caps.keep", "seccomp",
        "seccomp.drop", "seccomp.keep", "seccomp-error-action", "protocol", "memory-deny-write-execute", "env", "rmenv",
        "nice", "cpu", "timeout", "rlimit-as", "rlimit-cpu", "rlimit-fsize", "rlimit-nofile", "rlimit-nproc",
        "rlimit-sigpending", "keep-fd", "nonewprivs", "landlock.enforce", "landlock.fs.read", "landlock.fs.write",
        "landlock.fs.execute", "landlock.fs.makeipc", "landlock.fs.makedev", "landlock.read", "landlock.write",
        "landlock.execute", "landlock.special",
    ]

    private static let outside = [
        "quiet", "shell", "tab", "name", "warn", "tracelog", "deterministic-exit-code", "deterministic-shutdown",
        "keep-config-pulse", "keep-shell-rc", "noautopulse", "allow-bwrap", "join-or-start",
    ]

    private static let inForce = [
        "noroot", "nogroups", "seccomp.32", "seccomp.32.drop", "seccomp.32.keep",
        "seccomp.block-secondary",
    ]

    /// What some of them ask for.
    static let claims: [String: Claim] = [
        "nogroups": .noGroups, "allow-debuggers": .own(.pid), "seccomp.32": .nativeCalls,
        "seccomp.32.drop": .nativeCalls, "seccomp.32.keep": .nativeCalls,
        "seccomp.block-secondary": .nativeCalls,
    ]

    private static let others: [String: Meaning] = [
        "allow-debuggers": .inForce("processes of the jail may trace one another"),
        "netfilter": .inForce("of networks that are made by net"),
        "netfilter6": .inForce("of networks that are made by net"),
        "apparmor": .warns(
            "AppArmor's firejail-default is not entered: the jail refuses mounts and other processes itself, but not programs in the home"
        ),
        "apparmor-replace": .warns("AppArmor's firejail-default is not entered"),
        "apparmor-stack": .warns("AppArmor's firejail-default is not entered"),
        "allusers": .warns("homes of other users are seen only where a line shows them"),
        "overlay": .lostRestriction("changes of the whole tree beside it; filesystem.changes does so for a root"),
        "overlay-named": .lostRestriction("changes of the whole tree beside it"),
        "overlay-tmpfs": .lostRestriction("changes of the whole tree that are thrown away"),
        "cgroup": .lostRestriction("a control group that is there already"),
        "ip": .lost("an address"), "ip6": .lost("an address"), "mac": .lost("an address"),
        "defaultgw": .lost("an address"), "netmask": .lost("an address"), "mtu": .lost("a property of an interface"),
        "iprange": .lost("addresses"), "veth-name": .lost("a name of an interface"),
        "interface": .lost("an interface that is moved into the jail"), "netlock": .lostRestriction("rules of traffic"),
        "bandwidth": .lostRestriction("limits of traffic"), "hostname-randomize": .lost("a name by chance"),
        "xephyr-screen": .lost("an X server of its own"), "landlock": .inForce(""),
    ]
}
