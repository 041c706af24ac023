import CLinux

/// Lets a group open a pipe anew, by /proc/PID/fd, for what this end of it is open for: pipe(7) gives it to whoever made it,
/// who stays its owner. Nothing is done where the descriptor is closed, is a file of a file system (a FIFO too) or a socket, or
/// belongs to somebody whom this process has no right over (EPERM). The corresponding C functions are `fchown` and `fchmod`.
package func letReopen(pipe descriptor: Int32, group: UInt32) throws(KernelError) {
    var found = stat()
    guard unsafe fstat(descriptor, &found) == 0, found.st_mode & UInt32(S_IFMT) == UInt32(S_IFIFO),
        try fileSystemMagic(of: descriptor) == pipefs
    else { return }
    let flags = try attempt(.fcntl) { linux_fcntl(descriptor, F_GETFL, 0) }
    let rights: UInt32 =
        switch flags & O_ACCMODE {
        case O_RDONLY: 0o040
        case O_WRONLY: 0o020
        default: 0o060
        }
    // What the other end has been given to the same group stays.
    let others = found.st_gid == group ? found.st_mode & 0o777 : found.st_mode & 0o707
    do throws(KernelError) {
        if found.st_gid != group { try setOwner(of: descriptor, user: .max, group: group) }
        if found.st_mode & 0o777 != others | rights { try attempt(.fchmod) { fchmod(descriptor, others | rights) } }
    } catch {
        guard error.errno == .notPermitted else { throw error }
    }
}

/// PIPEFS_MAGIC of linux/magic.h.
private let pipefs = 0x5049_5045
