/// What a system call that names a file does with it.
package struct ObservedCall: Sendable {
    package enum Use: Equatable, Sendable {
        /// By the flags in that argument, open(2); `behind` it, for openat2(2).
        case open(flags: Int), openBehind(Int)
        case make, makeDirectory, remove, modify, enter, execute, look
    }

    /// An argument that is a path, with the one that is the directory which it starts from; nil for the current one.
    package struct Operand: Sendable {
        package let directory: Int?
        package let path: Int
        package let use: Use
        /// Whether a symbolic link at the end is followed.
        package let follows: Bool

        package init(_ use: Use, _ path: Int, from directory: Int? = nil, follows: Bool = true) {
            (self.use, self.path, self.directory, self.follows) = (use, path, directory, follows)
        }
    }

    package let name: String
    package let operands: [Operand]

    /// The calls that are watched; those that only ask (stat(2) and its kin) on demand, as they are most of all calls.
    package static func all(withLooks: Bool) -> [ObservedCall] { files + (withLooks ? looks : []) }

    package enum SocketUse: Sendable { case connect, bind, send }

    /// Calls with the address of a socket: the argument, and the one that is its length.
    package static let sockets: [(name: String, use: SocketUse, address: Int, length: Int)] = [
        ("connect", .connect, 1, 2), ("bind", .bind, 1, 2), ("sendto", .send, 4, 5),
    ]

    /// What a call that names no file may change of where the paths of its thread lead.
    package enum Move: Sendable {
        /// Its current directory.
        case directory
        /// What stands at a path, for all who have the same mounts.
        case mounts
        /// Its root, its mounts or its network: they are no longer those of whoever watches.
        case world
    }

    /// The flags of new namespaces in the first argument of a call that makes such. CLONE_NEWTIME, the last of unshare(2)'s, is a part of
    /// the signal to clone(2).
    package static let namespaceFlags: [String: UInt64] = ["unshare": 0x7E02_0080, "clone": 0x7E02_0000]

    package static let moves: [(name: String, move: Move)] = [
        ("fchdir", .directory), ("mount", .mounts), ("umount2", .mounts), ("move_mount", .mounts),
        ("chroot", .world), ("pivot_root", .world), ("setns", .world), ("unshare", .world), ("clone", .world),
    ]

    private init(_ name: String, _ operands: Operand...) { (self.name, self.operands) = (name, operands) }

    private static let files: [ObservedCall] = [
        .init("open", Operand(.open(flags: 1), 0)),
        .init("creat", Operand(.open(flags: -1), 0)),
        .init("openat", Operand(.open(flags: 2), 1, from: 0)),
        .init("openat2", Operand(.openBehind(2), 1, from: 0)),
        .init("execve", Operand(.execute, 0)),
        .init("execveat", Operand(.execute, 1, from: 0)),
        .init("chdir", Operand(.enter, 0)),
        .init("mkdir", Operand(.makeDirectory, 0, follows: false)),
        .init("mkdirat", Operand(.makeDirectory, 1, from: 0, follows: false)),
        .init("mknod", Operand(.make, 0, follows: false)),
        .init("mknodat", Operand(.make, 1, from: 0, follows: false)),
        .init("symlink", Operand(.make, 1, follows: false)),
        .init("symlinkat", Operand(.make, 2, from: 1, follows: false)),
        .init("link", Operand(.look, 0, follows: false), Operand(.make, 1, follows: false)),
        .init("linkat", Operand(.look, 1, from: 0, follows: false), Operand(.make, 3, from: 2, follows: false)),
        .init("rename", Operand(.remove, 0, follows: false), Operand(.make, 1, follows: false)),
        .init("renameat", Operand(.remove, 1, from: 0, follows: false), Operand(.make, 3, from: 2, follows: false)),
        .init("renameat2", Operand(.remove, 1, from: 0, follows: false), Operand(.make, 3, from: 2, follows: false)),
        .init("unlink", Operand(.remove, 0, follows: false)),
        .init("unlinkat", Operand(.remove, 1, from: 0, follows: false)),
        .init("rmdir", Operand(.remove, 0, follows: false)),
        .init("truncate", Operand(.modify, 0)),
        .init("chmod", Operand(.modify, 0)),
        .init("fchmodat", Operand(.modify, 1, from: 0)),
        .init("fchmodat2", Operand(.modify, 1, from: 0)),
        .init("chown", Operand(.modify, 0)),
        .init("lchown", Operand(.modify, 0, follows: false)),
        .init("fchownat", Operand(.modify, 1, from: 0)),
        .init("utime", Operand(.modify, 0)),
        .init("utimes", Operand(.modify, 0)),
        .init("futimesat", Operand(.modify, 1, from: 0)),
        .init("utimensat", Operand(.modify, 1, from: 0)),
        .init("setxattr", Operand(.modify, 0)),
        .init("lsetxattr", Operand(.modify, 0, follows: false)),
        .init("removexattr", Operand(.modify, 0)),
        .init("lremovexattr", Operand(.modify, 0, follows: false)),
    ]

    private static let looks: [ObservedCall] = [
        .init("stat", Operand(.look, 0)),
        .init("lstat", Operand(.look, 0, follows: false)),
        .init("newfstatat", Operand(.look, 1, from: 0)),
        .init("statx", Operand(.look, 1, from: 0)),
        .init("access", Operand(.look, 0)),
        .init("faccessat", Operand(.look, 1, from: 0)),
        .init("faccessat2", Operand(.look, 1, from: 0)),
        .init("readlink", Operand(.look, 0, follows: false)),
        .init("readlinkat", Operand(.look, 1, from: 0, follows: false)),
        .init("statfs", Operand(.look, 0)),
    ]
}

/// The flags of open(2), as far as they tell what becomes of a name.
package struct OpenFlags: Sendable {
    private let bits: UInt64

    package init(_ bits: UInt64) { self.bits = bits }

    /// Those of creat(2).
    package static let creat = OpenFlags(0o1101)

    package var writes: Bool { !namesOnly && (bits & 3 != 0 || bits & 0o1000 != 0) }
    package var creates: Bool { bits & 0o100 != 0 && !namesOnly }
    /// Whether it is for reading and writing both, as a database.
    package var updates: Bool { !namesOnly && bits & 3 == 2 }
    /// O_PATH: nothing is read.
    package var namesOnly: Bool { bits & 0o10_000_000 != 0 }
    /// O_TMPFILE: a file without a name in that directory.
    package var isNameless: Bool { bits & 0o20_000_000 != 0 }
    /// Whether what is there stays as it is.
    package var changesNothing: Bool { !writes && !creates && !isNameless }
}
