import JailSpec

/// The table of weights, in tenths of a point: what a spec scores that opens this and nothing else.
enum Weight {
    /// Of a single opening.
    static let range = 1...90

    // Tree
    static let (hostMounts, hostDevices, deviceFiles) = (90, 25, 10)
    static let (setuidFiles, setuidFilesUnused) = (15, 3)
    static let (image, writableGroups, sysfs, groups) = (8, 6, 5, 3)
    static let (filesOfTheirOwner, programsOfOthers) = (5, 30)
    static let (unlimitedTmpfs, kernelFiles, writableRoot) = (1, 1, 1)
    /// A place of which nothing is known.
    static let (writable, readable) = (5, 1)
    static let (home, secrets, socket) = ((read: 12, write: 35), (read: 15, write: 30), 10)
    /// One part in so many comes off where nothing can be executed.
    static let noExecuteShare = 5

    // Identity
    static let (hostRoot, userWithProcesses, user, perhapsAUser) = (30, 20, 10, 1)
    static let (groupOfAPackage, group, perhapsAGroup, mappedGroup) = (8, 3, 1, 1)
    static let (moreUsers, moreGroups, looseUmask) = (3, 2, 2)

    // Process
    static let (traceableProcesses, signalledProcesses, visibleProcesses) = (60, 15, 10)
    static let (newPrivileges, nestedNamespaces, terminal) = (15, 12, 12)
    static let (keyring, descriptor, jobserver, outlivesParent, nice, oomScore) = (6, 4, 2, 2, 2, 2)
    static let (wholeEnvironment, secret, serviceAddress, loaderVariable, variable) = (10, 8, 4, 4, 1)

    // Limits
    static let unlimitedResource = 1

    // Filter
    static let (noFilter, openFilter, othersFilter, otherABI, call) = (15, 15, 3, 3, 1)
    /// A list of what is allowed that gives such a call back does not narrow.
    static let callThatUndoesAList = 10

    // Landlock
    static let (namesOfFiles, abstractSockets) = (40, 6)

    // Network
    static let (hostNetwork, hostNetworkWithoutPorts) = (20, 12)
    static let throughInterface = (all: 12, few: 8, names: 7)
    static let throughUser = (all: 10, few: 6, names: 5)
    static let (published, publishedLocally) = (4, 2)

    // Service
    static let (serviceSockets, credentials, journal, notify) = (4, 4, 3, 2)

    /// The host's network by the TCP ports that Landlock leaves; nil where it leaves all. A list of many is as good as none.
    static func hostNetwork(openPorts: Int?) -> Int {
        min(hostNetwork, hostNetworkWithoutPorts + ((openPorts ?? 64) + 7) / 8)
    }

    /// A namespace of the host's, for its own sake: what else is seen through it has rows of its own.
    static func hosts(_ kind: NamespaceKind) -> Int {
        switch kind {
        case .user: 15
        case .ipc: 8
        case .cgroup: 4
        case .uts: 2
        case .mount, .pid, .net, .time: 1
        }
    }

    /// Of one that is joined: it may be the host's, but for the user namespace, for setns(2) refuses the caller's own.
    static func joined(_ kind: NamespaceKind) -> Int { if case .user = kind { 8 } else { hosts(kind) } }
}

/// What narrows the jail, in percent of all that is open.
enum Share {
    static let filter = 15
    static let (read, execute, write) = (4, 2, 4)
    static let landlock = read + execute + write
    static let (noPrograms, noSettings) = (3, 2)
    static let emptyRoot = noPrograms + noSettings
    static let (memory, processes, processor) = (4, 4, 2)
    static let (noProc, noDevices, hidden, noTmp) = (2, 2, 2, 1)
}

extension Place {
    static let all: [Place] = [
        Place("/", read: 15, write: 85, "all of the host"),
        Place("/etc", .below, read: 1, write: 50, "who may do what on the host"),
        Place("/usr", .below, read: 1, write: 50, "programs that the host's root runs"),
        Place("/bin", .below, read: 1, write: 50, "programs that the host's root runs"),
        Place("/sbin", .below, read: 1, write: 50, "programs that the host's root runs"),
        Place("/lib", .below, read: 1, write: 50, "code that every program loads"),
        Place("/lib64", .below, read: 1, write: 50, "code that every program loads"),
        Place("/boot", .below, read: 2, write: 60, "the kernel that starts next"),
        Place("/home", read: 15, write: 40, "the files of every user"),
        Place("/root", .below, read: 15, write: 40, "the files of root"),
        Place("/var", read: 8, write: 30, "the state of every service"),
        Place("/var/lib", read: 8, write: 30, "the state of every service"),
        Place("/var/log", .below, read: 5, write: 8, "what the services of the host logged"),
        Place("/var/spool/cron", .below, read: 3, write: 50, "programs that the host starts by itself"),
        Place("/proc", .below, read: 30, write: 50, "the host's processes and settings"),
        Place("/sys", .below, read: 5, write: 30, "the host's devices and settings"),
        Place("/dev", .below, read: 10, write: 10, "devices of the host"),
        Place("/run", read: 40, write: 50, "the sockets of every service"),
        Place("/run/docker.sock", read: 80, write: 80, "the container engine does as root what it is asked there"),
        Place(
            "/run/containerd", .below, read: 80, write: 80, "the container engine does as root what it is asked there"),
        Place("/run/crio", .below, read: 80, write: 80, "the container engine does as root what it is asked there"),
        Place("/run/podman", .below, read: 70, write: 70, "the container engine does as root what it is asked there"),
        Place("/run/systemd", .below, read: 40, write: 50, "the service manager's sockets"),
        Place("/run/dbus", .below, read: 25, write: 25, "every service of the host's bus"),
        Place("/run/user", .below, read: 25, write: 30, "the sockets of a user's session"),
        Place("/tmp/.X11-unix", .below, read: 20, write: 20, "every key that is pressed and window that is shown"),
        Place("/tmp", read: 3, write: 8, "what every program of the host puts there"),
    ]
}

