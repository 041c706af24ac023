import CLinux

/// What poll(2) waits for.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }
    /// The default goes through an existential collection, which the launch has no time for.
    package init(arrayLiteral elements: Readiness...) { rawValue = elements.reduce(0) { $0 | $1.rawValue } }

    package static let readable = Readiness(rawValue: Int16(POLLIN))
    /// POLLPRI: for a mountinfo, that the mounts have changed.
    package static let urgent = Readiness(rawValue: Int16(POLLPRI))
    package static let writable = Readiness(rawValue: Int16(POLLOUT))
}

/// One descriptor to wait for, and what was found of it. The corresponding C structure is `struct pollfd`.
package struct Watch: Sendable {
    fileprivate var request: pollfd

    /// A negative descriptor is passed over.
    package init(_ descriptor: Int32, for readiness: Readiness = .readable) {
        request = pollfd(fd: descriptor, events: readiness.rawValue, revents: 0)
    }

    /// Whether anything is to be done about it, a hang-up and an error included.
    package var isReady: Bool { request.revents != 0 }
    package var isReadable: Bool { request.revents & Int16(POLLIN) != 0 }
    package var hasHungUp: Bool { request.revents & Int16(POLLHUP) != 0 }
}

/// Waits until one of `watches` is ready, for at most `milliseconds` (nil: for ever), and notes in them what was found.
/// More of them than RLIMIT_NOFILE are EMFILE, which is what the kernel's EINVAL means here, poll(2). The corresponding C
/// function is `poll`.
package func poll(_ watches: inout [Watch], milliseconds: Int32?) throws(KernelError) {
    let count = watches.count
    do throws(KernelError) {
        try persist(.poll) {
            unsafe watches.withUnsafeMutableBytes { bytes in
                unsafe CLinux.poll(
                    bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), nfds_t(count), milliseconds ?? -1)
            }
        }
    } catch {
        throw error.errno == .invalid ? KernelError(.poll, .tooManyOpen) : error
    }
}

/// Waits as `poll` does until one of `watches` can be read or has hung up, all of which is found as readable. Whatever
/// becomes of RLIMIT_NOFILE: poll(2) refuses more descriptors than that allows, and prlimit(2) lets every process of the same
/// user lower it. The corresponding C function is `select`, which has no such rule (fs/select.c, core_sys_select).
package func select(_ watches: inout [Watch], milliseconds: Int32?) throws(KernelError) {
    let count = watches.count
    try persist(.select) {
        unsafe watches.withUnsafeMutableBytes { bytes in
            unsafe linux_select(
                bytes.baseAddress?.assumingMemoryBound(to: pollfd.self), Int32(count), milliseconds ?? -1)
        }
    }
}

/// Looks at one descriptor without waiting.
package func look(at descriptor: Int32) throws(KernelError) -> Watch {
    var watch = Watch(descriptor)
    try persist(.poll) { unsafe CLinux.poll(&watch.request, 1, 0) }
    return watch
}
