import CLinux
package import LinuxFacts

// What a process asks the kernel about itself. What is to be answered into memory is filled with what no promise has
// before, so that an answer that was not given is none.

/// The corresponding C call is `prctl(PR_GET_SECUREBITS)`.
package func secureBits() throws(KernelError) -> SecureBits {
    SecureBits(rawValue: UInt32(try attempt(.prctl) { linux_prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) }))
}

/// Whether others of the same user may look into this process. The corresponding C call is `prctl(PR_GET_DUMPABLE)`.
package func isDumpable() throws(KernelError) -> Bool {
    try attempt(.prctl) { linux_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) } != 0
}

/// The signal that comes when the parent ends; 0 for none. The corresponding C call is `prctl(PR_GET_PDEATHSIG)`.
package func parentDeathSignal() throws(KernelError) -> Int32 {
    var signal: Int32 = -1
    try attempt(.prctl) {
        unsafe withUnsafeMutablePointer(to: &signal) { pointer in
            linux_prctl(PR_GET_PDEATHSIG, UInt(bitPattern: pointer), 0, 0, 0)
        }
    }
    return signal
}

/// The mode of seccomp(2): 0 for none, 2 for filters; nil where that may not be asked. The corresponding C call is
/// `prctl(PR_GET_SECCOMP)`.
package func filterMode() -> Int32? {
    let mode = linux_prctl(PR_GET_SECCOMP, 0, 0, 0, 0)
    return mode >= 0 ? mode : nil
}

/// The execution domain. A filter such as that of LockPersonality=, systemd.exec(5), refuses the question and allows to set what is in
/// force: the call returns what that was before.
private func personalityInForce() throws(KernelError) -> Int32 {
    do throws(KernelError) {
        return try attempt(.personality) { CLinux.personality(0xFFFF_FFFF) }
    } catch {
        guard error.errno == .notPermitted else { throw error }
        return try attempt(.personality) { CLinux.personality(UInt(InheritedAttributes.usual.personality)) }
    }
}

/// What `setInheritedAttributes` sets. The corresponding C functions are `personality` and `prctl`.
package func inheritedAttributes() throws(KernelError) -> InheritedAttributes {
    InheritedAttributes(
        personality: try personalityInForce(),
        hugePagesOff: try attempt(.prctl) { linux_prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) } != 0,
        timerSlack: try attempt(.prctl) { linux_prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) })
}

/// The soft and hard limit; what is unlimited is the largest number. The corresponding C function is `prlimit`.
package func resourceLimit(_ resource: Int32) throws(KernelError) -> (soft: UInt64, hard: UInt64) {
    var limit = rlimit(rlim_cur: 0x0123_4567_89AB_CDEF, rlim_max: 0)
    try attempt(.getrlimit) { unsafe prlimit(0, __rlimit_resource(UInt32(resource)), nil, &limit) }
    return (UInt64(limit.rlim_cur), UInt64(limit.rlim_max))
}

/// The corresponding C function is `getpriority`.
package func niceness() -> Int32 { getpriority(PRIO_PROCESS, 0) }

/// The processors that this process may run on. The corresponding C function is `sched_getaffinity`.
package func affinity() throws(KernelError) -> [Int] {
    var mask = [UInt](repeating: .max, count: 128)
    let bytes = try attempt(.setAffinity) {
        unsafe mask.withUnsafeMutableBytes { space -> Int in
            guard let base = space.baseAddress else { return -1 }
            return unsafe linux_getaffinity(space.count, base)
        }
    }
    return (0..<(bytes * 8)).filter { mask[$0 / UInt.bitWidth] >> UInt($0 % UInt.bitWidth) & 1 == 1 }
}

/// The serial number of the session keyring, 0 for none; nil where a filter refuses to say, as the jail outside of this one
/// may. The corresponding C call is `keyctl(KEYCTL_GET_KEYRING_ID)`.
package func sessionKeyring() -> Int? {
    let serial = linux_keyctl(KEYCTL_GET_KEYRING_ID, UInt(bitPattern: Int(KEY_SPEC_SESSION_KEYRING)))
    guard serial < 0 else { return serial }
    let errno = Errno.current
    return errno == .notPermitted || errno == .unsupported ? nil : 0
}

/// The corresponding C function is `getsid`.
package func session() -> Int32 { getsid(0) }

/// The session of which a terminal is the controlling one; nil where it is not the caller's. The corresponding C function
/// is `tcgetsid`.
package func session(ofTerminal descriptor: Int32) -> Int32? {
    let session = tcgetsid(descriptor)
    return session >= 0 ? session : nil
}

/// The corresponding C function is `uname`.
package func hostName() -> String {
    var name = utsname()
    unsafe uname(&name)
    return unsafe withUnsafePointer(to: &name.nodename) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 65) { unsafe String(cString: $0) }
    }
}

/// Whether setns(2) is answered by a filter: the kernel would say EBADF to this descriptor.
package func isJoiningRefused() -> Bool { CLinux.setns(-1, 0) < 0 && linux_errno() == EPERM }

/// What the kernel, or a filter, says to a read of an open file that is there to be read: an errno, 0 for an answer.
package func refusal(ofReading descriptor: Int32) -> Int32 {
    var byte: UInt8 = 0
    return unsafe pread(descriptor, &byte, 1, 0) == 1 ? 0 : linux_errno()
}

/// The number of an open file's size, stat(2): of /proc/PID/fd, since Linux 6.2, how many descriptors are open.
package func size(of path: String, at directory: Int32) throws(KernelError) -> Int {
    var status = stat()
    try attempt(.fstat, path) { unsafe path.withKernelText { unsafe fstatat(directory, $0, &status, 0) } }
    return Int(status.st_size)
}

