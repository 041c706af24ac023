import CLinux

/// How far the caller's user namespace reaches, user_namespaces(7).
package struct NamespacePrivilege: Sendable {
    /// Whether the caller's mount namespace belongs to its user namespace: CAP_SYS_ADMIN there is of no use for mounts else.
    package var ownsMounts = true
    /// Whether setgroups(2) is allowed at all.
    package var canSetGroups = true
    /// Whether it is the initial user namespace.
    package var isInitial = false
    /// Why that could not be told.
    package var refusal: KernelError?

    /// The inode of the initial user namespace, PROC_USER_INIT_INO of include/linux/proc_ns.h.
    private static let initialUserNamespace: UInt64 = 0xEFFF_FFFD

    /// Asks procfs; where that is missing, the kernel's own refusals will tell.
    package static func ofCaller() -> NamespacePrivilege {
        var result = NamespacePrivilege()
        do throws(KernelError) {
            let user = try inode("/proc/self/ns/user")
            result.isInitial = user == initialUserNamespace
            if result.isInitial { return result }
            result.canSetGroups = !(try readText("/proc/self/setgroups")).utf8.starts(with: "deny".utf8)
            let mounts = try open("/proc/self/ns/mnt", .read)
            let owner = Descriptor(
                owning: try attempt(.ioctl) { linux_ioctl_value(mounts.number, linux_NS_GET_USERNS, 0) })
            var status = stat()
            try attempt(.fstat) { unsafe fstat(owner.number, &status) }
            result.ownsMounts = status.st_ino == user
        } catch {
            // EPERM from the ioctl: the owner is out of reach, and so not ours.
            if error.call == .ioctl { result.ownsMounts = false } else { result.refusal = error }
        }
        return result
    }

    private static func inode(_ path: String) throws(KernelError) -> UInt64 {
        var status = stat()
        try attempt(.fstat, path) { unsafe path.withKernelText { unsafe fstatat(AT_FDCWD, $0, &status, 0) } }
        return UInt64(status.st_ino)
    }
}
