import CLinux

// Project quotas of ext4 and xfs: the files of a project share one limit, whoever owns them. quotactl(2), `quotactl_fd` of
// Linux 5.14, which is asked of the file system that an open file is on.

/// What a file system does about the limits of projects.
package enum ProjectQuotas: Sendable {
    /// It has no such quotas, or they are off.
    case absent
    /// What a project holds is counted, and nothing comes of it: a limit can be set all the same.
    case counted
    case enforced
}

/// Whether limits of projects hold. Only the state of the quotas tells: a limit can be set, and mountinfo can say `prjquota`,
/// where none is enforced. The corresponding C function is `quotactl` with `Q_XGETQSTAT`.
package func projectQuotas(of file: Int32) throws(KernelError) -> ProjectQuotas {
    var (counted, enforced) = (Int32(0), Int32(0))
    do throws(KernelError) {
        try attempt(.quotactl) { unsafe linux_project_state(file, &counted, &enforced) }
    } catch {
        // ENOSYS: no quota at all, in this file system or in the kernel. ENOTTY: not the kind of file system that has them.
        let none = [ENOSYS, ENOTTY, EINVAL, ESRCH, EOPNOTSUPP]
        guard none.contains(error.errno.rawValue) else { throw error }
        return .absent
    }
    return enforced != 0 ? .enforced : counted != 0 ? .counted : .absent
}

/// What a project may hold, and holds.
package struct ProjectUse: Equatable, Sendable {
    /// In units of 1024 bytes, as the kernel counts them; 0 for no limit, as in `inodes`.
    package let kibibytes: UInt64
    package let inodes: UInt64
    package let usedBytes: UInt64
    package let usedInodes: UInt64

    /// Whether nobody has a use for that project.
    package var isFree: Bool { kibibytes == 0 && inodes == 0 && usedBytes == 0 && usedInodes == 0 }
}

/// The corresponding C function is `quotactl` with `Q_GETQUOTA`.
package func projectUse(_ project: UInt32, of file: Int32) throws(KernelError) -> ProjectUse {
    var found = linux_project()
    do throws(KernelError) {
        try attempt(.quotactl) { unsafe linux_project_get(file, project, &found) }
    } catch {
        // xfs, of one that nothing is known of.
        guard error.errno == .noEntry else { throw error }
    }
    return ProjectUse(
        kibibytes: found.kibibytes, inodes: found.inodes, usedBytes: found.used_bytes, usedInodes: found.used_inodes)
}

/// Limits a project: 0 for no limit. The corresponding C function is `quotactl` with `Q_SETQUOTA`.
package func limitProject(
    _ project: UInt32, kibibytes: UInt64, inodes: UInt64, of file: Int32
) throws(KernelError) {
    try attempt(.quotactl) { linux_project_set(file, project, kibibytes, inodes) }
}

/// The project that an open file belongs to (0: none), and whether what is made in that directory will. The corresponding C call
/// is `ioctl(FS_IOC_FSGETXATTR)`.
package func project(of file: Int32) throws(KernelError) -> (number: UInt32, isInherited: Bool) {
    var (number, flags) = (UInt32(0), UInt32(0))
    try attempt(.ioctl, "FS_IOC_FSGETXATTR") { unsafe linux_project_of(file, &number, &flags) }
    // FS_XFLAG_PROJINHERIT
    return (number, flags & 0x200 != 0)
}

/// Makes an open file, or a directory and what will be made in it, one of a project. The corresponding C call is
/// `ioctl(FS_IOC_FSSETXATTR)`.
package func join(project number: UInt32, _ file: Int32, inherits: Bool) throws(KernelError) {
    try attempt(.ioctl, "FS_IOC_FSSETXATTR") { linux_project_join(file, number, inherits ? 1 : 0) }
}
