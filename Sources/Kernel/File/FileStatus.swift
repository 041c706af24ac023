import CLinux

/// What tells two open files apart: the numbers of the device and of the inode.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64

    package init(device: UInt64, inode: UInt64) { (self.device, self.inode) = (device, inode) }
}

/// What fstat(2) tells of a file, as far as a launch asks.
package struct FileStatus: Sendable {
    package enum Kind: Sendable { case directory, regular, symlink, characterDevice, blockDevice, pipe, other }
    package let kind: Kind
    package var isDirectory: Bool { if case .directory = kind { true } else { false } }
    package var isRegular: Bool { if case .regular = kind { true } else { false } }
    package var isSymlink: Bool { if case .symlink = kind { true } else { false } }
    package var isCharacterDevice: Bool { if case .characterDevice = kind { true } else { false } }
    package var isBlockDevice: Bool { if case .blockDevice = kind { true } else { false } }
    /// A pipe, with a name or without.
    package var isPipe: Bool { if case .pipe = kind { true } else { false } }
    package var isDevice: Bool { isCharacterDevice || isBlockDevice }
    package let permissions: UInt32
    package let owner: UInt32
    package let group: UInt32
    /// The length in bytes.
    package let size: Int
    /// The numbers of a device node.
    package let device: (major: UInt32, minor: UInt32)
    package let identity: FileIdentity
    /// The numbers of the device that the file is on; major 0 where that is none.
    package let container: (major: UInt32, minor: UInt32)

    init(_ status: stat) {
        kind =
            switch status.st_mode & UInt32(S_IFMT) {
            case UInt32(S_IFDIR): .directory
            case UInt32(S_IFREG): .regular
            case UInt32(S_IFLNK): .symlink
            case UInt32(S_IFCHR): .characterDevice
            case UInt32(S_IFBLK): .blockDevice
            case UInt32(S_IFIFO): .pipe
            default: .other
            }
        permissions = status.st_mode & 0o7777
        owner = status.st_uid
        group = status.st_gid
        size = Int(status.st_size)
        identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        device = (gnu_dev_major(status.st_rdev), gnu_dev_minor(status.st_rdev))
        container = (gnu_dev_major(status.st_dev), gnu_dev_minor(status.st_dev))
    }
}

extension FileStatus {
    /// Whether both are the same file.
    package func isSame(as other: FileStatus) -> Bool {
        identity.device == other.identity.device && identity.inode == other.identity.inode
    }
}

/// The status of an open file, also of one opened with `O_PATH`. The corresponding C function is `fstat`.
package func status(of descriptor: Int32) throws(KernelError) -> FileStatus {
    var result = stat()
    try attempt(.fstat) { unsafe fstat(descriptor, &result) }
    return FileStatus(result)
}

/// The status of the file that a path leads to, through symbolic links. The corresponding C function is `fstatat`.
package func status(ofPath path: String) throws(KernelError) -> FileStatus {
    var result = stat()
    try attempt(.stat, path) { unsafe path.withKernelText { unsafe fstatat(AT_FDCWD, $0, &result, 0) } }
    return FileStatus(result)
}

/// The magic number of the file system that `descriptor` is on. The corresponding C function is `fstatfs`.
package func fileSystemMagic(of descriptor: Int32) throws(KernelError) -> Int {
    var result = statfs()
    try attempt(.fstatfs) { unsafe fstatfs(descriptor, &result) }
    return Int(result.f_type)
}

/// Magic numbers of statfs(2).
package enum FileSystemMagic {
    package static let proc = Int(PROC_SUPER_MAGIC)
    package static let namespaces = Int(NSFS_MAGIC)
    package static let devpts = Int(DEVPTS_SUPER_MAGIC)
    package static let cgroup = Int(CGROUP_SUPER_MAGIC)
    package static let cgroup2 = Int(CGROUP2_SUPER_MAGIC)
    package static let overlay = Int(OVERLAYFS_SUPER_MAGIC)
    package static let fuse = 0x6573_5546
    package static let squashfs = Int(SQUASHFS_MAGIC)
    package static let erofs = 0xE0F5_E1E2
    package static let ext4 = Int(EXT4_SUPER_MAGIC)
    package static let xfs = Int(XFS_SUPER_MAGIC)
    package static let nfs = Int(NFS_SUPER_MAGIC)
    /// Those of this machine's own disks and memory.
    package static let local = [
        ext4, xfs, Int(BTRFS_SUPER_MAGIC), Int(F2FS_SUPER_MAGIC), Int(TMPFS_MAGIC),
    ]
    /// Those that no path is walked through by asking a server: local ones, images, what the kernel makes up, and FUSE, which the
    /// kernel asks for names alone.
    static let walkedAlone =
        local + [
            proc, devpts, cgroup, cgroup2, overlay, fuse, squashfs, erofs, Int(SYSFS_MAGIC), Int(RAMFS_MAGIC),
            Int(SECURITYFS_MAGIC), Int(DEBUGFS_MAGIC), Int(TRACEFS_MAGIC), Int(BPF_FS_MAGIC), Int(HUGETLBFS_MAGIC),
            Int(PSTOREFS_MAGIC), Int(EFIVARFS_MAGIC), Int(BINFMTFS_MAGIC), Int(AUTOFS_SUPER_MAGIC), Int(NSFS_MAGIC),
            Int(ISOFS_SUPER_MAGIC), Int(MSDOS_SUPER_MAGIC), Int(SELINUX_MAGIC), mqueue, fuseControl, configuration,
        ]
    /// Whether a mount of it may have other ids than the file system, mount_setattr(2).
    package static func mapsIDs(_ magic: Int, _ kernel: (major: Int, minor: Int)) -> Bool {
        switch magic {
        case ext4, xfs, Int(BTRFS_SUPER_MAGIC): true
        case Int(TMPFS_MAGIC): kernel >= (6, 3)
        default: false
        }
    }
    private static let mqueue = 0x1980_0202
    private static let fuseControl = 0x6573_5543
    private static let configuration = 0x6265_6570
}

