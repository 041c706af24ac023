import CLinux

/// What a file system calls one of its files by, and never another one after it: name_to_handle_at(2).
package struct FileHandle: Hashable, Sendable {
    package let kind: Int32
    package let bytes: [UInt8]

    package init(kind: Int32, bytes: [UInt8]) { (self.kind, self.bytes) = (kind, bytes) }
}

/// The handle of an entry, which is not followed, or with no name of an open file; nil where its file system has none. The corresponding
/// C function is `name_to_handle_at`.
package func fileHandle(_ name: EntryName, at directory: Int32) throws(KernelError) -> FileHandle? {
    var kind: Int32 = 0
    var bytes = [UInt8](repeating: 0, count: 128)
    var length: Int32 = 0
    do throws(KernelError) {
        try attempt(.nameToHandleAt, name.text) {
            length = unsafe name.withCString { unsafe linux_file_handle(directory, $0, &kind, &bytes) }
            return length
        }
    } catch {
        // A container may refuse the call.
        guard [.notSupported, .notPermitted, .unsupported, .overflow].contains(error.errno) else { throw error }
        return nil
    }
    return FileHandle(kind: kind, bytes: Array(bytes.prefix(Int(length))))
}

/// When an open file was made, in nanoseconds since the epoch: nobody can set it. nil where its file system does not say. The corresponding
/// C function is `statx`.
package func birth(of descriptor: Int32) throws(KernelError) -> Int64? {
    var time = timespec()
    let isUnknown = try attempt(.fstat) { unsafe linux_birth(descriptor, &time) } != 0
    return isUnknown ? nil : FileTime(time).nanosecondsSinceEpoch
}
