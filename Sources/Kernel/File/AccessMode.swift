import CLinux

/// Whether an open descriptor may be written to. The corresponding C call is `fcntl(F_GETFL)`.
package func isWritable(_ descriptor: Int32) -> Bool {
    let flags = linux_fcntl(descriptor, F_GETFL, 0)
    guard flags >= 0, flags & O_PATH == 0 else { return false }
    return flags & O_ACCMODE != O_RDONLY
}

/// What an open descriptor may do with its file; one opened with `O_PATH` neither reads nor writes.
package struct AccessMode: Sendable {
    package let reads: Bool
    package let writes: Bool
    /// Whether all that is written goes to the end.
    package let appends: Bool

    /// nil where the descriptor is not open. The corresponding C call is `fcntl(F_GETFL)`.
    package init?(of descriptor: Int32) {
        let flags = linux_fcntl(descriptor, F_GETFL, 0)
        guard flags >= 0 else { return nil }
        self.init(flags: flags)
    }

    /// Of the flags that open(2) was called with.
    package init(flags: Int32) {
        let isPath = flags & O_PATH != 0
        reads = !isPath && flags & O_ACCMODE != O_WRONLY
        writes = !isPath && flags & O_ACCMODE != O_RDONLY
        appends = flags & O_APPEND != 0
    }
}
