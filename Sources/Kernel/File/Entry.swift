import CLinux

/// The name of one entry of a directory: bytes, which need not be text.
package struct EntryName: Hashable, Comparable, Sendable, ExpressibleByStringLiteral {
    package let bytes: [UInt8]
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(stringLiteral text: String) { bytes = Array(text.utf8) }
    package static func < (one: EntryName, other: EntryName) -> Bool {
        one.bytes.lexicographicallyPrecedes(other.bytes)
    }

    /// The name for people and for messages.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { space in
            for index in bytes.indices { unsafe space[index] = CChar(bitPattern: bytes[index]) }
            unsafe space[bytes.count] = 0
            guard let base = space.baseAddress else { preconditionFailure("no room for a name") }
            return unsafe body(base)
        }
    }
}

/// A time as a file has it, which whoever may write to the file sets to anything: in nanoseconds it need not fit into 64 bits.
package struct FileTime: Equatable, Sendable {
    package let seconds: Int
    package let nanoseconds: Int

    init(_ time: timespec) { (seconds, nanoseconds) = (time.tv_sec, time.tv_nsec) }

    var timespec: timespec { CLinux.timespec(tv_sec: seconds, tv_nsec: nanoseconds) }

    /// The nearest there is.
    var nanosecondsSinceEpoch: Int64 {
        let (product, isTooLarge) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isBeyond) = product.addingReportingOverflow(Int64(nanoseconds))
        return isTooLarge || isBeyond ? (seconds < 0 ? .min : .max) : sum
    }
}

/// What lstat(2) tells of an entry, as far as changes of a tree are concerned.
package struct EntryStatus: Equatable, Sendable {
    package enum Kind: UInt8, Equatable, Sendable {
        case directory, regular, symlink, fifo, socket, characterDevice, blockDevice
    }

    package var kind: Kind
    /// The permission bits, with set-user-ID, set-group-ID and sticky.
    package var permissions: UInt32
    package var owner: UInt32
    package var group: UInt32
    /// The length in bytes.
    package var size: Int
    /// How much room it takes, in bytes.
    package var room: Int
    package var links: Int
    package var device: UInt64
    package var inode: UInt64
    /// The number of a device node.
    package var node: UInt64
    package var accessed: FileTime
    package var modified: FileTime
    /// Nanoseconds since the epoch; nobody can set it.
    package var changed: Int64

    init(_ status: stat) {
        kind =
            switch status.st_mode & UInt32(S_IFMT) {
            case UInt32(S_IFDIR): .directory
            case UInt32(S_IFLNK): .symlink
            case UInt32(S_IFIFO): .fifo
            case UInt32(S_IFSOCK): .socket
            case UInt32(S_IFCHR): .characterDevice
            case UInt32(S_IFBLK): .blockDevice
            default: .regular
            }
        permissions = status.st_mode & 0o7777
        (owner, group) = (status.st_uid, status.st_gid)
        (size, links) = (Int(status.st_size), Int(status.st_nlink))
        room = Int(status.st_blocks) * 512
        (device, inode, node) = (UInt64(status.st_dev), UInt64(status.st_ino), UInt64(status.st_rdev))
        accessed = FileTime(status.st_atim)
        modified = FileTime(status.st_mtim)
        changed = FileTime(status.st_ctim).nanosecondsSinceEpoch
    }
}

/// The status of an entry, which is not followed; nil where there is none. The corresponding C function is `fstatat`.
package func entryStatus(_ name: EntryName, at directory: Int32) throws(KernelError) -> EntryStatus? {
    var result = stat()
    do throws(KernelError) {
        try attempt(.stat, name.text) {
            unsafe name.withCString { unsafe fstatat(directory, $0, &result, AT_SYMLINK_NOFOLLOW) }
        }
    } catch {
        if error.errno == .noEntry { return nil }
        throw error
    }
    return EntryStatus(result)
}

/// The same of an open file.
package func entryStatus(of descriptor: Int32) throws(KernelError) -> EntryStatus {
    var result = stat()
    try attempt(.fstat) { unsafe fstat(descriptor, &result) }
    return EntryStatus(result)
}

/// Opens an entry, never through a symbolic link and never waiting. The corresponding C function is `openat` with
/// `O_NOFOLLOW` and `O_NONBLOCK`.
package func openEntry(
    _ name: EntryName, at directory: Int32, _ mode: OpenMode, permissions: UInt32 = 0
) throws(KernelError) -> Descriptor {
    let flags = mode.rawValue | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | (mode.rawValue & O_PATH == 0 ? O_NONBLOCK : 0)
    return Descriptor(
        owning: try persist(.openat, name.text) {
            unsafe name.withCString { unsafe linux_openat(directory, $0, flags, permissions) }
        })
}

/// The names in a directory, without `.` and `..`, sorted by their bytes. The corresponding C function is `readdir`.
package func entryNames(of directory: Int32) throws(KernelError) -> [EntryName] {
    let listing = try open(".", at: directory, .read | .directory)
    guard let stream = unsafe fdopendir(listing.release()) else { throw KernelError(.getdents, .current) }
    defer { unsafe closedir(stream) }
    var names: [EntryName] = []
    while true {
        // The end and an error are both nil, and only errno tells them apart.
        linux_clear_errno()
        guard let entry = unsafe CLinux.readdir(stream) else { break }
        let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
        if bytes != [UInt8(ascii: ".")] && bytes != [UInt8(ascii: "."), UInt8(ascii: ".")] {
            names.append(EntryName(bytes))
        }
    }
    let end = Errno.current
    guard end.rawValue == 0 else { throw KernelError(.getdents, end) }
    return names.sorted()
}

/// What a symbolic link points to, in its bytes. The corresponding C function is `readlinkat`.
package func linkTarget(_ name: EntryName, at directory: Int32) throws(KernelError) -> [UInt8] {
    try unsafe filled(.readlinkat, name.text, upTo: Int(PATH_MAX)) { buffer, limit in
        unsafe name.withCString { name in
            unsafe buffer.withMemoryRebound(to: CChar.self, capacity: limit) {
                unsafe readlinkat(directory, name, $0, limit)
            }
        }
    }
}