/// Changes the owner of a file below an open directory, not through a symbolic link. The corresponding C function is
/// `fchownat`.
package func setOwner(_ path: String, at directory: Int32, user: UInt32, group: UInt32) throws(KernelError) {
    try attempt(.fchownat, path) {
        unsafe path.withKernelText { unsafe fchownat(directory, $0, user, group, AT_SYMLINK_NOFOLLOW) }
    }
}

/// Whether the file of a descriptor, which may have been opened with `O_PATH`, may be written to with the caller's effective
/// ids and capabilities; true where that cannot be said. The corresponding C function is `faccessat`.
package func canWrite(_ descriptor: Int32) -> Bool {
    let result = unsafe faccessat(descriptor, "", W_OK, AT_EACCESS | AT_EMPTY_PATH)
    return result == 0 || Errno.current != .accessDenied
}

/// Whether the caller's effective ids and capabilities may read the file of this path and search the directories on the way
/// to it. The corresponding C function is `faccessat` with `AT_EACCESS`.
package func canRead(_ path: String) throws(KernelError) -> Bool {
    try isAllowed(path) { unsafe path.withKernelText { unsafe faccessat(AT_FDCWD, $0, R_OK, AT_EACCESS) } }
}

/// Whether the caller's effective ids and capabilities may search the directories on the way to the file of this path. The
/// corresponding C function is `faccessat` with `AT_EACCESS`.
package func canReach(_ path: String) throws(KernelError) -> Bool {
    try isAllowed(path) { unsafe path.withKernelText { unsafe faccessat(AT_FDCWD, $0, F_OK, AT_EACCESS) } }
}

/// Whether the caller's effective ids and capabilities may enter the directory of this path; false where there is none. The
/// corresponding C function is `faccessat` with `AT_EACCESS`.
package func canEnter(_ path: String) -> Bool {
    unsafe (path + "/.").withKernelText { unsafe faccessat(AT_FDCWD, $0, X_OK, AT_EACCESS) } == 0
}

/// Whether the caller's effective ids and capabilities may look up names in a directory, which may have been opened with
/// `O_PATH`. The corresponding C function is `faccessat` with `AT_EACCESS` and `AT_EMPTY_PATH`.
package func canSearch(_ directory: Int32) throws(KernelError) -> Bool {
    try isAllowed("") { unsafe faccessat(directory, "", X_OK, AT_EACCESS | AT_EMPTY_PATH) }
}

private func isAllowed(_ path: String, _ ask: () -> Int32) throws(KernelError) -> Bool {
    do throws(KernelError) {
        try attempt(.faccessat, path, ask)
        return true
    } catch {
        guard error.errno == .accessDenied else { throw error }
        return false
    }
}

/// Changes the owner of an open file, also of one opened with `O_PATH`. The corresponding C function is `fchownat` with
/// `AT_EMPTY_PATH`.
package func setOwner(of descriptor: Int32, user: UInt32, group: UInt32) throws(KernelError) {
    try attempt(.fchownat) { unsafe fchownat(descriptor, "", user, group, AT_EMPTY_PATH) }
}

/// The status of what has that name, of a symbolic link itself. The corresponding C function is `lstat`.
package func status(ofEntry path: String) throws(KernelError) -> FileStatus {
    var result = stat()
    try attempt(.stat, path) {
        unsafe path.withKernelText { unsafe fstatat(AT_FDCWD, $0, &result, AT_SYMLINK_NOFOLLOW) }
    }
    return FileStatus(result)
}

/// Whether the caller's effective ids and capabilities may read the file of a path, or write to it. The corresponding C
/// function is `faccessat` with `AT_EACCESS`.
package func mayAccess(_ path: String, writing: Bool) -> Bool {
    unsafe path.withKernelText { unsafe faccessat(AT_FDCWD, $0, writing ? W_OK : R_OK, AT_EACCESS) } == 0
}
