import CLinux
import LinuxFacts

/// Reads at most `limit` bytes from an open file; more than that is `EFBIG`, never a truncated answer.
package func readAll(_ descriptor: Int32, limit: Int = 1 << 20, path: String = "") throws(KernelError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
        let chunk = try unsafe filled(.read, path, upTo: 4096) { unsafe CLinux.read(descriptor, $0, $1) }
        guard !chunk.isEmpty else { return bytes }
        if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
        guard bytes.count <= limit else { throw KernelError(.read, Errno(rawValue: EFBIG), path: path) }
    }
}

/// Reads once, at most `limit` bytes. The corresponding C function is `read`.
package func read(_ descriptor: Int32, upTo limit: Int) throws(KernelError) -> [UInt8] {
    try unsafe filled(.read, upTo: limit) { unsafe CLinux.read(descriptor, $0, $1) }
}

/// Goes back to the beginning of an open file. The corresponding C function is `lseek`.
package func rewind(_ descriptor: Int32) throws(KernelError) {
    try attempt(.read) { lseek(descriptor, 0, SEEK_SET) }
}

/// Where an open file is read next. The corresponding C function is `lseek`.
package func offset(of descriptor: Int32) throws(KernelError) -> Int {
    try attempt(.lseek) { lseek(descriptor, 0, SEEK_CUR) }
}

/// Has an open file be read from `offset` on next. The corresponding C function is `lseek`.
package func setOffset(of descriptor: Int32, _ offset: Int) throws(KernelError) {
    try attempt(.lseek) { lseek(descriptor, offset, SEEK_SET) }
}

/// Cuts an open file, or makes it longer. The corresponding C function is `ftruncate`.
package func setLength(of descriptor: Int32, _ length: Int) throws(KernelError) {
    try attempt(.ftruncate) { ftruncate(descriptor, length) }
}

/// Reads a small text file whole; it must be a regular file, or one of procfs. Never blocks on a FIFO.
package func readText(_ path: String, at directory: Int32 = currentDirectory) throws(KernelError) -> String {
    let file = try open(path, at: directory, .read | .nonBlocking | .noTerminal)
    guard try status(of: file.number).isRegular else { throw KernelError(.open, .invalid, path: path) }
    return String(decoding: try readAll(file.number, path: path), as: UTF8.self)
}

/// What one read(2) gives, at most that many bytes; empty at the end.
package func readSome(_ descriptor: Int32, upTo count: Int) throws(KernelError) -> [UInt8] {
    try unsafe filled(.read, "", upTo: count) { unsafe CLinux.read(descriptor, $0, $1) }
}

/// Writes all of `bytes`.
package func writeAll(_ descriptor: Int32, _ bytes: [UInt8], path: String = "") throws(KernelError) {
    var written = 0
    while written < bytes.count {
        written += try persist(.write, path) {
            unsafe bytes.withUnsafeBytes { buffer in
                unsafe CLinux.write(descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
            }
        }
    }
}

/// Writes `text` to an existing kernel file in one write(2), as procfs, sysfs and cgroupfs want it.
package func writeText(_ text: String, to path: String, at directory: Int32) throws(KernelError) {
    let file = try open(path, at: directory, .write | .noTerminal)
    try writeAll(file.number, Array(text.utf8), path: path)
}

/// The target of a symbolic link. The corresponding C function is `readlinkat`.
package func readLink(_ path: String, at directory: Int32 = currentDirectory) throws(KernelError) -> String {
    var target = ""
    try attempt(.readlinkat, path) {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(PATH_MAX)) { space in
            guard let base = space.baseAddress else { return -1 }
            let length = unsafe path.withKernelText { unsafe readlinkat(directory, $0, base, space.count) }
            if length > 0 { target = unsafe String(escaping: Array(space[..<length])) }
            return length
        }
    }
    return target
}

/// Makes a directory. The corresponding C function is `mkdirat`.
package func makeDirectory(_ path: String, at directory: Int32, permissions: UInt32) throws(KernelError) {
    try attempt(.mkdirat, path) { unsafe path.withKernelText { unsafe mkdirat(directory, $0, permissions) } }
}

