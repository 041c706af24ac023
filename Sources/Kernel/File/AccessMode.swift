import CLinux

/// Whether an open descriptor may be written to. The corresponding C call is `fcntl(F_GETFL)`.
package func isWritable(_ descriptor: Int32) -> Bool {
    let flags = linux_fcntl(descriptor, F_GETFL, 0)
    guard flags >= 0, flags & O_PATH == 0 else { return false }
    return flags & O_ACCMODE != O_RDONLY
}
