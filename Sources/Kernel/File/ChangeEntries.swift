import CLinux

// What changes the entries of a directory: always by a descriptor of the directory and one name, which is never followed.

/// Removes an entry that is not a directory, or (`directory`) an empty one. The corresponding C function is `unlinkat`.
package func removeEntry(_ name: EntryName, at directory: Int32, directory isDirectory: Bool) throws(KernelError) {
    try attempt(.unlinkat, name.text) {
        unsafe name.withCString { unsafe unlinkat(directory, $0, isDirectory ? AT_REMOVEDIR : 0) }
    }
}

/// Moves an entry over another. The corresponding C function is `renameat`.
package func moveEntry(
    _ name: EntryName, at directory: Int32, to other: EntryName, at target: Int32
) throws(KernelError) {
    try unsafe renaming(name, other) { unsafe renameat(directory, $0, target, $1) }
}

/// Moves an entry to a name that nothing has: EEXIST where something has it. The corresponding C function is `renameat2` with
/// `RENAME_NOREPLACE`.
package func moveEntry(
    _ name: EntryName, at directory: Int32, toNew other: EntryName, at target: Int32
) throws(KernelError) {
    try unsafe renaming(name, other) { unsafe linux_rename_over_nothing(directory, $0, target, $1) }
}

/// Swaps two entries in one step, whatever they are. The corresponding C function is `renameat2` with `RENAME_EXCHANGE`.
package func exchangeEntries(
    _ name: EntryName, at directory: Int32, with other: EntryName, at target: Int32
) throws(KernelError) {
    try unsafe renaming(name, other) { unsafe linux_rename_exchange(directory, $0, target, $1) }
}

private func renaming(
    _ name: EntryName, _ other: EntryName, _ call: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
) throws(KernelError) {
    try attempt(.renameat, name.text) {
        unsafe name.withCString { from in unsafe other.withCString { unsafe call(from, $0) } }
    }
}

/// A second name for a file. The corresponding C function is `linkat`.
package func linkEntry(
    _ name: EntryName, at directory: Int32, as other: EntryName, at target: Int32
) throws(KernelError) {
    try attempt(.linkat, name.text) {
        unsafe name.withCString { from in unsafe other.withCString { unsafe linkat(directory, from, target, $0, 0) } }
    }
}

/// Makes a directory. The corresponding C function is `mkdirat`.
package func makeDirectoryEntry(_ name: EntryName, at directory: Int32, permissions: UInt32) throws(KernelError) {
    try attempt(.mkdirat, name.text) { unsafe name.withCString { unsafe mkdirat(directory, $0, permissions) } }
}

/// Makes a symbolic link with that content. The corresponding C function is `symlinkat`.
package func makeLinkEntry(_ name: EntryName, to content: [UInt8], at directory: Int32) throws(KernelError) {
    try attempt(.symlinkat, name.text) {
        unsafe EntryName(content).withCString { to in
            unsafe name.withCString { unsafe symlinkat(to, directory, $0) }
        }
    }
}

/// Makes a FIFO. The corresponding C function is `mknodat` with `S_IFIFO`.
package func makeFIFOEntry(_ name: EntryName, at directory: Int32, permissions: UInt32) throws(KernelError) {
    try attempt(.mknodat, name.text) {
        unsafe name.withCString { unsafe mknodat(directory, $0, UInt32(S_IFIFO) | permissions, 0) }
    }
}

/// Makes what overlayfs takes for a deletion: a character device 0:0, which anybody may make (`WHITEOUT_DEV`). The
/// corresponding C function is `mknodat`.
package func makeWhiteout(_ name: EntryName, at directory: Int32) throws(KernelError) {
    try attempt(.mknodat, name.text) {
        unsafe name.withCString { unsafe mknodat(directory, $0, UInt32(S_IFCHR), 0) }
    }
}

/// Sets the times of an open file. The corresponding C function is `futimens`.
package func setTimes(of descriptor: Int32, accessed: FileTime, modified: FileTime) throws(KernelError) {
    try attempt(.utimensat) { unsafe futimens(descriptor, [accessed.timespec, modified.timespec]) }
}

/// Has what an open file holds written to the disk, and does not wait for it. The corresponding C function is `sync_file_range`.
package func beginWriting(_ descriptor: Int32) throws(KernelError) {
    try attempt(.syncFileRange) { sync_file_range(descriptor, 0, 0, UInt32(SYNC_FILE_RANGE_WRITE)) }
}

/// Waits until what an open file holds is on the disk. The corresponding C function is `fsync`.
package func synchronize(_ descriptor: Int32) throws(KernelError) {
    try persist(.fsync) { CLinux.fsync(descriptor) }
}

/// Waits until all that was written to the file system of an open file is on the disk. The corresponding C function is `syncfs`.
package func synchronizeFileSystem(_ descriptor: Int32) throws(KernelError) {
    try persist(.syncfs) { CLinux.syncfs(descriptor) }
}