extension Group {
    static let powerful: [Group] = [
        Group("root", 0, 30, "the files and sockets of root's group"),
        Group("docker", nil, 60, "the container engine does as root what it is asked"),
        Group("lxd", nil, 60, "the container engine does as root what it is asked"),
        Group("incus", nil, 60, "the container engine does as root what it is asked"),
        Group("incus-admin", nil, 60, "the container engine does as root what it is asked"),
        Group("podman", nil, 60, "the container engine does as root what it is asked"),
        Group("disk", 6, 50, "raw disks, and so every file on them"),
        Group("kmem", 15, 50, "the kernel's memory"),
        Group("libvirt", nil, 40, "virtual machines with the host's disks"),
        Group("shadow", 42, 25, "the hashes of passwords"),
        Group("sudo", 27, 25, "root's rights for the asking"),
        Group("wheel", nil, 25, "root's rights for the asking"),
        Group("admin", nil, 25, "root's rights for the asking"),
        Group("staff", 50, 15, "/usr/local, whose programs root runs"),
        Group("input", nil, 15, "every key that is pressed"),
        Group("ssl-cert", nil, 15, "private keys of the host's services"),
        Group("tty", 5, 10, "the terminals of others"),
        Group("adm", 4, 8, "the logs of the host"),
        Group("systemd-journal", nil, 8, "the logs of the host"),
        Group("video", 44, 8, "the screen"),
        Group("kvm", nil, 6, "virtual machines of the kernel's"),
        Group("wireshark", nil, 8, "all packets of the network"),
    ]
}

extension Capability {
    /// Tenths of a point over the host and within a user namespace of the jail's own, and what it allows. Within a
    /// namespace the kernel asks many of them only of the host's root (capable() instead of ns_capable()).
    var danger: (host: Int, own: Int, what: String) {
        switch self {
        case .sys_admin: (60, 25, "mounts, namespaces and a hundred other things")
        case .sys_module: (60, 1, "loads code into the kernel")
        case .sys_rawio: (60, 1, "reads and writes devices and ports past the kernel")
        case .sys_ptrace: (30, 6, "reads and changes other processes")
        case .sys_boot: (30, 1, "restarts the machine, or another kernel")
        case .mac_admin, .mac_override: (30, 1, "passes over the host's security modules")
        case .bpf: (30, 1, "runs programs in the kernel")
        case .dac_override, .dac_read_search: (25, 10, "passes over the permissions of files")
        case .setuid, .setgid: (20, 8, "becomes any user or group that is mapped")
        case .setfcap, .setpcap: (20, 8, "gives capabilities to files and processes")
        case .chown, .fowner: (15, 6, "takes files over")
        case .mknod: (15, 1, "makes device files")
        case .net_admin: (15, 10, "routes, addresses and packet filters")
        case .perfmon: (15, 1, "watches the whole machine")
        case .checkpoint_restore: (15, 4, "reads and chooses what belongs to other processes")
        case .sys_time: (15, 1, "sets the clock")
        case .sys_resource: (10, 2, "passes over limits")
        case .sys_chroot: (8, 4, "changes the root, which set-user-id programs rely on")
        case .net_raw: (8, 4, "forges and reads packets")
        case .kill: (8, 2, "signals every process in sight")
        case .ipc_owner: (8, 2, "opens the IPC objects of others")
        case .syslog: (8, 1, "reads the kernel's log and addresses")
        case .fsetid, .linux_immutable, .sys_tty_config: (6, 2, "changes marks of files and terminals")
        case .audit_control, .audit_read, .audit_write: (6, 1, "reads or fills the audit log")
        case .ipc_lock, .sys_nice: (4, 1, "takes memory or processor from others")
        case .sys_pacct, .lease, .wake_alarm, .block_suspend, .net_broadcast, .net_bind_service:
            (2, 1, "a small right of the host's")
        }
    }
}

extension Check {
    /// Tenths of a point for calls and groups that the profile "default" keeps away for a reason; nil for the others.
    static func danger(ofCall name: String) -> Int? {
        switch name {
        case "@known", "@module", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load": 15
        case "@privileged", "@raw-io", "bpf", "iopl", "ioperm": 10
        case "@mount", "@debug", "perf_event_open", "open_by_handle_at", "mount", "umount2", "pivot_root", "move_mount",
            "fsopen", "fsconfig", "fsmount", "open_tree", "mount_setattr", "fspick":
            8
        case "@io-uring", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "ptrace", "unshare",
            "setns", "process_vm_writev", "process_vm_readv", "pidfd_getfd", "chroot", "@reboot", "reboot":
            6
        case "@keyring", "keyctl", "add_key", "request_key", "@swap", "@clock", "@cpu-emulation", "@obsolete", "@pkey",
            "modify_ldt", "syslog", "acct", "quotactl", "settimeofday", "clock_settime", "adjtimex":
            4
        default: nil
        }
    }
}
