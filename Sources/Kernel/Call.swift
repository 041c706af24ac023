/// The system calls that can fail a launch, so that a failure crosses the fork as one byte.
package enum Call: UInt8, Sendable {
    case open, openat, openat2, read, write, fstat, fstatfs, readlinkat, getdents, close, closeRange, fcntl, ioctl, dup
    case openTree, mountSetattr, moveMount, fsopen, fsconfig, fsmount, pivotRoot, umount
    case mkdirat, symlinkat, fchdir, getcwd
    case clone3, fork, unshare, setns, setsid, setpgid, wait, pidfdOpen, kill
    case setgroups, setresgid, setresuid, prctl, capset, setrlimit, getrlimit, setpriority, setAffinity
    case keyctl, sethostname, execve, seccomp, personality
    case socketpair, sendmsg, recvmsg, signalfd, sigprocmask, poll, tcsetattr, pipe, chdir, umask, fchmod, tcgetattr
    case newuidmap, newgidmap
    case landlockCreateRuleset, landlockAddRule, landlockRestrictSelf
    case unlinkat, flock, fchownat, socket, connect, stat, capget
    case bind, setsockopt, sigaction
    case select, sysinfo
    case getxattr, setxattr, listxattr, renameat, linkat, mknodat, fsync, copyFileRange, utimensat, fchmodat,
        clockGettime
    case mmap, rtnetlink, memfdCreate, mount, ftruncate, faccessat, getsockopt, quotactl
    case listen, getsockname, epoll, processVMReadv, syncFileRange, fallocate, getrandom, syncfs, lseek, nameToHandleAt,
        clockNanosleep, getgroups

    /// The name as section 2 of the manual has it.
    package var name: String {
        switch self {
        case .closeRange: "close_range"
        case .openTree: "open_tree"
        case .mountSetattr: "mount_setattr"
        case .moveMount: "move_mount"
        case .pivotRoot: "pivot_root"
        case .umount: "umount2"
        case .pidfdOpen: "pidfd_open"
        case .setAffinity: "sched_setaffinity"
        case .copyFileRange: "copy_file_range"
        case .clockGettime: "clock_gettime"
        case .clockNanosleep: "clock_nanosleep"
        case .memfdCreate: "memfd_create"
        case .processVMReadv: "process_vm_readv"
        case .syncFileRange: "sync_file_range"
        case .nameToHandleAt: "name_to_handle_at"
        case .landlockCreateRuleset: "landlock_create_ruleset"
        case .landlockAddRule: "landlock_add_rule"
        case .landlockRestrictSelf: "landlock_restrict_self"
        default: "\(self)"
        }
    }
}