/// Copies the first `length` bytes of an open file into an empty one, by reference where the file system can. What is a hole
/// stays one where the file takes less `room` than it is long: a copy takes no more. The corresponding C functions are `lseek`
/// with SEEK_DATA and SEEK_HOLE, and `copy_file_range`; between file systems that refuse it, `read` and `write`.
package func copyContent(of source: Int32, to target: Int32, length: Int, room: Int) throws(KernelError) {
    if room >= length { return try copyBytes(of: source, to: target, count: length) }
    var place = 0
    while place < length, let start = try seek(source, place, .data), start < length {
        let end = min(try seek(source, start, .hole) ?? length, length)
        for descriptor in [source, target] { try attempt(.lseek) { lseek(descriptor, start, SEEK_SET) } }
        try copyBytes(of: source, to: target, count: end - start)
        place = end
    }
    try setLength(of: target, length)
}

private enum Stretch: Int32 { case data = 3, hole = 4 }

/// Where the next stretch of that kind begins, from `place` on; nil where there is none.
private func seek(_ descriptor: Int32, _ place: Int, _ kind: Stretch) throws(KernelError) -> Int? {
    do throws(KernelError) {
        return try attempt(.lseek) { lseek(descriptor, place, kind.rawValue) }
    } catch {
        guard error.errno == .noSuchDeviceOrAddress else { throw error }
        return nil
    }
}

/// From where each is read and written; fewer where the file has become shorter.
private func copyBytes(of source: Int32, to target: Int32, count: Int) throws(KernelError) {
    var rest = count
    while rest > 0 {
        do throws(KernelError) {
            let most = min(rest, 1 << 30)
            let copied = try persist(.copyFileRange) { copy_file_range(source, nil, target, nil, most, 0) }
            if copied == 0 { break }
            rest -= copied
        } catch {
            guard [.crossesDevice, .invalid, .unsupported, .notSupported].contains(error.errno) else { throw error }
            break
        }
    }
    while rest > 0 {
        let most = min(rest, 1 << 16)
        let chunk = try unsafe filled(.read, upTo: most) { unsafe CLinux.read(source, $0, $1) }
        if chunk.isEmpty { return }
        try writeAll(target, chunk)
        rest -= chunk.count
    }
}

/// Locks an open file for this one holder, or together with others (`isShared`), without waiting; false where another has it. The
/// corresponding C function is `flock` with `LOCK_EX` or `LOCK_SH`, and `LOCK_NB`.
package func takeLock(_ descriptor: Int32, isShared: Bool = false) throws(KernelError) -> Bool {
    do throws(KernelError) {
        try persist(.flock) { flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) }
        return true
    } catch {
        guard error.errno == .again else { throw error }
        return false
    }
}

/// Locks a whole file for reading, for this open file and all copies of the descriptor; false where somebody has locked it for
/// writing. The corresponding C function is `fcntl` with F_OFD_SETLK.
package func lockForReading(_ descriptor: Int32) throws(KernelError) -> Bool {
    do throws(KernelError) {
        try persist(.fcntl) { linux_lock_for_reading(descriptor) }
        return true
    } catch {
        guard error.errno == .again || error.errno == .accessDenied else { throw error }
        return false
    }
}

/// Whether another open file holds such a lock. The corresponding C function is `fcntl` with F_OFD_GETLK.
package func isLockedForReading(_ descriptor: Int32) throws(KernelError) -> Bool {
    try persist(.fcntl) { linux_is_locked_for_reading(descriptor) } != 0
}

/// The magic number of the file system of an open file, and whether that, or the mount, takes no changes. The corresponding C
/// function is `fstatfs`.
package func fileSystemKind(of descriptor: Int32) throws(KernelError) -> (magic: Int, isReadOnly: Bool) {
    var result = statfs()
    try attempt(.fstatfs) { unsafe fstatfs(descriptor, &result) }
    return (Int(result.f_type), Int(result.f_flags) & Int(ST_RDONLY) != 0)
}

/// Whether two open files have the same bytes from where each is read.
package func haveSameContent(_ one: Int32, _ other: Int32) throws(KernelError) -> Bool {
    while true {
        let bytes = try block(of: one)
        guard try bytes == block(of: other) else { return false }
        if bytes.isEmpty { return true }
    }
}

/// The next 64 KiB, fewer only at the end of the file.
private func block(of descriptor: Int32) throws(KernelError) -> [UInt8] {
    let size = 1 << 16
    var bytes: [UInt8] = []
    while bytes.count < size {
        let room = size - bytes.count
        let chunk = try unsafe filled(.read, upTo: room) { unsafe CLinux.read(descriptor, $0, $1) }
        if chunk.isEmpty { return bytes }
        if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
    }
    return bytes
}

/// Has this process reach files as that user and group, in these groups besides, and without the capabilities that would reach more; uid 0
/// gets them back. The corresponding C functions are `setgroups`, `setfsgid` and `setfsuid`.
package func reachFiles(asUser user: UInt32, group: UInt32, groups: [UInt32]) throws(KernelError) {
    let wanted = groups.sorted()
    if try supplementaryGroups().sorted() != wanted {
        try setGroups(groups)
        guard try supplementaryGroups().sorted() == wanted else { throw KernelError(.setgroups, .notPermitted) }
    }
    setfsgid(group)
    setfsuid(user)
    // They return what was before, failed or not.
    guard setfsuid(.max) == Int32(bitPattern: user), setfsgid(.max) == Int32(bitPattern: group) else {
        throw KernelError(.setresuid, .notPermitted)
    }
}