/// Makes an empty file, and opens nothing. The corresponding C function is `mknodat` with `S_IFREG`.
package func makeEmptyFile(_ path: String, at directory: Int32, permissions: UInt32) throws(KernelError) {
    try attempt(.mknodat, path) {
        unsafe path.withKernelText { unsafe mknodat(directory, $0, UInt32(S_IFREG) | permissions, 0) }
    }
}

/// Makes a symbolic link. The corresponding C function is `symlinkat`.
package func makeSymlink(_ path: String, to target: String, at directory: Int32) throws(KernelError) {
    try attempt(.symlinkat, path) {
        unsafe target.withKernelText { to in unsafe path.withKernelText { unsafe symlinkat(to, directory, $0) } }
    }
}

/// Gives a file of a directory another name there, in place of what had it. The corresponding C function is `renameat`.
package func rename(_ path: String, to name: String, at directory: Int32) throws(KernelError) {
    try attempt(.renameat, name) {
        unsafe path.withKernelText { old in
            unsafe name.withKernelText { unsafe renameat(directory, old, directory, $0) }
        }
    }
}

/// Removes a name of a file. The corresponding C function is `unlinkat`.
package func removeFile(_ path: String, at directory: Int32) throws(KernelError) {
    try attempt(.unlinkat, path) { unsafe path.withKernelText { unsafe unlinkat(directory, $0, 0) } }
}

/// Sets the permission bits of an open file, whatever the umask. The corresponding C function is `fchmod`.
package func setPermissions(_ descriptor: Int32, _ permissions: UInt32) throws(KernelError) {
    try attempt(.fchmod) { fchmod(descriptor, permissions) }
}

/// The same of a directory that was opened with `O_PATH`, which fchmod(2) refuses.
package func setPermissions(ofDirectory directory: Int32, _ permissions: UInt32) throws(KernelError) {
    let opened = try open(".", at: directory, .read | .directory)
    try setPermissions(opened.number, permissions)
}

/// The same of anything that was opened with `O_PATH`: by the name that procfs has for it. The corresponding C function is
/// `chmod`.
package func setPermissions(ofPath descriptor: Int32, _ permissions: UInt32) throws(KernelError) {
    try attempt(.fchmod) { unsafe "/proc/self/fd/\(descriptor)".withCString { unsafe chmod($0, permissions) } }
}

/// The names in a directory, without `.` and `..`, in no order. The corresponding C function is `readdir`.
package func entries(of directory: Int32) throws(KernelError) -> [String] {
    let listing = try open(".", at: directory, .read | .directory)
    guard let stream = unsafe fdopendir(listing.release()) else { throw KernelError(.getdents, .current) }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
        // The end and an error are both nil, and only errno tells them apart.
        linux_clear_errno()
        guard let entry = unsafe CLinux.readdir(stream) else { break }
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(escaping: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    let end = Errno.current
    guard end.rawValue == 0 else { throw KernelError(.getdents, end) }
    return names
}

/// A file that is in memory only, with that content, to be read from its beginning. The corresponding C function is `memfd_create`.
package func makeMemoryFile(_ name: String, _ content: [UInt8]) throws(KernelError) -> Descriptor {
    let file = Descriptor(
        owning: try attempt(.memfdCreate) { unsafe name.withCString { unsafe memfd_create($0, UInt32(MFD_CLOEXEC)) } })
    try writeAll(file.number, content)
    return file
}

/// At most so many bytes from a place in a file, fewer at its end. The corresponding C function is `pread`.
package func readBytes(_ descriptor: Int32, at place: Int64, upTo count: Int) throws(KernelError) -> [UInt8] {
    try unsafe filled(.read, "", upTo: count) { unsafe pread(descriptor, $0, $1, off_t(place)) }
}

/// Gives a file all the blocks on the disk that its length needs; its content stays. The corresponding C function is `fallocate`.
package func reserveBlocks(of descriptor: Int32) throws(KernelError) {
    let length = try status(of: descriptor).size
    try persist(.fallocate) { fallocate(descriptor, 0, 0, off_t(length)) }
}
