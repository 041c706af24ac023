import CLinux

/// A kernel error number, errno(3).
package struct Errno: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    // Of its own, as other modules look derived ones up at run time.
    package static func == (one: Errno, other: Errno) -> Bool { one.rawValue == other.rawValue }
    package static func ~= (pattern: Errno, value: Errno) -> Bool { pattern.rawValue == value.rawValue }

    /// What the last failed call left; read before anything else runs.
    static var current: Errno { Errno(rawValue: linux_errno()) }

    /// `ENOENT` and its kin. The corresponding C function is `strerrorname_np`.
    package var name: String {
        guard let text = unsafe strerrorname_np(rawValue) else { return "errno \(rawValue)" }
        return unsafe String(cString: text)
    }

    /// The words for it in lower case. The corresponding C function is `strerrordesc_np`.
    package var words: String {
        guard let text = unsafe strerrordesc_np(rawValue) else { return "unknown error" }
        return unsafe String(cString: text).lowercased()
    }
}

extension Errno {
    /// Whether a send failed because the other end is closed, unix(7).
    package var meansPeerGone: Bool { rawValue == EPIPE || rawValue == ECONNRESET || rawValue == ECONNREFUSED }

    package static let notPermitted = Errno(rawValue: EPERM)
    package static let noEntry = Errno(rawValue: ENOENT)
    package static let badDescriptor = Errno(rawValue: EBADF)
    package static let badAddress = Errno(rawValue: EFAULT)
    package static let noAddressFamily = Errno(rawValue: EAFNOSUPPORT)
    package static let interrupted = Errno(rawValue: EINTR)
    package static let again = Errno(rawValue: EAGAIN)
    package static let accessDenied = Errno(rawValue: EACCES)
    package static let exists = Errno(rawValue: EEXIST)
    package static let notDirectory = Errno(rawValue: ENOTDIR)
    package static let notEmpty = Errno(rawValue: ENOTEMPTY)
    package static let isDirectory = Errno(rawValue: EISDIR)
    package static let invalid = Errno(rawValue: EINVAL)
    package static let tooManyOpen = Errno(rawValue: EMFILE)
    package static let noSpace = Errno(rawValue: ENOSPC)
    package static let noBuffers = Errno(rawValue: ENOBUFS)
    /// ENFILE: no file is left to open on the host; for a set of nftables, that it has no room.
    package static let tableFull = Errno(rawValue: ENFILE)
    package static let noMemory = Errno(rawValue: ENOMEM)
    package static let readOnly = Errno(rawValue: EROFS)
    package static let loop = Errno(rawValue: ELOOP)
    package static let crossesDevice = Errno(rawValue: EXDEV)
    package static let unsupported = Errno(rawValue: ENOSYS)
    package static let tooBig = Errno(rawValue: E2BIG)
    package static let noDevice = Errno(rawValue: ENODEV)
    package static let noProcess = Errno(rawValue: ESRCH)
    package static let badFormat = Errno(rawValue: ENOEXEC)
    package static let textBusy = Errno(rawValue: ETXTBSY)
    package static let overflow = Errno(rawValue: EOVERFLOW)
    package static let timedOut = Errno(rawValue: ETIMEDOUT)
    package static let stale = Errno(rawValue: ESTALE)
    package static let users = Errno(rawValue: EUSERS)
    package static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    package static let addressInUse = Errno(rawValue: EADDRINUSE)
    package static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)
    package static let busy = Errno(rawValue: EBUSY)
    package static let notSupported = Errno(rawValue: EOPNOTSUPP)
    package static let badDescriptorState = Errno(rawValue: EBADFD)
    package static let notBlockDevice = Errno(rawValue: ENOTBLK)
    package static let notConnected = Errno(rawValue: ENOTCONN)
    package static let connectionAborted = Errno(rawValue: ECONNABORTED)
    package static let noSuchDeviceOrAddress = Errno(rawValue: ENXIO)
}
