package import JailSpec
import LinuxFacts

/// An ABI of x86-64 beside its own, whose calls a policy decides by what they are of its own: `seccomp.architectures`.
package enum OtherABI: CaseIterable, Sendable {
    case i386, x32

    /// As a spec names it; nil for the machine's own.
    package init?(_ word: SeccompPolicy.ABI) {
        switch word {
        case .native: return nil
        case .x86: self = .i386
        case .x32: self = .x32
        }
    }

    /// As messages name it.
    package var name: String {
        switch self {
        case .i386: "i386"
        case .x32: "x32"
        }
    }

    /// As libseccomp names it.
    var libraryName: String {
        switch self {
        case .i386: "SCMP_ARCH_X86"
        case .x32: "SCMP_ARCH_X32"
        }
    }

    /// A call with what it is of the machine's own calls.
    struct Call {
        /// As `seccomp_data.nr` has it, the bit of x32 included.
        let number: UInt32
        let name: String
        /// Indices of the table: none for a call that only this ABI has, several for one that leads to many.
        let own: [Int]
        /// How many of the arguments, from the first, are those of the machine's own call.
        let alike: Int
    }

    /// Every call, by number, without gaps: a number that is not used has an empty name.
    var calls: [Call] {
        switch self {
        case .i386: Self.callsOfI386
        case .x32: Self.callsOfX32
        }
    }

    /// The call of a number; nil for a number of another ABI.
    func call(number: UInt32) -> Call? {
        let all = calls
        guard let first = all.first, number >= first.number, number - first.number < UInt32(all.count) else {
            return nil
        }
        return all[Int(number - first.number)]
    }

    /// The one whose call a filter is asked about; nil for one of the machine's own, and of no ABI that is known here.
    static func ofCall(_ number: UInt32, _ audit: UInt32) -> OtherABI? {
        switch audit {
        case AuditArchitecture.i386: .i386
        case AuditArchitecture.x86_64 where number >= AuditArchitecture.x32Bit && number != .max: .x32
        default: nil
        }
    }
}

extension OtherABI {
    private static let callsOfI386: [Call] = SystemCallFilter.callsOfI386.split(separator: " ").enumerated().map {
        let (number, name) = (UInt32($0.offset), String($0.element))
        guard name != "-" else { return Call(number: number, name: "", own: [], alike: 6) }
        let other = otherThanNamed[name]
        let own = other?.own ?? [name]
        return Call(number: number, name: name, own: own.compactMap(CallNames.index), alike: other?.alike ?? 6)
    }

    /// Those of x86-64 with the bit, and from 512 on those that pass a structure which x32 lays out otherwise
    /// (arch/x86/entry/syscalls/syscall_64.tbl). A number of x86-64 that x32 has not is refused by the kernel.
    private static let callsOfX32: [Call] = {
        var byNumber = [Int?](repeating: nil, count: 512)
        for (index, call) in callTable.enumerated() {
            if let number = call.number(on: .x86_64), number < 512 { byNumber[number] = index }
        }
        byNumber += ownCallsOfX32.split(separator: " ").map { CallNames.index(of: String($0)) }
        return byNumber.enumerated().map { number, index in
            Call(
                number: AuditArchitecture.x32Bit | UInt32(number), name: index.map { callTable[$0].name } ?? "",
                own: index.map { [$0] } ?? [], alike: 6)
        }
    }()

    private static let ownCallsOfX32 = """
        rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve ptrace rt_sigpending rt_sigtimedwait \
        rt_sigqueueinfo sigaltstack timer_create mq_notify kexec_load waitid set_robust_list get_robust_list vmsplice \
        move_pages preadv pwritev rt_tgsigqueueinfo recvmmsg sendmmsg process_vm_readv process_vm_writev setsockopt \
        getsockopt io_setup io_submit execveat preadv2 pwritev2
        """

