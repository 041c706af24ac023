import CLinux

/// A regular file read whole.
package struct RegularFile: Sendable {
    package let bytes: [UInt8]
    package let status: FileStatus
    /// Whether the last component of the path is a symbolic link.
    package let isSymlink: Bool
}

/// Why a file was not read.
package enum UnreadableFile: Error {
    case refused(KernelError)
    case directory
    /// A FIFO, a device or a socket.
    case notRegular
    case tooLarge
    /// A link on the way is not followed.
    case link(MetLink, LinkRule.Objection)
}

/// Reads a regular file of at most `limit` bytes that may be hostile: never waiting on a FIFO, never touching a device. With a
/// rule the directories on the way are walked by it.
package func readRegularFile(
    _ path: String, limit: Int, following rule: LinkRule? = nil
) throws(UnreadableFile) -> RegularFile {
    // Opening a device can have effects (a tape rewinds, a watchdog starts), so ask first; what fstat(2) says of the open
    // file is what counts.
    let named = try asked { () throws(KernelError) in try status(ofPath: path) }
    guard named.isRegular else { throw named.isDirectory ? .directory : .notRegular }
    var isSymlink = false
    let file = try open(path, rule, &isSymlink)
    let opened = try asked { () throws(KernelError) in try status(of: file.number) }
    guard opened.isRegular else { throw .notRegular }
    guard opened.size <= limit else { throw .tooLarge }
    let bytes = try content(of: file.number, path, atLeast: opened.size, limit)
    return RegularFile(bytes: bytes, status: opened, isSymlink: isSymlink)
}

private func open(
    _ path: String, _ rule: LinkRule?, _ isSymlink: inout Bool
) throws(UnreadableFile) -> Descriptor {
    guard let rule else { return try openRegular(path, &isSymlink) }
    let mode = OpenMode.read | .nonBlocking | .noTerminal
    do throws(KernelError) {
        return try openWithoutLinks(path, mode)
    } catch {
        switch error.errno {
        case .loop, .unsupported, .notPermitted, .again: break
        default: throw .refused(error)
        }
    }
    let (directory, name) = directoryAndName(path)
    let place: Descriptor
    do throws(WalkFault) {
        place = try HostWalk.open(directory, following: rule)
    } catch {
        switch error {
        case .refused(let error): throw .refused(error)
        case .link(let link, let objection): throw .link(link, objection)
        }
    }
    return try openRegular(name, at: place.number, &isSymlink)
}

/// Opens without `O_NOFOLLOW` only after the kernel said that the path is a link: no race between asking and opening.
private func openRegular(
    _ path: String, at directory: Int32 = currentDirectory, _ isSymlink: inout Bool
) throws(UnreadableFile) -> Descriptor {
    // `O_NONBLOCK`: opening a FIFO for reading would otherwise wait for its writer, open(2).
    let mode = OpenMode.read | .nonBlocking | .noTerminal
    do throws(KernelError) {
        return try open(path, at: directory, mode | .noFollow)
    } catch {
        guard error.errno == .loop else { throw .refused(error) }
    }
    isSymlink = true
    do throws(KernelError) {
        return try open(path, at: directory, mode)
    } catch {
        throw .refused(error)
    }
}

/// Reads to the end of the file, or past the limit: st_size is 0 in procfs, and a file may grow.
private func content(
    of descriptor: Int32, _ path: String, atLeast size: Int, _ limit: Int
) throws(UnreadableFile) -> [UInt8] {
    var bytes: [UInt8] = []
    // One more than there is, so that the end is seen with the second call.
    var room = size + 1
    while true {
        let wanted = room
        let chunk = try asked { () throws(KernelError) in
            try unsafe filled(.read, path, upTo: wanted) { unsafe CLinux.read(descriptor, $0, $1) }
        }
        if chunk.isEmpty { return bytes }
        if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
        if bytes.count > limit { throw .tooLarge }
        room = max(8192, room - chunk.count)
    }
}

/// What a call gives, its refusal as one of the reasons.
private func asked<Value: ~Copyable>(
    _ call: () throws(KernelError) -> Value
) throws(UnreadableFile) -> Value {
    do throws(KernelError) {
        return try call()
    } catch {
        throw .refused(error)
    }
}
