import CLinux

/// The caller's real ids and supplementary groups.
package func callerIdentity() -> (uid: UInt32, euid: UInt32, gid: UInt32, groups: [UInt32]) {
    var groups = [gid_t](repeating: 0, count: 0)
    let count = getgroups(0, nil)
    if count > 0 {
        groups = [gid_t](repeating: 0, count: Int(count))
        let got = unsafe getgroups(count, &groups)
        groups.removeLast(Int(count) - Int(max(0, got)))
    }
    return (getuid(), geteuid(), getgid(), groups)
}

/// The supplementary groups of this process. The corresponding C function is `getgroups`.
package func supplementaryGroups() throws(KernelError) -> [UInt32] {
    let count = try attempt(.getgroups) { getgroups(0, nil) }
    var groups = [gid_t](repeating: 0, count: Int(count))
    let got = try attempt(.getgroups) { unsafe getgroups(count, &groups) }
    return Array(groups.prefix(Int(got)))
}

/// The id that decides what the caller may do. The corresponding C function is `geteuid`.
package func effectiveUser() -> UInt32 { geteuid() }

/// The group of the caller's that decides the same. The corresponding C function is `getegid`.
package func effectiveGroup() -> UInt32 { getegid() }

/// The mask of the modes of new files, umask(2).
package func currentUmask() -> UInt32 {
    let mask = CLinux.umask(0)
    _ = CLinux.umask(mask)
    return mask
}

/// The corresponding C function is `setgroups`.
package func setGroups(_ groups: [UInt32]) throws(KernelError) {
    try attempt(.setgroups) { unsafe CLinux.setgroups(groups.count, groups) }
}

/// Sets the real, effective, saved and file-system group. The corresponding C function is `setresgid`.
package func setGroup(_ group: UInt32) throws(KernelError) {
    try attempt(.setresgid) { setresgid(group, group, group) }
}

/// Sets the real, effective, saved and file-system user. The corresponding C function is `setresuid`.
package func setUser(_ user: UInt32) throws(KernelError) {
    try attempt(.setresuid) { setresuid(user, user, user) }
}

/// The corresponding C function is `umask`.
package func setUmask(_ mask: UInt32) { _ = CLinux.umask(mask) }

/// Whether `setsid` would succeed for the caller, or is not needed: not for the leader of a process group, unless its
/// session has no terminal to be typed into.
package func canStartSession() -> Bool {
    guard getpgrp() == getpid() else { return true }
    // /dev/tty answers ENXIO where there is no controlling terminal, tty(4).
    let terminal = unsafe linux_open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC, 0)
    guard terminal >= 0 else { return true }
    CLinux.close(terminal)
    return false
}
