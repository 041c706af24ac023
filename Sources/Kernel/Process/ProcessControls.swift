import CLinux
package import LinuxFacts

/// No program executed from here on gains privilege, for ever. The corresponding C call is `prctl(PR_SET_NO_NEW_PRIVS)`.
package func forbidNewPrivileges() throws(KernelError) {
    try attempt(.prctl) { linux_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }
}

/// Whether others of the same user may trace this process or read its memory. The corresponding C call is
/// `prctl(PR_SET_DUMPABLE)`.
package func setDumpable(_ dumpable: Bool) throws(KernelError) {
    try attempt(.prctl) { linux_prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0, 0, 0, 0) }
}

/// Asks for `signal` when the thread that forked this process ends; a change of ids takes it back. The corresponding C
/// call is `prctl(PR_SET_PDEATHSIG)`.
package func setParentDeathSignal(_ signal: Int32) throws(KernelError) {
    try attempt(.prctl) { linux_prctl(PR_SET_PDEATHSIG, UInt(signal), 0, 0, 0) }
}

/// Orphaned descendants become children of this process. The corresponding C call is `prctl(PR_SET_CHILD_SUBREAPER)`.
package func becomeSubreaper() throws(KernelError) {
    try attempt(.prctl) { linux_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }
}

/// Sets the soft and hard limit, nil for unlimited. The corresponding C function is `setrlimit`.
package func setResourceLimit(_ resource: Int32, soft: UInt64?, hard: UInt64?) throws(KernelError) {
    var limit = rlimit(rlim_cur: UInt(soft ?? .max), rlim_max: UInt(hard ?? .max))
    try attempt(.setrlimit) { unsafe prlimit(0, __rlimit_resource(UInt32(resource)), &limit, nil) }
}

/// No file that this process writes to can have more than so many bytes: what goes beyond is SIGXFSZ. The corresponding C call is
/// `setrlimit(RLIMIT_FSIZE)`.
package func limitFiles(_ bytes: UInt64) throws(KernelError) {
    try setResourceLimit(Int32(RLIMIT_FSIZE.rawValue), soft: bytes, hard: bytes)
}

/// Raises the hard limit to `hard` (nil: unlimited) where it is lower. The corresponding C function is `prlimit`.
package func raiseHardLimit(_ resource: Int32, to hard: UInt64?) throws(KernelError) {
    var limit = rlimit()
    try attempt(.getrlimit) { unsafe prlimit(0, __rlimit_resource(UInt32(resource)), nil, &limit) }
    let wanted = UInt(hard ?? .max)
    guard limit.rlim_max < wanted else { return }
    limit.rlim_max = wanted
    try attempt(.setrlimit) { unsafe prlimit(0, __rlimit_resource(UInt32(resource)), &limit, nil) }
}

/// The corresponding C function is `setpriority`.
package func setNice(_ nice: Int32) throws(KernelError) {
    try attempt(.setpriority) { setpriority(PRIO_PROCESS, 0, nice) }
}

/// The corresponding C function is `sched_setaffinity`.
package func setAffinity(_ cpus: [Int]) throws(KernelError) {
    var mask = [UInt](repeating: 0, count: (cpus.max() ?? 0) / UInt.bitWidth + 1)
    for cpu in cpus { mask[cpu / UInt.bitWidth] |= 1 << UInt(cpu % UInt.bitWidth) }
    try attempt(.setAffinity) {
        unsafe mask.withUnsafeBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return -1 }
            return unsafe sched_setaffinity(0, bytes.count, base.assumingMemoryBound(to: cpu_set_t.self))
        }
    }
}

/// Joins a new, anonymous session keyring, and returns its serial number. A kernel without keyrings (ENOSYS) has none to
/// leak: nil. The corresponding C call is `keyctl(KEYCTL_JOIN_SESSION_KEYRING)`.
package func joinNewKeyring() throws(KernelError) -> Int? {
    do throws(KernelError) {
        return try attempt(.keyctl) { linux_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0) }
    } catch {
        guard error.errno == .unsupported else { throw error }
        return nil
    }
}

/// Sets what exec passes on and the caller may have changed: the execution domain (setarch(8), such as
/// `ADDR_NO_RANDOMIZE`), the ban on transparent huge pages, the timer slack. The corresponding C functions are
/// `personality` and `prctl`.
package func setInheritedAttributes(_ wanted: InheritedAttributes) throws(KernelError) {
    try attempt(.personality) { CLinux.personality(UInt(wanted.personality)) }
    try attempt(.prctl) { linux_prctl(PR_SET_THP_DISABLE, wanted.hugePagesOff ? 1 : 0, 0, 0, 0) }
    try attempt(.prctl) { linux_prctl(PR_SET_TIMERSLACK, UInt(wanted.timerSlack), 0, 0, 0) }
}

/// The corresponding C function is `sethostname`.
package func setHostName(_ name: String) throws(KernelError) {
    try attempt(.sethostname) { unsafe name.withKernelText { unsafe sethostname($0, name.utf8.count) } }
}

/// Brings the loopback interface of the caller's network namespace up, netdevice(7). Returns whether it then is, and the
/// name of another interface that has an address.
package func bringUpLoopback() throws(KernelError) -> (loopbackIsUp: Bool, other: String) {
    var flags: Int32 = 0
    var other = ""
    try attempt(.ioctl, "lo") {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IFNAMSIZ)) { name -> Int32 in
            guard let base = name.baseAddress else { return -1 }
            let result: Int32 = unsafe linux_interface_up("lo", &flags, base)
            if result >= 0 { other = unsafe String(cString: base) }
            return result
        }
    }
    return (flags & Int32(IFF_UP.rawValue) != 0, other)
}

/// The corresponding C function is `chdir`.
package func changeDirectory(to path: String) throws(KernelError) {
    try attempt(.chdir, path) { unsafe path.withKernelText { unsafe chdir($0) } }
}

/// The same for an open directory. The corresponding C function is `fchdir`.
package func changeDirectory(to directory: Int32) throws(KernelError) {
    try attempt(.fchdir) { fchdir(directory) }
}

/// The absolute path of the working directory; empty where it cannot be reached from the root. The corresponding system
/// call is `getcwd`, whose answer then begins with `(unreachable)`.
package func workingDirectory() throws(KernelError) -> String {
    let path = try unsafe filled(.getcwd, upTo: Int(PATH_MAX)) { unsafe Int(linux_getcwd($0, $1)) }
    guard path.count > 1, path[0] == UInt8(ascii: "/") else { return "" }
    return String(escaping: Array(path.dropLast()))
}
