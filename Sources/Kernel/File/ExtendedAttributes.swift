import CLinux

// Extended attributes, xattr(7), of an open file, also of one opened with `O_PATH`: fgetxattr(2) and its kin refuse that with
// EBADF, and the name that procfs has for it leads there, at several times the cost.

private func procName(_ descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

/// The value of an attribute; nil where the file has none of that name, or its file system none at all. The corresponding C
/// function is `getxattr`.
package func extendedAttribute(_ name: String, of descriptor: Int32) throws(KernelError) -> [UInt8]? {
    try unsafe value(name) { buffer, limit in
        let length = unsafe name.withCString { unsafe fgetxattr(descriptor, $0, buffer, limit) }
        if length >= 0 || Errno.current != .badDescriptor { return length }
        return unsafe procName(descriptor).withCString { path in
            unsafe name.withCString { unsafe getxattr(path, $0, buffer, limit) }
        }
    }
}

/// Sets an attribute. The corresponding C function is `setxattr`.
package func setExtendedAttribute(_ name: String, _ value: [UInt8], of descriptor: Int32) throws(KernelError) {
    try attempt(.setxattr, name) {
        unsafe name.withCString { name in
            let result = unsafe fsetxattr(descriptor, name, value, value.count, 0)
            if result == 0 || Errno.current != .badDescriptor { return result }
            return unsafe procName(descriptor).withCString { path in
                unsafe setxattr(path, name, value, value.count, 0)
            }
        }
    }
}

/// Removes an attribute that is there. The corresponding C function is `removexattr`.
package func removeExtendedAttribute(_ name: String, of descriptor: Int32) throws(KernelError) {
    try attempt(.setxattr, name) {
        unsafe name.withCString { name in
            let result = unsafe fremovexattr(descriptor, name)
            if result == 0 || Errno.current != .badDescriptor { return result }
            return unsafe procName(descriptor).withCString { path in unsafe removexattr(path, name) }
        }
    }
}

/// The names of the attributes that the caller may see, in no order. The corresponding C function is `listxattr`.
package func extendedAttributes(of descriptor: Int32) throws(KernelError) -> [String] {
    try unsafe names { buffer, limit in
        let length = unsafe flistxattr(descriptor, buffer, limit)
        if length >= 0 || Errno.current != .badDescriptor { return length }
        return unsafe procName(descriptor).withCString { path in unsafe listxattr(path, buffer, limit) }
    }
}

/// The same of an entry of a directory, which is not opened for it; a symbolic link is not followed. The corresponding C function is
/// `llistxattr`.
package func extendedAttributes(of name: EntryName, at directory: Int32) throws(KernelError) -> [String] {
    try unsafe names { buffer, limit in
        unsafe entry(name, directory).withCString { path in unsafe llistxattr(path, buffer, limit) }
    }
}

/// The value of an attribute of such an entry; nil where it has none of that name. The corresponding C function is `lgetxattr`.
package func extendedAttribute(
    _ attribute: String, of name: EntryName, at directory: Int32
) throws(KernelError) -> [UInt8]? {
    try unsafe value(attribute) { buffer, limit in
        unsafe entry(name, directory).withCString { path in
            unsafe attribute.withCString { unsafe lgetxattr(path, $0, buffer, limit) }
        }
    }
}

private func entry(_ name: EntryName, _ directory: Int32) -> EntryName {
    EntryName(Array("\(procName(directory))/".utf8) + name.bytes)
}

private func value(
    _ name: String, _ ask: (UnsafeMutablePointer<UInt8>, Int) -> Int
) throws(KernelError) -> [UInt8]? {
    do throws(KernelError) {
        return try unsafe filled(.getxattr, name, upTo: 65536) { buffer, limit in unsafe ask(buffer, limit) }
    } catch {
        if error.errno.rawValue == ENODATA || error.errno == .notSupported { return nil }
        throw error
    }
}

private func names(_ ask: (UnsafeMutablePointer<CChar>, Int) -> Int) throws(KernelError) -> [String] {
    // Room for all that there can be is memory that is taken from the system, and given back, each time.
    for room in [1024, 65536] {
        do throws(KernelError) {
            let list = try unsafe filled(.listxattr, upTo: room) { buffer, limit in
                unsafe buffer.withMemoryRebound(to: CChar.self, capacity: limit) { unsafe ask($0, limit) }
            }
            return list.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        } catch {
            if error.errno == .notSupported { return [] }
            guard error.errno.rawValue == ERANGE, room < 65536 else { throw error }
        }
    }
    return []
}
