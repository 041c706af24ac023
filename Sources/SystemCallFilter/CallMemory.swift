import SpecFile

/// What the arguments of a call lead to in the memory of whoever makes it: paths and addresses of sockets, in words.
package struct CallMemory {
    /// Reads at most so many bytes from an address; fewer where the memory ends, nil where there is none.
    private let read: (UInt64, Int) -> [UInt8]?

    package init(reading read: @escaping (UInt64, Int) -> [UInt8]?) { self.read = read }

    /// The longest path that is shown in part, in bytes.
    private static let longest = 256

    /// Whether a call names something in memory.
    package static func isNamed(_ call: Substring, _ arguments: [UInt64]) -> Bool {
        switch call {
        case "connect", "bind": return arguments[1] != 0
        case "sendto": return arguments[4] != 0
        default:
            return paths.contains { row in
                arguments[row.index] != 0 && row.calls.split(separator: " ").contains { $0 == call }
            }
        }
    }

    /// The path or address that an argument of a call leads to; nil for what is neither, or cannot be read.
    func words(_ call: String, _ index: Int, _ arguments: [UInt64]) -> String? {
        let address = arguments[index]
        guard address != 0 else { return nil }
        if Self.paths.contains(where: { $0.index == index && $0.calls.split(separator: " ").contains { $0 == call } }) {
            return path(at: address)
        }
        switch (call, index) {
        case ("connect", 1), ("bind", 1): return socketAddress(at: address, length: arguments[2])
        case ("sendto", 4): return socketAddress(at: address, length: arguments[5])
        default: return nil
        }
    }

    private func path(at address: UInt64) -> String? {
        guard let bytes = read(address, Self.longest), !bytes.isEmpty else { return nil }
        let text = bytes.prefix { $0 != 0 }
        return quoted(String(decoding: text, as: UTF8.self) + (text.count == Self.longest ? "…" : ""))
    }

    /// `struct sockaddr`, unix(7), ip(7), ipv6(7).
    private func socketAddress(at address: UInt64, length: UInt64) -> String? {
        guard (2...128).contains(length & 0xffff_ffff), let bytes = read(address, Int(length & 0xff)), bytes.count >= 2
        else { return nil }
        // The family is of the machine's order, ports are of the network's.
        let family = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
        switch family {
        case 1: return unixAddress(bytes.dropFirst(2))
        case 2 where bytes.count >= 8:
            return bytes[4..<8].map { "\($0)" }.joined(separator: ".") + ":\(port(bytes))"
        case 10 where bytes.count >= 24:
            let groups = stride(from: 8, to: 24, by: 2).map {
                String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
            }
            return "[" + groups.joined(separator: ":") + "]:\(port(bytes))"
        default: return CallWords.family(UInt64(family))
        }
    }

    private func port(_ bytes: [UInt8]) -> UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

    /// An abstract name begins with NUL, which people write as @.
    private func unixAddress(_ name: ArraySlice<UInt8>) -> String {
        guard let first = name.first else { return quoted("") }
        if first == 0 { return quoted("@" + String(decoding: name.dropFirst(), as: UTF8.self)) }
        return quoted(String(decoding: name.prefix { $0 != 0 }, as: UTF8.self))
    }

    /// Which arguments are paths.
    private static let paths: [(index: Int, calls: String)] = [
        (
            0,
            "open creat stat lstat access execve unlink mkdir rmdir rename link symlink readlink chmod chown lchown chdir "
                + "chroot truncate mknod mount umount2 statfs utime utimes setxattr lsetxattr getxattr lgetxattr listxattr "
                + "llistxattr removexattr lremovexattr pivot_root swapon swapoff acct symlinkat uselib stat64 lstat64 "
                + "statfs64 truncate64 chown32 lchown32"
        ),
        (
            1,
            "openat openat2 newfstatat fstatat64 statx faccessat faccessat2 execveat unlinkat mkdirat renameat renameat2 "
                + "linkat readlinkat fchmodat fchmodat2 fchownat mknodat utimensat futimesat name_to_handle_at open_tree "
                + "fspick mount_setattr inotify_add_watch rename link symlink mount pivot_root setxattrat getxattrat "
                + "listxattrat removexattrat"
        ),
        (2, "symlinkat"),
        (3, "renameat renameat2 linkat move_mount"),
    ]
}