    /// Calls of i386 that x86-64 has by another name, or with other arguments from some place on: an argument of 64 bits
    /// takes two, ids are 16 bits wide, or a pointer to the arguments is the only one.
    private static let otherThanNamed: [String: (own: [String], alike: Int)] = {
        var result: [String: (own: [String], alike: Int)] = [:]
        for line in differences.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if let name = words.first, let alike = Int(words[1]) { result[name] = (Array(words.dropFirst(2)), alike) }
        }
        return result
    }()

    /// The name, how many arguments are alike, the calls of x86-64.
    private static let differences = """
        waitpid 3 wait4
        umount 1 umount2
        stime 0 settimeofday
        oldstat 1 stat
        oldfstat 1 fstat
        oldlstat 1 lstat
        nice 0 setpriority
        signal 1 rt_sigaction
        sigaction 3 rt_sigaction
        sgetmask 0 rt_sigprocmask
        ssetmask 0 rt_sigprocmask
        sigprocmask 3 rt_sigprocmask
        sigsuspend 0 rt_sigsuspend
        sigpending 1 rt_sigpending
        sigreturn 0 rt_sigreturn
        oldolduname 1 uname
        olduname 1 uname
        readdir 2 getdents
        _llseek 1 lseek
        _newselect 6 select
        select 0 select
        ugetrlimit 2 getrlimit
        mmap 0 mmap
        mmap2 5 mmap
        truncate64 1 truncate
        ftruncate64 1 ftruncate
        stat64 2 stat
        lstat64 2 lstat
        fstat64 2 fstat
        fstatat64 4 newfstatat
        fcntl64 3 fcntl
        sendfile64 4 sendfile
        statfs64 1 statfs
        fstatfs64 1 fstatfs
        fadvise64 1 fadvise64
        fadvise64_64 1 fadvise64
        sync_file_range 1 sync_file_range
        readahead 1 readahead
        pread64 3 pread64
        pwrite64 3 pwrite64
        preadv 3 preadv
        pwritev 3 pwritev
        preadv2 3 preadv2
        pwritev2 3 pwritev2
        fallocate 2 fallocate
        fanotify_mark 2 fanotify_mark
        lookup_dcookie 0 lookup_dcookie
        clone 3 clone
        chown 1 chown
        lchown 1 lchown
        fchown 1 fchown
        setuid 0 setuid
        setgid 0 setgid
        setreuid 0 setreuid
        setregid 0 setregid
        setresuid 0 setresuid
        setresgid 0 setresgid
        setfsuid 0 setfsuid
        setfsgid 0 setfsgid
        setgroups 1 setgroups
        chown32 3 chown
        lchown32 3 lchown
        fchown32 3 fchown
        getuid32 0 getuid
        getgid32 0 getgid
        geteuid32 0 geteuid
        getegid32 0 getegid
        setreuid32 2 setreuid
        setregid32 2 setregid
        getgroups32 2 getgroups
        setgroups32 2 setgroups
        setresuid32 3 setresuid
        getresuid32 3 getresuid
        setresgid32 3 setresgid
        getresgid32 3 getresgid
        setuid32 1 setuid
        setgid32 1 setgid
        setfsuid32 1 setfsuid
        setfsgid32 1 setfsgid
        clock_gettime64 2 clock_gettime
        clock_settime64 2 clock_settime
        clock_adjtime64 2 clock_adjtime
        clock_getres_time64 2 clock_getres
        clock_nanosleep_time64 4 clock_nanosleep
        timer_gettime64 2 timer_gettime
        timer_settime64 4 timer_settime
        timerfd_gettime64 2 timerfd_gettime
        timerfd_settime64 4 timerfd_settime
        utimensat_time64 4 utimensat
        pselect6_time64 6 pselect6
        ppoll_time64 5 ppoll
        io_pgetevents_time64 6 io_pgetevents
        recvmmsg_time64 5 recvmmsg
        mq_timedsend_time64 5 mq_timedsend
        mq_timedreceive_time64 5 mq_timedreceive
        semtimedop_time64 4 semtimedop
        rt_sigtimedwait_time64 4 rt_sigtimedwait
        futex_time64 6 futex
        sched_rr_get_interval_time64 2 sched_rr_get_interval
        ipc 0 semop semget semctl semtimedop msgsnd msgrcv msgget msgctl shmat shmdt shmget shmctl
        socketcall 0 socket bind connect listen accept getsockname getpeername socketpair sendto recvfrom shutdown \
        setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg
        """
}