/// The first descriptor that does not stand as it should: those in `kept`, and 0 to 2, may be kept by exec, no other, and
/// each of `kept` must be. nil where all is right. `count` is how many are open, 0 where that is not known; then every
/// number below `tableSize` is looked at.
///
/// The corresponding C function is `fcntl(F_GETFD)`: poll(2) takes one that was opened with O_PATH for closed.
package func strayDescriptor(keeping kept: [Int32], count: Int, tableSize: () -> Int32) -> Int32? {
    for number in kept where linux_fcntl(number, F_GETFD, 0) != 0 { return number }
    let end = count > 0 ? Int32.max : tableSize()
    var (number, found) = (Int32(0), 0)
    while number < end && (count == 0 || found < count) {
        let flags = linux_fcntl(number, F_GETFD, 0)
        if flags >= 0 {
            found += 1
            if number > 2 && flags & FD_CLOEXEC == 0 && !kept.contains(number) { return number }
        } else if linux_errno() != EBADF || number > 1 << 20 {
            // Not whether it is open was answered; or more are open than can be found.
            return number
        }
        number += 1
    }
    return nil
}

/// The number in a link of procfs to a namespace, which tells those of a kind apart; 0 where it has none. `proc` is /proc.
/// The corresponding C function is `readlinkat`: it costs half of what stat(2) does there.
package func namespaceNumber(_ link: String, at proc: Int32) throws(KernelError) -> UInt64 {
    var number: UInt64 = 0
    try attempt(.readlinkat, link) { unsafe link.withKernelText { unsafe linux_namespace_number(proc, $0, &number) } }
    return number
}

/// Whether two paths lead to the same file. The corresponding C function is `stat`.
package func isSameFile(_ path: String, _ other: String) throws(KernelError) -> Bool {
    var (a, b) = (stat(), stat())
    a.st_ino = 1
    try attempt(.fstat, path) { unsafe path.withKernelText { unsafe fstatat(AT_FDCWD, $0, &a, 0) } }
    try attempt(.fstat, other) { unsafe other.withKernelText { unsafe fstatat(AT_FDCWD, $0, &b, 0) } }
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino
}

/// How large the file system is that an open file is on, in bytes and inodes, and what of it is free for whoever is not root. The
/// corresponding C function is `fstatfs`.
package func capacity(
    of descriptor: Int32
) throws(KernelError) -> (bytes: UInt64, inodes: UInt64, free: UInt64, freeInodes: UInt64) {
    var result = statfs()
    result.f_blocks = .max
    try attempt(.fstatfs) { unsafe fstatfs(descriptor, &result) }
    return (
        UInt64(result.f_blocks) &* UInt64(result.f_bsize), UInt64(result.f_files),
        UInt64(result.f_bavail) &* UInt64(result.f_bsize), UInt64(result.f_ffree)
    )
}

/// What holds on the mount that an open file is on, attached or not, as far as fstatfs(2) knows it.
package func heldAttributes(of descriptor: Int32) throws(KernelError) -> MountAttributes {
    var result = statfs()
    try attempt(.fstatfs) { unsafe fstatfs(descriptor, &result) }
    let flags = UInt64(result.f_flags)
    func bit(_ flag: some BinaryInteger, _ attribute: Int32) -> UInt64 {
        flags & UInt64(flag) != 0 ? UInt64(attribute) : 0
    }
    let access = bit(ST_RDONLY, MOUNT_ATTR_RDONLY) | bit(ST_NOSUID, MOUNT_ATTR_NOSUID)
    let use = bit(ST_NODEV, MOUNT_ATTR_NODEV) | bit(ST_NOEXEC, MOUNT_ATTR_NOEXEC)
    let times = bit(ST_NOATIME, MOUNT_ATTR_NOATIME) | bit(ST_NODIRATIME, MOUNT_ATTR_NODIRATIME)
    let links = bit(0x2000, MOUNT_ATTR_NOSYMFOLLOW)  // ST_NOSYMFOLLOW, Linux 5.10, which glibc has no name for
    return MountAttributes(rawValue: access | use | times | links)
}

// What Landlock refuses: each of these has no effect where it does not.

/// What is done over TCP.
package enum TCPAct: Sendable { case bind, connect }

/// What the kernel answers to `bind` or `connect` with that port of 127.0.0.1; nil where it is done.
package func refusal(ofTCP act: TCPAct, port: UInt16) -> Errno? {
    var connects: Int32 = 0
    if case .connect = act { connects = 1 }
    let errno = linux_refusal_of_tcp(connects, port)
    return errno == 0 ? nil : Errno(rawValue: errno)
}

/// A socket that listens at an abstract address of its own, unix(7).
package func listenAbstractly() throws(KernelError) -> Int32 { try attempt(.socket) { linux_listen_abstractly() } }

/// Whether the caller may not connect to it: EPERM, what a scope of Landlock answers.
package func isAbstractSocketClosed(_ listener: Int32) -> Bool { linux_refusal_of_abstract(listener) == EPERM }

/// Whether the caller may not signal that process. The corresponding C function is `kill` with signal 0.
package func isSignalClosed(_ process: Int32) -> Bool { CLinux.kill(process, 0) < 0 && linux_errno() == EPERM }

/// Whether this process has a real-time or deadline policy, sched(7). The corresponding C function is `sched_getscheduler`.
package func isRealTime() -> Bool {
    // SCHED_RESET_ON_FORK may stand beside the policy; SCHED_DEADLINE is in no header of libc.
    switch sched_getscheduler(0) & ~0x4000_0000 {
    case SCHED_FIFO, SCHED_RR, 6: true
    default: false
    }
}
