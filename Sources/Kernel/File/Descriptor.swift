import CLinux

/// An open file that is closed where its owner's scope ends. Every one is close-on-exec.
package struct Descriptor: ~Copyable {
    /// The number, for calls that borrow it.
    package let number: Int32

    /// Takes ownership of an open descriptor.
    package init(owning number: Int32) { self.number = number }

    deinit { CLinux.close(number) }

    /// Gives up ownership; the caller closes it, or exec does.
    package consuming func release() -> Int32 {
        let released = number
        discard self
        return released
    }
}

/// The current directory, for calls that take a directory to start from. The corresponding C constant is `AT_FDCWD`.
package let currentDirectory: Int32 = AT_FDCWD

/// How a path is opened; every combination includes `O_CLOEXEC`.
package struct OpenMode: OptionSet, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }
    /// The default goes through an existential collection, which the launch has no time for.
    package init(arrayLiteral elements: OpenMode...) { rawValue = elements.reduce(0) { $0 | $1.rawValue } }
    /// Joins two: a list is an array, whose type the runtime would have to make.
    package static func | (one: OpenMode, other: OpenMode) -> OpenMode {
        OpenMode(rawValue: one.rawValue | other.rawValue)
    }

    package static let read = OpenMode(rawValue: O_RDONLY)
    package static let write = OpenMode(rawValue: O_WRONLY)
    package static let readWrite = OpenMode(rawValue: O_RDWR)
    /// A name for the file and no access to its content.
    package static let path = OpenMode(rawValue: O_PATH)
    package static let directory = OpenMode(rawValue: O_DIRECTORY)
    package static let noFollow = OpenMode(rawValue: O_NOFOLLOW)
    package static let noTerminal = OpenMode(rawValue: O_NOCTTY)
    package static let nonBlocking = OpenMode(rawValue: O_NONBLOCK)
    package static let create = OpenMode(rawValue: O_CREAT)
    package static let exclusive = OpenMode(rawValue: O_EXCL)
    package static let truncate = OpenMode(rawValue: O_TRUNC)
    package static let append = OpenMode(rawValue: O_APPEND)
}

/// Opens `path` relative to `directory`. The corresponding C function is `openat`.
package func open(
    _ path: String, at directory: Int32 = currentDirectory, _ mode: OpenMode, permissions: UInt32 = 0
) throws(KernelError) -> Descriptor {
    Descriptor(
        owning: try persist(.openat, path) {
            unsafe path.withKernelText { unsafe linux_openat(directory, $0, mode.rawValue | O_CLOEXEC, permissions) }
        })
}

/// Closes what `Descriptor.release` gave up.
package func closeDescriptor(_ number: Int32) { CLinux.close(number) }

/// Makes `new` a duplicate of `old` that survives exec. The corresponding C function is `dup2`.
package func duplicate(_ old: Int32, onto new: Int32) throws(KernelError) {
    if old == new {
        try attempt(.fcntl) { linux_fcntl(old, F_SETFD, 0) }
    } else {
        try persist(.dup) { dup2(old, new) }
    }
}

/// A close-on-exec duplicate at `minimum` or above. The corresponding C call is `fcntl(F_DUPFD_CLOEXEC)`.
package func duplicate(_ old: Int32, above minimum: Int32) throws(KernelError) -> Int32 {
    try attempt(.fcntl) { linux_fcntl(old, F_DUPFD_CLOEXEC, Int(minimum)) }
}

/// Whether `number` is an open descriptor.
package func isOpen(_ number: Int32) -> Bool { linux_fcntl(number, F_GETFD, 0) >= 0 }

/// Opens /dev/null for each of 0 to 2 that is closed: the next file that is opened would get its number, and pass for the caller's.
package func openStandardDescriptors() throws(KernelError) {
    for number in Int32(0)...2 where !isOpen(number) {
        // The lowest number that is free is this one.
        _ = try open("/dev/null", .readWrite).release()
    }
}

/// Whether exec keeps `number` open; sets it so.
package func keepAcrossExec(_ number: Int32) throws(KernelError) {
    try attempt(.fcntl) { linux_fcntl(number, F_SETFD, 0) }
}
